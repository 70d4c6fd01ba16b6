//! What statements may use while a guest runs: SQLite's own limits lowered, the rest counted, each told by its name.

use rusqlite::Connection;
use rusqlite::limits::Limit as Native;

use super::disk;
use super::heap::HeapBound;
use crate::db::{DbError, ErrorCode};
use crate::limits::{Limit, LimitReached, RunLimits};

/// SQLite's own limits, with ours that lower them. <https://sqlite.org/limits.html>
const OURS: [(Native, Limit); 8] = [
    (Native::SQLITE_LIMIT_SQL_LENGTH, Limit::StatementLength),
    (Native::SQLITE_LIMIT_LENGTH, Limit::ValueLength),
    (Native::SQLITE_LIMIT_EXPR_DEPTH, Limit::ExpressionDepth),
    (Native::SQLITE_LIMIT_COMPOUND_SELECT, Limit::CompoundSelect),
    (Native::SQLITE_LIMIT_VDBE_OP, Limit::ProgramLength),
    (Native::SQLITE_LIMIT_VARIABLE_NUMBER, Limit::Parameters),
    (Native::SQLITE_LIMIT_TRIGGER_DEPTH, Limit::TriggerDepth),
    (Native::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, Limit::LikePattern),
];
/// What no guest has: other databases, and threads whose order of work is not settled.
const NONE: [Native; 2] = [Native::SQLITE_LIMIT_ATTACHED, Native::SQLITE_LIMIT_WORKER_THREADS];

/// What SQLite says when one of its limits is met.
const SAID: [(&str, Limit); 9] = [
    ("statement too long", Limit::StatementLength),
    ("string or blob too big", Limit::ValueLength),
    ("Expression tree is too large", Limit::ExpressionDepth),
    ("too many terms in compound SELECT", Limit::CompoundSelect),
    ("too many SQL variables", Limit::Parameters),
    ("variable number must be between", Limit::Parameters),
    ("too many levels of trigger recursion", Limit::TriggerDepth),
    ("triggers nested too deep", Limit::TriggerDepth),
    ("LIKE or GLOB pattern too complex", Limit::LikePattern),
];

/// The limits in force on one connection, and what was used of them.
pub(super) struct Budget {
    pub(super) limits: RunLimits,
    statements: u64,
    rows_read: u64,
    operations_before: u64,
    changes_before: u64,
    /// Pages that the database had.
    pages_before: i64,
    reached: Option<LimitReached>,
    before: Before,
    heap: HeapBound,
}

/// What callbacks know of a statement that failed.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// Its operations ran out.
    pub(super) stopped: bool,
    /// It was refused memory while it was prepared.
    pub(super) refused_memory: bool,
}

/// What was in force before, to be restored.
struct Before {
    native: Vec<(Native, i32)>,
    /// `max_page_count`.
    pages: Option<i64>,
}

impl Budget {
    /// Puts the limits in force on a connection that has done so many operations.
    pub(super) fn begin(connection: &Connection, limits: RunLimits, operations: u64) -> rusqlite::Result<Self> {
        let mut before = Before { native: Vec::new(), pages: None };
        let pages_before = read(connection, "PRAGMA main.page_count")?;
        let lowered = before.lower(connection, &limits);
        if let Err(error) = lowered {
            let _ = before.restore(connection);
            return Err(error);
        }
        Ok(Self {
            limits,
            statements: 0,
            rows_read: 0,
            operations_before: operations,
            changes_before: connection.total_changes(),
            pages_before,
            reached: None,
            before,
            // The last one, since everything else takes memory.
            heap: HeapBound::begin(limits.of(Limit::SqlMemory)),
        })
    }

    /// Restores what was in force before. Returns the limits with what was used of them taken off.
    pub(super) fn end(self, connection: &Connection, operations: u64) -> rusqlite::Result<RunLimits> {
        let Self { before, heap, limits, .. } = self;
        drop(heap);
        before.restore(connection)?;
        let written = connection.total_changes().saturating_sub(self.changes_before);
        let grown = read(connection, "PRAGMA main.page_count")?.saturating_sub(self.pages_before);
        let grown = grown.max(0).saturating_mul(read(connection, "PRAGMA main.page_size")?);
        Ok(limits
            .after(Limit::Statements, self.statements)
            .after(Limit::RowsRead, self.rows_read)
            .after(Limit::RowsWritten, written)
            .after(Limit::SqlOperations, operations.saturating_sub(self.operations_before))
            .after(Limit::DatabaseGrowth, grown.unsigned_abs()))
    }

