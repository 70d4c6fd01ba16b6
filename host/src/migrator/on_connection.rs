//! The same migrator on a connection that the caller has.

use std::sync::Arc;

use rusqlite::Connection;

use super::Migrator;
use crate::db::sqlite::lend;
use crate::error::Error;
use crate::exec::Report;
use crate::plan::Goal;

impl Migrator {
    /// Does something with the database of a connection that the caller has, in place of the migrator's own: `work` is
    /// given a migrator whose every method is about that.
    ///
    /// ```
    /// # use whimbrel::{Migrator, rusqlite::Connection};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let code = whimbrel::source::Code::new().up(1, "note", |tx| Ok(tx.execute("CREATE TABLE note (text)", &[]).map(drop)?));
    /// use whimbrel::plan::Until;
    ///
    /// let migrator = Migrator::builder().source(code).build()?;
    /// let mut connection = Connection::open_in_memory()?;
    /// let pending = migrator.on(&mut connection, |migrator| migrator.pending())?;
    /// assert_eq!(pending.len(), 1);
    /// migrator.on(&mut connection, |migrator| migrator.up(Until::End))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The connection must have no open transaction, and is back when this returns, also by a panic. Its authorizer,
    /// its progress and busy handlers and its hooks of updates, commits and rollbacks are taken off before, and afterwards empty; its
    /// busy timeout is what it was.
    /// When a component has run, SQLite's `random`, `randomblob`, `CURRENT_TIMESTAMP` and its date functions stay replaced
    /// by ones that do the same, and functions of the caller's own under these names are lost. What migrations and hooks set of
    /// the connection, their temporary tables and what they attach go with the step or the run; everything else stays as it is.
    ///
    /// # Errors
    /// [`Error::Database`] when a transaction is open, when `work` uses it in a call inside another one, and through a
    /// clone of its migrator afterwards; else what `work` returns.
    pub fn on<T>(&self, connection: &mut Connection, work: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        let done = lend(connection, |lent| work(&Self { backend: Some(Arc::new(lent)), ..self.clone() }));
        done.map_err(|source| Error::Database { database: "of the connection".to_owned(), source })?
    }

    /// Runs to a goal on a connection that the caller has, as [`on`](Self::on) does.
    pub fn run_on(&self, connection: &mut Connection, goal: &Goal) -> Result<Report, Error> {
        self.on(connection, |migrator| migrator.run(goal))
    }
}
