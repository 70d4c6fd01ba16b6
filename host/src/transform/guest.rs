//! One batch through the guest: calls it, checks the answer, and finds the rows that it cannot transform.

use whimbrel_packed::{CheckedBatch, CheckedColumn};

use super::cells;
use crate::db::{NOT_A_NUMBER, not_a_number};
use crate::log_level::LogLevel;

/// A line of log of a guest.
pub type Line = (LogLevel, String);

/// One instance of a transform. One thread at a time has it, and not always the same one.
pub trait Apply: Send {
    /// Why it stopped.
    type Error: std::error::Error + Send + 'static;
    /// Transforms a batch of these columns.
    fn apply(&mut self, rows: usize, columns: &[&CheckedColumn]) -> Result<CheckedBatch, ApplyError<Self::Error>>;
    /// Takes what was logged since the last time.
    fn take_lines(&mut self) -> Vec<Line>;
    /// Returns the fuel burnt so far.
    fn fuel(&self) -> u64;
}

/// Why a batch was not transformed.
#[derive(Debug)]
pub enum ApplyError<E> {
    /// The guest says so.
    Failed {
        /// The row at fault, if it is a single one.
        row: Option<u32>,
        /// The guest's words.
        message: String,
    },
    /// The answer is no batch.
    Malformed(String),
    /// The guest stopped.
    Stopped(E),
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Mapped<E> {
    /// The rows as they were read.
    pub(super) rows: CheckedBatch,
    /// What was made of them, in order.
    pub(super) pieces: Vec<Piece>,
    /// Rows that cannot be transformed, with the guest's words.
    pub(super) rejects: Vec<(usize, String)>,
    /// Why it went no further.
    pub(super) stop: Option<Stop<E>>,
    pub(super) lines: Vec<Line>,
    /// Fuel the instance has burnt, this batch included.
    pub(super) fuel: u64,
}

/// Why a batch went no further.
#[derive(Debug)]
pub(super) enum Stop<E> {
    /// The answer cannot be used.
    Answer(String),
    /// The guest stopped.
    Guest(E),
}

/// Rows that came out of one call.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) out: CheckedBatch,
    /// The row of the batch that each comes from.
    pub(super) from: Vec<u32>,
}

/// What is asked of a guest.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Columns that it is given.
    pub(super) read: Vec<usize>,
    /// Names of the columns that it gives back.
    pub(super) write: Vec<String>,
    pub(super) in_place: bool,
    /// Rows that cannot be transformed are left out.
    pub(super) skip: bool,
}

/// Has a batch transformed. With `skip`, a row at fault is left out and the others are tried again.
pub(super) fn map<A: Apply>(guest: &mut A, rows: CheckedBatch, asked: &Asked) -> Mapped<A::Error> {
    let mut pieces = Vec::new();
    let mut rejects = Vec::new();
    let mut stop = None;
    // Ranges still to be done, the next one last.
    let mut left = Vec::new();
    left.push(0..rows.rows());
    while let Some(range) = left.pop() {
        if range.is_empty() {
            continue;
        }
        match call(guest, &rows, range.clone(), asked) {
            Ok(made) => {
                pieces.extend(made.pieces);
                rejects.extend(made.rejects);
                if !asked.skip && !rejects.is_empty() {
                    break;
                }
            }
            Err(ApplyError::Failed { row: Some(row), message }) if (row as usize) < range.len() => {
                let row = range.start + row as usize;
                rejects.push((row, message));
                if !asked.skip {
                    break;
                }
                left.push(row + 1..range.end);
                left.push(range.start..row);
            }
            Err(ApplyError::Failed { row: None, message }) => {
                stop = Some(Stop::Answer(message));
                break;
            }
            Err(ApplyError::Failed { row: Some(row), .. }) => {
                stop = Some(Stop::Answer(format!("it blames row {row}, and there are {}", range.len())));
                break;
            }
            Err(ApplyError::Malformed(reason)) => {
                stop = Some(Stop::Answer(reason));
                break;
            }
            Err(ApplyError::Stopped(error)) => {
                stop = Some(Stop::Guest(error));
                break;
            }
        }
    }
    rejects.sort_by_key(|(row, _)| *row);
    Mapped { pieces, rejects, stop, lines: guest.take_lines(), fuel: guest.fuel(), rows }
}

/// What one call made: rows, and rows of which nothing can be kept.
struct Made {
    pieces: Vec<Piece>,
    rejects: Vec<(usize, String)>,
}

