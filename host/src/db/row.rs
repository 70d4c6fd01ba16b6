//! One row of a query, shown while the query stands at it.

use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch};

use super::{DbError, Session, Value};

/// A row of a query.
pub trait Row {
    /// Counts its cells.
    fn columns(&self) -> usize;
    /// Returns a cell, counted from 0. Text that is not UTF-8 is an error.
    fn cell(&self, column: usize) -> Result<Cell<'_>, DbError>;
}

/// Rows of a batch: few enough that they stay in the processor's cache.
const BATCH: u32 = 128;

/// Runs one query and shows its rows one by one, from batches.
pub(super) fn in_batches(
    session: &mut (impl Session + ?Sized),
    sql: &str,
    params: &[Value],
    see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let cursor = session.open_cursor(sql, params)?;
    let mut rows = BatchBuilder::default();
    let result = loop {
        let fetched = session.fetch(cursor, BATCH, 1 << 20, &mut rows).and_then(|more| {
            let batch = rows.finish_checked();
            let seen = (0..batch.rows()).try_for_each(|row| see(&BatchRow { batch: &batch, row }));
            rows.recycle(batch.into_batch());
            seen.map(|()| more)
        });
        match fetched {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    session.close_cursor(cursor);
    result
}

struct BatchRow<'a> {
    batch: &'a CheckedBatch,
    row: usize,
}

impl Row for BatchRow<'_> {
    fn columns(&self) -> usize {
        self.batch.columns().len()
    }

    fn cell(&self, column: usize) -> Result<Cell<'_>, DbError> {
        Ok(self.batch.cell(self.row, column))
    }
}
