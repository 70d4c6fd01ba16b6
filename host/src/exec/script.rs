//! Runs the text of a script: the operator's own as it stands, one that is held to grants as a guest would be.

use super::hold::held;
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use crate::db::{ErrorCode, Recording, ScriptError, Session};
use crate::limits::LimitReached;
use crate::model::{Script, TransactionMode};

/// Runs the script for the step's direction; a step without one does nothing.
pub(super) fn run_script(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<(), StepError> {
    let Some(script) = step.step.script() else { return Ok(()) };
    let failed = |error| failed(script, error);
    match step.hold.restriction(conditions.history) {
        None => session.execute_script(script.runs()).map_err(failed),
        Some(restriction) => {
            let run = |session: &mut dyn Session| session.execute_script(script.runs()).map_err(failed);
            limited(held(session, step, conditions, restriction, run))
        }
    }
}

/// Makes an error of a step of one of its script.
pub(super) fn failed(script: &Script, failed: ScriptError) -> StepError {
    match failed.error.code {
        ErrorCode::Interrupted => StepError::Interrupted,
        _ => StepError::Statement {
            script: Box::new(script.clone()),
            failed: Box::new(as_written(script, failed)),
            kept: script.directives.transaction == TransactionMode::None,
        },
    }
}

/// Puts a limit that was reached above the words in which SQLite tells it.
pub(super) fn limited<T>((ran, reached): (Result<T, StepError>, Option<LimitReached>)) -> Result<T, StepError> {
    match (ran, reached) {
        (Err(StepError::Statement { script, failed, .. }), Some(reached)) => {
            Err(StepError::Limit { reached, script, failed })
        }
        (ran, _) => ran,
    }
}

/// Tells an error in what was run as one in the file, without the values that were put in.
pub(super) fn as_written(script: &Script, mut failed: ScriptError) -> ScriptError {
    if let Some(filled) = &script.filled {
        let mut statement = failed.start..failed.end;
        filled.error_as_written(&script.text, &mut statement, &mut failed.error);
        (failed.start, failed.end) = (statement.start, statement.end);
    }
    failed
}

/// Shows what a script has run as it stands in the file, without the values that were put in.
pub(super) fn recorded_as_written(script: Option<&Script>, mut recording: Recording) -> Recording {
    if let Some((script, filled)) = script.and_then(|script| Some((script, script.filled.as_ref()?))) {
        for statement in &mut recording.statements {
            statement.sql = filled.as_written(&script.text, &statement.sql);
        }
    }
    recording
}
