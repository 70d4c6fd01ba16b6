//! Writes the schema of a database as one script, and tries it out. Only reads the database itself.

use std::collections::BTreeSet;

use crate::db::sqlite::Shadows;
use crate::db::{DbError, ErrorCode, ScriptError, Session, Value, for_each_row, quote_identifier};
use crate::model::{Hook, Script};
use crate::plan::Step;
use crate::shown::Shown;
use crate::sql;

/// What comes first, so that everything finds what it is about.
const OBJECTS: &str = "SELECT type, name, sql, tbl_name FROM main.sqlite_schema \
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite^_%' ESCAPE '^' \
    ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid";

/// Numbers in the head of the file that belong to the program whose database it is.
const HEAD: [&str; 2] = ["user_version", "application_id"];

/// Returns the script, and the tables that have rows, with how many.
///
/// The script is run in an empty database first, as `read` has it run and after what of `before` is SQL, and must bring the
/// same schema there. What those hooks make by themselves is left out of it, and so are the tables that are `not_its_own`.
pub(crate) fn squash(
    session: &mut dyn Session,
    not_its_own: &[String],
    before: &[&Hook],
    read: impl FnOnce(String) -> Result<Script, DbError>,
    scratch: impl FnOnce() -> Result<Box<dyn Session>, DbError>,
) -> Result<(Script, Vec<(String, u64)>), DbError> {
    let objects = objects(session, not_its_own)?;
    let mut empty = scratch()?;
    empty.set_foreign_keys(false)?;
    // Nothing of it is committed: a hook may have attached another database.
    empty.begin()?;
    before.iter().try_for_each(|hook| run_hook(empty.as_mut(), hook))?;
    let made: BTreeSet<Object> = self::objects(empty.as_mut(), not_its_own)?.into_iter().collect();
    let wanted = objects.iter().filter(|object| !made.contains(object));
    let mut text: String = wanted.map(|object| ended(&object.sql)).collect();
    for pragma in HEAD {
        let value = number(session, pragma)?;
        if value != 0 {
            text += &format!("PRAGMA {pragma} = {value};\n\n");
        }
    }
    if text.is_empty() {
        // A blank script is refused.
        text.push_str("-- There is nothing in the schema.\n");
    }
    let script = read(text.trim_end().to_owned() + "\n")?;
    empty.execute_script(script.runs()).map_err(|failed| named(failed, &objects, script.runs()))?;
    let brought: BTreeSet<Object> = self::objects(empty.as_mut(), not_its_own)?.into_iter().collect();
    let there: BTreeSet<Object> = objects.iter().cloned().collect();
    // What only a hook makes is there in a new database, too, and no part of the baseline.
    if !there.is_subset(&brought) || !brought.difference(&there).all(|object| made.contains(object)) {
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
    Ok((script, rows))
}

/// Ends a statement; one whose last line is a comment would take the semicolon into that.
fn ended(statement: &str) -> String {
    let statement = statement.trim_end();
    match sql::tokens(statement).last().is_some_and(|token| token.text.starts_with("--")) {
        true => format!("{statement}\n;\n\n"),
        false => format!("{};\n\n", statement.trim_end_matches([';', ' ', '\n'])),
    }
}

/// Names what cannot be made in an empty database, such as a virtual table whose module is on other connections only.
fn named(failed: ScriptError, objects: &[Object], script: &str) -> DbError {
    let ScriptError { start, end, error } = failed;
    let statement = script.get(start..end).unwrap_or_default();
    let Some(object) = objects.iter().find(|object| statement.contains(object.sql.trim_end())) else { return error };
    let what = format!("the {} {} cannot be made in an empty database", object.kind, Shown(&object.name));
    let message = format!("{what}: {}; write the baseline by hand, and try it where it can be made", error.message);
    DbError { message, offset: None, ..error }
}

/// Runs a hook of SQL. One that needs what is not there yet makes nothing in a new database, either.
fn run_hook(empty: &mut dyn Session, hook: &Hook) -> Result<(), DbError> {
    let step = Step::of_hook(hook);
    let Some(script) = step.script().filter(|script| script.missing().is_empty()) else { return Ok(()) };
    empty.execute("SAVEPOINT hook", &[])?;
    if let Err(failed) = empty.execute_script(script.runs()) {
        tracing::debug!("the hook {} was left out: {}", hook.name(), failed.error);
        empty.execute("ROLLBACK TO hook", &[])?;
    }
    empty.execute("RELEASE hook", &[]).map(drop)
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

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Object {
    kind: String,
    name: String,
    sql: String,
}

fn objects(session: &mut dyn Session, own: &[String]) -> Result<Vec<Object>, DbError> {
    let (mut objects, mut shadows) = (Vec::new(), Shadows::default());
    for_each_row(session, OBJECTS, &[], &mut |row| {
        if let [Value::Text(kind), Value::Text(name), Value::Text(sql), Value::Text(table)] = row
            && !own.contains(table)
        {
            shadows.add(name, sql);
            objects.push((table.clone(), Object { kind: kind.clone(), name: name.clone(), sql: sql.clone() }));
        }
        Ok(())
    })?;
    let own = objects.into_iter().filter(|(table, _)| !shadows.has(table));
    Ok(own.map(|(_, object)| object).collect())
}
