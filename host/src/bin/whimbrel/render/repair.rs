//! What a repair writes into the history, for people and as JSON.

use serde::Serialize;
use whimbrel::model::{AppliedState, Key};
use whimbrel::plan::{ChangeKind, HistoryChange, RepairPlan};

use super::json::schema;
use super::{amount, style};
use crate::escape;

/// Writes a line for each change.
pub(crate) fn text(plan: &RepairPlan) -> String {
    let mut text = String::new();
    let mut chain = None;
    for change in &plan.changes {
        if chain != Some(&change.chain) {
            text.push_str(&format!(
                "{}\n",
                style::paint(style::HEAD, &format!("Chain {}", escape::line(&change.chain)))
            ));
            chain = Some(&change.chain);
        }
        text.push_str(&format!("  {}\n", line(change)));
    }
    text
}

/// Writes a line for each thing that may not be meant.
pub(crate) fn warnings(plan: &RepairPlan) -> String {
    let head = style::paint(style::WARNING, "warning");
    plan.warnings.iter().map(|warning| format!("{head}: {}\n", escape::line(warning))).collect()
}

/// Writes what was written, or would be.
pub(crate) fn summary(plan: &RepairPlan, dry_run: bool) -> String {
    let changes = text(plan);
    match (plan.changes.as_slice(), dry_run) {
        ([], _) => "There is nothing to repair.\n".to_owned(),
        (_, true) => format!("{changes}Nothing was written.\n"),
        (all, false)
            if all.iter().any(|change| matches!(change.kind, ChangeKind::Forget { rows_done: Some(_), .. })) =>
        {
            format!("{changes}The history is repaired; `whimbrel up` begins anew.\n")
        }
        (_, false) => format!("{changes}The history is repaired.\n"),
    }
}

fn line(change: &HistoryChange) -> String {
    let migration = escape::line(&change.migration);
    match &change.kind {
        ChangeKind::Forget { state, rows_done } => {
            let done = rows_done.map(|(done, of)| {
                format!("; what it did to {} of {} rows stays", amount::number(done), amount::number(of))
            });
            format!("delete the row of migration {migration}, which is {state}{}", done.unwrap_or_default())
        }
        ChangeKind::ForgetRejects { rows } => {
            let rows = amount::count(usize::try_from(*rows).unwrap_or(usize::MAX), "row", "rows");
            format!("forget {rows} that migration {migration} kept aside")
        }
        ChangeKind::Accept { recorded, found, .. } if recorded == found => {
            format!("take what lies beside migration {migration} now for what it was applied with")
        }
        ChangeKind::Accept { recorded, found, .. } => {
            format!(
                "take migration {migration} as it is now for what was applied (recorded {recorded:.12}…, now {found:.12}…)"
            )
        }
        ChangeKind::MarkApplied { was: Some(AppliedState::Started | AppliedState::InProgress) } => {
            format!("say that migration {migration}, which did not come to its end, is applied")
        }
        ChangeKind::MarkApplied { .. } => format!("say that migration {migration} is applied, without running it"),
        ChangeKind::MarkFailed { was: AppliedState::Started | AppliedState::InProgress } => {
            format!("say that migration {migration}, which did not come to its end, is not applied")
        }
        ChangeKind::MarkFailed { .. } => format!("say that migration {migration} is not applied, without reverting it"),
        other => format!("{other:?}"),
    }
}

/// What `repair` prints.
#[derive(Serialize)]
pub(crate) struct RepairJson {
    schema: String,
    dry_run: bool,
    written: bool,
    changes: Vec<ChangeJson>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ChangeJson {
    change: &'static str,
    chain: String,
    version: Option<String>,
    migration: String,
    was: Option<&'static str>,
    rows: Option<u64>,
}

/// Writes a repair as JSON.
pub(crate) fn json(plan: &RepairPlan, dry_run: bool, written: bool) -> RepairJson {
    RepairJson {
        schema: schema("repair"),
        dry_run,
        written,
        changes: plan.changes.iter().map(change).collect(),
        warnings: plan.warnings.clone(),
    }
}

fn change(change: &HistoryChange) -> ChangeJson {
    let (word, was, rows) = match &change.kind {
        ChangeKind::Forget { state, rows_done } => ("forget", Some(*state), rows_done.map(|(done, _)| done)),
        ChangeKind::ForgetRejects { rows } => ("forget-rejects", None, Some(*rows)),
        ChangeKind::Accept { .. } => ("accept", None, None),
        ChangeKind::MarkApplied { was } => ("mark-applied", *was, None),
        ChangeKind::MarkFailed { was } => ("mark-failed", Some(*was), None),
        _ => ("other", None, None),
    };
    ChangeJson {
        change: word,
        chain: change.chain.clone(),
        version: match &change.key {
            Key::Version(version) => Some(version.to_string()),
            Key::Name(_) => None,
        },
        migration: change.migration.clone(),
        was: was.map(AppliedState::as_str),
        rows,
    }
}
