//! Rows of the history table.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use whimbrel_packed::{Cell, CheckedBatch};

use super::{History, HistoryError};
use crate::db::{DbError, Session, Value, for_each_batch};
use crate::model::{Applied, AppliedState, Checksum, Migration, Origin, Role, Version};

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
            chain: self.chain.to_owned(),
            version: migration.version,
            repeatable: migration.role() == Role::Repeatable,
            name: migration.name.clone(),
            kind: migration.kind().as_str().to_owned(),
            state: self.state,
            checksum: migration.checksum(),
            normalised_checksum: migration.normalised_checksum(),
            manifest_checksum: migration.manifest_checksum(),
            applied_at: self.applied_at.to_owned(),
            duration: self.duration,
            rows_changed: self.rows_changed,
            statements: self.statements,
            fuel: self.fuel,
            operations: self.operations,
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            functions: self.functions.clone(),
            rows_done: None,
            not_run: self.not_run.map(str::to_owned),
            script: None,
            down_checksum: migration.down_checksum(),
            origin: None,
            engine: self.engine.map(str::to_owned),
            run_id: self.run_id.map(str::to_owned),
            ended_at: None,
        }
    }
}

/// Which rows are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// Those in force, of one chain.
    Live(&'a str),
    /// All there are.
    All,
}

const COLUMNS: &str = "id, version, name, kind, state, checksum, normalised_checksum, manifest_checksum, applied_at, \
                       duration_us, rows_changed, statements, operations, fuel, host_version, \
                       CASE WHEN details <> '{}' AND json_valid(details) THEN json_extract(details, '$.checkpoint.rows') END, \
                       CASE WHEN details <> '{}' AND json_valid(details) THEN json_extract(details, '$.checkpoint.total') END, \
                       chain";
/// What version 2 of the schema has beside these, and what stands for it in version 1.
const COLUMNS_2: [&str; 2] = [
    ", NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    ", down_checksum, origin, origin_version, origin_checksum, engine, run_id, ended_at",
];
/// Comes last: names and checksums of libraries of functions, in the order of their names.
const FUNCTIONS: &str = ", CASE WHEN details <> '{}' AND json_valid(details) THEN \
     (SELECT group_concat(key || ' ' || value, ',' ORDER BY key) FROM json_each(details, '$.functions')) END, \
     CASE WHEN details <> '{}' AND json_valid(details) THEN json_extract(details, '$.not_run') END";

/// Reads rows of tables that have this schema version, in the order they were written.
pub(super) fn read(
    history: &History,
    session: &mut dyn Session,
    schema: i64,
    which: Which<'_>,
) -> Result<Vec<Applied>, HistoryError> {
    let more = COLUMNS_2[usize::from(schema > 1)];
    let (condition, params) = match which {
        Which::Live(chain) if schema > 1 => ("WHERE chain = ? AND ended_at IS NULL", vec![Value::from(chain)]),
        Which::Live(chain) => ("WHERE chain = ?", vec![Value::from(chain)]),
        Which::All => ("", Vec::new()),
    };
    let sql = format!("SELECT {COLUMNS}{more}{FUNCTIONS} FROM {} {condition} ORDER BY id", history.quoted());
    let mut rows = Vec::new();
    let mut unusable = None;
    for_each_batch(session, &sql, &params, &mut |batch| {
        for row in 0..batch.rows() {
            match applied(history, batch, row) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    unusable.get_or_insert(error);
                }
            }
        }
        Ok(())
    })
    .map_err(|source| history.failed(source))?;
    if let Some(error) = unusable {
        return Err(error);
    }
    for row in rows.iter_mut().filter(|row: &&mut Applied| row.state == AppliedState::Started && row.is_live()) {
        row.script = history.script_progress(session, &row.chain, &row.key())?;
    }
    Ok(rows)
}

