//! The host's side, across the sandbox boundary.

use std::panic;

use whimbrel_packed::{Batch, Cell, Column};

use crate::bindings::host::whimbrel::migration::{log as raw_log, sql, types};
use crate::bindings::{migration, reversible, verified};
use crate::context::Context;
use crate::error::SqlError;
use crate::export::{Migration, Reversible, Verified, Work, run};
use crate::log::Level;
use crate::transaction;

pub(crate) struct Transaction(sql::Transaction);

impl Transaction {
    pub(crate) fn execute(&self, sql: &str, params: &[Cell<'_>]) -> Result<u64, SqlError> {
        Ok(self.0.execute(sql, &values(params))?)
    }

    pub(crate) fn query(&self, sql: &str, params: &[Cell<'_>]) -> Result<Cursor, SqlError> {
        Ok(Cursor(self.0.query(sql, &values(params))?))
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement, SqlError> {
        Ok(Statement(self.0.prepare(sql)?))
    }

    pub(crate) fn savepoint(&self) -> Result<Savepoint, SqlError> {
        Ok(Savepoint(self.0.open_savepoint()?))
    }

    pub(crate) fn dialect(&self) -> String {
        self.0.dialect()
    }
}

pub(crate) struct Cursor(sql::Cursor);

impl Cursor {
    pub(crate) fn columns(&self) -> Vec<String> {
        self.0.columns()
    }

    pub(crate) fn next_batch(&self, max_rows: u32, max_bytes: u32) -> Result<Option<Batch>, SqlError> {
        Ok(self.0.next_batch(max_rows, max_bytes)?.map(batch_from_host))
    }
}

pub(crate) struct Statement(sql::Statement);

impl Statement {
    pub(crate) fn execute(&self, params: &[Cell<'_>]) -> Result<u64, SqlError> {
        Ok(self.0.execute(&values(params))?)
    }

    pub(crate) fn query(&self, params: &[Cell<'_>]) -> Result<Cursor, SqlError> {
        Ok(Cursor(self.0.query(&values(params))?))
    }

    pub(crate) fn execute_batch(&self, batch: &Batch) -> Result<u64, SqlError> {
        let columns: Vec<_> = batch.columns.iter().map(column_to_host).collect();
        Ok(self.0.execute_batch(types::BatchParam { rows: batch.rows, columns: &columns })?)
    }
}

pub(crate) struct Savepoint(sql::Savepoint);

impl Savepoint {
    pub(crate) fn release(&self) -> Result<(), SqlError> {
        Ok(self.0.release()?)
    }

    pub(crate) fn rollback(&self) -> Result<(), SqlError> {
        Ok(self.0.rollback()?)
    }
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => raw_log::Level::Trace,
        Level::Debug => raw_log::Level::Debug,
        Level::Info => raw_log::Level::Info,
        Level::Warn => raw_log::Level::Warn,
        Level::Error => raw_log::Level::Error,
    };
    raw_log::write(level, message);
}

pub(crate) fn progress(done: u64, total: Option<u64>) {
    raw_log::progress(done, total);
}

fn values<'a>(params: &'a [Cell<'a>]) -> Vec<types::ValueParam<'a>> {
    let value = |cell: &Cell<'a>| match *cell {
        Cell::Null => types::ValueParam::Null,
        Cell::Boolean(value) => types::ValueParam::Boolean(value),
        Cell::Integer(value) => types::ValueParam::Integer(value),
        Cell::Real(value) => types::ValueParam::Real(value),
        Cell::Text(value) => types::ValueParam::Text(value),
        Cell::Blob(value) => types::ValueParam::Blob(value),
    };
    params.iter().map(value).collect()
}

fn column_to_host(column: &Column) -> types::ColumnParam<'_> {
    types::ColumnParam { kind: column.kind, tags: &column.tags, words: &column.words, heap: &column.heap }
}

fn batch_from_host(batch: types::BatchResult) -> Batch {
    let column = |types::ColumnResult { kind, tags, words, heap }| Column { kind, tags, words, heap };
    Batch { rows: batch.rows, columns: batch.columns.into_iter().map(column).collect() }
}

impl From<types::SqlError> for SqlError {
    fn from(error: types::SqlError) -> Self {
        let types::SqlError { code, native, message, row, offset, details } = error;
        Self { code, native, message, row, offset, details }
    }
}

impl From<types::Context> for Context {
    fn from(context: types::Context) -> Self {
        let types::Context { chain, version, name, tenant, dry_run, started_at, seed, params } = context;
        Self { chain, version, name, tenant, dry_run, started_at, seed, params }
    }
}

impl<T: Migration> migration::Guest for T {
    fn up(db: sql::Transaction, ctx: types::Context) -> Result<(), String> {
        call(T::up, db, ctx)
    }
}

impl<T: Reversible> reversible::Guest for T {
    fn up(db: sql::Transaction, ctx: types::Context) -> Result<(), String> {
        call(T::up, db, ctx)
    }

    fn down(db: sql::Transaction, ctx: types::Context) -> Result<(), String> {
        call(T::down, db, ctx)
    }
}

impl<T: Verified> verified::Guest for T {
    fn verify(db: sql::Transaction, ctx: types::Context) -> Result<(), String> {
        call(T::verify, db, ctx)
    }
}

fn call(work: Work, db: sql::Transaction, ctx: types::Context) -> Result<(), String> {
    // A trap has no message of its own, so the panic's goes ahead through the log.
    panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
    let tx = transaction::Transaction::new(Transaction(db));
    run(work, &tx, &ctx.into()).map_err(|error| error.to_string())
}
