//! One SQLite connection as a [`Session`].

mod bring;
mod budget;
mod keep;
mod schema_change;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, CachedStatement, Connection, Statement, hooks};
use whimbrel_packed::{BatchBuilder, CheckedBatch};

use self::keep::Keep;
use super::copy;
use super::error::translate;
use super::functions::{self, Functions};
use super::guard;
use super::handles::{Handles, Open, OpenCursor, OpenStatement, Reading};
use super::limits::Budget;
use super::row_statement::RowStatement;
use super::run::{self, Done, RunError};
use super::run_lock;
use super::statement_kind;
use super::watch::Watch;
use super::write;
use crate::db::{
    Ambient, ColumnSlice, Counters, CursorId, DbError, ErrorCode, Function, OpenOptions, RecordedStatement, Recording,
    RunLock, SavepointId, ScriptError, Session, StatementId, Value, quote_identifier,
};
use crate::grants::Restriction;
use crate::limits::{Limit, LimitReached, RunLimits};
use crate::sql;

/// Statements kept prepared.
const STATEMENT_CACHE: usize = 128;
/// Statements a recording keeps, and the bytes it keeps of each.
const RECORDED_STATEMENTS: usize = 1000;
const RECORDED_BYTES: usize = 2000;

/// Where a lent connection goes back to when the session ends, by whatever way it ends.
pub(super) type ReturnTo = Rc<RefCell<Option<Connection>>>;

/// One SQLite connection.
pub(super) struct SqliteSession {
    /// `None` only while the session is being dropped.
    handles: Option<Handles>,
    watch: Arc<Watch>,
    return_to: Option<ReturnTo>,
    savepoints: Vec<u32>,
    /// A transaction was begun and neither committed nor rolled back by the host.
    transaction_open: bool,
    keep: Keep,
    next_id: u32,
    counters: Counters,
    /// What a guest may use, while one runs.
    budget: Option<Budget>,
    recording: Option<Recording>,
    /// The table each recorded statement writes first.
    writes: HashMap<String, (hooks::Action, String)>,
    /// Rows the update hook had counted before the statement that runs.
    rows_seen: u64,
    /// Covers SQLite's own functions as soon as a guest has come.
    functions: Option<Functions>,
    /// Functions that are registered for the time of a step: name and number of arguments.
    brought: Vec<(String, i32)>,
}

impl SqliteSession {
    pub(super) fn new(
        mut connection: Connection,
        options: &OpenOptions,
        return_to: Option<ReturnTo>,
    ) -> Result<Self, DbError> {
        let watch = Watch::install(&mut connection, options)
            .map_err(|error| DbError::new(ErrorCode::Database, error.to_string()))?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok(Self {
            handles: Some(Handles::new(connection, |_| Open::default())),
            watch,
            return_to,
            savepoints: Vec::new(),
            transaction_open: false,
            keep: Keep::default(),
            next_id: 0,
            counters: Counters::default(),
            budget: None,
            recording: None,
            writes: HashMap::new(),
            rows_seen: 0,
            functions: None,
            brought: Vec::new(),
        })
    }

    fn with<R>(&mut self, work: impl for<'c> FnOnce(&'c Connection, &mut Open<'c>) -> R) -> R {
        let handles = self.handles.as_mut().expect("the handles are there until drop");
        handles.with_dependent_mut(work)
    }

    fn connection(&self) -> &Connection {
        self.handles.as_ref().expect("the handles are there until drop").borrow_owner()
    }

    fn new_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// Translates what failed and counts what succeeded.
    fn settle(&mut self, sql: &str, done: Result<Done, RunError>) -> Result<u64, DbError> {
        match done {
            Ok(done) => {
                self.counters.statements += 1;
                self.record(sql, done.changed);
                self.check_used()?;
                Ok(done.changed)
            }
            Err(error) => {
                let mut error = self.failed(error);
                self.unrestricted(|session| functions::explain(session.connection(), sql, &mut error));
                Err(error)
            }
        }
    }

    fn check_stop(&self) -> Result<(), DbError> {
        if self.transaction_open && self.connection().is_autocommit() {
            // ON CONFLICT ROLLBACK and a full disk end it. Going on would commit each statement by itself.
            return Err(DbError::new(ErrorCode::Database, "the transaction was rolled back by an earlier statement"));
        }
        if self.watch.is_held() || !self.watch.must_stop() {
            return Ok(());
        }
        if self.watch.deadline_passed() {
            return Err(match &self.budget {
                Some(budget) => budget.limits.reached(Limit::Time).into(),
                None => DbError::new(ErrorCode::Limit, "the time limit was reached"),
            });
        }
        Err(DbError::new(ErrorCode::Interrupted, "interrupted"))
    }

