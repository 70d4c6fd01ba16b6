//! The state of every migration, for people and as JSON.

use anstyle::Style;
use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel::Status;
use whimbrel::model::{Applied, AppliedState};
use whimbrel::plan::{Difference, Entry, State};

use super::json::{IgnoredJson, ignored, reversible, schema};
use super::report::micros;
use super::table::Sheet;
use super::{amount, style};
use crate::escape;

/// Names a state for people.
pub(crate) fn state(state: State) -> (&'static str, Style) {
    match state {
        State::Applied => ("applied", style::GOOD),
        State::Pending => ("pending", style::PENDING),
        State::OutOfOrder => ("out of order", style::BAD),
        State::Missing => ("missing", style::BAD),
        State::ChecksumMismatch(Difference::Body) => ("checksum mismatch", style::BAD),
        State::ChecksumMismatch(Difference::Cosmetic) => ("applied (reformatted)", style::GOOD),
        State::ChecksumMismatch(Difference::Functions) => ("applied (other functions)", style::PENDING),
        State::ChecksumMismatch(Difference::Manifest) => ("applied (other manifest)", style::PENDING),
        State::InProgress => ("in progress", style::PENDING),
        State::Dirty => ("dirty", style::BAD),
    }
}

/// Writes the table of migrations and the counts below it.
pub(crate) fn text(status: &Status, exists: bool) -> String {
    let missing = if exists { "" } else { ", which does not exist yet" };
    let mut text = format!("Chain {} in {}{missing}\n\n", escape::line(&status.chain), escape::line(&status.database));
    if status.entries.is_empty() {
        text.push_str("There are no migrations; `whimbrel new NAME` makes one.\n");
    } else {
        let mut sheet = Sheet::new(&["Version", "Name", "Kind", "State", "Applied at (UTC)", "Took"], &[0, 5]);
        for entry in &status.entries {
            let (word, style) = state(entry.state);
            let (at, took) = entry.applied.as_ref().map(when).unwrap_or_default();
            let cells = vec![
                entry.version.to_string(),
                entry.name().to_owned(),
                entry.kind().to_owned(),
                entry
                    .applied
                    .as_ref()
                    .and_then(progress)
                    .map_or_else(|| word.to_owned(), |done| format!("{word}, {done}")),
                at,
                took,
            ];
            sheet.add(&cells, Some((word, style)));
        }
        text.push_str(&sheet.draw());
        text.push_str(&format!("\n{}.\n", counts(&status.entries)));
    }
    text.push_str(&notes(status));
    text
}

/// Writes how much of a transform in progress is done.
fn progress(applied: &Applied) -> Option<String> {
    let (done, of) = applied.rows_done.filter(|_| applied.state == AppliedState::InProgress)?;
    // Rows may have come since it began.
    let percent = if of == 0 { 100 } else { (u128::from(done) * 100 / u128::from(of)).min(99) };
    let rate = rows_per_second(applied, done).map(|rate| format!(", {} rows/s", amount::number(rate)));
    Some(format!("{percent} %{}", rate.unwrap_or_default()))
}

/// Returns how fast a transform in progress was while it ran.
fn rows_per_second(applied: &Applied, done: u64) -> Option<u64> {
    let rate = u128::from(done) * 1_000_000 / applied.duration.as_micros().max(1);
    u64::try_from(rate).ok().filter(|rate| *rate > 0)
}

fn when(applied: &Applied) -> (String, String) {
    (moment(&applied.applied_at), amount::duration(applied.duration))
}

/// Shortens an RFC 3339 time to seconds.
pub(crate) fn moment(text: &str) -> String {
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.get(..8).unwrap_or(time)),
        None => text.to_owned(),
    }
}

/// Writes how many migrations are in each state, those in none left out.
fn counts(entries: &[Entry]) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for entry in entries {
        let (word, _) = state(entry.state);
        match counted.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counted.push((word, 1)),
        }
    }
    let parts: Vec<String> =
        counted.iter().map(|(word, count)| format!("{} {word}", amount::number(*count as u64))).collect();
    parts.join(", ")
}

/// Writes what is no problem, but worth knowing.
pub(crate) fn notes(status: &Status) -> String {
    let note = style::paint(style::HINT, "note");
    let mut text = String::new();
    if !status.gaps.is_empty() {
        let gaps: Vec<String> = status.gaps.iter().take(10).map(ToString::to_string).collect();
        let more = if status.gaps.len() > 10 { ", …" } else { "" };
        let noun = if status.gaps.len() == 1 { "version" } else { "versions" };
        text.push_str(&format!("{note}: the sequence has no {noun} {}{more}\n", gaps.join(", ")));
    }
    for ignored in &status.ignored {
        text.push_str(&format!(
            "{note}: {} is ignored: {}\n",
            escape::line(&ignored.file),
            escape::line(&ignored.reason)
        ));
    }
    text
}

/// What `status` prints.
#[derive(Serialize)]
pub(crate) struct StatusJson {
    schema: String,
    chain: String,
    database: String,
    database_exists: bool,
    pending: usize,
    applied: usize,
    migrations: Vec<EntryJson>,
    gaps: Vec<String>,
    ignored: Vec<IgnoredJson>,
}

/// One migration.
#[derive(Serialize)]
pub(crate) struct EntryJson {
    version: String,
    name: String,
    kind: String,
    state: &'static str,
    file: Option<String>,
    description: Option<String>,
    reversible: Option<bool>,
    applied: Option<AppliedJson>,
}

#[derive(Serialize)]
struct AppliedJson {
    applied_at: String,
    duration_us: u64,
    rows_changed: u64,
    checksum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressJson>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    functions: BTreeMap<String, String>,
}

/// How far a transform in progress is.
#[derive(Serialize)]
struct ProgressJson {
    rows_done: u64,
    rows_total: u64,
    rows_per_second: Option<u64>,
}

/// Writes the status as JSON.
pub(crate) fn json(status: &Status, exists: bool) -> StatusJson {
    StatusJson {
        schema: schema("status"),
        chain: status.chain.clone(),
        database: status.database.clone(),
        database_exists: exists,
        pending: status.entries.iter().filter(|entry| entry.state.is_pending()).count(),
        applied: status.entries.iter().filter(|entry| entry.applied.is_some()).count(),
        migrations: status.entries.iter().map(entry).collect(),
        gaps: status.gaps.iter().map(ToString::to_string).collect(),
        ignored: ignored(&status.ignored),
    }
}

fn entry(entry: &Entry) -> EntryJson {
    let migration = entry.migration.as_ref();
    EntryJson {
        version: entry.version.to_string(),
        name: entry.name().to_owned(),
        kind: entry.kind().to_owned(),
        state: entry.state.as_str(),
        file: migration.map(|migration| migration.file.clone()),
        description: migration.and_then(|migration| migration.description().map(str::to_owned)),
        reversible: migration.and_then(|migration| reversible(migration.reversibility())),
        applied: entry.applied.as_ref().map(|applied| AppliedJson {
            applied_at: applied.applied_at.clone(),
            duration_us: micros(applied.duration),
            rows_changed: applied.rows_changed,
            checksum: applied.checksum.to_string(),
            progress: applied.rows_done.filter(|_| applied.state == AppliedState::InProgress).map(|(done, total)| {
                ProgressJson { rows_done: done, rows_total: total, rows_per_second: rows_per_second(applied, done) }
            }),
            functions: applied.functions.iter().map(|(name, sum)| (name.clone(), sum.to_string())).collect(),
        }),
    }
}
