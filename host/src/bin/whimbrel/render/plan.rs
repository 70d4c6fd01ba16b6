//! What would be done, for people and as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use whimbrel::exec::{Loss, Refusal};
use whimbrel::limits::{Limit, Limits, RunLimits};
use whimbrel::model::{
    Body, Chunk, Kind, Manifest, Migration, Policies, Precondition, Reversibility, TransactionMode, TransformSpec,
    Unmet,
};
use whimbrel::plan::{Direction, Plan, Step};

use super::hooks::{self, HookJson};
use super::json::{StepJson, schema};
use super::losses::{self, LossJson};
use super::refusal::{self, RefusalJson};
use super::report::micros;
use super::unnamed::{self, UnnamedJson};
use super::warning::{self, WarningJson};
use super::{amount, grants, json, style};
use crate::escape;

/// A plan, and what there is to say about it.
pub(crate) struct Shown<'a> {
    pub(crate) plan: &'a Plan,
    /// What the migrations are given.
    pub(crate) policies: &'a Policies,
    /// What the policies would refuse.
    pub(crate) refused: &'a [Refusal],
    /// What would be gone, or why that is not known.
    pub(crate) lost: Result<&'a [Loss], &'a str>,
}

/// Writes the steps in order, with what each component asks for and what of that the policy would refuse.
pub(crate) fn text(shown: &Shown<'_>) -> String {
    let Shown { plan, policies, refused, lost } = *shown;
    if plan.steps.is_empty() {
        return format!("Nothing to do.\n{}", hooks::text(&plan.hooks));
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
        for precondition in migration.preconditions().filter(|_| step.direction == Direction::Up) {
            let what = match precondition.otherwise {
                Unmet::Fail => "requires",
                Unmet::Skip => "skipped unless",
                Unmet::MarkApplied => "marked as applied and not run unless",
            };
            text.push_str(&format!("{indent}{what}: {}\n", escape::line(&precondition.sql)));
        }
        if is_held(step, policies) {
            let given = policies.of(&step.chain).limits_for(&migration.key());
            for line in asks_of(migration.manifest.as_deref(), rows_of(migration), &given) {
                text.push_str(&format!("{indent}{}\n", escape::line(&line)));
            }
        }
        for line in refused.iter().filter(|refusal| refusal.index == index).flat_map(refusal::lines) {
            text.push_str(&format!("{indent}{}\n", escape::line(&line)));
        }
    }
    text.push_str(&hooks::text(&plan.hooks));
    if let Ok(lost @ [_, ..]) = lost {
        text.push('\n');
        text.push_str(&losses::text(lost));
    }
    let verb = match plan.goal.direction() {
        Direction::Up => "apply",
        Direction::Down => "revert",
    };
    let count = amount::count(plan.steps.len(), "migration", "migrations");
    let direction = plan.goal.direction();
    if refused.is_empty() {
        text.push_str(&format!("\n`whimbrel {direction}` would {verb} {count}.\n"));
    } else {
        text.push_str(&format!(
            "\n`whimbrel {direction}` would be refused before it changes anything: the policy gives less than is asked for.\n"
        ));
        for refusal in refused {
            text.push_str(&refusal::hint(
                refusal,
                &plan.steps[refusal.index].chain,
                &plan.steps[refusal.index].migration.key(),
            ));
        }
    }
    text
}

fn one(step: &Step) -> String {
    let title = format!("{} {}", step.direction, escape::line(&step.title()));
    let directives = step.script().map(|script| &script.directives);
    let mode = match directives {
        Some(directives) if directives.transaction == TransactionMode::None => ", outside a transaction",
        Some(directives) if directives.rebuild => ", rebuild",
        // Nobody writes a script for a transform, so its lack is not seen in the folder.
        None if step.migration.kind() == Kind::Transform && irreversible(step) => ", irreversible",
        Some(_) | None => "",
    };
    let file = step.script().map_or(&step.migration.file, |script| &script.file);
    format!("{}  {}{mode}  {}", style::paint(style::HEAD, &title), step.migration.kind(), escape::line(file))
}

fn irreversible(step: &Step) -> bool {
    step.direction == Direction::Up && step.migration.reversibility() == Reversibility::Irreversible
}

/// Tells whether a step is held to what its manifest asks for and its policy gives.
fn is_held(step: &Step, policies: &Policies) -> bool {
    let migration = &step.migration;
    let asks = migration.manifest.as_ref().is_some_and(|manifest| manifest.grants.is_some());
    let is_sql = matches!(migration.body, Body::Sql { .. });
    migration.body.is_sandboxed() || is_sql && (asks || policies.of(&step.chain).is_untrusted())
}

/// Writes what a migration asks for, how much it may use, and what stays of it when it fails; which rows go through it, if it is
/// a transform.
pub(crate) fn asks_of(manifest: Option<&Manifest>, rows: Option<&TransformSpec>, given: &Limits) -> Vec<String> {
    let mut lines = asks(manifest, given);
    lines.extend(parts(rows).map(|parts| format!("commits   {parts}  ! {PARTS}")));
    lines
}

fn rows_of(migration: &Migration) -> Option<&TransformSpec> {
    migration.body.transform().map(Arc::as_ref)
}

/// What to look at twice in a transform in chunks.
const PARTS: &str = "when it fails, the chunks before stay done";

