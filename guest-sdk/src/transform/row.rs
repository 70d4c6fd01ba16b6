//! A row on its way in.

use whimbrel_packed::{Cell, CheckedBatch};

use super::Columns;
use crate::cell::{FromCell, found};
use crate::context::Context;
use crate::error::{ColumnError, Result};
use crate::row::ColumnIndex;

/// A row that a [`Transform`](crate::Transform) is given: the columns that the manifest reads.
pub struct RowIn<'b> {
    batch: &'b CheckedBatch,
    columns: &'b Columns,
    context: &'b Context,
    index: usize,
}

impl<'b> RowIn<'b> {
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn new(batch: &'b CheckedBatch, columns: &'b Columns, context: &'b Context, index: usize) -> Self {
        Self { batch, columns, context, index }
    }

    /// Reads one cell, by the column's name or its number from 0. For the types see [`Row::get`](crate::Row::get).
    #[inline(always)]
    #[expect(clippy::needless_pass_by_value, reason = "a name or a number is written as it is")]
    pub fn get<T: FromCell<'b>>(&self, column: impl ColumnIndex) -> Result<T> {
        let index = column.find(&self.columns.read)?;
        let cell = self.batch.cell(self.index, index);
        match T::from_cell(cell) {
            Some(value) => Ok(value),
            None => Err(mismatch(&self.columns.read[index], T::EXPECTED, cell).into()),
        }
    }

    /// Returns the names of the columns.
    pub fn columns(&self) -> &'b [String] {
        &self.columns.read
    }

    /// Returns all cells in order.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'b>> {
        let index = self.index;
        self.batch.columns().iter().map(move |column| column.cell(index))
    }

    /// Returns what is known of the run: parameters, seed, time.
    pub fn context(&self) -> &'b Context {
        self.context
    }

    /// Returns one cell that is known to be there.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn cell(&self, column: usize) -> Cell<'b> {
        self.batch.cell(self.index, column)
    }

    /// Returns the row's number in its batch.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

impl std::fmt::Debug for RowIn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.columns().iter().zip(self.cells())).finish()
    }
}

#[cold]
fn mismatch(column: &str, expected: &'static str, cell: Cell<'_>) -> ColumnError {
    // The host knows the row by its key.
    ColumnError::Mismatch { column: column.to_owned(), row: None, expected, found: found(cell) }
}
