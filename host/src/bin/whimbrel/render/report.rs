//! What a run did, for people and as JSON.

use std::time::Duration;

use serde::Serialize;
use whimbrel::exec::{Estimate, Report, RowCounts, StepOutcome, StepReport};
use whimbrel::model::{Hook, Key};
use whimbrel::plan::Direction;

use super::grants::{self, ObservedJson};
use super::json::{StepJson, schema};
use super::losses::{self, LossJson};
use super::preview::{self, RejectJson};
use super::unnamed::{self, UnnamedJson};
use super::warning::{self, WarningJson};
use super::{amount, json, style};
use crate::escape;
use crate::progress::{Heard, HookLine, LogLine};

/// Writes the line of a step that has ended; nothing for steps of a dry run, which are shown at its end.
pub(crate) fn step_line(report: &StepReport) -> Option<String> {
    let title = escape::line(&report.step.title()).into_owned();
    let mut took = amount::duration(report.duration);
    if let Some(fuel) = report.fuel {
        took = format!("{took}; {}", amount::work(fuel, report.counters.operations));
    }
    if let Some(rows) = &report.rows {
        took = format!("{took}; {}", row_counts(rows));
    }
    let line = match (report.outcome, report.step.direction) {
        (StepOutcome::Done, Direction::Up) => format!("{} {title} ({took}).", style::paint(style::GOOD, "Applied")),
        (StepOutcome::Done, Direction::Down) => format!("{} {title} ({took}).", style::paint(style::GOOD, "Reverted")),
        (StepOutcome::DoneElsewhere, Direction::Up) => format!("Another process has applied {title}."),
        (StepOutcome::DoneElsewhere, Direction::Down) => format!("Another process has reverted {title}."),
        (StepOutcome::Skipped | StepOutcome::MarkedApplied, _) => {
            return not_run(report).map(|line| format!("{line}."));
        }
        (StepOutcome::Tried | StepOutcome::NotTried, _) => return None,
    };
    Some(line)
}

/// Says of a step that was not run why, and what that means.
pub(crate) fn not_run(report: &StepReport) -> Option<String> {
    let (verb, then) = match report.outcome {
        StepOutcome::Skipped => ("Skipped", "it stays pending"),
        StepOutcome::MarkedApplied => ("Not run", "it counts as applied"),
        StepOutcome::Done | StepOutcome::DoneElsewhere | StepOutcome::Tried | StepOutcome::NotTried => return None,
    };
    let (title, reason) = (report.step.title(), report.reason.as_deref().unwrap_or_default());
    let verb = style::paint(style::PENDING, verb);
    Some(format!("{verb} {}, {then}: {}", escape::line(&title), escape::line(reason)))
}

/// Writes the line of a hook that has ended.
pub(crate) fn hook_line(hook: &Hook, took: Duration) -> String {
    let name = escape::line(hook.name()).into_owned();
    format!("{} {} hook {name} ({}).", style::paint(style::GOOD, "Ran"), hook.moment, amount::duration(took))
}

