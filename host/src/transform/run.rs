//! Runs a transform inside whatever transaction is open: reads by key, has batches transformed, writes in order.

use std::fmt;
use std::thread::scope;

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use super::cells;
use super::error::TransformError;
use super::guest::{Apply, Asked, Mapped, Stop};
use super::layout::Layout;
use super::pipeline::{Lost, Pool, Start};
use super::statements;
use super::write::{self, Refused};
use crate::db::{DbError, ErrorCode, Session, StatementId, Value};
use crate::interrupt::Interrupt;
use crate::log_level::LogLevel;
use crate::model::OnError;

/// Rows and bytes that go through the guest at once.
pub(super) const BATCH_ROWS: u32 = 1024;
pub(super) const BATCH_BYTES: usize = 1 << 20;

/// What has become of rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Rows read.
    pub rows: u64,
    /// Rows updated, or put into another table.
    pub written: u64,
    /// Rows that came out as they went in, or that the database left as they were.
    pub unchanged: u64,
    /// Rows kept aside.
    pub rejected: u64,
}

/// A row kept aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    /// Its key, for people: `id 17`.
    pub key: String,
    /// The values of its key.
    pub key_values: Vec<Value>,
    /// The values that the guest was given.
    pub values: Vec<Value>,
    /// Why it could not be transformed.
    pub reason: String,
}

/// What is told while a transform runs.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// The guest logged a line.
    Line(LogLevel, &'a str),
    /// A batch is written.
    Written(&'a Counts),
}

/// How a transform is to be run.
#[derive(Debug)]
pub struct Run<'a> {
    /// What is read and written.
    pub layout: &'a Layout,
    /// What happens to a row that cannot be transformed.
    pub on_error: OnError,
    /// Instances at work at the same time.
    pub jobs: usize,
    /// Stops it.
    pub interrupt: &'a Interrupt,
}

/// A transform under way: instances at work, and how far it is.
pub struct Runner<'r, A: Apply> {
    pub(super) run: &'r Run<'r>,
    pub(super) pool: Pool<'r, A>,
    /// The scan key of the last row read.
    position: Option<Vec<Value>>,
    counts: Counts,
    rejects: Vec<Reject>,
}

impl<A: Apply> fmt::Debug for Runner<'_, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Runner")
            .field("position", &self.position)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Starts the instances, and has `work` run the transform with them.
pub fn with_runner<A, R>(
    run: &Run<'_>,
    start: &(dyn Fn(&Interrupt) -> Result<A, A::Error> + Sync),
    position: Option<Vec<Value>>,
    counts: Counts,
    work: impl FnOnce(&mut Runner<'_, A>) -> Result<R, TransformError<A::Error>>,
) -> Result<R, TransformError<A::Error>>
where
    A: Apply,
{
    let layout = run.layout;
    let asked = Asked {
        read: layout.read.clone(),
        write: layout.write_names.clone(),
        in_place: layout.in_place,
        skip: matches!(run.on_error, OnError::Skip { .. }),
    };
    let start: Start<'_, A> = start;
    scope(|scope| {
        let pool = Pool::start(scope, run.jobs.max(1), asked, run.interrupt, start);
        work(&mut Runner { run, pool, position, counts, rejects: Vec::new() })
    })
}

/// Counts the rows that a transform is going to read.
pub fn count(session: &mut dyn Session, layout: &Layout) -> Result<u64, DbError> {
    let rows = super::table::rows(session, &statements::count(layout), &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(count)) => Ok(u64::try_from(*count).unwrap_or(0)),
        _ => Ok(0),
    }
}

/// Returns the scan key of the last row that a transform is going to read.
pub fn last(session: &mut dyn Session, layout: &Layout) -> Result<Option<Vec<Value>>, DbError> {
    Ok(super::table::rows(session, &statements::last(layout), &[])?.into_iter().next())
}

