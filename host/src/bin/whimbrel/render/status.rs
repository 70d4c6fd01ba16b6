//! The state of every migration, for people and as JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anstyle::Style;
use serde::Serialize;
use whimbrel::exec::Outlook;
use whimbrel::model::{Applied, AppliedState, Direction};
use whimbrel::plan::{self, Difference, Entry, PlanProblem, State};
use whimbrel::source::{Ignored, Problem};
use whimbrel::{Gap, Status};

use super::json::{self, IgnoredJson, ignored, reversible, schema};
use super::lock::{self, HolderJson};
use super::outlook::{self, OutlookJson};
use super::report::micros;
use super::table::Sheet;
use super::unnamed::{self, UnnamedJson};
use super::{amount, history, style};
use crate::escape;
use crate::failure::hint;

/// Names a state for people.
pub(crate) fn state(state: State) -> (&'static str, Style) {
    match state {
        State::Applied => ("applied", style::GOOD),
        State::Pending => ("pending", style::PENDING),
        State::OutOfOrder => ("out of order", style::BAD),
        State::Reverted => ("reverted", style::PENDING),
        State::Missing => ("missing", style::BAD),
        State::Future => ("future", style::BAD),
        State::Outdated => ("outdated", style::PENDING),
        State::Baseline => ("baseline", style::GOOD),
        State::Ignored => ("ignored", style::DIM),
        State::ChecksumMismatch(Difference::Body) => ("checksum mismatch", style::BAD),
        State::ChecksumMismatch(Difference::Cosmetic) => ("applied (reformatted)", style::GOOD),
        State::ChecksumMismatch(Difference::Functions) => ("applied (other functions)", style::PENDING),
        State::ChecksumMismatch(Difference::Manifest) => ("applied (other manifest)", style::PENDING),
        State::InProgress => ("in progress", style::PENDING),
        State::ChangedInProgress => ("changed in progress", style::BAD),
        State::Dirty => ("dirty", style::BAD),
    }
}

/// Writes the table of migrations and the counts below it.
pub(crate) fn text(status: &Status, outlooks: &BTreeMap<usize, Outlook>, exists: bool) -> String {
    let missing = if exists { "" } else { ", which does not exist yet" };
    let noun = if status.chains.len() == 1 { "Chain" } else { "Chains" };
    let chains = status.chains.join(", ");
    let mut text = format!("{noun} {} in {}{missing}\n\n", escape::line(&chains), escape::line(&status.database));
    if status.entries.is_empty() {
        text.push_str("There are no migrations; `whimbrel new NAME` makes one.\n");
    } else {
        let mut header = vec!["Version", "Name", "Kind", "State", "Applied at (UTC)", "Took"];
        let several = status.chains.len() > 1;
        if several {
            header.push("Chain");
        }
        let engines = status.entries.iter().any(|entry| engine(entry).is_some());
        header.extend(engines.then_some("Engine"));
        let mut sheet = Sheet::new(&header, &[0, 5]);
        let mut cells: Vec<Cow<'_, str>> = Vec::new();
        for entry in &status.entries {
            let (word, style) = state(entry.state);
            let (at, took) = entry.applied.as_ref().map(when).unwrap_or_default();
            let done = entry.applied.as_ref().and_then(progress);
            cells.clear();
            cells.push(json::version(entry.role, entry.version).unwrap_or_default().into());
            cells.push(entry.name().into());
            cells.push(entry.kind().into());
            cells.push(done.map_or(Cow::Borrowed(word), |done| format!("{word}, {done}").into()));
            cells.extend([at.into(), took.into()]);
            cells.extend(several.then(|| Cow::Borrowed(&*entry.chain)));
            cells.extend(engines.then(|| engine(entry).unwrap_or_default().into()));
            sheet.add(&cells, Some((word, style)));
        }
        text.push_str(&sheet.draw());
        text.push_str(&format!("\n{}.\n", counts(&status.entries)));
        text.push_str(&what_would_happen(&status.entries, outlooks, several));
        text.push_str(&applied_as_others(status, several));
        text.push_str(&outlook::notes(status, outlooks));
        let note = style::paint(style::HINT, "note");
        text.extend(status.at_work.iter().map(|holding| format!("{note}: {}\n", lock::line(holding))));
    }
    text.extend(status.behind.iter().map(|problem| {
        let (error, hint) = (style::paint(style::ERROR, "error"), style::paint(style::HINT, "hint"));
        format!("{error}: {}\n{hint}: {}\n", escape::line(&problem.to_string()), hint::BEHIND_BASELINE)
    }));
    text.push_str(&notes(status));
    for problem in &status.hook_problems {
        let shown = escape::line(&problem.to_string()).into_owned();
        text.push_str(&format!(
            "{}: {shown}; nothing can be run until it is mended\n",
            style::paint(style::ERROR, "error")
        ));
        let hint = problem
            .hint
            .as_ref()
            .map(|hint| format!("{}: {}\n", style::paint(style::HINT, "hint"), escape::hung(hint, 4)));
        text.extend(hint);
    }
    text
}

