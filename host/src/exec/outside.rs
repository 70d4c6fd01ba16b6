//! Runs one step outside a transaction: recorded as started first, then statement by statement, each together with a
//! note that it ran where SQLite lets it, then recorded as applied.
//!
//! A script that steps out of the transaction it is handed gets one to step out of, and the one it leaves open is committed.

use std::time::{Duration, Instant};

use super::functions::bring;
use super::holder::holder;
use super::preconditions::instead;
use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::{Conditions, Watermark};
use super::script::failed;
use super::step::{Timer, done_elsewhere, record, write_row};
use super::verify::verify_script;
use super::work::{Work, work};
use crate::db::{Counters, ScriptError, Session};
use crate::history::StatementState;
use crate::model::{Applied, AppliedState, Checksum, Key, Record, Script, ScriptProgress};
use crate::plan::Direction;
use crate::sql::{self, Standing};

/// Runs the step, or goes on with it where it stopped.
pub(super) fn outside_transaction(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
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
        session.begin().map_err(StepError::doing("begin a transaction"))?;
        if let Some(notes) = &notes {
            notes.note_use(session.as_mut())?;
        }
        finish(session.as_mut(), &report, &timer, conditions, watermark)?;
        session.commit().map_err(StepError::doing("commit"))?;
        Ok(report)
    });
    undo(session.as_mut());
    // What a script sets of them ends with it, so that the next one does not depend on it.
    if let Err(error) = session.set_foreign_keys(enforced) {
        tracing::warn!("foreign keys are not as they were before the step: {error}");
    }
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

/// Begins a transaction that belongs to the script: it may end it.
fn hand_over(session: &mut dyn Session) -> Result<(), StepError> {
    session.execute_script("BEGIN IMMEDIATE").map_err(|failed| StepError::doing("begin a transaction")(failed.error))
}

/// Commits the transaction that the script has left open.
fn take_back(session: &mut dyn Session) -> Result<(), StepError> {
    session.execute_script("COMMIT").map_err(|failed| StepError::doing("commit")(failed.error))
}

/// Tells whether foreign keys are enforced.
fn foreign_keys(session: &mut dyn Session) -> Result<bool, StepError> {
    let enforced = session.set_foreign_keys(true).map_err(StepError::doing("look at foreign keys"))?;
    session.set_foreign_keys(enforced).map_err(StepError::doing("look at foreign keys"))?;
    Ok(enforced)
}

fn undo(session: &mut dyn Session) {
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
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

/// Runs the statements of a script, and notes which ones were run.
struct Notes<'a> {
    script: &'a Script,
    conditions: &'a Conditions<'a>,
    chain: &'a str,
    key: Key,
    /// Where each statement stands in what is run.
    windows: Vec<std::ops::Range<usize>>,
    sums: Vec<Checksum>,
    /// It commits a transaction that it has not begun, and leaves one open.
    handed: bool,
    /// Statements that are noted as run.
    noted: usize,
    /// One was begun of which nobody could tell whether it was run.
    doubtful: bool,
    /// What the statements have used.
    used: Counters,
    /// What of that is not in the row of the history yet.
    unwritten: (Duration, Counters),
}

impl<'a> Notes<'a> {
    fn new(
        step: &'a PreparedStep,
        script: &'a Script,
        conditions: &'a Conditions<'a>,
        progress: &ScriptProgress,
    ) -> Self {
        Self {
            script,
            conditions,
            chain: &step.step.chain,
            key: step.step.migration.key(),
            windows: sql::statements(script.runs()).collect(),
            sums: script.statements().into_iter().map(|(_, sum)| sum).collect(),
            handed: sql::steps_out(script.runs()),
            noted: progress.done.len(),
            doubtful: false,
            used: Counters::default(),
            unwritten: (Duration::ZERO, Counters::default()),
        }
    }

    fn run(&mut self, session: &mut dyn Session, step: &PreparedStep) -> Result<Work, StepError> {
        let functions = bring(session, step, self.conditions)?;
        // When that fails, the next run has nothing left to do but to ask it again.
        let ran = self.statements(session).and_then(|()| verify_script(session, step, self.conditions));
        let ended = functions.end(session);
        ran.and(ended).map(|fuel| Work { fuel, ..Work::default() })
    }

    fn statements(&mut self, session: &mut dyn Session) -> Result<(), StepError> {
        self.set_connection(session)?;
        let mut next = self.noted;
        if self.handed && next == 0 {
            hand_over(session)?;
        }
        while next < self.windows.len() {
            if self.conditions.interrupt.is_raised() {
                return Err(StepError::Interrupted);
            }
            next = self.statement(session, next)?;
        }
        if self.handed && session.in_transaction() {
            self.note(session, next - 1)?;
            self.note_use(session)?;
            take_back(session)?;
            self.settled(next - 1);
        }
        Ok(())
    }

    /// Sets once more what statements that were run have set of their connection.
    fn set_connection(&mut self, session: &mut dyn Session) -> Result<(), StepError> {
        let mut open = self.handed;
        for index in 0..self.noted.min(self.windows.len()) {
            match sql::standing(self.text(index, index)) {
                Standing::Begin => open = true,
                Standing::End => open = false,
                Standing::Connection if !open => self.execute(session, index).map(drop)?,
                Standing::Connection | Standing::Transactional | Standing::Repeatable | Standing::Once => {}
            }
        }
        Ok(())
    }

