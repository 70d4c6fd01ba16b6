//! The part of a session about strings in double quotes. SQLite takes a word in double quotes that names no column for a string,
//! for the sake of old definitions, and other programs do not; a guest that is held to grants leaves none behind.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::SqliteSession;
use crate::db::sqlite::guard;
use crate::db::sqlite::run::RunError;
use crate::db::{DbError, ErrorCode};
use crate::grants::{Statement, StatementKind};
use crate::sql::{self, Token};

const QUOTED: DbConfig = DbConfig::SQLITE_DBCONFIG_DQS_DDL;

impl SqliteSession {
    /// Changes the schema; a table is altered with such strings as the connection takes them by itself. To alter one SQLite
    /// compiles every definition again, and the owner's may have some.
    pub(super) fn with_old_strings<R>(
        &mut self,
        statement: &Statement,
        work: impl FnOnce(&mut Self) -> Result<R, DbError>,
    ) -> Result<R, DbError> {
        let before = self.watch.gate().config_before;
        let Some([.., wanted]) = before.filter(|_| matches!(statement.kind, StatementKind::Alter { .. })) else {
            return work(self);
        };
        let set = |session: &mut Self, wanted| {
            let set = session.connection().set_db_config(QUOTED, wanted);
            set.map_err(|error| session.failed(RunError::Sqlite(error)))
        };
        let now = self.connection().db_config(QUOTED).map_err(|error| self.failed(RunError::Sqlite(error)))?;
        set(self, wanted)?;
        let done = work(self);
        set(self, now)?;
        done
    }

    /// Refuses a table whose definition has such a string now and had none before: a column that is added is not looked at.
    pub(super) fn check_strings(&mut self, table: &str, before: Option<&str>) -> Result<(), DbError> {
        const DEFINITION: &str = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
        let after: Option<String> = self
            .unrestricted(|session| session.connection().query_row(DEFINITION, [table], |row| row.get(0)))
            .unwrap_or_default();
        let mut refused = |text: &str| guard::bounded(&self.watch, text, false, || without_strings(text));
        match after.as_deref().and_then(&mut refused) {
            Some(message) if before.and_then(refused).is_none() => Err(DbError::new(ErrorCode::Syntax, message)),
            _ => Ok(()),
        }
    }
}

/// Returns what SQLite says of the first such string in the definition of a table, where it takes none.
fn without_strings(definition: &str) -> Option<String> {
    let apart = Connection::open_in_memory().ok()?;
    apart.set_db_config(QUOTED, false).ok()?;
    match apart.prepare(definition) {
        Err(rusqlite::Error::SqlInputError { msg, .. }) if msg.starts_with("no such column: ") => Some(msg),
        _ => None,
    }
}

/// Tells whether a definition is another one only by the quotes of such strings: SQLite writes them as others before it takes
/// a column away or renames one, in every table.
pub(super) fn is_requoted(before: &str, after: &str) -> bool {
    let significant = |text| -> Vec<Token<'_>> { sql::tokens(text).filter(Token::is_significant).collect() };
    let (before, after) = (significant(before), significant(after));
    let same = |(old, new): (&Token<'_>, &Token<'_>)| {
        let requoted = old.text.starts_with('"') && new.text.starts_with('\'') && old.name() == new.name();
        old.text == new.text || requoted
    };
    before.len() == after.len() && before.iter().zip(&after).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_strings_that_were_put_right() {
        let old = "CREATE TABLE t (x CHECK (x IN (\"a\", \"it's\")))";
        assert!(is_requoted(old, "CREATE TABLE t (x CHECK (x IN ('a','it''s')))"));
        assert!(!is_requoted(old, "CREATE TABLE t (x CHECK (x IN ('a', 'b')))"));
        assert!(!is_requoted(old, "CREATE TABLE t (x CHECK (x IN ('a', 'it''s')), y)"));
        assert!(!is_requoted("CREATE VIEW v AS SELECT 'x'", "CREATE VIEW v AS SELECT \"x\""));
    }

    #[test]
    fn finds_strings_where_columns_are_meant() {
        let told = |definition: &str| without_strings(definition).is_some();
        assert!(told("CREATE TABLE t (x CHECK (x <> \"zoo\"))") && told("CREATE TABLE t (x, y AS (x || \"zoo\"))"));
        assert!(!told("CREATE TABLE t (\"x\" CHECK (\"x\" <> 'zoo'), y DEFAULT \"zoo\" REFERENCES \"p\" (\"q\"))"));
    }
}
