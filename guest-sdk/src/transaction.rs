//! The handle on the open transaction. Never begins, commits or rolls it back: the host does.

use whimbrel_packed::Cell;

use crate::backend;
use crate::cell::FromCell;
use crate::error::{Error, Result};
use crate::row::{Row, Rows};
use crate::statement::Statement;

/// The step's open transaction. It is kept when the migration returns `Ok`, and undone when it returns an error.
pub struct Transaction {
    raw: backend::Transaction,
}

impl Transaction {
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn new(raw: backend::Transaction) -> Self {
        Self { raw }
    }

    /// Runs one statement and returns the number of rows it changed.
    pub fn execute(&self, sql: &str, params: &[Cell<'_>]) -> Result<u64> {
        Ok(self.raw.execute(sql, params)?)
    }

    /// Runs one query. Rows are computed as they are fetched, about a thousand at a time.
    pub fn query(&self, sql: &str, params: &[Cell<'_>]) -> Result<Rows> {
        Ok(Rows::new(self.raw.query(sql, params)?))
    }

    /// Runs one query and returns its first row, or none.
    pub fn query_row(&self, sql: &str, params: &[Cell<'_>]) -> Result<Option<Row>> {
        self.query(sql, params)?.into_iter().next().transpose()
    }

    /// Runs one query and returns the first cell of its first row. No row is an error.
    ///
    /// ```no_run
    /// # use whimbrel_guest::{params, Result, Transaction};
    /// # fn count(tx: &Transaction) -> Result<()> {
    /// let customers: i64 = tx.query_value("SELECT count(*) FROM customer", params![])?;
    /// # Ok(()) }
    /// ```
    pub fn query_value<T>(&self, sql: &str, params: &[Cell<'_>]) -> Result<T>
    where
        T: for<'r> FromCell<'r>,
    {
        match self.query_row(sql, params)? {
            Some(row) => row.get(0),
            None => Err(Error::msg("the query gave no row")),
        }
    }

    /// Prepares one statement to be run many times.
    pub fn prepare(&self, sql: &str) -> Result<Statement> {
        Ok(Statement::new(self.raw.prepare(sql)?))
    }

    /// Opens a savepoint inside those already open.
    pub fn savepoint(&self) -> Result<Savepoint> {
        Ok(Savepoint { raw: self.raw.savepoint()?, ended: false })
    }

    /// Returns the kind of database: `sqlite`, later others.
    pub fn dialect(&self) -> String {
        self.raw.dialect()
    }
}

/// A savepoint: what happens after it can be undone. Dropped without [`release`](Self::release), it is undone.
///
/// ```no_run
/// # use whimbrel_guest::{params, Result, Transaction};
/// # fn insert(tx: &Transaction) -> Result<()> {
/// let savepoint = tx.savepoint()?;
/// match tx.execute("INSERT INTO customer (email) VALUES (?)", params!["ada@example.org"]) {
///     Ok(_) => savepoint.release()?,
///     Err(error) if error.is_constraint() => savepoint.rollback()?,
///     Err(error) => return Err(error),
/// }
/// # Ok(()) }
/// ```
#[must_use = "a savepoint that is dropped is undone"]
pub struct Savepoint {
    raw: backend::Savepoint,
    ended: bool,
}

impl Savepoint {
    /// Keeps what happened since, and ends this savepoint and those opened inside it.
    pub fn release(mut self) -> Result<()> {
        self.raw.release()?;
        self.ended = true;
        Ok(())
    }

    /// Undoes what happened since, and ends this savepoint and those opened inside it.
    pub fn rollback(mut self) -> Result<()> {
        self.ended = true;
        Ok(self.raw.rollback()?)
    }
}

impl Drop for Savepoint {
    fn drop(&mut self) {
        if !self.ended {
            // It may have ended with one around it; then there is nothing left to undo.
            let _ = self.raw.rollback();
        }
    }
}
