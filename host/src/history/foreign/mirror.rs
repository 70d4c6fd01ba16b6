//! Goes on writing another tool's table as that tool would, so that there is a way back to it.
//!
//! Forms of the rows: sqlx-core's `migrate`, refinery-core's `traits`, Flyway's schema history, golang-migrate's and goose's
//! drivers for SQLite, dbmate's `schema_migrations`, diesel's `__diesel_schema_migrations`, Active Record's, wrangler's
//! `d1_migrations`.

use std::time::Duration;

use super::checksum::{self, Width};
use super::{ForeignTable, Tool};
use crate::db::{DbError, Session, Value, for_each_row, quote_identifier};
use crate::history::{History, HistoryError};
use crate::model::{Body, Chain, Migration, Role, Script};

impl Tool {
    /// Tells whether it is known what it would write of a migration that somebody else has run.
    pub(super) fn can_be_written(self) -> bool {
        matches!(
            self,
            Self::Sqlx
                | Self::Refinery
                | Self::Flyway
                | Self::GolangMigrate
                | Self::Goose
                | Self::Dbmate
                | Self::Diesel
                | Self::Rails
                | Self::D1
        )
    }
}

/// Another tool's table that goes on being written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mirror {
    tool: Tool,
    table: String,
}

/// A migration that has gone up or down.
pub(crate) struct Done<'a> {
    /// Its chain.
    pub(crate) chain: &'a Chain,
    /// The migration.
    pub(crate) migration: &'a Migration,
    /// When it began: UTC, RFC 3339, to the millisecond.
    pub(crate) at: &'a str,
    /// How long it took.
    pub(crate) duration: Duration,
}

impl Mirror {
    /// Returns its name.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// Notes in the rows taken over that their table goes on being written.
    pub(crate) fn begin(
        history: &History,
        session: &mut dyn Session,
        chain: &str,
        from: &ForeignTable,
    ) -> Result<(), HistoryError> {
        let sql = format!(
            "UPDATE {} SET details = json_set(details, '$.mirror', ?) WHERE chain = ? AND origin = ?",
            history.quoted()
        );
        let params = [from.table.as_str(), chain, from.tool.as_str()].map(Value::from);
        session.execute(&sql, &params).map(drop).map_err(|source| history.failed(source))
    }

    /// Reads which chains have one.
    pub(crate) fn all(history: &History, session: &mut dyn Session) -> Result<Vec<(String, Self)>, HistoryError> {
        let sql = format!(
            "SELECT DISTINCT chain, origin, json_extract(details, '$.mirror') FROM {} \
             WHERE origin IS NOT NULL AND details <> '{{}}' AND json_valid(details)",
            history.quoted()
        );
        let mut all = Vec::new();
        let mut keep = |row: &[Value]| {
            if let [Value::Text(chain), Value::Text(tool), Value::Text(table)] = row
                && let Ok(tool) = tool.parse()
            {
                all.push((chain.clone(), Self { tool, table: table.clone() }));
            }
            Ok(())
        };
        for_each_row(session, &sql, &[], &mut keep).map_err(|source| history.failed(source))?;
        Ok(all)
    }

    /// Writes what the tool would have written of a migration that went up; inside the step's transaction. What the tool
    /// could not have run, such as a component, it has no row of.
    pub(crate) fn applied(&self, session: &mut dyn Session, done: &Done<'_>) -> Result<(), DbError> {
        let Body::Sql { up, .. } = &done.migration.body else { return Ok(()) };
        match done.migration.role() {
            Role::Versioned => self.add(session, done, up),
            Role::Repeatable if self.tool == Tool::Flyway => self.add(session, done, up),
            Role::Repeatable | Role::Baseline => Ok(()),
        }
    }

    /// Writes what the tool would have written of a migration that was taken back.
    pub(crate) fn reverted(&self, session: &mut dyn Session, done: &Done<'_>) -> Result<(), DbError> {
        match (&done.migration.body, done.migration.role()) {
            (Body::Sql { down, .. }, Role::Versioned) => self.remove(session, done, down.as_deref()),
            _ => Ok(()),
        }
    }

    fn add(&self, session: &mut dyn Session, done: &Done<'_>, up: &Script) -> Result<(), DbError> {
        let (migration, text) = (done.migration, up.text.as_ref());
        let number = migration.version.number().and_then(|number| i64::try_from(number).ok());
        let words = Value::from(migration.name.replace('_', " "));
        match (self.tool, number) {
            (Tool::Sqlx, Some(number)) => {
                let nanoseconds = i64::try_from(done.duration.as_nanos()).unwrap_or(i64::MAX);
                self.insert(
                    session,
                    "(version, description, installed_on, success, checksum, execution_time) \
                     VALUES (?, ?, ?, 1, unhex(?), ?)",
                    &[
                        Value::Integer(number),
                        words,
                        second(done.at),
                        Value::from(checksum::sqlx(text)),
                        Value::Integer(nanoseconds),
                    ],
                )
            }
            (Tool::Refinery, Some(number)) => {
                let width = if i32::try_from(number).is_ok() { Width::Int4 } else { Width::Int8 };
                let sum = checksum::refinery(&migration.name, number.unsigned_abs(), text, width);
                self.insert(
                    session,
                    "(version, name, applied_on, checksum) VALUES (?, ?, ?, ?)",
                    &[
                        Value::Integer(number),
                        Value::from(migration.name.as_str()),
                        Value::from(done.at),
                        Value::from(sum),
                    ],
                )
            }
            (Tool::Flyway, _) => self.flyway(session, done, "SQL", up),
            (Tool::GolangMigrate, Some(number)) => self.stand_at(session, Some(number)),
            (Tool::Goose, Some(number)) => self.insert(
                session,
                "(version_id, is_applied, tstamp) VALUES (?, 1, ?)",
                &[Value::Integer(number), second(done.at)],
            ),
            (Tool::Diesel, _) => self.insert(
                session,
                "(version, run_on) VALUES (?, ?)",
                &[Value::from(written(self.tool, migration)), second(done.at)],
            ),
            (Tool::D1, _) => self.insert(
                session,
                "(name, applied_at) VALUES (?, ?)",
                &[Value::from(last_part(&up.file)), second(done.at)],
            ),
            (Tool::Dbmate | Tool::Rails, _) => {
                self.insert(session, "(version) VALUES (?)", &[Value::from(written(self.tool, migration))])
            }
            _ => Ok(()),
        }
    }

