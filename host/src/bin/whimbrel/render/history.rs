//! What was applied when, for people and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel::model::{Applied, AppliedState, Direction, ScriptProgress};

use super::json::schema;
use super::report::micros;
use super::status::moment;
use super::table::Sheet;
use super::{amount, style};

/// Writes the rows in the order they were written.
pub(crate) fn text(rows: &[Applied]) -> String {
    if rows.is_empty() {
        return "Nothing was applied yet.\n".to_owned();
    }
    let mut header =
        vec!["Version", "Name", "Kind", "Applied at (UTC)", "Took", "Statements", "Rows", "Checksum", "Whimbrel"];
    // Columns that say the same in every row, or nothing, are left out.
    let code = rows.iter().any(|row| row.record().fuel.is_some());
    let ended = rows.iter().any(|row| !row.is_live());
    let origins = rows.iter().any(|row| row.origin.is_some());
    let engines = rows.iter().any(|row| row.engine.is_some());
    let chains = rows.iter().any(|row| row.chain != rows[0].chain);
    for (there, column) in
        [(code, "Used"), (ended, "Until (UTC)"), (origins, "From"), (engines, "Engine"), (chains, "Chain")]
    {
        if there {
            header.push(column);
        }
    }
    let mut sheet = Sheet::new(&header, &[0, 4, 5, 6]);
    for row in rows {
        let note = match row.state {
            AppliedState::Applied if row.not_run.is_some() => Some(("(not run)", style::PENDING)),
            AppliedState::Applied => None,
            AppliedState::Started if row.script.as_deref().is_some_and(ScriptProgress::can_go_on) => {
                Some(("(in progress)", style::PENDING))
            }
            AppliedState::Started if row.stopped_on_its_way() == Some(Direction::Down) => {
                Some(("(dirty, on its way down)", style::BAD))
            }
            AppliedState::Started => Some(("(dirty)", style::BAD)),
            AppliedState::InProgress => Some(("(in progress)", style::PENDING)),
            AppliedState::Baseline => Some(("(baseline)", style::GOOD)),
            AppliedState::Reverted => Some(("(reverted)", style::PENDING)),
            AppliedState::Replaced => Some(("(replaced)", style::PENDING)),
        };
        let mut cells = vec![
            if row.repeatable { String::new() } else { row.version.to_string() },
            note.map_or_else(|| row.name.clone(), |(word, _)| format!("{} {word}", row.name)),
            row.kind.to_string(),
            moment(&row.record().applied_at),
            amount::duration(row.record().duration),
            amount::number(row.record().statements),
            amount::number(row.record().rows_changed),
            format!("{:.12}", row.checksum),
            row.record().host_version.to_string(),
        ];
        let more = [
            (code, row.record().fuel.map(|fuel| amount::work(fuel, row.record().operations))),
            (ended, row.ended_at.as_deref().map(moment)),
            (origins, row.origin.as_ref().map(|origin| origin.tool.clone())),
            (engines, row.engine.as_deref().map(engine)),
            (chains, Some(row.chain.to_string())),
        ];
        cells.extend(more.into_iter().filter(|(there, _)| *there).map(|(_, cell)| cell.unwrap_or_default()));
        sheet.add(&cells, note);
    }
    sheet.draw()
}

/// Shortens the digest of an engine, which comes last.
pub(crate) fn engine(engine: &str) -> String {
    match engine.rsplit_once(' ') {
        Some((words, digest)) => format!("{words} {digest:.12}"),
        None => engine.to_owned(),
    }
}

/// What `history` prints.
#[derive(Serialize)]
pub(crate) struct HistoryJson {
    schema: String,
    rows: Vec<RowJson>,
}

#[derive(Serialize)]
struct RowJson {
    id: i64,
    chain: String,
    version: Option<String>,
    name: String,
    kind: String,
    state: &'static str,
    /// Which way it was going, if it is started.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    /// Why it counts as applied although it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run: Option<String>,
    checksum: String,
    normalised_checksum: Option<String>,
    manifest_checksum: Option<String>,
    applied_at: String,
    duration_us: u64,
    rows_changed: u64,
    statements: u64,
    operations: u64,
    fuel: Option<u64>,
    host_version: String,
    down_checksum: Option<String>,
    origin: Option<OriginJson>,
    engine: Option<String>,
    run_id: Option<String>,
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    functions: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct OriginJson {
    tool: String,
    version: Option<String>,
    checksum: Option<String>,
}

/// Writes the history as JSON.
pub(crate) fn json(rows: &[Applied]) -> HistoryJson {
    let one = |row: &Applied| RowJson {
        id: row.id,
        chain: row.chain.to_string(),
        not_run: row.not_run.clone(),
        version: (!row.repeatable).then(|| row.version.to_string()),
        name: row.name.clone(),
        kind: row.kind.to_string(),
        state: row.state.as_str(),
        direction: row.stopped_on_its_way().map(Direction::as_str),
        checksum: row.checksum.to_string(),
        normalised_checksum: row.normalised_checksum.map(|checksum| checksum.to_string()),
        manifest_checksum: row.manifest_checksum.map(|checksum| checksum.to_string()),
        applied_at: row.record().applied_at.clone(),
        duration_us: micros(row.record().duration),
        rows_changed: row.record().rows_changed,
        statements: row.record().statements,
        operations: row.record().operations,
        fuel: row.record().fuel,
        host_version: row.record().host_version.to_string(),
        down_checksum: row.down_checksum.map(|checksum| checksum.to_string()),
        origin: row.origin.clone().map(|origin| OriginJson {
            tool: origin.tool,
            version: origin.version,
            checksum: origin.checksum,
        }),
        engine: row.engine.as_deref().map(str::to_owned),
        run_id: row.run_id.as_deref().map(str::to_owned),
        ended_at: row.ended_at.clone(),
        functions: row.functions.iter().map(|(name, sum)| (name.clone(), sum.to_string())).collect(),
    };
    HistoryJson { schema: schema("history"), rows: rows.iter().map(one).collect() }
}
