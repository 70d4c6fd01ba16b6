//! The mark that a run keeps the database to itself: there only while it does, or when it was killed.
//!
//! It is a row beside the schema version and no table of its own, so that scripts find the same schema, and cost the
//! same, with and without it.

use super::{History, HistoryError};
use crate::db::{KeptMark, Session, Value, quote_identifier};

/// Stands where a schema version stands, below all of them.
const MARK: i64 = -1;

impl History {
    /// Returns how the database says that it is kept; the tables must be there.
    pub(crate) fn kept_mark(&self) -> KeptMark {
        let table = quote_identifier(&self.schema_table());
        KeptMark {
            set: format!("INSERT INTO {table} (version) VALUES ({MARK})"),
            clear: format!("DELETE FROM {table} WHERE version = {MARK}"),
        }
    }

    /// Takes the mark of a killed run away.
    pub(crate) fn unmark_kept(&self, session: &mut dyn Session) -> Result<(), HistoryError> {
        session.execute(&self.kept_mark().clear, &[]).map(drop).map_err(|source| self.failed(source))
    }

    /// Tells whether a run kept the database when it was killed. The tables must be there.
    pub(crate) fn is_marked_kept(&self, session: &mut dyn Session) -> Result<bool, HistoryError> {
        let sql = format!("SELECT 1 FROM {} WHERE version = ?", quote_identifier(&self.schema_table()));
        let mut found = false;
        let read = crate::db::for_each_row(session, &sql, &[Value::Integer(MARK)], &mut |_| {
            found = true;
            Ok(())
        });
        read.map(|()| found).map_err(|source| self.failed(source))
    }
}