    /// Returns the first limit that was met.
    pub(super) fn reached(&self) -> Option<LimitReached> {
        self.reached
    }

    /// Keeps the first limit met, whatever the guest makes of it.
    pub(super) fn meet(&mut self, reached: LimitReached) -> DbError {
        self.reached.get_or_insert(reached);
        reached.into()
    }

    fn note(&mut self, result: Result<(), LimitReached>) -> Result<(), DbError> {
        result.map_err(|reached| self.meet(reached))
    }

    /// Counts statements that are about to be prepared or run.
    pub(super) fn admit(&mut self, statements: u64, length: usize) -> Result<(), DbError> {
        self.statements = self.statements.saturating_add(statements);
        let counted = self.limits.check(Limit::Statements, self.statements);
        self.note(counted.and_then(|()| self.limits.check(Limit::StatementLength, length as u64)))
    }

    /// Checks a number of open handles, the one wanted included.
    pub(super) fn open(&mut self, limit: Limit, handles: usize) -> Result<(), DbError> {
        self.note(self.limits.check(limit, handles as u64))
    }

    /// Returns how many rows may be fetched at most: one beyond the limit, which then tells that it is met.
    pub(super) fn rows_left(&self) -> u64 {
        self.limits.left(Limit::RowsRead).saturating_sub(self.rows_read).saturating_add(1)
    }

    /// Counts rows that were fetched.
    pub(super) fn count_rows(&mut self, rows: usize) -> Result<(), DbError> {
        self.rows_read = self.rows_read.saturating_add(rows as u64);
        self.note(self.limits.check(Limit::RowsRead, self.rows_read))
    }

    /// Checks what has been used until now, after a statement or a part of it.
    pub(super) fn check(&mut self, operations: u64, connection: &Connection) -> Result<(), DbError> {
        let written = connection.total_changes().saturating_sub(self.changes_before);
        let used = operations.saturating_sub(self.operations_before);
        let checked = self.limits.check(Limit::SqlOperations, used);
        self.note(checked.and_then(|()| self.limits.check(Limit::RowsWritten, written)))
    }

    /// Tells which limit an error of SQLite stands for, if it does.
    pub(super) fn recognise(&mut self, error: &DbError, told: Told, connection: &Connection) -> Option<DbError> {
        let limit = match error.native.as_str() {
            "SQLITE_INTERRUPT" if told.stopped => Some(Limit::SqlOperations),
            "SQLITE_INTERRUPT" if error.code == ErrorCode::Limit => Some(Limit::Time),
            "SQLITE_FULL" if disk::could_hold(connection, self.limits.left(Limit::DatabaseGrowth)) => {
                Some(Limit::DatabaseGrowth)
            }
            "SQLITE_NOMEM" | "SQLITE_IOERR_NOMEM" if told.refused_memory || self.heap.can_be_met() => {
                Some(Limit::SqlMemory)
            }
            // That is how SQLite refuses a program that grows too long.
            "SQLITE_NOMEM" => Some(Limit::ProgramLength),
            "SQLITE_TOOBIG" | "SQLITE_ERROR" => {
                SAID.iter().find(|(said, _)| error.message.starts_with(said)).map(|(_, limit)| *limit)
            }
            _ => None,
        };
        limit.map(|limit| self.meet(self.limits.reached(limit)))
    }
}

impl Before {
    fn lower(&mut self, connection: &Connection, limits: &RunLimits) -> rusqlite::Result<()> {
        let ours = OURS.iter().map(|(native, limit)| (*native, i32::try_from(limits.of(*limit)).unwrap_or(i32::MAX)));
        for (native, most) in ours.chain(NONE.map(|native| (native, 0))) {
            let before = connection.limit(native)?;
            self.native.push((native, before));
            connection.set_limit(native, before.min(most))?;
        }
        let before = read(connection, "PRAGMA main.max_page_count")?;
        let (pages, size) = (read(connection, "PRAGMA main.page_count")?, read(connection, "PRAGMA main.page_size")?);
        let growth = i64::try_from(limits.left(Limit::DatabaseGrowth)).unwrap_or(i64::MAX);
        self.pages = Some(before);
        set_pages(connection, before.min(pages.saturating_add(growth / size.max(1))))
    }

    fn restore(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (native, before) in &self.native {
            connection.set_limit(*native, *before)?;
        }
        self.pages.map_or(Ok(()), |pages| set_pages(connection, pages))
    }
}

fn read(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, [], |row| row.get(0))
}

/// A guest can make nothing in the temporary database, so only the main one can grow.
fn set_pages(connection: &Connection, pages: i64) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA main.max_page_count = {pages}"), [], |_| Ok(()))
}
