//! Builds batches cell by cell. Never fails but for a column of more than 4 GiB.
//!
//! What is called for each cell is inlined always: in a sandbox a call also counts fuel and looks for an interrupt.

use std::fmt;
use std::mem::replace;

use crate::view::Heap;
use crate::{Batch, Cell, CheckedBatch, CheckedColumn, Column, Kind, MAX_COLUMNS, MAX_ROWS, MIXED};

/// Builds batches, row by row or column by column.
///
/// A column gets its kind from its first cell that is not null, and tags when the first null or another kind comes.
#[derive(Clone, Debug, Default)]
pub struct BatchBuilder {
    columns: Vec<Column>,
    heap_bytes: usize,
}

impl BatchBuilder {
    /// Starts a batch with this many columns.
    pub fn new(columns: usize) -> Self {
        Self { columns: vec![Column::default(); columns], heap_bytes: 0 }
    }

    /// Starts a batch with room for this many rows.
    pub fn with_capacity(columns: usize, rows: usize) -> Self {
        let mut builder = Self::new(columns);
        builder.reserve(rows);
        builder
    }

    /// Makes room for this many more rows.
    pub fn reserve(&mut self, rows: usize) {
        for column in &mut self.columns {
            column.words.reserve(rows.saturating_mul(8));
        }
    }

    /// Returns the number of columns.
    #[inline]
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Counts the rows that are complete: the cells of the last column.
    #[inline]
    pub fn rows(&self) -> usize {
        self.columns.last().map_or(0, |column| column.words.len() / 8)
    }

    /// Tells whether there is no cell in the last column yet.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// Tells whether all columns have the same number of cells.
    pub fn is_even(&self) -> bool {
        self.columns.windows(2).all(|pair| pair[0].words.len() == pair[1].words.len())
    }

    /// Counts the bytes of the complete rows, without tags. Cheap enough to ask after every row.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.rows() * 8 * self.columns.len() + self.heap_bytes
    }

    /// Appends a null.
    ///
    /// # Panics
    /// All `push` functions panic when there is no such column.
    #[inline(always)]
    pub fn push_null(&mut self, column: usize) {
        push(&mut self.columns[column], Kind::Null, 0);
    }

    /// Appends a boolean.
    #[inline(always)]
    pub fn push_boolean(&mut self, column: usize, value: bool) {
        push(&mut self.columns[column], Kind::Boolean, u64::from(value));
    }

    /// Appends an integer.
    #[inline(always)]
    pub fn push_integer(&mut self, column: usize, value: i64) {
        push(&mut self.columns[column], Kind::Integer, value.cast_unsigned());
    }

    /// Appends a float.
    #[inline(always)]
    pub fn push_real(&mut self, column: usize, value: f64) {
        push(&mut self.columns[column], Kind::Real, value.to_bits());
    }

    /// Appends a text.
    #[inline(always)]
    pub fn push_text(&mut self, column: usize, value: &str) -> Result<(), HeapFull> {
        self.push_bytes(column, Kind::Text, value.as_bytes())
    }

    /// Appends a blob.
    #[inline(always)]
    pub fn push_blob(&mut self, column: usize, value: &[u8]) -> Result<(), HeapFull> {
        self.push_bytes(column, Kind::Blob, value)
    }

    /// Appends a cell of any kind.
    #[inline(always)]
    pub fn push(&mut self, column: usize, cell: Cell<'_>) -> Result<(), HeapFull> {
        match cell {
            Cell::Null => self.push_null(column),
            Cell::Boolean(value) => self.push_boolean(column, value),
            Cell::Integer(value) => self.push_integer(column, value),
            Cell::Real(value) => self.push_real(column, value),
            Cell::Text(value) => return self.push_text(column, value),
            Cell::Blob(value) => return self.push_blob(column, value),
        }
        Ok(())
    }

    #[inline(always)]
    fn push_bytes(&mut self, column: usize, kind: Kind, value: &[u8]) -> Result<(), HeapFull> {
        let index = column;
        let column = &mut self.columns[index];
        let offset = column.heap.len() as u64;
        let length = value.len() as u64;
        if offset + length > u64::from(u32::MAX) {
            return Err(HeapFull { column: index });
        }
        append(&mut column.heap, value);
        self.heap_bytes += value.len();
        push(column, kind, offset | length << 32);
        Ok(())
    }

    /// Ends the batch and starts the next one with the same number of columns.
    ///
    /// # Panics
    /// When the columns have different numbers of cells; ask [`is_even`](Self::is_even) if that can be.
    pub fn finish(&mut self) -> Batch {
        assert!(self.is_even(), "every column of a batch needs the same number of cells");
        let rows = u32::try_from(self.rows()).expect("2^32 rows of eight bytes do not fit into memory here");
        let empty = vec![Column::default(); self.columns.len()];
        let columns = replace(&mut self.columns, empty);
        self.heap_bytes = 0;
        Batch { rows, columns }
    }

    /// Ends the batch like [`finish`](Self::finish), and spares the check: what was pushed is right.
    ///
    /// # Panics
    /// As [`finish`](Self::finish), and with more rows than a batch may have.
    pub fn finish_checked(&mut self) -> CheckedBatch {
        let Batch { rows, columns } = self.finish();
        assert!(rows <= MAX_ROWS && columns.len() <= MAX_COLUMNS, "a batch has at most {MAX_ROWS} rows");
        let checked = |column: Column| CheckedColumn {
            only: Kind::from_code(column.kind),
            tags: column.tags,
            words: column.words,
            heap: Heap::Bytes(column.heap),
        };
        CheckedBatch { rows: rows as usize, columns: columns.into_iter().map(checked).collect() }
    }

    /// Takes back the buffers of a batch that is done with, so that the next one needs no new memory.
    pub fn recycle(&mut self, batch: Batch) {
        for (column, mut old) in self.columns.iter_mut().zip(batch.columns) {
            if column.words.is_empty() {
                clear(&mut old);
                *column = old;
            }
        }
    }

    /// Drops all cells and keeps the buffers.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(clear);
        self.heap_bytes = 0;
    }
}

