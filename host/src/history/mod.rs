//! The history table: which migrations are applied. Reads and writes rows; decides nothing.

mod bodies;
pub mod foreign;
mod kept;
mod leases;
mod packing;
mod progress;
mod read;
mod rows;
mod schema;
mod statements;

pub use bodies::KeptBody;
pub use progress::{Advance, RejectedRow, Standing};
use read::Which;
pub use rows::NewRow;
pub use statements::StatementState;

use crate::db::{DbError, Session, Value, for_each_row, quote_identifier};
use crate::model::{Applied, AppliedState, Checksum, Key};

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
    /// Tables are there, and do not say together that they are a history.
    #[error("the history table {table} cannot be used: {reason}")]
    Unusable {
        /// Name of the table.
        table: String,
        /// What is wrong.
        reason: String,
        /// The version of its schema, judged by its columns; `None` where it is no history.
        looks_like: Option<i64>,
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
    /// Bytes that were kept and are not what they were.
    #[error("what {table} keeps under {digest} cannot be used: {reason}")]
    Body {
        /// Name of the table.
        table: String,
        /// SHA-256 of what was kept.
        digest: Box<Checksum>,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that cannot be a table's.
    #[error(
        "\"{}\" cannot be the history table's name; use letters, digits and underscores, at most 60, and begin with neither \
         a digit nor `sqlite_`",
        name.escape_debug()
    )]
    Name {
        /// The name.
        name: String,
    },
}

