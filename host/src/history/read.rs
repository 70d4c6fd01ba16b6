//! Reads rows of the history table.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use whimbrel_packed::Cell;

use super::{History, HistoryError};
use crate::db::{self, DbError, ErrorCode, Session, Value};
use crate::model::{Applied, AppliedState, Checksum, Origin, Record, Version};

/// Which rows are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// Those in force, of one chain.
    Live(&'a str),
    /// All there are.
    All,
}

/// What every row has, in the order in which [`Row::applied`] reads it.
const COLUMNS: &str = "id, chain, version, name, kind, state, checksum, normalised_checksum, manifest_checksum";
/// What version 2 of the schema has beside these, and what stands for it in version 1.
const LATER_COLUMNS: [&str; 2] = ["NULL, NULL", "down_checksum, ended_at"];
/// What people are told of every row, in the order in which [`Row::add_record`] reads it, after all else.
const RECORD: &str = "applied_at, duration_us, rows_changed, statements, operations, fuel, host_version";
const LATER_RECORD: [&str; 2] = ["NULL", "run_id"];
/// Tells whether a row has something that few rows have.
const IS_DETAILED: [&str; 2] = ["details <> '{}'", "details <> '{}' OR engine IS NOT NULL OR origin IS NOT NULL"];
/// What few rows have, in the order in which [`Row::add_details`] reads it: how far a transform came, names and
/// checksums of libraries of functions in the order of their names, why it was not run. Details that are no JSON tell
/// nothing.
const DETAILS: &str = "id, json_extract(valid, '$.checkpoint.rows'), json_extract(valid, '$.checkpoint.total'), \
     (SELECT group_concat(key || ' ' || value, ',' ORDER BY key) FROM json_each(valid, '$.functions')), \
     json_extract(valid, '$.not_run')";
const LATER_DETAILS: [&str; 2] = ["NULL, NULL, NULL, NULL", "engine, origin, origin_version, origin_checksum"];

/// Reads rows of tables that have this schema version, in the order they were written; all at one moment if the
/// session is in a transaction; with their records where they are to be told.
pub(super) fn read(
    history: &History,
    session: &mut dyn Session,
    schema: i64,
    which: Which<'_>,
    told: bool,
) -> Result<Vec<Applied>, HistoryError> {
    let later = usize::from(schema > 1);
    let (condition, params) = match which {
        Which::Live(chain) if schema > 1 => ("WHERE chain = ? AND ended_at IS NULL", vec![Value::from(chain)]),
        Which::Live(chain) => ("WHERE chain = ?", vec![Value::from(chain)]),
        Which::All => ("", Vec::new()),
    };
    let (table, columns, is_detailed) = (history.quoted(), LATER_COLUMNS[later], IS_DETAILED[later]);
    let record = if told { format!(", {RECORD}, {}", LATER_RECORD[later]) } else { String::new() };
    let sql = format!("SELECT {COLUMNS}, {columns}, {is_detailed}{record} FROM {table} {condition} ORDER BY id");
    let mut rows = Vec::new();
    let mut detailed = Vec::new();
    let mut words = Words::default();
    each(history, session, &sql, &params, &mut |row| {
        if row.is_detailed()? {
            detailed.push(rows.len());
        }
        // A row is large: growing by much copies few of them, and room that nobody uses costs nothing.
        if rows.len() == rows.capacity() {
            rows.reserve(7 * rows.len().max(16));
        }
        let mut applied = row.applied(&mut words)?;
        if told {
            row.add_record(&mut applied, &mut words)?;
        }
        rows.push(applied);
        Ok(())
    })?;
    if !detailed.is_empty() {
        let columns = LATER_DETAILS[later];
        let valid = "CASE WHEN json_valid(details) THEN details ELSE '{}' END AS valid";
        let from = format!("SELECT *, {valid} FROM {table} {condition}");
        let sql = format!("SELECT {DETAILS}, {columns} FROM ({from}) WHERE {is_detailed} ORDER BY id");
        let mut places = detailed.into_iter();
        each(history, session, &sql, &params, &mut |cells| {
            // The same rows in the same order: both are read at one moment.
            places.next().map_or(Ok(()), |place| cells.add_details(&mut rows[place], &mut words))
        })?;
    }
    for row in rows.iter_mut().filter(|row| row.state == AppliedState::Started && row.is_live()) {
        row.script = history.script_progress(session, &row.chain, &row.key())?.map(Box::new);
    }
    Ok(rows)
}

/// Hands over the rows of a query until one is refused.
fn each(
    history: &History,
    session: &mut dyn Session,
    sql: &str,
    params: &[Value],
    see: &mut dyn FnMut(&Row<'_>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let mut refused = None;
    let read = session.see_rows(sql, params, &mut |cells| {
        see(&Row { history, cells }).map_err(|error| match error {
            HistoryError::Database { source, .. } => source,
            // It is not the database's, and is told in its place.
            error => DbError::new(ErrorCode::Value, refused.insert(error).to_string()),
        })
    });
    match refused {
        Some(error) => Err(error),
        None => read.map_err(|source| history.failed(source)),
    }
}

/// Words that many rows have in common, each kept once.
#[derive(Debug, Default)]
struct Words(Vec<Arc<str>>);

impl Words {
    fn shared(&mut self, text: &str) -> Arc<str> {
        // Of the few there are, the one that was asked for last comes again.
        if let Some(known) = self.0.iter().rev().find(|known| ***known == *text) {
            return Arc::clone(known);
        }
        let word = Arc::from(text);
        self.0.push(Arc::clone(&word));
        word
    }
}

/// A row that a query returned.
struct Row<'a> {
    history: &'a History,
    cells: &'a dyn db::Row,
}

