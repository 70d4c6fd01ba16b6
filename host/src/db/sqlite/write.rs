//! Runs one statement for rows that stand in columns of several batches.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};
use whimbrel_packed::RawCell;

use super::meter::Meter;
use super::run::{Done, RunError};
use crate::db::ColumnSlice;

/// Runs a statement once for each of these rows. Rows before one that fails stay written.
pub(super) fn rows(
    connection: &Connection,
    statement: &mut Statement<'_>,
    columns: &[ColumnSlice<'_>],
    rows: &[u32],
    meter: &Meter,
) -> Result<Done, RunError> {
    let before = connection.total_changes();
    let mut run = || {
        for row in rows {
            for (index, slice) in columns.iter().enumerate() {
                let value = match slice.column.raw(slice.first + *row as usize) {
                    RawCell::Null => ValueRef::Null,
                    RawCell::Boolean(value) => ValueRef::Integer(i64::from(value)),
                    RawCell::Integer(value) => ValueRef::Integer(value),
                    RawCell::Real(value) => ValueRef::Real(value),
                    RawCell::Text(value) => ValueRef::Text(value),
                    RawCell::Blob(value) => ValueRef::Blob(value),
                };
                statement
                    .raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(value))
                    .map_err(|error| RunError::Row(*row, error))?;
            }
            statement.raw_execute().map_err(|error| RunError::Row(*row, error))?;
        }
        Ok(())
    };
    meter.start();
    let done = run();
    meter.charge(statement);
    done.map(|()| Done { changed: connection.total_changes() - before })
}
