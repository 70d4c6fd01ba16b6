//! What a database can do, in plain data. Knows no migrations and no Wasm.

mod ambient;
#[cfg(test)]
mod conformance;
mod connection_state;
mod error;
mod function;
mod keyless;
#[cfg(feature = "wasm")]
pub(crate) mod not_a_number;
mod orphans;
mod row;
mod sequence;
mod slice;
pub mod sqlite;
mod transaction;
mod value;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What rows are read into and written from.
pub use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch};

pub use ambient::Ambient;
pub use connection_state::ConnectionState;
pub use error::{DbError, ErrorCode};
#[cfg(feature = "wasm")]
pub(crate) use function::Give;
pub use function::{Apply, Function, Nulls, Parameter, Signature, ValueType};
pub use keyless::Keyless;
pub use orphans::Orphans;
pub use row::Row;
use row::in_batches;
pub(crate) use sequence::{Sequence, Use};
pub use slice::ColumnSlice;
pub use transaction::Transaction;
pub(crate) use transaction::for_each_row;
pub(crate) use value::NOT_A_NUMBER;
pub use value::Value;

use crate::grants::{Observed, Restriction, Touched};
use crate::interrupt::Interrupt;
use crate::limits::{LimitReached, RunLimits};

/// A kind of database together with where it is.
pub trait Backend: Send + Sync {
    /// Names the database for people, without credentials.
    fn describe(&self) -> String;
    /// Opens it for writing; a database that does not exist yet is created by the first write.
    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError>;
    /// Opens it if it exists; `None` when there is no database yet. Creates nothing.
    fn open_existing(&self, access: Access, options: &OpenOptions) -> Result<Option<Box<dyn Session>>, DbError>;
    /// Opens a new, empty database that vanishes with the session.
    fn open_scratch(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError>;
    /// Tells who is at work on it, without opening it. Creates nothing.
    fn run_lock(&self) -> RunLockState {
        RunLockState::Free
    }
}

/// What can be told of the lock that those hold who are at work on a database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RunLockState {
    /// Nobody has it, or nobody can see it.
    Free,
    /// Somebody has it and has noted this.
    Held(String),
    /// Somebody has left it behind, with this note, and is gone.
    Left(String),
}

/// What a session is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// To look; works on files that cannot be written.
    Read,
    /// To change it, perhaps.
    Write,
}

/// What [`Session::keep_transaction`] calls a statement that would have foreign keys off, whatever it says for that.
pub(crate) const KEYS_OFF: &str = "PRAGMA foreign_keys = OFF";

/// How a session waits and stops.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// How long to wait for another connection's lock.
    pub lock_timeout: Duration,
    /// Raised from outside to stop what runs.
    pub interrupt: Interrupt,
    /// Count changed rows by table, which costs a little for each row.
    pub record: bool,
}

/// A prepared statement of one session.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StatementId(pub u32);

/// An open query of one session.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct CursorId(pub u32);

/// An open savepoint of one session.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SavepointId(pub u32);

/// What a session has done so far; differences of two readings measure a step.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counters {
    /// Statements run to their end.
    pub statements: u64,
    /// Rows inserted, updated and deleted, by triggers and foreign key actions too.
    pub rows_changed: u64,
    /// Operations of the database's virtual machine, of statements that failed too.
    pub operations: u64,
}

impl Counters {
    /// Returns what was done since an earlier reading.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            statements: self.statements - earlier.statements,
            rows_changed: self.rows_changed - earlier.rows_changed,
            operations: self.operations - earlier.operations,
        }
    }
}

/// Rows changed in one table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TableChanges {
    /// Name of the table.
    pub table: String,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// A statement a session has run, as a recording tells it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RecordedStatement {
    /// Its text, cut at a sensible length.
    pub sql: String,
    /// How often it ran in a row.
    pub times: u64,
    /// Rows it changed, all times together.
    pub rows_changed: u64,
}

