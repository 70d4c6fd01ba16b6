//! The part of a session that opens and ends savepoints.

use super::SqliteSession;
use crate::db::{DbError, ErrorCode, SavepointId, quote_identifier};

impl SqliteSession {
    pub(super) fn open_savepoint(&mut self) -> Result<SavepointId, DbError> {
        let id = self.new_id();
        self.unrestricted(|session| {
            session.host_execute(&format!("SAVEPOINT {}", savepoint_name(session.savepoints.len())))
        })?;
        self.savepoints.push(id);
        Ok(SavepointId(id))
    }

    pub(super) fn depth(&self, savepoint: SavepointId) -> Result<usize, DbError> {
        self.savepoints
            .iter()
            .position(|open| *open == savepoint.0)
            .ok_or_else(|| DbError::new(ErrorCode::Handle, "the savepoint has ended, or one around it has"))
    }

    /// Keeps what was done since a savepoint.
    pub(super) fn release_savepoint(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        let depth = self.depth(savepoint)?;
        self.unrestricted(|session| session.host_execute(&format!("RELEASE {}", savepoint_name(depth))))?;
        self.savepoints.truncate(depth);
        Ok(())
    }

    /// Undoes what was done since a savepoint.
    pub(super) fn undo_to(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        let depth = self.depth(savepoint)?;
        self.unrestricted(|session| {
            session.host_execute(&format!("ROLLBACK TO {}", savepoint_name(depth)))?;
            session.host_execute(&format!("RELEASE {}", savepoint_name(depth)))
        })?;
        self.savepoints.truncate(depth);
        self.forget_schema();
        self.forget_bulk();
        Ok(())
    }
}

fn savepoint_name(depth: usize) -> String {
    quote_identifier(&format!("whimbrel_{depth}"))
}
