//! A native SQLite through the host's own session, for tests of migrations.

use std::cell::RefCell;
use std::rc::Rc;

use whimbrel::db::{CursorId, DbError, SavepointId, Session, StatementId, Value};
use whimbrel_packed::{Batch, BatchBuilder, Cell};

use crate::error::SqlError;
use crate::log::Level;

/// The session, shared by the handles of one call.
pub(crate) type Shared = Rc<RefCell<Box<dyn Session>>>;

pub(crate) struct Transaction(pub(crate) Shared);

impl Transaction {
    pub(crate) fn execute(&self, sql: &str, params: &[Cell<'_>]) -> Result<u64, SqlError> {
        Ok(self.0.borrow_mut().execute(sql, &values(params))?)
    }

    pub(crate) fn query(&self, sql: &str, params: &[Cell<'_>]) -> Result<Cursor, SqlError> {
        let id = self.0.borrow_mut().open_cursor(sql, &values(params))?;
        Cursor::new(&self.0, id)
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement, SqlError> {
        let id = self.0.borrow_mut().prepare(sql)?;
        Ok(Statement { session: Rc::clone(&self.0), id })
    }

    pub(crate) fn savepoint(&self) -> Result<Savepoint, SqlError> {
        let id = self.0.borrow_mut().savepoint()?;
        Ok(Savepoint { session: Rc::clone(&self.0), id })
    }

    pub(crate) fn dialect(&self) -> String {
        self.0.borrow().dialect().to_owned()
    }
}

pub(crate) struct Cursor {
    session: Shared,
    id: CursorId,
    columns: Vec<String>,
}

impl Cursor {
    fn new(session: &Shared, id: CursorId) -> Result<Self, SqlError> {
        let columns = session.borrow_mut().columns(id)?;
        Ok(Self { session: Rc::clone(session), id, columns })
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    pub(crate) fn next_batch(&self, max_rows: u32, max_bytes: u32) -> Result<Option<Batch>, SqlError> {
        let mut rows = BatchBuilder::new(self.columns.len());
        self.session.borrow_mut().fetch(self.id, max_rows, max_bytes as usize, &mut rows)?;
        Ok(if rows.is_empty() { None } else { Some(rows.finish()) })
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.session.borrow_mut().close_cursor(self.id);
    }
}

pub(crate) struct Statement {
    session: Shared,
    id: StatementId,
}

impl Statement {
    pub(crate) fn execute(&self, params: &[Cell<'_>]) -> Result<u64, SqlError> {
        Ok(self.session.borrow_mut().execute_prepared(self.id, &values(params))?)
    }

    pub(crate) fn query(&self, params: &[Cell<'_>]) -> Result<Cursor, SqlError> {
        let id = self.session.borrow_mut().open_cursor_prepared(self.id, &values(params))?;
        Cursor::new(&self.session, id)
    }

    pub(crate) fn execute_batch(&self, batch: &Batch) -> Result<u64, SqlError> {
        let checked = batch.clone().check().map_err(|error| SqlError {
            code: "value".to_owned(),
            message: error.to_string(),
            row: error.row,
            ..SqlError::default()
        })?;
        Ok(self.session.borrow_mut().execute_batch(self.id, &checked)?)
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        self.session.borrow_mut().close_statement(self.id);
    }
}

pub(crate) struct Savepoint {
    session: Shared,
    id: SavepointId,
}

impl Savepoint {
    pub(crate) fn release(&self) -> Result<(), SqlError> {
        Ok(self.session.borrow_mut().release(self.id)?)
    }

    pub(crate) fn rollback(&self) -> Result<(), SqlError> {
        Ok(self.session.borrow_mut().rollback_to(self.id)?)
    }
}

thread_local! {
    static LOG: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn log(level: Level, message: &str) {
    LOG.with_borrow_mut(|lines| lines.push((level, message.to_owned())));
}

pub(crate) fn progress(_done: u64, _total: Option<u64>) {}

/// Takes what was logged on this thread since the last time.
pub(crate) fn take_log() -> Vec<(Level, String)> {
    LOG.take()
}

fn values(params: &[Cell<'_>]) -> Vec<Value> {
    params.iter().map(|cell| Value::from(*cell)).collect()
}

impl From<DbError> for SqlError {
    fn from(error: DbError) -> Self {
        let DbError { code, native, message, row, offset, details, .. } = error;
        Self { code: code.as_str().to_owned(), native, message, row, offset, details }
    }
}
