//! The part of a session that reads rows.

use std::mem;

use rusqlite::Connection;
use whimbrel_packed::BatchBuilder;

use super::SqliteSession;
use super::ended;
use crate::db::sqlite::guard;
use crate::db::sqlite::handles::{Open, OpenCursor, Reading};
use crate::db::sqlite::raw_statement::RawStatement;
use crate::db::sqlite::run::{self, Done, RunError};
use crate::db::sqlite::unread::{self, Kept};
use crate::db::sqlite::watch::Watch;
use crate::db::{CursorId, DbError, Row, Session, StatementId, Value, in_batches};
use crate::limits::Limit;

impl SqliteSession {
    /// Begins to read what a prepared statement returns.
    pub(super) fn start_reading_prepared(
        &mut self,
        statement: StatementId,
        params: &[Value],
    ) -> Result<CursorId, DbError> {
        let sql = self.with(|_, open| open.statements.get(&statement.0).map(|open| open.sql.clone()));
        let sql = sql.ok_or_else(|| self.failed(ended()))?;
        self.open_cursor(&sql, params)
    }

    /// Begins to read what a query returns.
    pub(super) fn start_reading(&mut self, sql: &str, params: &[Value]) -> Result<CursorId, DbError> {
        self.admit(1, sql.len())?;
        let open = self.with(|_, open| open.reading);
        self.admit_handle(Limit::OpenCursors, open)?;
        let id = self.new_id();
        if self.changes_schema(sql) {
            self.change_schema(sql, params)?;
            self.with(|_, open| open.cursors.insert(id, OpenCursor::Ended { columns: Vec::new() }).map(drop));
            return Ok(CursorId(id));
        }
        self.keep_unread(sql)?;
        let opened = self.when_free(|watch, connection, open| {
            let mut reading = prepare(watch, connection, open, sql)?;
            run::bind_copies(&mut reading.statement, params)?;
            open.begin(id, reading);
            Ok(())
        });
        opened.map_err(|error| self.failed(error))?;
        self.note_writes(sql);
        Ok(CursorId(id))
    }

    /// Returns the names of the columns.
    pub(super) fn names_of(&mut self, cursor: CursorId) -> Result<Vec<String>, DbError> {
        let columns = self.with(|_, open| {
            let cursor = open.cursors.get(&cursor.0).ok_or_else(ended)?;
            Ok(cursor.columns())
        });
        columns.map_err(|error| self.failed(error))
    }

    /// Reads the next rows.
    pub(super) fn read_on(
        &mut self,
        cursor: CursorId,
        max_rows: u32,
        max_bytes: usize,
        rows: &mut BatchBuilder,
    ) -> Result<bool, DbError> {
        self.check_stop()?;
        self.check_used()?;
        let mut finished = None;
        let before = self.connection().total_changes();
        let rows_before = rows.rows();
        let max_rows = self.most_rows(max_rows);
        let most = self.budget.as_ref().map(|budget| budget.limits.reached(Limit::BytesPerCall));
        let most_bytes = |bytes: usize| match most {
            Some(most) if bytes as u64 > most.value => Err(most),
            Some(_) | None => Ok(()),
        };
        let fetched = self.with_watch(|watch, connection, open| {
            let found = open.cursors.get_mut(&cursor.0).ok_or_else(ended)?;
            let result = match found {
                OpenCursor::Ended { .. } => return Ok(false),
                OpenCursor::Kept(kept) => {
                    if rows.columns() != kept.columns.len() {
                        *rows = BatchBuilder::new(kept.columns.len());
                    }
                    kept.fetch(max_rows, max_bytes, &most_bytes, rows)
                }
                OpenCursor::Reading(Reading { sql, statement, columns, .. }) => {
                    guard::again(watch, connection, sql)?;
                    if rows.columns() != *columns {
                        *rows = BatchBuilder::new(*columns);
                    }
                    run::fetch(statement, max_rows, max_bytes, &most_bytes, &watch.meter, rows)
                }
            };
            if !matches!(result, Ok(true)) {
                finished = end(open, cursor);
            }
            result
        });
        let more = fetched.map_err(|error| self.failed_of(finished.as_deref(), error))?;
        self.count_rows(rows.rows() - rows_before)?;
        if let Some(sql) = finished {
            let connection = self.connection();
            let changed = if connection.total_changes() == before { 0 } else { connection.changes() };
            self.settle(&sql, Ok(Done { changed }))?;
        }
        Ok(more)
    }

