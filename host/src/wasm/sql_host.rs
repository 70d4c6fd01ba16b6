//! The contract's interfaces, on top of a session. SQL problems are results for the guest, never traps.

use wasmtime::component::Resource;
use whimbrel_packed::{BatchBuilder, MalformedBatch};

use super::bindings::whimbrel::migration::{log, sql, types};
use super::convert::{checked, listed, packed, values};
use super::handles::{CursorHandle, SavepointHandle, StatementHandle, TransactionHandle};
use super::state::State;
use super::weight::Weight;
use crate::db::not_a_number::{refuse_in_rows, refuse_in_values};
use crate::db::{CursorId, DbError, ErrorCode, SavepointId, Session, StatementId};
use crate::log_level::LogLevel;

/// Most rows and bytes of one answer, and what is taken when the guest leaves it to the host.
const MAX_ROWS: u32 = 4096;
const MAX_BYTES: u32 = 4 << 20;
const DEFAULT_ROWS: u32 = 1024;
const DEFAULT_BYTES: u32 = 1 << 20;
/// Bytes of an error's message, which may hold a name of any length.
const MESSAGE_BYTES: usize = 4096;

type SqlResult<T> = wasmtime::Result<Result<T, types::SqlError>>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the outer result is what a host function returns; an error there is a trap"
)]
fn answer<T>(result: Result<T, DbError>) -> SqlResult<T> {
    Ok(result.map_err(|mut error| {
        error.message.truncate(error.message.floor_char_boundary(MESSAGE_BYTES));
        types::SqlError::from(error)
    }))
}

fn statement_id(handle: &Resource<StatementHandle>) -> StatementId {
    StatementId(handle.rep())
}

fn cursor_id(handle: &Resource<CursorHandle>) -> CursorId {
    CursorId(handle.rep())
}

impl State {
    /// Counts what the guest sends, and lends the session to work on it.
    fn receive(&mut self, bytes: u64) -> Result<&mut dyn Session, DbError> {
        self.cross(bytes)?;
        self.session()
    }

    /// Counts what the guest gets.
    fn send<T: Weight>(&mut self, answer: T) -> Result<T, DbError> {
        self.cross(answer.weight())?;
        Ok(answer)
    }

    /// Opens something that the guest gets a handle on.
    fn open<T>(&mut self, bytes: u64, open: impl FnOnce(&mut dyn Session) -> Result<T, DbError>) -> Result<T, DbError> {
        self.hand_out()?;
        let opened = self.receive(bytes).and_then(open);
        if opened.is_err() {
            self.take_back();
        }
        opened
    }

    /// Fetches into a new builder, within the host's bounds.
    fn fetch(&mut self, cursor: CursorId, max_rows: u32, max_bytes: u32) -> Result<BatchBuilder, DbError> {
        let bound = |asked, default, most| if asked == 0 { default } else { u32::min(asked, most) };
        let max_rows = bound(max_rows, DEFAULT_ROWS, MAX_ROWS);
        let max_bytes = bound(max_bytes, DEFAULT_BYTES, MAX_BYTES);
        let mut rows = BatchBuilder::default();
        let result = self.session().and_then(|session| session.fetch(cursor, max_rows, max_bytes as usize, &mut rows));
        self.remember("(while fetching rows)", result)?;
        Ok(rows)
    }
}

impl types::Host for State {}

impl sql::Host for State {}

impl sql::HostTransaction for State {
    fn execute(&mut self, _: Resource<TransactionHandle>, sql: String, params: Vec<types::Value>) -> SqlResult<u64> {
        let bytes = sql.weight() + params.weight();
        let params = values(params);
        let result = self.receive(bytes).and_then(|session| {
            refuse_in_values(&params)?;
            session.execute(&sql, &params)
        });
        answer(self.remember(&sql, result))
    }

    fn query(
        &mut self,
        _: Resource<TransactionHandle>,
        sql: String,
        params: Vec<types::Value>,
    ) -> SqlResult<Resource<CursorHandle>> {
        let bytes = sql.weight() + params.weight();
        let params = values(params);
        let result = self.open(bytes, |session| {
            refuse_in_values(&params)?;
            session.open_cursor(&sql, &params)
        });
        answer(self.remember(&sql, result).map(|cursor| Resource::new_own(cursor.0)))
    }

    fn prepare(&mut self, _: Resource<TransactionHandle>, sql: String) -> SqlResult<Resource<StatementHandle>> {
        let result = self.open(sql.weight(), |session| session.prepare(&sql));
        answer(self.remember(&sql, result).map(|statement| {
            self.prepared(statement.0, &sql);
            Resource::new_own(statement.0)
        }))
    }

