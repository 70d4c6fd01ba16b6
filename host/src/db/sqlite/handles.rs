//! The connection together with the statements and cursors open on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{CachedStatement, Connection};
use self_cell::self_cell;

use super::authorizer::Ticket;
use super::bulk::Bulk;
use super::raw_statement::RawStatement;
use super::unread::{Kept, Tree};

/// A query between two fetches.
pub(super) enum OpenCursor<'connection> {
    /// There may be more rows.
    Reading(Reading<'connection>),
    /// The rest was read when something was written where it goes on reading.
    Kept(Kept),
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
            Self::Reading(Reading { statement, .. }) => {
                (0..statement.columns()).map(|column| statement.name(column)).collect()
            }
            Self::Kept(Kept { columns, .. }) | Self::Ended { columns } => columns.clone(),
        }
    }
}

/// A statement between two rows.
pub(super) struct Reading<'connection> {
    pub(super) sql: String,
    pub(super) statement: RawStatement<'connection>,
    /// The columns it had when it was opened.
    pub(super) columns: usize,
    /// How often statements had been forgotten when it was prepared.
    forgotten: u32,
    /// The trees that it goes on walking, once that was asked.
    pub(super) walked: Option<BTreeSet<Tree>>,
}

/// Queries kept prepared.
const IDLE: usize = 32;
/// Statements of which it is remembered what they fill.
const FILLED: usize = 256;

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
    /// Queries that are not being read, those that were last.
    idle: Vec<Reading<'connection>>,
    /// How often these were forgotten.
    forgotten: u32,
    /// How many queries were begun.
    begun: u64,
    /// The trees that statements fill, of those that were run while a query was being read.
    filled: HashMap<String, BTreeSet<Tree>>,
    /// The last of them that fills nothing where a query reads, and how many of these were begun then.
    harmless: Option<(String, u64)>,
    /// The connection has what statements for many rows call.
    pub(super) has_bulk: bool,
}

impl<'connection> Open<'connection> {
    /// Starts with nothing open.
    pub(super) fn with_bulk(has_bulk: bool) -> Self {
        Self { has_bulk, ..Self::default() }
    }

    /// Takes a query that was read before.
    pub(super) fn take_idle(&mut self, sql: &str) -> Option<Reading<'connection>> {
        let place = self.idle.iter().rposition(|idle| idle.sql == sql)?;
        Some(self.idle.remove(place))
    }

    /// Begins with a query that was just prepared.
    pub(super) fn reading(&self, sql: &str, statement: RawStatement<'connection>) -> Reading<'connection> {
        let columns = statement.columns();
        Reading { sql: sql.to_owned(), statement, columns, forgotten: self.forgotten, walked: None }
    }

    /// Ends a query, and keeps it prepared.
    pub(super) fn end(&mut self, mut reading: Reading<'connection>) {
        self.reading -= 1;
        // One that was prepared before the others were forgotten is to be forgotten, too.
        if reading.forgotten != self.forgotten || names_all_columns(&reading.sql) {
            return;
        }
        reading.statement.let_go();
        if self.idle.len() == IDLE {
            self.idle.remove(0);
        }
        self.idle.push(reading);
    }

    /// Keeps no query prepared that is not being read.
    pub(super) fn forget_idle(&mut self) {
        self.idle.clear();
        self.filled.clear();
        self.harmless = None;
        self.forgotten += 1;
    }

    /// Counts a query that is read from now on.
    pub(super) fn begin(&mut self, number: u32, reading: Reading<'connection>) {
        self.cursors.insert(number, OpenCursor::Reading(reading));
        self.reading += 1;
        self.begun += 1;
    }

    /// Tells whether it is known that a statement fills nothing where a query reads.
    pub(super) fn is_harmless(&self, sql: &str) -> bool {
        self.reading == 0 || self.harmless.as_ref().is_some_and(|(of, begun)| *begun == self.begun && of == sql)
    }

    /// Remembers that a statement fills nothing where a query reads.
    pub(super) fn found_harmless(&mut self, sql: &str) {
        self.harmless = Some((sql.to_owned(), self.begun));
    }

    /// Returns the trees that a statement fills, which are asked for once.
    pub(super) fn filled_by(&mut self, sql: &str, ask: impl FnOnce() -> BTreeSet<Tree>) -> &BTreeSet<Tree> {
        if !self.filled.contains_key(sql) {
            if self.filled.len() == FILLED {
                self.filled.clear();
            }
            self.filled.insert(sql.to_owned(), ask());
        }
        &self.filled[sql]
    }

    /// Forgets which statements may run for many rows at once: a schema that is undone gives its version back, to be
    /// that of another schema.
    pub(super) fn forget_bulk(&mut self) {
        self.statements.values_mut().for_each(|statement| statement.bulk = Bulk::Unknown);
    }
}

/// Tells whether a statement may have a `*` that stands for columns, of which there may be others when it runs again.
fn names_all_columns(sql: &str) -> bool {
    sql.match_indices('*').any(|(at, _)| !sql[..at].trim_end().ends_with('('))
}

self_cell!(
    /// Owns the connection and what borrows from it, so that both can move together.
    pub(super) struct Handles {
        owner: Connection,
        #[not_covariant]
        dependent: Open,
    }
);