/// Says what a run would do about what is out of order.
fn what_would_happen(entries: &[Entry], outlooks: &BTreeMap<usize, Outlook>, several: bool) -> String {
    let note = style::paint(style::HINT, "note");
    let line = |entry: &Entry| {
        let chain = if several { format!("{}:", entry.chain) } else { String::new() };
        let title = escape::line(&format!("{chain}{}", entry.title())).into_owned();
        match entry.may_be_late {
            true => format!("{note}: {title} is out of order and may be: `up` would apply it\n"),
            false => format!(
                "{note}: {title} is out of order: `up` would refuse it, and with --allow-out-of-order apply it\n"
            ),
        }
    };
    // What is allowed and has preconditions depends on them: their note says what a run would do.
    let told = |(place, entry): &(usize, &Entry)| {
        let asked = entry.may_be_late && outlooks.contains_key(place);
        entry.state == State::OutOfOrder && !asked
    };
    entries.iter().enumerate().filter(told).map(|(_, entry)| line(entry)).collect()
}

/// Returns the name that the version of a migration was applied as, and what that is now, if it is another migration.
pub(super) fn applied_as<'a>(status: &'a Status, entry: &'a Entry) -> Option<(&'a str, String)> {
    let now = plan::applied_as(&status.entries, entry)?;
    Some((&entry.applied.as_ref()?.name, now.title()))
}

/// Names what was applied under the version of another migration.
fn applied_as_others(status: &Status, several: bool) -> String {
    let note = style::paint(style::HINT, "note");
    let line = |entry: &Entry| {
        let (recorded, now) = applied_as(status, entry)?;
        let chain = if several { format!("{}:", entry.chain) } else { String::new() };
        let told = format!("{chain}{} was applied as {recorded}, which is {now} now", entry.version);
        Some(format!("{note}: {}\n", escape::line(&told)))
    };
    status.entries.iter().filter_map(line).collect()
}

/// Names the script engine that ran a migration.
fn engine(entry: &Entry) -> Option<String> {
    entry.applied.as_ref()?.engine.as_deref().map(history::engine)
}

/// Writes how much of a transform or a script in progress is done.
fn progress(applied: &Applied) -> Option<String> {
    if let Some(script) = applied.script.as_ref().filter(|script| script.can_go_on()) {
        return Some(amount::count(script.done.len(), "statement", "statements"));
    }
    if applied.stopped_on_its_way() == Some(Direction::Down) {
        return Some("on its way down".to_owned());
    }
    let (done, of) = applied.rows_done.filter(|_| applied.state == AppliedState::InProgress)?;
    // Rows may have come since it began.
    let percent = if of == 0 { 100 } else { (u128::from(done) * 100 / u128::from(of)).min(99) };
    let rate = rows_per_second(applied, done).map(|rate| format!(", {} rows/s", amount::number(rate)));
    Some(format!("{percent} %{}", rate.unwrap_or_default()))
}

