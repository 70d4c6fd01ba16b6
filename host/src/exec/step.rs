//! Runs one step: its transaction, its work, its history row.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::foreign_keys::{Known, commit, may_orphan};
use super::hold::Hold;
use super::holder::note;
use super::hooks::{around, of_step};
use super::preconditions::instead;
use super::prepare::PreparedStep;
use super::rebuild::Shape;
use super::references::References;
use super::renames::Renames;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::Conditions;
use super::scope::Scope;
use super::watermark::Watermark;
use super::work::{Work, work};
use crate::db::{Counters, Session};
use crate::history::NewRow;
use crate::history::foreign::Done;
use crate::model::{AppliedState, Body, Directives, Migration, Moment, Role, TransactionMode};
use crate::plan::{Direction, Step, Warning};

/// Runs one step; when it fails, what it did is undone and the session stays usable.
pub(super) fn run_step(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let mut session = session;
    let scope = match Scope::of_step(session.as_mut(), step) {
        Ok(scope) => scope,
        Err(error) => return (session, Err(error)),
    };
    let (mut session, result) = run_in(&scope, session, step, conditions, watermark);
    scope.end(session.as_mut());
    (session, result)
}

fn run_in(
    scope: &Scope,
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    #[cfg(feature = "wasm")]
    if super::chunks::has_chunks(step) {
        return around(session, step, conditions, |session| {
            super::chunks::in_chunks(session, step, conditions, watermark)
        });
    }
    let directives = step.step.script().map(|script| &script.directives);
    match directives {
        _ if rebuilds(step) => without_keys(scope, session, step, conditions, watermark),
        Some(Directives { transaction: TransactionMode::None, .. }) => around(session, step, conditions, |session| {
            super::outside::outside_transaction(session, step, conditions, watermark, scope)
        }),
        Some(_) if suspends(session.as_ref(), step) => without_keys(scope, session, step, conditions, watermark),
        Some(_) | None => in_transaction(scope, session, step, conditions, watermark),
    }
}

fn in_transaction(
    scope: &Scope,
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    if let Err(error) = session.begin().map_err(StepError::beginning) {
        return (session, Err(error));
    }
    tracing::debug!("transaction begun");
    note(session.as_mut(), step, conditions);
    let (mut session, result) = transacted(scope, session, step, conditions, watermark);
    let result = result.and_then(|report| {
        if matches!(report.outcome, StepOutcome::Done | StepOutcome::MarkedApplied) {
            commit(session.as_mut())?;
            tracing::debug!("committed");
        }
        Ok(report)
    });
    // After a commit there is nothing left to roll back. When the rollback fails too, the first error is the one
    // to tell: closing the connection undoes the transaction all the same.
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    (session, result)
}

fn transacted(
    scope: &Scope,
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    match without_work(session.as_mut(), step, conditions, watermark) {
        Ok(None) => do_and_record(scope, session, step, conditions, watermark, false),
        Ok(Some(report)) => (session, Ok(report)),
        Err(error) => (session, Err(error)),
    }
}

/// Returns what became of a step that is not to be done, inside the transaction that is open: another process has done it, or
/// a precondition does not hold.
pub(super) fn without_work(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> Result<Option<StepReport>, StepError> {
    if !watermark.still_needed(session, &step.step, conditions)? {
        return Ok(Some(done_elsewhere(step)));
    }
    instead(session, step, conditions)
}

/// Does the work of a step between its hooks and records it, inside the transaction that is open. Foreign keys may be
/// `suspended` in it although the step is no rebuild.
pub(super) fn do_and_record(
    scope: &Scope,
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
    suspended: bool,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let intact = match Intact::look(session.as_mut(), step, suspended) {
        Ok(intact) => intact,
        Err(error) => return (session, Err(error)),
    };
    let (session, before) = of_step(session, Moment::BeforeEach, step, conditions);
    if let Err(error) = before {
        return (session, Err(error));
    }
    let timer = Timer::start(session.as_ref());
    let (mut session, worked) = work(session, step, conditions);
    let done = worked.and_then(|work| {
        if conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted);
        }
        if !session.in_transaction() {
            return Err(StepError::TransactionEnded);
        }
        session.close_handles();
        Ok(timer.report(session.as_ref(), step, work, StepOutcome::Done))
    });
    let mut report = match done {
        Ok(report) => report,
        Err(error) => return (session, Err(error)),
    };
    let (mut session, after) = of_step(session, Moment::AfterEach, step, conditions);
    let result = after.and_then(|()| {
        report.warnings.extend(intact.check(session.as_mut(), step)?);
        // A temporary table may have the name of the history.
        scope.put_back(session.as_mut())?;
        session.check_fit().map_err(StepError::doing("go on with this connection"))?;
        record(session.as_mut(), &report, &timer, conditions, Some(watermark))?;
        Ok(report)
    });
    (session, result)
}