    fn record(&mut self, sql: &str, changed: u64) {
        let Some(recording) = &mut self.recording else { return };
        if let Some((action, table)) = self.writes.get(sql) {
            // Tables WITHOUT ROWID do not call the update hook.
            if changed > 0 && self.watch.rows_counted() == self.rows_seen {
                self.watch.count(*action, "main", table, changed);
            }
        }
        self.rows_seen = self.watch.rows_counted();
        let kept = &sql[..sql.floor_char_boundary(RECORDED_BYTES)];
        if let Some(last) = recording.statements.last_mut()
            && last.sql == kept
        {
            last.times += 1;
            last.rows_changed += changed;
        } else if recording.statements.len() < RECORDED_STATEMENTS {
            recording.statements.push(RecordedStatement { sql: kept.to_owned(), times: 1, rows_changed: changed });
        } else {
            recording.statements_left_out += 1;
        }
    }

    /// Notes which table a statement just prepared is going to write.
    fn note_writes(&mut self, sql: &str) {
        if self.recording.is_some()
            && let Some(writes) = self.watch.gate().writes.take()
        {
            self.writes.insert(sql.to_owned(), writes);
        }
    }

    fn host_execute(&mut self, sql: &str) -> Result<(), DbError> {
        let result = self.connection().prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
        result.map(drop).map_err(|error| translate(&self.watch, error))
    }

    /// Runs the host's own statement, which the restriction on guests does not concern.
    fn unrestricted<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let restriction = self.watch.gate().restriction.take();
        let result = work(self);
        self.watch.gate().restriction = restriction;
        result
    }

    /// Runs a guest's statement, whose text is likely to come again or not.
    fn execute_text(&mut self, sql: &str, params: &[Value], again: bool) -> Result<u64, DbError> {
        self.admit(1, sql.len())?;
        if self.changes_schema(sql) { self.change_schema(sql, params) } else { self.run_one(sql, params, again) }
    }

    /// Prepares and runs one statement; keeps it prepared if its text is likely to come again.
    fn run_one(&mut self, sql: &str, params: &[Value], again: bool) -> Result<u64, DbError> {
        let watch = Arc::clone(&self.watch);
        let run = |connection: &Connection, statement: &mut Statement<'_>| {
            run::bind(statement, params)?;
            Ok(run::to_end(connection, statement, &watch.meter)?)
        };
        let done = self.with(|connection, _| {
            if again {
                run(connection, &mut *prepare(&watch, connection, sql)?)
            } else {
                run(connection, &mut prepare_once(&watch, connection, sql)?)
            }
        });
        self.note_writes(sql);
        self.settle(sql, done)
    }

    /// Runs one window of a script, which is one statement unless SQLite's own parser says otherwise.
    fn execute_window(&mut self, window: &str) -> Result<(), RunError> {
        if self.is_restricted() {
            return self.execute_text(window, &[], false).map(drop).map_err(RunError::Db);
        }
        let watch = Arc::clone(&self.watch);
        let mut finished = Vec::with_capacity(1);
        let result = self.with(|connection, _| {
            let mut batch = Batch::new(connection, window);
            loop {
                watch.gate().open();
                let Some(mut statement) = batch.next()? else { return Ok(()) };
                finished.push(run::to_end(connection, &mut statement, &watch.meter)?);
            }
        });
        for done in finished {
            self.note_writes(window);
            self.settle(window, Ok(done))?;
        }
        result.map_err(RunError::Sqlite)
    }

    /// Runs one window of a script; outside a transaction again, as long as another connection holds the lock.
    ///
    /// SQLite waits by itself, but not everywhere: `PRAGMA journal_mode` gives up at once.
    fn execute_window_when_free(&mut self, window: &str) -> Result<(), RunError> {
        let (since, statements) = (Instant::now(), self.counters.statements);
        let mut times = 0;
        loop {
            let result = self.execute_window(window);
            let is_busy = matches!(&result, Err(RunError::Sqlite(error))
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy));
            let nothing_done = self.counters.statements == statements;
            let outside = !self.transaction_open && self.connection().is_autocommit();
            if !(is_busy && nothing_done && outside && self.watch.wait(times, since)) {
                return result;
            }
            times += 1;
        }
    }
}

