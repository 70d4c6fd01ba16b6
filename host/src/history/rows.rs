//! Rows of the history table.

use std::str::FromStr;
use std::time::Duration;

use whimbrel_packed::{Cell, CheckedBatch};

use super::{History, HistoryError};
use crate::db::{Session, Value, for_each_batch};
use crate::model::{Applied, AppliedState, Checksum, Migration, Version};

/// What is recorded of a migration that was run.
#[derive(Clone, Debug)]
pub struct NewRow<'a> {
    /// Name of the chain.
    pub chain: &'a str,
    /// The migration.
    pub migration: &'a Migration,
    /// Whether it is done.
    pub state: AppliedState,
    /// When its step began: UTC, RFC 3339.
    pub applied_at: &'a str,
    /// How long it took.
    pub duration: Duration,
    /// Rows it changed.
    pub rows_changed: u64,
    /// Statements it ran.
    pub statements: u64,
    /// Operations of the database's virtual machine.
    pub operations: u64,
    /// Fuel it burnt, for a component.
    pub fuel: Option<u64>,
}

const COLUMNS: &str = "id, version, name, kind, state, checksum, normalised_checksum, manifest_checksum, applied_at, \
                       duration_us, rows_changed, statements, operations, fuel, host_version, \
                       CASE WHEN json_valid(details) THEN json_extract(details, '$.checkpoint.rows') END, \
                       CASE WHEN json_valid(details) THEN json_extract(details, '$.checkpoint.total') END";

pub(super) fn read(history: &History, session: &mut dyn Session, chain: &str) -> Result<Vec<Applied>, HistoryError> {
    let sql = format!("SELECT {COLUMNS} FROM {} WHERE chain = ? ORDER BY id", history.quoted());
    let mut rows = Vec::new();
    let mut unusable = None;
    for_each_batch(session, &sql, &[Value::from(chain)], &mut |batch| {
        for row in 0..batch.rows() {
            match applied(history, chain, batch, row) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    unusable.get_or_insert(error);
                }
            }
        }
        Ok(())
    })
    .map_err(|source| history.failed(source))?;
    unusable.map_or(Ok(rows), Err)
}

fn applied(history: &History, chain: &str, batch: &CheckedBatch, row: usize) -> Result<Applied, HistoryError> {
    let id = match batch.cell(row, 0) {
        Cell::Integer(id) => id,
        _ => 0,
    };
    let unusable = |column, reason: String| HistoryError::Row { table: history.table.clone(), id, column, reason };
    let text = |index, column| match batch.cell(row, index) {
        Cell::Text(text) => Ok(text),
        other => Err(unusable(column, format!("it is {:?}, not text", other.kind()))),
    };
    let count = |index, column| match batch.cell(row, index) {
        Cell::Integer(count) => u64::try_from(count).map_err(|_| unusable(column, format!("{count} is below zero"))),
        other => Err(unusable(column, format!("it is {:?}, not an integer", other.kind()))),
    };
    let checksum = |text: &str, column| Checksum::from_str(text).map_err(|error| unusable(column, error.to_string()));
    let optional = |index, column| match batch.cell(row, index) {
        Cell::Null => Ok(None),
        _ => text(index, column).and_then(|text| checksum(text, column)).map(Some),
    };
    Ok(Applied {
        id,
        chain: chain.to_owned(),
        version: Version::parse(text(1, "version")?).map_err(|error| unusable("version", error.to_string()))?,
        name: text(2, "name")?.to_owned(),
        kind: text(3, "kind")?.to_owned(),
        state: {
            let state = text(4, "state")?;
            let unknown = |_| unusable("state", format!("\"{}\" is unknown", state.escape_debug()));
            state.parse().map_err(unknown)?
        },
        checksum: checksum(text(5, "checksum")?, "checksum")?,
        normalised_checksum: optional(6, "normalised_checksum")?,
        manifest_checksum: optional(7, "manifest_checksum")?,
        applied_at: text(8, "applied_at")?.to_owned(),
        duration: Duration::from_micros(count(9, "duration_us")?),
        rows_changed: count(10, "rows_changed")?,
        statements: count(11, "statements")?,
        operations: count(12, "operations")?,
        fuel: match batch.cell(row, 13) {
            Cell::Null => None,
            _ => Some(count(13, "fuel")?),
        },
        host_version: text(14, "host_version")?.to_owned(),
        rows_done: match (batch.cell(row, 15), batch.cell(row, 16)) {
            (Cell::Integer(done), Cell::Integer(of)) => u64::try_from(done).ok().zip(u64::try_from(of).ok()),
            _ => None,
        },
    })
}

pub(super) fn insert(history: &History, session: &mut dyn Session, row: &NewRow<'_>) -> Result<(), HistoryError> {
    let sql = format!(
        "INSERT INTO {} (chain, version, name, kind, state, checksum, normalised_checksum, manifest_checksum, \
         applied_at, duration_us, rows_changed, statements, operations, fuel, host_version) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        history.quoted()
    );
    let migration = row.migration;
    let integer = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let checksum = |checksum: Option<Checksum>| Value::from(checksum.map(|checksum| checksum.to_string()));
    let params = [
        Value::from(row.chain),
        Value::from(migration.version.to_string()),
        Value::from(migration.name.as_str()),
        Value::from(migration.kind().as_str()),
        Value::from(row.state.as_str()),
        checksum(Some(migration.checksum())),
        checksum(migration.normalised_checksum()),
        checksum(migration.manifest_checksum()),
        Value::from(row.applied_at),
        integer(u64::try_from(row.duration.as_micros()).unwrap_or(u64::MAX)),
        integer(row.rows_changed),
        integer(row.statements),
        integer(row.operations),
        row.fuel.map_or(Value::Null, integer),
        Value::from(env!("CARGO_PKG_VERSION")),
    ];
    session.execute(&sql, &params).map(drop).map_err(|source| history.failed(source))
}
