//! Runs one step in a transaction of its own, without a row in the history, and undoes it unless it is to be kept.

use super::hold::Hold;
use super::prepare::Prepared;
use super::report::{Report, RunError, StepError, StepOutcome, StepReport};
use super::run::Conditions;
use super::step::Timer;
use super::work::work;
use crate::db::Session;

/// Runs the only step of a plan, records what it does, and keeps it or rolls it back.
pub(crate) fn run_once(
    mut session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
    keep: bool,
) -> (Box<dyn Session>, Result<StepReport, Box<RunError>>) {
    let step = prepared.steps.first().expect("a plan of one step");
    let failed = |source| {
        let failed = step.step.clone();
        Box::new(RunError {
            done: Report { dry_run: !keep, ..Report::default() },
            failed,
            source,
            on_error: Vec::new(),
        })
    };
    if let Err(error) = session.begin().map_err(StepError::beginning) {
        return (session, Err(failed(error)));
    }
    let timer = Timer::start(session.as_ref());
    session.start_recording();
    let (mut session, worked) = work(session, step, conditions);
    session.close_handles();
    let recording = session.take_recording();
    let result = worked.and_then(|work| {
        if conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted);
        }
        if !session.in_transaction() {
            return Err(StepError::TransactionEnded);
        }
        let outcome = if keep { StepOutcome::Done } else { StepOutcome::Tried };
        let mut report = timer.report(session.as_ref(), step, work, outcome);
        report.recording = Some(recording);
        if keep {
            session.commit().map_err(StepError::doing("commit"))?;
        }
        Ok(report)
    });
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    (session, result.map_err(failed))
}

/// Runs the only step of a plan in a transaction in which nothing can be changed.
pub(crate) fn read_once(
    mut session: Box<dyn Session>,
    mut prepared: Prepared,
    conditions: &Conditions<'_>,
) -> Result<(), Box<RunError>> {
    let step = prepared.steps.first_mut().expect("a plan of one step");
    step.hold = Hold::Looking;
    let worked = match session.begin_reading().map_err(StepError::doing("begin a transaction")) {
        Ok(()) => work(session, step, conditions).1,
        Err(error) => Err(error),
    };
    worked.map(drop).map_err(|source| {
        let (done, failed) = (Report { dry_run: true, ..Report::default() }, step.step.clone());
        Box::new(RunError { done, failed, source, on_error: Vec::new() })
    })
}