    fn remove(&self, session: &mut dyn Session, done: &Done<'_>, down: Option<&Script>) -> Result<(), DbError> {
        let number = done.migration.version.number().and_then(|number| i64::try_from(number).ok());
        match (self.tool, number) {
            (Tool::Flyway, _) => match down {
                Some(down) => self.flyway(session, done, "UNDO_SQL", down),
                None => Ok(()),
            },
            (Tool::GolangMigrate, _) => {
                let before = done.chain.migrations().iter().rev().find(|other| {
                    other.role() == Role::Versioned && other.version < done.migration.version && is_sql(other)
                });
                let number = before.and_then(|before| before.version.number());
                self.stand_at(session, number.and_then(|number| i64::try_from(number).ok()))
            }
            (Tool::D1, _) => self.delete(session, "name", Value::from(last_part(&done.migration.file))),
            (Tool::Sqlx | Tool::Refinery, Some(number)) => self.delete(session, "version", Value::Integer(number)),
            (Tool::Goose, Some(number)) => self.delete(session, "version_id", Value::Integer(number)),
            (Tool::Diesel | Tool::Dbmate | Tool::Rails, _) => {
                self.delete(session, "version", Value::from(written(self.tool, done.migration)))
            }
            _ => Ok(()),
        }
    }

    /// Flyway never takes a row away: what was undone has one more.
    fn flyway(&self, session: &mut dyn Session, done: &Done<'_>, kind: &str, script: &Script) -> Result<(), DbError> {
        let migration = done.migration;
        let is_repeatable = migration.role() == Role::Repeatable;
        let milliseconds = i64::try_from(done.duration.as_millis()).unwrap_or(i64::MAX);
        // Flyway takes that of repeatable scripts after it has put values in.
        let summed = if is_repeatable { script.runs() } else { script.text.as_ref() };
        let sum = checksum::flyway(summed).parse().map_or(Value::Null, Value::Integer);
        let table = quote_identifier(&self.table);
        let sql = format!(
            "(installed_rank, version, description, type, script, checksum, installed_by, installed_on, execution_time, \
             success) VALUES ((SELECT coalesce(max(installed_rank), 0) + 1 FROM {table}), ?, ?, ?, ?, ?, '', ?, ?, 1)"
        );
        self.insert(
            session,
            &sql,
            &[
                if is_repeatable { Value::Null } else { Value::from(written(self.tool, migration)) },
                Value::from(migration.name.replace('_', " ")),
                Value::from(kind),
                Value::from(last_part(&script.file)),
                sum,
                Value::from(done.at.trim_end_matches('Z').replace('T', " ")),
                Value::Integer(milliseconds),
            ],
        )
    }

    /// golang-migrate keeps one row: the version at which the database stands.
    fn stand_at(&self, session: &mut dyn Session, version: Option<i64>) -> Result<(), DbError> {
        session.execute(&format!("DELETE FROM {}", quote_identifier(&self.table)), &[])?;
        match version {
            Some(version) => self.insert(session, "(version, dirty) VALUES (?, 0)", &[Value::Integer(version)]),
            None => Ok(()),
        }
    }

    fn insert(&self, session: &mut dyn Session, rest: &str, params: &[Value]) -> Result<(), DbError> {
        session.execute(&format!("INSERT INTO {} {rest}", quote_identifier(&self.table)), params).map(drop)
    }

    fn delete(&self, session: &mut dyn Session, column: &str, version: Value) -> Result<(), DbError> {
        let sql = format!("DELETE FROM {} WHERE {column} = ?", quote_identifier(&self.table));
        session.execute(&sql, &[version]).map(drop)
    }
}

fn is_sql(migration: &Migration) -> bool {
    matches!(migration.body, Body::Sql { .. })
}

/// Writes a moment as SQLite's `CURRENT_TIMESTAMP` does.
fn second(at: &str) -> Value {
    Value::from(at.get(..19).unwrap_or(at).replace('T', " "))
}

fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Returns the version as the tool reads it off the name of the file, where leading zeros count, or of its folder.
pub(super) fn written(tool: Tool, migration: &Migration) -> String {
    let mut parts = migration.file.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or_default();
    let in_folder = matches!(file, "up.sql" | "down.sql" | "migration.sql");
    let name = if in_folder { parts.next().unwrap_or_default() } else { file };
    let found = match tool {
        Tool::Diesel => name.split('_').next().unwrap_or_default().replace('-', ""),
        Tool::Flyway => name.trim_start_matches(['V', 'v']).split("__").next().unwrap_or_default().replace('_', "."),
        _ => name.chars().take_while(char::is_ascii_digit).collect(),
    };
    if found.starts_with(|first: char| first.is_ascii_digit()) { found } else { migration.version.to_string() }
}