fn applied(history: &History, batch: &CheckedBatch, row: usize) -> Result<Applied, HistoryError> {
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
    let words = |index, column| match batch.cell(row, index) {
        Cell::Null => Ok(None),
        _ => text(index, column).map(|text| Some(text.to_owned())),
    };
    let repeatable = batch.cell(row, 1) == Cell::Null;
    Ok(Applied {
        id,
        chain: text(17, "chain")?.to_owned(),
        version: match repeatable {
            true => Version::from(0),
            false => Version::parse(text(1, "version")?).map_err(|error| unusable("version", error.to_string()))?,
        },
        repeatable,
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
        functions: match batch.cell(row, 25) {
            Cell::Text(listed) => listed
                .split(',')
                .map(|entry| {
                    let (name, sum) = entry.rsplit_once(' ').unwrap_or((entry, ""));
                    Ok((name.to_owned(), checksum(sum, "details")?))
                })
                .collect::<Result<_, HistoryError>>()?,
            _ => BTreeMap::new(),
        },
        rows_done: match (batch.cell(row, 15), batch.cell(row, 16)) {
            (Cell::Integer(done), Cell::Integer(of)) => u64::try_from(done).ok().zip(u64::try_from(of).ok()),
            _ => None,
        },
        not_run: words(26, "details")?,
        script: None,
        down_checksum: optional(18, "down_checksum")?,
        origin: match words(19, "origin")? {
            None => None,
            Some(tool) => {
                Some(Origin { tool, version: words(20, "origin_version")?, checksum: words(21, "origin_checksum")? })
            }
        },
        engine: words(22, "engine")?,
        run_id: words(23, "run_id")?,
        ended_at: words(24, "ended_at")?,
    })
}

/// Writes what there is to know of a row beside its columns. Names of libraries and checksums need no escaping.
fn details(functions: &BTreeMap<String, Checksum>) -> String {
    if functions.is_empty() {
        return "{}".to_owned();
    }
    let entries: Vec<String> = functions.iter().map(|(name, checksum)| format!("\"{name}\":\"{checksum}\"")).collect();
    format!("{{\"functions\":{{{}}}}}", entries.join(","))
}

/// Returns what is set in a row that is to say what the chain has for its migration, and the values of that.
pub(super) fn restated(row: &NewRow<'_>) -> (&'static str, Vec<Value>) {
    let set = "state = ?, name = ?, kind = ?, checksum = ?, normalised_checksum = ?, manifest_checksum = ?, \
               down_checksum = ?, details = json_set(CASE WHEN json_valid(details) THEN details ELSE '{}' END, \
               '$.functions', json_extract(?, '$.functions'))";
    let row = row.applied();
    let checksum = |checksum: Option<Checksum>| Value::from(checksum.map(|checksum| checksum.to_string()));
    let params = vec![
        Value::from(row.state.as_str()),
        Value::from(row.name.as_str()),
        Value::from(row.kind.as_str()),
        checksum(Some(row.checksum)),
        checksum(row.normalised_checksum),
        checksum(row.manifest_checksum),
        checksum(row.down_checksum),
        Value::from(details(&row.functions)),
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
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
         json_patch(?, json_object('not_run', ?)))",
        history.quoted()
    );
    let integer = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let checksum = |checksum: Option<Checksum>| Value::from(checksum.map(|checksum| checksum.to_string()));
    let text = |text: Option<&String>| text.map_or(Value::Null, |text| Value::from(text.as_str()));
    let origin = row.origin.as_ref();
    let params = [
        Value::from(row.chain.as_str()),
        if row.repeatable { Value::Null } else { Value::from(row.version.key()) },
        Value::from(row.name.as_str()),
        Value::from(row.kind.as_str()),
        Value::from(row.state.as_str()),
        checksum(Some(row.checksum)),
        checksum(row.normalised_checksum),
        checksum(row.manifest_checksum),
        Value::from(row.applied_at.as_str()),
        integer(u64::try_from(row.duration.as_micros()).unwrap_or(u64::MAX)),
        integer(row.rows_changed),
        integer(row.statements),
        integer(row.operations),
        row.fuel.map_or(Value::Null, integer),
        Value::from(row.host_version.as_str()),
        checksum(row.down_checksum),
        text(origin.map(|origin| &origin.tool)),
        text(origin.and_then(|origin| origin.version.as_ref())),
        text(origin.and_then(|origin| origin.checksum.as_ref())),
        text(row.engine.as_ref()),
        text(row.run_id.as_ref()),
        text(row.ended_at.as_ref()),
        Value::from(details(&row.functions)),
        // Without one, the patch takes nothing away and adds nothing.
        text(row.not_run.as_ref()),
    ];
    session.execute(&sql, &params).map(drop)
}