fn call<A: Apply>(
    guest: &mut A,
    rows: &CheckedBatch,
    range: std::ops::Range<usize>,
    asked: &Asked,
) -> Result<Made, ApplyError<A::Error>> {
    let whole = range.len() == rows.rows();
    let part = if whole { None } else { cells::part(rows, range.clone()) };
    let batch = part.as_ref().unwrap_or(rows);
    let columns: Vec<&CheckedColumn> = asked.read.iter().map(|column| &batch.columns()[*column]).collect();
    let out = guest.apply(batch.rows(), &columns)?;
    let from = check(&out, range.len(), asked).map_err(ApplyError::Malformed)?;
    let first = u32::try_from(range.start).unwrap_or(u32::MAX);
    let from: Vec<u32> = from.into_iter().map(|row| row + first).collect();
    without_not_a_number(Piece { out, from }, asked)
        .ok_or_else(|| ApplyError::Malformed("it cannot be taken apart".to_owned()))
}

/// Leaves out the rows of which a NaN was made. They are known all at once, so the others are not asked for again.
fn without_not_a_number(piece: Piece, asked: &Asked) -> Option<Made> {
    let found = not_a_number::find_rows(&piece.out);
    if found.is_empty() {
        return Some(Made { pieces: vec![piece], rejects: Vec::new() });
    }
    let Piece { out, from } = piece;
    let mut rejects: Vec<(usize, String)> = Vec::with_capacity(found.len());
    for (row, column) in found {
        let row = from[row] as usize;
        // Several rows may come from one.
        if rejects.last().is_none_or(|(last, _)| *last != row) {
            let name = &asked.write[column - usize::from(!asked.in_place)];
            rejects.push((row, format!("{name} of what it made of the row {NOT_A_NUMBER}")));
        }
    }
    let is_kept = |row: usize| rejects.binary_search_by_key(&(from[row] as usize), |(row, _)| *row).is_err();
    let mut pieces = Vec::new();
    let mut begins = 0;
    for row in 0..=out.rows() {
        if row < out.rows() && is_kept(row) {
            continue;
        }
        if begins < row {
            pieces.push(Piece { out: cells::part(&out, begins..row)?, from: from[begins..row].to_vec() });
        }
        begins = row + 1;
    }
    Some(Made { pieces, rejects })
}

/// Checks that the answer has the rows and columns that were asked for; returns where each row comes from.
fn check(out: &CheckedBatch, rows: usize, asked: &Asked) -> Result<Vec<u32>, String> {
    let columns = asked.write.len() + usize::from(!asked.in_place);
    if out.columns().len() != columns {
        return Err(format!("it has {} columns, and there should be {columns}", out.columns().len()));
    }
    if !asked.in_place {
        return cells::origins(&out.columns()[0], out.rows(), rows);
    }
    if out.rows() != rows {
        return Err(format!("{rows} rows went in, and {} came out", out.rows()));
    }
    Ok((0..u32::try_from(rows).unwrap_or(u32::MAX)).collect())
}

#[cfg(test)]
mod tests {
    use whimbrel_packed::{BatchBuilder, Cell};

    use super::*;
    use crate::db::DbError;

    /// Gives back what it is given, and NaN for 2; into another table the number of the row before it.
    struct Echo {
        in_place: bool,
        calls: usize,
    }

    impl Apply for Echo {
        type Error = DbError;

        fn apply(&mut self, rows: usize, columns: &[&CheckedColumn]) -> Result<CheckedBatch, ApplyError<DbError>> {
            self.calls += 1;
            let first = usize::from(!self.in_place);
            let mut out = BatchBuilder::new(1 + first);
            for row in 0..rows {
                if !self.in_place {
                    out.push_integer(0, row as i64);
                }
                let Cell::Real(value) = columns[0].cell(row) else { panic!("a real went in") };
                out.push_real(first, if value == 2.0 { f64::NAN } else { value });
            }
            Ok(out.finish_checked())
        }

        fn take_lines(&mut self) -> Vec<Line> {
            Vec::new()
        }

        fn fuel(&self) -> u64 {
            0
        }
    }

    #[test]
    fn a_row_of_which_nan_was_made_cannot_be_transformed() {
        for in_place in [true, false] {
            let mut rows = BatchBuilder::new(1);
            [1.0, 2.0, 3.0, 2.0, 5.0].into_iter().for_each(|value| rows.push_real(0, value));
            let asked = Asked { read: vec![0], write: vec!["price".to_owned()], in_place, skip: true };
            let mut echo = Echo { in_place, calls: 0 };
            let mapped = map(&mut echo, rows.finish_checked(), &asked);
            assert_eq!(echo.calls, 1);
            assert!(mapped.stop.is_none());
            let reason = "price of what it made of the row is NaN, which no column holds: write NULL for nothing";
            assert_eq!(mapped.rejects, [(1, reason.to_owned()), (3, reason.to_owned())], "in place: {in_place}");
            let from: Vec<u32> = mapped.pieces.iter().flat_map(|piece| piece.from.clone()).collect();
            assert_eq!(from, [0, 2, 4], "in place: {in_place}");
        }
    }
}
