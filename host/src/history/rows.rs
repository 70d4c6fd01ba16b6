//! Writes rows of the history table.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{History, HistoryError};
use crate::db::{DbError, ErrorCode, Session, Value};
use crate::model::{Applied, AppliedState, Checksum, Migration, Record, Role};

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
    /// Name, version and digest of the script engine that ran it.
    pub engine: Option<&'a str>,
    /// The run it is part of.
    pub run_id: Option<&'a str>,
    /// Checksums of the libraries whose functions it calls, by their names.
    pub functions: &'a BTreeMap<String, Checksum>,
    /// Why it counts as applied although it was not run.
    pub not_run: Option<&'a str>,
}

impl NewRow<'_> {
    /// Returns the row as it will be read again, but for its number.
    fn applied(&self) -> Applied {
        let migration = self.migration;
        Applied {
            id: 0,
            chain: self.chain.into(),
            version: migration.version,
            repeatable: migration.role() == Role::Repeatable,
            name: migration.name.clone(),
            kind: migration.kind().as_str().into(),
            state: self.state,
            checksum: migration.checksum(),
            normalised_checksum: migration.normalised_checksum(),
            manifest_checksum: migration.manifest_checksum(),
            record: Some(Box::new(Record {
                applied_at: self.applied_at.to_owned(),
                duration: self.duration,
                rows_changed: self.rows_changed,
                statements: self.statements,
                fuel: self.fuel,
                operations: self.operations,
                host_version: env!("CARGO_PKG_VERSION").into(),
            })),
            functions: self.functions.clone(),
            rows_done: None,
            not_run: self.not_run.map(str::to_owned),
            script: None,
            down_checksum: migration.down_checksum(),
            origin: None,
            engine: self.engine.map(Into::into),
            run_id: self.run_id.map(Into::into),
            ended_at: None,
        }
    }
}

/// Writes what there is to know of a row beside its columns, as JSON.
fn details(functions: &BTreeMap<String, Checksum>, not_run: Option<&str>) -> String {
    let mut details = serde_json::Map::new();
    if !functions.is_empty() {
        let sums = functions.iter().map(|(name, checksum)| (name.clone(), checksum.to_string().into()));
        details.insert("functions".to_owned(), serde_json::Value::Object(sums.collect()));
    }
    details.extend(not_run.map(|reason| ("not_run".to_owned(), reason.into())));
    serde_json::Value::Object(details).to_string()
}

/// Returns what is set in a row that is to say what the chain has for its migration, and the values of that.
pub(super) fn restated(row: &NewRow<'_>) -> (&'static str, Vec<Value>) {
    let set = "state = ?, name = ?, kind = ?, checksum = ?, normalised_checksum = ?, manifest_checksum = ?, \
               down_checksum = ?, details = json_remove(json_set(CASE WHEN json_valid(details) THEN details ELSE '{}' \
               END, '$.functions', json_extract(?, '$.functions')), '$.kept')";
    let row = row.applied();
    let checksum = |checksum: Option<Checksum>| Value::from(checksum.map(|checksum| checksum.to_string()));
    let params = vec![
        Value::from(row.state.as_str()),
        Value::from(row.name.as_str()),
        Value::from(&*row.kind),
        checksum(Some(row.checksum)),
        checksum(row.normalised_checksum),
        checksum(row.manifest_checksum),
        checksum(row.down_checksum),
        Value::from(details(&row.functions, None)),
    ];
    (set, params)
}

/// Writes the row of a migration that was run.
pub(super) fn insert(history: &History, session: &mut dyn Session, row: &NewRow<'_>) -> Result<(), HistoryError> {
    write(history, session, &row.applied()).map_err(|source| history.failed(source))
}

/// Writes a row as it is; the database numbers it.
pub(super) fn write(history: &History, session: &mut dyn Session, row: &Applied) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO {} (chain, version, name, kind, state, checksum, normalised_checksum, manifest_checksum, \
         applied_at, duration_us, rows_changed, statements, operations, fuel, host_version, down_checksum, origin, \
         origin_version, origin_checksum, engine, run_id, ended_at, details) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        history.quoted()
    );
    let integer = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let checksum = |checksum: Option<Checksum>| Value::from(checksum.map(|checksum| checksum.to_string()));
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let (origin, record) = (row.origin.as_ref(), row.record());
    let params = [
        Value::from(&*row.chain),
        if row.repeatable { Value::Null } else { Value::from(row.version.key()) },
        Value::from(row.name.as_str()),
        Value::from(&*row.kind),
        Value::from(row.state.as_str()),
        checksum(Some(row.checksum)),
        checksum(row.normalised_checksum),
        checksum(row.manifest_checksum),
        Value::from(record.applied_at.as_str()),
        integer(u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX)),
        integer(record.rows_changed),
        integer(record.statements),
        integer(record.operations),
        record.fuel.map_or(Value::Null, integer),
        Value::from(&*record.host_version),
        checksum(row.down_checksum),
        text(origin.map(|origin| origin.tool.as_str())),
        text(origin.and_then(|origin| origin.version.as_deref())),
        text(origin.and_then(|origin| origin.checksum.as_deref())),
        text(row.engine.as_deref()),
        text(row.run_id.as_deref()),
        text(row.ended_at.as_deref()),
        Value::from(details(&row.functions, row.not_run.as_deref())),
    ];
    match session.execute(&sql, &params)? {
        1 => Ok(()),
        // A trigger of the owner's on this table, most likely, with RAISE(IGNORE).
        _ => Err(DbError::new(ErrorCode::Database, "the database left the row out: is there a trigger on the table?")),
    }
}
