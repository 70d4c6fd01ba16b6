//! Rows to write that stand in columns of several batches.

use whimbrel_packed::{Cell, CheckedColumn};

use super::{ErrorCode, Value};

/// A column that gives one parameter of each row.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSlice<'a> {
    /// The column.
    pub column: &'a CheckedColumn,
    /// Its row that is row 0 here.
    pub first: usize,
}

impl ColumnSlice<'_> {
    /// Returns one cell as a value.
    pub(super) fn value(&self, row: u32) -> Value {
        Value::from(self.cell(row))
    }

    fn cell(&self, row: u32) -> Cell<'_> {
        self.column.cell(self.first + row as usize)
    }
}

impl ErrorCode {
    #[cfg(feature = "wasm")]
    /// Tells whether it is the row that is wrong, so that other rows may still be written.
    pub(crate) fn is_of_row(self) -> bool {
        matches!(
            self,
            Self::Constraint
                | Self::ConstraintUnique
                | Self::ConstraintForeignKey
                | Self::ConstraintNotNull
                | Self::ConstraintCheck
                | Self::Parameter
        )
    }
}
