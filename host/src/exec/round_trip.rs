//! Runs each migration up, down and up again on copies of the database, and compares. The database itself is only read.

use std::time::{Duration, Instant};

use super::determinism::{TrialError, connection, one_by_one, words};
use super::growth::Growth;
use super::preconditions::waits;
use super::prepare::{PrepareError, Prepared};
use super::report::{RunError, StepOutcome, StepReport};
use super::run::{Conditions, run};
use crate::db::sqlite::{Differences, Fill, differences};
use crate::db::{Ambient, OpenOptions, Session};
use crate::grants::FunctionGrant;
use crate::history::foreign::Mirror;
use crate::model::{Applied, AppliedState, Reversibility};
use crate::plan::{Direction, Goal, Plan, Step};

/// Why nothing is compared of a migration whose beginning is there already.
const IN_PROGRESS: &str = "it is in progress, so that what was there before it is not known: only its rest was run";

/// A part of the trip.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leg {
    /// Up for the first time.
    Up,
    /// Down again: what is there then should be what was there before.
    Down,
    /// Up once more: what is there then should be what was there after the first time.
    UpAgain,
}

impl Leg {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::UpAgain => "up-again",
        }
    }

    /// Says what is compared after it, in words for [`Difference::told`](crate::db::sqlite::Difference::told).
    pub fn sides(self) -> (&'static str, &'static str) {
        match self {
            Self::Up | Self::Down => ("before", "after up and down"),
            Self::UpAgain => ("after the first up", "after the second"),
        }
    }
}

/// Why a leg did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum LegError {
    /// It cannot be run.
    #[error(transparent)]
    Prepare(Box<PrepareError>),
    /// It was run, and failed.
    #[error(transparent)]
    Run(Box<RunError>),
}

impl LegError {
    /// Says it with all its causes in one line.
    pub fn words(&self) -> String {
        words(self)
    }
}

/// How a trip ended.
#[derive(Debug)]
pub enum TripOutcome {
    /// Down brought back what was there before, and up again the same as the first time.
    Passed,
    /// It went up, and does not say how to go down.
    NotReversible,
    /// It was not run, or counts as applied without having been run, as a precondition does not hold; or the rest of it was
    /// run, as it is in progress.
    LeftOut {
        /// Which.
        reason: String,
    },
    /// Something is not as it should be.
    Differs {
        /// After which leg.
        leg: Leg,
        /// What differs.
        differences: Differences,
    },
    /// It failed.
    Failed {
        /// On which leg.
        leg: Leg,
        /// Why.
        error: LegError,
    },
    /// One before it does not go up, so that it would not find what it needs.
    NotTried,
}

/// What running a migration up, down and up again has shown.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trip {
    /// The migration, on its way up.
    pub step: Step,
    /// How it ended.
    pub outcome: TripOutcome,
    /// How long it took, with comparing.
    pub duration: Duration,
    /// The tables of the copies that were filled since the migration before it was tried.
    pub filled: Vec<String>,
}

impl Trip {
    /// Tells whether something is wrong.
    pub fn is_failed(&self) -> bool {
        matches!(self.outcome, TripOutcome::Differs { .. } | TripOutcome::Failed { .. })
    }
}

/// Runs the steps of a plan, each up, down and up again where it can be reverted, on copies of the database.
///
/// One that does not come back as it should is no reason to stop: the next begins on what the first up has made. Time
/// and chance stand still, so that what is compared can be the same. Tables are filled as soon as they are there, so that
/// the migrations after the one that makes a table find rows in it.
pub(crate) fn round_trip(
    original: &mut dyn Session,
    prepared: Prepared,
    prepare: &dyn Fn(Plan) -> Result<Prepared, PrepareError>,
    conditions: &Conditions<'_>,
    options: &OpenOptions,
    fills: &[Fill],
) -> Result<Vec<Trip>, TrialError> {
    let mut session = original.copy(options)?;
    let mut growth = Growth::new(fills);
    let mut filled = growth.grow(session.as_mut())?;
    let leave_out = own_tables(session.as_mut(), conditions)?;
    let road = Road { prepare, conditions, options, leave_out };
    let mut trips = Vec::new();
    let mut skipped = Vec::new();
    let mut stopped = false;
    for step in one_by_one(prepared) {
        let began = Instant::now();
        let outcome = match waits(&step.steps[0], &skipped, conditions.chains) {
            _ if stopped => TripOutcome::NotTried,
            Some(report) => road.left_out(report, &mut skipped),
            None => {
                let (next, outcome) = road.travel(session, &step, &mut skipped)?;
                session = next;
                outcome
            }
        };
        stopped |= matches!(outcome, TripOutcome::Failed { leg: Leg::Up, .. });
        let (step, duration, since) = (step.steps[0].step.clone(), began.elapsed(), std::mem::take(&mut filled));
        trips.push(Trip { step, outcome, duration, filled: since });
        if !stopped {
            filled = growth.grow(session.as_mut())?;
        }
    }
    if !stopped {
        growth.finish(session.as_mut())?;
    }
    Ok(trips)
}

/// Lists the tables that say when something was run, and so are never the same: ours, and those kept for other tools.
fn own_tables(session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<Vec<String>, TrialError> {
    let mut tables = conditions.history.tables();
    let applied = conditions.history.read_all(session).map_err(TrialError::History)?;
    if applied.iter().any(|row| row.origin.is_some()) {
        let mirrors = Mirror::all(conditions.history, session).map_err(TrialError::History)?;
        tables.extend(mirrors.into_iter().map(|(_, mirror)| mirror.table().to_owned()));
    }
    Ok(tables)
}

/// What all trips of one test share.
struct Road<'a> {
    prepare: &'a dyn Fn(Plan) -> Result<Prepared, PrepareError>,
    conditions: &'a Conditions<'a>,
    options: &'a OpenOptions,
    leave_out: Vec<String>,
}

