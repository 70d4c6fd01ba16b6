//! Writes what came out of a batch. Leaves rows aside that cannot be written, where that is wanted.

use whimbrel_packed::CheckedBatch;

use super::cells;
use super::guest::Piece;
use super::layout::Layout;
use crate::db::{ColumnSlice, DbError, Session, StatementId};

/// What became of the rows of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// Rows that the database says it changed.
    pub(super) written: u64,
    /// Rows that came out as they went in, or that the database left as they were: ON CONFLICT IGNORE, RAISE(IGNORE).
    pub(super) unchanged: u64,
}

/// A row that cannot be written: its number in the batch, and why.
pub(super) struct Refused {
    pub(super) row: usize,
    pub(super) error: DbError,
}

/// Updates the rows that came out changed. Without `skip` the first row that cannot be written is an error.
pub(super) fn update(
    session: &mut dyn Session,
    layout: &Layout,
    statement: StatementId,
    rows: &CheckedBatch,
    piece: &Piece,
    skip: bool,
    refused: &mut Vec<Refused>,
) -> Result<Written, Refused> {
    let first = piece.from.first().map_or(0, |row| *row as usize);
    let changed = changed(layout, rows, piece, first);
    let mut columns: Vec<ColumnSlice<'_>> =
        piece.out.columns().iter().map(|column| ColumnSlice { column, first: 0 }).collect();
    columns.extend(layout.scan.iter().map(|(_, key)| ColumnSlice { column: &rows.columns()[*key], first }));
    let broken = |error: DbError| Refused { row: first + changed.first().map_or(0, |row| *row as usize), error };
    let (mut written, before) = (0, refused.len());
    // Rows still to be written, the next ones last.
    let mut left = vec![changed.as_slice()];
    while let Some(rows) = left.pop() {
        if rows.is_empty() {
            continue;
        }
        // It makes SQLite keep a copy of each page that is written, so it is there only where it is needed.
        let savepoint = if skip && layout.stops_halfway { Some(session.savepoint().map_err(broken)?) } else { None };
        let mut done = 0;
        match session.write_rows(statement, &columns, rows, &mut done) {
            Ok(()) => {
                if let Some(savepoint) = savepoint {
                    session.release(savepoint).map_err(broken)?;
                }
                written += done;
            }
            Err(error) => {
                let (at, refusal) = at(&error, rows, first);
                if !skip || !goes_on(session, &error) {
                    return Err(refusal);
                }
                refused.push(refusal);
                left.push(&rows[at + 1..]);
                match savepoint {
                    None => written += done,
                    Some(savepoint) => {
                        // The rows before it go with the part of it that was done, and are written once more.
                        session.rollback_to(savepoint).map_err(broken)?;
                        left.push(&rows[..at]);
                    }
                }
            }
        }
    }
    let kept = (piece.out.rows() - (refused.len() - before)) as u64;
    Ok(Written { written, unchanged: kept.saturating_sub(written) })
}

/// Tells whether other rows may still be written. After a RAISE(ROLLBACK) there is no transaction to write them in, and
/// whatever came next would be blamed.
fn goes_on(session: &dyn Session, error: &DbError) -> bool {
    error.code.is_of_row() && session.in_transaction()
}

/// Returns where in `left` the error struck, and the refusal of that row.
fn at(error: &DbError, left: &[u32], first: usize) -> (usize, Refused) {
    let row = error.row.unwrap_or(left[0]);
    let at = left.binary_search(&row).unwrap_or(0);
    (at, Refused { row: first + row as usize, error: DbError { row: None, ..error.clone() } })
}

/// Returns the rows of the answer that differ from what is there.
fn changed(layout: &Layout, rows: &CheckedBatch, piece: &Piece, first: usize) -> Vec<u32> {
    let pairs: Vec<_> =
        layout.current.iter().zip(piece.out.columns()).map(|(old, new)| (&rows.columns()[*old], new)).collect();
    (0..piece.out.rows())
        .filter(|row| pairs.iter().any(|(old, new)| !cells::same(old, first + row, new, *row)))
        .filter_map(|row| u32::try_from(row).ok())
        .collect()
}

/// Adds the rows that came out to another table: all that come from one row, or none of them.
pub(super) fn insert(
    session: &mut dyn Session,
    layout: &Layout,
    statement: StatementId,
    piece: &Piece,
    skip: bool,
    refused: &mut Vec<Refused>,
) -> Result<Written, Refused> {
    let columns: Vec<ColumnSlice<'_>> =
        piece.out.columns()[1..].iter().map(|column| ColumnSlice { column, first: 0 }).collect();
    let mut left: Vec<u32> = (0..u32::try_from(piece.out.rows()).unwrap_or(u32::MAX)).collect();
    let from = |row: u32| piece.from.get(row as usize).map_or(0, |from| *from as usize);
    let broken = |error: DbError| Refused { row: piece.from.first().map_or(0, |row| *row as usize), error };
    loop {
        if left.is_empty() {
            return Ok(Written::default());
        }
        // What comes from one row is written as a whole, so it must be possible to take it back.
        let savepoint = if skip { Some(session.savepoint().map_err(broken)?) } else { None };
        let mut written = 0;
        match session.write_rows(statement, &columns, &left, &mut written) {
            Ok(()) => {
                if let Some(savepoint) = savepoint {
                    session.release(savepoint).map_err(broken)?;
                }
                let all = left.len() as u64;
                let written = if layout.into_view { all } else { written };
                return Ok(Written { written, unchanged: all.saturating_sub(written) });
            }
            Err(error) => {
                let origin = from(error.row.unwrap_or(left[0]));
                let refusal = Refused { row: origin, error: DbError { row: None, ..error.clone() } };
                let Some(savepoint) = savepoint.filter(|_| goes_on(session, &error)) else { return Err(refusal) };
                session.rollback_to(savepoint).map_err(broken)?;
                refused.push(refusal);
                left.retain(|row| from(*row) != origin);
            }
        }
    }
}