/// SQLite's way to change a table beyond ALTER TABLE: foreign keys off, rebuild, check, commit, on again. Tools that have
/// them off do the same without the check.
/// <https://sqlite.org/lang_altertable.html#otheralter>
fn without_keys(
    scope: &Scope,
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let enforced = match session.set_foreign_keys(false) {
        Ok(enforced) => enforced,
        Err(error) => return (session, Err(StepError::doing("suspend foreign keys")(error))),
    };
    let (mut session, result) = in_transaction(scope, session, step, conditions, watermark);
    let restored = session.set_foreign_keys(enforced).map_err(StepError::doing("enforce foreign keys again"));
    (session, result.and_then(|report| restored.map(|_| report)))
}

/// Tells whether a step rebuilds tables with foreign keys suspended.
pub(super) fn rebuilds(step: &PreparedStep) -> bool {
    match &step.step.migration.body {
        Body::Rust(code) => code.is_rebuild(),
        Body::Sql { .. } | Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } => {
            step.step.script().is_some_and(|script| script.directives.rebuild)
        }
    }
}

/// Tells whether a step runs a script as the tool does whose layout it has, with foreign keys off. One that is held to grants
/// never does.
pub(super) fn has_keys_off(session: &dyn Session, step: &PreparedStep) -> bool {
    step.hold == Hold::Free
        && session.keys_follow_layout()
        && step.step.script().is_some_and(|script| script.directives.keys_off && !script.directives.rebuild)
}

/// Tells whether foreign keys are off while a step runs.
pub(super) fn suspends(session: &dyn Session, step: &PreparedStep) -> bool {
    rebuilds(step) || has_keys_off(session, step)
}

/// What a step may break that SQLite does not look after while foreign keys are off.
pub(super) struct Intact {
    /// They are off for this step, and not for another beside it.
    is_alone: bool,
    orphans: Option<Known>,
    shape: Option<Shape>,
    references: Option<References>,
}

impl Intact {
    /// Looks at what there is before a step.
    pub(super) fn look(session: &mut dyn Session, step: &PreparedStep, suspended: bool) -> Result<Self, StepError> {
        let is_alone = has_keys_off(session, step);
        let script = step.step.script().filter(|_| is_alone);
        let may_break = script.map_or(suspended, |script| may_orphan(script.runs())) || rebuilds(step);
        let orphans = may_break.then(|| Known::look(session)).transpose()?;
        let shape = rebuilds(step).then(|| Shape::look(session)).transpose()?;
        let references = rebuilds(step).then(|| References::look(session)).transpose()?;
        Ok(Self { is_alone, orphans, shape, references })
    }

    /// Refuses what the step has broken; warns of what it took along.
    pub(super) fn check(&self, session: &mut dyn Session, step: &PreparedStep) -> Result<Option<Warning>, StepError> {
        // Of such a key nothing can be told by its rows.
        self.references.as_ref().map_or(Ok(()), |references| references.check(session, step))?;
        if self.orphans.is_none() && self.shape.is_none() {
            return Ok(None);
        }
        // Only now, since the whole script is read for it.
        let renames = Renames::of([step]);
        let violations = self.orphans.as_ref().map_or(Ok(Vec::new()), |known| known.since(session, &renames))?;
        let Some(shape) = &self.shape else {
            return match (violations.is_empty(), self.is_alone) {
                (true, _) => Ok(None),
                (false, true) => Err(StepError::Orphaned { violations }),
                (false, false) => Err(StepError::Unenforced { violations }),
            };
        };
        // A reference to nothing makes rows without parents, and says more than they do.
        shape.check(session, &renames)?;
        match violations.is_empty() {
            true => shape.vanished(session, step),
            false => Err(StepError::ForeignKeys { violations }),
        }
    }
}

