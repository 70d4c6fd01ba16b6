//! Runs a prepared plan for real, records what it does, and rolls everything back.

use std::time::Instant;

use super::event::Event;
use super::foreign_keys::{Known, before_a_commit};
use super::hold::Hold;
use super::hooks::{self, of_step};
use super::losses::{count, gone, inventory};
use super::preconditions::{instead, waits};
use super::prepare::{Prepared, PreparedStep};
use super::renames::Renames;
use super::report::{Estimate, Report, RunError, StepError, StepOutcome, StepReport};
use super::run::{Conditions, is_dirty, is_left_dirty};
use super::scope::Scope;
use super::script::recorded_as_written;
use super::step::{Intact, Timer, done_elsewhere, record, suspends};
use super::watermark::Watermark;
use super::work::work;
use crate::db::Session;
use crate::model::{Moment, TransactionMode};
use crate::plan::Step;

/// Runs all steps in one transaction that is rolled back. Steps that ask for no transaction are left out.
pub(crate) fn dry_run(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let mut session = session;
    let scope = match Scope::of_run(session.as_mut(), prepared) {
        Ok(scope) => scope,
        Err(source) => {
            let done = Report { dry_run: true, ..Report::default() };
            let error = hooks::stopped(prepared, done, source);
            return (session, Err(error));
        }
    };
    let (session, result) = in_its_turn(session, prepared, conditions);
    let (mut session, result) = hooks::on_error(session, prepared, conditions, result);
    scope.end(session.as_mut());
    (session, result)
}

/// Tries them when no other process is in the middle of a step outside a transaction.
fn in_its_turn(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let mut session = session;
    loop {
        let (returned, result) = tried(session, prepared, conditions);
        session = returned;
        let stopped = match result {
            Err(stopped) if matches!(&stopped.source, StepError::Plan(error) if is_dirty(error)) => stopped,
            result => return (session, result),
        };
        match is_left_dirty(session.as_mut(), conditions) {
            Ok(false) => {}
            Ok(true) => return (session, Err(stopped)),
            Err(source) => return (session, Err(Box::new(RunError { source, ..*stopped }))),
        }
    }
}

fn tried(
    mut session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let began = Instant::now();
    let mut report = Report { dry_run: true, warnings: prepared.plan.warnings.clone(), ..Report::default() };
    let Some(first) = prepared.first_step() else { return (session, Ok(report)) };
    let refuse = |done, source| Err(Box::new(RunError { done, failed: first.clone(), source, on_error: Vec::new() }));
    // Foreign keys can only be suspended outside a transaction, so one step suspends them for all.
    let suspends = prepared.steps.iter().any(|step| suspends(session.as_ref(), step));
    let enforced = match suspends.then(|| session.set_foreign_keys(false)).transpose() {
        Ok(enforced) => enforced.unwrap_or_default(),
        Err(error) => return (session, refuse(report, StepError::doing("suspend foreign keys")(error))),
    };
    let own = conditions.history.tables();
    let before = match open(session.as_mut(), conditions).and_then(|()| inventory(session.as_mut(), &own)) {
        Ok(before) => before,
        Err(source) => {
            // The first error is the one to tell.
            if let Err(error) = close(session.as_mut(), enforced) {
                tracing::warn!("{error}");
            }
            return (session, refuse(report, source));
        }
    };
    let (mut session, failure) = try_all(session, prepared, conditions, enforced, &mut report);
    report.duration = began.elapsed();
    let after = inventory(session.as_mut(), &own);
    let closed = close(session.as_mut(), enforced).and_then(|()| {
        report.losses = gone(&before, &after?);
        count(session.as_mut(), &mut report.losses)
    });
    let result = match (failure, closed) {
        (Some((Some(failed), source)), _) => {
            Err(Box::new(RunError { done: report, failed, source, on_error: Vec::new() }))
        }
        (Some((None, source)), _) => Err(hooks::stopped(prepared, report, source)),
        (None, Err(source)) => refuse(report, source),
        (None, Ok(())) => Ok(report),
    };
    (session, result)
}

