//! Writes the schema of a database as one script, and tries it out. Only reads the database itself.

use crate::db::{DbError, ErrorCode, Session, Value, for_each_row, quote_identifier};

/// What comes first, so that everything finds what it is about. SQLite looks at every table for each row that it joins with
/// `pragma_table_list`, so that is read once.
const OBJECTS: &str = "WITH l AS MATERIALIZED (SELECT name, type FROM pragma_table_list WHERE schema = 'main') \
    SELECT s.type, s.name, s.sql, s.tbl_name FROM sqlite_schema s LEFT JOIN l ON l.name = s.tbl_name \
    WHERE s.sql IS NOT NULL AND s.name NOT LIKE 'sqlite^_%' ESCAPE '^' AND coalesce(l.type, '') <> 'shadow' \
    ORDER BY CASE s.type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, s.rowid";

/// Numbers in the head of the file that belong to the program whose database it is.
const HEAD: [&str; 2] = ["user_version", "application_id"];

/// Returns the script, and the tables that have rows, with how many.
///
/// The script is run in an empty database first, and must bring the same schema there.
pub(crate) fn squash(
    session: &mut dyn Session,
    own: &[String],
    scratch: impl FnOnce() -> Result<Box<dyn Session>, DbError>,
) -> Result<(String, Vec<(String, u64)>), DbError> {
    let objects = objects(session, own)?;
    let mut script: String =
        objects.iter().map(|object| format!("{};\n\n", object.sql.trim_end_matches([';', ' ', '\n']))).collect();
    for pragma in HEAD {
        let value = number(session, pragma)?;
        if value != 0 {
            script += &format!("PRAGMA {pragma} = {value};\n\n");
        }
    }
    if script.is_empty() {
        // A blank script is refused.
        script.push_str("-- There is nothing in the schema.\n");
    }
    let mut empty = scratch()?;
    empty.set_foreign_keys(false)?;
    empty.execute_script(&script).map_err(|failed| failed.error)?;
    if self::objects(empty.as_mut(), own)? != objects {
        let message = "the script would not bring the schema that the database has";
        return Err(DbError::new(ErrorCode::Database, message));
    }
    let mut rows = Vec::new();
    for table in objects.iter().filter(|object| object.kind == "table") {
        let sql = format!("SELECT count(*) FROM {}", quote_identifier(&table.name));
        for_each_row(session, &sql, &[], &mut |row| {
            if let [Value::Integer(count @ 1..)] = row {
                rows.push((table.name.clone(), count.unsigned_abs()));
            }
            Ok(())
        })?;
    }
    Ok((script.trim_end().to_owned() + "\n", rows))
}

fn number(session: &mut dyn Session, pragma: &str) -> Result<i64, DbError> {
    let mut found = 0;
    for_each_row(session, &format!("PRAGMA {pragma}"), &[], &mut |row| {
        if let [Value::Integer(value)] = row {
            found = *value;
        }
        Ok(())
    })?;
    Ok(found)
}

#[derive(Debug, Eq, PartialEq)]
struct Object {
    kind: String,
    name: String,
    sql: String,
}

fn objects(session: &mut dyn Session, own: &[String]) -> Result<Vec<Object>, DbError> {
    let mut objects = Vec::new();
    for_each_row(session, OBJECTS, &[], &mut |row| {
        if let [Value::Text(kind), Value::Text(name), Value::Text(sql), Value::Text(table)] = row
            && !own.contains(table)
        {
            objects.push(Object { kind: kind.clone(), name: name.clone(), sql: sql.clone() });
        }
        Ok(())
    })?;
    Ok(objects)
}