    /// Runs the statement at an index and returns the index of the next one.
    fn statement(&mut self, session: &mut dyn Session, index: usize) -> Result<usize, StepError> {
        let standing = sql::standing(self.text(index, index));
        if session.in_transaction() {
            return self.in_own_transaction(session, index, standing);
        }
        match standing {
            Standing::Begin => self.execute(session, index),
            Standing::Transactional => {
                session.begin().map_err(StepError::doing("begin a transaction"))?;
                let done = self.execute(session, index).and_then(|next| {
                    self.note(session, next - 1)?;
                    self.note_use(session)?;
                    session.commit().map_err(StepError::doing("commit"))?;
                    Ok(next)
                });
                match &done {
                    Ok(next) => self.settled(next - 1),
                    Err(_) => undo(session),
                }
                done
            }
            Standing::End | Standing::Connection | Standing::Repeatable => {
                let next = self.execute(session, index)?;
                self.note_alone(session, next - 1)?;
                Ok(next)
            }
            Standing::Once => {
                let (history, chain, sum) = (self.conditions.history, self.chain, self.sum(index));
                history.note_statement(session, chain, &self.key, index, sum, StatementState::Running)?;
                self.doubtful = true;
                let done = self.execute(session, index);
                if done.is_err() {
                    // It said itself that it failed.
                    session.hold_interrupt(true);
                    let forgotten = history.forget_statement(session, chain, &self.key, index);
                    session.hold_interrupt(false);
                    forgotten?;
                    self.doubtful = false;
                }
                let next = done?;
                self.note_alone(session, next - 1)?;
                self.doubtful = false;
                Ok(next)
            }
        }
    }

    /// Runs a statement in a transaction of the script's own: what that does and the note become durable together, or
    /// neither does.
    fn in_own_transaction(
        &mut self,
        session: &mut dyn Session,
        index: usize,
        standing: Standing,
    ) -> Result<usize, StepError> {
        let rolls_back = sql::tokens(self.text(index, index)).any(|token| token.is_word("ROLLBACK"));
        if standing == Standing::End && !rolls_back {
            self.note(session, index)?;
        }
        let next = self.execute(session, index)?;
        match session.in_transaction() {
            true => {}
            false if rolls_back => self.note_alone(session, next - 1)?,
            false => self.noted = next,
        }
        Ok(next)
    }

    /// Runs the statement at an index, which SQLite may find to be longer than it seemed; returns the next one's.
    fn execute(&mut self, session: &mut dyn Session, index: usize) -> Result<usize, StepError> {
        let (before, began) = (session.counters(), Instant::now());
        let start = self.windows[index].start;
        let mut last = index;
        let result = loop {
            match session.execute_script(self.text(index, last)) {
                Err(ref error) if error.error.message == "incomplete input" && last + 1 < self.windows.len() => {
                    last += 1;
                }
                result => break result,
            }
        };
        let counters = session.counters().since(before);
        add(&mut self.used, counters);
        self.unwritten.0 += began.elapsed();
        add(&mut self.unwritten.1, counters);
        result.map(|()| last + 1).map_err(|error| {
            failed(self.script, ScriptError { start: error.start + start, end: error.end + start, error: error.error })
        })
    }

    fn text(&self, from: usize, to: usize) -> &'a str {
        &self.script.runs()[self.windows[from].start..self.windows[to].end]
    }

    fn sum(&self, index: usize) -> Checksum {
        self.sums[index]
    }

    /// Notes everything up to and with a statement as run, in the transaction that is open.
    fn note(&mut self, session: &mut dyn Session, last: usize) -> Result<(), StepError> {
        let (history, chain) = (self.conditions.history, self.chain);
        // What is noted in a transaction of the script's own that is rolled back is noted once more.
        for index in self.noted..=last {
            let temporary = sql::makes_temporary(self.text(index, index));
            let state = if temporary { StatementState::Temporary } else { StatementState::Done };
            history.note_statement(session, chain, &self.key, index, self.sum(index), state)?;
        }
        Ok(())
    }

    /// Adds to the row of the history what statements have used.
    fn note_use(&self, session: &mut dyn Session) -> Result<(), StepError> {
        let (duration, counters) = self.unwritten;
        Ok(self.conditions.history.add_use(session, self.chain, &self.key, duration, counters)?)
    }

    /// Notes a statement that was run in no transaction in one of its own, also after an interrupt.
    fn note_alone(&mut self, session: &mut dyn Session, last: usize) -> Result<(), StepError> {
        session.hold_interrupt(true);
        let begun = session.begin().map_err(StepError::doing("begin a transaction"));
        let noted = begun.and_then(|()| self.note(session, last)).and_then(|()| self.note_use(session));
        let done = noted.and_then(|()| session.commit().map_err(StepError::doing("commit")));
        match &done {
            Ok(()) => self.settled(last),
            Err(_) => undo(session),
        }
        session.hold_interrupt(false);
        done
    }

    fn settled(&mut self, last: usize) {
        self.noted = last + 1;
        self.unwritten = (Duration::ZERO, Counters::default());
    }
}

fn add(sum: &mut Counters, more: Counters) {
    sum.statements += more.statements;
    sum.rows_changed += more.rows_changed;
    sum.operations += more.operations;
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