/// The step that failed, or none for a hook before or after them all, and why.
type Failed = (Option<Step>, StepError);

fn try_all(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
    suspended: bool,
    report: &mut Report,
) -> (Box<dyn Session>, Option<Failed>) {
    let (mut session, before) = hooks::of_run(session, Moment::BeforeAll, prepared, conditions);
    if let Err(error) = before {
        return (session, Some((None, error)));
    }
    let at_the_end = match before_all(session.as_mut(), prepared, conditions) {
        Ok(known) => known,
        Err(error) => return (session, Some((None, error))),
    };
    // Why the next step cannot be tried.
    let mut partly = None;
    let mut left_out = false;
    // Another process may have done some of it before the transaction began.
    let mut watermark = Watermark::default();
    let of = prepared.steps.len();
    for (index, step) in prepared.steps.iter().enumerate() {
        conditions.observer.event(&Event::StepStarted { step: &step.step, number: index + 1, of });
        let (returned, result) = if let Some(left_out) = waits(step, &report.steps, conditions.chains) {
            (session, Ok(left_out))
        } else if let Some(reason) = partly {
            (session, Ok(not_tried(step, reason)))
        } else {
            try_step(session, step, conditions, &mut watermark, suspended)
        };
        session = returned;
        let result = match result {
            // Step by step it would run with foreign keys enforced, and may do something else. In one transaction the run
            // suspends them, too.
            Err(StepError::Unenforced { .. }) if !conditions.one_transaction => {
                partly = Some(AFTER_ANOTHER);
                Ok(not_tried(step, "it needs the foreign keys that are off for another step"))
            }
            Err(error) if left_out && may_lack(&error) => {
                partly = Some(AFTER_ANOTHER);
                Ok(not_tried(step, &format!("it may need what was not tried: {}", root(&error))))
            }
            result => result,
        };
        match result {
            Ok(tried) => {
                left_out |= tried.outcome == StepOutcome::NotTried;
                watermark.committed(&step.step, &tried);
                if tried.estimate.is_some() {
                    partly = Some("it comes after a sample");
                }
                conditions.observer.event(&Event::StepFinished { report: &tried });
                report.steps.push(tried);
            }
            Err(source) => {
                conditions.observer.event(&Event::StepFailed { step: &step.step });
                return (session, Some((Some(step.step.clone()), source)));
            }
        }
    }
    // Where steps were left out, what comes after them would not find what it needs.
    if report.steps.iter().any(|step| step.outcome == StepOutcome::NotTried) {
        return (session, None);
    }
    let (mut session, after) = hooks::of_run(session, Moment::AfterAll, prepared, conditions);
    let after = after.map_err(|error| (None, error));
    let ended = after.and_then(|()| {
        let renames = || Renames::of(&prepared.steps);
        let ended = at_the_end.map_or(Ok(()), |known| known.check_end(session.as_mut(), &renames()));
        ended.map_err(|error| (prepared.steps.last().map(|step| step.step.clone()), error))
    });
    (session, ended.err())
}

