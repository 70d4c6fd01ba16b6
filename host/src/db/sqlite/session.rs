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
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use whimbrel_packed::{BatchBuilder, CheckedBatch};

use self::bring::Brought;
use self::end::Before;
use self::keep::Keep;
use self::recording::Written;
use super::copy;
use super::error::translate;
use super::functions::{self, Functions};
use super::handles::{Handles, Open, OpenCursor};
use super::lent::Slot;
use super::limits::Budget;
use super::moved::Named;
use super::run::{Done, RunError};
use super::run_lock::LockFile;
use super::watch::{Counted, Watch};
use crate::db::{
    Ambient, ColumnSlice, ConnectionState, Counters, CursorId, DbError, ErrorCode, Function, KeptMark, Keyless,
    OpenOptions, Orphans, Recording, Row, RunLock, SavepointId, ScriptError, Session, StatementId, Value,
};
use crate::grants::{Restriction, Touched};
use crate::limits::{Limit, LimitReached, RunLimits};

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

impl Session for SqliteSession {
    fn dialect(&self) -> &'static str {
        "sqlite"
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.trimmed(sql, |session, sql| session.execute_text(sql, params, true))
    }

    fn execute_script(&mut self, script: &str) -> Result<(), ScriptError> {
        self.run_script(script)
    }

    fn prepare(&mut self, sql: &str) -> Result<StatementId, DbError> {
        self.trimmed(sql, Self::prepare_statement)
    }

    fn execute_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<u64, DbError> {
        self.run_prepared(statement, params)
    }

    fn execute_batch(&mut self, statement: StatementId, batch: &CheckedBatch) -> Result<u64, DbError> {
        self.run_batch(statement, batch)
    }

    fn write_rows(
        &mut self,
        statement: StatementId,
        columns: &[ColumnSlice<'_>],
        rows: &[u32],
        changed: &mut u64,
    ) -> Result<(), DbError> {
        self.run_rows(statement, columns, rows, changed)
    }

    fn touched_by(&mut self, sql: &str) -> Result<Vec<Touched>, DbError> {
        self.look_ahead(sql)
    }

    fn close_statement(&mut self, statement: StatementId) {
        self.with(|_, open| open.statements.remove(&statement.0).map(drop));
    }

    fn open_cursor(&mut self, sql: &str, params: &[Value]) -> Result<CursorId, DbError> {
        self.trimmed(sql, |session, sql| session.start_reading(sql, params))
    }

    fn open_cursor_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<CursorId, DbError> {
        self.start_reading_prepared(statement, params)
    }

    fn columns(&mut self, cursor: CursorId) -> Result<Vec<String>, DbError> {
        self.names_of(cursor)
    }

    fn fetch(
        &mut self,
        cursor: CursorId,
        max_rows: u32,
        max_bytes: usize,
        rows: &mut BatchBuilder,
    ) -> Result<bool, DbError> {
        self.read_on(cursor, max_rows, max_bytes, rows)
    }

    fn close_cursor(&mut self, cursor: CursorId) {
        self.with(|_, open| {
            if let Some(OpenCursor::Reading(reading)) = open.cursors.remove(&cursor.0) {
                open.end(reading);
            }
        });
    }

    fn see_rows(
        &mut self,
        sql: &str,
        params: &[Value],
        see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.trimmed(sql, |session, sql| session.see_all(sql, params, see))
    }

    fn begin(&mut self) -> Result<(), DbError> {
        self.begin_writing()
    }

    fn begin_reading(&mut self) -> Result<(), DbError> {
        self.begin_to_read()
    }

    fn commit(&mut self) -> Result<(), DbError> {
        self.commit_all()
    }

    fn rollback(&mut self) -> Result<(), DbError> {
        self.roll_back()
    }

    fn keep_transaction(&mut self, kept: bool) -> Option<String> {
        self.refuse_ends(kept)
    }

    fn in_transaction(&self) -> bool {
        !self.connection().is_autocommit() && !self.watch.has_lost_transaction()
    }

    fn is_empty_file(&mut self) -> Result<bool, DbError> {
        self.holds_nothing()
    }

    fn keep_to_itself(&mut self, mark: Option<&KeptMark>) -> Result<(), DbError> {
        self.set_keep(mark)
    }

    fn give_back(&mut self) -> Result<(), DbError> {
        self.leave_log()
    }

    fn lock_run(&mut self, note: Option<&str>) -> Result<RunLock, DbError> {
        self.lock_file(note)
    }

    fn note(&mut self, note: &str) {
        self.write_note(note);
    }

    fn savepoint(&mut self) -> Result<SavepointId, DbError> {
        self.admit(1, 0)?;
        self.admit_handle(Limit::OpenSavepoints, self.savepoints.len())?;
        self.open_savepoint()
    }

    fn release(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        self.release_savepoint(savepoint)
    }

    fn open_savepoints(&self) -> usize {
        self.savepoints.len()
    }

    fn rollback_to(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        self.undo_to(savepoint)
    }

    fn restrict(&mut self, restriction: Option<Arc<Restriction>>) {
        // A statement prepared under other rules must not be used under these.
        self.forget_prepared();
        self.put_in_force(restriction);
    }

    fn check_definitions(&mut self, restriction: Arc<Restriction>) -> Result<(), DbError> {
        self.check_reach(restriction)
    }

    fn set_ambient(&mut self, ambient: Option<Ambient>) -> Result<(), DbError> {
        self.see_ambient(ambient)
    }

    fn set_functions(&mut self, functions: &[Function]) -> Result<(), DbError> {
        self.replace_functions(functions)
    }

    fn copy(&mut self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        let copied = copy::copy(self.connection()).map_err(|error| translate(&self.watch, error))?;
        let enforced = self.connection().db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY);
        let mut copy = Self::new(copied, options, None)?;
        copy.set_foreign_keys(enforced.map_err(|error| translate(&self.watch, error))?)?;
        copy.let_layouts_decide(self.keys_follow_layout);
        Ok(Box::new(copy))
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.watch.set_deadline(deadline);
    }

    fn set_limits(&mut self, limits: Option<&RunLimits>) -> Result<(), DbError> {
        self.begin_budget(limits)
    }

    fn take_limits(&mut self) -> Result<Option<RunLimits>, DbError> {
        self.end_budget()
    }

    fn limit_reached(&mut self) -> Option<LimitReached> {
        self.reached()
    }

    fn hold_interrupt(&mut self, held: bool) {
        self.watch.hold(held);
    }

    fn hold_interrupt_until(&mut self, until: Instant) {
        self.watch.hold_until(until);
    }

    fn close_handles(&mut self) {
        self.savepoints.clear();
        self.with(|_, open| {
            open.cursors.clear();
            open.reading = 0;
            open.statements.clear();
        });
    }

    fn set_foreign_keys(&mut self, enforced: bool) -> Result<bool, DbError> {
        self.enforce_foreign_keys(enforced)
    }

    fn keys_follow_layout(&self) -> bool {
        self.keys_follow_layout
    }

    fn orphans(&mut self) -> Result<Vec<Orphans>, DbError> {
        self.without_parents()
    }

    fn keyless(&mut self) -> Result<Vec<Keyless>, DbError> {
        Ok(self.foreign_keys()?.keyless())
    }

    fn connection_state(&mut self) -> Result<ConnectionState, DbError> {
        self.look_at_connection()
    }

    fn put_back(&mut self, state: &ConnectionState) -> Result<(), DbError> {
        self.put_connection_back(state)
    }

    fn check_fit(&mut self) -> Result<(), DbError> {
        self.check_lent()
    }

    fn data_version(&mut self) -> Result<i64, DbError> {
        self.version_of_data()
    }

    fn table_exists(&mut self, table: &str) -> Result<bool, DbError> {
        self.has_table(table)
    }

    fn counters(&self) -> Counters {
        Counters {
            rows_changed: self.connection().total_changes(),
            operations: self.watch.meter.operations(),
            ..self.counters
        }
    }

    fn start_recording(&mut self) {
        self.begin_recording();
    }

    fn hold_counting(&mut self, held: bool) {
        self.leave_uncounted(held);
    }

    fn hold_recording(&mut self, held: bool) {
        self.leave_out(held);
    }

    fn take_recording(&mut self) -> Recording {
        self.end_recording()
    }

    fn sqlite(&mut self) -> Option<&Connection> {
        Some(self.connection())
    }
}

fn ended() -> RunError {
    DbError::new(ErrorCode::Handle, "the handle has ended").into()
}
