//! Asks what must hold before a migration runs, inside the transaction of its step. The questions change nothing.

use super::hold::looking;
use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::Conditions;
use super::step::{Timer, done_elsewhere, write_row};
use super::verify::{Answer, ask};
use super::work::Work;
use crate::db::{DbError, ErrorCode, Session};
use crate::model::{AppliedState, Chains, Script, Unmet};
use crate::plan::{Direction, Step};
use crate::sql::Precondition;

/// Asks the preconditions of a step that goes up, in order; returns what was done in its place when one does not hold.
///
/// A step that is to count as applied has its row in the history then, in the transaction that is open.
pub(super) fn instead(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<Option<StepReport>, StepError> {
    if step.step.direction == Direction::Down {
        return Ok(None);
    }
    if let Some(precondition) = first_unmet(session, step, conditions)? {
        let reason = precondition.reason();
        let outcome = match precondition.otherwise {
            Unmet::Fail => return Err(StepError::Precondition { reason }),
            Unmet::Skip => StepOutcome::Skipped,
            Unmet::MarkApplied => StepOutcome::MarkedApplied,
        };
        let report = StepReport { outcome, reason: Some(reason), ..done_elsewhere(step) };
        if outcome == StepOutcome::MarkedApplied {
            let timer = Timer::start(session);
            let row =
                StepReport { reason: report.reason.clone(), ..timer.report(session, step, Work::default(), outcome) };
            write_row(session, &row, &timer, conditions, AppliedState::Applied)?;
        }
        return Ok(Some(report));
    }
    if step.step.migration.preconditions().next().is_some() && conditions.ambient.is_some() {
        // The questions were asked with the migration's own, which are gone now.
        let ambient = conditions.ambient.cloned();
        session.set_ambient(ambient).map_err(StepError::doing("stop the clock"))?;
    }
    Ok(None)
}

/// Asks the preconditions of a step in order; returns the first that does not hold, and asks none after it.
pub(super) fn first_unmet<'s>(
    session: &mut dyn Session,
    step: &'s PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<Option<&'s Precondition>, StepError> {
    for (precondition, query) in step.step.migration.asked_preconditions() {
        let written = precondition.sql.as_str();
        let sql = query.map_or(written, Script::runs);
        let (answer, _) = looking(session, step, conditions, |session| {
            ask(session, sql).map_err(|source| match source.code {
                ErrorCode::Interrupted => StepError::Interrupted,
                _ => StepError::PreconditionFailed { sql: written.to_owned(), source: without_values(query, source) },
            })
        });
        if answer? != Answer::True {
            return Ok(Some(precondition));
        }
    }
    Ok(None)
}

/// Takes the values that were put into a query out of what the database says of it: they may be secrets.
fn without_values(query: Option<&Script>, mut error: DbError) -> DbError {
    if let Some((query, filled)) = query.and_then(|query| Some((query, query.filled.as_ref()?))) {
        filled.error_as_written(&query.text, &mut (0..query.runs().len()), &mut error);
    }
    error
}

/// Leaves out a step that depends on one that was left out before it in the same run.
pub(super) fn waits(step: &PreparedStep, before: &[StepReport], chains: &Chains) -> Option<StepReport> {
    if step.step.migration.placement.depends_on.is_empty() {
        return None;
    }
    let skipped = before.iter().filter(|report| report.outcome == StepOutcome::Skipped);
    let first = skipped.map(|report| &report.step).find(|other| depends(&step.step, other, chains))?;
    let reason = Some(format!("it depends on {}, which was skipped", first.title()));
    Some(StepReport { outcome: StepOutcome::Skipped, reason, ..done_elsewhere(step) })
}

fn depends(step: &Step, on: &Step, chains: &Chains) -> bool {
    let is = |place: usize, step: &Step| {
        let node = &chains.nodes()[place];
        chains.all()[node.chain].name() == &*step.chain && node.migration.key() == step.migration.key()
    };
    let needs = chains.index(&step.chain).map(|chain| chains.needs(chain, &step.migration)).unwrap_or_default();
    needs.iter().any(|need| is(*need, on))
}