type Ran = (Box<dyn Session>, Result<StepReport, Box<RunError>>);

impl Road<'_> {
    fn left_out(&self, report: StepReport, skipped: &mut Vec<StepReport>) -> TripOutcome {
        let reason = report.reason.clone().unwrap_or_default();
        skipped.push(report);
        TripOutcome::LeftOut { reason }
    }

    /// Travels with one step; returns the database as the first up has left it.
    fn travel(
        &self,
        before: Box<dyn Session>,
        step: &Prepared,
        skipped: &mut Vec<StepReport>,
    ) -> Result<(Box<dyn Session>, TripOutcome), TrialError> {
        let mut before = before;
        if self.is_in_progress(before.as_mut(), step)? {
            let (after, went) = self.go(before, step, self.conditions.goal)?;
            let rest = |_| TripOutcome::LeftOut { reason: IN_PROGRESS.to_owned() };
            return Ok((after, went.map_or_else(fails_up, rest)));
        }
        let back = match self.way_back(step) {
            Ok(None) => {
                let (after, went) = self.go(before, step, self.conditions.goal)?;
                let outcome = went.map_or_else(fails_up, |report| self.one_way(report, skipped));
                return Ok((after, outcome));
            }
            Ok(Some(back)) => Ok(back),
            Err(error) => Err(error),
        };
        let trip = before.copy(self.options)?;
        let (mut trip, went) = self.go(trip, step, self.conditions.goal)?;
        match went {
            Ok(report) if report.outcome == StepOutcome::Done => {}
            Ok(report) => return Ok((trip, self.one_way(report, skipped))),
            Err(error) => return Ok((trip, fails_up(error))),
        }
        let mut after = trip.copy(self.options)?;
        let back = match back {
            Ok(back) => back,
            Err(error) => {
                let error = LegError::Prepare(Box::new(error));
                return Ok((after, TripOutcome::Failed { leg: Leg::Down, error }));
            }
        };
        let legs = [(Leg::Down, &back, Goal::UNDO_LAST), (Leg::UpAgain, step, self.conditions.goal)];
        for (leg, prepared, goal) in legs {
            let (returned, went) = self.go(trip, prepared, goal)?;
            trip = returned;
            if let Err(error) = went {
                return Ok((after, TripOutcome::Failed { leg, error: LegError::Run(error) }));
            }
            let expected = if leg == Leg::Down { &mut before } else { &mut after };
            let (expected, found) = (connection(expected.as_mut())?, connection(trip.as_mut())?);
            let differences = differences(expected, found, &self.leave_out)?;
            if !differences.is_empty() {
                return Ok((after, TripOutcome::Differs { leg, differences }));
            }
        }
        Ok((after, TripOutcome::Passed))
    }

    /// Tells whether its beginning is in the database already, so that down would bring back what nobody has seen.
    fn is_in_progress(&self, session: &mut dyn Session, step: &Prepared) -> Result<bool, TrialError> {
        let Step { chain, migration, .. } = &step.steps[0].step;
        let applied = self.conditions.history.read_all(session).map_err(TrialError::History)?;
        let is_this = |row: &Applied| row.ended_at.is_none() && row.chain == *chain && row.key() == migration.key();
        Ok(applied
            .iter()
            .any(|row| is_this(row) && matches!(row.state, AppliedState::InProgress | AppliedState::Started)))
    }

    fn one_way(&self, report: StepReport, skipped: &mut Vec<StepReport>) -> TripOutcome {
        match report.outcome {
            StepOutcome::Skipped => self.left_out(report, skipped),
            StepOutcome::MarkedApplied => TripOutcome::LeftOut { reason: report.reason.unwrap_or_default() },
            StepOutcome::Done | StepOutcome::DoneElsewhere | StepOutcome::Tried | StepOutcome::NotTried => {
                TripOutcome::NotReversible
            }
        }
    }

    /// Prepares the way back; `None` where there is none.
    fn way_back(&self, step: &Prepared) -> Result<Option<Prepared>, PrepareError> {
        if step.steps[0].step.migration.reversibility() == Reversibility::Irreversible {
            return Ok(None);
        }
        let back = Step { direction: Direction::Down, ..step.steps[0].step.clone() };
        let plan = Plan { goal: Goal::UNDO_LAST, steps: vec![back], hooks: Vec::new(), ..step.plan.clone() };
        match (self.prepare)(plan) {
            Ok(prepared) => Ok(Some(prepared)),
            Err(PrepareError::Irreversible { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs one step with a clock that stands still and the same random numbers each time.
    fn go(&self, session: Box<dyn Session>, step: &Prepared, goal: Goal) -> Result<Ran, TrialError> {
        let mut session = session;
        let started_at = u64::try_from(self.conditions.started_at.as_millisecond()).unwrap_or(0);
        let seed = step.steps[0].step.migration.checksum().seed();
        let ambient = Ambient { started_at, seed, granted: FunctionGrant::ALL.to_vec() };
        let conditions = Conditions { goal, ambient: Some(&ambient), ..*self.conditions };
        session.set_ambient(Some(ambient.clone()))?;
        let (session, result) = run(session, step, &conditions);
        match result {
            Err(error) if error.source.is_interruption() => Err(TrialError::Run(error)),
            Err(error) => Ok((session, Err(error))),
            Ok(mut report) => {
                let report = report.steps.pop().expect("one step was run");
                Ok((session, Ok(report)))
            }
        }
    }
}

fn fails_up(error: Box<RunError>) -> TripOutcome {
    TripOutcome::Failed { leg: Leg::Up, error: LegError::Run(error) }
}
