//! Properties: what is built can be read, and nothing that comes from outside makes the check panic.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::collection::vec;
use proptest::prelude::*;
use whimbrel_packed::{Batch, BatchBuilder, Cell, Column, RawCell};

#[derive(Clone, Debug)]
enum Owned {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(u64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Boolean(value) => Cell::Boolean(*value),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(bits) => Cell::Real(f64::from_bits(*bits)),
            Self::Text(value) => Cell::Text(value),
            Self::Blob(value) => Cell::Blob(value),
        }
    }

    /// Floats by their bits, because NaN is not equal to itself.
    fn is(&self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Real(bits), Cell::Real(value)) => *bits == value.to_bits(),
            _ => self.cell() == cell,
        }
    }
}

fn any_cell() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Null),
        any::<bool>().prop_map(Owned::Boolean),
        any::<i64>().prop_map(Owned::Integer),
        any::<u64>().prop_map(Owned::Real),
        ".{0,40}".prop_map(Owned::Text),
        vec(any::<u8>(), 0..80).prop_map(Owned::Blob),
    ]
}

fn one_kind_or_null() -> impl Strategy<Value = Vec<Owned>> {
    let column = |cell: BoxedStrategy<Owned>| vec(prop_oneof![3 => cell, 1 => Just(Owned::Null)], 12);
    prop_oneof![
        column(any::<i64>().prop_map(Owned::Integer).boxed()),
        column(".{0,40}".prop_map(Owned::Text).boxed()),
        column(vec(any::<u8>(), 0..80).prop_map(Owned::Blob).boxed()),
        vec(any_cell(), 12),
    ]
}

fn any_column() -> impl Strategy<Value = Column> {
    let kind = prop_oneof![0_u8..6, Just(255), any::<u8>()];
    let tags = prop_oneof![Just(Vec::new()), vec(0_u8..7, 0..4)];
    let word =
        prop_oneof![any::<u64>(), (0_u64..8, 0_u64..8).prop_map(|(offset, length)| offset | length << 32), Just(0)];
    let words = vec(word, 0..4).prop_map(|words| words.iter().flat_map(|word| word.to_le_bytes()).collect());
    (kind, tags, words, vec(any::<u8>(), 0..8)).prop_map(|(kind, tags, words, heap)| Column { kind, tags, words, heap })
}

proptest! {
    #[test]
    fn what_is_built_can_be_read(columns in vec(one_kind_or_null(), 1..4)) {
        let mut builder = BatchBuilder::new(columns.len());
        for row in 0..12 {
            for (index, column) in columns.iter().enumerate() {
                builder.push(index, column[row].cell()).unwrap();
            }
        }
        let unchecked = builder.clone().finish_checked();
        let batch = builder.finish();
        let checked = batch.clone().check().unwrap();
        for (index, column) in columns.iter().enumerate() {
            for (row, owned) in column.iter().enumerate() {
                prop_assert!(owned.is(checked.cell(row, index)), "row {} column {}", row, index);
                prop_assert!(owned.is(unchecked.cell(row, index)), "row {} column {}", row, index);
            }
        }
        prop_assert_eq!(checked.into_batch(), batch.clone());
        prop_assert_eq!(unchecked.into_batch(), batch);
    }

    #[test]
    fn checking_never_panics_and_reading_what_passed_neither(rows in 0_u32..4, columns in vec(any_column(), 0..3)) {
        if let Ok(checked) = (Batch { rows, columns }).check() {
            for row in 0..checked.rows() {
                for column in 0..checked.columns().len() {
                    let (cell, raw) = (checked.cell(row, column), checked.raw(row, column));
                    if let (Cell::Text(text), RawCell::Text(bytes)) = (cell, raw) {
                        prop_assert_eq!(text.as_bytes(), bytes);
                    }
                }
            }
        }
    }
}
