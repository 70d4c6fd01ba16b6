//! What becomes of the connection when its session ends.

use std::thread;

use rusqlite::Connection;

use super::SqliteSession;
use super::connection_state;
use crate::db::ConnectionState;
use crate::db::sqlite::watch::Watch;
use crate::db::sqlite::{asking, bulk};

/// What a connection was before something was about to change it; nothing where nothing was.
#[derive(Default)]
pub(super) struct Before {
    pub(super) foreign_keys: Option<bool>,
    pub(super) state: Option<ConnectionState>,
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        // A lent connection goes back with the limits it came with, and with time and chance as they are: a guest's
        // step that ended in a panic has left its own.
        if self.return_to.is_some() {
            if let Err(error) = self.end_budget() {
                tracing::warn!("the connection's own limits are not restored: {error}");
            }
            if let Some(functions) = &self.functions {
                functions.set(None);
            }
        }
        if let Err(error) = self.replace_functions(&[]) {
            tracing::warn!("functions of a migration stay registered: {error}");
        }
        if self.is_restricted() {
            self.put_in_force(None);
        }
        // Code that has panicked may have left it. SQLite may roll back once more when it no longer holds the watch.
        self.watch.gate().keeps_transaction = false;
        self.watch.gate().keeps_keys = false;
        asking::keep_transaction(self.connection(), None);
        let has_bulk = self.with(|_, open| open.has_bulk);
        let Some(handles) = self.handles.take() else { return };
        let mut connection = handles.into_owner();
        if let Some(return_to) = &self.return_to {
            // First, since the rules of a guest whose step ended in a panic would refuse to roll back. A connection
            // whose callbacks cannot be removed is of no use to its owner either way.
            let _ = Watch::remove(&mut connection);
            // Without effect when no transaction is open.
            let _ = connection.execute_batch("ROLLBACK");
            // Whoever was to set it back has done so, but for a panic.
            if thread::panicking()
                && let Err(error) = put_back(&connection, &self.before)
            {
                tracing::warn!("the connection is not as it was before: {error}");
            }
            if has_bulk {
                let _ = bulk::unregister(&connection);
            }
            return_to.put(connection);
        }
    }
}

/// Makes a connection what it was. Nothing is open on it.
fn put_back(connection: &Connection, before: &Before) -> rusqlite::Result<()> {
    if let Some(state) = &before.state {
        connection_state::undo(connection, state, false)?;
    }
    match before.foreign_keys {
        Some(enforced) => connection.execute_batch(&format!("PRAGMA foreign_keys = {}", i32::from(enforced))),
        None => Ok(()),
    }
}