/// Returns how fast a transform in progress was while it ran.
fn rows_per_second(applied: &Applied, done: u64) -> Option<u64> {
    let rate = u128::from(done) * 1_000_000 / applied.record().duration.as_micros().max(1);
    u64::try_from(rate).ok().filter(|rate| *rate > 0)
}

fn when(applied: &Applied) -> (String, String) {
    (moment(&applied.record().applied_at), amount::duration(applied.record().duration))
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
        let gaps: Vec<String> = gaps(status).into_iter().take(10).collect();
        let more = if status.gaps.len() > 10 { ", …" } else { "" };
        let noun = if status.gaps.len() == 1 { "version" } else { "versions" };
        text.push_str(&format!("{note}: the sequence has no {noun} {}{more}\n", gaps.join(", ")));
    }
    text.extend(status.ignored.iter().map(no_migration));
    text.push_str(&unnamed::text(&status.unnamed_chains));
    text
}

/// Names a file that is no migration, and says why.
fn no_migration(ignored: &Ignored) -> String {
    let note = style::paint(style::HINT, "note");
    format!("{note}: {} is ignored: {}\n", escape::line(&ignored.file), escape::line(&ignored.reason))
}

/// Names some scripts, components and folders of sources in which nothing is a migration, so that nobody takes a wrong
/// name for nothing to do.
pub(crate) fn overlooked(status: &Status) -> Option<String> {
    const MOST: usize = 5;
    if status.entries.iter().any(|entry| entry.migration.is_some()) {
        return None;
    }
    let could_be = |ignored: &&Ignored| {
        let name = ignored.file.to_ascii_lowercase();
        name.ends_with(".sql") || name.ends_with(".wasm") || ignored.reason.starts_with("a folder")
    };
    let meant: Vec<&Ignored> = status.ignored.iter().filter(could_be).collect();
    let mut text: String = meant.iter().take(MOST).map(|ignored| no_migration(ignored)).collect();
    if meant.len() > MOST {
        let (note, more) = (style::paint(style::HINT, "note"), amount::number((meant.len() - MOST) as u64));
        text.push_str(&format!("{note}: {more} more are ignored: `whimbrel status` names them\n"));
    }
    (!text.is_empty()).then_some(text)
}

/// Names the gaps; with their chains where there are several.
pub(crate) fn gaps(status: &Status) -> Vec<String> {
    let one = |gap: &Gap| match status.chains.len() {
        1 => gap.version.to_string(),
        _ => format!("{}:{}", gap.chain, gap.version),
    };
    status.gaps.iter().map(one).collect()
}

/// What `status` prints.
#[derive(Serialize)]
pub(crate) struct StatusJson {
    schema: String,
    /// The chain, if there is one.
    chain: Option<String>,
    chains: Vec<String>,
    database: String,
    database_exists: bool,
    pending: usize,
    applied: usize,
    migrations: Vec<EntryJson>,
    /// Who is at work on what is in progress, or dirty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_work: Vec<HolderJson>,
    /// Baselines that the database has not got to, and cannot get to any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    behind_baselines: Vec<BehindJson>,
    /// Chains that only the history knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnamed_chains: Vec<UnnamedJson>,
    gaps: Vec<String>,
    ignored: Vec<IgnoredJson>,
    /// What is wrong with the files of hooks, so that nothing can be run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hook_problems: Vec<HookProblemJson>,
}

#[derive(Serialize)]
struct BehindJson {
    chain: String,
    baseline: String,
    /// The newest version that is applied.
    newest: String,
}

fn behind(problem: &PlanProblem) -> Option<BehindJson> {
    let PlanProblem::BehindBaseline { chain, baseline, newest } = problem else { return None };
    Some(BehindJson { chain: chain.clone(), baseline: baseline.clone(), newest: newest.to_string() })
}

