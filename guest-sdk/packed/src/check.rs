//! Checks a whole batch before the first cell is used. Never reads a cell beyond what it has checked.

use std::fmt;

use crate::view::{CheckedBatch, CheckedColumn, Heap};
use crate::{Batch, Column, Kind, MAX_COLUMNS, MAX_ROWS, MIXED, ToText};

/// What is wrong with a batch, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedBatch {
    /// The column, counted from 0.
    pub column: Option<usize>,
    /// The row, counted from 0.
    pub row: Option<u32>,
    /// What is wrong there.
    pub reason: Malformed,
}

/// What can be wrong with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// More than [`MAX_ROWS`] rows.
    TooManyRows,
    /// More than [`MAX_COLUMNS`] columns.
    TooManyColumns,
    /// The column's kind is no code and not 255.
    UnknownKind,
    /// `words` is not eight bytes a row.
    WordsLength,
    /// `tags` is neither empty nor one byte a row.
    TagsLength,
    /// A column of kind 255 has no tags.
    TagsMissing,
    /// A tag is no code.
    UnknownTag,
    /// A tag is neither null nor the column's kind.
    TagMismatch,
    /// The word of a null is not 0.
    NullWord,
    /// The word of a boolean is neither 0 nor 1.
    BooleanWord,
    /// A text or blob lies outside the heap.
    HeapRange,
    /// A column without texts and blobs has a heap.
    HeapUnused,
    /// The texts and blobs of a column are together longer than its heap.
    HeapShared,
    /// A text is not UTF-8.
    Utf8,
}

impl Malformed {
    /// Returns the name that the test vectors use.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooManyRows => "too-many-rows",
            Self::TooManyColumns => "too-many-columns",
            Self::UnknownKind => "unknown-kind",
            Self::WordsLength => "words-length",
            Self::TagsLength => "tags-length",
            Self::TagsMissing => "tags-missing",
            Self::UnknownTag => "unknown-tag",
            Self::TagMismatch => "tag-mismatch",
            Self::NullWord => "null-word",
            Self::BooleanWord => "boolean-word",
            Self::HeapRange => "heap-range",
            Self::HeapUnused => "heap-unused",
            Self::HeapShared => "heap-shared",
            Self::Utf8 => "utf8",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::TooManyRows => "the batch has more rows than a batch may have",
            Self::TooManyColumns => "the batch has more columns than a batch may have",
            Self::UnknownKind => "the kind is not a known code",
            Self::WordsLength => "words are not eight bytes a row",
            Self::TagsLength => "tags are not one byte a row",
            Self::TagsMissing => "a column of mixed kinds has no tags",
            Self::UnknownTag => "the tag is not a known code",
            Self::TagMismatch => "the tag is neither null nor the column's kind",
            Self::NullWord => "the word of a null is not 0",
            Self::BooleanWord => "the word of a boolean is neither 0 nor 1",
            Self::HeapRange => "the text or blob lies outside the heap",
            Self::HeapUnused => "a column without texts and blobs has a heap",
            Self::HeapShared => "texts and blobs are together longer than the heap",
            Self::Utf8 => "the text is not UTF-8",
        }
    }
}

impl fmt::Display for MalformedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed batch")?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        write!(f, ": {}", self.reason.sentence())
    }
}

impl std::error::Error for MalformedBatch {}

/// Where in a column something is wrong, and what.
type Fault = (Option<usize>, Malformed);

pub(crate) fn check(batch: Batch, text: ToText) -> Result<CheckedBatch, MalformedBatch> {
    let whole = |reason| MalformedBatch { column: None, row: None, reason };
    if batch.rows > MAX_ROWS {
        return Err(whole(Malformed::TooManyRows));
    }
    if batch.columns.len() > MAX_COLUMNS {
        return Err(whole(Malformed::TooManyColumns));
    }
    let rows = batch.rows as usize;
    let mut columns = Vec::with_capacity(batch.columns.len());
    for (index, column) in batch.columns.into_iter().enumerate() {
        let checked = check_column(column, rows, text).map_err(|(row, reason)| MalformedBatch {
            column: Some(index),
            row: row.map(|row| row as u32),
            reason,
        })?;
        columns.push(checked);
    }
    Ok(CheckedBatch { rows, columns })
}

fn check_column(column: Column, rows: usize, text: ToText) -> Result<CheckedColumn, Fault> {
    let Column { kind, tags, words, heap } = column;
    let only = match kind {
        MIXED => None,
        code => Some(Kind::from_code(code).ok_or((None, Malformed::UnknownKind))?),
    };
    if words.len() != rows * 8 {
        return Err((None, Malformed::WordsLength));
    }
    if !tags.is_empty() && tags.len() != rows {
        return Err((None, Malformed::TagsLength));
    }
    if only.is_none() && tags.is_empty() && rows > 0 {
        return Err((None, Malformed::TagsMissing));
    }
    match only {
        Some(kind) => check_tags(&tags, kind)?,
        None => check_codes(&tags)?,
    }
    let chunks = words.as_chunks().0;
    let heap = match only {
        Some(Kind::Text) => Heap::Text(check_texts(&tags, chunks, heap, text)?),
        Some(Kind::Blob) => {
            check_ranges(&tags, chunks, heap.len(), |_| true)?;
            Heap::Bytes(heap)
        }
        Some(kind @ (Kind::Null | Kind::Integer | Kind::Real | Kind::Boolean)) => {
            if !heap.is_empty() {
                return Err((None, Malformed::HeapUnused));
            }
            check_words(&tags, chunks, kind)?;
            Heap::Bytes(heap)
        }
        None => {
            check_mixed(&tags, chunks, &heap)?;
            Heap::Bytes(heap)
        }
    };
    Ok(CheckedColumn { only, tags, words, heap })
}

