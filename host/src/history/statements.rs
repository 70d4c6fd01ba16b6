//! How far a script outside a transaction came: a table with a row for each of its statements, there only while one is
//! not at its end.

use std::str::FromStr;
use std::time::Duration;

use whimbrel_packed::Cell;

use super::{History, HistoryError, mark_of};
use crate::db::{Counters, DbError, Session, Value, quote_identifier};
use crate::model::{Checksum, Key, ScriptProgress};

/// What became of a statement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StatementState {
    /// It was run.
    Done,
    /// It was run, and what it made is gone with its connection.
    Temporary,
    /// It is being run, and nobody could tell whether it was.
    Running,
}

impl StatementState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Temporary => "temporary",
            Self::Running => "running",
        }
    }
}

/// What says that the statements of a migration are noted at all.
const BEGUN: &str = "begun";

impl History {
    /// Returns the name of the table.
    pub(super) fn statements_table(&self) -> String {
        format!("{}_statements", self.table)
    }

    /// Begins to note the statements of a migration.
    pub fn begin_statements(&self, session: &mut dyn Session, chain: &str, key: &Key) -> Result<(), HistoryError> {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {} (chain TEXT NOT NULL, migration TEXT NOT NULL, statement INTEGER NOT NULL, \
             state TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (chain, migration, statement)) WITHOUT ROWID",
            quote_identifier(&self.statements_table())
        );
        session.execute(&create, &[]).map_err(|source| self.failed(source))?;
        self.write_statement(session, chain, key, 0, BEGUN, "")
    }

    /// Notes what became of a statement, which is counted from 0.
    pub fn note_statement(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        statement: usize,
        checksum: Checksum,
        state: StatementState,
    ) -> Result<(), HistoryError> {
        self.write_statement(session, chain, key, statement + 1, state.as_str(), &checksum.to_string())
    }

    fn write_statement(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        number: usize,
        state: &str,
        checksum: &str,
    ) -> Result<(), HistoryError> {
        let sql = format!(
            "INSERT OR REPLACE INTO {} (chain, migration, statement, state, checksum) VALUES (?, ?, ?, ?, ?)",
            quote_identifier(&self.statements_table())
        );
        let params = [
            Value::from(chain),
            Value::from(mark_of(key)),
            Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)),
            Value::from(state),
            Value::from(checksum),
        ];
        session.execute(&sql, &params).map(drop).map_err(|source| self.failed(source))
    }

    /// Takes back that a statement is being run.
    pub fn forget_statement(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        statement: usize,
    ) -> Result<(), HistoryError> {
        let table = quote_identifier(&self.statements_table());
        let sql = format!("DELETE FROM {table} WHERE chain = ? AND migration = ? AND statement = ?");
        let number = i64::try_from(statement + 1).unwrap_or(i64::MAX);
        let params = [Value::from(chain), Value::from(mark_of(key)), Value::Integer(number)];
        session.execute(&sql, &params).map(drop).map_err(|source| self.failed(source))
    }

    /// Adds to the row of a migration what its statements have used since it was last written.
    pub fn add_use(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        duration: Duration,
        counters: Counters,
    ) -> Result<(), HistoryError> {
        let integer = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let statement = "UPDATE {} SET duration_us = duration_us + ?, rows_changed = rows_changed + ?, \
                         statements = statements + ?, operations = operations + ?";
        let params = vec![
            integer(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
            integer(counters.rows_changed),
            integer(counters.statements),
            integer(counters.operations),
        ];
        self.change(session, statement, params, chain, key)
    }

    /// Forgets the statements of a migration; the table goes with the last of them.
    pub fn forget_statements(&self, session: &mut dyn Session, chain: &str, key: &Key) -> Result<(), HistoryError> {
        let mut run = || {
            if !session.table_exists(&self.statements_table())? {
                return Ok(());
            }
            let table = quote_identifier(&self.statements_table());
            let sql = format!("DELETE FROM {table} WHERE chain = ? AND migration = ?");
            session.execute(&sql, &[Value::from(chain), Value::from(mark_of(key))])?;
            let mut is_empty = true;
            session.see_rows(&format!("SELECT 1 FROM {table} LIMIT 1"), &[], &mut |_| {
                is_empty = false;
                Ok(())
            })?;
            if is_empty {
                session.execute(&format!("DROP TABLE {table}"), &[])?;
            }
            Ok(())
        };
        run().map_err(|source: DbError| self.failed(source))
    }

    /// Returns how far the script of a migration came; `None` where that was not noted. Creates nothing.
    pub fn script_progress(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
    ) -> Result<Option<ScriptProgress>, HistoryError> {
        if !session.table_exists(&self.statements_table()).map_err(|source| self.failed(source))? {
            return Ok(None);
        }
        let table = quote_identifier(&self.statements_table());
        let sql = format!("SELECT state, checksum FROM {table} WHERE chain = ? AND migration = ? ORDER BY statement");
        let mut found: Option<ScriptProgress> = None;
        let seen = session.see_rows(&sql, &[Value::from(chain), Value::from(mark_of(key))], &mut |row| {
            let (Cell::Text(state), Cell::Text(sum)) = (row.cell(0)?, row.cell(1)?) else { return Ok(()) };
            let progress = found.get_or_insert_default();
            match Checksum::from_str(sum) {
                _ if state == BEGUN => {}
                Ok(sum) if state == StatementState::Done.as_str() => progress.done.push(sum),
                Ok(sum) if state == StatementState::Temporary.as_str() => {
                    progress.done.push(sum);
                    progress.temporary = true;
                }
                // Also what a later program, or a hand, has written.
                _ => progress.unknown = true,
            }
            Ok(())
        });
        seen.map_err(|source| self.failed(source))?;
        Ok(found)
    }
}
