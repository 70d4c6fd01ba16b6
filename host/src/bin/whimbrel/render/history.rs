//! What was applied when, for people and as JSON.

use serde::Serialize;
use whimbrel::model::{Applied, AppliedState};

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
    // What code has used is worth a column only where there is code.
    let code = rows.iter().any(|row| row.fuel.is_some());
    if code {
        header.push("Used");
    }
    let mut sheet = Sheet::new(&header, &[0, 4, 5, 6]);
    for row in rows {
        let name = match row.state {
            AppliedState::Applied => row.name.clone(),
            AppliedState::Started => format!("{} (dirty)", row.name),
            AppliedState::InProgress => format!("{} (in progress)", row.name),
        };
        let mut cells = vec![
            row.version.to_string(),
            name,
            row.kind.clone(),
            moment(&row.applied_at),
            amount::duration(row.duration),
            amount::number(row.statements),
            amount::number(row.rows_changed),
            format!("{:.12}", row.checksum),
            row.host_version.clone(),
        ];
        if code {
            cells.push(row.fuel.map(|fuel| amount::work(fuel, row.operations)).unwrap_or_default());
        }
        let styled = match row.state {
            AppliedState::Applied => None,
            AppliedState::Started => Some(("(dirty)", style::BAD)),
            AppliedState::InProgress => Some(("(in progress)", style::PENDING)),
        };
        sheet.add(&cells, styled);
    }
    sheet.draw()
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
    version: String,
    name: String,
    kind: String,
    state: &'static str,
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
}

/// Writes the history as JSON.
pub(crate) fn json(rows: &[Applied]) -> HistoryJson {
    let one = |row: &Applied| RowJson {
        id: row.id,
        chain: row.chain.clone(),
        version: row.version.to_string(),
        name: row.name.clone(),
        kind: row.kind.clone(),
        state: row.state.as_str(),
        checksum: row.checksum.to_string(),
        normalised_checksum: row.normalised_checksum.map(|checksum| checksum.to_string()),
        manifest_checksum: row.manifest_checksum.map(|checksum| checksum.to_string()),
        applied_at: row.applied_at.clone(),
        duration_us: micros(row.duration),
        rows_changed: row.rows_changed,
        statements: row.statements,
        operations: row.operations,
        fuel: row.fuel,
        host_version: row.host_version.clone(),
    };
    HistoryJson { schema: schema("history"), rows: rows.iter().map(one).collect() }
}
