//! No database: a native build without the feature `testing` type-checks, and nobody can get a transaction.

use whimbrel_packed::{Batch, Cell};

use crate::error::SqlError;
use crate::log::Level;

pub(crate) enum Transaction {}

impl Transaction {
    pub(crate) fn execute(&self, _sql: &str, _params: &[Cell<'_>]) -> Result<u64, SqlError> {
        match *self {}
    }

    pub(crate) fn query(&self, _sql: &str, _params: &[Cell<'_>]) -> Result<Cursor, SqlError> {
        match *self {}
    }

    pub(crate) fn prepare(&self, _sql: &str) -> Result<Statement, SqlError> {
        match *self {}
    }

    pub(crate) fn savepoint(&self) -> Result<Savepoint, SqlError> {
        match *self {}
    }

    pub(crate) fn dialect(&self) -> String {
        match *self {}
    }
}

pub(crate) enum Cursor {}

impl Cursor {
    pub(crate) fn columns(&self) -> Vec<String> {
        match *self {}
    }

    pub(crate) fn next_batch(&self, _max_rows: u32, _max_bytes: u32) -> Result<Option<Batch>, SqlError> {
        match *self {}
    }
}

pub(crate) enum Statement {}

impl Statement {
    pub(crate) fn execute(&self, _params: &[Cell<'_>]) -> Result<u64, SqlError> {
        match *self {}
    }

    pub(crate) fn query(&self, _params: &[Cell<'_>]) -> Result<Cursor, SqlError> {
        match *self {}
    }

    pub(crate) fn execute_batch(&self, _batch: &Batch) -> Result<u64, SqlError> {
        match *self {}
    }
}

pub(crate) enum Savepoint {}

impl Savepoint {
    pub(crate) fn release(&self) -> Result<(), SqlError> {
        match *self {}
    }

    pub(crate) fn rollback(&self) -> Result<(), SqlError> {
        match *self {}
    }
}

pub(crate) fn log(_level: Level, _message: &str) {}

pub(crate) fn progress(_done: u64, _total: Option<u64>) {}
