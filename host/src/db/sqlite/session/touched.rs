//! The part of a session that tells what a statement would touch, its triggers included. Runs nothing.

use std::collections::BTreeSet;

use super::SqliteSession;
use crate::db::DbError;
use crate::db::sqlite::guard;
use crate::grants::Touched;

impl SqliteSession {
    /// Has SQLite compile a statement and everything it sets off, and returns what SQLite asks about meanwhile.
    pub(super) fn look_ahead(&mut self, sql: &str) -> Result<Vec<Touched>, DbError> {
        let is_restricted = self.is_restricted();
        self.be_asked(true);
        self.watch.gate().wanted = Some(BTreeSet::new());
        // Not from the cache: what is prepared already asks for nothing.
        let prepared = guard::bounded(&self.watch, sql, false, || self.connection().prepare(sql).map(drop));
        let touched = self.watch.gate().wanted.take().unwrap_or_default();
        self.be_asked(is_restricted);
        prepared.map_err(|error| self.failed(error.into()))?;
        Ok(touched.into_iter().collect())
    }
}
