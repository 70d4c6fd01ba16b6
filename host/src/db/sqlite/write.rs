//! Runs one statement again and again: for the rows of a batch, for some that stand in columns of several batches, or
//! each time for the parameters of a call.

use whimbrel_packed::{CheckedBatch, CheckedColumn, RawCell, RawCells};

use super::meter::Meter;
use super::row_statement::RowStatement;
use super::run::{Done, RunError, expect};
use crate::db::{ColumnSlice, Value};

/// Runs a statement once for every row of a batch.
pub(super) fn batch(statement: &mut RowStatement<'_>, batch: &CheckedBatch, meter: &Meter) -> Result<Done, RunError> {
    expect(statement.parameters(), batch.columns().len())?;
    let columns: Vec<RawCells<'_>> = batch.columns().iter().map(CheckedColumn::raw_cells).collect();
    metered(statement, meter, |statement| {
        let rows = u32::try_from(batch.rows()).unwrap_or(u32::MAX);
        statement.each(0..rows, |row, column| columns[column].cell(row as usize))
    })
}

/// Runs a statement once for each of these rows. Rows before one that fails stay written.
pub(super) fn rows(
    statement: &mut RowStatement<'_>,
    columns: &[ColumnSlice<'_>],
    rows: &[u32],
    meter: &Meter,
) -> Result<Done, RunError> {
    expect(statement.parameters(), columns.len())?;
    let columns: Vec<(RawCells<'_>, usize)> =
        columns.iter().map(|slice| (slice.column.raw_cells(), slice.first)).collect();
    metered(statement, meter, |statement| {
        statement.each(rows.iter().copied(), |row, column| {
            let (cells, first) = &columns[column];
            cells.cell(first + row as usize)
        })
    })
}

/// Runs a statement once.
pub(super) fn once(statement: &mut RowStatement<'_>, params: &[Value], meter: &Meter) -> Result<Done, RunError> {
    expect(statement.parameters(), params.len())?;
    let done = metered(statement, meter, |statement| {
        statement.each(0..1, |_, column| match &params[column] {
            Value::Null => RawCell::Null,
            Value::Boolean(value) => RawCell::Boolean(*value),
            Value::Integer(value) => RawCell::Integer(*value),
            Value::Real(value) => RawCell::Real(*value),
            Value::Text(value) => RawCell::Text(value.as_bytes()),
            Value::Blob(value) => RawCell::Blob(value),
        })
    });
    done.map_err(|error| match error {
        RunError::Row(_, error) => RunError::Sqlite(error),
        other => other,
    })
}

/// Charged once: SQLite's counter goes on from row to row, so that a batch of short runs is looked at, too.
fn metered(
    statement: &mut RowStatement<'_>,
    meter: &Meter,
    work: impl FnOnce(&mut RowStatement<'_>) -> Result<u64, (u32, rusqlite::Error)>,
) -> Result<Done, RunError> {
    meter.start();
    let done = work(statement);
    meter.charge_counted(statement.take_operations());
    done.map(|changed| Done { changed }).map_err(|(row, error)| RunError::Row(row, error))
}
