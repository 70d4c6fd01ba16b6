//! What would be done, for people and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel::model::{Body, Manifest, TransactionMode};
use whimbrel::plan::{Direction, Plan, Step};
use whimbrel::wasm::RunLimits;

use super::json::{StepJson, schema};
use super::report::micros;
use super::warning::{self, WarningJson};
use super::{amount, json, style};
use crate::escape;

/// Writes the steps in order, with what each component asks for.
pub(crate) fn text(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        return "Nothing to do.\n".to_owned();
    }
    let mut text = String::new();
    let numbers = plan.steps.len().to_string().len();
    for (index, step) in plan.steps.iter().enumerate() {
        text.push_str(&format!("{:>numbers$}. {}\n", index + 1, one(step)));
        let migration = &step.migration;
        let indent = " ".repeat(numbers + 2);
        if let Some(description) = migration.description() {
            text.push_str(&format!("{indent}{}\n", escape::line(description)));
        }
        if let Body::Component { .. } = migration.body {
            for line in asks(migration.manifest.as_ref()) {
                text.push_str(&format!("{indent}{}\n", escape::line(&line)));
            }
        }
    }
    let verb = match plan.goal.direction {
        Direction::Up => "apply",
        Direction::Down => "revert",
    };
    let count = amount::count(plan.steps.len(), "migration", "migrations");
    text.push_str(&format!("\n`whimbrel {}` would {verb} {count}.\n", plan.goal.direction));
    text
}

fn one(step: &Step) -> String {
    let title = format!("{} {}", step.direction, escape::line(&step.migration.title()));
    let directives = step.script().map(|script| &script.directives);
    let mode = match directives {
        Some(directives) if directives.transaction == TransactionMode::None => ", outside a transaction",
        Some(directives) if directives.rebuild => ", rebuild",
        Some(_) | None => "",
    };
    let file = step.script().map_or(&step.migration.file, |script| &script.file);
    format!("{}  {}{mode}  {}", style::paint(style::HEAD, &title), step.migration.kind(), escape::line(file))
}

/// Writes what a component asks for and how much it may use, a line for each.
pub(crate) fn asks(manifest: Option<&Manifest>) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, objects) in manifest.map(|manifest| manifest.grants.lines()).unwrap_or_default() {
        lines.push(format!("{kind:<8} {}", objects.join(", ")));
    }
    if lines.is_empty() {
        lines.push("asks for no grants".to_owned());
    }
    let limits = limits(manifest);
    lines.push(format!(
        "limits   {} fuel, {} memory, {} time",
        amount::number(limits.fuel),
        amount::bytes(limits.memory),
        amount::duration(limits.time)
    ));
    lines
}

fn limits(manifest: Option<&Manifest>) -> RunLimits {
    let host = RunLimits::default();
    manifest.map_or(host, |manifest| host.with(&manifest.limits))
}

/// What `plan` prints.
#[derive(Serialize)]
pub(crate) struct PlanJson {
    schema: String,
    chain: String,
    direction: &'static str,
    steps: Vec<PlannedJson>,
    warnings: Vec<WarningJson>,
}

#[derive(Serialize)]
struct PlannedJson {
    #[serde(flatten)]
    step: StepJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<AsksJson>,
}

/// What a component asks for.
#[derive(Serialize)]
pub(crate) struct AsksJson {
    grants: BTreeMap<&'static str, Vec<String>>,
    limits: LimitsJson,
}

#[derive(Serialize)]
struct LimitsJson {
    fuel: u64,
    memory_bytes: u64,
    time_us: u64,
}

/// Writes what a component asks for as JSON.
pub(crate) fn asks_json(manifest: Option<&Manifest>) -> AsksJson {
    let limits = limits(manifest);
    AsksJson {
        grants: manifest.map(|manifest| manifest.grants.lines().into_iter().collect()).unwrap_or_default(),
        limits: LimitsJson { fuel: limits.fuel, memory_bytes: limits.memory, time_us: micros(limits.time) },
    }
}

/// Writes a plan as JSON.
pub(crate) fn json(plan: &Plan) -> PlanJson {
    let one = |step: &Step| PlannedJson {
        step: json::step(step),
        asks: matches!(step.migration.body, Body::Component { .. }).then(|| asks_json(step.migration.manifest.as_ref())),
    };
    PlanJson {
        schema: schema("plan"),
        chain: plan.chain.clone(),
        direction: plan.goal.direction.as_str(),
        steps: plan.steps.iter().map(one).collect(),
        warnings: warning::json(&plan.warnings),
    }
}