/// Appends bytes: short ones, as most cells are, in pieces of fixed lengths.
///
/// In a sandbox a copy whose length is known at run time only is a call of the host, which costs more than the copy.
#[inline(always)]
fn append(heap: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    if length > 64 {
        heap.extend_from_slice(bytes);
    } else if length > 16 {
        if length > 32 { append_two::<32>(heap, bytes) } else { append_two::<16>(heap, bytes) }
    } else if length >= 8 {
        append_two::<8>(heap, bytes);
    } else if length >= 4 {
        append_two::<4>(heap, bytes);
    } else {
        for byte in bytes {
            heap.push(*byte);
        }
    }
}

/// Appends from `N` to `2 * N` bytes as the first and the last `N`, which may overlap.
#[inline(always)]
fn append_two<const N: usize>(heap: &mut Vec<u8>, bytes: &[u8]) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
        let last_start = heap.len() + bytes.len() - N;
        heap.reserve(2 * N);
        heap.extend_from_slice(first);
        heap.truncate(last_start);
        heap.extend_from_slice(last);
    }
}

#[inline(always)]
fn push(column: &mut Column, kind: Kind, word: u64) {
    let code = kind.code();
    if column.kind != code || !column.tags.is_empty() {
        tag(column, code);
    }
    column.words.extend_from_slice(&word.to_le_bytes());
}

/// Settles kind and tags for a cell that is not simply one more of the column's only kind.
#[inline(never)]
fn tag(column: &mut Column, code: u8) {
    if !column.tags.is_empty() && (column.kind == code || code == Kind::Null.code()) {
        column.tags.push(code);
    } else {
        change(column, code);
    }
}

#[cold]
fn change(column: &mut Column, code: u8) {
    let rows = column.words.len() / 8;
    let only_nulls = column.kind == Kind::Null.code();
    if column.tags.is_empty() && rows > 0 {
        column.tags.resize(rows, column.kind);
    }
    if only_nulls {
        column.kind = code;
    } else if code != Kind::Null.code() {
        column.kind = MIXED;
    }
    if rows > 0 {
        column.tags.push(code);
    }
}

fn clear(column: &mut Column) {
    column.kind = Kind::Null.code();
    column.tags.clear();
    column.words.clear();
    column.heap.clear();
}

/// A column's texts and blobs would not fit into 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapFull {
    /// The column, counted from 0.
    pub column: usize,
}

impl fmt::Display for HeapFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} of the batch holds more than 4 GiB", self.column)
    }
}

impl std::error::Error for HeapFull {}