impl From<DbError> for RunError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Takes a statement from the connection's cache or prepares it.
fn prepare<'c>(watch: &Watch, connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, RunError> {
    guard::before(watch, connection, sql)?;
    let statement = connection.prepare_cached(sql)?;
    if let Err(refused) = check_prepared(watch, &statement, sql) {
        statement.discard();
        return Err(refused.into());
    }
    Ok(statement)
}

/// Prepares a statement that is not kept, and for which SQLite takes memory that it has at hand.
fn prepare_once<'c>(watch: &Watch, connection: &'c Connection, sql: &str) -> Result<Statement<'c>, RunError> {
    guard::before(watch, connection, sql)?;
    let statement = connection.prepare(sql)?;
    check_prepared(watch, &statement, sql)?;
    Ok(statement)
}

fn check_prepared(watch: &Watch, statement: &Statement<'_>, sql: &str) -> Result<(), DbError> {
    guard::after(watch, sql)?;
    if statement.column_count() == 0 && statement_kind::is_blank(sql) {
        return Err(DbError::new(ErrorCode::Syntax, "there is no statement to run"));
    }
    Ok(())
}

/// Returns the statement that takes many rows, which is prepared when it is first needed; as long as it is allowed.
fn for_rows<'s, 'c>(
    watch: &Watch,
    connection: &'c Connection,
    statement: &'s mut OpenStatement<'c>,
) -> Result<&'s mut RowStatement<'c>, RunError> {
    if statement.for_rows.is_some() {
        guard::with_ticket(watch, connection, &statement.sql, &mut statement.ticket)?;
    } else {
        guard::before(watch, connection, &statement.sql)?;
        let prepared = RowStatement::prepare(connection, &statement.sql)?;
        guard::after(watch, &statement.sql)?;
        statement.for_rows = Some(prepared);
    }
    Ok(statement.for_rows.as_mut().expect("it was just prepared"))
}

