//! Runs a prepared plan step by step.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::event::{Event, Observer};
use super::hooks;
use super::preconditions::waits;
use super::prepare::{Prepared, PreparedStep};
use super::report::{Report, RunError, StepError, StepReport};
use super::step::run_step;
use super::throttle::Throttle;
use super::watermark::Watermark;
use crate::db::{Ambient, Session};
use crate::history::History;
use crate::interrupt::Interrupt;
use crate::lock::Here;
use crate::model::{AppliedState, Chains};
use crate::plan::{Goal, PlanError, PlanProblem, Rules};

/// What all steps of a run share.
pub struct Conditions<'a> {
    /// The chains the plan was made from.
    pub chains: &'a Chains,
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
    /// This process, for others that wait for it.
    pub here: &'a Here,
    /// The database is a copy that nobody else knows, and the plan may be a part of a larger one: no step has to wait for its
    /// turn.
    pub on_a_copy: bool,
    /// Everything will be rolled back.
    pub dry_run: bool,
    /// All steps share one transaction.
    pub one_transaction: bool,
    /// How fast a transform in chunks may go.
    pub throttle: Option<Throttle>,
    /// Instances of a transform at work at the same time, whatever its manifest says.
    pub jobs: Option<NonZeroUsize>,
    /// Most rows of each transform that a dry run tries.
    pub sample: Option<NonZeroU64>,
    /// The steps get no rows in the history, so that nothing of them can be taken up later.
    pub unrecorded: bool,
    /// Where the owner's own SQL takes time and chance from, in place of the machine.
    pub ambient: Option<&'a Ambient>,
}

impl fmt::Debug for Conditions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Conditions")
            .field("goal", &self.goal)
            .field("rules", &self.rules)
            .field("started_at", &self.started_at)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

impl Conditions<'_> {
    /// Tells whether nothing of the run will stay, so that its code is to leave alone what is outside the database: what is
    /// done there would stay.
    pub(super) fn is_for_nothing(&self) -> bool {
        self.dry_run || self.on_a_copy
    }

    /// Returns what the rows of this run have in common, and those of no other run.
    pub(super) fn run_id(&self) -> String {
        format!("{:.9}-{}", self.started_at, std::process::id())
    }
}

/// Runs the steps in order, each in its own transaction together with its history row, and the hooks around them.
pub fn run(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    hooks::between(session, prepared, conditions, |session| run_steps(session, prepared, conditions))
}

fn run_steps(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let began = Instant::now();
    let mut report = Report { warnings: prepared.plan.warnings.clone(), ..Report::default() };
    let mut watermark = Watermark::of(&prepared.steps);
    let mut session = session;
    let of = prepared.steps.len();
    for (index, step) in prepared.steps.iter().enumerate() {
        conditions.observer.event(&Event::StepStarted { step: &step.step, number: index + 1, of });
        let migration = &step.step.migration;
        let span = tracing::info_span!("step", version = %migration.version, name = %migration.name, direction = %step.step.direction);
        let _span = span.entered();
        tracing::debug!("step begins");
        watermark.has_chunks = false;
        let (returned, result) = if conditions.interrupt.is_raised() {
            (session, Err(StepError::NotBegun { waiting: false }))
        } else if let Err(error) = watermark.burst.before(session.as_mut(), step) {
            (session, Err(error))
        } else if let Some(left_out) = waits(step, &report.steps, conditions.chains) {
            (session, Ok(left_out))
        } else {
            run_once_free(session, step, conditions, &mut watermark)
        };
        session = returned;
        report.duration = began.elapsed();
        match result {
            Ok(done) => {
                tracing::debug!(outcome = ?done.outcome, took = ?done.duration, "step is over");
                watermark.committed(&step.step, &done);
                watermark.burst.after(session.as_mut(), &done);
                conditions.observer.event(&Event::StepFinished { report: &done });
                report.steps.push(done);
            }
            Err(source) => {
                tracing::debug!(error = ?source.to_string(), "step failed");
                watermark.burst.finish(session.as_mut());
                conditions.observer.event(&Event::StepFailed { step: &step.step });
                report.chunks_stay = watermark.has_chunks;
                let failed = step.step.clone();
                return (session, Err(Box::new(RunError { done: report, failed, source, on_error: Vec::new() })));
            }
        }
    }
    watermark.burst.finish(session.as_mut());
    (session, Ok(report))
}

/// Runs a step; when another process is in the middle of one outside a transaction, waits for it to end first, and
/// for those that begin meanwhile.
fn run_once_free(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
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

pub(super) fn is_dirty(error: &PlanError) -> bool {
    error.problems.iter().any(|problem| matches!(problem, PlanProblem::Dirty { .. }))
}

/// Waits for the lock and tells whether a step is marked as started even then: whoever started it is gone.
pub(super) fn is_left_dirty(session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<bool, StepError> {
    // Whoever is waited for may wait for the database.
    session.keep_to_itself(None).map_err(StepError::doing("share the database"))?;
    tracing::debug!("waits for a step outside a transaction");
    let lock = session.lock_run(None).map_err(StepError::waiting("wait for another process"))?;
    let applied = conditions.history.read_all(session)?;
    drop(lock);
    let is_active =
        |chain: &str| conditions.chains.index(chain).is_some_and(|index| conditions.chains.is_active(index));
    Ok(applied.iter().any(|row| row.state == AppliedState::Started && is_active(&row.chain)))
}
