//! Rows spread evenly over a table: the same ones every time. Reads all keys once, and the rows that are wanted.

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use super::cells;
use super::layout::Layout;
use super::run::count;
use super::statements;
use crate::db::{DbError, ErrorCode, Session, Value};

/// Keys that are read at once.
const KEYS: u32 = 4096;
const KEY_BYTES: usize = 1 << 20;

/// Reads so many rows, or all if there are fewer, and no more once they take so many bytes.
pub(super) fn read(
    session: &mut dyn Session,
    layout: &Layout,
    rows: u32,
    bytes: usize,
) -> Result<CheckedBatch, DbError> {
    let wanted = spread(count(session, layout)?, u64::from(rows));
    let mut sampled = BatchBuilder::new(layout.selected.len());
    for key in keys(session, layout, &wanted)? {
        let cursor = session.open_cursor(&statements::at(layout), &key)?;
        let fetched = session.fetch(cursor, rows, bytes, &mut sampled);
        session.close_cursor(cursor);
        fetched?;
        if sampled.bytes() >= bytes {
            break;
        }
    }
    sampled.finish().check().map_err(|error| DbError::new(ErrorCode::Value, error.to_string()))
}

/// Returns the numbers, from 0, of the rows that are wanted out of all.
fn spread(all: u64, wanted: u64) -> Vec<u64> {
    let wanted = wanted.min(all);
    // In the middle of each part, so that neither end weighs more than the rest.
    let middle = |part: u64| (u128::from(all) * (2 * u128::from(part) + 1) / (2 * u128::from(wanted))) as u64;
    (0..wanted).map(middle).collect()
}

/// Returns the scan keys of the rows with these numbers, which ascend.
fn keys(session: &mut dyn Session, layout: &Layout, wanted: &[u64]) -> Result<Vec<Vec<Value>>, DbError> {
    let Some(last) = wanted.last() else { return Ok(Vec::new()) };
    let cursor = session.open_cursor(&statements::keys(layout), &[])?;
    let mut found = Vec::with_capacity(wanted.len());
    let mut read = || {
        let mut wanted = wanted.iter().peekable();
        let mut passed = 0;
        while passed <= *last {
            let mut keys = BatchBuilder::new(layout.scan.len());
            let more = session.fetch(cursor, KEYS, KEY_BYTES, &mut keys)?;
            let batch = keys.finish().check().map_err(|error| DbError::new(ErrorCode::Value, error.to_string()))?;
            let end = passed + batch.rows() as u64;
            while let Some(number) = wanted.next_if(|number| **number < end) {
                found.push(cells::values(&batch, (number - passed) as usize, 0..layout.scan.len()));
            }
            passed = end;
            if !more {
                break;
            }
        }
        Ok(())
    };
    let done = read();
    session.close_cursor(cursor);
    done.map(|()| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_evenly() {
        let cases: [(u64, u64, &[u64]); 6] = [
            (0, 5, &[]),
            (3, 5, &[0, 1, 2]),
            (10, 1, &[5]),
            (10, 5, &[1, 3, 5, 7, 9]),
            (1_000_000, 4, &[125_000, 375_000, 625_000, 875_000]),
            (10, 0, &[]),
        ];
        for (all, wanted, expected) in cases {
            assert_eq!(spread(all, wanted), expected, "{wanted} of {all}");
        }
    }
}
