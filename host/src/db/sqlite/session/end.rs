//! What becomes of the connection when its session ends.

use super::SqliteSession;
use crate::db::sqlite::watch::Watch;
use crate::db::sqlite::{asking, bulk};

impl Drop for SqliteSession {
    fn drop(&mut self) {
        // A lent connection goes back with the limits it came with, and with time and chance as they are: a guest's step that
        // ended in a panic has left its own.
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
        // Code that has panicked may have left it. SQLite may roll back once more when it no longer holds the watch.
        self.watch.gate().keeps_transaction = false;
        asking::keep_transaction(self.connection(), None);
        let has_bulk = self.with(|_, open| open.has_bulk);
        let Some(handles) = self.handles.take() else { return };
        let mut connection = handles.into_owner();
        if let Some(return_to) = &self.return_to {
            // First, since the rules of a guest whose step ended in a panic would refuse to roll back. A connection whose
            // callbacks cannot be removed is of no use to its owner either way.
            let _ = Watch::remove(&mut connection);
            // Without effect when no transaction is open.
            let _ = connection.execute_batch("ROLLBACK");
            if has_bulk {
                let _ = bulk::unregister(&connection);
            }
            return_to.put(connection);
        }
    }
}
