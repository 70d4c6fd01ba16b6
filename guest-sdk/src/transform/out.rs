//! The row, or rows, on the way out.

use whimbrel_packed::{BatchBuilder, Cell};

use super::Columns;
#[cfg(any(target_family = "wasm", feature = "testing"))]
use super::RowIn;
use crate::cell::ToCell;
use crate::error::{Error, Result};
use crate::row::ColumnIndex;

/// What becomes of a row: the columns that the manifest writes.
pub struct RowOut<'b> {
    columns: &'b Columns,
    builder: &'b mut BatchBuilder,
    /// Which columns of the row have been set.
    set: Vec<bool>,
    any_set: bool,
    /// Whole rows that came of this row.
    rows: usize,
    /// Rows that went in before this one.
    index: i64,
    /// 1 when a column for the number of the row comes first.
    shift: usize,
}

impl<'b> RowOut<'b> {
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn new(columns: &'b Columns, builder: &'b mut BatchBuilder) -> Self {
        let shift = usize::from(columns.into.is_some());
        Self { columns, builder, set: vec![false; columns.write.len()], any_set: false, rows: 0, index: 0, shift }
    }

    /// Sets one column, by its name or its number from 0 in the manifest's `write`.
    ///
    /// A column that is not set keeps its value if it is also among those read; in a row that goes into another table
    /// it is NULL.
    #[inline(always)]
    #[expect(clippy::needless_pass_by_value, reason = "names, numbers and values are written as they are")]
    pub fn set(&mut self, column: impl ColumnIndex, value: impl ToCell) -> Result<()> {
        let index = column.find(&self.columns.write)?;
        if self.set[index] || self.rows > 0 {
            return Err(self.twice(index));
        }
        self.set[index] = true;
        self.any_set = true;
        self.builder.push(index + self.shift, value.to_cell())?;
        Ok(())
    }

    /// Gives a whole row: the columns of `write` in order. In place, exactly one; into another table, as many as
    /// there are.
    ///
    /// ```
    /// # use whimbrel_guest::{params, Result, RowIn, RowOut, Transform};
    /// # struct Words;
    /// impl Transform for Words {
    ///     fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
    ///         let id: i64 = row.get("id")?;
    ///         for word in row.get::<&str>("text")?.split_whitespace() {
    ///             out.row(params![id, word])?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[inline(always)]
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if cells.len() != self.columns.write.len() || self.any_set || (self.rows > 0 && self.shift == 0) {
            return Err(self.odd_row(cells.len()));
        }
        if self.shift == 1 {
            self.builder.push_integer(0, self.index);
        }
        for (column, cell) in cells.iter().enumerate() {
            self.builder.push(column + self.shift, *cell)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Ends what comes of one row, and begins the next one.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    #[inline(always)]
    pub(crate) fn end(&mut self, row: &RowIn<'_>) -> Result<()> {
        if self.any_set || (self.rows == 0 && self.shift == 0) {
            self.fill(row)?;
        }
        self.any_set = false;
        self.rows = 0;
        self.index = row.index() as i64 + 1;
        Ok(())
    }

    /// Fills in what was not set.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    fn fill(&mut self, row: &RowIn<'_>) -> Result<()> {
        if self.shift == 1 {
            self.builder.push_integer(0, self.index);
        }
        for column in 0..self.set.len() {
            if std::mem::take(&mut self.set[column]) {
                continue;
            }
            match self.columns.kept[column] {
                _ if self.shift == 1 => self.builder.push_null(column + 1),
                Some(read) => self.builder.push(column, row.cell(read))?,
                None => {
                    let name = &self.columns.write[column];
                    return Err(Error::msg(format_args!(
                        "the transform did not set {name}; to keep its value, it has to be read too"
                    )));
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn twice(&self, column: usize) -> Error {
        Error::msg(format_args!("the transform set {} twice", self.columns.write[column]))
    }

    #[cold]
    fn odd_row(&self, cells: usize) -> Error {
        let write = &self.columns.write;
        if cells != write.len() {
            return Error::msg(format_args!(
                "the transform gave a row of {cells} cells, and {} are written: {}",
                write.len(),
                write.join(", ")
            ));
        }
        Error::msg("the transform gave more than one row for a row that is updated in place")
    }
}
