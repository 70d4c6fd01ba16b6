//! The connection together with the statements and cursors open on it.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection};
use self_cell::self_cell;

use super::authorizer::Ticket;
use super::bulk::Bulk;
use super::raw_statement::RawStatement;

/// A query between two fetches.
pub(super) enum OpenCursor<'connection> {
    /// There may be more rows.
    Reading(Reading<'connection>),
    /// All rows were read; a guest that keeps the handle keeps no statement busy.
    Ended {
        /// Names of the columns.
        columns: Vec<String>,
    },
}

impl OpenCursor<'_> {
    /// Returns the names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        match self {
            Self::Reading(reading) => reading.statement.column_names().map(str::to_owned).collect(),
            Self::Ended { columns } => columns.clone(),
        }
    }
}

/// A statement between two rows.
pub(super) struct Reading<'connection> {
    pub(super) sql: String,
    pub(super) statement: CachedStatement<'connection>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // A statement must not go back to the cache between two rows; dropping `Rows` resets it.
        drop(self.statement.raw_query());
    }
}

/// A prepared statement with its text, which opens further copies of it.
pub(super) struct OpenStatement<'connection> {
    pub(super) sql: String,
    pub(super) statement: CachedStatement<'connection>,
    pub(super) changes_schema: bool,
    /// Lets it run again.
    pub(super) ticket: Option<Ticket>,
    /// It has run already.
    pub(super) has_run: bool,
    /// The same statement for many rows, from the first batch or from the second run on.
    pub(super) for_rows: Option<RawStatement<'connection>>,
    /// The same for all of them at once.
    pub(super) bulk: Bulk<'connection>,
}

/// Open statements and cursors by number.
#[derive(Default)]
pub(super) struct Open<'connection> {
    pub(super) statements: BTreeMap<u32, OpenStatement<'connection>>,
    pub(super) cursors: BTreeMap<u32, OpenCursor<'connection>>,
    /// Cursors in the middle of their rows.
    pub(super) reading: usize,
    /// The connection has what statements for many rows call.
    pub(super) has_bulk: bool,
}

impl Open<'_> {
    /// Forgets which statements may run for many rows at once: a schema that is undone gives its version back, to be that
    /// of another schema.
    pub(super) fn forget_bulk(&mut self) {
        self.statements.values_mut().for_each(|statement| statement.bulk = Bulk::Unknown);
    }
}

self_cell!(
    /// Owns the connection and what borrows from it, so that both can move together.
    pub(super) struct Handles {
        owner: Connection,
        #[not_covariant]
        dependent: Open,
    }
);
