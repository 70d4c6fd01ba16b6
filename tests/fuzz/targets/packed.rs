//! Rows from a guest: whatever a batch says, it is refused or every cell of it can be read.
//!
//! The first byte tells what the rest is: a batch written out column by column, a batch that is nearly right, or
//! cells for the builder.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use whimbrel_packed::{Batch, BatchBuilder, Cell, CheckedBatch, Column, Kind, MAX_ROWS, MIXED, RawCell};

fuzz_target!(|bytes: &[u8]| {
    let Some((form, bytes)) = bytes.split_first() else { return };
    match form % 3 {
        0 => {
            if let Some(batch) = written_out(bytes) {
                examine(batch);
            }
        }
        1 => {
            if let Ok(nearly) = Nearly::arbitrary(&mut Unstructured::new(bytes)) {
                examine(nearly.batch());
            }
        }
        _ => {
            if let Ok(pushes) = Vec::arbitrary(&mut Unstructured::new(bytes)) {
                build(&pushes);
            }
        }
    }
});

/// Reads `rows`, then for each column its kind, three lengths of two bytes, and the bytes.
fn written_out(bytes: &[u8]) -> Option<Batch> {
    let (rows, mut rest) = bytes.split_first_chunk()?;
    let mut columns = Vec::new();
    while let Some((header, bytes)) = rest.split_first_chunk::<7>() {
        let [kind, lengths @ ..] = *header;
        rest = bytes;
        let mut take = |at: usize| {
            let length = usize::from(u16::from_le_bytes([lengths[at], lengths[at + 1]])).min(rest.len());
            let (taken, after) = rest.split_at(length);
            rest = after;
            taken.to_vec()
        };
        columns.push(Column { kind, tags: take(0), words: take(2), heap: take(4) });
    }
    Some(Batch { rows: u32::from_le_bytes(*rows), columns })
}