/// A tag must be null or the column's kind.
fn check_tags(tags: &[u8], kind: Kind) -> Result<(), Fault> {
    let wrong = |tag: &u8| *tag != kind.code() && *tag != Kind::Null.code();
    match tags.iter().position(wrong) {
        None => Ok(()),
        Some(row) if Kind::from_code(tags[row]).is_none() => Err((Some(row), Malformed::UnknownTag)),
        Some(row) => Err((Some(row), Malformed::TagMismatch)),
    }
}

fn check_codes(tags: &[u8]) -> Result<(), Fault> {
    match tags.iter().position(|tag| Kind::from_code(*tag).is_none()) {
        None => Ok(()),
        Some(row) => Err((Some(row), Malformed::UnknownTag)),
    }
}

/// Nulls are 0 and booleans 0 or 1; every word is an integer or a float.
fn check_words(tags: &[u8], words: &[[u8; 8]], kind: Kind) -> Result<(), Fault> {
    let (limit, reason) = match kind {
        Kind::Null => (0, Malformed::NullWord),
        Kind::Boolean => (1, Malformed::BooleanWord),
        Kind::Integer | Kind::Real | Kind::Text | Kind::Blob => (u64::MAX, Malformed::NullWord),
    };
    if limit != u64::MAX
        && let Some(row) = words.iter().position(|word| u64::from_le_bytes(*word) > limit)
    {
        let null = tags.get(row) == Some(&Kind::Null.code());
        return Err((Some(row), if null { Malformed::NullWord } else { reason }));
    }
    for (row, (tag, word)) in tags.iter().zip(words).enumerate() {
        if *tag == Kind::Null.code() && *word != [0; 8] {
            return Err((Some(row), Malformed::NullWord));
        }
    }
    Ok(())
}

/// The heap of a text column is UTF-8 as a whole, so that cutting a cell out of it costs no second look.
fn check_texts(tags: &[u8], words: &[[u8; 8]], heap: Vec<u8>, text: ToText) -> Result<String, Fault> {
    match text(heap) {
        Ok(text) => {
            check_ranges(tags, words, text.len(), |at| text.is_char_boundary(at))?;
            Ok(text)
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            check_ranges(tags, words, error.as_bytes().len(), |_| true)?;
            let row = words.iter().position(|word| {
                let (start, end) = range(*word);
                (start..end).contains(&(at as u64))
            });
            Err((row, Malformed::Utf8))
        }
    }
}

fn check_ranges(tags: &[u8], words: &[[u8; 8]], heap: usize, is_cut: impl Fn(usize) -> bool) -> Result<(), Fault> {
    let heap = heap as u64;
    let mut total = 0;
    for (row, word) in words.iter().enumerate() {
        if tags.get(row) == Some(&Kind::Null.code()) {
            if *word != [0; 8] {
                return Err((Some(row), Malformed::NullWord));
            }
            continue;
        }
        let (start, end) = range(*word);
        if end > heap {
            return Err((Some(row), Malformed::HeapRange));
        }
        if !is_cut(start as usize) || !is_cut(end as usize) {
            return Err((Some(row), Malformed::Utf8));
        }
        total += end - start;
        if total > heap {
            return Err((Some(row), Malformed::HeapShared));
        }
    }
    Ok(())
}

fn check_mixed(tags: &[u8], words: &[[u8; 8]], heap: &[u8]) -> Result<(), Fault> {
    let mut total = 0;
    for (row, (tag, word)) in tags.iter().zip(words).enumerate() {
        let fault = |reason| Err((Some(row), reason));
        match Kind::from_code(*tag) {
            None => return fault(Malformed::UnknownTag),
            Some(Kind::Null) if *word != [0; 8] => return fault(Malformed::NullWord),
            Some(Kind::Boolean) if u64::from_le_bytes(*word) > 1 => return fault(Malformed::BooleanWord),
            Some(Kind::Null | Kind::Boolean | Kind::Integer | Kind::Real) => {}
            Some(kind @ (Kind::Text | Kind::Blob)) => {
                let (start, end) = range(*word);
                if end > heap.len() as u64 {
                    return fault(Malformed::HeapRange);
                }
                let bytes = &heap[start as usize..end as usize];
                total += bytes.len() as u64;
                if total > heap.len() as u64 {
                    return fault(Malformed::HeapShared);
                }
                if kind == Kind::Text && std::str::from_utf8(bytes).is_err() {
                    return fault(Malformed::Utf8);
                }
            }
        }
    }
    Ok(())
}

/// Reads offset and length as start and end, in 64 bits so that the sum cannot overflow.
fn range(word: [u8; 8]) -> (u64, u64) {
    let word = u64::from_le_bytes(word);
    let start = word & u64::from(u32::MAX);
    (start, start + (word >> 32))
}