impl Session for SqliteSession {
    fn dialect(&self) -> &'static str {
        "sqlite"
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.execute_text(sql, params, true)
    }

    fn execute_script(&mut self, script: &str) -> Result<(), ScriptError> {
        let mut pending: Option<usize> = None;
        let mut windows = sql::statements(script).peekable();
        while let Some(window) = windows.next() {
            let start = pending.take().unwrap_or(window.start);
            let at = |error: DbError| ScriptError { start, end: window.end, error };
            self.check_stop().map_err(at)?;
            match self.execute_window_when_free(&script[start..window.end]) {
                Ok(()) => {}
                Err(RunError::Sqlite(rusqlite::Error::SqlInputError { ref msg, .. }))
                    if msg == "incomplete input" && windows.peek().is_some() =>
                {
                    pending = Some(start);
                }
                Err(RunError::Db(ref error)) if error.message == "incomplete input" && windows.peek().is_some() => {
                    pending = Some(start);
                }
                Err(error) => return Err(at(self.failed(error))),
            }
        }
        Ok(())
    }

    fn prepare(&mut self, sql: &str) -> Result<StatementId, DbError> {
        self.admit(1, sql.len())?;
        let open = self.with(|_, open| open.statements.len());
        self.admit_handle(Limit::OpenStatements, open)?;
        let id = self.new_id();
        let watch = Arc::clone(&self.watch);
        let changes_schema = self.watch.gate().changes_schema(sql);
        let prepared = self.with(|connection, open| {
            let statement = prepare(&watch, connection, sql)?;
            let (sql, ticket, has_run, for_rows) = (sql.to_owned(), None, false, None);
            open.statements.insert(id, OpenStatement { sql, statement, changes_schema, ticket, has_run, for_rows });
            Ok(())
        });
        prepared.map_err(|error| self.failed(error))?;
        self.note_writes(sql);
        Ok(StatementId(id))
    }

    fn execute_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<u64, DbError> {
        self.admit(1, 0)?;
        if let Some(sql) = self.prepared_change(statement) {
            return self.change_schema(&sql, params);
        }
        let mut sql = String::new();
        let recording = self.recording.is_some();
        let watch = Arc::clone(&self.watch);
        let done = self.with(|connection, open| {
            let statement = open.statements.get_mut(&statement.0).ok_or_else(ended)?;
            let done = if std::mem::replace(&mut statement.has_run, true) {
                for_rows(&watch, connection, statement)
                    .and_then(|statement| write::once(statement, params, &watch.meter))
            } else {
                guard::again(&watch, connection, &statement.sql)
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

    fn execute_batch(&mut self, statement: StatementId, batch: &CheckedBatch) -> Result<u64, DbError> {
        if self.prepared_change(statement).is_some() {
            return Err(DbError::new(ErrorCode::Syntax, "a statement that changes the schema takes no rows"));
        }
        self.admit(batch.rows() as u64, 0)?;
        let savepoint = self.open_savepoint()?;
        let mut sql = String::new();
        let watch = Arc::clone(&self.watch);
        let done = self.with(|connection, open| {
            let statement = open.statements.get_mut(&statement.0).ok_or_else(ended)?;
            sql.clone_from(&statement.sql);
            write::batch(for_rows(&watch, connection, statement)?, batch, &watch.meter)
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

    fn write_rows(
        &mut self,
        statement: StatementId,
        columns: &[ColumnSlice<'_>],
        rows: &[u32],
    ) -> Result<u64, DbError> {
        self.admit(rows.len() as u64, 0)?;
        let mut sql = String::new();
        let watch = Arc::clone(&self.watch);
        let done = self.with(|connection, open| {
            let statement = open.statements.get_mut(&statement.0).ok_or_else(ended)?;
            sql.clone_from(&statement.sql);
            write::rows(for_rows(&watch, connection, statement)?, columns, rows, &watch.meter)
        });
        let changed = self.settle(&sql, done)?;
        self.counters.statements += (rows.len() as u64).saturating_sub(1);
        Ok(changed)
    }

    fn close_statement(&mut self, statement: StatementId) {
        self.with(|_, open| open.statements.remove(&statement.0).map(drop));
    }

    fn open_cursor(&mut self, sql: &str, params: &[Value]) -> Result<CursorId, DbError> {
        self.admit(1, sql.len())?;
        let open = self.with(|_, open| open.reading);
        self.admit_handle(Limit::OpenCursors, open)?;
        let id = self.new_id();
        if self.changes_schema(sql) {
            self.change_schema(sql, params)?;
            self.with(|_, open| open.cursors.insert(id, OpenCursor::Ended { columns: Vec::new() }).map(drop));
            return Ok(CursorId(id));
        }
        let watch = Arc::clone(&self.watch);
        let opened = self.with(|connection, open| {
            let mut statement = prepare(&watch, connection, sql)?;
            run::bind(&mut statement, params)?;
            open.cursors.insert(id, OpenCursor::Reading(Reading { sql: sql.to_owned(), statement }));
            open.reading += 1;
            Ok(())
        });
        opened.map_err(|error| self.failed(error))?;
        self.note_writes(sql);
        Ok(CursorId(id))
    }

    fn open_cursor_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<CursorId, DbError> {
        let sql = self.with(|_, open| open.statements.get(&statement.0).map(|open| open.sql.clone()));
        let sql = sql.ok_or_else(|| self.failed(ended()))?;
        self.open_cursor(&sql, params)
    }

    fn columns(&mut self, cursor: CursorId) -> Result<Vec<String>, DbError> {
        let columns = self.with(|_, open| {
            let cursor = open.cursors.get(&cursor.0).ok_or_else(ended)?;
            Ok(cursor.columns())
        });
        columns.map_err(|error| self.failed(error))
    }

    fn fetch(
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
        let watch = Arc::clone(&self.watch);
        let fetched = self.with(|connection, open| {
            let cursor = open.cursors.get_mut(&cursor.0).ok_or_else(ended)?;
            let OpenCursor::Reading(reading) = cursor else { return Ok(false) };
            guard::again(&watch, connection, &reading.sql)?;
            if rows.columns() != reading.statement.column_count() {
                *rows = BatchBuilder::new(reading.statement.column_count());
            }
            let statement = &mut reading.statement;
            let result = run::fetch(statement, max_rows, max_bytes, &most_bytes, &watch.meter, rows);
            if !matches!(result, Ok(true)) {
                finished = Some(std::mem::take(&mut reading.sql));
                *cursor = OpenCursor::Ended { columns: cursor.columns() };
                open.reading -= 1;
            }
            result
        });
        let more = fetched.map_err(|error| self.failed(error))?;
        self.count_rows(rows.rows() - rows_before)?;
        if let Some(sql) = finished {
            let connection = self.connection();
            let changed = if connection.total_changes() == before { 0 } else { connection.changes() };
            self.settle(&sql, Ok(Done { changed }))?;
        }
        Ok(more)
    }

    fn close_cursor(&mut self, cursor: CursorId) {
        self.with(|_, open| {
            if let Some(OpenCursor::Reading(_)) = open.cursors.remove(&cursor.0) {
                open.reading -= 1;
            }
        });
    }

    fn begin(&mut self) -> Result<(), DbError> {
        self.check_stop()?;
        self.host_execute("BEGIN IMMEDIATE")?;
        self.transaction_open = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), DbError> {
        self.close_handles();
        // Stopped at its very end, it would be done and yet reported as not done.
        self.watch.hold(true);
        let committed = self.host_execute("COMMIT");
        self.watch.hold(false);
        committed?;
        self.transaction_open = false;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), DbError> {
        self.close_handles();
        let was_open = std::mem::take(&mut self.transaction_open);
        if self.in_transaction() {
            self.host_execute("ROLLBACK")?;
        } else if !was_open {
            return Ok(());
        }
        // After a failed write SQLite leaves it to the next read to put the file back; until then the file is of no
        // use without its journal. When that fails, whoever reads next tries again.
        let _ = self.table_exists("sqlite_schema");
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        !self.connection().is_autocommit()
    }

    fn is_empty_file(&mut self) -> Result<bool, DbError> {
        self.holds_nothing()
    }

    fn keep_to_itself(&mut self, wanted: bool) -> Result<(), DbError> {
        self.set_keep(wanted)
    }

    fn give_back(&mut self) -> Result<(), DbError> {
        self.end_keep()
    }

    fn lock_run(&mut self) -> Result<RunLock, DbError> {
        let path = self.connection().path().filter(|path| !path.is_empty()).map(std::path::PathBuf::from);
        let file = path.map(|path| run_lock::acquire(&path, &self.watch)).transpose()?;
        Ok(RunLock::new(file.map(|file| Box::new(file) as Box<dyn std::any::Any>)))
    }

    fn savepoint(&mut self) -> Result<SavepointId, DbError> {
        self.admit(1, 0)?;
        self.admit_handle(Limit::OpenSavepoints, self.savepoints.len())?;
        self.open_savepoint()
    }

    fn release(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        let depth = self.depth(savepoint)?;
        self.unrestricted(|session| session.host_execute(&format!("RELEASE {}", savepoint_name(depth))))?;
        self.savepoints.truncate(depth);
        Ok(())
    }

    fn open_savepoints(&self) -> usize {
        self.savepoints.len()
    }

    fn rollback_to(&mut self, savepoint: SavepointId) -> Result<(), DbError> {
        let depth = self.depth(savepoint)?;
        self.unrestricted(|session| {
            session.host_execute(&format!("ROLLBACK TO {}", savepoint_name(depth)))?;
            session.host_execute(&format!("RELEASE {}", savepoint_name(depth)))
        })?;
        self.savepoints.truncate(depth);
        self.forget_schema();
        Ok(())
    }

    fn restrict(&mut self, restriction: Option<Arc<Restriction>>) {
        // A statement prepared under other rules must not be used under these.
        self.connection().flush_prepared_statement_cache();
        self.put_in_force(restriction);
    }

    fn set_ambient(&mut self, ambient: Option<Ambient>) -> Result<(), DbError> {
        if self.functions.is_none() && ambient.is_some() {
            let covered = Functions::cover(self.connection(), &self.watch);
            self.functions = Some(covered.map_err(|error| translate(&self.watch, error))?);
        }
        if let Some(functions) = &self.functions {
            functions.set(ambient);
        }
        Ok(())
    }

    fn set_functions(&mut self, functions: &[Function]) -> Result<(), DbError> {
        self.replace_functions(functions)
    }

    fn copy(&mut self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        let copied = copy::copy(self.connection()).map_err(|error| translate(&self.watch, error))?;
        let enforced = self.connection().db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY);
        let mut copy = Self::new(copied, options, None)?;
        copy.set_foreign_keys(enforced.map_err(|error| translate(&self.watch, error))?)?;
        Ok(Box::new(copy))
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.watch.set_deadline(deadline);
    }

    fn set_limits(&mut self, limits: Option<&RunLimits>) -> Result<(), DbError> {
        self.begin_budget(limits)
    }

    fn limit_reached(&mut self) -> Option<LimitReached> {
        self.reached()
    }

    fn hold_interrupt(&mut self, held: bool) {
        self.watch.hold(held);
    }

    fn close_handles(&mut self) {
        self.savepoints.clear();
        self.with(|_, open| {
            open.cursors.clear();
            open.reading = 0;
            open.statements.clear();
        });
    }

    fn set_foreign_keys(&mut self, enforced: bool) -> Result<bool, DbError> {
        let connection = self.connection();
        let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        let result = (|| {
            let before = read("PRAGMA foreign_keys")?;
            if before != enforced {
                connection.execute_batch(&format!("PRAGMA foreign_keys = {}", i32::from(enforced)))?;
            }
            Ok(before)
        })();
        result.map_err(|error| translate(&self.watch, error))
    }

    fn foreign_key_violations(&mut self, limit: usize) -> Result<Vec<String>, DbError> {
        let connection = self.connection();
        let result = (|| {
            let mut statement =
                connection.prepare("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT ?")?;
            let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                let (table, rowid, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let rowid = rowid.map(|rowid| format!(" with rowid {rowid}")).unwrap_or_default();
                Ok(format!("a row of {table}{rowid} has no parent in {parent}"))
            })?;
            rows.collect()
        })();
        let result: rusqlite::Result<Vec<String>> = result;
        result.map_err(|error| translate(&self.watch, error))
    }

    fn data_version(&mut self) -> Result<i64, DbError> {
        let connection = self.connection();
        let version = connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        version.map_err(|error| translate(&self.watch, error))
    }

    fn table_exists(&mut self, table: &str) -> Result<bool, DbError> {
        let connection = self.connection();
        let exists = connection
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE")
            .and_then(|mut statement| statement.exists([table]));
        exists.map_err(|error| translate(&self.watch, error))
    }

    fn counters(&self) -> Counters {
        Counters {
            rows_changed: self.connection().total_changes(),
            operations: self.watch.meter.operations(),
            ..self.counters
        }
    }

    fn start_recording(&mut self) {
        self.connection().flush_prepared_statement_cache();
        self.writes.clear();
        self.watch.take_tables();
        self.rows_seen = 0;
        self.watch.gate().take_observed();
        self.recording = Some(Recording::default());
    }

    fn take_recording(&mut self) -> Recording {
        let mut recording = self.recording.take().unwrap_or_default();
        recording.tables = self.watch.take_tables();
        recording.observed = self.watch.gate().take_observed();
        recording
    }

    fn sqlite(&mut self) -> Option<&Connection> {
        Some(self.connection())
    }
}

impl SqliteSession {
    fn open_savepoint(&mut self) -> Result<SavepointId, DbError> {
        let id = self.new_id();
        self.unrestricted(|session| {
            session.host_execute(&format!("SAVEPOINT {}", savepoint_name(session.savepoints.len())))
        })?;
        self.savepoints.push(id);
        Ok(SavepointId(id))
    }

    fn depth(&self, savepoint: SavepointId) -> Result<usize, DbError> {
        self.savepoints
            .iter()
            .position(|open| *open == savepoint.0)
            .ok_or_else(|| DbError::new(ErrorCode::Handle, "the savepoint has ended, or one around it has"))
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        // A lent connection goes back with the limits it came with.
        if self.return_to.is_some()
            && let Err(error) = self.end_budget()
        {
            tracing::warn!("the connection's own limits are not restored: {error}");
        }
        if let Err(error) = self.replace_functions(&[]) {
            tracing::warn!("functions of a migration stay registered: {error}");
        }
        let Some(handles) = self.handles.take() else { return };
        let mut connection = handles.into_owner();
        if let Some(return_to) = &self.return_to {
            // Without effect when no transaction is open. A connection whose callbacks cannot be removed is
            // of no use to its owner either way.
            let _ = connection.execute_batch("ROLLBACK");
            let _ = Watch::remove(&mut connection);
            return_to.replace(Some(connection));
        }
    }
}

fn ended() -> RunError {
    DbError::new(ErrorCode::Handle, "the handle has ended").into()
}

fn savepoint_name(depth: usize) -> String {
    quote_identifier(&format!("whimbrel_{depth}"))
}