impl<'a> Row<'a> {
    fn cell(&self, column: usize) -> Result<Cell<'a>, HistoryError> {
        self.cells.cell(column).map_err(|source| self.history.failed(source))
    }

    fn is_detailed(&self) -> Result<bool, HistoryError> {
        Ok(matches!(self.cell(11)?, Cell::Integer(1)))
    }

    /// Reads what every row has.
    fn applied(&self, words: &mut Words) -> Result<Applied, HistoryError> {
        let version = self.optional_text(2, "version")?;
        Ok(Applied {
            id: self.id(),
            chain: words.shared(self.text(1, "chain")?),
            version: match version {
                None => Version::from(0),
                Some(text) => Version::parse(text).map_err(|error| self.unusable("version", error.to_string()))?,
            },
            repeatable: version.is_none(),
            name: self.text(3, "name")?.to_owned(),
            kind: words.shared(self.text(4, "kind")?),
            state: self.state()?,
            checksum: self.checksum(self.text(6, "checksum")?, "checksum")?,
            normalised_checksum: self.optional_checksum(7, "normalised_checksum")?,
            manifest_checksum: self.optional_checksum(8, "manifest_checksum")?,
            record: None,
            functions: BTreeMap::new(),
            rows_done: None,
            not_run: None,
            script: None,
            down_checksum: self.optional_checksum(9, "down_checksum")?,
            origin: None,
            engine: None,
            run_id: None,
            ended_at: self.optional_text(10, "ended_at")?.map(str::to_owned),
        })
    }

    /// Reads what people are told of every row.
    fn add_record(&self, row: &mut Applied, words: &mut Words) -> Result<(), HistoryError> {
        row.record = Some(Box::new(Record {
            applied_at: self.text(12, "applied_at")?.to_owned(),
            duration: Duration::from_micros(self.count(13, "duration_us")?),
            rows_changed: self.count(14, "rows_changed")?,
            statements: self.count(15, "statements")?,
            operations: self.count(16, "operations")?,
            fuel: match self.cell(17)? {
                Cell::Null => None,
                _ => Some(self.count(17, "fuel")?),
            },
            host_version: words.shared(self.text(18, "host_version")?),
        }));
        row.run_id = self.optional_text(19, "run_id")?.map(|text| words.shared(text));
        Ok(())
    }

    /// Reads what few rows have.
    fn add_details(&self, row: &mut Applied, words: &mut Words) -> Result<(), HistoryError> {
        if let (Cell::Integer(done), Cell::Integer(of)) = (self.cell(1)?, self.cell(2)?) {
            row.rows_done = u64::try_from(done).ok().zip(u64::try_from(of).ok());
        }
        if let Cell::Text(listed) = self.cell(3)? {
            let entry = |entry: &str| {
                let (name, sum) = entry.rsplit_once(' ').unwrap_or((entry, ""));
                Ok((name.to_owned(), self.checksum(sum, "details")?))
            };
            row.functions = listed.split(',').map(entry).collect::<Result<_, HistoryError>>()?;
        }
        row.not_run = self.optional_text(4, "details")?.map(str::to_owned);
        row.engine = self.optional_text(5, "engine")?.map(|text| words.shared(text));
        if let Some(tool) = self.optional_text(6, "origin")? {
            row.origin = Some(Box::new(Origin {
                tool: tool.to_owned(),
                version: self.optional_text(7, "origin_version")?.map(str::to_owned),
                checksum: self.optional_text(8, "origin_checksum")?.map(str::to_owned),
            }));
        }
        Ok(())
    }

    fn id(&self) -> i64 {
        match self.cell(0) {
            Ok(Cell::Integer(id)) => id,
            _ => 0,
        }
    }

    fn state(&self) -> Result<AppliedState, HistoryError> {
        let state = self.text(5, "state")?;
        state.parse().map_err(|_| self.unusable("state", format!("\"{}\" is unknown", state.escape_debug())))
    }

    fn text(&self, index: usize, column: &'static str) -> Result<&'a str, HistoryError> {
        match self.cell(index)? {
            Cell::Text(text) => Ok(text),
            other => Err(self.unusable(column, format!("it is {:?}, not text", other.kind()))),
        }
    }

    fn optional_text(&self, index: usize, column: &'static str) -> Result<Option<&'a str>, HistoryError> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(self.unusable(column, format!("it is {:?}, not text", other.kind()))),
        }
    }

    fn count(&self, index: usize, column: &'static str) -> Result<u64, HistoryError> {
        match self.cell(index)? {
            Cell::Integer(count) => {
                u64::try_from(count).map_err(|_| self.unusable(column, format!("{count} is below zero")))
            }
            other => Err(self.unusable(column, format!("it is {:?}, not an integer", other.kind()))),
        }
    }

    fn checksum(&self, text: &str, column: &'static str) -> Result<Checksum, HistoryError> {
        Checksum::from_str(text).map_err(|error| self.unusable(column, error.to_string()))
    }

    fn optional_checksum(&self, index: usize, column: &'static str) -> Result<Option<Checksum>, HistoryError> {
        self.optional_text(index, column)?.map(|text| self.checksum(text, column)).transpose()
    }

    fn unusable(&self, column: &'static str, reason: String) -> HistoryError {
        HistoryError::Row { table: self.history.table.clone(), id: self.id(), column, reason }
    }
}
