//! The part of a session that shows statements another clock and other chance than the machine's.

use super::SqliteSession;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::functions::Functions;
use crate::db::{Ambient, DbError};

impl SqliteSession {
    /// Covers SQLite's own functions as soon as a guest has come, and says what they answer.
    pub(super) fn see_ambient(&mut self, ambient: Option<Ambient>) -> Result<(), DbError> {
        if self.functions.is_none() && ambient.is_some() {
            let covered = Functions::cover(self.connection(), &self.watch);
            self.functions = Some(covered.map_err(|error| translate(&self.watch, error))?);
        }
        if let Some(functions) = &self.functions {
            functions.set(ambient);
        }
        Ok(())
    }
}
