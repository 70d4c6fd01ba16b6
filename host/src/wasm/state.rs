//! What a store holds during one call.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use send_wrapper::SendWrapper;

use super::error::FailedStatement;
use super::limits::Bounds;
use super::wasi::{Output, Wasi};
use crate::code_events::CodeEvents;
use crate::db::{DbError, ErrorCode, Session};
use crate::interrupt::Interrupt;
use crate::limits::{Limit, LimitReached};
use crate::log_level::LogLevel;

/// Bytes that take the host less time than a turn takes the guest.
const UNWATCHED: u64 = 1 << 20;
/// Bytes kept of a failed statement.
const STATEMENT_BYTES: usize = 500;

/// What a store holds during one call.
pub(super) struct State {
    /// The session, from the call's beginning to its end. A guest that has one is run by one thread.
    session: Option<SendWrapper<Box<dyn Session>>>,
    pub(super) bounds: Bounds,
    pub(super) wasi: Wasi,
    events: Arc<dyn CodeEvents>,
    /// The last statement that failed.
    pub(super) failed: Option<Box<FailedStatement>>,
    /// The texts of the statements that are prepared, cut at a sensible length, by their numbers.
    pub(super) prepared: HashMap<u32, String>,
    /// The last line logged as an error: a panic hook's message, say.
    pub(super) last_words: Option<String>,
    /// A savepoint's handle was dropped before the savepoint was ended.
    pub(super) savepoint_dropped: bool,
    /// Handles on cursors, statements and savepoints that the guest has not dropped.
    handles: u64,
    /// When the guest's time is over and what else stops it; nothing where its statements or an epoch look at that.
    watch: Option<(Instant, Interrupt)>,
    /// Bytes that the host has taken or given since it last looked.
    unwatched: u64,
    log_lines: u64,
    log_bytes: u64,
    log_cut: bool,
}

impl State {
    pub(super) fn new(
        bounds: Bounds,
        wasi: Wasi,
        session: Option<Box<dyn Session>>,
        events: Arc<dyn CodeEvents>,
    ) -> Self {
        Self {
            session: session.map(SendWrapper::new),
            bounds,
            wasi,
            events,
            failed: None,
            prepared: HashMap::new(),
            last_words: None,
            savepoint_dropped: false,
            handles: 0,
            watch: None,
            unwatched: 0,
            log_lines: 0,
            log_bytes: 0,
            log_cut: false,
        }
    }

    pub(super) fn session(&mut self) -> Result<&mut dyn Session, DbError> {
        match &mut self.session {
            Some(session) => Ok(session.as_mut()),
            None => Err(DbError::new(ErrorCode::Handle, "there is no open transaction")),
        }
    }

    /// Gives the session back, if there is one.
    pub(super) fn into_session(self) -> Option<Box<dyn Session>> {
        self.session.map(SendWrapper::take)
    }

    /// Keeps a failed statement for the operator, in case the guest gives up over it.
    pub(super) fn remember<R>(&mut self, sql: &str, result: Result<R, DbError>) -> Result<R, DbError> {
        if let Err(error) = &result {
            let sql = sql[..sql.floor_char_boundary(STATEMENT_BYTES)].to_owned();
            self.failed = Some(Box::new(FailedStatement { sql, error: error.clone() }));
        }
        result
    }

    /// Keeps the text of a statement that was prepared.
    pub(super) fn prepared(&mut self, statement: u32, sql: &str) {
        self.prepared.insert(statement, sql[..sql.floor_char_boundary(STATEMENT_BYTES)].to_owned());
    }

    /// As [`remember`](Self::remember), for a statement that was prepared.
    pub(super) fn remember_prepared<R>(&mut self, statement: u32, result: Result<R, DbError>) -> Result<R, DbError> {
        if result.is_ok() {
            return result;
        }
        let sql = self.prepared.get(&statement).cloned().unwrap_or_else(|| "(a prepared statement)".to_owned());
        self.remember(&sql, result)
    }

    /// Counts bytes that cross the boundary, in either direction.
    pub(super) fn cross(&mut self, bytes: u64) -> Result<(), LimitReached> {
        let all = self.bounds.used.cross(bytes);
        self.bounds.check(Limit::BytesPerCall, bytes)?;
        self.bounds.check(Limit::Bytes, all)
    }

    /// Says what stops the guest while it is in calls of the host that are no statements.
    pub(super) fn watch(&mut self, deadline: Instant, interrupt: &Interrupt) {
        self.watch = Some((deadline, interrupt.clone()));
    }

    /// Counts bytes that the host takes or gives at its own cost: the guest pays no fuel for them, so that its turn would
    /// not end. Now and then it looks whether the guest must stop.
    pub(super) fn work_on(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.unwatched = self.unwatched.saturating_add(bytes as u64);
        if self.unwatched < UNWATCHED {
            return Ok(());
        }
        self.unwatched = 0;
        match &self.watch {
            Some((deadline, interrupt)) if interrupt.is_raised() || Instant::now() >= *deadline => {
                Err(wasmtime::Trap::Interrupt.into())
            }
            _ => Ok(()),
        }
    }

    /// Counts a handle the guest is about to get.
    pub(super) fn hand_out(&mut self) -> Result<(), LimitReached> {
        self.bounds.check(Limit::OpenHandles, self.handles + 1)?;
        self.handles += 1;
        Ok(())
    }

    /// Counts a handle the guest has dropped.
    pub(super) fn take_back(&mut self) {
        self.handles = self.handles.saturating_sub(1);
    }

    /// Returns the first limit that was met, by the guest or by its statements.
    pub(super) fn reached(&mut self) -> Option<LimitReached> {
        let own = self.bounds.reached();
        own.or_else(|| self.session.as_mut().and_then(|session| session.limit_reached()))
    }

    /// Passes a line on. Too much of it is cut off and not a failure: the work itself may be right.
    pub(super) fn log(&mut self, level: LogLevel, message: &str) {
        if self.log_cut {
            return;
        }
        self.log_lines += 1;
        self.log_bytes = self.log_bytes.saturating_add(message.len() as u64);
        let limits = &self.bounds.limits;
        let within =
            limits.check(Limit::LogLines, self.log_lines).and_then(|()| limits.check(Limit::LogBytes, self.log_bytes));
        if let Err(reached) = within {
            self.log_cut = true;
            let words = format!("the migration logs too much: {reached}; the rest of its log is dropped");
            self.events.log(LogLevel::Warn, &words);
            return;
        }
        if level == LogLevel::Error {
            self.last_words = Some(message.to_owned());
        }
        self.events.log(level, message);
    }

    /// Logs the lines that printed bytes complete.
    pub(super) fn print(&mut self, output: Output, bytes: &[u8]) {
        let mut lines = Vec::new();
        self.wasi.lines.print(output, bytes, |line| lines.push(line));
        for line in lines {
            self.log_printed(output, &line);
        }
    }

    /// Logs what was printed and not ended with a line feed.
    pub(super) fn end_lines(&mut self) {
        for output in [Output::Standard, Output::Error] {
            let mut last = None;
            self.wasi.lines.end(output, |line| last = Some(line));
            if let Some(line) = last {
                self.log_printed(output, &line);
            }
        }
    }

    fn log_printed(&mut self, output: Output, line: &str) {
        match output {
            Output::Standard => self.log(LogLevel::Info, line),
            Output::Error => {
                self.wasi.complained(line);
                self.log(LogLevel::Warn, line);
            }
        }
    }

    pub(super) fn progress(&self, done: u64, total: Option<u64>) {
        self.events.progress(done, total);
    }
}
