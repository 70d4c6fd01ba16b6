//! The part of a session that holds a guest to its limits. Without limits in force it lets everything pass.

use rusqlite::Connection;

use super::SqliteSession;
use crate::db::DbError;
use crate::db::sqlite::autoincrement;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::limits::{Budget, Told};
use crate::db::sqlite::run::RunError;
use crate::limits::{Limit, LimitReached, RunLimits};

impl SqliteSession {
    /// Works on the budget that is in force, if one is.
    fn budgeted<R>(&mut self, work: impl FnOnce(&mut Budget, &Connection) -> R) -> Option<R> {
        let connection = self.handles.as_ref().expect("the handles are there until drop").borrow_owner();
        self.budget.as_mut().map(|budget| work(budget, connection))
    }

    /// Puts a budget in force in place of the one before.
    pub(super) fn begin_budget(&mut self, limits: Option<&RunLimits>) -> Result<(), DbError> {
        self.end_budget()?;
        let Some(limits) = limits else { return Ok(()) };
        let operations = self.watch.meter.operations();
        let begun = self.unrestricted(|session| Budget::begin(session.connection(), *limits, operations));
        self.budget = Some(begun.map_err(|error| translate(&self.watch, error))?);
        self.watch.meter.allow(Some(limits.left(Limit::SqlOperations)));
        self.watch.share_memory(Some(limits.of(Limit::SqlMemory)));
        Ok(())
    }

    /// Restores what was in force before any budget. Returns what is left of it.
    pub(super) fn end_budget(&mut self) -> Result<Option<RunLimits>, DbError> {
        let Some(budget) = self.budget.take() else { return Ok(None) };
        let operations = self.watch.meter.operations();
        self.watch.meter.allow(None);
        self.watch.share_memory(None);
        let ended = self.unrestricted(|session| budget.end(session.connection(), operations));
        ended.map(Some).map_err(|error| translate(&self.watch, error))
    }

    /// Returns the first limit that was met.
    pub(super) fn reached(&mut self) -> Option<LimitReached> {
        // Whatever is over is noted now, also when nobody has asked since.
        let _ = self.check_used();
        self.budget.as_ref().and_then(Budget::reached)
    }

    /// Counts statements that are about to be prepared or run, unless the budget is used up.
    pub(super) fn admit(&mut self, statements: u64, length: usize) -> Result<(), DbError> {
        self.check_stop()?;
        self.check_used()?;
        self.budgeted(|budget, _| budget.admit(statements, length)).unwrap_or(Ok(()))
    }

    /// Checks that one more handle may be opened beside those there are.
    pub(super) fn admit_handle(&mut self, limit: Limit, open: usize) -> Result<(), DbError> {
        self.budgeted(|budget, _| budget.open(limit, open.saturating_add(1))).unwrap_or(Ok(()))
    }

    /// Checks operations and rows after a statement or a part of one.
    pub(super) fn check_used(&mut self) -> Result<(), DbError> {
        let operations = self.watch.meter.operations();
        self.budgeted(|budget, connection| budget.check(operations, connection)).unwrap_or(Ok(()))
    }

    /// Bounds the rows of one fetch, so that it goes at most one beyond the limit.
    pub(super) fn most_rows(&self, wanted: u32) -> usize {
        let left = self.budget.as_ref().map_or(u64::MAX, Budget::rows_left);
        usize::try_from(left.min(u64::from(wanted))).unwrap_or(usize::MAX)
    }

    /// Counts rows that were fetched and checks everything else they have used.
    pub(super) fn count_rows(&mut self, rows: usize) -> Result<(), DbError> {
        self.budgeted(|budget, _| budget.count_rows(rows)).unwrap_or(Ok(()))?;
        self.check_used()
    }

    /// As [`failed`](Self::failed), of a statement whose text is known.
    pub(super) fn failed_in(&mut self, sql: &str, error: RunError) -> DbError {
        let (RunError::Sqlite(native) | RunError::Row { error: native, .. }) = &error else {
            return self.failed(error);
        };
        if native.sqlite_error_code() != Some(rusqlite::ErrorCode::DiskFull) {
            return self.failed(error);
        }
        let row = if let RunError::Row { row, .. } = &error { Some(*row) } else { None };
        match self.unrestricted(|session| autoincrement::used_up(session.connection(), sql)) {
            Some(table) => DbError { row, ..autoincrement::error(&table) },
            None => self.failed(error),
        }
    }

    /// Says a failure in the host's words; a limit by its own name.
    pub(super) fn failed(&mut self, error: RunError) -> DbError {
        let error = match error {
            RunError::Sqlite(error) => translate(&self.watch, error),
            RunError::Row { row, error, .. } => DbError { row: Some(row), ..translate(&self.watch, error) },
            RunError::Db(error) => error,
            RunError::Limit(reached) => {
                return self.budgeted(|budget, _| budget.meet(reached)).unwrap_or_else(|| reached.into());
            }
        };
        if let Some(reached) = error.limit_reached() {
            // Of a function that the statement has called, whatever its caller makes of that.
            self.budgeted(|budget, _| budget.meet(reached));
            return error;
        }
        let told = Told { stopped: self.watch.meter.is_over(), refused_memory: self.watch.take_prepare_met() };
        let limit = self.budgeted(|budget, connection| budget.recognise(&error, told, connection)).flatten();
        match limit {
            Some(limit) => DbError { native: error.native, row: error.row, offset: error.offset, ..limit },
            None => error,
        }
    }
}
