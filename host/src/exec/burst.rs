//! Fills an empty database faster: while small scripts follow each other, the session keeps the database to itself.
//!
//! Nobody reads a database yet that this run has made, but for others that start at the same time. Each step still has
//! its own transaction, as durable as ever. A mark in the database, there while it is kept, tells whoever comes after a
//! killed run to put the file back to how it is kept usually.

use super::prepare::PreparedStep;
use super::report::{StepError, StepReport};
use crate::db::{KeptMark, Session};
use crate::history::History;
use crate::model::TransactionMode;
use crate::plan::Direction;

/// Fewer scripts are not worth it.
const FEWEST: usize = 8;
/// A step that changes more rows than this writes them twice, first to the log: what comes after it is likely no
/// smaller.
const MOST_ROWS: u64 = 20_000;

/// Whether the small steps of a run are run this way.
#[derive(Debug, Default)]
pub(super) enum Burst {
    /// Not at all, or no longer.
    #[default]
    Never,
    /// If the database is empty.
    Wanted,
    /// The database was empty: it is kept whenever a step is small, under this mark.
    Begun(KeptMark),
}

impl Burst {
    /// Looks at the steps of a run.
    pub(super) fn of(steps: &[PreparedStep]) -> Self {
        let small = steps.iter().filter(|step| is_small(step)).count();
        if small >= FEWEST { Self::Wanted } else { Self::Never }
    }

    /// Makes the history's tables, inside the first transaction.
    pub(super) fn ensure(&mut self, session: &mut dyn Session, history: &History) -> Result<(), StepError> {
        if !matches!(self, Self::Wanted) {
            return Ok(history.ensure(session)?);
        }
        *self = Self::Never;
        let is_empty = session.is_empty_file().map_err(StepError::doing("look whether the database is empty"))?;
        history.ensure(session)?;
        if is_empty {
            *self = Self::Begun(history.kept_mark());
        }
        Ok(())
    }

    /// Keeps the database for a step, or not.
    pub(super) fn before(&self, session: &mut dyn Session, step: &PreparedStep) -> Result<(), StepError> {
        let Self::Begun(mark) = self else { return Ok(()) };
        session.keep_to_itself(is_small(step).then_some(mark)).map_err(StepError::doing("share the database"))
    }

    /// Learns from a step.
    pub(super) fn after(&mut self, session: &mut dyn Session, report: &StepReport) {
        if report.counters.rows_changed > MOST_ROWS {
            self.finish(session);
        }
    }

    /// Gives the database back. What is done is committed already, so a failure is not the run's: the mark stays, and
    /// the next run tries again.
    pub(super) fn finish(&mut self, session: &mut dyn Session) {
        if matches!(std::mem::take(self), Self::Begun(_)) {
            session.hold_interrupt(true);
            if let Err(error) = session.keep_to_itself(None) {
                tracing::debug!("the database keeps its write-ahead log for now: {error}");
            }
            session.hold_interrupt(false);
        }
    }
}

/// Puts a database back to how it is kept usually, and takes the mark away. Who can read the mark knows that the run is
/// gone: while it was there, nobody else got at the file.
pub(crate) fn give_back(session: &mut dyn Session, history: &History) {
    let given_back = session.give_back().map_err(StepError::doing("share the database"));
    if let Err(error) = given_back.and_then(|()| Ok(history.unmark_kept(session)?)) {
        tracing::debug!("the database keeps its write-ahead log for now: {error}");
    }
}

/// Tells whether a step applies a plain script: whoever waits for the database does not wait for long.
fn is_small(step: &PreparedStep) -> bool {
    let directives = step.step.script().map(|script| &script.directives);
    step.step.direction == Direction::Up
        && directives.is_some_and(|directives| directives.transaction == TransactionMode::Normal && !directives.rebuild)
}
