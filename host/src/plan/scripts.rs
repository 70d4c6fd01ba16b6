//! What is wrong, or doubtful, in the scripts of one step. Pure.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::build::{Step, Warning};
use super::{Direction, PlanProblem};
use crate::model::{MissingValue, Script};
use crate::sql::{Finding, Severity};

/// How much of one kind is told of one script; nobody reads thousands.
const MOST_TOLD: usize = 100;
const FIRST_THEN_OTHERS: &str = "see to those before it first";

/// What there is to say.
#[derive(Default)]
pub(super) struct Said {
    pub(super) problems: Vec<PlanProblem>,
    pub(super) warnings: Vec<Warning>,
}

/// Looks at what a step runs and asks; of somebody else's chain, if it is of one.
pub(super) fn check(step: &Step, is_strangers: bool) -> Said {
    let mut said = Said::default();
    let up = step.direction == Direction::Up;
    let verify = step.migration.verify.as_deref().filter(|_| up);
    for script in [step.script(), verify].into_iter().flatten() {
        said.of_script(step, script, is_strangers);
    }
    if up {
        said.of_preconditions(step);
    }
    said
}

impl Said {
    fn of_preconditions(&mut self, step: &Step) {
        let missing = step.migration.asked_preconditions().enumerate().flat_map(|(index, (precondition, query))| {
            let missing = query.map(Script::missing).unwrap_or_default();
            missing.iter().map(move |missing| {
                (index, MissingValue { range: precondition.place(&missing.range), ..missing.clone() })
            })
        });
        let (told, next) = first(missing);
        let mut files = BTreeMap::new();
        let mut file =
            |index| Arc::clone(files.entry(index).or_insert_with(|| Arc::new(step.migration.precondition_file(index))));
        for (index, missing) in told {
            self.problems.push(without_value(step, &file(index), missing));
        }
        if let Some(((index, missing), count)) = next {
            self.problems.push(and_more(step, &file(index), missing.range, count));
        }
    }

    fn of_script(&mut self, step: &Step, script: &Script, is_strangers: bool) {
        let mut findings = script.check();
        if is_strangers {
            findings.iter_mut().for_each(Finding::of_stranger);
        }
        if findings.is_empty() && script.missing().is_empty() {
            return;
        }
        // Everything said of it shares the text, which may be long.
        let shared = Arc::new(script.clone());
        let (told, next) = first(script.missing());
        self.problems.extend(told.into_iter().map(|missing| without_value(step, &shared, missing.clone())));
        self.problems.extend(next.map(|(missing, count)| and_more(step, &shared, missing.range.clone(), count)));
        let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|finding| finding.severity == Severity::Error);
        let (told, next) = first(errors);
        self.problems.extend(told.into_iter().map(|Finding { range, message, hint, .. }| PlanProblem::Script {
            migration: step.title(),
            script: Arc::clone(&shared),
            range,
            message,
            hint,
        }));
        self.problems.extend(next.map(|(finding, count)| and_more(step, &shared, finding.range, count)));
        let (told, next) = first(warnings);
        let warning = |message, hint, range| Warning {
            migration: step.title(),
            message,
            hint,
            place: Some((Arc::clone(&shared), range)),
        };
        self.warnings.extend(told.into_iter().map(|finding| warning(finding.message, finding.hint, finding.range)));
        self.warnings
            .extend(next.map(|(finding, count)| warning(more(count), FIRST_THEN_OTHERS.to_owned(), finding.range)));
    }
}

/// Returns as many as are told, and the next one with how many there are from it on.
fn first<T>(all: impl IntoIterator<Item = T>) -> (Vec<T>, Option<(T, usize)>) {
    let mut all = all.into_iter();
    let told = all.by_ref().take(MOST_TOLD).collect();
    let next = all.next();
    (told, next.map(|next| (next, 1 + all.count())))
}

fn without_value(step: &Step, script: &Arc<Script>, missing: MissingValue) -> PlanProblem {
    let (migration, chain) = (step.title(), step.chain.to_string());
    PlanProblem::Placeholder { migration, chain, script: Arc::clone(script), missing }
}

/// Says that there is more of what was told last.
fn and_more(step: &Step, script: &Arc<Script>, range: Range<usize>, count: usize) -> PlanProblem {
    let (migration, script) = (step.title(), Arc::clone(script));
    PlanProblem::Script { migration, script, range, message: more(count), hint: FIRST_THEN_OTHERS.to_owned() }
}

fn more(count: usize) -> String {
    format!("and {count} more of this kind from here on")
}