/// Finds the rows without parents before a run in one transaction, where its commit may be refused for such rows.
fn before_all(
    session: &mut dyn Session,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> Result<Option<Known>, StepError> {
    for step in prepared.steps.iter().filter(|_| conditions.one_transaction) {
        if let Some(known) = before_a_commit(session, step)? {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

fn open(session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<(), StepError> {
    session.begin().map_err(StepError::beginning)?;
    Ok(conditions.history.ensure(session)?)
}

/// Undoes everything; foreign keys are enforced again if they were, whatever becomes of the rest.
fn close(session: &mut dyn Session, enforced: bool) -> Result<(), StepError> {
    let undone = session.rollback().map_err(StepError::doing("roll back"));
    session.hold_interrupt(true);
    let restored = if enforced { session.set_foreign_keys(true).map(drop) } else { Ok(()) };
    session.hold_interrupt(false);
    undone.and(restored.map_err(StepError::doing("enforce foreign keys again")))
}

const AFTER_ANOTHER: &str = "it comes after one that was not tried";

/// Leaves out a step that would not find what it needs.
fn not_tried(step: &PreparedStep, reason: &str) -> StepReport {
    StepReport { outcome: StepOutcome::NotTried, reason: Some(reason.to_owned()), ..done_elsewhere(step) }
}

/// Tells whether a step may have failed since an earlier one was left out.
fn may_lack(error: &StepError) -> bool {
    match error {
        StepError::Statement { .. }
        | StepError::Unverified { .. }
        | StepError::Rust { .. }
        | StepError::ForeignKeys { .. }
        | StepError::Orphaned { .. }
        | StepError::Schema { .. }
        | StepError::Mismatch { .. }
        | StepError::Deferred { .. } => true,
        #[cfg(feature = "wasm")]
        StepError::Guest(error) => !matches!(**error, crate::wasm::PluginError::Interrupted),
        #[cfg(feature = "wasm")]
        StepError::Verify { .. } | StepError::Transform(_) => true,
        _ => false,
    }
}

/// Returns what is at the bottom of an error.
fn root(error: &StepError) -> String {
    if let StepError::Statement { failed, .. } = error {
        return failed.error.to_string();
    }
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn try_step(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
    suspended: bool,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    match watermark.still_needed(session.as_mut(), &step.step, conditions) {
        Ok(true) => {}
        Ok(false) => {
            let reason = Some("another process has done it meanwhile".to_owned());
            return (session, Ok(StepReport { reason, ..done_elsewhere(step) }));
        }
        Err(error) => return (session, Err(error)),
    }
    match instead(session.as_mut(), step, conditions) {
        Ok(None) => {}
        Ok(Some(report)) => return (session, Ok(report)),
        Err(error) => return (session, Err(error)),
    }
    let outside = step.step.script().is_some_and(|script| script.directives.transaction == TransactionMode::None);
    if outside {
        return (session, Ok(not_tried(step, "it cannot be undone outside a transaction")));
    }
    let intact = Intact::look(session.as_mut(), step, suspended).and_then(|intact| {
        // In one transaction only its end counts.
        let at_its_end = if conditions.one_transaction { None } else { before_a_commit(session.as_mut(), step)? };
        Ok((intact, at_its_end))
    });
    let (intact, at_its_end) = match intact {
        Ok(intact) => intact,
        Err(error) => return (session, Err(error)),
    };
    let scope = match Scope::of_step(session.as_mut(), step) {
        Ok(scope) => scope,
        Err(error) => return (session, Err(error)),
    };
    let (mut session, before) = of_step(session, Moment::BeforeEach, step, conditions);
    if let Err(error) = before {
        return (session, Err(error));
    }
    let timer = Timer::start(session.as_ref());
    session.start_recording();
    let (mut session, worked) = work(session, step, conditions);
    session.close_handles();
    let mut recording = recorded_as_written(step.step.script(), session.take_recording());
    if step.hold == Hold::Free {
        // Of what is held to nothing only its verify script was seen, which may not change anything: no manifest at all.
        recording.observed = None;
    }
    let done = worked.and_then(|work| {
        if conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted);
        }
        if !session.in_transaction() {
            return Err(StepError::TransactionEnded);
        }
        let (tried, of) = (work.rows.map_or(0, |rows| rows.rows), work.of);
        let mut report = timer.report(session.as_ref(), step, work, StepOutcome::Tried);
        report.estimate = of.map(|total| Estimate::new(tried, total, report.duration));
        report.recording = Some(recording);
        Ok(report)
    });
    let mut report = match done {
        Ok(report) => report,
        Err(error) => return (session, Err(error)),
    };
    let (mut session, after) = of_step(session, Moment::AfterEach, step, conditions);
    let result = after.and_then(|()| {
        report.warnings.extend(intact.check(session.as_mut(), step)?);
        scope.put_back(session.as_mut())?;
        session.check_fit().map_err(StepError::doing("go on with this connection"))?;
        record(session.as_mut(), &report, &timer, conditions, None)?;
        at_its_end.map_or(Ok(()), |known| known.check_end(session.as_mut(), &Renames::of([step])))?;
        Ok(report)
    });
    (session, result)
}
