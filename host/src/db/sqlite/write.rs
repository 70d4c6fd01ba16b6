//! Runs one statement again and again: for the rows of a batch, for some that stand in columns of several batches, or
//! each time for the parameters of a call.

use whimbrel_packed::CheckedBatch;

use super::bulk::Source;
use super::meter::Meter;
use super::raw_statement::{RawStatement, Stopped};
use super::run::{Done, RunError, expect};
use crate::db::{ColumnSlice, Value};

/// Returns all rows of a batch.
pub(super) fn all_of(batch: &CheckedBatch) -> Source<'_> {
    let columns = batch.columns().iter().map(|column| (column.raw_cells(), 0)).collect();
    Source::first(columns, batch.rows())
}

/// Returns some rows that stand in columns of several batches.
pub(super) fn these<'b>(columns: &[ColumnSlice<'b>], rows: &'b [u32]) -> Source<'b> {
    Source::these(columns.iter().map(|slice| (slice.column.raw_cells(), slice.first)).collect(), rows)
}

/// Runs a statement once for each row. Rows before one that fails stay written.
pub(super) fn rows(statement: &mut RawStatement<'_>, source: &Source<'_>, meter: &Meter) -> Result<Done, RunError> {
    expect(statement.parameters(), source.width())?;
    metered(statement, meter, |statement| {
        statement.each((0..source.len()).map(|place| source.row(place)), |row, column| source.cell(row, column))
    })
}

/// Runs a statement once.
pub(super) fn once(statement: &mut RawStatement<'_>, params: &[Value], meter: &Meter) -> Result<Done, RunError> {
    expect(statement.parameters(), params.len())?;
    let done = metered(statement, meter, |statement| statement.each(0..1, |_, column| params[column].raw()));
    done.map_err(|error| match error {
        RunError::Row { error, .. } => RunError::Sqlite(error),
        other => other,
    })
}

/// Charged once: SQLite's counter goes on from row to row, so that a batch of short runs is looked at, too.
fn metered(
    statement: &mut RawStatement<'_>,
    meter: &Meter,
    work: impl FnOnce(&mut RawStatement<'_>) -> Result<u64, Stopped>,
) -> Result<Done, RunError> {
    meter.start();
    let done = work(statement);
    meter.charge_counted(statement.take_operations());
    done.map(|changed| Done { changed }).map_err(|Stopped { row, changed, error }| RunError::Row {
        row,
        changed,
        error,
    })
}
