//! Runs a prepared plan step by step.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::event::{Event, Observer};
use super::prepare::Prepared;
use super::report::{Report, RunError, StepError};
use super::step::run_step;
use super::throttle::Throttle;
use crate::db::Session;
use crate::history::History;
use crate::interrupt::Interrupt;
use crate::model::{AppliedState, Chain};
use crate::plan::{self, Direction, Goal, PlanError, PlanProblem, Rules, Step};

/// What all steps of a run share.
pub struct Conditions<'a> {
    /// The chain the plan was made from.
    pub chain: &'a Chain,
    /// The history table.
    pub history: &'a History,
    /// What the plan was to reach.
    pub goal: Goal,
    /// What the plan may let pass.
    pub rules: Rules,
    /// Stops the run.
    pub interrupt: &'a Interrupt,
    /// Hears events.
    pub observer: &'a Arc<dyn Observer>,
    /// Recorded start of the run.
    pub started_at: Timestamp,
    /// Everything will be rolled back.
    pub dry_run: bool,
    /// How fast a transform in chunks may go.
    pub throttle: Option<Throttle>,
    /// Most rows of each transform that a dry run tries.
    pub sample: Option<NonZeroU64>,
}

impl Conditions<'_> {
    /// Returns what the rows of this run have in common, and those of no other run.
    pub(super) fn run_id(&self) -> String {
        format!("{:.9}-{}", self.started_at, std::process::id())
    }
}

/// What is known of the history, so that it is read again only when another connection has changed the database.
#[derive(Debug, Default)]
pub(super) struct Watermark {
    data_version: Option<i64>,
    ensured: bool,
    done: std::collections::HashSet<crate::model::Version>,
}

impl Watermark {
    /// Tells, inside the lock, whether a step is still to be done; brings the history table up to date first.
    pub(super) fn still_needed(
        &mut self,
        session: &mut dyn Session,
        step: &Step,
        conditions: &Conditions<'_>,
    ) -> Result<bool, StepError> {
        let data_version = session.data_version().map_err(StepError::doing("look for changes"))?;
        if self.data_version != Some(data_version) {
            self.reread(session, conditions)?;
            self.data_version = Some(data_version);
        }
        if !self.ensured {
            conditions.history.ensure(session)?;
        }
        let applied = self.done.contains(&step.migration.version);
        Ok(applied == (step.direction == Direction::Down))
    }

    fn reread(&mut self, session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<(), StepError> {
        let applied = conditions.history.read(session, conditions.chain.name())?;
        plan::build(conditions.chain, &applied, &conditions.goal, &conditions.rules).map_err(StepError::Plan)?;
        let done = applied.iter().filter(|row| row.state != AppliedState::InProgress);
        self.done = done.map(|row| row.version).collect();
        self.ensured = false;
        Ok(())
    }

    /// Takes a step's commit into account.
    fn committed(&mut self, step: &Step) {
        self.ensured = true;
        match step.direction {
            Direction::Up => self.done.insert(step.migration.version),
            Direction::Down => self.done.remove(&step.migration.version),
        };
    }
}

/// Runs the steps in order, each in its own transaction together with its history row.
pub fn run(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let began = Instant::now();
    let mut report = Report { warnings: prepared.plan.warnings.clone(), ..Report::default() };
    let mut watermark = Watermark::default();
    let mut session = session;
    let of = prepared.steps.len();
    for (index, step) in prepared.steps.iter().enumerate() {
        conditions.observer.event(&Event::StepStarted { step: &step.step, number: index + 1, of });
        let migration = &step.step.migration;
        let span = tracing::info_span!("step", version = %migration.version, name = %migration.name, direction = %step.step.direction);
        let _span = span.entered();
        let (returned, result) = if conditions.interrupt.is_raised() {
            (session, Err(StepError::Interrupted))
        } else {
            run_once_free(session, step, conditions, &mut watermark)
        };
        session = returned;
        report.duration = began.elapsed();
        match result {
            Ok(done) => {
                watermark.committed(&step.step);
                conditions.observer.event(&Event::StepFinished { report: &done });
                report.steps.push(done);
            }
            Err(source) => {
                conditions.observer.event(&Event::StepFailed { step: &step.step });
                let (chain, failed) = (prepared.plan.chain.clone(), step.step.clone());
                return (session, Err(Box::new(RunError { done: report, chain, failed, source })));
            }
        }
    }
    (session, Ok(report))
}

/// Runs a step; when another process is in the middle of one outside a transaction, waits for it to end first, and
/// for those that begin meanwhile.
fn run_once_free(
    session: Box<dyn Session>,
    step: &super::prepare::PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<super::report::StepReport, StepError>) {
    let mut session = session;
    loop {
        let (returned, result) = run_step(session, step, conditions, watermark);
        session = returned;
        let error = match result {
            Err(StepError::Plan(error)) if is_dirty(&error) => error,
            result => return (session, result),
        };
        match is_left_dirty(session.as_mut(), conditions) {
            Ok(false) => {}
            Ok(true) => return (session, Err(StepError::Plan(error))),
            Err(error) => return (session, Err(error)),
        }
    }
}

fn is_dirty(error: &PlanError) -> bool {
    error.problems.iter().any(|problem| matches!(problem, PlanProblem::Dirty { .. }))
}

/// Waits for the lock and tells whether a step is marked as started even then: whoever started it is gone.
fn is_left_dirty(session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<bool, StepError> {
    let lock = session.lock_run().map_err(StepError::doing("wait for another process"))?;
    let applied = conditions.history.read(session, conditions.chain.name())?;
    drop(lock);
    Ok(applied.iter().any(|row| row.state == AppliedState::Started))
}
