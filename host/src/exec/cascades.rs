//! Rows of other tables that go with a table which a script drops: with foreign keys on, `DROP TABLE` deletes its rows first, and
//! `ON DELETE CASCADE` and `SET NULL` act. Looks before and after each such statement; refuses nothing.

use std::ops::Range;
use std::sync::Arc;

use super::hold::quietly;
use crate::db::{DbError, ScriptError, Session, Value, for_each_row, quote_identifier};
use crate::model::Script;
use crate::plan::Warning;
use crate::shown::Shown;
use crate::sql::{self, Token};

const ENFORCED: &str = "SELECT foreign_keys FROM pragma_foreign_keys";
/// Tables that refer to one so that they change when a row of it is deleted, with the columns that do and what becomes of them.
const CHILDREN: &str = "SELECT t.name, k.\"from\", k.on_delete FROM main.sqlite_schema t \
                        JOIN pragma_foreign_key_list(t.name, 'main') k WHERE t.type = 'table' AND k.\"table\" = ?1 COLLATE NOCASE \
                        AND t.name <> ?1 COLLATE NOCASE AND k.on_delete IN ('CASCADE', 'SET NULL')";

/// What a table has that goes, or is set NULL, with the rows of another.
#[derive(Debug)]
struct Child {
    table: String,
    /// The column that is set NULL; `None` where the row is deleted.
    column: Option<String>,
    /// Rows, or those in which the column is not NULL.
    count: i64,
}

/// Runs a script and tells which rows of other tables went with those that it drops.
pub(super) fn run(session: &mut dyn Session, script: &Script, title: &str) -> Result<Vec<Warning>, ScriptError> {
    let text = script.runs();
    let mut warnings = Vec::new();
    let mut from = 0;
    if may_drop(text) {
        for range in sql::statements(text) {
            let Some(table) = dropped(&text[range.clone()]) else { continue };
            let at = |error| ScriptError { start: range.start, end: range.end, error };
            piece(session, text, from..range.start)?;
            from = range.start;
            let before = quietly(session, |session| children(session, &table)).map_err(at)?;
            if before.is_empty() {
                continue;
            }
            piece(session, text, range.clone())?;
            from = range.end;
            let gone = quietly(session, |session| gone(session, before)).map_err(at)?;
            let place = (!gone.is_empty()).then(|| (Arc::new(script.clone()), script.origin(range)));
            warnings.extend(gone.iter().map(|child| child.warning(title, &table, place.clone())));
        }
    }
    piece(session, text, from..text.len())?;
    Ok(warnings)
}

fn piece(session: &mut dyn Session, text: &str, range: Range<usize>) -> Result<(), ScriptError> {
    let start = range.start;
    session.execute_script(&text[range]).map_err(|mut failed| {
        failed.start += start;
        failed.end += start;
        failed
    })
}

impl Child {
    fn warning(&self, title: &str, dropped: &str, place: Option<(Arc<Script>, Range<usize>)>) -> Warning {
        let (count, table) = (self.count, Shown(&self.table));
        let rows = if count == 1 { "row" } else { "rows" };
        let what = match &self.column {
            None => format!("deleted {count} {rows} of {table}"),
            Some(column) => format!("set {} NULL in {count} {rows} of {table}", Shown(column)),
        };
        Warning {
            migration: title.to_owned(),
            message: format!("DROP TABLE {} {what}, by foreign keys", Shown(dropped)),
            hint: "where the table is made anew, write `-- whimbrel: rebuild` at the top of the script; where scripts were written for \
                   foreign keys that are off, `foreign_keys = false` into whimbrel.toml, or their tool as `layout`"
                .to_owned(),
            place,
        }
    }
}

/// Tells cheaply whether a script may drop something, in large letters or small ones behind the first: byte by byte this would cost
/// a fortieth of a long script.
fn may_drop(text: &str) -> bool {
    text.contains("ROP") || text.contains("rop")
}

/// Returns the table of the database itself that a statement drops.
fn dropped(statement: &str) -> Option<String> {
    let mut tokens = sql::tokens(statement).filter(Token::is_significant);
    if !tokens.next()?.is_word("DROP") || !tokens.next()?.is_word("TABLE") {
        return None;
    }
    let names: Vec<Token<'_>> = tokens.filter(|token| token.text != ";").collect();
    let names = match names.as_slice() {
        [one, two, rest @ ..] if one.is_word("IF") && two.is_word("EXISTS") => rest,
        names => names,
    };
    match names {
        [name] => name.name(),
        [schema, dot, name] if dot.text == "." && schema.name()?.eq_ignore_ascii_case("main") => name.name(),
        _ => None,
    }
}

