//! Copies a database page by page, so that not even the order of its rows changes.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

/// Pages copied between two looks whether the source changed.
const PAGES: i32 = 1024;

/// Copies the main database of a connection into a file without a name, which SQLite keeps in its temporary folder and
/// removes with the connection. <https://sqlite.org/inmemorydb.html#temp_db>
pub(super) fn copy(from: &Connection) -> rusqlite::Result<Connection> {
    let mut to = Connection::open("")?;
    Backup::new(from, &mut to)?.run_to_completion(PAGES, Duration::from_millis(1), None)?;
    Ok(to)
}
