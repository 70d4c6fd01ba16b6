//! A database whose every call is an event. Changes nothing in what the calls do.

use std::sync::Arc;
use std::time::Instant;

use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{
    Access, Ambient, Backend, BatchBuilder, CheckedBatch, Counters, CursorId, DbError, KeptMark, Keyless, OpenOptions,
    Orphans, Recording, RunLock, SavepointId, ScriptError, Session, StatementId, Value,
};
use whimbrel::grants::{Restriction, Touched};
use whimbrel::limits::{LimitReached, RunLimits};
use whimbrel::sql;

use super::events::Events;

/// SQLite, watched.
pub(crate) struct Watched {
    pub(crate) inner: Sqlite,
    pub(crate) events: Events,
}

impl Watched {
    fn watch(&self, session: Box<dyn Session>) -> Box<dyn Session> {
        Box::new(WatchedSession { inner: session, events: self.events.clone() })
    }
}

impl Backend for Watched {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        self.events.around("open", || self.inner.open(options)).map(|session| self.watch(session))
    }

    fn open_existing(&self, access: Access, options: &OpenOptions) -> Result<Option<Box<dyn Session>>, DbError> {
        let opened = self.events.around("open existing", || self.inner.open_existing(access, options));
        opened.map(|session| session.map(|session| self.watch(session)))
    }

    fn open_scratch(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        self.inner.open_scratch(options)
    }
}

struct WatchedSession {
    inner: Box<dyn Session>,
    events: Events,
}

/// Passes a call on as one event.
macro_rules! event {
    ($self:ident, $name:expr, $call:ident($($argument:expr),*)) => {
        $self.events.around($name, || $self.inner.$call($($argument),*))
    };
}