#[derive(Serialize)]
struct HookProblemJson {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    hint: Option<String>,
}

/// One migration.
#[derive(Serialize)]
pub(crate) struct EntryJson {
    chain: String,
    version: Option<String>,
    name: String,
    /// `versioned`, `baseline` or `repeatable`.
    role: &'static str,
    kind: String,
    /// Whether it may be applied although a later one is.
    out_of_order_allowed: bool,
    depends_on: Vec<String>,
    state: &'static str,
    file: Option<String>,
    description: Option<String>,
    reversible: Option<bool>,
    /// What its preconditions say, if it is pending and has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    preconditions: Option<OutlookJson>,
    applied: Option<AppliedJson>,
}

#[derive(Serialize)]
struct AppliedJson {
    applied_at: String,
    duration_us: u64,
    rows_changed: u64,
    checksum: String,
    /// Which way it was going, if it is dirty.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements_done: Option<usize>,
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
pub(crate) fn json(status: &Status, outlooks: &BTreeMap<usize, Outlook>, exists: bool) -> StatusJson {
    StatusJson {
        schema: schema("status"),
        chain: json::only(&status.chains),
        chains: status.chains.clone(),
        database: status.database.clone(),
        database_exists: exists,
        pending: status.entries.iter().filter(|entry| entry.state.is_pending()).count(),
        applied: status.entries.iter().filter(|entry| entry.applied.is_some()).count(),
        migrations: status.entries.iter().enumerate().map(|(place, each)| entry(each, outlooks.get(&place))).collect(),
        at_work: status.at_work.iter().map(lock::holder).collect(),
        behind_baselines: status.behind.iter().filter_map(behind).collect(),
        unnamed_chains: unnamed::json(&status.unnamed_chains),
        gaps: gaps(status),
        ignored: ignored(&status.ignored),
        hook_problems: status.hook_problems.iter().map(hook_problem).collect(),
    }
}

fn hook_problem(problem: &Problem) -> HookProblemJson {
    let Problem { file, line, column, message, hint, .. } = problem.clone();
    HookProblemJson { file, line, column, message, hint }
}

fn entry(entry: &Entry, outlook: Option<&Outlook>) -> EntryJson {
    let migration = entry.migration.as_ref();
    EntryJson {
        chain: entry.chain.to_string(),
        version: json::version(entry.role, entry.version),
        name: entry.name().to_owned(),
        role: json::role(entry.role),
        kind: entry.kind().to_owned(),
        out_of_order_allowed: entry.may_be_late,
        depends_on: migration
            .map(|migration| migration.placement.depends_on.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        state: entry.state.as_str(),
        file: migration.map(|migration| migration.file.clone()),
        description: migration.and_then(|migration| migration.description().map(str::to_owned)),
        reversible: migration.and_then(|migration| reversible(migration.reversibility())),
        preconditions: outlook.map(outlook::json),
        applied: entry.applied.as_ref().map(|applied| AppliedJson {
            applied_at: applied.record().applied_at.clone(),
            duration_us: micros(applied.record().duration),
            rows_changed: applied.record().rows_changed,
            checksum: applied.checksum.to_string(),
            direction: applied.stopped_on_its_way().filter(|_| entry.state == State::Dirty).map(Direction::as_str),
            engine: applied.engine.as_deref().map(str::to_owned),
            progress: applied.rows_done.filter(|_| applied.state == AppliedState::InProgress).map(|(done, total)| {
                ProgressJson { rows_done: done, rows_total: total, rows_per_second: rows_per_second(applied, done) }
            }),
            statements_done: applied.script.as_ref().map(|script| script.done.len()),
            functions: applied.functions.iter().map(|(name, sum)| (name.clone(), sum.to_string())).collect(),
        }),
    }
}
