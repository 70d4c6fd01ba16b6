//! A database in memory that is at a version of some migrations.

use std::fmt;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::Migrator;
use crate::db::sqlite::{FillError, fill, snapshot};
use crate::db::{DbError, ErrorCode, Value};
use crate::error::Error;
use crate::exec::{Trial, Trip};
use crate::model::Version;
use crate::plan::{Goal, Until};

/// Pages copied at once: all of them.
const ALL: i32 = -1;

/// A database in memory, with the migrations that bring it further.
///
/// The migrator's own database is not looked at, so it needs none. What is applied to it and reverted is a real run, which does
/// all that one in earnest does: [`RustContext::dry_run`](crate::model::RustContext::dry_run) is false, and what code does outside
/// the database is done. Code under test is given a stand-in for that. Trials on copies of it, [`round_trip`](Self::round_trip) and
/// [`determinism`](Self::determinism), are told as dry.
pub struct TestDatabase {
    migrator: Migrator,
    connection: Connection,
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestDatabase")
            .field("migrator", &self.migrator)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl TestDatabase {
    /// Makes an empty database.
    pub fn empty(migrator: Migrator) -> Result<Self, Error> {
        let opened = Connection::open_in_memory().and_then(|connection| {
            connection.pragma_update(None, "foreign_keys", true)?;
            Ok(connection)
        });
        Ok(Self { migrator, connection: opened.map_err(|error| failed(Path::new(":memory:"), &error))? })
    }

    /// Makes a database with everything up to a version.
    pub fn at(migrator: Migrator, version: impl Into<Version>) -> Result<Self, Error> {
        let mut database = Self::empty(migrator)?;
        database.up_to(version)?;
        Ok(database)
    }

    /// Makes a database with every migration.
    pub fn latest(migrator: Migrator) -> Result<Self, Error> {
        let mut database = Self::empty(migrator)?;
        database.up()?;
        Ok(database)
    }

    /// Copies a database file, which is only read: for tests on real data.
    pub fn copy_of(migrator: Migrator, file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        let mut database = Self::empty(migrator)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let copied = Connection::open_with_flags(file, flags).and_then(|original| {
            match Backup::new(&original, &mut database.connection)?.step(ALL)? {
                StepResult::Done => {}
                _ => {
                    return Err(rusqlite::Error::SqliteFailure(
                        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                        Some("it is locked by another program".to_owned()),
                    ));
                }
            }
            // What is copied from a file with a write-ahead log would look for the log.
            database.connection.pragma_update(None, "journal_mode", "MEMORY")
        });
        copied.map_err(|error| failed(file, &error))?;
        Ok(database)
    }

    /// Applies everything that is pending.
    pub fn up(&mut self) -> Result<(), Error> {
        self.run(&Goal::LATEST)
    }

    /// Applies everything up to a version.
    pub fn up_to(&mut self, version: impl Into<Version>) -> Result<(), Error> {
        self.run(&Goal::Up(Until::Version(version.into())))
    }

    /// Reverts to a version, which stays applied.
    pub fn down_to(&mut self, version: impl Into<Version>) -> Result<(), Error> {
        self.run(&Goal::Down(Until::Version(version.into())))
    }

    fn run(&mut self, goal: &Goal) -> Result<(), Error> {
        self.migrator.run_on(&mut self.connection, goal).map(drop)
    }

    /// Lends the connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the migrator.
    pub fn migrator(&self) -> &Migrator {
        &self.migrator
    }

    /// Adds rows to a table, all or none, as its schema wants them; the same seed adds the same ones. See [`fill`].
    pub fn fill(&self, table: &str, rows: u64, seed: u64) -> Result<(), FillError> {
        fill(&self.connection, table, rows, seed)
    }

    /// Runs each pending migration up, down and up again on copies, and compares. See [`Migrator::round_trip`].
    pub fn round_trip(&mut self) -> Result<Vec<Trip>, Error> {
        self.migrator.on(&mut self.connection, |migrator| migrator.round_trip(&Goal::LATEST))
    }

    /// Runs the code of pending migrations twice on copies, and compares. See [`Migrator::run_twice`].
    pub fn determinism(&mut self) -> Result<Vec<Trial>, Error> {
        self.migrator.on(&mut self.connection, |migrator| migrator.run_twice(&Goal::LATEST))
    }

    /// Writes the schema as text that does not depend on the order in which it came about, without the history: for
    /// snapshots.
    ///
    /// # Panics
    /// When the schema cannot be read.
    pub fn schema_snapshot(&self) -> String {
        snapshot(&self.connection, &self.own_tables()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns the rows of a query.
    ///
    /// # Panics
    /// When the query fails.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                (0..columns).map(|index| row.get::<_, rusqlite::types::Value>(index).map(value)).collect()
            })?;
            rows.collect::<rusqlite::Result<Vec<Vec<Value>>>>()
        };
        read().unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Asserts what a query returns.
    ///
    /// # Panics
    /// When it returns something else, or fails.
    #[track_caller]
    pub fn assert_rows<R: AsRef<[Value]>>(&self, sql: &str, expected: &[R]) {
        let found = self.rows(sql);
        let same =
            found.len() == expected.len() && found.iter().zip(expected).all(|(one, other)| one == other.as_ref());
        if !same {
            let written = |rows: &mut dyn Iterator<Item = &[Value]>| -> String {
                rows.map(|row| format!("  {row:?}\n")).collect()
            };
            let (expected, found) =
                (written(&mut expected.iter().map(AsRef::as_ref)), written(&mut found.iter().map(Vec::as_slice)));
            panic!("{sql} returns other rows; expected\n{expected}found\n{found}");
        }
    }

    pub(super) fn own_tables(&self) -> Vec<String> {
        self.migrator.own_tables()
    }
}

fn value(value: rusqlite::types::Value) -> Value {
    match value {
        rusqlite::types::Value::Null => Value::Null,
        rusqlite::types::Value::Integer(value) => Value::Integer(value),
        rusqlite::types::Value::Real(value) => Value::Real(value),
        rusqlite::types::Value::Text(value) => Value::Text(value),
        rusqlite::types::Value::Blob(value) => Value::Blob(value),
    }
}

fn failed(database: &Path, error: &rusqlite::Error) -> Error {
    let source = DbError::new(ErrorCode::Database, error.to_string());
    Error::Database { database: database.display().to_string(), source }
}
