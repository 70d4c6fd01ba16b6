//! Runs a prepared plan step by step.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::burst::Burst;
use super::event::{Event, Observer};
use super::hooks;
use super::preconditions::waits;
use super::prepare::{Prepared, PreparedStep};
use super::report::{Report, RunError, StepError, StepOutcome, StepReport};
use super::step::run_step;
use super::throttle::Throttle;
use crate::db::{Ambient, Session};
use crate::history::History;
use crate::history::foreign::Mirror;
use crate::interrupt::Interrupt;
use crate::lock::Here;
use crate::model::{AppliedState, Chains, Key, Role};
use crate::plan::{self, Direction, Goal, PlanError, PlanProblem, Rules, Step};

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
    burst: Burst,
    /// What is to be done now, in order: what a plan made anew begins with. After that, what this run has left out.
    ahead: VecDeque<Step>,
    left_out: Vec<Step>,
    /// Another process has changed what a plan in two directions stands on.
    overtaken: bool,
    /// What is in force: chain and migration. A repeatable one is only in it as it is in the chain now.
    done: HashSet<(Arc<str>, Key)>,
    /// Chains whose steps another tool's table is to have too.
    mirrors: HashMap<String, Mirror>,
    /// The chains of which the database had something when it was read, and what.
    begun: HashMap<Arc<str>, String>,
    /// Chunks of the step that runs are committed.
    pub(super) has_chunks: bool,
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
            self.burst.ensure(session, conditions.history)?;
        }
        let applied = self.done.contains(&of(step));
        let starts = step.direction == Direction::Up && step.migration.role() == Role::Baseline;
        if let Some(migration) = self.begun.get(&step.chain).filter(|_| starts && !applied) {
            // A baseline is for a database that has nothing of the chain, and another process has begun it meanwhile.
            let (migration, chain) = (migration.clone(), step.chain.to_string());
            return Err(StepError::Plan(PlanError { problems: vec![PlanProblem::AlreadyBegun { migration, chain }] }));
        }
        if applied != (step.direction == Direction::Down) {
            return Ok(false);
        }
        let next = self.ahead.front().filter(|next| !is_same(next, step));
        if self.overtaken || next.is_some() {
            let next = next.filter(|_| !matches!(conditions.goal, Goal::Redo(_))).map(Step::title);
            let migration = step.title();
            return Err(StepError::Plan(PlanError { problems: vec![PlanProblem::Overtaken { migration, next }] }));
        }
        Ok(true)
    }

    fn reread(&mut self, session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<(), StepError> {
        let (chains, goal, rules) = (conditions.chains, &conditions.goal, &conditions.rules);
        let applied = conditions.history.read_all(session)?;
        let is_half_way = matches!(goal, Goal::Redo(_)) && self.data_version.is_some();
        let before = is_half_way.then(|| self.done.clone());
        if is_half_way {
            plan::check_half_way(chains, &applied, goal, rules).map_err(StepError::Plan)?;
        } else if !conditions.on_a_copy {
            // What was left out is pending, and may be older than what was applied after it.
            let rules = &Rules { allow_out_of_order: rules.allow_out_of_order || !self.left_out.is_empty(), ..*rules };
            self.ahead = plan::steps(chains, &applied, goal, rules).map_err(StepError::Plan)?.into();
            self.ahead.retain(|step| !self.left_out.iter().any(|left_out| is_same(left_out, step)));
        }
        self.mirrors = match applied.iter().any(|row| row.origin.is_some()) {
            true => Mirror::all(conditions.history, session)?.into_iter().collect(),
            false => HashMap::new(),
        };
        self.done.clear();
        self.begun.clear();
        for row in applied.iter().filter(|row| row.is_live() && !row.is_in_progress()) {
            let Some(chain) = chains.get(&row.chain) else { continue };
            let outdated = row.repeatable
                && chain.repeatable(&row.name).is_some_and(|migration| plan::is_outdated(chain, migration, row));
            if row.state == AppliedState::Baseline {
                // Another process may have started from a baseline that has these in it.
                let inside = chain.migrations().iter().filter(|migration| migration.version <= row.version);
                let keys = inside.map(|migration| (Arc::clone(chain.shared_name()), migration.key()));
                self.done.extend(keys);
            }
            if !row.repeatable {
                self.begun.insert(Arc::clone(chain.shared_name()), row.title());
            }
            if !outdated {
                self.done.insert((Arc::clone(chain.shared_name()), row.key()));
            }
        }
        self.overtaken |= before.is_some_and(|before| before != self.done);
        self.ensured = false;
        Ok(())
    }

    /// Returns the other tool's table that is to have the steps of a chain too.
    pub(super) fn mirror(&self, chain: &str) -> Option<&Mirror> {
        self.mirrors.get(chain)
    }

    /// Takes a step's commit into account.
    pub(super) fn committed(&mut self, step: &Step, report: &StepReport) {
        if let Some(place) = self.ahead.iter().position(|next| is_same(next, step)) {
            self.ahead.remove(place);
        }
        if report.outcome == StepOutcome::Skipped {
            return self.left_out.push(step.clone());
        }
        self.ensured = true;
        match step.direction {
            Direction::Up => self.done.insert(of(step)),
            Direction::Down => self.done.remove(&of(step)),
        };
    }
}

fn of(step: &Step) -> (Arc<str>, Key) {
    (Arc::clone(&step.chain), step.migration.key())
}

fn is_same(one: &Step, other: &Step) -> bool {
    one.direction == other.direction && one.chain == other.chain && one.migration.key() == other.migration.key()
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
    let mut watermark = Watermark { burst: Burst::of(&prepared.steps), ..Watermark::default() };
    let mut session = session;
    let of = prepared.steps.len();
    for (index, step) in prepared.steps.iter().enumerate() {
        conditions.observer.event(&Event::StepStarted { step: &step.step, number: index + 1, of });
        let migration = &step.step.migration;
        let span = tracing::info_span!("step", version = %migration.version, name = %migration.name, direction = %step.step.direction);
        let _span = span.entered();
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
                watermark.committed(&step.step, &done);
                watermark.burst.after(session.as_mut(), &done);
                conditions.observer.event(&Event::StepFinished { report: &done });
                report.steps.push(done);
            }
            Err(source) => {
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
    let lock = session.lock_run(None).map_err(StepError::waiting("wait for another process"))?;
    let applied = conditions.history.read_all(session)?;
    drop(lock);
    let is_active =
        |chain: &str| conditions.chains.index(chain).is_some_and(|index| conditions.chains.is_active(index));
    Ok(applied.iter().any(|row| row.state == AppliedState::Started && is_active(&row.chain)))
}
