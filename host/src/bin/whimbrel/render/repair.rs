//! What a repair writes into the history, for people and as JSON.

use serde::Serialize;
use whimbrel::plan::{HistoryChange, RepairPlan};

use super::json::schema;
use super::{amount, style};
use crate::escape;

/// Writes a line for each change.
pub(crate) fn text(plan: &RepairPlan) -> String {
    let mut text = format!("{}\n", style::paint(style::HEAD, &format!("Chain {}", escape::line(&plan.chain))));
    for change in &plan.changes {
        text.push_str(&format!("  {}\n", line(change)));
    }
    text
}

fn line(change: &HistoryChange) -> String {
    match change {
        HistoryChange::Forget { migration, state, rows_done, .. } => {
            let done = rows_done.map(|(done, of)| {
                format!("; what it did to {} of {} rows stays", amount::number(done), amount::number(of))
            });
            let migration = escape::line(migration);
            format!("delete the row of migration {migration}, which is {state}{}", done.unwrap_or_default())
        }
        HistoryChange::ForgetRejects { migration, rows, .. } => {
            let rows = amount::count(usize::try_from(*rows).unwrap_or(usize::MAX), "row", "rows");
            format!("forget {rows} that migration {} kept aside", escape::line(migration))
        }
        other => format!("{other:?}"),
    }
}

/// What `repair` prints.
#[derive(Serialize)]
pub(crate) struct RepairJson {
    schema: String,
    chain: String,
    written: bool,
    changes: Vec<ChangeJson>,
}

#[derive(Serialize)]
struct ChangeJson {
    change: &'static str,
    version: String,
    migration: String,
    rows: Option<u64>,
}

/// Writes a repair as JSON.
pub(crate) fn json(plan: &RepairPlan) -> RepairJson {
    let change = |change: &HistoryChange| match change {
        HistoryChange::Forget { version, migration, rows_done, .. } => ChangeJson {
            change: "forget",
            version: version.to_string(),
            migration: migration.clone(),
            rows: rows_done.map(|(done, _)| done),
        },
        HistoryChange::ForgetRejects { version, migration, rows } => ChangeJson {
            change: "forget-rejects",
            version: version.to_string(),
            migration: migration.clone(),
            rows: Some(*rows),
        },
        other => ChangeJson { change: "other", version: String::new(), migration: format!("{other:?}"), rows: None },
    };
    RepairJson {
        schema: schema("repair"),
        chain: plan.chain.clone(),
        written: true,
        changes: plan.changes.iter().map(change).collect(),
    }
}
