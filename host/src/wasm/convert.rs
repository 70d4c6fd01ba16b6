//! Between the contract's types and the host's.

use std::string::FromUtf8Error;

use whimbrel_packed::{Batch, BatchBuilder, CheckedBatch, Column, MalformedBatch};

use super::bindings::whimbrel::migration::types;
use crate::db::{DbError, Value};

impl From<types::Value> for Value {
    fn from(value: types::Value) -> Self {
        match value {
            types::Value::Null => Self::Null,
            types::Value::Boolean(value) => Self::Boolean(value),
            types::Value::Integer(value) => Self::Integer(value),
            types::Value::Real(value) => Self::Real(value),
            types::Value::Text(value) => Self::Text(value),
            types::Value::Blob(value) => Self::Blob(value),
        }
    }
}

impl From<Value> for types::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value),
            Value::Real(value) => Self::Real(value),
            Value::Text(value) => Self::Text(value),
            Value::Blob(value) => Self::Blob(value),
        }
    }
}

impl From<DbError> for types::SqlError {
    fn from(error: DbError) -> Self {
        Self {
            code: error.code.as_str().to_owned(),
            native: error.native,
            message: error.message,
            row: error.row,
            offset: error.offset,
            details: error.details,
        }
    }
}

pub(super) fn values(params: Vec<types::Value>) -> Vec<Value> {
    params.into_iter().map(Value::from).collect()
}

/// Checks a guest's batch as a whole.
pub(super) fn checked(batch: types::Batch) -> Result<CheckedBatch, MalformedBatch> {
    let column =
        |column: types::Column| Column { kind: column.kind, tags: column.tags, words: column.words, heap: column.heap };
    Batch { rows: batch.rows, columns: batch.columns.into_iter().map(column).collect() }.check_with(text)
}

/// Makes a text of bytes that are UTF-8. To look at many of them at once and to copy them takes less time than to look at
/// them one by one, as the standard library does wherever a letter is not ASCII.
fn text(bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
    match simdutf8::basic::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => String::from_utf8(bytes),
    }
}

pub(super) fn packed(rows: &mut BatchBuilder) -> types::Batch {
    let batch = rows.finish();
    let columns = batch.columns.into_iter();
    types::Batch {
        rows: batch.rows,
        columns: columns
            .map(|column| types::Column {
                kind: column.kind,
                tags: column.tags,
                words: column.words,
                heap: column.heap,
            })
            .collect(),
    }
}

/// Turns rows into typed lists, for small results.
pub(super) fn listed(rows: &mut BatchBuilder) -> Vec<Vec<types::Value>> {
    let batch = rows.finish_checked();
    let columns = 0..batch.columns().len();
    (0..batch.rows())
        .map(|row| columns.clone().map(|column| Value::from(batch.cell(row, column)).into()).collect())
        .collect()
}
