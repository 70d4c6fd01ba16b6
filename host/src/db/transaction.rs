//! What a migration written in Rust gets: the step's open transaction.

use whimbrel_packed::Cell;

use super::{DbError, Session, Value};

/// The open transaction of a step, lent to a migration written in Rust.
///
/// It commits with the history row when the migration returns, and is rolled back when it fails.
pub struct Transaction<'s> {
    session: &'s mut dyn Session,
}

impl<'s> Transaction<'s> {
    /// Lends a session whose transaction is open.
    pub fn new(session: &'s mut dyn Session) -> Self {
        Self { session }
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
