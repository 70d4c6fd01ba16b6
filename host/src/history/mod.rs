//! The history table: which migrations are applied. Reads and writes rows; decides nothing.

mod progress;
mod rows;
mod schema;

pub use progress::{Advance, RejectedRow};
pub use rows::NewRow;

use crate::db::{DbError, Session, Value, quote_identifier};
use crate::model::{Applied, AppliedState, Version};

/// The table's name unless another is chosen.
pub const DEFAULT_TABLE: &str = "_whimbrel_history";

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The database refused.
    #[error("cannot use the history table {table}")]
    Database {
        /// Name of the table.
        table: String,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// Written by a later version of the program.
    #[error("the history table {table} has schema version {found}, and this program knows versions up to {known}")]
    Newer {
        /// Name of the table.
        table: String,
        /// Version found.
        found: i64,
        /// Latest version known.
        known: i64,
    },
    /// A row that this program cannot have written.
    #[error("row {id} of the history table {table} has an unusable {column}: {reason}")]
    Row {
        /// Name of the table.
        table: String,
        /// The row's id.
        id: i64,
        /// Name of the column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that cannot be a table's.
    #[error("\"{name}\" cannot be the history table's name; use letters, digits and underscores, at most 60")]
    Name {
        /// The name.
        name: String,
    },
}

/// The history table of one database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct History {
    table: String,
}

impl History {
    /// Names the table: letters, digits and underscores, not beginning with a digit or `sqlite_`.
    pub fn new(table: &str) -> Result<Self, HistoryError> {
        let letters = table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let begins = table.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let reserved = table.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"));
        if !letters || !begins || reserved || table.len() > 60 {
            return Err(HistoryError::Name { name: table.to_owned() });
        }
        Ok(Self { table: table.to_owned() })
    }

    /// Returns the names of the host's own tables.
    pub fn tables(&self) -> Vec<String> {
        vec![self.table.clone(), self.schema_table(), self.rejects_table()]
    }

    /// Returns the rows of a chain in the order they were applied; none when there is no table. Creates nothing.
    pub fn read(&self, session: &mut dyn Session, chain: &str) -> Result<Vec<Applied>, HistoryError> {
        match schema::version(self, session)? {
            0 => Ok(Vec::new()),
            _ => rows::read(self, session, chain),
        }
    }

    /// Creates the tables or brings them up to this program's schema version; inside the caller's transaction.
    pub fn ensure(&self, session: &mut dyn Session) -> Result<(), HistoryError> {
        schema::upgrade(self, session, schema::UPGRADES)
    }

    /// Writes the row of a migration.
    pub fn insert(&self, session: &mut dyn Session, row: &NewRow<'_>) -> Result<(), HistoryError> {
        rows::insert(self, session, row)
    }

    /// Changes the state in the row of a migration.
    pub fn mark(
        &self,
        session: &mut dyn Session,
        chain: &str,
        version: &Version,
        state: AppliedState,
    ) -> Result<(), HistoryError> {
        let sql = format!("UPDATE {} SET state = ? WHERE chain = ? AND version = ?", self.quoted());
        let params = [Value::from(state.as_str()), Value::from(chain), Value::from(version.to_string())];
        session.execute(&sql, &params).map(drop).map_err(|source| self.failed(source))
    }

    /// Takes the row of a migration away.
    pub fn delete(&self, session: &mut dyn Session, chain: &str, version: &Version) -> Result<(), HistoryError> {
        let sql = format!("DELETE FROM {} WHERE chain = ? AND version = ?", self.quoted());
        let params = [Value::from(chain), Value::from(version.to_string())];
        session.execute(&sql, &params).map(drop).map_err(|source| self.failed(source))
    }

    fn quoted(&self) -> String {
        quote_identifier(&self.table)
    }

    fn schema_table(&self) -> String {
        format!("{}_schema", self.table)
    }

    fn failed(&self, source: DbError) -> HistoryError {
        HistoryError::Database { table: self.table.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_no_table_should_have() {
        for name in ["", "1a", "a b", "a\"b", "sqlite_x", "SQLITE_x", &"x".repeat(61)] {
            assert!(History::new(name).is_err(), "{name}");
        }
        assert!(History::new(DEFAULT_TABLE).is_ok());
    }
}
