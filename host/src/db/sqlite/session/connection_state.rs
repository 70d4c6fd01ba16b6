//! The part of a session that knows what its connection is apart from the database, and makes it that again.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::SqliteSession;
use crate::db::sqlite::asking;
use crate::db::sqlite::error::translate;
use crate::db::{ConnectionState, DbError, Session, quote_identifier};

/// What a connection can be told by PRAGMA, and tells again, <https://sqlite.org/pragma.html>: not what stays in the
/// file, nor `foreign_keys`, which whoever may change it sets back, nor `soft_heap_limit`, which is all connections'. In
/// the order in which they are set: without `query_only` others cannot be, and the size of the cache has a part in when
/// it spills.
const SETTINGS: [&str; 28] = [
    "query_only",
    "writable_schema",
    "analysis_limit",
    "automatic_index",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "count_changes",
    "defer_foreign_keys",
    "empty_result_callbacks",
    "full_column_names",
    "fullfsync",
    "ignore_check_constraints",
    "journal_size_limit",
    "legacy_alter_table",
    "max_page_count",
    "mmap_size",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "short_column_names",
    "synchronous",
    "temp_store",
    "threads",
    "trusted_schema",
    "wal_autocheckpoint",
];
/// Set by PRAGMA as well, and told by nothing but what it does.
const CASE_SENSITIVE_LIKE: &str = "case_sensitive_like";
/// What a session that [keeps](super::keep) its database sets itself.
const FILE_SETTINGS: [&str; 2] = [LOCKING_MODE, JOURNAL_MODE];
const LOCKING_MODE: &str = "locking_mode";
const JOURNAL_MODE: &str = "journal_mode";

/// The order in which objects are dropped: the tables of a virtual one go with it.
const TEMPORARY: &str = "SELECT type, name FROM temp.sqlite_schema WHERE name NOT LIKE 'sqlite^_%' ESCAPE '^' \
                         ORDER BY type = 'table', type = 'view', sql NOT LIKE 'CREATE VIRTUAL %', rowid DESC";
const ATTACHED: &str = "SELECT name, coalesce(file, '') FROM pragma_database_list WHERE name NOT IN ('main', 'temp')";

impl SqliteSession {
    /// Looks at what may be changed of the connection.
    pub(super) fn look_at_connection(&mut self) -> Result<ConnectionState, DbError> {
        let is_kept = self.keep.is_kept();
        let state = self.unrestricted(|session| session.ask_when_free(|connection| state(connection, is_kept)));
        let state = state.map_err(|error| translate(&self.watch, error))?;
        if self.return_to.is_some() {
            self.before.state.get_or_insert_with(|| state.clone());
        }
        Ok(state)
    }

    /// Undoes what has changed of the connection since.
    pub(super) fn put_connection_back(&mut self, before: &ConnectionState) -> Result<(), DbError> {
        self.close_handles();
        self.forget_prepared();
        let is_kept = self.keep.is_kept();
        let watch = Arc::clone(&self.watch);
        let done = watch.holding(|| {
            self.unrestricted(|session| session.ask_when_free(|connection| undo(connection, before, is_kept)))
        });
        // What was dropped is no statement's that comes next.
        self.watch.gate().open();
        // `PRAGMA busy_timeout` takes its own way to wait for that of the session.
        let waiting = asking::begin_waiting(self.connection(), &self.watch);
        done.and(waiting).map_err(|error| translate(&self.watch, error))
    }
}

fn state(connection: &Connection, is_kept: bool) -> rusqlite::Result<ConnectionState> {
    let mut settings = Vec::with_capacity(SETTINGS.len() + 3);
    let of_file = FILE_SETTINGS.iter().filter(|_| !is_kept);
    for name in SETTINGS.iter().chain(of_file) {
        settings.extend(read(connection, name)?.map(|value| (*name, value)));
    }
    let ignores_case: bool = connection.query_row("SELECT 'a' LIKE 'A'", [], |row| row.get(0))?;
    settings.push((CASE_SENSITIVE_LIKE, u8::from(!ignores_case).to_string()));
    Ok(ConnectionState { settings, temporary: pairs(connection, TEMPORARY)?, attached: pairs(connection, ATTACHED)? })
}

/// Reads a setting; one that this build of SQLite does not know has no value. SQLite may read it while it prepares the
/// statement, so that must not come from the cache.
fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA main.{name}"))?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(match row.get_ref(0)? {
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Text(value) => Some(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    })
}

fn pairs(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Makes the settings, temporary objects and attached databases of a connection what they were.
pub(super) fn undo(connection: &Connection, before: &ConnectionState, is_kept: bool) -> rusqlite::Result<()> {
    let now = state(connection, is_kept)?;
    for (name, value) in &before.settings {
        let is = now.settings.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        if is.is_some_and(|is| is != value)
            && let Some(value) = to_set(name, value, connection.is_autocommit())
        {
            set(connection, name, value)?;
        }
    }
    drop_temporary(
        connection,
        now.temporary.into_iter().filter(|object| !before.temporary.contains(object)).collect(),
    )?;
    for (name, _) in now.attached.iter().filter(|database| !before.attached.contains(database)) {
        let detached = connection.execute("DETACH ?", [name]);
        // It is in the transaction that is open.
        if connection.is_autocommit() {
            detached?;
        }
    }
    let now = pairs(connection, ATTACHED)?;
    for (name, file) in before.attached.iter().filter(|(_, file)| !file.is_empty()) {
        if !now.iter().any(|(other, _)| other == name) {
            connection.execute("ATTACH ? AS ?", [file, name])?;
        }
    }
    Ok(())
}

/// Says as what a setting is to be set now; nothing where it must not be.
fn to_set<'v>(name: &str, value: &'v str, is_autocommit: bool) -> Option<&'v str> {
    match (name, value) {
        // It would forget that there are rows without parents. With the transaction it ends by itself.
        ("defer_foreign_keys", _) => is_autocommit.then_some(value),
        // What is called fast is told as a number that is not understood.
        ("secure_delete", "2") => Some("FAST"),
        (JOURNAL_MODE, _) => is_autocommit.then_some(value),
        _ => Some(value),
    }
}

fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let mut value = value;
    if name == JOURNAL_MODE {
        // A write-ahead log is the database's and stays; and so it does when one is left for good.
        match (read(connection, name)?.as_deref(), value) {
            (Some("wal"), _) | (Some("delete"), "wal") => return Ok(()),
            (_, "wal") => value = "delete",
            _ => {}
        }
    }
    // These were set for all databases, and for those to come, where no database was named.
    let of_all = matches!(name, LOCKING_MODE | "secure_delete");
    let database = if of_all { "" } else { "main." };
    let mut statement = connection.prepare(&format!("PRAGMA {database}{name} = {value}"))?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}

/// Drops these; one that others refer to goes after them.
fn drop_temporary(connection: &Connection, objects: Vec<(String, String)>) -> rusqlite::Result<()> {
    let mut left = objects;
    while !left.is_empty() {
        let (before, mut failed) = (left.len(), Ok(()));
        left.retain(|(kind, name)| {
            let dropped = connection.execute_batch(&format!("DROP {kind} IF EXISTS temp.{}", quote_identifier(name)));
            let stays = dropped.is_err();
            if stays {
                failed = dropped;
            }
            stays
        });
        if left.len() == before {
            return failed;
        }
    }
    Ok(())
}
