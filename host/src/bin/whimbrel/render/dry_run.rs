//! What a dry run did before it was rolled back.

use whimbrel::db::{RecordedStatement, Recording, TableChanges};
use whimbrel::exec::{Estimate, Report, StepOutcome, StepReport};
use whimbrel::plan::Direction;

use super::report::{not_run, row_counts};
use super::{amount, grants, losses, style};
use crate::escape;

/// Characters of a statement that are shown.
const STATEMENT: usize = 100;
/// Statements of a step that are shown.
const STATEMENTS: usize = 20;

/// Writes what every step did, and that nothing of it stays.
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    for step in &report.steps {
        text.push_str(&one(step));
    }
    let steps = report.steps.iter().filter(|step| step.outcome == StepOutcome::Tried).count();
    let skipped = report.steps.iter().filter(|step| step.outcome == StepOutcome::NotTried).count();
    if report.steps.is_empty() {
        return "Nothing to do, so there was nothing to try.\n".to_owned();
    }
    text.push_str(&losses::text(&report.losses));
    text.extend(report.steps.iter().filter_map(would_keep_aside));
    if skipped > 0 {
        text.push_str(&format!("Not tried: {}.\n", amount::count(skipped, "migration", "migrations")));
    }
    text.push_str(&format!(
        "Tried {} in {} and rolled everything back: the database is as it was.\n",
        amount::count(steps, "migration", "migrations"),
        amount::duration(report.duration)
    ));
    text
}

/// Says how many rows of a transform a run would keep aside, which the exit code tells too.
fn would_keep_aside(step: &StepReport) -> Option<String> {
    let rejected = step.rows.map(|rows| rows.rejected).filter(|rejected| *rejected > 0)?;
    let rows = amount::count(usize::try_from(rejected).unwrap_or(usize::MAX), "row", "rows");
    Some(format!("{rows} would be kept aside by {}.\n", escape::line(&step.step.title())))
}

fn one(step: &StepReport) -> String {
    if let Some(line) = not_run(step) {
        return format!("{line}\n\n");
    }
    let arrow = match step.step.direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    let title = style::paint(style::HEAD, &format!("{arrow} {}", escape::line(&step.step.title())));
    let Some(recording) = &step.recording else {
        let why = step.reason.as_deref().map(|reason| format!(", {}", escape::line(reason))).unwrap_or_default();
        return format!("{title}: not tried{why}\n\n");
    };
    let mut took = amount::duration(step.duration);
    if let Some(fuel) = step.fuel {
        took = format!("{took}; {}", amount::work(fuel, step.counters.operations));
    }
    if let Some(rows) = &step.rows {
        took = format!("{took}; {}", row_counts(rows));
    }
    let mut text = format!("{title} ({took})\n");
    if let Some(Estimate { tried, total, duration }) = step.estimate {
        text.push_str(&format!(
            "    a sample of {} of {} rows: all of them would take about {}\n",
            amount::number(tried),
            amount::number(total),
            amount::duration(duration)
        ));
    }
    statements(recording, &mut text);
    for table in &recording.tables {
        text.push_str(&format!("    rows of {}: {}\n", escape::line(&table.table), changes(table)));
    }
    if recording.replaces {
        text.push_str("    rows that REPLACE deleted in the place of new ones are in no count\n");
    }
    if let Some(observed) = &recording.observed {
        let manifest = step.step.migration.manifest.as_ref();
        text.push_str(&grants::observed(observed, manifest.and_then(|manifest| manifest.grants.as_ref())));
    }
    text.push('\n');
    text
}

fn statements(recording: &Recording, text: &mut String) {
    for statement in recording.statements.iter().take(STATEMENTS) {
        let sql = escape::shortened(&statement.sql, STATEMENT);
        text.push_str(&format!("    {sql}{}\n", style::paint(style::DIM, &numbers(statement))));
    }
    let hidden = recording.statements.len().saturating_sub(STATEMENTS) as u64;
    let left_out = hidden.saturating_add(recording.statements_left_out);
    if left_out > 0 {
        text.push_str(&format!("    … and {} more\n", amount::number(left_out)));
    }
}

/// Writes how often a statement ran and how many rows it changed, where that says something.
fn numbers(statement: &RecordedStatement) -> String {
    let times = (statement.times > 1).then(|| format!("{} times", amount::number(statement.times)));
    let rows = match statement.rows_changed {
        0 => None,
        1 => Some("1 row".to_owned()),
        rows => Some(format!("{} rows", amount::number(rows))),
    };
    let parts: Vec<String> = times.into_iter().chain(rows).collect();
    if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) }
}

fn changes(table: &TableChanges) -> String {
    let parts = [(table.inserted, "inserted"), (table.updated, "updated"), (table.deleted, "deleted")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, what)| format!("{} {what}", amount::number(rows)))
        .collect();
    parts.join(", ")
}
