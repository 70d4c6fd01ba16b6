//! What a store holds during one call.

use std::sync::Arc;

use super::error::FailedStatement;
use super::limits::Bounds;
use crate::db::{DbError, ErrorCode, Session};
use crate::log_level::LogLevel;

/// Hears what a guest says while it runs.
pub trait GuestEvents {
    /// One line of log.
    fn log(&self, level: LogLevel, message: &str);
    /// How far the work is.
    fn progress(&self, done: u64, total: Option<u64>);
}

/// Lines a guest may log, and bytes, before the rest is dropped.
const LOG_LINES: u32 = 10_000;
const LOG_BYTES: usize = 1 << 20;
/// Bytes kept of a failed statement.
const STATEMENT_BYTES: usize = 500;

/// What a store holds during one call.
pub(super) struct State {
    /// The session, from the call's beginning to its end.
    pub(super) session: Option<Box<dyn Session>>,
    pub(super) bounds: Bounds,
    events: Arc<dyn GuestEvents>,
    /// The last statement that failed.
    pub(super) failed: Option<Box<FailedStatement>>,
    /// The last line logged as an error: a panic hook's message, say.
    pub(super) last_words: Option<String>,
    /// A savepoint's handle was dropped before the savepoint was ended.
    pub(super) savepoint_dropped: bool,
    log_lines: u32,
    log_bytes: usize,
}

impl State {
    pub(super) fn new(bounds: Bounds, session: Option<Box<dyn Session>>, events: Arc<dyn GuestEvents>) -> Self {
        Self {
            session,
            bounds,
            events,
            failed: None,
            last_words: None,
            savepoint_dropped: false,
            log_lines: 0,
            log_bytes: 0,
        }
    }

    pub(super) fn session(&mut self) -> Result<&mut dyn Session, DbError> {
        match &mut self.session {
            Some(session) => Ok(session.as_mut()),
            None => Err(DbError::new(ErrorCode::Handle, "there is no open transaction")),
        }
    }

    /// Keeps a failed statement for the operator, in case the guest gives up over it.
    pub(super) fn remember<R>(&mut self, sql: &str, result: Result<R, DbError>) -> Result<R, DbError> {
        if let Err(error) = &result {
            let sql = sql[..sql.floor_char_boundary(STATEMENT_BYTES)].to_owned();
            self.failed = Some(Box::new(FailedStatement { sql, error: error.clone() }));
        }
        result
    }

    pub(super) fn log(&mut self, level: LogLevel, message: &str) {
        if self.log_lines > LOG_LINES || self.log_bytes > LOG_BYTES {
            return;
        }
        self.log_lines += 1;
        self.log_bytes = self.log_bytes.saturating_add(message.len());
        if self.log_lines > LOG_LINES || self.log_bytes > LOG_BYTES {
            self.events.log(LogLevel::Warn, "the migration logs too much; the rest of its log is dropped");
            return;
        }
        if level == LogLevel::Error {
            self.last_words = Some(message.to_owned());
        }
        self.events.log(level, message);
    }

    pub(super) fn progress(&self, done: u64, total: Option<u64>) {
        self.events.progress(done, total);
    }
}
