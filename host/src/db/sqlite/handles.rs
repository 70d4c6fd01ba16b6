//! The connection together with the statements and cursors open on it.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection};
use self_cell::self_cell;

/// A query between two fetches.
pub(super) struct OpenCursor<'connection> {
    pub(super) statement: CachedStatement<'connection>,
    pub(super) ended: bool,
}

impl Drop for OpenCursor<'_> {
    fn drop(&mut self) {
        // A statement must not go back to the cache between two rows; dropping `Rows` resets it.
        drop(self.statement.raw_query());
    }
}

/// A prepared statement with its text, which opens further copies of it.
pub(super) struct OpenStatement<'connection> {
    pub(super) sql: String,
    pub(super) statement: CachedStatement<'connection>,
}

/// Open statements and cursors by number.
#[derive(Default)]
pub(super) struct Open<'connection> {
    pub(super) statements: BTreeMap<u32, OpenStatement<'connection>>,
    pub(super) cursors: BTreeMap<u32, OpenCursor<'connection>>,
}

self_cell!(
    /// Owns the connection and what borrows from it, so that both can move together.
    pub(super) struct Handles {
        owner: Connection,
        #[not_covariant]
        dependent: Open,
    }
);
