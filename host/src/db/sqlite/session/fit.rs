//! Whether migrations do on a lent connection what they say.

use rusqlite::{Connection, OptionalExtension};

use super::SqliteSession;
use crate::db::sqlite::error::translate;
use crate::db::{DbError, ErrorCode};

/// SQLite looks for a name without a schema among temporary objects first, whatever is in the database.
const SHADOWS: &str = "SELECT t.type, m.name FROM temp.sqlite_schema t JOIN main.sqlite_schema m ON m.name = t.name COLLATE NOCASE \
                       WHERE t.type IN ('table', 'view') AND m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite^_%' ESCAPE '^' \
                       LIMIT 1";

const HAS_TEMPORARY: &str = "SELECT EXISTS (SELECT 1 FROM pragma_database_list WHERE name = 'temp')";

impl SqliteSession {
    /// Refuses a connection of the caller's that only reads, or has temporary tables in the place of ones of the database. A
    /// connection of the host's own has neither, but what a run makes for itself.
    pub(super) fn check_lent(&mut self) -> Result<(), DbError> {
        if self.return_to.is_none() {
            return Ok(());
        }
        let wrong = self.unrestricted(|session| session.ask_when_free(wrong));
        wrong.map_err(|error| translate(&self.watch, error))?.map_or(Ok(()), Err)
    }
}

fn wrong(connection: &Connection) -> rusqlite::Result<Option<DbError>> {
    if connection.is_readonly("main")? {
        let message = "the connection was opened to read only; lend one that may write";
        return Ok(Some(DbError::new(ErrorCode::ReadOnly, message)));
    }
    if connection.query_row("PRAGMA query_only", [], |row| row.get(0))? {
        let message = "the connection only reads, as `PRAGMA query_only` says of it; set that off, or lend another one";
        return Ok(Some(DbError::new(ErrorCode::ReadOnly, message)));
    }
    // Whoever looks into the temporary database where there is none makes one.
    if !connection.query_row(HAS_TEMPORARY, [], |row| row.get(0))? {
        return Ok(None);
    }
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let found = connection.query_row(SHADOWS, [], read).optional()?;
    Ok(found.map(|(kind, name)| {
        let message = format!(
            "the connection has a temporary {kind} called {}, like one of the database, whose rows migrations would read and \
             write it for; drop it, or lend a connection without it",
            name.escape_debug()
        );
        DbError::new(ErrorCode::Database, message)
    }))
}
