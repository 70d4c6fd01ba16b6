//! The part of a session that runs scripts, window by window.

use rusqlite::Batch;
use rusqlite::fallible_iterator::FallibleIterator;

use super::SqliteSession;
use super::shared_cache::{Pause, is_shared};
use crate::db::sqlite::run::{self, RunError};
use crate::db::{DbError, ErrorCode, ScriptError};
use crate::sql;

/// Says that a statement of a script has a parameter, which SQLite would take for NULL.
fn unbound(window: &str) -> DbError {
    let begins = |token: &sql::Token<'_>| token.is_significant() && token.text.starts_with(['?', ':', '@', '$', '#']);
    let parameter = sql::tokens(window).find(begins);
    let name = parameter.as_ref().map_or("?", |token| token.text);
    let message = format!("a script has no value for its parameter {}", name.escape_debug());
    let offset = parameter.as_ref().and_then(|token| u32::try_from(token.start).ok());
    DbError { offset, ..DbError::new(ErrorCode::Parameter, message) }
}

fn is_busy(error: &RunError) -> bool {
    matches!(error, RunError::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy))
}

impl SqliteSession {
    /// Runs a script, statement by statement.
    pub(super) fn run_script(&mut self, script: &str) -> Result<(), ScriptError> {
        let mut pending: Option<usize> = None;
        let mut windows = sql::statements(script).peekable();
        while let Some(window) = windows.next() {
            let start = pending.take().unwrap_or(window.start);
            let at = |error: DbError| ScriptError { start, end: window.end, error };
            match self.execute_window_when_free(&script[start..window.end]) {
                Ok(()) => {}
                Err(RunError::Sqlite(rusqlite::Error::SqlInputError { ref msg, .. }))
                    if msg == "incomplete input" && windows.peek().is_some() =>
                {
                    pending = Some(start);
                }
                Err(RunError::Db(ref error)) if error.message == "incomplete input" && windows.peek().is_some() => {
                    pending = Some(start);
                }
                Err(error) => return Err(at(self.failed_in(&script[start..window.end], error))),
            }
        }
        Ok(())
    }

    /// Runs one window of a script, which is one statement unless SQLite's own parser says otherwise.
    pub(super) fn execute_window(&mut self, window: &str) -> Result<(), RunError> {
        if self.is_restricted() {
            return self.execute_text(window, &[], false).map(drop).map_err(RunError::Db);
        }
        self.check_stop()?;
        let mut finished = Vec::with_capacity(1);
        let result: Result<(), RunError> = self.with_watch(|watch, connection, _| {
            let mut batch = Batch::new(connection, window);
            loop {
                watch.gate().open();
                let Some(mut statement) = batch.next()? else { return Ok(()) };
                if statement.parameter_count() > 0 {
                    return Err(unbound(window).into());
                }
                let done = run::to_end(connection, &mut statement, &watch.meter)?;
                finished.push((done, std::mem::take(&mut watch.gate().seen)));
            }
        });
        for (done, seen) in finished {
            self.note_seen(window, seen);
            self.settle(window, Ok(done))?;
        }
        result
    }

    /// Runs one window of a script; again, as long as another connection is in the way and nothing is done.
    ///
    /// SQLite waits by itself, but not everywhere: outside a transaction `PRAGMA journal_mode` gives up at once, and in one
    /// everything that meets who shares the cache.
    pub(super) fn execute_window_when_free(&mut self, window: &str) -> Result<(), RunError> {
        let is_outside = !self.transaction_open && self.connection().is_autocommit();
        let statements = self.counters.statements;
        let mut pause = Pause::default();
        loop {
            let result = self.execute_window(window);
            let is_in_the_way = result.as_ref().is_err_and(|error| is_shared(error) || is_outside && is_busy(error));
            let nothing_done = self.counters.statements == statements
                && is_outside == (!self.transaction_open && self.connection().is_autocommit());
            if !(is_in_the_way && nothing_done && pause.goes_on(&self.watch)) {
                return result;
            }
        }
    }
}
