//! Runs the text of a script: the operator's own as it stands, one that is held to grants as a guest would be.

use std::sync::Arc;

use super::hold::{bound, unbound};
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use crate::db::{ErrorCode, ScriptError, Session};
use crate::model::TransactionMode;

/// Runs the script for the step's direction; a step without one does nothing.
pub(super) fn run_script(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<(), StepError> {
    let Some(script) = step.step.script() else { return Ok(()) };
    let failed = |failed: ScriptError| match failed.error.code {
        ErrorCode::Interrupted => StepError::Interrupted,
        _ => StepError::Statement {
            script: script.clone(),
            failed: Box::new(failed),
            kept: script.directives.transaction == TransactionMode::None,
        },
    };
    match step.hold.restriction(conditions.history) {
        None => session.execute_script(&script.text).map_err(failed),
        Some(restriction) => {
            session.restrict(Some(Arc::new(restriction)));
            let bounded = bound(session, step, conditions, step.step.migration.checksum().seed());
            let ran = bounded.and_then(|()| session.execute_script(&script.text).map_err(failed));
            let reached = session.limit_reached();
            session.restrict(None);
            let free = unbound(session);
            // A limit stands above the words in which SQLite tells it.
            match (ran, reached) {
                (Err(StepError::Statement { script, failed, .. }), Some(reached)) => {
                    Err(StepError::Limit { reached, script, failed })
                }
                (Err(error), _) => Err(error),
                (Ok(()), _) => free,
            }
        }
    }
}
