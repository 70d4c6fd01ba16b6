//! A batch whose every cell has been checked. Reading one never fails.

use std::str::from_utf8;

use crate::{Batch, Cell, Column, Kind, MIXED, RawCell};

/// Rows that have been checked. Made by [`Batch::check`].
#[derive(Clone, Debug)]
pub struct CheckedBatch {
    pub(crate) rows: usize,
    pub(crate) columns: Vec<CheckedColumn>,
}

impl CheckedBatch {
    /// Returns the number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the columns.
    #[inline]
    pub fn columns(&self) -> &[CheckedColumn] {
        &self.columns
    }

    /// Returns one cell. A text is cut out of its column without being checked again.
    ///
    /// # Panics
    /// When there is no such row or column.
    #[inline(always)]
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns[column].cell(row)
    }

    /// Returns one cell with text as bytes.
    ///
    /// # Panics
    /// When there is no such row or column.
    #[inline]
    pub fn raw(&self, row: usize, column: usize) -> RawCell<'_> {
        self.columns[column].raw(row)
    }

    /// Counts the bytes of all columns.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(|column| column.tags.len() + column.words.len() + column.heap.bytes().len()).sum()
    }

    /// Gives the plain batch back, without copying.
    pub fn into_batch(self) -> Batch {
        let rows = self.rows as u32;
        let columns = self.columns.into_iter().map(CheckedColumn::into_column).collect();
        Batch { rows, columns }
    }
}

/// One column that has been checked.
#[derive(Clone, Debug)]
pub struct CheckedColumn {
    /// None in a column of mixed kinds.
    pub(crate) only: Option<Kind>,
    pub(crate) tags: Vec<u8>,
    pub(crate) words: Vec<u8>,
    pub(crate) heap: Heap,
}

/// Bytes of texts and blobs; a string where a check has found nothing but texts.
#[derive(Clone, Debug)]
pub(crate) enum Heap {
    Text(String),
    Bytes(Vec<u8>),
}

impl Heap {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl CheckedColumn {
    /// Returns the kind of all cells that are not null, or none when they differ.
    #[inline]
    pub fn only_kind(&self) -> Option<Kind> {
        self.only
    }

    /// Returns the eight bytes of every row.
    #[inline(always)]
    pub fn words(&self) -> &[[u8; 8]] {
        self.words.as_chunks().0
    }

    /// Returns the code of all cells that are not null, or [`MIXED`].
    #[inline]
    pub fn code(&self) -> u8 {
        self.only.map_or(MIXED, Kind::code)
    }

    /// Returns the code of every row, or nothing when all cells have the column's kind.
    #[inline]
    pub fn tags(&self) -> &[u8] {
        &self.tags
    }

    /// Returns the bytes of texts and blobs.
    #[inline]
    pub fn heap(&self) -> &[u8] {
        self.heap.bytes()
    }

    /// Returns the kind of one cell.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline(always)]
    pub fn kind(&self, row: usize) -> Kind {
        if self.tags.is_empty() {
            return self.only.expect("a column of mixed kinds has tags");
        }
        Kind::from_code(self.tags[row]).expect("tags were checked")
    }

    /// Returns one cell.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline(always)]
    pub fn cell(&self, row: usize) -> Cell<'_> {
        let word = self.words()[row];
        match self.kind(row) {
            Kind::Null => Cell::Null,
            Kind::Boolean => Cell::Boolean(word[0] != 0),
            Kind::Integer => Cell::Integer(i64::from_le_bytes(word)),
            Kind::Real => Cell::Real(f64::from_le_bytes(word)),
            Kind::Text => Cell::Text(self.text(word)),
            Kind::Blob => Cell::Blob(self.bytes(word)),
        }
    }

    /// Returns one cell with text as bytes.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline]
    pub fn raw(&self, row: usize) -> RawCell<'_> {
        self.raw_cells().cell(row)
    }

    /// Makes ready to read many cells.
    #[inline]
    pub fn raw_cells(&self) -> RawCells<'_> {
        RawCells { only: self.only, tags: &self.tags, words: self.words(), heap: self.heap() }
    }

    #[inline(always)]
    fn text(&self, word: [u8; 8]) -> &str {
        let (start, end) = range(word);
        match &self.heap {
            Heap::Text(text) => &text[start..end],
            Heap::Bytes(bytes) => mixed_text(&bytes[start..end]),
        }
    }

    #[inline(always)]
    fn bytes(&self, word: [u8; 8]) -> &[u8] {
        let (start, end) = range(word);
        &self.heap.bytes()[start..end]
    }

    fn into_column(self) -> Column {
        let kind = self.only.map_or(MIXED, Kind::code);
        let heap = match self.heap {
            Heap::Text(text) => text.into_bytes(),
            Heap::Bytes(bytes) => bytes,
        };
        Column { kind, tags: self.tags, words: self.words, heap }
    }
}

/// The cells of a column, with texts as bytes.
#[derive(Clone, Copy, Debug)]
pub struct RawCells<'b> {
    only: Option<Kind>,
    tags: &'b [u8],
    words: &'b [[u8; 8]],
    heap: &'b [u8],
}

impl<'b> RawCells<'b> {
    /// Returns one cell.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline(always)]
    pub fn cell(&self, row: usize) -> RawCell<'b> {
        let word = self.words[row];
        let kind = match (self.only, self.tags) {
            (Some(only), []) => only,
            (_, tags) => Kind::from_code(tags[row]).expect("tags were checked"),
        };
        let bytes = || {
            let (start, end) = range(word);
            &self.heap[start..end]
        };
        match kind {
            Kind::Null => RawCell::Null,
            Kind::Boolean => RawCell::Boolean(word[0] != 0),
            Kind::Integer => RawCell::Integer(i64::from_le_bytes(word)),
            Kind::Real => RawCell::Real(f64::from_le_bytes(word)),
            Kind::Text => RawCell::Text(bytes()),
            Kind::Blob => RawCell::Blob(bytes()),
        }
    }
}

/// Among other kinds, or in a batch that was not sent, a text is looked at again.
fn mixed_text(bytes: &[u8]) -> &str {
    from_utf8(bytes).expect("texts were checked")
}

/// Start and end of a cell in its heap; the check has shown that both are inside.
#[inline(always)]
fn range(word: [u8; 8]) -> (usize, usize) {
    let [a, b, c, d, e, f, g, h] = word;
    let start = u32::from_le_bytes([a, b, c, d]) as usize;
    (start, start + u32::from_le_bytes([e, f, g, h]) as usize)
}
