//! Runs one step: its transaction, its work, its history row.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::{Conditions, Watermark};
use super::work::{Work, work};
use crate::db::{Counters, Session};
use crate::history::NewRow;
use crate::model::{AppliedState, Directives, Role, TransactionMode};
use crate::plan::Direction;

/// Broken foreign keys that are named.
const VIOLATIONS: usize = 5;

/// Runs one step; when it fails, what it did is undone and the session stays usable.
pub(super) fn run_step(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    #[cfg(feature = "wasm")]
    if super::chunks::has_chunks(step) {
        return super::chunks::in_chunks(session, step, conditions, watermark);
    }
    let directives = step.step.script().map(|script| &script.directives);
    match directives {
        Some(Directives { transaction: TransactionMode::None, .. }) => {
            outside_transaction(session, step, conditions, watermark)
        }
        Some(Directives { rebuild: true, .. }) => rebuild(session, step, conditions, watermark),
        Some(_) | None => in_transaction(session, step, conditions, watermark),
    }
}

fn in_transaction(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    if let Err(error) = session.begin().map_err(StepError::doing("begin a transaction")) {
        return (session, Err(error));
    }
    let (mut session, result) = transacted(session, step, conditions, watermark);
    let result = result.and_then(|report| {
        if report.outcome == StepOutcome::Done {
            if rebuilds(step) {
                check_foreign_keys(session.as_mut())?;
            }
            session.commit().map_err(StepError::doing("commit"))?;
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
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    match watermark.still_needed(session.as_mut(), &step.step, conditions) {
        Ok(true) => {}
        Ok(false) => return (session, Ok(done_elsewhere(step))),
        Err(error) => return (session, Err(error)),
    }
    let timer = Timer::start(session.as_ref());
    let (mut session, worked) = work(session, step, conditions);
    let result = worked.and_then(|work| {
        if conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted);
        }
        if !session.in_transaction() {
            return Err(StepError::TransactionEnded);
        }
        session.close_handles();
        let report = timer.report(session.as_ref(), step, work, StepOutcome::Done);
        record(session.as_mut(), &report, &timer, conditions, AppliedState::Applied)?;
        Ok(report)
    });
    (session, result)
}

/// SQLite's way to change a table beyond ALTER TABLE: foreign keys off, rebuild, check, commit, on again.
/// <https://sqlite.org/lang_altertable.html#otheralter>
fn rebuild(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let enforced = match session.set_foreign_keys(false) {
        Ok(enforced) => enforced,
        Err(error) => return (session, Err(StepError::doing("suspend foreign keys")(error))),
    };
    let (mut session, result) = in_transaction(session, step, conditions, watermark);
    let restored = session.set_foreign_keys(enforced).map_err(StepError::doing("enforce foreign keys again"));
    (session, result.and_then(|report| restored.map(|_| report)))
}

/// Tells whether a step rebuilds tables with foreign keys suspended.
pub(super) fn rebuilds(step: &PreparedStep) -> bool {
    step.step.script().is_some_and(|script| script.directives.rebuild)
}

/// Refuses rows whose foreign keys point nowhere.
pub(super) fn check_foreign_keys(session: &mut dyn Session) -> Result<(), StepError> {
    let violations = session.foreign_key_violations(VIOLATIONS).map_err(StepError::doing("check foreign keys"))?;
    if violations.is_empty() { Ok(()) } else { Err(StepError::ForeignKeys { violations }) }
}

/// Recorded as started first, then run as written, then recorded as applied.
fn outside_transaction(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let lock = match session.lock_run() {
        Ok(lock) => lock,
        Err(error) => return (session, Err(StepError::doing("lock the run")(error))),
    };
    let announced = announce(session.as_mut(), step, conditions, watermark);
    if !matches!(announced, Ok(true)) {
        if let Err(error) = session.rollback() {
            tracing::warn!("rollback failed: {error}");
        }
        return (session, announced.map(|_| done_elsewhere(step)));
    }
    // Only now, so that neither waiting for the lock nor the host's own statements count.
    let timer = Timer::start(session.as_ref());
    let (mut session, worked) = work(session, step, conditions);
    let used = session.counters().since(timer.counters);
    let nothing_done = worked.is_err() && used.statements == 0 && used.rows_changed == 0;
    let result = worked.and_then(|work| {
        if session.in_transaction() {
            return Err(StepError::TransactionEnded);
        }
        let report = timer.report(session.as_ref(), step, work, StepOutcome::Done);
        session.begin().map_err(StepError::doing("begin a transaction"))?;
        if step.step.direction == Direction::Up {
            forget(session.as_mut(), step, conditions)?;
        }
        record(session.as_mut(), &report, &timer, conditions, AppliedState::Applied)?;
        session.commit().map_err(StepError::doing("commit"))?;
        Ok(report)
    });
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    if nothing_done {
        // Not even the first statement took effect, so everything is as it was, also after an interrupt.
        session.hold_interrupt(true);
        if let Err(error) = revoke(session.as_mut(), step, conditions) {
            tracing::warn!("the step stays marked as started: {error}");
        }
        session.hold_interrupt(false);
    }
    drop(lock);
    (session, result)
}

/// Commits a row that says the step has started; `false` when it is not needed any more.
fn announce(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> Result<bool, StepError> {
    session.begin().map_err(StepError::doing("begin a transaction"))?;
    if !watermark.still_needed(session, &step.step, conditions)? {
        return Ok(false);
    }
    match step.step.direction {
        Direction::Up => {
            let timer = Timer::start(session);
            let report = timer.report(session, step, Work::default(), StepOutcome::Done);
            write_row(session, &report, &timer, conditions, AppliedState::Started)?;
        }
        Direction::Down => mark(session, step, conditions, AppliedState::Started)?,
    }
    session.commit().map_err(StepError::doing("commit"))?;
    Ok(true)
}

/// Writes or takes away the step's history row, as its direction says.
pub(super) fn record(
    session: &mut dyn Session,
    report: &StepReport,
    timer: &Timer,
    conditions: &Conditions<'_>,
    state: AppliedState,
) -> Result<(), StepError> {
    match report.step.direction {
        Direction::Up => write_row(session, report, timer, conditions, state),
        Direction::Down => {
            let (chain, key) = (&report.step.chain, report.step.migration.key());
            let at = moment(Timestamp::now());
            Ok(conditions.history.end(session, chain, &key, AppliedState::Reverted, &at)?)
        }
    }
}

/// Takes back that a step has started.
fn revoke(session: &mut dyn Session, step: &PreparedStep, conditions: &Conditions<'_>) -> Result<(), StepError> {
    match step.step.direction {
        Direction::Up => forget(session, step, conditions),
        Direction::Down => mark(session, step, conditions, AppliedState::Applied),
    }
}

fn mark(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    state: AppliedState,
) -> Result<(), StepError> {
    let key = step.step.migration.key();
    Ok(conditions.history.mark(session, &step.step.chain, &key, state)?)
}

fn forget(session: &mut dyn Session, step: &PreparedStep, conditions: &Conditions<'_>) -> Result<(), StepError> {
    Ok(conditions.history.delete(session, &step.step.chain, &step.step.migration.key())?)
}

pub(super) fn write_row(
    session: &mut dyn Session,
    report: &StepReport,
    timer: &Timer,
    conditions: &Conditions<'_>,
    state: AppliedState,
) -> Result<(), StepError> {
    let (chain, migration) = (&report.step.chain, &report.step.migration);
    let state = match (migration.role(), state) {
        (Role::Baseline, AppliedState::Applied) => AppliedState::Baseline,
        (_, state) => state,
    };
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
    };
    Ok(conditions.history.insert(session, &row)?)
}

/// Writes a moment as the history has it: UTC, RFC 3339, to the millisecond.
fn moment(at: Timestamp) -> String {
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
        estimate: None,
        recording: None,
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
            counters: session.counters().since(self.counters),
            fuel: work.fuel,
            #[cfg(feature = "wasm")]
            engine: step.engine.as_ref().map(ToString::to_string),
            #[cfg(not(feature = "wasm"))]
            engine: None,
            rows: work.rows,
            estimate: None,
            recording: None,
        }
    }
}
