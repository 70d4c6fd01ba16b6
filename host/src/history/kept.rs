//! The mark that a run keeps the database to itself: there only while it does, or when it was killed.
//!
//! It is a row beside the schema version and no table of its own, so that scripts find the same schema, and cost the
//! same, with and without it.

use super::{History, HistoryError};
use crate::db::{Session, Value, quote_identifier};

/// Stands where a schema version stands, below all of them.
const MARK: i64 = -1;

impl History {
    /// Marks the database as kept by a run; inside the caller's transaction, after the tables are made.
    pub(crate) fn mark_kept(&self, session: &mut dyn Session) -> Result<(), HistoryError> {
        self.on_mark(session, "INSERT INTO {} (version) VALUES (?)")
    }

    /// Takes the mark away.
    pub(crate) fn unmark_kept(&self, session: &mut dyn Session) -> Result<(), HistoryError> {
        self.on_mark(session, "DELETE FROM {} WHERE version = ?")
    }

    /// Tells whether a run keeps the database, or kept it when it was killed. The tables must be there.
    pub(crate) fn is_marked_kept(&self, session: &mut dyn Session) -> Result<bool, HistoryError> {
        let sql = format!("SELECT 1 FROM {} WHERE version = ?", quote_identifier(&self.schema_table()));
        let mut found = false;
        let read = crate::db::for_each_row(session, &sql, &[Value::Integer(MARK)], &mut |_| {
            found = true;
            Ok(())
        });
        read.map(|()| found).map_err(|source| self.failed(source))
    }

    fn on_mark(&self, session: &mut dyn Session, sql: &str) -> Result<(), HistoryError> {
        let sql = sql.replace("{}", &quote_identifier(&self.schema_table()));
        session.execute(&sql, &[Value::Integer(MARK)]).map(drop).map_err(|source| self.failed(source))
    }
}
