//! Tries the rows that a transform kept aside once more, in one transaction with the list of them.

use super::functions::bring;
use super::prepare::{Prepared, PreparedStep};
use super::report::{RowCounts, StepError};
use super::run::Conditions;
use super::transform::{call, failed, find, hold, keep_aside, rejected_rows, release, row_counts, start, tell, voice};
use super::verify::verify;
use crate::db::{Session, Value};
use crate::interrupt::Interrupt;
use crate::model::{OnError, TransformSpec};
use crate::transform::{Counts, Layout, Run, reject_key, with_runner};

/// What became of rows that were kept aside.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Retried {
    /// What became of those that are still there.
    pub rows: RowCounts,
    /// Rows that are not there any more, or are none of those that the transform reads.
    pub gone: u64,
}

/// Transforms the rows once more that the only step of a plan kept aside, and asks again whether the migration did what it
/// should.
pub(crate) fn retry_step(
    mut session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> Result<Retried, StepError> {
    let step = prepared.steps.first().ok_or(StepError::Vanished)?;
    let Some(spec) = step.step.migration.body.transform() else { return Ok(Retried::default()) };
    let functions = bring(session.as_mut(), step, conditions)?;
    let (mut session, retried) = match in_transaction(session.as_mut(), step, spec, conditions) {
        Ok(retried) if retried.rows.rows > 0 => {
            let (session, verified) = verify(session, step, conditions);
            (session, verified.map(|_| retried))
        }
        retried => (session, retried),
    };
    let retried = retried.and_then(|retried| {
        if conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted);
        }
        session.commit().map_err(StepError::doing("commit"))?;
        Ok(retried)
    });
    if retried.is_err()
        && let Err(error) = session.rollback()
    {
        tracing::warn!("rollback failed: {error}");
    }
    functions.end(session.as_mut())?;
    retried
}

/// Begins the transaction and does the work in it.
fn in_transaction(
    session: &mut dyn Session,
    step: &PreparedStep,
    spec: &TransformSpec,
    conditions: &Conditions<'_>,
) -> Result<Retried, StepError> {
    session.begin().map_err(StepError::beginning)?;
    let (chain, key) = (&step.step.chain, step.step.migration.key());
    // Another process may have reverted it meanwhile.
    conditions.history.standing(session, chain, &key)?.ok_or(StepError::Vanished)?;
    let rejects = conditions.history.rejects(session, chain, &key)?;
    if rejects.is_empty() {
        return Ok(Retried::default());
    }
    let layout = find(session, step, spec)?;
    let names = layout.key();
    let key_of = |values: &str| {
        reject_key(values, &names).ok_or_else(|| StepError::Reject { values: values.chars().take(200).collect() })
    };
    let keys: Vec<Vec<Value>> = rejects.iter().map(|reject| key_of(&reject.values)).collect::<Result<_, _>>()?;
    conditions.history.forget_rejects(session, chain, &key)?;
    again(session, step, &layout, &keys, conditions)
}

fn again(
    session: &mut dyn Session,
    step: &PreparedStep,
    layout: &Layout,
    keys: &[Vec<Value>],
    conditions: &Conditions<'_>,
) -> Result<Retried, StepError> {
    let call = call(step, layout, conditions);
    // However many there are, they are no more than there were.
    let on_error = OnError::Skip { max_rejects: u64::MAX };
    let run = Run { layout, on_error, jobs: 1, interrupt: conditions.interrupt };
    let start = |interrupt: &Interrupt| start(step, &call, interrupt);
    let total = keys.len() as u64;
    hold(session, step, conditions)?;
    let done = with_runner(&run, &start, None, Counts::default(), |runner| {
        let voice = voice(step, conditions);
        let gone = runner.retry(session, keys, &mut |progress| tell(&voice, progress, total))?;
        Ok((Retried { rows: row_counts(runner.counts()), gone }, runner.take_rejects()))
    });
    release(session)?;
    let (retried, rejects) = done.map_err(failed)?;
    keep_aside(session, step, conditions, &rejected_rows(layout, &rejects))?;
    Ok(retried)
}
