//! The part of a session that prepares and runs statements.

use rusqlite::{CachedStatement, Connection, Statement};
use whimbrel_packed::CheckedBatch;

use super::SqliteSession;
use super::ended;
use crate::db::sqlite::bulk::{Attempt, Bulk, Source};
use crate::db::sqlite::guard;
use crate::db::sqlite::handles::{Open, OpenStatement};
use crate::db::sqlite::raw_statement::RawStatement;
use crate::db::sqlite::run::{self, Done, RunError};
use crate::db::sqlite::statement_kind;
use crate::db::sqlite::watch::Watch;
use crate::db::sqlite::write;
use crate::db::{ColumnSlice, DbError, ErrorCode, Session, StatementId, Value};
use crate::limits::Limit;

impl SqliteSession {
    /// Hands over what stands between blanks. Not all of them are blanks to SQLite, and whoever keeps prepared
    /// statements cuts them off: what is looked at must be what runs.
    pub(super) fn trimmed<R>(
        &mut self,
        sql: &str,
        work: impl FnOnce(&mut Self, &str) -> Result<R, DbError>,
    ) -> Result<R, DbError> {
        let text = sql.trim_start();
        let before = u32::try_from(sql.len() - text.len()).unwrap_or(u32::MAX);
        work(self, text.trim_end()).map_err(|mut error| {
            error.offset = error.offset.map(|offset| offset.saturating_add(before));
            error
        })
    }

    /// Runs a guest's statement, whose text is likely to come again or not.
    pub(super) fn execute_text(&mut self, sql: &str, params: &[Value], again: bool) -> Result<u64, DbError> {
        self.admit(1, sql.len())?;
        let changes_schema = if again { self.changes_schema(sql) } else { self.watch.gate().pass(sql) };
        if changes_schema { self.change_schema(sql, params) } else { self.run_one(sql, params, again) }
    }

    /// Prepares and runs one statement; keeps it prepared if its text is likely to come again.
    pub(super) fn run_one(&mut self, sql: &str, params: &[Value], again: bool) -> Result<u64, DbError> {
        self.keep_unread(sql)?;
        let run = |watch: &Watch, connection: &Connection, statement: &mut Statement<'_>| {
            run::bind(statement, params)?;
            Ok(run::to_end(connection, statement, &watch.meter)?)
        };
        let done = self.when_free(|watch, connection, _| {
            if again {
                run(watch, connection, &mut *prepare(watch, connection, sql)?)
            } else {
                run(watch, connection, &mut prepare_once(watch, connection, sql)?)
            }
        });
        self.note_writes(sql);
        self.settle(sql, done)
    }

    /// Prepares a statement that a guest keeps.
    pub(super) fn prepare_statement(&mut self, sql: &str) -> Result<StatementId, DbError> {
        self.admit(1, sql.len())?;
        let open = self.with(|_, open| open.statements.len());
        self.admit_handle(Limit::OpenStatements, open)?;
        let id = self.new_id();
        let changes_schema = self.watch.gate().changes_schema(sql);
        let prepared = self.when_free(|watch, connection, open| {
            let statement = prepare(watch, connection, sql)?;
            let opened = OpenStatement {
                sql: sql.to_owned(),
                statement,
                changes_schema,
                ticket: None,
                has_run: false,
                for_rows: None,
                bulk: Bulk::default(),
            };
            open.statements.insert(id, opened);
            Ok(())
        });
        prepared.map_err(|error| self.failed(error))?;
        self.note_writes(sql);
        Ok(StatementId(id))
    }

    /// Runs a statement that was prepared, once.
    pub(super) fn run_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<u64, DbError> {
        self.admit(1, 0)?;
        if let Some(sql) = self.prepared_change(statement) {
            return self.change_schema(&sql, params);
        }
        self.keep_unread_of(statement)?;
        let mut sql = String::new();
        let recording = self.recording.is_some();
        let done = self.when_free(|watch, connection, open| {
            let statement = open.statements.get_mut(&statement.0).ok_or_else(ended)?;
            let done = if std::mem::replace(&mut statement.has_run, true) {
                for_rows(watch, connection, statement)
                    .and_then(|statement| write::once(statement, params, &watch.meter))
            } else {
                guard::again(watch, connection, &statement.sql)
                    .and_then(|()| run::bind(&mut statement.statement, params))
                    .and_then(|()| Ok(run::to_end(connection, &mut statement.statement, &watch.meter)?))
            };
            if recording || done.is_err() {
                sql.clone_from(&statement.sql);
            }
            done
        });
        self.settle(&sql, done)
    }

    /// Runs a statement for each row of a batch; for all of them or for none.
    pub(super) fn run_batch(&mut self, statement: StatementId, batch: &CheckedBatch) -> Result<u64, DbError> {
        if self.prepared_change(statement).is_some() {
            return Err(DbError::new(ErrorCode::Syntax, "a statement that changes the schema takes no rows"));
        }
        self.admit(batch.rows() as u64, 0)?;
        self.keep_unread_of(statement)?;
        let savepoint = self.open_savepoint()?;
        let mut sql = String::new();
        let done = self.when_free(|watch, connection, open| {
            let Open { statements, has_bulk, .. } = open;
            let statement = statements.get_mut(&statement.0).ok_or_else(ended)?;
            sql.clone_from(&statement.sql);
            write_rows(watch, connection, has_bulk, statement, &write::all_of(batch))
        });
        match self.settle(&sql, done) {
            Ok(changed) => {
                // One of them is counted by `settle`.
                self.counters.statements += (batch.rows() as u64).saturating_sub(1);
                self.release(savepoint)?;
                Ok(changed)
            }
            Err(error) => {
                // The first error is the one to tell; a failed undo leaves the step to be rolled back as a whole.
                let _ = self.rollback_to(savepoint);
                Err(error)
            }
        }
    }

    /// Runs a statement for each of these rows; adds the rows it changed, also where it fails, to `changed`.
    pub(super) fn run_rows(
        &mut self,
        statement: StatementId,
        columns: &[ColumnSlice<'_>],
        rows: &[u32],
        changed: &mut u64,
    ) -> Result<(), DbError> {
        self.admit(rows.len() as u64, 0)?;
        self.keep_unread_of(statement)?;
        let mut sql = String::new();
        let done = self.when_free(|watch, connection, open| {
            let Open { statements, has_bulk, .. } = open;
            let statement = statements.get_mut(&statement.0).ok_or_else(ended)?;
            sql.clone_from(&statement.sql);
            write_rows(watch, connection, has_bulk, statement, &write::these(columns, rows))
        });
        if let Ok(Done { changed: done }) | Err(RunError::Row { changed: done, .. }) = &done {
            *changed += done;
        }
        self.settle(&sql, done)?;
        self.counters.statements += (rows.len() as u64).saturating_sub(1);
        Ok(())
    }
}

