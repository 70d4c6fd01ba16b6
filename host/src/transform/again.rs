//! Rows that were kept aside, transformed once more: found by their keys, one by one.

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use super::error::TransformError;
use super::guest::Apply;
use super::pipeline::Lost;
use super::run::{BATCH_BYTES, BATCH_ROWS, Progress, Runner};
use super::statements;
use crate::db::{DbError, ErrorCode, Session, Value};

impl<A: Apply> Runner<'_, A> {
    /// Transforms the rows with these keys; returns how many of them are not there any more, or are none of those that
    /// the transform reads.
    pub fn retry(
        &mut self,
        session: &mut dyn Session,
        keys: &[Vec<Value>],
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<u64, TransformError<A::Error>> {
        let statement =
            session.prepare(&self.run.layout.write).map_err(|error| self.cannot("prepare to write", error))?;
        let mut gone = 0;
        let mut keys = keys.iter();
        loop {
            let (batch, read, missing) = self.find(session, &mut keys)?;
            gone += missing;
            if batch.rows() > 0 {
                self.pool.send(batch);
                let mapped = self.pool.receive().map_err(|lost| match lost {
                    Lost::Start(source) => TransformError::Start { source },
                    Lost::Panicked => TransformError::Interrupted,
                })?;
                for (level, line) in &mapped.lines {
                    tell(Progress::Line(*level, line));
                }
                if self.run.interrupt.is_raised() {
                    return Err(TransformError::Interrupted);
                }
                self.write(session, statement, mapped)?;
                tell(Progress::Written(&self.counts()));
            }
            if read == 0 {
                session.close_statement(statement);
                return Ok(gone);
            }
        }
    }

    /// Reads the rows of the next keys into one batch; tells how many keys that were, and how many have no row.
    fn find<'k>(
        &self,
        session: &mut dyn Session,
        keys: &mut impl Iterator<Item = &'k Vec<Value>>,
    ) -> Result<(CheckedBatch, usize, u64), TransformError<A::Error>> {
        let layout = self.run.layout;
        let sql = statements::one(layout);
        let mut rows = BatchBuilder::new(layout.selected.len());
        let (mut read, mut gone) = (0, 0);
        let mut one = |key: &[Value], rows: &mut BatchBuilder| {
            let mut params = key.to_vec();
            params.push(Value::Integer(1));
            let before = rows.rows();
            let cursor = session.open_cursor(&sql, &params)?;
            let fetched = session.fetch(cursor, BATCH_ROWS + 1, BATCH_BYTES, rows);
            session.close_cursor(cursor);
            fetched?;
            gone += u64::from(rows.rows() == before);
            Ok::<(), DbError>(())
        };
        for key in keys.by_ref().take(BATCH_ROWS as usize) {
            one(key, &mut rows).map_err(|error| self.cannot("read", error))?;
            read += 1;
            if rows.bytes() >= BATCH_BYTES {
                break;
            }
        }
        let batch = rows.finish().check();
        let batch = batch.map_err(|error| DbError::new(ErrorCode::Value, error.to_string()));
        Ok((batch.map_err(|error| self.cannot("read", error))?, read, gone))
    }
}
