//! Finds what guests must not hand over as a real: NaN, which SQLite would store as NULL without a word.

use whimbrel_packed::{CheckedBatch, CheckedColumn, Kind};

use super::{DbError, ErrorCode, NOT_A_NUMBER, Value};

/// Bits of a real without its sign: beyond those of infinity they are a NaN's.
const MAGNITUDE: u64 = u64::MAX >> 1;
const INFINITY: u64 = f64::INFINITY.to_bits();

/// Refuses parameters of which one is NaN, with an error that counts them from 1.
pub(crate) fn refuse_in_values(params: &[Value]) -> Result<(), DbError> {
    match params.iter().position(|value| matches!(value, Value::Real(real) if real.is_nan())) {
        None => Ok(()),
        Some(index) => Err(parameter(index)),
    }
}

/// Refuses rows of parameters of which one is NaN, with an error that names its row.
pub(crate) fn refuse_in_rows(rows: &CheckedBatch) -> Result<(), DbError> {
    match find(rows) {
        None => Ok(()),
        Some((row, column)) => Err(DbError { row: u32::try_from(row).ok(), ..parameter(column) }),
    }
}

/// Returns row and column of a NaN, the first one of the first column that has any.
pub(crate) fn find(rows: &CheckedBatch) -> Option<(usize, usize)> {
    let columns = rows.columns().iter().enumerate();
    columns.filter_map(|(index, column)| Some((in_column(column)?, index))).next()
}

/// Returns the rows that have a NaN, in order, each with its first column that is one.
pub(crate) fn find_rows(rows: &CheckedBatch) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (index, column) in rows.columns().iter().enumerate() {
        let Some(first) = in_column(column) else { continue };
        let is_one = |row: &usize| column.kind(*row) == Kind::Real && is_nan(column.words()[*row]);
        found.extend((first..rows.rows()).filter(is_one).map(|row| (row, index)));
    }
    found.sort_unstable();
    found.dedup_by_key(|(row, _)| *row);
    found
}

fn in_column(column: &CheckedColumn) -> Option<usize> {
    match column.only_kind() {
        // The word of a null is 0, so tags need no look. Nearly always there is none: that is found out without a branch a row.
        Some(Kind::Real) => {
            let any = column.words().iter().fold(false, |any, word| any | is_nan(*word));
            any.then(|| column.words().iter().position(|word| is_nan(*word))).flatten()
        }
        Some(_) => None,
        None => {
            let mut cells = column.tags().iter().zip(column.words());
            cells.position(|(tag, word)| *tag == Kind::Real.code() && is_nan(*word))
        }
    }
}

fn is_nan(word: [u8; 8]) -> bool {
    u64::from_le_bytes(word) & MAGNITUDE > INFINITY
}

fn parameter(index: usize) -> DbError {
    DbError::new(ErrorCode::Value, format!("parameter {} {NOT_A_NUMBER}", index + 1))
}

#[cfg(test)]
mod tests {
    use whimbrel_packed::{BatchBuilder, Cell};

    use super::*;

    fn rows(cells: &[[Cell<'_>; 2]]) -> CheckedBatch {
        let mut rows = BatchBuilder::new(2);
        for row in cells {
            for (column, cell) in row.iter().enumerate() {
                rows.push(column, *cell).unwrap();
            }
        }
        rows.finish_checked()
    }

    #[test]
    fn a_nan_is_found_wherever_it_is() {
        let negative = f64::from_bits(f64::NAN.to_bits() | 1 << 63 | 1);
        let (one, nan) = (Cell::Real(1.0), Cell::Real(f64::NAN));
        let bits = Cell::Integer(f64::NAN.to_bits().cast_signed());
        for (cells, found) in [
            (vec![], None),
            (vec![[one, Cell::Real(f64::INFINITY)], [Cell::Null, Cell::Real(f64::NEG_INFINITY)]], None),
            (vec![[one, one], [one, nan]], Some((1, 1))),
            (vec![[Cell::Null, one], [Cell::Real(negative), nan]], Some((1, 0))),
            (vec![[bits, Cell::Text("a")], [bits, one], [bits, nan]], Some((2, 1))),
            (vec![[bits, bits], [one, bits]], None),
        ] {
            assert_eq!(find(&rows(&cells)), found, "{cells:?}");
            assert_eq!(find_rows(&rows(&cells)).is_empty(), found.is_none(), "{cells:?}");
        }
        assert_eq!(
            find_rows(&rows(&[[one, nan], [one, one], [nan, nan], [Cell::Null, nan]])),
            [(0, 1), (2, 0), (3, 1)]
        );
    }

    #[test]
    fn the_parameter_and_the_row_are_named() {
        let error = refuse_in_values(&[Value::Null, Value::Real(f64::NAN)]).unwrap_err();
        assert_eq!(error.code, ErrorCode::Value);
        assert_eq!(error.message, "parameter 2 is NaN, which no column holds: write NULL for nothing");
        let error = refuse_in_rows(&rows(&[[Cell::Null; 2], [Cell::Real(f64::NAN), Cell::Null]])).unwrap_err();
        assert_eq!((error.row, error.code), (Some(1), ErrorCode::Value));
        assert!(error.message.starts_with("parameter 1 is NaN"));
        assert!(refuse_in_values(&[Value::Real(f64::INFINITY)]).is_ok());
    }
}