/// Finds what goes with the rows of a table, and with those that go, and counts it; nothing while foreign keys are off.
fn children(session: &mut dyn Session, table: &str) -> Result<Vec<Child>, DbError> {
    let mut enforced = false;
    for_each_row(session, ENFORCED, &[], &mut |row| {
        enforced = matches!(row, [Value::Integer(1)]);
        Ok(())
    })?;
    let mut found: Vec<Child> = Vec::new();
    let mut parents = if enforced { vec![table.to_owned()] } else { Vec::new() };
    let mut next = 0;
    while let Some(parent) = parents.get(next).cloned() {
        next += 1;
        for_each_row(session, CHILDREN, &[Value::Text(parent)], &mut |row| {
            let [Value::Text(child), Value::Text(column), Value::Text(action)] = row else { return Ok(()) };
            let column = (action == "SET NULL").then(|| column.clone());
            let is_known = found.iter().any(|known| known.table == *child && known.column == column);
            if is_known || child.eq_ignore_ascii_case(table) {
                return Ok(());
            }
            if column.is_none() {
                parents.push(child.clone());
            }
            found.push(Child { table: child.clone(), column, count: 0 });
            Ok(())
        })?;
    }
    for child in &mut found {
        child.count = count(session, child)?;
    }
    Ok(found)
}

/// Returns what is less now, with the difference.
fn gone(session: &mut dyn Session, before: Vec<Child>) -> Result<Vec<Child>, DbError> {
    let mut gone: Vec<Child> = Vec::new();
    for child in before {
        let less = child.count - count(session, &child)?;
        // What is set NULL in a row that is deleted as well is told by its row.
        let is_told = gone.iter().any(|other| other.table == child.table && other.count >= less);
        if less > 0 && !is_told {
            gone.push(Child { count: less, ..child });
        }
    }
    Ok(gone)
}

fn count(session: &mut dyn Session, child: &Child) -> Result<i64, DbError> {
    let counted = child.column.as_deref().map_or_else(|| "*".to_owned(), quote_identifier);
    let sql = format!("SELECT count({counted}) FROM main.{}", quote_identifier(&child.table));
    let mut found = 0;
    for_each_row(session, &sql, &[], &mut |row| {
        if let [Value::Integer(count)] = row {
            found = *count;
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::with_connection;
    use crate::sql::Directives;

    #[test]
    fn finds_the_table_that_is_dropped() {
        let cases = [
            ("DROP TABLE a;", Some("a")),
            ("-- x\ndrop table if exists \"a b\"", Some("a b")),
            ("DROP TABLE main . [a]", Some("a")),
            ("DROP TABLE temp.a", None),
            ("DROP VIEW a", None),
            ("SELECT 'DROP TABLE a'", None),
            ("DROP TABLE", None),
        ];
        for (statement, expected) in cases {
            assert_eq!(dropped(statement).as_deref(), expected, "{statement}");
        }
    }

    /// Runs a script on three tables that refer to `p`, one of them by way of another.
    fn told(keys: bool, script: &str) -> Vec<String> {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let schema = format!(
            "PRAGMA foreign_keys = {}; CREATE TABLE p (id INTEGER PRIMARY KEY);
             CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES P ON DELETE CASCADE);
             CREATE TABLE g (c REFERENCES c ON DELETE CASCADE);
             CREATE TABLE n (p REFERENCES p ON DELETE SET NULL);
             INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL);
             INSERT INTO g VALUES (1); INSERT INTO n VALUES (1), (NULL), (2);",
            i32::from(keys)
        );
        connection.execute_batch(&schema).unwrap();
        let options = crate::db::OpenOptions {
            lock_timeout: std::time::Duration::ZERO,
            interrupt: crate::interrupt::Interrupt::new(),
            record: false,
        };
        let script = Script::new("1.sql", script.to_owned().into(), Directives::default());
        let run = |mut session: Box<dyn Session>| run(session.as_mut(), &script, "1 a").unwrap();
        let mut warnings = Vec::new();
        with_connection(&mut connection, &options, |session| warnings = run(session)).unwrap();
        warnings.into_iter().map(|warning| warning.message).collect()
    }

    #[test]
    fn tells_what_went_with_a_table() {
        let rebuilt = "CREATE TABLE q (id INTEGER PRIMARY KEY); INSERT INTO q SELECT * FROM p; DROP TABLE p;
                       ALTER TABLE q RENAME TO p;";
        let expected = [
            "DROP TABLE p deleted 2 rows of c, by foreign keys",
            "DROP TABLE p set p NULL in 2 rows of n, by foreign keys",
            "DROP TABLE p deleted 1 row of g, by foreign keys",
        ];
        assert_eq!(told(true, rebuilt), expected);
        assert!(told(false, rebuilt).is_empty());
        let emptied = "DELETE FROM p; DROP TABLE p; DROP TABLE g;";
        assert!(told(true, emptied).is_empty());
    }
}
