//! Runs code twice on copies of the database and compares what it left behind. The database itself is only read.

use super::growth::Growth;
use super::prepare::Prepared;
use super::report::{Report, RunError, StepReport};
use super::run::{Conditions, run};
use crate::db::sqlite::{Difference, Fill, FillError, compare};
use crate::db::{DbError, ErrorCode, OpenOptions, Session};
use crate::history::HistoryError;
use crate::model::Body;
use crate::plan::Step;

/// What one run of a migration's code used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Used {
    /// Fuel burnt, for a component.
    pub fuel: Option<u64>,
    /// Operations of the database's virtual machine.
    pub operations: u64,
    /// Statements run.
    pub statements: u64,
    /// Rows changed.
    pub rows_changed: u64,
}

/// How two runs differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Disagreement {
    /// One of them failed.
    Outcome {
        /// Why the first failed, if it did.
        first: Option<String>,
        /// Why the second failed, if it did.
        second: Option<String>,
    },
    /// They left different databases behind.
    Database(Difference),
    /// They did different work for the same result.
    Work {
        /// `fuel`, `SQL operations`, `statements` or `rows changed`.
        what: &'static str,
        /// What the first used.
        first: u64,
        /// What the second used.
        second: u64,
    },
}

/// What running a migration's code twice has shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trial {
    /// The migration.
    pub step: Step,
    /// What the first run used.
    pub used: Used,
    /// How the second differs, if it does.
    pub disagreement: Option<Disagreement>,
}

/// Why nothing can be said.
#[derive(Debug)]
pub(crate) enum TrialError {
    /// The database cannot be copied or compared.
    Database(DbError),
    /// A migration fails, each time in the same way.
    Run(Box<RunError>),
    /// The history cannot be read.
    History(HistoryError),
    /// A table cannot be filled.
    Fill(FillError),
}

impl From<DbError> for TrialError {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl From<FillError> for TrialError {
    fn from(error: FillError) -> Self {
        Self::Fill(error)
    }
}

/// Runs a plan on a copy of the database, each step with code on two, and stops at the first that disagrees with itself.
///
/// Each step begins on two equal databases, so one that differs is not blamed for what came before it, and SQL, which
/// may ask for the time, runs once. Tables are filled as soon as they are there.
pub(crate) fn run_twice(
    original: &mut dyn Session,
    prepared: Prepared,
    conditions: &Conditions<'_>,
    options: &OpenOptions,
    fills: &[Fill],
) -> Result<Vec<Trial>, TrialError> {
    let mut first = original.copy(options)?;
    let mut growth = Growth::new(fills);
    growth.grow(first.as_mut())?;
    let mut trials = Vec::new();
    for step in one_by_one(prepared) {
        let is_code = match step.steps[0].step.migration.body {
            Body::Sql { .. } => false,
            Body::Component { .. } | Body::Rust(_) | Body::Script { .. } | Body::Transform { .. } => true,
        };
        let second = if is_code { Some(first.copy(options)?) } else { None };
        let (returned, first_result) = run(first, &step, conditions);
        first = returned;
        let Some(second) = second else {
            first_result.map_err(TrialError::Run)?;
            growth.grow(first.as_mut())?;
            continue;
        };
        let (mut second, second_result) = run(second, &step, conditions);
        // Stopped from outside, in whichever of the two: that tells nothing about the migration.
        let (first_result, second_result) = (not_interrupted(first_result)?, not_interrupted(second_result)?);
        let trial = judge(&step, (first.as_mut(), first_result), (second.as_mut(), second_result), conditions)?;
        let disagrees = trial.disagreement.is_some();
        trials.push(trial);
        if disagrees {
            return Ok(trials);
        }
        growth.grow(first.as_mut())?;
    }
    growth.finish(first.as_mut())?;
    Ok(trials)
}

/// Cuts a plan into plans of one step.
pub(super) fn one_by_one(prepared: Prepared) -> impl Iterator<Item = Prepared> {
    let plan = prepared.plan;
    prepared.steps.into_iter().map(move |mut step| {
        // Hooks are the owner's, and nobody asks whether they do the same twice.
        step.hooks.clear();
        let mut plan = plan.clone();
        plan.steps = vec![step.step.clone()];
        Prepared { plan, steps: vec![step], hooks: Vec::new() }
    })
}

fn not_interrupted(result: Result<Report, Box<RunError>>) -> Result<Result<Report, Box<RunError>>, TrialError> {
    match result {
        Err(error) if error.source.is_interruption() => Err(TrialError::Run(error)),
        result => Ok(result),
    }
}

type Ran<'a> = (&'a mut dyn Session, Result<Report, Box<RunError>>);