/// Writes or takes away the step's history row, as its direction says; where the watermark knows of another tool's table,
/// that tool's too.
pub(super) fn record(
    session: &mut dyn Session,
    report: &StepReport,
    timer: &Timer,
    conditions: &Conditions<'_>,
    watermark: Option<&Watermark>,
) -> Result<(), StepError> {
    let Step { direction, chain, migration, .. } = &report.step;
    match direction {
        Direction::Up => write_row(session, report, timer, conditions, AppliedState::Applied)?,
        Direction::Down => {
            let at = moment(Timestamp::now());
            conditions.history.end(session, chain, &migration.key(), AppliedState::Reverted, &at)?;
            // Should the run stop before it comes to them, they are pending, and `up` brings back what they had made.
            for (chain, key) in watermark.map(Watermark::again).unwrap_or_default() {
                conditions.history.end(session, chain, key, AppliedState::Reverted, &at)?;
            }
        }
    }
    let mirror = watermark.and_then(|watermark| watermark.mirror(chain)).zip(conditions.chains.get(chain));
    let Some((mirror, own)) = mirror else { return Ok(()) };
    let (at, duration) = (moment(timer.began), report.duration);
    let done = Done { chain: own, migration, at: &at, duration };
    let written = match direction {
        Direction::Up => mirror.applied(session, &done),
        Direction::Down => mirror.reverted(session, &done),
    };
    written.map_err(StepError::doing("write the history of the other tool"))
}

pub(super) fn write_row(
    session: &mut dyn Session,
    report: &StepReport,
    timer: &Timer,
    conditions: &Conditions<'_>,
    state: AppliedState,
) -> Result<(), StepError> {
    let (chain, migration) = (&report.step.chain, &report.step.migration);
    let state = if state == AppliedState::Applied { at_its_end(migration) } else { state };
    if migration.role() == Role::Repeatable {
        let at = moment(timer.began);
        conditions.history.end(session, chain, &migration.key(), AppliedState::Replaced, &at)?;
    }
    let own = conditions.chains.get(chain);
    let libraries = own.map(|chain| chain.library_checksums(migration)).unwrap_or_default();
    let row = NewRow {
        chain,
        migration,
        state,
        applied_at: &moment(timer.began),
        duration: report.duration,
        rows_changed: report.counters.rows_changed,
        statements: report.counters.statements,
        operations: report.counters.operations,
        fuel: report.fuel,
        engine: report.engine.as_deref(),
        run_id: Some(&conditions.run_id()),
        functions: &libraries,
        not_run: report.reason.as_deref(),
    };
    Ok(conditions.history.insert(session, &row)?)
}

/// Returns the state of a migration that has come to its end.
pub(super) fn at_its_end(migration: &Migration) -> AppliedState {
    match migration.role() {
        Role::Baseline => AppliedState::Baseline,
        Role::Versioned | Role::Repeatable => AppliedState::Applied,
    }
}

/// Writes a moment as the history has it: UTC, RFC 3339, to the millisecond.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(super) fn done_elsewhere(step: &PreparedStep) -> StepReport {
    StepReport {
        step: step.step.clone(),
        outcome: StepOutcome::DoneElsewhere,
        duration: Duration::ZERO,
        counters: Counters::default(),
        fuel: None,
        engine: None,
        rows: None,
        rejects: Vec::new(),
        estimate: None,
        recording: None,
        reason: None,
        warnings: Vec::new(),
    }
}

/// When a step began, and what the session had done until then.
pub(super) struct Timer {
    began: Timestamp,
    instant: Instant,
    counters: Counters,
}

impl Timer {
    pub(super) fn start(session: &dyn Session) -> Self {
        Self { began: Timestamp::now(), instant: Instant::now(), counters: session.counters() }
    }

    /// Returns what the session has done since.
    pub(super) fn used(&self, session: &dyn Session) -> Counters {
        session.counters().since(self.counters)
    }

    pub(super) fn report(
        &self,
        session: &dyn Session,
        step: &PreparedStep,
        work: Work,
        outcome: StepOutcome,
    ) -> StepReport {
        StepReport {
            step: step.step.clone(),
            outcome,
            duration: self.instant.elapsed(),
            counters: self.used(session),
            fuel: work.fuel,
            #[cfg(feature = "wasm")]
            engine: step.engine.as_ref().map(ToString::to_string),
            #[cfg(not(feature = "wasm"))]
            engine: None,
            rows: work.rows,
            rejects: work.rejects,
            estimate: None,
            recording: None,
            reason: None,
            warnings: work.warnings,
        }
    }
}