/// Takes a statement from the connection's cache or prepares it.
fn prepare<'c>(watch: &Watch, connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, RunError> {
    let is_known = guard::before(watch, connection, sql)?;
    let statement = guard::bounded(watch, sql, is_known, || connection.prepare_cached(sql))?;
    if let Err(refused) = check_prepared(watch, connection, &statement, sql) {
        statement.discard();
        return Err(refused);
    }
    Ok(statement)
}

/// Prepares a statement that is not kept, and for which SQLite takes memory that it has at hand.
fn prepare_once<'c>(watch: &Watch, connection: &'c Connection, sql: &str) -> Result<Statement<'c>, RunError> {
    let is_known = guard::before(watch, connection, sql)?;
    let statement = guard::bounded(watch, sql, is_known, || connection.prepare(sql))?;
    check_prepared(watch, connection, &statement, sql)?;
    Ok(statement)
}

fn check_prepared(
    watch: &Watch,
    connection: &Connection,
    statement: &Statement<'_>,
    sql: &str,
) -> Result<(), RunError> {
    guard::after(watch, connection, sql)?;
    if statement.column_count() == 0 && statement_kind::is_blank(sql) {
        return Err(DbError::new(ErrorCode::Syntax, "there is no statement to run").into());
    }
    Ok(())
}

/// Returns the statement that takes many rows, which is prepared when it is first needed; as long as it is allowed.
fn for_rows<'s, 'c>(
    watch: &Watch,
    connection: &'c Connection,
    statement: &'s mut OpenStatement<'c>,
) -> Result<&'s mut RawStatement<'c>, RunError> {
    if statement.for_rows.is_some() {
        guard::with_ticket(watch, connection, &statement.sql, &mut statement.ticket)?;
    } else {
        let is_known = guard::before(watch, connection, &statement.sql)?;
        let prepared =
            guard::bounded(watch, &statement.sql, is_known, || RawStatement::prepare(connection, &statement.sql))?;
        guard::after(watch, connection, &statement.sql)?;
        statement.for_rows = Some(prepared);
    }
    Ok(statement.for_rows.as_mut().expect("it was just prepared"))
}

/// Runs a statement for each of these rows, at once where that does the same.
fn write_rows<'c>(
    watch: &Watch,
    connection: &'c Connection,
    has_bulk: &mut bool,
    statement: &mut OpenStatement<'c>,
    source: &Source<'_>,
) -> Result<Done, RunError> {
    for_rows(watch, connection, statement)?;
    let attempt = statement.bulk.attempt(watch, connection, has_bulk, &statement.sql, source)?;
    let for_rows = statement.for_rows.as_mut().expect("it was just prepared");
    match attempt {
        Attempt::Declined => write::rows(for_rows, source, &watch.meter),
        Attempt::Written(written, last) => {
            let done = write::rows(for_rows, &last, &watch.meter);
            let changed = done.map_err(|error| in_place_of(error, source, written))?.changed;
            Ok(Done { changed: written + changed })
        }
    }
}

/// Names the last row in an error of a source that holds nothing else, after so many rows that were changed.
fn in_place_of(error: RunError, source: &Source<'_>, changed: u64) -> RunError {
    match error {
        RunError::Row { error, .. } => RunError::Row { row: source.row(source.len() - 1), changed, error },
        other => other,
    }
}
