//! The row of a migration that is in progress, and the rows that its transform kept aside.

use whimbrel_packed::Cell;

use super::leases::{AT_THE_END, in_progress};
use super::{History, HistoryError, is_of, mark_of};
use crate::db::{Counters, DbError, Session, Value, quote_identifier};
use crate::lock::Lease;
use crate::model::{AppliedState, Key};

/// What is added to the row of a migration in progress.
#[derive(Clone, Copy, Debug)]
pub struct Advance<'a> {
    /// How far it is now.
    pub state: AppliedState,
    /// How long it took, since the row was last written.
    pub duration: std::time::Duration,
    /// What was done since.
    pub counters: Counters,
    /// Fuel burnt since.
    pub fuel: u64,
    /// What is to be known to go on, as JSON.
    pub details: &'a str,
    /// Who is at work on it. At its end nobody is, whatever stands here.
    pub lease: &'a Lease,
}

/// A row that a transform could not transform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RejectedRow {
    /// Its key, for people.
    pub key: String,
    /// Why it could not be transformed.
    pub reason: String,
    /// The values it had, as JSON: those of the key and those that were read.
    pub values: String,
}

/// The row of a migration that is in progress or applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// How far it is.
    pub state: AppliedState,
    /// What there is to know to go on, as JSON.
    pub details: String,
    /// The run that wrote the row, which tells it from a later one of the same migration.
    pub begun_by: String,
}

impl History {
    /// Returns the name of the table of rows kept aside. It is there only if there ever was one.
    pub(super) fn rejects_table(&self) -> String {
        format!("{}_rejects", self.table)
    }

    /// Reads where the row of a migration stands.
    pub fn standing(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
    ) -> Result<Option<Standing>, HistoryError> {
        let (is_of, value) = is_of(key);
        let sql = format!(
            "SELECT state, details, coalesce(run_id, '') FROM {} WHERE chain = ? AND {is_of} AND ended_at IS NULL",
            self.quoted()
        );
        let params = [Value::from(chain), value];
        let mut found = None;
        let seen = session.see_rows(&sql, &params, &mut |row| {
            if let (Cell::Text(state), Cell::Text(details), Cell::Text(run)) =
                (row.cell(0)?, row.cell(1)?, row.cell(2)?)
                && let Ok(state) = state.parse()
            {
                found = Some(Standing { state, details: details.to_owned(), begun_by: run.to_owned() });
            }
            Ok(())
        });
        seen.map_err(|source| self.failed(source))?;
        Ok(found)
    }

    /// Brings the row of a migration in progress up to date.
    pub fn advance(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        advance: &Advance<'_>,
    ) -> Result<(), HistoryError> {
        let (leases, more) = match advance.state {
            AppliedState::InProgress => in_progress(advance.lease),
            _ => (AT_THE_END, Vec::new()),
        };
        let statement = format!(
            "UPDATE {{}} SET state = ?, duration_us = duration_us + ?, rows_changed = rows_changed + ?, \
             statements = statements + ?, operations = operations + ?, fuel = coalesce(fuel, 0) + ?, \
             details = json_set({leases}, '$.checkpoint', json_extract(?, '$.checkpoint'))"
        );
        let integer = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let mut params = vec![
            Value::from(advance.state.as_str()),
            integer(u64::try_from(advance.duration.as_micros()).unwrap_or(u64::MAX)),
            integer(advance.counters.rows_changed),
            integer(advance.counters.statements),
            integer(advance.counters.operations),
            integer(advance.fuel),
        ];
        params.extend(more);
        params.push(Value::from(advance.details));
        self.change(session, &statement, params, chain, key)
    }

    /// Keeps rows aside.
    pub fn reject(
        &self,
        session: &mut dyn Session,
        chain: &str,
        key: &Key,
        rows: &[RejectedRow],
    ) -> Result<(), HistoryError> {
        if rows.is_empty() {
            return Ok(());
        }
        let table = quote_identifier(&self.rejects_table());
        let mut run = || {
            if !session.table_exists(&self.rejects_table())? {
                session.execute(
                    &format!(
                        "CREATE TABLE {table} (id INTEGER PRIMARY KEY, chain TEXT NOT NULL, version TEXT NOT NULL, \
                         key TEXT NOT NULL, reason TEXT NOT NULL, \"values\" TEXT NOT NULL)"
                    ),
                    &[],
                )?;
            }
            let insert =
                format!("INSERT INTO {table} (chain, version, key, reason, \"values\") VALUES (?, ?, ?, ?, ?)");
            for row in rows {
                let params = [chain, &mark_of(key), &row.key, &row.reason, &row.values].map(Value::from);
                session.execute(&insert, &params)?;
            }
            Ok(())
        };
        run().map_err(|source| self.failed(source))
    }

    /// Forgets the rows that a migration kept aside.
    pub fn forget_rejects(&self, session: &mut dyn Session, chain: &str, key: &Key) -> Result<(), HistoryError> {
        let mut run = || {
            if session.table_exists(&self.rejects_table())? {
                let table = quote_identifier(&self.rejects_table());
                let sql = format!("DELETE FROM {table} WHERE chain = ? AND version = ?");
                session.execute(&sql, &[Value::from(chain), Value::from(mark_of(key))])?;
            }
            Ok(())
        };
        run().map_err(|source| self.failed(source))
    }

    /// Returns the rows that a migration kept aside, in the order in which it met them. Creates nothing.
    pub fn rejects(&self, session: &mut dyn Session, chain: &str, key: &Key) -> Result<Vec<RejectedRow>, HistoryError> {
        let mut rows = Vec::new();
        let mut run = || {
            if !session.table_exists(&self.rejects_table())? {
                return Ok(());
            }
            let table = quote_identifier(&self.rejects_table());
            let sql =
                format!("SELECT key, reason, \"values\" FROM {table} WHERE chain = ? AND version = ? ORDER BY id");
            let params = [Value::from(chain), Value::from(mark_of(key))];
            session.see_rows(&sql, &params, &mut |row| {
                let text = |column| match row.cell(column)? {
                    Cell::Text(text) => Ok::<_, DbError>(text.to_owned()),
                    _ => Ok(String::new()),
                };
                rows.push(RejectedRow { key: text(0)?, reason: text(1)?, values: text(2)? });
                Ok(())
            })
        };
        run().map_err(|source| self.failed(source))?;
        Ok(rows)
    }
}