/// Writes what became of the rows of a transform.
pub(crate) fn row_counts(counts: &RowCounts) -> String {
    let RowCounts { rows, written, unchanged, rejected } = *counts;
    let mut parts = vec![amount::count(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows")];
    parts.push(format!("{} written", amount::number(written)));
    for (count, word) in [(unchanged, "unchanged"), (rejected, "rejected")] {
        if count > 0 {
            parts.push(format!("{} {word}", amount::number(count)));
        }
    }
    parts.join(", ")
}

/// Writes the sentence after a script that belongs to no chain.
pub(crate) fn once(report: &Report) -> String {
    let took = amount::duration(report.duration);
    let titles: Vec<String> = report.steps.iter().map(|step| step.step.migration.file.clone()).collect();
    format!(
        "Ran {} in {took}; what it did stays, and the history has no row of it.\n",
        escape::line(&titles.join(", "))
    )
}

/// Writes the sentence at the end of a run.
pub(crate) fn summary(report: &Report, direction: Direction) -> String {
    let is_done = |step: &&StepReport| step.outcome == StepOutcome::Done;
    let done = report.steps.iter().filter(is_done).count();
    let again = report.steps.iter().filter(is_done).filter(|step| step.step.direction == Direction::Up).count();
    let of = |outcome| report.steps.iter().filter(|step| step.outcome == outcome).count();
    let elsewhere = of(StepOutcome::DoneElsewhere);
    let took = amount::duration(report.duration);
    match (report.steps.len(), direction) {
        (0, Direction::Up) if report.applied == 0 => "Nothing to do: nothing is pending.\n".to_owned(),
        (0, Direction::Up) => {
            let verb = if report.applied == 1 { "is" } else { "are" };
            format!("Nothing to do: {} {verb} applied.\n", amount::count(report.applied, "migration", "migrations"))
        }
        (0, Direction::Down) => "Nothing to do: nothing is applied that far.\n".to_owned(),
        (_, Direction::Down) if again > 0 => {
            let count = amount::count(done - again, "migration", "migrations");
            format!("Reverted {count} and applied {} again in {took}.\n", amount::number(again as u64))
        }
        (_, direction) => {
            let verb = match direction {
                Direction::Up => "Applied",
                Direction::Down => "Reverted",
            };
            let mut others = match elsewhere {
                0 => String::new(),
                others => format!("; another process did {others} meanwhile"),
            };
            for (count, what) in [
                (of(StepOutcome::Skipped), "skipped"),
                (of(StepOutcome::MarkedApplied), "marked as applied without running"),
            ] {
                if count > 0 {
                    others.push_str(&format!("; {count} {what}"));
                }
            }
            let mut text = format!("{verb} {} in {took}{others}.\n", amount::count(done, "migration", "migrations"));
            for step in &report.steps {
                text.push_str(&kept_aside(step).unwrap_or_default());
            }
            text
        }
    }
}

/// Says where the rows are that a transform kept aside.
fn kept_aside(step: &StepReport) -> Option<String> {
    if !step.rejects.is_empty() {
        return None;
    }
    let rejected = step.rows.map(|rows| rows.rejected).filter(|rejected| *rejected > 0)?;
    let (rows, them) = if rejected == 1 { ("row was", "it") } else { ("rows were", "them") };
    let count = amount::number(rejected);
    let target = match step.step.migration.key() {
        Key::Version(version) => version.to_string(),
        Key::Name(name) => format!("'{}'", escape::line(&name)),
    };
    let chain = if step.step.several { format!(" --chain {}", escape::line(&step.step.chain)) } else { String::new() };
    Some(format!(
        "{count} {rows} kept aside: `whimbrel rejects{chain} {target}` shows {them}, and with --retry transforms {them} \
         once more.\n"
    ))
}

/// What `up` and `down` print.
#[derive(Serialize)]
pub(crate) struct ReportJson {
    schema: String,
    dry_run: bool,
    steps: Vec<StepReportJson>,
    /// The hooks that ran, in order.
    hooks: Vec<HookLine>,
    losses: Vec<LossJson>,
    duration_us: u64,
    warnings: Vec<WarningJson>,
    /// Chains that only the history knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnamed_chains: Vec<UnnamedJson>,
    logs: Vec<LogLine>,
}

/// What one step did.
#[derive(Serialize)]
pub(crate) struct StepReportJson {
    #[serde(flatten)]
    step: StepJson,
    outcome: &'static str,
    /// Why it was left out, or not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    duration_us: u64,
    statements: u64,
    rows_changed: u64,
    operations: u64,
    fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<RowsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejects: Vec<RejectJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<RecordingJson>,
}

/// How long all rows would take, judged by some of them.
#[derive(Serialize)]
struct EstimateJson {
    rows_tried: u64,
    rows_total: u64,
    duration_us: u64,
}

/// What became of the rows of a transform.
#[derive(Serialize)]
struct RowsJson {
    read: u64,
    written: u64,
    unchanged: u64,
    rejected: u64,
}

#[derive(Serialize)]
struct RecordingJson {
    statements: Vec<StatementJson>,
    statements_left_out: u64,
    tables: Vec<TableJson>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replaces: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    grants: Option<ObservedJson>,
}

#[derive(Serialize)]
struct StatementJson {
    sql: String,
    times: u64,
    rows_changed: u64,
}

#[derive(Serialize)]
struct TableJson {
    table: String,
    inserted: u64,
    updated: u64,
    deleted: u64,
}

/// Writes a report as JSON.
pub(crate) fn json(verb: &str, report: &Report, heard: Heard) -> ReportJson {
    ReportJson {
        schema: schema(verb),
        dry_run: report.dry_run,
        steps: report.steps.iter().map(step_json).collect(),
        hooks: heard.hooks,
        losses: losses::json(&report.losses),
        duration_us: micros(report.duration),
        warnings: warning::json(report.all_warnings()),
        unnamed_chains: unnamed::json(&report.unnamed_chains),
        logs: heard.logs,
    }
}

/// Writes what a step did as JSON.
pub(crate) fn step_json(report: &StepReport) -> StepReportJson {
    let recording = report.recording.as_ref().map(|recording| RecordingJson {
        statements: recording
            .statements
            .iter()
            .map(|s| StatementJson { sql: s.sql.clone(), times: s.times, rows_changed: s.rows_changed })
            .collect(),
        statements_left_out: recording.statements_left_out,
        replaces: recording.replaces,
        grants: recording.observed.as_ref().map(|observed| {
            let manifest = report.step.migration.manifest.as_ref();
            grants::observed_json(observed, manifest.and_then(|manifest| manifest.grants.as_ref()))
        }),
        tables: recording
            .tables
            .iter()
            .map(|t| TableJson { table: t.table.clone(), inserted: t.inserted, updated: t.updated, deleted: t.deleted })
            .collect(),
    });
    StepReportJson {
        step: json::step(&report.step),
        outcome: match report.outcome {
            StepOutcome::Done => "done",
            StepOutcome::DoneElsewhere => "done-elsewhere",
            StepOutcome::Tried => "tried",
            StepOutcome::NotTried => "not-tried",
            StepOutcome::Skipped => "skipped",
            StepOutcome::MarkedApplied => "marked-applied",
        },
        reason: report.reason.clone(),
        duration_us: micros(report.duration),
        statements: report.counters.statements,
        rows_changed: report.counters.rows_changed,
        operations: report.counters.operations,
        fuel: report.fuel,
        rows: report.rows.map(|RowCounts { rows: read, written, unchanged, rejected }| RowsJson {
            read,
            written,
            unchanged,
            rejected,
        }),
        estimate: report.estimate.map(|Estimate { tried, total, duration }| EstimateJson {
            rows_tried: tried,
            rows_total: total,
            duration_us: micros(duration),
        }),
        rejects: report.rejects.iter().map(preview::reject_json).collect(),
        recording,
    }
}

/// Returns whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
