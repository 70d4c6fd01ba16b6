//! What a step or a run changes of its connection ends with it: the next one does not depend on it, and a lent connection
//! goes back as it came.

use super::hooks::PreparedHook;
use super::prepare::{Prepared, PreparedStep};
use super::report::StepError;
use crate::db::{ConnectionState, Session};
use crate::model::{Body, Moment};
use crate::sql;

/// How the connection was before something that may change it; nothing where nothing may, which costs no look.
pub(super) struct Scope(Option<ConnectionState>);

impl Scope {
    /// Begins with a step and the hooks before and after it.
    pub(super) fn of_step(session: &mut dyn Session, step: &PreparedStep) -> Result<Self, StepError> {
        Self::begin(session, may_change(step) || step.hooks.iter().any(|hook| of_hook(hook)))
    }

    /// Begins with the hooks of a run: what they change holds for all its steps.
    pub(super) fn of_hooks(session: &mut dyn Session, prepared: &Prepared) -> Result<Self, StepError> {
        let of_run = |moment| matches!(moment, Moment::BeforeAll | Moment::AfterAll | Moment::OnError);
        Self::begin(session, prepared.hooks.iter().any(|hook| of_run(hook.hook.moment) && of_hook(hook)))
    }

    /// Begins with a run in one transaction, in the middle of which not everything can be put back.
    pub(super) fn of_run(session: &mut dyn Session, prepared: &Prepared) -> Result<Self, StepError> {
        let steps = prepared.steps.iter().any(may_change);
        Self::begin(session, steps || prepared.hooks.iter().any(|hook| of_hook(hook)))
    }

    fn begin(session: &mut dyn Session, wanted: bool) -> Result<Self, StepError> {
        let state = wanted.then(|| session.connection_state()).transpose();
        Ok(Self(state.map_err(StepError::doing("look at the connection"))?))
    }

    /// Puts back what can be; inside a transaction before anything else is done in it.
    pub(super) fn put_back(&self, session: &mut dyn Session) -> Result<(), StepError> {
        let Some(state) = &self.0 else { return Ok(()) };
        session.put_back(state).map_err(StepError::doing("put the connection back to what it was"))
    }

    /// Puts back the rest, when no transaction is open any more. What was done is done, so a failure is not its own.
    pub(super) fn end(&self, session: &mut dyn Session) {
        if let Err(error) = self.put_back(session) {
            tracing::warn!("the connection is not as it was before: {error}");
        }
    }
}

/// Tells whether a body may change the connection. Code in the sandbox may not.
fn may_change(step: &PreparedStep) -> bool {
    match step.step.script() {
        Some(script) => sql::may_change_connection(script.runs()),
        None => matches!(step.step.migration.body, Body::Rust(_)),
    }
}

fn of_hook(hook: &PreparedHook) -> bool {
    hook.hook.code.is_some() || may_change(&hook.step)
}
