//! Tells a table whose numbers are used up from a full disk: SQLite has one error for both.

use rusqlite::Connection;

use super::statement_kind;
use crate::db::{DbError, ErrorCode};

/// Those whose AUTOINCREMENT has given out the largest number there is. <https://sqlite.org/autoinc.html>
const USED_UP: &str = "SELECT name FROM main.sqlite_sequence WHERE seq >= 9223372036854775807";

/// Returns a table that a statement names whose numbers are used up. Only for the host, without any restriction in force.
pub(super) fn used_up(connection: &Connection, sql: &str) -> Option<String> {
    let mut statement = connection.prepare(USED_UP).ok()?;
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).ok()?;
    let named = statement_kind::read(sql).names;
    tables.filter_map(Result::ok).find(|table| named.contains(&table.to_ascii_lowercase()))
}

/// Says that a table can number no more rows.
pub(super) fn error(table: &str) -> DbError {
    let mut error = DbError::new(
        ErrorCode::Database,
        format!(
            "the table {} has no numbers left for new rows (AUTOINCREMENT): `seq` in sqlite_sequence is the largest there is",
            table.escape_debug()
        ),
    );
    error.native = "SQLITE_FULL".to_owned();
    error
}
