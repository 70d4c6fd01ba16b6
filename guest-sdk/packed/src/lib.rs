//! The packed form in which rows cross the sandbox boundary. Pure data: no database, no host, no guest.
//!
//! `packed.md` beside the WIT package is the specification, `packed-vectors.json` has examples to test against.
//!
//! ```
//! use whimbrel_packed::{BatchBuilder, Cell};
//!
//! let mut builder = BatchBuilder::new(2);
//! builder.push_integer(0, 7);
//! builder.push_text(1, "Ada Lovelace")?;
//! builder.push_integer(0, 8);
//! builder.push_null(1);
//!
//! let batch = builder.finish().check()?;
//! assert_eq!(batch.cell(0, 1), Cell::Text("Ada Lovelace"));
//! assert_eq!(batch.cell(1, 1), Cell::Null);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

use std::string::FromUtf8Error;

mod builder;
mod check;
mod view;

pub use builder::{BatchBuilder, HeapFull};
pub use check::{Malformed, MalformedBatch};
pub use view::{CheckedBatch, CheckedColumn, RawCells};

/// Most rows a batch may have.
pub const MAX_ROWS: u32 = 1 << 20;

/// Most columns a batch may have.
pub const MAX_COLUMNS: usize = 32_767;

/// Kind of a column in which `tags` tells each cell's own.
pub const MIXED: u8 = 255;

/// Rows in packed form, as they came: nothing is checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Number of cells in every column.
    pub rows: u32,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// Makes a text of bytes, or gives them back where they are not UTF-8, as [`String::from_utf8`] does.
pub type ToText = fn(Vec<u8>) -> Result<String, FromUtf8Error>;

impl Batch {
    /// Checks everything once, so that cells can then be read without errors.
    ///
    /// Takes the batch because texts are kept as checked strings; no byte is copied.
    pub fn check(self) -> Result<CheckedBatch, MalformedBatch> {
        self.check_with(String::from_utf8)
    }

    /// As [`check`](Self::check), with another way to make a text of bytes that are UTF-8: one that looks at many at once.
    pub fn check_with(self, text: ToText) -> Result<CheckedBatch, MalformedBatch> {
        check::check(self, text)
    }

    /// Counts the bytes of all columns.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }
}

/// One column of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Code of all non-null cells, or [`MIXED`].
    pub kind: u8,
    /// Empty, or one code a row.
    pub tags: Vec<u8>,
    /// Eight bytes a row, little endian.
    pub words: Vec<u8>,
    /// Bytes of texts and blobs.
    pub heap: Vec<u8>,
}

impl Column {
    /// Counts the bytes of this column.
    pub fn bytes(&self) -> usize {
        self.tags.len() + self.words.len() + self.heap.len()
    }
}

/// Kind of one cell; the number is its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// No value.
    Null = 0,
    /// A signed 64-bit integer.
    Integer = 1,
    /// A 64-bit float.
    Real = 2,
    /// UTF-8 text.
    Text = 3,
    /// Bytes.
    Blob = 4,
    /// True or false.
    Boolean = 5,
}

impl Kind {
    /// Returns the kind with this code.
    #[inline]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Null,
            1 => Self::Integer,
            2 => Self::Real,
            3 => Self::Text,
            4 => Self::Blob,
            5 => Self::Boolean,
            _ => return None,
        })
    }

    /// Returns the code.
    #[inline]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// One value, borrowed from a batch or on its way into one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Cell<'_> {
    /// Returns the kind.
    #[inline]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Boolean(_) => Kind::Boolean,
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
            Self::Blob(_) => Kind::Blob,
        }
    }
}

/// As [`Cell`], with text as its bytes: what a database binds, without looking at them again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RawCell<'a> {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// Bytes that have been checked to be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}