    fn open_savepoint(&mut self, _: Resource<TransactionHandle>) -> SqlResult<Resource<SavepointHandle>> {
        let result = self.open(0, |session| session.savepoint());
        answer(result.map(|savepoint| Resource::new_own(savepoint.0)))
    }

    fn dialect(&mut self, _: Resource<TransactionHandle>) -> wasmtime::Result<String> {
        Ok(self.session().map(|session| session.dialect()).unwrap_or_default().to_owned())
    }

    fn drop(&mut self, _: Resource<TransactionHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl sql::HostCursor for State {
    fn columns(&mut self, handle: Resource<CursorHandle>) -> wasmtime::Result<Vec<String>> {
        let columns = self.session().and_then(|session| session.columns(cursor_id(&handle))).unwrap_or_default();
        // There is no error to return, so a limit is a trap.
        self.cross(columns.weight())?;
        Ok(columns)
    }

    fn next(&mut self, handle: Resource<CursorHandle>, max_rows: u32) -> SqlResult<Vec<Vec<types::Value>>> {
        let rows = self.fetch(cursor_id(&handle), max_rows, 0).map(|mut rows| listed(&mut rows));
        answer(rows.and_then(|rows| self.send(rows)))
    }

    fn next_batch(
        &mut self,
        handle: Resource<CursorHandle>,
        max_rows: u32,
        max_bytes: u32,
    ) -> SqlResult<Option<types::Batch>> {
        let rows = self.fetch(cursor_id(&handle), max_rows, max_bytes);
        let batch = rows.map(|mut rows| (!rows.is_empty()).then(|| packed(&mut rows)));
        answer(batch.and_then(|batch| self.send(batch)))
    }

    fn drop(&mut self, handle: Resource<CursorHandle>) -> wasmtime::Result<()> {
        self.take_back();
        if let Ok(session) = self.session() {
            session.close_cursor(cursor_id(&handle));
        }
        Ok(())
    }
}

impl sql::HostStatement for State {
    fn execute(&mut self, handle: Resource<StatementHandle>, params: Vec<types::Value>) -> SqlResult<u64> {
        let bytes = params.weight();
        let params = values(params);
        let result = self.receive(bytes).and_then(|session| {
            refuse_in_values(&params)?;
            session.execute_prepared(statement_id(&handle), &params)
        });
        answer(self.remember_prepared(handle.rep(), result))
    }

    fn query(
        &mut self,
        handle: Resource<StatementHandle>,
        params: Vec<types::Value>,
    ) -> SqlResult<Resource<CursorHandle>> {
        let bytes = params.weight();
        let params = values(params);
        let result = self.open(bytes, |session| {
            refuse_in_values(&params)?;
            session.open_cursor_prepared(statement_id(&handle), &params)
        });
        answer(self.remember_prepared(handle.rep(), result).map(|cursor| Resource::new_own(cursor.0)))
    }

    fn execute_batch(&mut self, handle: Resource<StatementHandle>, params: types::Batch) -> SqlResult<u64> {
        let bytes = params.weight();
        let malformed = |error: MalformedBatch| DbError::new(ErrorCode::Value, error.to_string());
        let checked = checked(params).map_err(malformed);
        let result = checked.and_then(|batch| {
            let session = self.receive(bytes)?;
            refuse_in_rows(&batch)?;
            session.execute_batch(statement_id(&handle), &batch)
        });
        answer(self.remember_prepared(handle.rep(), result))
    }

    fn drop(&mut self, handle: Resource<StatementHandle>) -> wasmtime::Result<()> {
        self.take_back();
        if let Ok(session) = self.session() {
            session.close_statement(statement_id(&handle));
        }
        self.prepared.remove(&handle.rep());
        Ok(())
    }
}

impl sql::HostSavepoint for State {
    fn release(&mut self, handle: Resource<SavepointHandle>) -> SqlResult<()> {
        answer(self.session().and_then(|session| session.release(SavepointId(handle.rep()))))
    }

    fn rollback(&mut self, handle: Resource<SavepointHandle>) -> SqlResult<()> {
        answer(self.session().and_then(|session| session.rollback_to(SavepointId(handle.rep()))))
    }

    fn drop(&mut self, handle: Resource<SavepointHandle>) -> wasmtime::Result<()> {
        self.take_back();
        if let Ok(session) = self.session() {
            // One that was released or rolled back has ended, and then there is nothing to undo.
            let dropped = session.rollback_to(SavepointId(handle.rep())).is_ok();
            self.savepoint_dropped |= dropped;
        }
        Ok(())
    }
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.cross(message.weight())?;
        self.work_on(message.len())?;
        let level = match level {
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.log(level, &message);
        Ok(())
    }

    fn progress(&mut self, done: u64, total: Option<u64>) -> wasmtime::Result<()> {
        State::progress(self, done, total);
        Ok(())
    }
}
