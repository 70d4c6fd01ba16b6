//! The rows of a query. A row is a number and a share of its batch; its cells are copied only when asked for.

use std::rc::Rc;

use whimbrel_packed::{Batch, Cell, CheckedBatch, MalformedBatch};

use crate::backend;
use crate::cell::{FromCell, found};
use crate::error::{ColumnError, Result};

/// How many rows cross the boundary at once.
const BATCH_ROWS: u32 = 1024;
/// About how many bytes cross the boundary at once.
const BATCH_BYTES: u32 = 1 << 20;

/// Checks a batch of the host.
#[expect(unsafe_code, reason = "texts are not looked at twice")]
pub(crate) fn arrived(batch: Batch) -> std::result::Result<CheckedBatch, MalformedBatch> {
    // SAFETY: the host writes texts in UTF-8 only (`packed.md`), as it does for a `string` of the contract, whose bytes
    // the generated bindings do not look at either.
    batch.check_with(|bytes| Ok(unsafe { String::from_utf8_unchecked(bytes) }))
}

/// The rows of a query, read forward: `for row in rows`, or batch by batch.
pub struct Rows {
    cursor: backend::Cursor,
    columns: Rc<[String]>,
}

impl Rows {
    pub(crate) fn new(cursor: backend::Cursor) -> Self {
        let columns = cursor.columns().into();
        Self { cursor, columns }
    }

    /// Returns the names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the next rows as a batch of about a thousand, or none at the end.
    pub fn next_batch(&mut self) -> Result<Option<CheckedBatch>> {
        let Some(batch) = self.cursor.next_batch(BATCH_ROWS, BATCH_BYTES)? else {
            return Ok(None);
        };
        Ok(Some(arrived(batch)?))
    }
}

impl IntoIterator for Rows {
    type Item = Result<Row>;
    type IntoIter = RowIter;

    fn into_iter(self) -> RowIter {
        RowIter { rows: self, shared: None, next: 0, passed: 0 }
    }
}

/// Walks over rows one by one; made by `into_iter` of [`Rows`].
pub struct RowIter {
    rows: Rows,
    shared: Option<Rc<Shared>>,
    next: usize,
    /// Rows of the batches before.
    passed: u64,
}

/// What the rows of one batch have in common.
struct Shared {
    batch: CheckedBatch,
    columns: Rc<[String]>,
    /// Rows of the query before this batch.
    before: u64,
}

impl Iterator for RowIter {
    type Item = Result<Row>;

    #[inline(always)]
    fn next(&mut self) -> Option<Result<Row>> {
        loop {
            if let Some(shared) = &self.shared
                && self.next < shared.batch.rows()
            {
                let row = Row { shared: Rc::clone(shared), index: self.next };
                self.next += 1;
                return Some(Ok(row));
            }
            self.shared = None;
            self.next = 0;
            let batch = match self.rows.next_batch() {
                Ok(batch) => batch?,
                Err(error) => return Some(Err(error)),
            };
            let before = self.passed;
            self.passed += batch.rows() as u64;
            self.shared = Some(Rc::new(Shared { batch, columns: Rc::clone(&self.rows.columns), before }));
        }
    }
}

/// One row.
#[derive(Clone)]
pub struct Row {
    shared: Rc<Shared>,
    index: usize,
}

impl Row {
    /// Reads one cell, by the column's name or its number from 0.
    ///
    /// The type tells what is expected: `i64`, `f64`, `bool`, `&str`, `String`, `&[u8]`, `Vec<u8>`, an `Option` of
    /// these where NULL can be, or [`Cell`] for anything.
    #[inline(always)]
    #[expect(clippy::needless_pass_by_value, reason = "a name or a number is written as it is")]
    pub fn get<'r, T: FromCell<'r>>(&'r self, column: impl ColumnIndex) -> Result<T> {
        let index = column.find(&self.shared.columns)?;
        let cell = self.shared.batch.cell(self.index, index);
        match T::from_cell(cell) {
            Some(value) => Ok(value),
            None => Err(self.mismatch(index, T::EXPECTED).into()),
        }
    }

    #[cold]
    fn mismatch(&self, index: usize, expected: &'static str) -> ColumnError {
        let Shared { batch, columns, before } = &*self.shared;
        let row = before + self.index as u64 + 1;
        let found = found(batch.cell(self.index, index));
        ColumnError::Mismatch { column: columns[index].clone(), row: Some(row), expected, found }
    }

    /// Returns the names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.shared.columns
    }

    /// Returns all cells in order.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.shared.batch.columns().iter().map(|column| column.cell(self.index))
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.columns().iter().zip(self.cells())).finish()
    }
}

/// A column's name, or its number from 0.
pub trait ColumnIndex {
    /// Finds the column's number.
    fn find(&self, columns: &[String]) -> Result<usize>;
}

impl ColumnIndex for usize {
    #[inline(always)]
    fn find(&self, columns: &[String]) -> Result<usize> {
        if *self < columns.len() { Ok(*self) } else { Err(unknown(&self.to_string(), columns).into()) }
    }
}

impl ColumnIndex for &str {
    #[inline(always)]
    fn find(&self, columns: &[String]) -> Result<usize> {
        match columns.iter().position(|name| name == self) {
            Some(index) => Ok(index),
            None => find_in_other_case(self, columns),
        }
    }
}

/// SQL's names do not care about case.
#[cold]
fn find_in_other_case(name: &str, columns: &[String]) -> Result<usize> {
    let found = columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    found.ok_or_else(|| unknown(name, columns).into())
}

#[cold]
fn unknown(column: &str, columns: &[String]) -> ColumnError {
    ColumnError::Unknown { column: column.to_owned(), columns: columns.to_vec() }
}