    /// Reads and keeps what is left of each query that goes on reading where a statement puts something new.
    pub(super) fn keep_unread(&mut self, sql: &str) -> Result<(), DbError> {
        if self.with(|_, open| open.is_harmless(sql)) || !unread::may_fill(sql) {
            return Ok(());
        }
        let concerned = self.unrestricted(|session| {
            session.with_watch(|watch, connection, open| concerned(watch, connection, open, sql))
        });
        for cursor in concerned {
            let kept = self.with_watch(|watch, connection, open| {
                let beside = open
                    .cursors
                    .values()
                    .map(|cursor| if let OpenCursor::Kept(kept) = cursor { kept.bytes() } else { 0 })
                    .sum();
                let Some(OpenCursor::Reading(reading)) = open.cursors.get_mut(&cursor) else { return Ok(()) };
                guard::again(watch, connection, &reading.sql)?;
                let columns = (0..reading.columns).map(|column| reading.statement.name(column)).collect();
                let kept = Kept::rest_of(&mut reading.statement, &reading.sql, columns, &watch.meter, beside);
                if let Some(OpenCursor::Reading(reading)) = open.cursors.insert(cursor, OpenCursor::Kept(kept)) {
                    open.end(reading);
                }
                Ok(())
            });
            kept.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// As [`keep_unread`](Self::keep_unread), before a statement that was prepared.
    pub(super) fn keep_unread_of(&mut self, statement: StatementId) -> Result<(), DbError> {
        let sql_of = |open: &Open<'_>| {
            let sql = &open.statements.get(&statement.0)?.sql;
            (!open.is_harmless(sql)).then(|| sql.clone())
        };
        match self.with(|_, open| sql_of(open)) {
            Some(sql) => self.keep_unread(&sql),
            None => Ok(()),
        }
    }

    fn failed_of(&mut self, sql: Option<&str>, error: RunError) -> DbError {
        match sql {
            Some(sql) => self.failed_in(sql, error),
            None => self.failed(error),
        }
    }

    /// Runs one query and shows its rows, until one is refused.
    pub(super) fn see_all(
        &mut self,
        sql: &str,
        params: &[Value],
        see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        if self.budget.is_some() {
            // There rows are counted before they are read.
            return in_batches(self, sql, params, see);
        }
        let cursor = self.start_reading(sql, params)?;
        let seen = self.see_rest(cursor, see);
        self.close_cursor(cursor);
        seen
    }

    /// Shows the rows of a query that was just opened.
    fn see_rest(
        &mut self,
        cursor: CursorId,
        see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.check_stop()?;
        let before = self.connection().total_changes();
        let mut is_shown = false;
        let seen = self.when_free(|watch, _, open| {
            let found = open.cursors.get_mut(&cursor.0).ok_or_else(ended)?;
            let OpenCursor::Reading(reading) = found else { return Ok(Ok(Ok(()))) };
            let seen = run::see(&mut reading.statement, &watch.meter, &mut |row| {
                is_shown = true;
                see(row)
            });
            // What was shown is not shown again.
            if is_shown { Ok(seen) } else { seen.map(Ok) }
        });
        let finished = self.with(|_, open| end(open, cursor));
        let seen = seen.and_then(|seen| seen).map_err(|error| self.failed_of(finished.as_deref(), error))?;
        let changed = if self.connection().total_changes() == before { 0 } else { self.connection().changes() };
        // One that was not read to its end counts if it has done something.
        if let Some(sql) = finished.filter(|_| seen.is_ok() || changed > 0) {
            let settled = self.settle(&sql, Ok(Done { changed }));
            return seen.and(settled.map(drop));
        }
        seen
    }
}

/// Takes a query that was read before or prepares it.
fn prepare<'c>(
    watch: &Watch,
    connection: &'c Connection,
    open: &mut Open<'c>,
    sql: &str,
) -> Result<Reading<'c>, RunError> {
    let is_known = guard::before(watch, connection, sql)?;
    let reading = match open.take_idle(sql) {
        Some(reading) => reading,
        None => {
            let prepared = guard::bounded(watch, sql, is_known, || RawStatement::prepare_only(connection, sql))?;
            open.reading(sql, prepared)
        }
    };
    guard::after(watch, connection, sql)?;
    Ok(reading)
}

/// Returns the numbers of the queries that go on reading where a statement puts something new.
fn concerned(watch: &Watch, connection: &Connection, open: &mut Open<'_>, sql: &str) -> Vec<u32> {
    // What is wrong with a statement is told where it is run.
    let ask = || guard::bounded(watch, sql, false, || unread::filled(connection, sql)).unwrap_or_default();
    let filled = open.filled_by(sql, ask).clone();
    let mut concerned = Vec::new();
    for (number, cursor) in &mut open.cursors {
        let OpenCursor::Reading(Reading { sql, walked, .. }) = cursor else { continue };
        let walked = walked.get_or_insert_with(|| unread::walked(connection, sql).unwrap_or_default());
        if !walked.is_disjoint(&filled) {
            concerned.push(*number);
        }
    }
    if concerned.is_empty() {
        open.found_harmless(sql);
    }
    concerned
}

/// Ends a query whose rows were all read, and returns its text.
fn end(open: &mut Open<'_>, cursor: CursorId) -> Option<String> {
    let cursor = open.cursors.get_mut(&cursor.0)?;
    let ended = OpenCursor::Ended { columns: cursor.columns() };
    match mem::replace(cursor, ended) {
        OpenCursor::Reading(reading) => {
            let sql = reading.sql.clone();
            open.end(reading);
            Some(sql)
        }
        OpenCursor::Kept(kept) => Some(kept.sql),
        OpenCursor::Ended { .. } => None,
    }
}

#[cfg(test)]
mod tests;
