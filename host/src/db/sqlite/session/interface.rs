//! What a session offers: each call goes on to the part that does it.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use whimbrel_packed::{BatchBuilder, CheckedBatch};

use super::SqliteSession;
use crate::db::sqlite::copy;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::handles::OpenCursor;
use crate::db::{
    Ambient, ColumnSlice, ConnectionState, Counters, CursorId, DbError, Function, KeptMark, Keyless, OpenOptions,
    Orphans, Recording, Row, RunLock, SavepointId, ScriptError, Session, StatementId, Value,
};
use crate::grants::{Restriction, Touched};
use crate::limits::{Limit, LimitReached, RunLimits};

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
