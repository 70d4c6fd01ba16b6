//! Asks whether a migration did what it should: its verify script, and the `verify` of its code. Changes nothing: both may
//! only read.

use std::ops::Range;

#[cfg(feature = "wasm")]
pub(super) use super::component::verify_code;
use super::hold::looking;
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use super::script::{as_written, limited};
use crate::db::{BatchBuilder, DbError, ErrorCode, ScriptError, Session, Value};
use crate::model::{Script, TransactionMode};
use crate::plan::Direction;
use crate::sql;

/// What a statement that must hold has answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A first row with a first value that is true.
    True,
    /// No row.
    NoRow,
    /// A first value that is not true.
    False(Value),
}

/// Asks whether a step that goes up did what it should: its verify script, then the `verify` of its code. Returns the
/// fuel that took.
pub(super) fn verify(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Option<u64>, StepError>) {
    match verify_script(session.as_mut(), step, conditions) {
        Ok(()) if step.step.direction == Direction::Up => verify_code(session, step, conditions),
        result => (session, result.map(|()| None)),
    }
}

#[cfg(not(feature = "wasm"))]
pub(super) fn verify_code(
    session: Box<dyn Session>,
    _: &PreparedStep,
    _: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Option<u64>, StepError>) {
    (session, Ok(None))
}

/// Runs the verify script of a step that goes up; every statement must answer with something true.
pub(super) fn verify_script(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<(), StepError> {
    match &step.step.migration.verify {
        Some(script) if step.step.direction == Direction::Up => {
            limited(looking(session, step, conditions, |session| every(session, step, script)))
        }
        _ => Ok(()),
    }
}

fn every(session: &mut dyn Session, step: &PreparedStep, script: &Script) -> Result<(), StepError> {
    let kept = step.step.script().is_some_and(|script| script.directives.transaction == TransactionMode::None);
    let text = script.runs();
    for Range { start, end } in sql::statements(text) {
        let failed = |error: DbError| match error.code {
            ErrorCode::Interrupted => StepError::Interrupted,
            _ => {
                let failed = Box::new(as_written(script, ScriptError { start, end, error }));
                StepError::Statement { script: Box::new(script.clone()), failed, kept }
            }
        };
        let answer = ask(session, &text[start..end]).map_err(failed)?;
        if answer != Answer::True {
            let range = script.origin(start..end);
            return Err(StepError::Unverified { script: Box::new(script.clone()), range, answer, kept });
        }
    }
    Ok(())
}

/// Runs a query and judges the first value of its first row.
pub(super) fn ask(session: &mut dyn Session, sql: &str) -> Result<Answer, DbError> {
    let cursor = session.open_cursor(sql, &[])?;
    let mut rows = BatchBuilder::default();
    let first = session.columns(cursor).and_then(|columns| {
        if columns.is_empty() {
            return Err(DbError::new(ErrorCode::Syntax, "the statement returns no rows, so it says nothing"));
        }
        // Whether there are more rows does not matter.
        session.fetch(cursor, 1, 1 << 20, &mut rows)
    });
    session.close_cursor(cursor);
    first?;
    let rows = rows.finish_checked();
    if rows.rows() == 0 {
        return Ok(Answer::NoRow);
    }
    let value = Value::from(rows.cell(0, 0));
    Ok(if is_true(&value) { Answer::True } else { Answer::False(value) })
}

/// Tells whether a value is true: not NULL, 0, empty, or a text that spells 0 or false.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Boolean(value) => *value,
        Value::Integer(value) => *value != 0,
        Value::Real(value) => *value != 0.0,
        Value::Text(text) => !["", "0", "f", "false"].iter().any(|no| text.trim().eq_ignore_ascii_case(no)),
        Value::Blob(bytes) => !bytes.is_empty(),
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// More of a text than this tells nobody more.
        const SHOWN: usize = 40;
        match self {
            Self::True => formatter.write_str("it holds"),
            Self::NoRow => formatter.write_str("it returned no row"),
            Self::False(Value::Null) => formatter.write_str("its first value is NULL"),
            Self::False(Value::Boolean(value)) => write!(formatter, "its first value is {value}"),
            Self::False(Value::Integer(value)) => write!(formatter, "its first value is {value}"),
            Self::False(Value::Real(value)) => write!(formatter, "its first value is {value}"),
            Self::False(Value::Text(text)) => {
                let text: String = text.chars().take(SHOWN).collect();
                write!(formatter, "its first value is '{}'", text.escape_debug())
            }
            Self::False(Value::Blob(_)) => formatter.write_str("its first value is an empty blob"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::OpenOptions;
    use crate::db::sqlite::with_connection;
    use crate::grants::Restriction;
    use crate::interrupt::Interrupt;
    use std::sync::Arc;
    use std::time::Duration;

    fn with_rows(work: impl FnOnce(&mut dyn Session)) {
        let mut connection = rusqlite::Connection::open_in_memory().expect("database");
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);").expect("table");
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        with_connection(&mut connection, &options, |mut session| work(session.as_mut())).expect("session");
    }

    #[test]
    fn judges_the_first_value_of_the_first_row() {
        let cases = [
            ("SELECT 1", "it holds"),
            ("SELECT 0.5, 0", "it holds"),
            ("SELECT a FROM t ORDER BY a", "it holds"),
            ("VALUES ('yes')", "it holds"),
            ("WITH x AS (SELECT count(*) n FROM t) SELECT n = 2 FROM x;", "it holds"),
            ("SELECT 1 FROM t WHERE a > 2", "it returned no row"),
            ("SELECT NULL, 1", "its first value is NULL"),
            ("SELECT count(*) FROM t WHERE a > 2", "its first value is 0"),
            ("SELECT -0.0", "its first value is -0"),
            ("SELECT ''", "its first value is ''"),
            ("SELECT ' False '", "its first value is ' False '"),
            ("SELECT x''", "its first value is an empty blob"),
        ];
        with_rows(|session| {
            for (sql, expected) in cases {
                assert_eq!(ask(session, sql).expect(sql).to_string(), expected, "{sql}");
            }
        });
    }

    #[test]
    fn lets_nothing_change() {
        let cases = [
            "INSERT INTO t VALUES (3)",
            "INSERT INTO t VALUES (3) RETURNING 1",
            "DELETE FROM t RETURNING 1",
            "UPDATE t SET a = 0 RETURNING 1",
            "WITH x AS (SELECT 1) DELETE FROM t RETURNING 1",
            "CREATE TABLE u (a)",
            "CREATE TEMP TABLE u (a)",
            "CREATE VIEW v AS SELECT 1",
            "ALTER TABLE t RENAME TO u",
            "DROP TABLE t",
            "BEGIN",
            "SAVEPOINT s",
            "ATTACH ':memory:' AS other",
            "PRAGMA user_version = 3",
            "PRAGMA query_only = 0",
            "PRAGMA writable_schema = 1",
            "PRAGMA journal_mode",
            "ANALYZE t",
            "VACUUM",
        ];
        with_rows(|session| {
            session.restrict(Some(Arc::new(Restriction { read_only: true, ..Restriction::default() })));
            for sql in cases {
                let error = ask(session, sql).expect_err(sql);
                assert_eq!(error.code, ErrorCode::Denied, "{sql}: {error}");
            }
            for sql in ["SELECT count(*) = 2 FROM t", "SELECT count(*) FROM pragma_table_info('t')"] {
                assert_eq!(ask(session, sql).expect(sql), Answer::True, "{sql}");
            }
            session.restrict(None);
        });
    }
}