impl<A: Apply> Runner<'_, A> {
    /// Returns what has become of rows so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the fuel burnt so far.
    pub fn fuel(&self) -> u64 {
        self.pool.fuel()
    }

    /// Returns the scan key of the last row read.
    pub fn position(&self) -> Option<&[Value]> {
        self.position.as_deref()
    }

    /// Goes on from somewhere else.
    pub fn resume(&mut self, position: Option<Vec<Value>>, counts: Counts) {
        self.position = position;
        self.counts = counts;
        self.rejects.clear();
    }

    /// Takes the rows kept aside since the last time.
    pub fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }

    /// Refuses rows that could not be found again.
    pub fn check_keys(&self, session: &mut dyn Session) -> Result<(), TransformError<A::Error>> {
        let layout = self.run.layout;
        let names = || layout.shown.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let any = |session: &mut dyn Session, sql: String| {
            let rows = super::table::rows(session, &sql, &[]).map_err(|error| self.cannot("read the keys of", error));
            rows.map(|rows| !rows.is_empty())
        };
        // An INDEXED BY helps to scan by the key, not to look for nulls.
        let from = layout.from.split(" INDEXED BY ").next().unwrap_or(&layout.from);
        if let Some(null) = &layout.null_key
            && any(session, format!("SELECT 1 FROM {from} WHERE {null} LIMIT 1"))?
        {
            return Err(TransformError::NullKey { table: layout.source.clone(), key: names() });
        }
        if let Some(key) = &layout.same_key
            && any(session, format!("SELECT 1 FROM {from} GROUP BY {key} HAVING count(*) > 1 LIMIT 1"))?
        {
            return Err(TransformError::SameKey { table: layout.source.clone(), key: names() });
        }
        Ok(())
    }

    /// Transforms the next rows, at most `most`; `false` when there are no more.
    pub fn advance(
        &mut self,
        session: &mut dyn Session,
        most: Option<u64>,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<bool, TransformError<A::Error>> {
        let statement =
            session.prepare(&self.run.layout.write).map_err(|error| self.cannot("prepare to write", error))?;
        let mut left = most.unwrap_or(u64::MAX);
        let mut more = true;
        let mut rows = BatchBuilder::new(self.run.layout.selected.len());
        loop {
            while more && left > 0 && self.pool.has_room() {
                let batch = self.read(session, left, &mut rows)?;
                more = batch.rows() > 0;
                if more {
                    left -= batch.rows() as u64;
                    self.pool.send(batch);
                }
            }
            if self.pool.under_way() == 0 {
                session.close_statement(statement);
                return Ok(more);
            }
            let mapped = match self.pool.receive() {
                Ok(mapped) => mapped,
                Err(Lost::Start(source)) => return Err(TransformError::Start { source }),
                Err(Lost::Panicked) => return Err(TransformError::Interrupted),
            };
            for (level, line) in &mapped.lines {
                tell(Progress::Line(*level, line));
            }
            if self.run.interrupt.is_raised() {
                return Err(TransformError::Interrupted);
            }
            self.write(session, statement, mapped)?;
            tell(Progress::Written(&self.counts));
        }
    }

    /// Reads the next rows in the order of the key.
    fn read(
        &mut self,
        session: &mut dyn Session,
        most: u64,
        rows: &mut BatchBuilder,
    ) -> Result<CheckedBatch, TransformError<A::Error>> {
        let layout = self.run.layout;
        let sql = statements::scan(layout, self.position.is_some());
        let mut params = self.position.clone().unwrap_or_default();
        let limit = u32::try_from(most).unwrap_or(u32::MAX).min(BATCH_ROWS);
        params.push(Value::Integer(i64::from(limit)));
        let fetched = (|| {
            let cursor = session.open_cursor(&sql, &params)?;
            let fetched = session.fetch(cursor, limit, BATCH_BYTES, rows);
            session.close_cursor(cursor);
            fetched.map(|_| rows.finish_checked())
        })();
        let batch = fetched.map_err(|error| self.cannot_read(session, rows.rows(), error))?;
        if let Some(last) = batch.rows().checked_sub(1) {
            self.position = Some(cells::values(&batch, last, layout.scan.iter().map(|(_, column)| *column)));
        }
        Ok(batch)
    }

    pub(super) fn write(
        &mut self,
        session: &mut dyn Session,
        statement: StatementId,
        mapped: Mapped<A::Error>,
    ) -> Result<(), TransformError<A::Error>> {
        let Mapped { rows, pieces, rejects, stop, .. } = mapped;
        let skip = matches!(self.run.on_error, OnError::Skip { .. });
        if let Some(stop) = stop {
            return Err(self.stopped(&rows, stop));
        }
        if let (false, Some((row, reason))) = (skip, rejects.first()) {
            let (table, key) = (self.run.layout.source.clone(), self.key(&rows, *row));
            return Err(TransformError::Rejected { table, key, reason: reason.clone() });
        }
        let mut refused = Vec::new();
        for piece in &pieces {
            let layout = self.run.layout;
            let done = if layout.in_place {
                write::update(session, layout, statement, &rows, piece, skip, &mut refused)
            } else {
                write::insert(session, layout, statement, piece, skip, &mut refused)
            };
            let done = done.map_err(|Refused { row, error }| self.cannot_write(&rows, row, error))?;
            self.counts.written += done.written;
            self.counts.unchanged += done.unchanged;
        }
        self.counts.rows += rows.rows() as u64;
        let mut aside = rejects;
        aside.extend(refused.into_iter().map(|refused| (refused.row, refused.error.to_string())));
        aside.sort_by_key(|(row, _)| *row);
        for (row, reason) in aside {
            self.reject(&rows, row, reason)?;
        }
        Ok(())
    }

    fn reject(&mut self, rows: &CheckedBatch, row: usize, reason: String) -> Result<(), TransformError<A::Error>> {
        let layout = self.run.layout;
        self.counts.rejected += 1;
        if let OnError::Skip { max_rejects } = self.run.on_error
            && self.counts.rejected > max_rejects
        {
            let (table, key) = (layout.source.clone(), self.key(rows, row));
            return Err(TransformError::TooManyRejects { table, most: max_rejects, key, reason });
        }
        self.rejects.push(Reject {
            key: self.key(rows, row),
            key_values: cells::values(rows, row, layout.shown.iter().map(|(_, column)| *column)),
            values: cells::values(rows, row, layout.read.iter().copied()),
            reason,
        });
        Ok(())
    }

    fn key(&self, rows: &CheckedBatch, row: usize) -> String {
        cells::key_text(&self.run.layout.shown, rows, row)
    }

    fn stopped(&self, rows: &CheckedBatch, stop: Stop<A::Error>) -> TransformError<A::Error> {
        let table = self.run.layout.source.clone();
        let (first, last) = (self.key(rows, 0), self.key(rows, rows.rows().saturating_sub(1)));
        match stop {
            Stop::Answer(reason) => TransformError::Answer { table, first, last, reason },
            Stop::Guest(source) => TransformError::Guest { table, first, last, source },
        }
    }

    fn cannot_write(&self, rows: &CheckedBatch, row: usize, source: DbError) -> TransformError<A::Error> {
        let layout = self.run.layout;
        match source.code {
            ErrorCode::Interrupted => TransformError::Interrupted,
            _ => TransformError::Write {
                table: layout.source.clone(),
                key: self.key(rows, row),
                into: layout.into.clone(),
                source,
            },
        }
    }

    /// Names the row that cannot be read, which comes after so many others, if its key can be.
    fn cannot_read(&self, session: &mut dyn Session, before: usize, source: DbError) -> TransformError<A::Error> {
        if source.code != ErrorCode::Value {
            return self.cannot("read", source);
        }
        let layout = self.run.layout;
        let sql = format!("{} OFFSET {before}", statements::scan_shown(layout, self.position.is_some()));
        let mut params = self.position.clone().unwrap_or_default();
        params.push(Value::Integer(1));
        let mut keys = BatchBuilder::new(layout.shown.len());
        let found = (|| {
            let cursor = session.open_cursor(&sql, &params)?;
            let fetched = session.fetch(cursor, 1, BATCH_BYTES, &mut keys);
            session.close_cursor(cursor);
            fetched
        })();
        if found.is_err() || keys.rows() == 0 {
            return self.cannot("read", source);
        }
        let names: Vec<(String, usize)> =
            layout.shown.iter().enumerate().map(|(column, (name, _))| (name.clone(), column)).collect();
        let key = cells::key_text(&names, &keys.finish_checked(), 0);
        TransformError::Unreadable { table: layout.source.clone(), key, source }
    }

    pub(super) fn cannot(&self, doing: &'static str, source: DbError) -> TransformError<A::Error> {
        let layout = self.run.layout;
        let table = if doing.ends_with("write") { layout.into.clone() } else { layout.source.clone() };
        match source.code {
            ErrorCode::Interrupted => TransformError::Interrupted,
            _ => TransformError::Database { doing, table, source },
        }
    }
}