fn judge(step: &Prepared, first: Ran<'_>, second: Ran<'_>, conditions: &Conditions<'_>) -> Result<Trial, TrialError> {
    let step = step.steps[0].step.clone();
    let (used, disagreement) = match (first.1, second.1) {
        (Ok(one), Ok(other)) => {
            let (one, other) = (used(&one.steps), used(&other.steps));
            let leave_out = conditions.history.tables();
            let difference = compare(connection(first.0)?, connection(second.0)?, &leave_out)?;
            (one, difference.map(Disagreement::Database).or_else(|| work(one, other)))
        }
        (Err(one), Err(other)) => {
            let (first, second) = (words(one.as_ref()), words(other.as_ref()));
            if first == second {
                return Err(TrialError::Run(one));
            }
            (Used::default(), Some(Disagreement::Outcome { first: Some(first), second: Some(second) }))
        }
        (Ok(one), Err(other)) => {
            (used(&one.steps), Some(Disagreement::Outcome { first: None, second: Some(words(other.as_ref())) }))
        }
        (Err(one), Ok(_)) => {
            (Used::default(), Some(Disagreement::Outcome { first: Some(words(one.as_ref())), second: None }))
        }
    };
    Ok(Trial { step, used, disagreement })
}

pub(super) fn connection(session: &mut dyn Session) -> Result<&rusqlite::Connection, DbError> {
    session.sqlite().ok_or_else(|| DbError::new(ErrorCode::Database, "only SQLite databases can be compared"))
}

fn used(steps: &[StepReport]) -> Used {
    steps.iter().fold(Used::default(), |sum, step| Used {
        fuel: step.fuel.or(sum.fuel),
        operations: sum.operations + step.counters.operations,
        statements: sum.statements + step.counters.statements,
        rows_changed: sum.rows_changed + step.counters.rows_changed,
    })
}

/// Finds the first kind of work of which two runs did not do the same amount.
fn work(first: Used, second: Used) -> Option<Disagreement> {
    let amounts = [
        ("fuel", first.fuel.unwrap_or(0), second.fuel.unwrap_or(0)),
        ("SQL operations", first.operations, second.operations),
        ("statements", first.statements, second.statements),
        ("rows changed", first.rows_changed, second.rows_changed),
    ];
    let differing = amounts.into_iter().find(|(_, first, second)| first != second);
    differing.map(|(what, first, second)| Disagreement::Work { what, first, second })
}

/// Says an error with all its causes in one line.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_amount_that_differs() {
        let used = Used { fuel: Some(7), operations: 5, statements: 3, rows_changed: 1 };
        let cases = [
            (used, None),
            (Used { fuel: Some(8), operations: 6, ..used }, Some("fuel")),
            (Used { operations: 6, ..used }, Some("SQL operations")),
            (Used { statements: 6, ..used }, Some("statements")),
            (Used { rows_changed: 6, ..used }, Some("rows changed")),
        ];
        for (other, expected) in cases {
            let found = work(used, other).map(|found| match found {
                Disagreement::Work { what, .. } => what,
                other => panic!("{other:?}"),
            });
            assert_eq!(found, expected);
        }
    }
}
