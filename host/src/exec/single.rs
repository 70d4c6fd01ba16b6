//! Runs a prepared plan in one transaction: everything it does stays, or nothing.

use std::time::Instant;

use super::event::Event;
use super::foreign_keys::commit;
use super::holder::note;
use super::hooks;
use super::preconditions::waits;
use super::prepare::{PrepareError, Prepared, PreparedStep};
use super::report::{Report, RunError, StepError, StepReport};
use super::run::{Conditions, is_dirty, is_left_dirty};
use super::scope::Scope;
use super::step::{do_and_record, suspends, without_work};
use super::watermark::Watermark;
use crate::db::Session;
use crate::model::{Moment, TransactionMode};

/// Refuses steps that commit on their own.
pub(crate) fn check_single(prepared: &Prepared) -> Result<(), PrepareError> {
    for step in &prepared.steps {
        let script = step.step.script();
        let outside = script.is_some_and(|script| script.directives.transaction == TransactionMode::None);
        #[cfg(feature = "wasm")]
        let chunks = super::chunks::has_chunks(step);
        #[cfg(not(feature = "wasm"))]
        let chunks = false;
        let why = match (outside, chunks) {
            (true, _) => "runs outside a transaction",
            (_, true) => "commits chunk by chunk",
            (false, false) => continue,
        };
        let migration = &step.step.migration;
        let (migration, file) = (migration.title(), migration.file.clone());
        return Err(PrepareError::NotInOneTransaction { migration, file, why });
    }
    Ok(())
}

/// Runs all steps in one transaction; when one fails, nothing of any of them stays.
pub(crate) fn run_single(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let mut session = session;
    let scope = match Scope::of_run(session.as_mut(), prepared) {
        Ok(scope) => scope,
        Err(source) => {
            let error = hooks::stopped(prepared, Report::default(), source);
            return (session, Err(error));
        }
    };
    let (mut session, result) = in_its_turn(session, prepared, conditions);
    scope.end(session.as_mut());
    (session, result)
}

/// Runs them when no other process is in the middle of a step.
fn in_its_turn(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let mut session = session;
    loop {
        let (returned, result) = once(session, prepared, conditions);
        session = returned;
        let (at, source) = match result {
            Ok(report) => return (session, Ok(report)),
            Err(failed) => failed,
        };
        // Another process is in the middle of a step outside a transaction: wait for it, and look again.
        let again = match &source {
            StepError::Plan(error) if is_dirty(error) => is_left_dirty(session.as_mut(), conditions).map(|left| !left),
            _ => Ok(false),
        };
        let source = match again {
            Ok(true) => continue,
            Ok(false) => source,
            Err(error) => error,
        };
        let done = Report { warnings: prepared.plan.warnings.clone(), undone: at, ..Report::default() };
        let error = match prepared.steps.get(at) {
            Some(step) if !is_of_run(&source) => {
                let failed = step.step.clone();
                conditions.observer.event(&Event::StepFailed { step: &failed });
                Box::new(RunError { done, failed, source, on_error: Vec::new() })
            }
            _ => hooks::stopped(prepared, done, source),
        };
        return hooks::on_error(session, prepared, conditions, Err(error));
    }
}

/// Tells whether a hook before the first step or after the last one failed.
fn is_of_run(error: &StepError) -> bool {
    matches!(error, StepError::Hook { hook, .. } if !hook.moment.is_each())
}

/// The step that failed, and why.
type Failed = (usize, StepError);

fn once(
    mut session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Report, Failed>) {
    let began = Instant::now();
    // Foreign keys can only be suspended outside a transaction, so one step suspends them for all.
    let suspends = prepared.steps.iter().any(|step| suspends(session.as_ref(), step));
    let enforced = match suspended(session.as_mut(), suspends) {
        Ok(enforced) => enforced,
        Err(error) => return (session, Err((0, error))),
    };
    let (mut session, result) = in_one(session, prepared, conditions, enforced);
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    let last = prepared.steps.len().saturating_sub(1);
    let restored = match enforced {
        true => session.set_foreign_keys(true).map(drop).map_err(StepError::doing("enforce foreign keys again")),
        false => Ok(()),
    };
    let result = result.and_then(|steps| restored.map(|()| steps).map_err(|error| (last, error)));
    let result = result.map(|steps| Report {
        steps,
        warnings: prepared.plan.warnings.clone(),
        duration: began.elapsed(),
        ..Report::default()
    });
    (session, result)
}

fn suspended(session: &mut dyn Session, suspends: bool) -> Result<bool, StepError> {
    if !suspends {
        return Ok(false);
    }
    session.set_foreign_keys(false).map_err(StepError::doing("suspend foreign keys"))
}

fn in_one(
    mut session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
    suspended: bool,
) -> (Box<dyn Session>, Result<Vec<StepReport>, Failed>) {
    if let Err(error) = session.begin().map_err(StepError::beginning) {
        return (session, Err((0, error)));
    }
    let (returned, before) = hooks::of_run(session, Moment::BeforeAll, prepared, conditions);
    session = returned;
    if let Err(error) = before {
        return (session, Err((0, error)));
    }
    let mut watermark = Watermark::default();
    let mut reports = Vec::new();
    let of = prepared.steps.len();
    for (index, step) in prepared.steps.iter().enumerate() {
        conditions.observer.event(&Event::StepStarted { step: &step.step, number: index + 1, of });
        let (returned, result) = match waits(step, &reports, conditions.chains) {
            Some(left_out) => (session, Ok(left_out)),
            None => one(session, step, conditions, &mut watermark, suspended),
        };
        session = returned;
        match result {
            Ok(report) => {
                watermark.committed(&step.step, &report);
                reports.push(report);
            }
            Err(error) => return (session, Err((index, error))),
        }
    }
    let last = of.saturating_sub(1);
    let (returned, after) = hooks::of_run(session, Moment::AfterAll, prepared, conditions);
    session = returned;
    if let Err(error) = after {
        return (session, Err((last, error)));
    }
    if let Err(error) = commit(session.as_mut()) {
        return (session, Err((last, error)));
    }
    for report in &reports {
        conditions.observer.event(&Event::StepFinished { report });
    }
    (session, Ok(reports))
}

fn one(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
    suspended: bool,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    if conditions.interrupt.is_raised() {
        return (session, Err(StepError::NotBegun { waiting: false }));
    }
    note(session.as_mut(), step, conditions);
    match without_work(session.as_mut(), step, conditions, watermark) {
        Ok(None) => {}
        Ok(Some(report)) => return (session, Ok(report)),
        Err(error) => return (session, Err(error)),
    }
    let scope = match Scope::of_step(session.as_mut(), step) {
        Ok(scope) => scope,
        Err(error) => return (session, Err(error)),
    };
    do_and_record(&scope, session, step, conditions, watermark, suspended)
}
