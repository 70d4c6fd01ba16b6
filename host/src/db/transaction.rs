//! What a migration written in Rust gets: the step's open transaction.

use std::fmt;
use whimbrel_packed::Cell;

use super::{DbError, Session, Value};
use crate::code_events::CodeEvents;
use crate::log_level::LogLevel;

/// The open transaction of a step, lent to a migration written in Rust.
///
/// It commits with the history row when the migration returns, and is rolled back when it fails. COMMIT, ROLLBACK and
/// BEGIN are refused, also on the [connection underneath](Self::sqlite), and the step fails; savepoints are let pass.
pub struct Transaction<'s> {
    session: &'s mut dyn Session,
    heard_by: Option<&'s dyn CodeEvents>,
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transaction").field("dialect", &self.session.dialect()).finish_non_exhaustive()
    }
}

impl<'s> Transaction<'s> {
    /// Lends a session whose transaction is open. Nobody hears what is logged.
    pub fn new(session: &'s mut dyn Session) -> Self {
        Self { session, heard_by: None }
    }

    /// Says who hears what is logged.
    #[must_use]
    pub fn heard_by(self, events: &'s dyn CodeEvents) -> Self {
        Self { heard_by: Some(events), ..self }
    }

    /// Logs a line: the observer of the run hears it, and `tracing` under the target `whimbrel::guest`, as from a
    /// component.
    pub fn log(&self, level: LogLevel, message: &str) {
        if let Some(events) = self.heard_by {
            events.log(level, message);
        }
    }

    /// Tells the observer of the run how far the work is, in whatever unit, and of how many if that is known.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        if let Some(events) = self.heard_by {
            events.progress(done, total);
        }
    }

    /// Runs one statement and returns the rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.session.execute(sql, params)
    }

    /// Runs one query and returns all its rows; for large results use [`Transaction::for_each`].
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, DbError> {
        let mut rows = Vec::new();
        self.for_each(sql, params, |row| {
            rows.push(row.to_vec());
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs one query and hands over its rows one by one.
    pub fn for_each(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(&[Value]) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        for_each_row(self.session, sql, params, &mut each)
    }

    /// Lends the SQLite connection underneath, where there is one.
    ///
    /// SQLite itself ends the transaction at `OR ROLLBACK` and `RAISE(ROLLBACK)`: the step fails then, and on a database of the
    /// migrator's own single statements commit nothing any more. On a connection that was lent they do, as by whoever else has
    /// it: look at [`is_autocommit`](rusqlite::Connection::is_autocommit) after a statement that could do so, and return an error
    /// then.
    pub fn sqlite(&mut self) -> Option<&rusqlite::Connection> {
        self.session.sqlite()
    }
}

/// Runs one query and hands over its rows one by one.
pub(crate) fn for_each_row(
    session: &mut dyn Session,
    sql: &str,
    params: &[Value],
    each: &mut dyn FnMut(&[Value]) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let mut values = Vec::new();
    session.see_rows(sql, params, &mut |row| {
        values.clear();
        for column in 0..row.columns() {
            values.push(Value::from(row.cell(column)?));
        }
        each(&values)
    })
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Boolean(value) => Self::Boolean(value),
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(value) => Self::Text(value.to_owned()),
            Cell::Blob(value) => Self::Blob(value.to_vec()),
        }
    }
}
