//! Runs one step outside a transaction: recorded as started first, then statement by statement, each together with a
//! note that it ran where SQLite lets it, then recorded as applied.
//!
//! A script that steps out of the transaction it is handed gets one to step out of, and the one it leaves open is committed.

use std::time::Duration;

use super::holder::holder;
use super::notes::{Notes, hand_over, take_back, undo};
use super::preconditions::instead;
use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::Conditions;
use super::scope::Scope;
use super::step::{Timer, done_elsewhere, has_keys_off, record, write_row};
use super::watermark::Watermark;
use super::work::{Work, work};
use crate::db::{Counters, Session};
use crate::model::{Applied, AppliedState, Record, ScriptProgress};
use crate::plan::Direction;
use crate::sql;

/// Runs the step, or goes on with it where it stopped.
pub(super) fn outside_transaction(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
    scope: &Scope,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let lock = match session.lock_run(Some(&holder(step, conditions).note())) {
        Ok(lock) => lock,
        Err(error) => return (session, Err(StepError::waiting("lock the run")(error))),
    };
    let enforced = match foreign_keys(session.as_mut()) {
        Ok(enforced) => enforced,
        Err(error) => return (session, Err(error)),
    };
    let announced = announce(session.as_mut(), step, conditions, watermark);
    let progress = match announced {
        Ok(Announced::Goes(progress)) => progress,
        Ok(Announced::Not(report)) => {
            undo(session.as_mut());
            return (session, Ok(*report));
        }
        Err(error) => {
            undo(session.as_mut());
            return (session, Err(error));
        }
    };
    // It is put back below, as what the script itself sets.
    if has_keys_off(session.as_ref(), step)
        && let Err(error) = session.set_foreign_keys(false)
    {
        tracing::warn!("foreign keys are enforced although its tool has them off: {error}");
    }
    // Only now, so that waiting for the lock does not count.
    let timer = Timer::start(session.as_ref());
    let (mut session, worked, notes) = match (step.step.direction, step.step.script()) {
        (Direction::Up, Some(script)) => {
            let mut notes = Notes::new(step, script, conditions, &progress);
            let worked = notes.run(session.as_mut(), step);
            (session, worked, Some(notes))
        }
        (Direction::Up | Direction::Down, script) => {
            let handed = script.is_some_and(|script| sql::steps_out(script.runs()));
            let (session, worked) = whole(session, step, conditions, handed);
            (session, worked, None)
        }
    };
    let used = notes.as_ref().map_or_else(|| timer.used(session.as_ref()), |notes| notes.used);
    let nothing_done = match &notes {
        Some(notes) => notes.noted == 0 && !notes.doubtful,
        None => used.statements == 0 && used.rows_changed == 0,
    };
    let result = worked.and_then(|work| {
        if session.in_transaction() {
            return Err(StepError::TransactionOpen);
        }
        let report = StepReport { counters: used, ..timer.report(session.as_ref(), step, work, StepOutcome::Done) };
        scope.put_back(session.as_mut())?;
        session.begin().map_err(StepError::doing("begin a transaction"))?;
        if let Some(notes) = &notes {
            notes.note_use(session.as_mut())?;
        }
        finish(session.as_mut(), &report, &timer, conditions, watermark)?;
        session.commit().map_err(StepError::doing("commit"))?;
        Ok(report)
    });
    undo(session.as_mut());
    scope.end(session.as_mut());
    // What a script sets of them ends with it, so that the next one does not depend on it.
    if let Err(error) = session.set_foreign_keys(enforced) {
        tracing::warn!("foreign keys are not as they were before the step: {error}");
    }
    let result = result.map_err(|error| if nothing_done { error.with_nothing_kept() } else { error });
    if result.is_err() && nothing_done {
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

/// Runs the step in one go; in a transaction at first, and again at its end, if it is handed one.
fn whole(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    handed: bool,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    if handed && let Err(error) = hand_over(session.as_mut()) {
        return (session, Err(error));
    }
    let (mut session, mut worked) = work(session, step, conditions);
    if handed && session.in_transaction() {
        worked = worked.and_then(|work| take_back(session.as_mut()).map(|()| work));
    }
    (session, worked)
}

/// Tells whether foreign keys are enforced.
fn foreign_keys(session: &mut dyn Session) -> Result<bool, StepError> {
    let enforced = session.set_foreign_keys(true).map_err(StepError::doing("look at foreign keys"))?;
    session.set_foreign_keys(enforced).map_err(StepError::doing("look at foreign keys"))?;
    Ok(enforced)
}

/// Whether a step outside a transaction runs.
enum Announced {
    /// It does, from where it stopped before.
    Goes(ScriptProgress),
    /// It does not, and this is what to tell of it.
    Not(Box<StepReport>),
}

/// Commits a row that says the step has started, unless it is not needed any more or may not run.
fn announce(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> Result<Announced, StepError> {
    session.begin().map_err(StepError::beginning)?;
    if !watermark.still_needed(session, &step.step, conditions)? {
        return Ok(Announced::Not(Box::new(done_elsewhere(step))));
    }
    let (history, chain, key) = (conditions.history, &step.step.chain, step.step.migration.key());
    let mut progress = ScriptProgress::default();
    match step.step.direction {
        Direction::Up => match history.script_progress(session, chain, &key)? {
            Some(earlier) => progress = earlier,
            None => {
                if let Some(report) = instead(session, step, conditions)? {
                    session.commit().map_err(StepError::doing("commit"))?;
                    return Ok(Announced::Not(Box::new(report)));
                }
                let timer = Timer::start(session);
                let report = timer.report(session, step, Work::default(), StepOutcome::Done);
                let report = StepReport { duration: Duration::ZERO, ..report };
                write_row(session, &report, &timer, conditions, AppliedState::Started)?;
                history.begin_statements(session, chain, &key)?;
            }
        },
        Direction::Down => history.mark(session, chain, &key, AppliedState::Started)?,
    }
    session.commit().map_err(StepError::doing("commit"))?;
    Ok(Announced::Goes(progress))
}

/// Records that the step is at its end, with what earlier runs of it have used.
fn finish(
    session: &mut dyn Session,
    report: &StepReport,
    timer: &Timer,
    conditions: &Conditions<'_>,
    watermark: &Watermark,
) -> Result<(), StepError> {
    let (history, chain, key) = (conditions.history, &report.step.chain, report.step.migration.key());
    if report.step.direction == Direction::Down {
        return record(session, report, timer, conditions, Some(watermark));
    }
    let mut whole = report.clone();
    let is_own = |row: &Applied| row.key() == key;
    if let Some(row) = history.read(session, chain)?.into_iter().find(is_own) {
        let Record { duration, statements, rows_changed, operations, .. } = *row.record();
        (whole.duration, whole.counters) = (duration, Counters { statements, rows_changed, operations });
    }
    history.forget_statements(session, chain, &key)?;
    history.delete(session, chain, &key)?;
    record(session, &whole, timer, conditions, Some(watermark))
}

/// Takes back that a step has started.
fn revoke(session: &mut dyn Session, step: &PreparedStep, conditions: &Conditions<'_>) -> Result<(), StepError> {
    let (history, chain, key) = (conditions.history, &step.step.chain, step.step.migration.key());
    match step.step.direction {
        Direction::Up => {
            history.forget_statements(session, chain, &key)?;
            history.delete(session, chain, &key)?;
        }
        Direction::Down => history.mark(session, chain, &key, AppliedState::Applied)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::Sqlite;
    use crate::plan::Until;
    use crate::source::Memory;
    use crate::{Error, Migrator};

    #[test]
    fn a_transaction_that_is_left_open_is_told_as_that() {
        let folder = tempfile::tempdir().unwrap();
        let script = "-- whimbrel: transaction = none\nBEGIN;\nCREATE TABLE note (x);\n";
        let migrator = Migrator::builder()
            .source(Memory::new("memory").file("1_note.sql", script))
            .database(Sqlite::file(folder.path().join("app.db")))
            .build()
            .unwrap();
        let Error::Run(error) = migrator.up(Until::End).unwrap_err() else { panic!("it is another error") };
        assert!(matches!(error.source, StepError::TransactionOpen), "{error:?}");
    }
}