/// What a session recorded between [`Session::start_recording`] and [`Session::take_recording`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Recording {
    /// Statements in order; the same statement many times in a row is one entry.
    pub statements: Vec<RecordedStatement>,
    /// Statements beyond the number kept.
    pub statements_left_out: u64,
    /// Rows changed, by table name.
    pub tables: Vec<TableChanges>,
    /// Rows may have been deleted in the place of new ones, by `REPLACE`: they are in no count, because SQLite does not tell.
    pub replaces: bool,
    /// What restricted code used; `None` when none ran.
    pub observed: Option<Observed>,
}

/// How a database says that a session keeps it to itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptMark {
    /// The statement that says so.
    pub set: String,
    /// The statement that takes it back; changes nothing where nothing was said.
    pub clear: String,
}

/// A lock on the work on a database, held until dropped.
pub struct RunLock {
    _held: Option<Box<dyn std::any::Any>>,
}

impl fmt::Debug for RunLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunLock").field("is_held", &self._held.is_some()).finish_non_exhaustive()
    }
}

impl RunLock {
    /// Wraps whatever is unlocked by being dropped; `None` locks nothing.
    pub fn new(held: Option<Box<dyn std::any::Any>>) -> Self {
        Self { _held: held }
    }
}

/// Where a statement of a script failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the statement from byte {start} to {end} failed")]
pub struct ScriptError {
    /// Byte where the failing statement begins.
    pub start: usize,
    /// Byte after its end.
    pub end: usize,
    /// What went wrong; its `offset` counts from `start`.
    #[source]
    pub error: DbError,
}

/// One open connection, used by one thread.
///
/// It moves into the sandbox by value for the time of a call and comes back afterwards.
pub trait Session {
    /// Names the SQL dialect: `sqlite`.
    fn dialect(&self) -> &'static str;

    /// Runs one statement and returns the rows it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError>;
    /// Runs every statement of a script in order; rows they return are drained.
    fn execute_script(&mut self, script: &str) -> Result<(), ScriptError>;