impl Session for WatchedSession {
    fn dialect(&self) -> &'static str {
        self.inner.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let name = format!("execute {}", sql.split(' ').take(3).collect::<Vec<_>>().join(" "));
        event!(self, &name, execute(sql, params))
    }

    fn execute_script(&mut self, script: &str) -> Result<(), ScriptError> {
        for window in sql::statements(script) {
            let (statement, start) = (&script[window.clone()], window.start);
            event!(self, "statement of a script", execute_script(statement)).map_err(|failed| ScriptError {
                start: failed.start + start,
                end: failed.end + start,
                error: failed.error,
            })?;
        }
        Ok(())
    }

    fn prepare(&mut self, sql: &str) -> Result<StatementId, DbError> {
        event!(self, "prepare", prepare(sql))
    }

    fn execute_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<u64, DbError> {
        event!(self, "execute prepared", execute_prepared(statement, params))
    }

    fn execute_batch(&mut self, statement: StatementId, batch: &CheckedBatch) -> Result<u64, DbError> {
        event!(self, "execute batch", execute_batch(statement, batch))
    }

    fn touched_by(&mut self, sql: &str) -> Result<Vec<Touched>, DbError> {
        self.inner.touched_by(sql)
    }

    fn close_statement(&mut self, statement: StatementId) {
        event!(self, "close statement", close_statement(statement));
    }

    fn open_cursor(&mut self, sql: &str, params: &[Value]) -> Result<CursorId, DbError> {
        event!(self, "open cursor", open_cursor(sql, params))
    }

    fn open_cursor_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<CursorId, DbError> {
        event!(self, "open cursor", open_cursor_prepared(statement, params))
    }

    fn columns(&mut self, cursor: CursorId) -> Result<Vec<String>, DbError> {
        self.inner.columns(cursor)
    }

    fn fetch(
        &mut self,
        cursor: CursorId,
        max_rows: u32,
        max_bytes: usize,
        rows: &mut BatchBuilder,
    ) -> Result<bool, DbError> {
        event!(self, "fetch", fetch(cursor, max_rows, max_bytes, rows))
    }

    fn close_cursor(&mut self, cursor: CursorId) {
        event!(self, "close cursor", close_cursor(cursor));
    }

    fn begin(&mut self) -> Result<(), DbError> {
        event!(self, "begin", begin())
    }

    fn begin_reading(&mut self) -> Result<(), DbError> {
        event!(self, "begin reading", begin_reading())
    }

    fn commit(&mut self) -> Result<(), DbError> {
        event!(self, "commit", commit())
    }

    fn rollback(&mut self) -> Result<(), DbError> {
        event!(self, "rollback", rollback())
    }

    fn keep_transaction(&mut self, kept: bool) -> Option<String> {
        self.inner.keep_transaction(kept)
    }

    fn in_transaction(&self) -> bool {
        self.inner.in_transaction()
    }

    fn is_empty_file(&mut self) -> Result<bool, DbError> {
        self.inner.is_empty_file()
    }

    fn keep_to_itself(&mut self, mark: Option<&KeptMark>) -> Result<(), DbError> {
        event!(self, "keep", keep_to_itself(mark))
    }

    fn give_back(&mut self) -> Result<(), DbError> {
        event!(self, "give back", give_back())
    }

    fn lock_run(&mut self, note: Option<&str>) -> Result<RunLock, DbError> {
        event!(self, "lock run", lock_run(note))
    }

    fn note(&mut self, note: &str) {
        event!(self, "note", note(note));
    }

    fn savepoint(&mut self) -> Result<SavepointId, DbError> {
        event!(self, "savepoint", savepoint())
    }

    fn release(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        event!(self, "release", release(savepoint))
    }

    fn open_savepoints(&self) -> usize {
        self.inner.open_savepoints()
    }

    fn rollback_to(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        event!(self, "rollback to", rollback_to(savepoint))
    }

    fn restrict(&mut self, restriction: Option<Arc<Restriction>>) {
        event!(self, "restrict", restrict(restriction));
    }

    fn set_ambient(&mut self, ambient: Option<Ambient>) -> Result<(), DbError> {
        self.inner.set_ambient(ambient)
    }

    fn copy(&mut self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        self.inner.copy(options)
    }

    fn set_limits(&mut self, limits: Option<&RunLimits>) -> Result<(), DbError> {
        self.inner.set_limits(limits)
    }

    fn take_limits(&mut self) -> Result<Option<RunLimits>, DbError> {
        self.inner.take_limits()
    }

    fn limit_reached(&mut self) -> Option<LimitReached> {
        self.inner.limit_reached()
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.inner.set_deadline(deadline);
    }

    fn hold_interrupt(&mut self, held: bool) {
        self.inner.hold_interrupt(held);
    }

    fn hold_interrupt_until(&mut self, until: Instant) {
        self.inner.hold_interrupt_until(until);
    }

    fn close_handles(&mut self) {
        event!(self, "close handles", close_handles());
    }

    fn set_foreign_keys(&mut self, enforced: bool) -> Result<bool, DbError> {
        event!(self, "set foreign keys", set_foreign_keys(enforced))
    }

    fn orphans(&mut self) -> Result<Vec<Orphans>, DbError> {
        event!(self, "check foreign keys", orphans())
    }

    fn keyless(&mut self) -> Result<Vec<Keyless>, DbError> {
        self.inner.keyless()
    }

    fn data_version(&mut self) -> Result<i64, DbError> {
        event!(self, "data version", data_version())
    }

    fn table_exists(&mut self, table: &str) -> Result<bool, DbError> {
        event!(self, "table exists", table_exists(table))
    }

    fn counters(&self) -> Counters {
        self.inner.counters()
    }

    fn start_recording(&mut self) {
        self.inner.start_recording();
    }

    fn hold_counting(&mut self, held: bool) {
        self.inner.hold_counting(held);
    }

    fn hold_recording(&mut self, held: bool) {
        self.inner.hold_recording(held);
    }

    fn take_recording(&mut self) -> Recording {
        self.inner.take_recording()
    }

    fn sqlite(&mut self) -> Option<&rusqlite::Connection> {
        self.inner.sqlite()
    }
}
