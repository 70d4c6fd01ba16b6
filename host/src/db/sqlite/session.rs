//! One SQLite connection as a [`Session`].

mod ambient;
mod bring;
mod budget;
mod connection_state;
mod cursors;
mod definitions;
mod end;
mod fit;
mod inquiries;
mod interface;
mod keep;
mod note;
mod recording;
mod savepoints;
mod schema_change;
mod script;
mod shared_cache;
mod statements;
mod strings;
mod touched;
mod transaction;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use self::bring::Brought;
use self::end::Before;
use self::keep::Keep;
use self::recording::Written;
use super::error::translate;
use super::functions::{self, Functions};
use super::handles::{Handles, Open};
use super::lent::Slot;
use super::limits::Budget;
use super::moved::Named;
use super::run::{Done, RunError};
use super::run_lock::LockFile;
use super::watch::{Counted, Watch};
use crate::db::{Counters, DbError, ErrorCode, OpenOptions, Recording, Session};
use crate::limits::Limit;

/// Statements kept prepared.
const STATEMENT_CACHE: usize = 128;

/// One SQLite connection.
pub(super) struct SqliteSession {
    /// `None` only while the session is being dropped.
    handles: Option<Handles>,
    watch: Arc<Watch>,
    /// By which path the file was opened.
    named: Named,
    /// Where a lent connection goes back to when the session ends, by whatever way it ends.
    return_to: Option<Slot>,
    savepoints: Vec<u32>,
    /// A transaction was begun and neither committed nor rolled back by the host.
    transaction_open: bool,
    keep: Keep,
    /// Nobody has said whether foreign keys are enforced.
    keys_follow_layout: bool,
    /// Tells others who makes them wait.
    noted: Option<LockFile>,
    next_id: u32,
    counters: Counters,
    /// What a guest may use, while one runs.
    budget: Option<Budget>,
    recording: Option<Recording>,
    /// What had been counted before the host's own statements, while they are left out of the recording.
    left_out: Option<Counted>,
    /// Statements and operations before the host's own, while they are left out of the counts.
    uncounted: Option<(u64, u64)>,
    /// The table that the statement which was just run has made.
    made: Option<String>,
    /// What each recorded statement writes.
    writes: HashMap<String, Written>,
    /// Rows the update hook had counted before the statement that runs.
    rows_seen: u64,
    /// Covers SQLite's own functions as soon as a guest has come.
    functions: Option<Functions>,
    /// Functions that are registered for the time of a step.
    brought: Brought,
    /// What a lent connection was when something first was about to change it.
    before: Before,
}

impl SqliteSession {
    pub(super) fn new(
        mut connection: Connection,
        options: &OpenOptions,
        return_to: Option<Slot>,
    ) -> Result<Self, DbError> {
        let watch = match Watch::install(&mut connection, options) {
            Ok(watch) => watch,
            Err(error) => {
                if let Some(slot) = return_to {
                    slot.put(connection);
                }
                return Err(DbError::new(ErrorCode::Database, error.to_string()));
            }
        };
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok(Self {
            handles: Some(Handles::new(connection, |_| Open::default())),
            watch,
            named: Named::default(),
            return_to,
            savepoints: Vec::new(),
            transaction_open: false,
            keep: Keep::default(),
            keys_follow_layout: false,
            noted: None,
            next_id: 0,
            counters: Counters::default(),
            budget: None,
            recording: None,
            left_out: None,
            uncounted: None,
            made: None,
            writes: HashMap::new(),
            rows_seen: 0,
            functions: None,
            brought: Brought::default(),
            before: Before::default(),
        })
    }

    /// Keeps the path by which the file was opened, to notice when it leads elsewhere.
    pub(super) fn opened_by(&mut self, path: &Path) {
        self.named = Named::new(path, self.connection());
    }

    fn with<R>(&mut self, work: impl for<'c> FnOnce(&'c Connection, &mut Open<'c>) -> R) -> R {
        let handles = self.handles.as_mut().expect("the handles are there until drop");
        handles.with_dependent_mut(work)
    }

    fn with_watch<R>(&mut self, work: impl for<'c> FnOnce(&Watch, &'c Connection, &mut Open<'c>) -> R) -> R {
        let handles = self.handles.as_mut().expect("the handles are there until drop");
        handles.with_dependent_mut(|connection, open| work(&self.watch, connection, open))
    }

    fn connection(&self) -> &Connection {
        self.handles.as_ref().expect("the handles are there until drop").borrow_owner()
    }

    fn new_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// Translates what failed and counts what succeeded.
    fn settle(&mut self, sql: &str, done: Result<Done, RunError>) -> Result<u64, DbError> {
        match done {
            Ok(done) => {
                self.counters.statements += 1;
                self.record(sql, done.changed);
                self.check_used()?;
                Ok(done.changed)
            }
            Err(error) => {
                let mut error = self.failed_in(sql, error);
                self.unrestricted(|session| functions::explain(session.connection(), sql, &mut error));
                Err(error)
            }
        }
    }

    /// Keeps no statement prepared that nobody has open.
    fn forget_prepared(&mut self) {
        self.connection().flush_prepared_statement_cache();
        self.with(|_, open| open.forget_idle());
    }

    fn check_stop(&mut self) -> Result<(), DbError> {
        if self.transaction_open && !self.in_transaction() {
            // ON CONFLICT ROLLBACK and a full disk end it. Going on would commit each statement by itself.
            return Err(DbError::new(ErrorCode::Database, "the transaction was rolled back by an earlier statement"));
        }
        if self.watch.is_held() || !self.watch.must_stop() {
            return Ok(());
        }
        if self.watch.deadline_passed() {
            return Err(match &mut self.budget {
                Some(budget) => budget.meet(budget.limits.reached(Limit::Time)),
                None => DbError::new(ErrorCode::Limit, "the time limit was reached"),
            });
        }
        Err(DbError::new(ErrorCode::Interrupted, "interrupted"))
    }

    fn host_execute(&mut self, sql: &str) -> Result<(), DbError> {
        let run = |connection: &Connection| connection.prepare_cached(sql)?.raw_execute();
        let result = self.ask_when_free(run);
        result.map(drop).map_err(|error| translate(&self.watch, error))
    }

    /// Runs the host's own statement, which the restriction on guests does not concern.
    fn unrestricted<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let restriction = self.watch.gate().restriction.take();
        let result = work(self);
        self.watch.gate().restriction = restriction;
        result
    }
}

fn ended() -> RunError {
    DbError::new(ErrorCode::Handle, "the handle has ended").into()
}
