//! Runs the statements of a script outside a transaction, and notes beside the history which ones were run, each together
//! with the statement where SQLite lets it.

use std::time::{Duration, Instant};

use super::functions::bring;
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use super::script::failed;
use super::verify::verify_script;
use super::work::Work;
use crate::db::{Counters, ScriptError, Session};
use crate::history::StatementState;
use crate::model::{Checksum, Key, Script, ScriptProgress};
use crate::sql::{self, Standing};

/// Runs the statements of a script, and notes which ones were run.
pub(super) struct Notes<'a> {
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
    pub(super) noted: usize,
    /// One was begun of which nobody could tell whether it was run.
    pub(super) doubtful: bool,
    /// What the statements have used.
    pub(super) used: Counters,
    /// What of that is not in the row of the history yet.
    unwritten: (Duration, Counters),
}

impl<'a> Notes<'a> {
    pub(super) fn new(
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

    pub(super) fn run(&mut self, session: &mut dyn Session, step: &PreparedStep) -> Result<Work, StepError> {
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
    pub(super) fn note_use(&self, session: &mut dyn Session) -> Result<(), StepError> {
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

/// Begins a transaction that belongs to the script: it may end it.
pub(super) fn hand_over(session: &mut dyn Session) -> Result<(), StepError> {
    session.execute_script("BEGIN IMMEDIATE").map_err(|failed| StepError::doing("begin a transaction")(failed.error))
}

/// Commits the transaction that the script has left open.
pub(super) fn take_back(session: &mut dyn Session) -> Result<(), StepError> {
    session.execute_script("COMMIT").map_err(|failed| StepError::doing("commit")(failed.error))
}

pub(super) fn undo(session: &mut dyn Session) {
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
}