    /// Prepares one statement.
    fn prepare(&mut self, sql: &str) -> Result<StatementId, DbError>;
    /// Runs a prepared statement once and returns the rows it changed.
    fn execute_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<u64, DbError>;
    /// Runs a prepared statement for each row of the batch, for all or for none.
    fn execute_batch(&mut self, statement: StatementId, batch: &CheckedBatch) -> Result<u64, DbError>;
    /// Runs a prepared statement for each of `rows`, with a parameter from each of `columns`. Rows before one that
    /// fails stay written; the error names that row. Adds the rows that the statement itself changed to `changed`: not
    /// those that the database left as they were.
    fn write_rows(
        &mut self,
        statement: StatementId,
        columns: &[ColumnSlice<'_>],
        rows: &[u32],
        changed: &mut u64,
    ) -> Result<(), DbError> {
        for row in rows {
            let params: Vec<Value> = columns.iter().map(|slice| slice.value(*row)).collect();
            let done = self.execute_prepared(statement, &params);
            *changed += done.map_err(|error| DbError { row: Some(*row), ..error })?;
        }
        Ok(())
    }
    /// Tells what a statement touches of the database itself when it is run, by triggers and the actions of foreign keys,
    /// too. Runs nothing. Open statements and cursors may end.
    fn touched_by(&mut self, sql: &str) -> Result<Vec<Touched>, DbError>;
    /// Ends a prepared statement; one that has ended already is left alone.
    fn close_statement(&mut self, statement: StatementId);

    /// Opens a query.
    fn open_cursor(&mut self, sql: &str, params: &[Value]) -> Result<CursorId, DbError>;
    /// Opens a prepared statement as a query.
    fn open_cursor_prepared(&mut self, statement: StatementId, params: &[Value]) -> Result<CursorId, DbError>;
    /// Returns the column names of an open query.
    fn columns(&mut self, cursor: CursorId) -> Result<Vec<String>, DbError>;
    /// Appends rows to `rows` until it holds `max_rows` or about `max_bytes`; `false` when the query has ended.
    fn fetch(
        &mut self,
        cursor: CursorId,
        max_rows: u32,
        max_bytes: usize,
        rows: &mut BatchBuilder,
    ) -> Result<bool, DbError>;
    /// Ends a query; one that has ended already is left alone.
    fn close_cursor(&mut self, cursor: CursorId);
    /// Runs one query and shows its rows one by one, until one is refused.
    fn see_rows(
        &mut self,
        sql: &str,
        params: &[Value],
        see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        in_batches(self, sql, params, see)
    }

    /// Opens a transaction that may write, waiting for the lock.
    fn begin(&mut self) -> Result<(), DbError>;
    /// Opens a transaction that only reads: all of it sees the database at one moment. It ends as others do.
    fn begin_reading(&mut self) -> Result<(), DbError>;
    /// Makes the transaction's work durable.
    fn commit(&mut self) -> Result<(), DbError>;
    /// Undoes the transaction's work; every statement, cursor and savepoint ends. Nothing to do is no error.
    fn rollback(&mut self) -> Result<(), DbError>;
    /// Refuses statements that begin or end a transaction, also those on the [connection underneath](Self::sqlite), or lets
    /// them pass again; and, where foreign keys are enforced, statements that would have them off, which do nothing inside a
    /// transaction. Returns the first one that was refused since: `COMMIT`, say. Open handles may end.
    fn keep_transaction(&mut self, kept: bool) -> Option<String>;
    /// Tells whether the transaction is open that was begun, or any where none was: what code of the program has opened after it had
    /// lost [its own](Self::keep_transaction) is another.
    fn in_transaction(&self) -> bool;

    /// Tells whether the database is a file of this session's own that holds nothing yet.
    fn is_empty_file(&mut self) -> Result<bool, DbError>;

    /// Keeps the database to this session between transactions, which makes many small ones cheaper, or shares it
    /// again. Only for one that was [empty](Self::is_empty_file). A session may decline, and shares it now and then so
    /// that others do not wait for long. The mark is in the database exactly while it is kept, or when the session was
    /// killed.
    fn keep_to_itself(&mut self, mark: Option<&KeptMark>) -> Result<(), DbError>;

    /// Puts a database back that was kept by a session which was killed.
    fn give_back(&mut self) -> Result<(), DbError>;

    /// Keeps other processes from starting a step outside a transaction, until the lock is dropped or this process
    /// ends; waits for one that is running. Others can read the note. A database that no other process can see needs no
    /// lock.
    fn lock_run(&mut self, note: Option<&str>) -> Result<RunLock, DbError>;

    /// Lets others read this note while the transaction that is open lasts, if that can be done at once.
    fn note(&mut self, note: &str) {
        let _ = note;
    }

    /// Opens a savepoint inside those already open.
    fn savepoint(&mut self) -> Result<SavepointId, DbError>;
    /// Keeps what happened since the savepoint; those inside it end too.
    fn release(&mut self, savepoint: SavepointId) -> Result<(), DbError>;
    /// Counts the savepoints that are open.
    fn open_savepoints(&self) -> usize;
    /// Undoes what happened since the savepoint; those inside it end too.
    fn rollback_to(&mut self, savepoint: SavepointId) -> Result<(), DbError>;

    /// Restricts what statements may do from now on, or lifts the restriction. Open statements and cursors may end.
    fn restrict(&mut self, restriction: Option<Arc<Restriction>>);
    /// Refuses what code that was held to this restriction has left behind in the transaction that is open, where a view or trigger that
    /// names what it has changed would reach further than before, beyond the restriction, or would fail. Called once, at the end
    /// of its work, since a table may be gone for a moment before it is there again; no restriction is in force then.
    fn check_definitions(&mut self, restriction: Arc<Restriction>) -> Result<(), DbError> {
        let _ = restriction;
        Ok(())
    }
    /// Sets where SQL functions take time and chance from; `None` is the machine itself.
    fn set_ambient(&mut self, ambient: Option<Ambient>) -> Result<(), DbError>;
    /// Registers functions in place of those of the last call, until the next one; they cannot stand in definitions of
    /// the schema. None of the statements may be open. A name that the connection has already is refused.
    fn set_functions(&mut self, functions: &[Function]) -> Result<(), DbError> {
        match functions {
            [] => Ok(()),
            _ => Err(DbError::new(ErrorCode::Database, "this kind of database takes no functions")),
        }
    }
    /// Copies the database, bit for bit, into one that vanishes with the session that is returned.
    fn copy(&mut self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError>;
    /// Sets the moment after which statements are stopped with [`ErrorCode::Limit`].
    fn set_deadline(&mut self, deadline: Option<Instant>);
    /// Bounds what statements may use from now on, each bound told by its own error, or restores what was before.
    fn set_limits(&mut self, limits: Option<&RunLimits>) -> Result<(), DbError>;
    /// Restores what was before the limits, and returns them with what was used taken off, to be set by who goes on later;
    /// `None` where none were in force, or nothing is counted.
    fn take_limits(&mut self) -> Result<Option<RunLimits>, DbError> {
        self.set_limits(None)?;
        Ok(None)
    }
    /// Returns the first limit that was met since they were set.
    fn limit_reached(&mut self) -> Option<LimitReached>;
    /// Lets statements run although the interrupt is raised, so that the host can tidy up; or not any more.
    fn hold_interrupt(&mut self, held: bool);
    /// Lets statements run although the interrupt is raised, if they come to their end before this moment.
    fn hold_interrupt_until(&mut self, until: Instant);
    /// Ends every open statement, cursor and savepoint handle.
    fn close_handles(&mut self);

    /// Suspends or restores enforcement of foreign keys; only outside a transaction. Returns what was in force.
    fn set_foreign_keys(&mut self, enforced: bool) -> Result<bool, DbError>;
    /// Tells whether nobody has said whether foreign keys are enforced, so that the layout of a script may.
    fn keys_follow_layout(&self) -> bool {
        false
    }
    /// Finds all rows without parents.
    fn orphans(&mut self) -> Result<Vec<Orphans>, DbError>;
    /// Finds all foreign keys to columns that are no key; none where a database takes no such keys.
    fn keyless(&mut self) -> Result<Vec<Keyless>, DbError> {
        Ok(Vec::new())
    }

    /// Tells how the connection is set and what it has that is not in the database, to be [put back](Self::put_back).
    fn connection_state(&mut self) -> Result<ConnectionState, DbError> {
        Ok(ConnectionState::default())
    }
    /// Makes the connection what it was: settings, temporary objects, attached databases. Open statements and cursors end.
    /// What cannot change while a transaction is open stays as it is until this is called after it.
    fn put_back(&mut self, state: &ConnectionState) -> Result<(), DbError> {
        let _ = state;
        Ok(())
    }

    /// Refuses a connection on which migrations could not do what they say: one that somebody has lent and that only reads, or that
    /// has objects of its own in the place of ones of the database.
    fn check_fit(&mut self) -> Result<(), DbError> {
        Ok(())
    }

    /// Returns a number that changes when another connection has changed the database.
    fn data_version(&mut self) -> Result<i64, DbError>;
    /// Tells whether a table of this name exists.
    fn table_exists(&mut self, table: &str) -> Result<bool, DbError>;
    /// Returns what was done so far.
    fn counters(&self) -> Counters;
    /// Starts to record statements and changed rows.
    fn start_recording(&mut self);
    /// Leaves what comes now out of the recording, since it is the host's own and not the step's; or not any more.
    fn hold_recording(&mut self, held: bool);
    /// Leaves the statements and operations that come now out of [the counts](Self::counters), since they are the host's own; or not
    /// any more.
    fn hold_counting(&mut self, held: bool);
    /// Ends the recording and returns it.
    fn take_recording(&mut self) -> Recording;

    /// Lends the SQLite connection underneath, where there is one.
    fn sqlite(&mut self) -> Option<&rusqlite::Connection> {
        None
    }
}

/// Quotes an identifier the way standard SQL and SQLite do.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