/// Checks a batch; if it passes, reads every cell every way and packs the same cells again.
fn examine(batch: Batch) {
    let original = batch.clone();
    let checked = match batch.check() {
        Ok(checked) => checked,
        Err(error) => {
            assert!(error.column.is_none_or(|column| column < original.columns.len()));
            assert!(error.row.is_none_or(|row| row < original.rows));
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(original.rows <= MAX_ROWS);
    assert_eq!(checked.rows(), original.rows as usize);
    assert_eq!(checked.columns().len(), original.columns.len());
    assert_eq!(checked.bytes(), original.bytes());

    let mut builder = BatchBuilder::new(checked.columns().len());
    for (index, column) in checked.columns().iter().enumerate() {
        // No cell is copied twice, so what a guest sends bounds what the host binds.
        let mut heap = 0;
        for row in 0..checked.rows() {
            let cell = checked.cell(row, index);
            assert_eq!(cell.kind(), column.kind(row));
            assert!(column.only_kind().is_none_or(|only| cell.kind() == only || cell.kind() == Kind::Null));
            assert!(same(cell, checked.raw(row, index)));
            if let RawCell::Text(bytes) | RawCell::Blob(bytes) = column.raw(row) {
                heap += bytes.len();
            }
            builder.push(index, cell).expect("it fitted into one heap before");
        }
        assert!(heap <= original.columns[index].heap.len());
    }
    // Without columns there is nowhere to count rows.
    if !checked.columns().is_empty() {
        let again = builder.finish().check().expect("what the builder makes is right");
        assert_same(&checked, &again);
        assert_eq!(again.clone().into_batch().check().expect("still").into_batch(), again.into_batch());
    }
    assert_eq!(checked.into_batch(), original, "the check changes nothing");
}

/// Compares two forms of one cell; floats by their bits.
fn same(cell: Cell<'_>, raw: RawCell<'_>) -> bool {
    match (cell, raw) {
        (Cell::Null, RawCell::Null) => true,
        (Cell::Boolean(left), RawCell::Boolean(right)) => left == right,
        (Cell::Integer(left), RawCell::Integer(right)) => left == right,
        (Cell::Real(left), RawCell::Real(right)) => left.to_bits() == right.to_bits(),
        (Cell::Text(left), RawCell::Text(right)) => left.as_bytes() == right,
        (Cell::Blob(left), RawCell::Blob(right)) => left == right,
        _ => false,
    }
}

fn assert_same(left: &CheckedBatch, right: &CheckedBatch) {
    assert_eq!((left.rows(), left.columns().len()), (right.rows(), right.columns().len()));
    for row in 0..left.rows() {
        for column in 0..left.columns().len() {
            assert!(same(left.cell(row, column), right.raw(row, column)), "row {row}, column {column}");
        }
    }
}

/// A batch of which nothing, or little, is wrong.
#[derive(Arbitrary, Debug)]
struct Nearly {
    rows: u8,
    columns: Vec<NearlyColumn>,
    wrong: Option<Wrong>,
}

#[derive(Arbitrary, Debug)]
struct NearlyColumn {
    kind: u8,
    tagged: bool,
    cells: Vec<(u8, u64)>,
    heap: Text,
}

#[derive(Arbitrary, Debug)]
enum Text {
    Utf8(String),
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Wrong {
    Rows(u32),
    Kind(u8, u8),
    Tag(u8, u8, u8),
    Word(u8, u8, u64),
    Cut(u8, u8),
}

impl Nearly {
    fn batch(self) -> Batch {
        let rows = u32::from(self.rows % 32);
        let columns = self.columns.into_iter().map(|column| column.column(rows as usize)).collect();
        let mut batch = Batch { rows, columns };
        if let Some(wrong) = self.wrong {
            spoil(&mut batch, &wrong);
        }
        batch
    }
}

impl NearlyColumn {
    fn column(self, rows: usize) -> Column {
        let kind = if self.kind % 7 == 6 { MIXED } else { self.kind % 7 };
        let tagged = self.tagged || kind == MIXED;
        let heap = match self.heap {
            Text::Utf8(text) => text.into_bytes(),
            Text::Bytes(bytes) => bytes,
        };
        let mut column = Column { kind, ..Column::default() };
        let mut used = 0;
        let mut cells = self.cells.into_iter().chain(std::iter::repeat((0, 0)));
        for (tag, word) in cells.by_ref().take(rows) {
            let tag = match (kind, tagged) {
                (MIXED, _) => tag % 6,
                (_, true) if tag % 2 == 0 => 0,
                _ => kind,
            };
            let word = match Kind::from_code(tag) {
                Some(Kind::Null) | None => 0,
                Some(Kind::Boolean) => word % 2,
                Some(Kind::Integer | Kind::Real) => word,
                Some(Kind::Text | Kind::Blob) => {
                    let left = heap.len() - used;
                    let length = word as usize % (left + 1);
                    let start = used;
                    used += length;
                    start as u64 | (length as u64) << 32
                }
            };
            if tagged {
                column.tags.push(tag);
            }
            column.words.extend(word.to_le_bytes());
        }
        if matches!(kind, 3 | 4 | MIXED) {
            column.heap = heap;
        }
        column
    }
}

fn spoil(batch: &mut Batch, wrong: &Wrong) {
    let (index, row) = match wrong {
        Wrong::Rows(rows) => {
            batch.rows = *rows;
            return;
        }
        Wrong::Kind(index, _) | Wrong::Cut(index, _) => (*index, 0),
        Wrong::Tag(index, row, _) | Wrong::Word(index, row, _) => (*index, usize::from(*row)),
    };
    let count = batch.columns.len().max(1);
    let Some(column) = batch.columns.get_mut(usize::from(index) % count) else { return };
    match wrong {
        Wrong::Rows(_) => {}
        Wrong::Kind(_, kind) => column.kind = *kind,
        Wrong::Tag(_, _, tag) => {
            if let Some(place) = column.tags.get_mut(row) {
                *place = *tag;
            }
        }
        Wrong::Word(_, _, word) => {
            if let Some(place) = column.words.get_mut(row * 8..row * 8 + 8) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        }
        Wrong::Cut(_, by) => column.words.truncate(column.words.len().saturating_sub(usize::from(*by))),
    }
}

/// What is done to a builder.
#[derive(Arbitrary, Debug)]
enum Push<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
    /// Ends the batch and gives its buffers back.
    Finish,
    Clear,
}

/// Pushes cells and reads the same ones back.
fn build(pushes: &[Push<'_>]) {
    const COLUMNS: usize = 3;
    let mut builder = BatchBuilder::new(COLUMNS);
    let mut cells: Vec<Cell<'_>> = Vec::new();
    for push in pushes {
        let cell = match push {
            Push::Null => Cell::Null,
            Push::Boolean(value) => Cell::Boolean(*value),
            Push::Integer(value) => Cell::Integer(*value),
            Push::Real(value) => Cell::Real(*value),
            Push::Text(value) => Cell::Text(value),
            Push::Blob(value) => Cell::Blob(value),
            Push::Clear => {
                builder.clear();
                cells.clear();
                continue;
            }
            Push::Finish => {
                finish(&mut builder, &mut cells, COLUMNS);
                continue;
            }
        };
        builder.push(cells.len() % COLUMNS, cell).expect("little was pushed");
        cells.push(cell);
    }
    finish(&mut builder, &mut cells, COLUMNS);
}

fn finish<'a>(builder: &mut BatchBuilder, cells: &mut Vec<Cell<'a>>, columns: usize) {
    while cells.len() % columns != 0 {
        builder.push_null(cells.len() % columns);
        cells.push(Cell::Null);
    }
    assert_eq!(builder.rows() * columns, cells.len());
    assert!(builder.is_even());
    let checked = builder.finish().check().expect("what the builder makes is right");
    assert!(builder.is_empty());
    for (index, cell) in cells.drain(..).enumerate() {
        assert!(same(cell, checked.raw(index / columns, index % columns)), "cell {index}: {cell:?}");
    }
    builder.recycle(checked.into_batch());
    assert_eq!((builder.rows(), builder.bytes()), (0, 0));
}