/// Says how a transform commits that does so in parts.
fn parts(rows: Option<&TransformSpec>) -> Option<String> {
    match rows?.chunk {
        Chunk::Whole => None,
        Chunk::Rows(rows) => Some(format!("every {} rows", amount::number(u64::from(rows.get())))),
    }
}

/// Writes what a component asks for and how much it may use, a line for each.
fn asks(manifest: Option<&Manifest>, given: &Limits) -> Vec<String> {
    let mut lines = grants::lines(manifest.and_then(|manifest| manifest.grants.as_ref()));
    let limits = RunLimits::cut(manifest.map(|manifest| &manifest.limits), given);
    let mut line = format!(
        "limits    {} fuel, {} memory, {} time",
        amount::number(limits.of(Limit::Fuel)),
        amount::bytes(limits.of(Limit::Memory)),
        amount::duration(Duration::from_millis(limits.of(Limit::Time)))
    );
    for (limit, amount) in further(manifest) {
        line.push_str(&format!(", {} {}", limit.amount(amount), limit.key().replace('_', " ")));
    }
    lines.push(line);
    lines
}

/// Returns the limits that a manifest names beside the three that are always shown.
fn further(manifest: Option<&Manifest>) -> impl Iterator<Item = (Limit, u64)> {
    let asked = manifest.into_iter().flat_map(|manifest| manifest.limits.iter());
    asked.filter(|(limit, _)| !matches!(limit, Limit::Fuel | Limit::Memory | Limit::Time))
}

/// What `plan` prints.
#[derive(Serialize)]
pub(crate) struct PlanJson {
    schema: String,
    /// The chain, if it is about one.
    chain: Option<String>,
    chains: Vec<String>,
    direction: &'static str,
    steps: Vec<PlannedJson>,
    /// What is run at the moments of the run.
    hooks: Vec<HookJson>,
    /// Tables and columns that would be gone; only a plan that reverts is tried out for them.
    losses: Vec<LossJson>,
    /// Why it is not known what would be gone; then `losses` is empty.
    losses_unknown: Option<String>,
    warnings: Vec<WarningJson>,
    /// Chains that only the history knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnamed_chains: Vec<UnnamedJson>,
}

#[derive(Serialize)]
struct PlannedJson {
    #[serde(flatten)]
    step: StepJson,
    /// What must hold before it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    preconditions: Vec<PreconditionJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<AsksJson>,
    /// What the policy would refuse.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusalJson>,
}

#[derive(Serialize)]
struct PreconditionJson {
    sql: String,
    otherwise: &'static str,
    message: Option<String>,
}

fn precondition_json(precondition: &Precondition) -> PreconditionJson {
    let Precondition { sql, otherwise, message, .. } = precondition;
    PreconditionJson { sql: sql.clone(), otherwise: otherwise.as_str(), message: message.clone() }
}

/// What a component asks for.
#[derive(Serialize)]
pub(crate) struct AsksJson {
    grants: BTreeMap<&'static str, Vec<String>>,
    /// What is risky about them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    risks: BTreeMap<&'static str, Vec<String>>,
    limits: LimitsJson,
}

#[derive(Serialize)]
struct LimitsJson {
    fuel: u64,
    memory_bytes: u64,
    time_us: u64,
    #[serde(flatten)]
    further: BTreeMap<&'static str, u64>,
}

/// Writes what a component asks for as JSON.
pub(crate) fn asks_json(manifest: Option<&Manifest>, rows: Option<&TransformSpec>, given: &Limits) -> AsksJson {
    let limits = RunLimits::cut(manifest.map(|manifest| &manifest.limits), given);
    let asked = manifest.and_then(|manifest| manifest.grants.as_ref());
    let mut risks = grants::risks_json(asked);
    risks.extend(parts(rows).map(|parts| ("chunk", vec![format!("commits {parts}: {PARTS}")])));
    AsksJson {
        grants: grants::json(asked),
        risks,
        limits: LimitsJson {
            fuel: limits.of(Limit::Fuel),
            memory_bytes: limits.of(Limit::Memory),
            time_us: micros(Duration::from_millis(limits.of(Limit::Time))),
            further: further(manifest).map(|(limit, amount)| (limit.key(), amount)).collect(),
        },
    }
}

/// Writes a plan as JSON.
pub(crate) fn json(shown: &Shown<'_>) -> PlanJson {
    let Shown { plan, policies, refused, lost } = *shown;
    let one = |(index, step): (usize, &Step)| PlannedJson {
        step: json::step(step),
        preconditions: match step.direction {
            Direction::Up => step.migration.preconditions().map(precondition_json).collect(),
            Direction::Down => Vec::new(),
        },
        refused: refused.iter().find(|refusal| refusal.index == index).map(refusal::json),
        asks: is_held(step, policies).then(|| {
            let given = policies.of(&step.chain).limits_for(&step.migration.key());
            asks_json(step.migration.manifest.as_deref(), rows_of(&step.migration), &given)
        }),
    };
    PlanJson {
        schema: schema("plan"),
        chain: json::only(&plan.chains),
        chains: plan.chains.clone(),
        direction: plan.goal.direction().as_str(),
        steps: plan.steps.iter().enumerate().map(one).collect(),
        hooks: hooks::json(&plan.hooks),
        losses: losses::json(lost.unwrap_or_default()),
        losses_unknown: lost.err().map(str::to_owned),
        warnings: warning::json(plan.warnings.iter()),
        unnamed_chains: unnamed::json(&plan.unnamed_chains),
    }
}
