//! Shows a transform at work on some rows. Changes nothing.

use super::functions::bring;
use super::prepare::{Prepared, PreparedStep};
use super::report::StepError;
use super::run::Conditions;
use super::transform::{call, failed, find, hold, release, start};
use crate::db::Session;
use crate::model::{Migration, TransformSpec};
use crate::transform::{Preview, Selection, TransformError, expressions, preview};

/// Why a migration cannot be shown at work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// It is no transform.
    #[error("migration {migration} is no transform, so it cannot be shown row by row ({kind})")]
    NotATransform {
        /// Version and name.
        migration: String,
        /// What it is.
        kind: &'static str,
    },
    /// It cannot be run on these rows.
    #[error(transparent)]
    Failed(#[from] StepError),
}

impl PreviewError {
    /// Returns what a transform says of itself; refuses what is none.
    pub(crate) fn check(migration: &Migration) -> Result<&TransformSpec, Self> {
        match migration.body.transform() {
            Some(spec) => Ok(spec),
            None => Err(Self::NotATransform { migration: migration.title(), kind: migration.kind().as_str() }),
        }
    }
}

/// Shows the only step of a plan at work.
pub(crate) fn preview_step(
    session: &mut dyn Session,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
    selection: &Selection,
) -> Result<Preview, PreviewError> {
    let step = prepared.steps.first().expect("one step was prepared");
    let spec = PreviewError::check(&step.step.migration)?;
    let functions = bring(session, step, conditions)?;
    let shown = show(session, step, spec, conditions, selection)
        .map(|shown| Preview { chain: step.step.chain.to_string(), ..shown });
    functions.end(session)?;
    Ok(shown?)
}

fn show(
    session: &mut dyn Session,
    step: &PreparedStep,
    spec: &TransformSpec,
    conditions: &Conditions<'_>,
    selection: &Selection,
) -> Result<Preview, StepError> {
    let layout = find(session, step, spec)?;
    let call = call(step, &layout, conditions);
    hold(session, step, conditions)?;
    let shown = start(step, &call, conditions.interrupt)
        .map_err(|source| TransformError::Start { source })
        .and_then(|mut guest| preview(session, &layout, &mut guest, selection));
    release(session)?;
    let mut shown = shown.map_err(failed)?;
    // On values alone, so nothing of it concerns the migration's grants.
    let expressions = expressions(session, &shown).map_err(StepError::doing("compare with SQL expressions"))?;
    shown.expressions = expressions;
    Ok(shown)
}