/// The history table of one database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct History {
    table: String,
    /// Chains whose migrations are kept.
    keeping: Vec<String>,
    /// Tables of other histories in the same database.
    beside: Vec<String>,
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
        Ok(Self { table: table.to_owned(), keeping: Vec::new(), beside: Vec::new() })
    }

    /// Keeps the bytes of what is applied from these chains; what is kept of them may be run on the way down.
    #[must_use]
    pub fn keeping(mut self, chains: Vec<String>) -> Self {
        self.keeping = chains;
        self
    }

    /// Tells whether the bytes of what is applied from a chain are kept.
    pub fn keeps(&self, chain: &str) -> bool {
        self.keeping.iter().any(|kept| kept == chain)
    }

    /// Returns the name of the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns the names of the host's own tables, those of other histories, once they were looked for, last.
    pub fn tables(&self) -> Vec<String> {
        let own = [
            self.table.clone(),
            self.schema_table(),
            self.rejects_table(),
            self.bodies_table(),
            self.statements_table(),
        ];
        own.into_iter().chain(self.beside.iter().cloned()).collect()
    }

    /// Takes the tables of all other histories in the database for the host's own as well: another migrator has them, under another
    /// name, and what may not be touched of the one may not be touched of the other.
    pub(crate) fn beside_others(mut self, session: &mut dyn Session) -> Result<Self, DbError> {
        for other in self.others(session)? {
            self.beside.extend(other.tables());
        }
        Ok(self)
    }

    /// Finds the other histories in the database.
    pub(crate) fn others(&self, session: &mut dyn Session) -> Result<Vec<Self>, DbError> {
        let all = Self::all(session)?;
        let others = all.iter().filter(|table| !table.eq_ignore_ascii_case(&self.table));
        Ok(others.filter_map(|table| Self::new(table).ok()).collect())
    }

    /// Finds the history tables of a database, whatever they are called.
    pub(crate) fn all(session: &mut dyn Session) -> Result<Vec<String>, DbError> {
        let sql = "SELECT t.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' \
                   AND c.name IN ('chain', 'normalised_checksum', 'manifest_checksum', 'host_version') \
                   AND EXISTS (SELECT 1 FROM sqlite_schema AS s WHERE s.type = 'table' AND s.name = t.name || '_schema') \
                   GROUP BY t.name HAVING count(*) = 4 ORDER BY t.name";
        let mut found = Vec::new();
        for_each_row(session, sql, &[], &mut |row| {
            if let [Value::Text(table)] = row
                && Self::new(table).is_ok()
            {
                found.push(table.clone());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns a chain's rows that are in force, in the order they were written; none when there is no table. Creates
    /// nothing.
    pub fn read(&self, session: &mut dyn Session, chain: &str) -> Result<Vec<Applied>, HistoryError> {
        self.select(session, Which::Live(chain), true)
    }

    /// Returns all rows of all chains, also those that were reverted or replaced, in the order they were written.
    /// Creates nothing.
    pub fn read_all(&self, session: &mut dyn Session) -> Result<Vec<Applied>, HistoryError> {
        self.select(session, Which::All, true)
    }

    /// Returns the same rows without their records, which nothing is decided by: a third of what reading them takes.
    pub(crate) fn read_to_decide(&self, session: &mut dyn Session) -> Result<Vec<Applied>, HistoryError> {
        self.select(session, Which::All, false)
    }

    fn select(&self, session: &mut dyn Session, which: Which<'_>, told: bool) -> Result<Vec<Applied>, HistoryError> {
        self.at_once(session, |session| match schema::version(self, session)? {
            0 => Ok(Vec::new()),
            version => read::read(self, session, version, which, told),
        })
    }

    /// Reads from several tables as they are at one moment: another process may end a step between two statements.
    pub(crate) fn at_once<T>(
        &self,
        session: &mut dyn Session,
        look: impl FnOnce(&mut dyn Session) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        if session.in_transaction() {
            return look(session);
        }
        session.begin_reading().map_err(|source| self.failed(source))?;
        let found = look(session);
        let ended = if found.is_ok() { session.commit() } else { session.rollback() };
        // What went wrong first says more.
        found.and_then(|found| ended.map(|()| found).map_err(|source| self.failed(source)))
    }

    /// Creates the tables or brings them up to this program's schema version; inside the caller's transaction.
    pub fn ensure(&self, session: &mut dyn Session) -> Result<(), HistoryError> {
        schema::upgrade(self, session, schema::UPGRADES)
    }

    /// Writes the row of a migration. One that the database left out is an error: nobody would know of the migration.
    pub fn insert(&self, session: &mut dyn Session, row: &NewRow<'_>) -> Result<(), HistoryError> {
        rows::insert(self, session, row)?;
        self.keep(session, row.chain, row.migration)
    }

    /// Writes rows as they are, such as those taken over from another tool; their numbers are given anew, in order.
    pub fn import(&self, session: &mut dyn Session, rows: &[Applied]) -> Result<(), HistoryError> {
        rows.iter().try_for_each(|row| rows::write(self, session, row)).map_err(|source| self.failed(source))
    }

    /// Changes the state in the row of a migration that is in force.
    pub fn mark(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        state: AppliedState,
    ) -> Result<(), HistoryError> {
        self.change(session, "UPDATE {} SET state = ?", vec![Value::from(state.as_str())], chain, key)
    }

    /// Says in the row of a migration that is in force what state it is in and what the chain has for it; when it was
    /// applied, and what that used, stays.
    pub fn restate(&self, session: &mut dyn Session, key: &Key, row: &NewRow<'_>) -> Result<(), HistoryError> {
        let (set, params) = rows::restated(row);
        self.change(session, &format!("UPDATE {{}} SET {set}"), params, row.chain, key)?;
        self.keep(session, row.chain, row.migration)
    }

    /// Keeps the row of a migration, but no longer in force: it was reverted or replaced at this moment (UTC, RFC
    /// 3339).
    pub fn end(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        state: AppliedState,
        at: &str,
    ) -> Result<(), HistoryError> {
        let params = vec![Value::from(state.as_str()), Value::from(at)];
        self.change(session, "UPDATE {} SET state = ?, ended_at = ?", params, chain, key)
    }

    /// Takes the row of a migration that is in force away, as if it had never been.
    pub fn delete(&self, session: &mut dyn Session, chain: &str, key: &Key) -> Result<(), HistoryError> {
        self.change(session, "DELETE FROM {}", Vec::new(), chain, key)
    }

    /// Runs a statement on the row of a migration that is in force; its first `{}` stands for the table.
    fn change(
        &self,
        session: &mut dyn Session,
        statement: &str,
        mut params: Vec<Value>,
        chain: &str,
        key: &Key,
    ) -> Result<(), HistoryError> {
        let statement = statement.replacen("{}", &self.quoted(), 1);
        let (is_of, value) = is_of(key);
        let sql = format!("{statement} WHERE chain = ? AND {is_of} AND ended_at IS NULL");
        params.extend([Value::from(chain), value]);
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

/// Returns the condition that finds a migration's rows among those of its chain, and the value for it.
fn is_of(key: &Key) -> (&'static str, Value) {
    match key {
        Key::Version(version) => ("version = ?", Value::from(version.key())),
        Key::Name(name) => ("version IS NULL AND name = ?", Value::from(name.as_str())),
    }
}

/// Writes what tells a migration from the others of its chain, for tables beside the history; versions have no letters.
fn mark_of(key: &Key) -> String {
    match key {
        Key::Version(version) => version.key(),
        Key::Name(name) => format!("R {name}"),
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
