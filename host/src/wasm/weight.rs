//! How many bytes cross the boundary.

use super::bindings::whimbrel::migration::types::{Batch, SqlError, Value};
use crate::db::Cell;
use whimbrel_packed::CheckedColumn;

/// Bytes that a value takes beside its content.
const VALUE: usize = 16;

/// Something that crosses the boundary.
pub(super) trait Weight {
    /// Returns its bytes, about.
    fn weight(&self) -> u64;
}

impl Weight for Value {
    fn weight(&self) -> u64 {
        let content = match self {
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Real(_) => 0,
        };
        (VALUE + content) as u64
    }
}

impl Weight for Cell<'_> {
    fn weight(&self) -> u64 {
        let content = match self {
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Real(_) => 0,
        };
        (VALUE + content) as u64
    }
}

impl Weight for String {
    fn weight(&self) -> u64 {
        self.len() as u64
    }
}

impl<T: Weight> Weight for Vec<T> {
    fn weight(&self) -> u64 {
        self.iter().map(Weight::weight).sum::<u64>() + 8
    }
}

impl<T: Weight> Weight for Option<T> {
    fn weight(&self) -> u64 {
        self.as_ref().map_or(0, Weight::weight)
    }
}

impl Weight for Batch {
    fn weight(&self) -> u64 {
        let columns = self.columns.iter();
        columns.map(|column| (column.tags.len() + column.words.len() + column.heap.len()) as u64 + 32).sum()
    }
}

impl Weight for &[&CheckedColumn] {
    fn weight(&self) -> u64 {
        let columns = self.iter();
        columns.map(|column| (column.tags().len() + column.words().len() * 8 + column.heap().len()) as u64 + 32).sum()
    }
}

impl Weight for SqlError {
    fn weight(&self) -> u64 {
        (self.message.len() + 64) as u64
    }
}
