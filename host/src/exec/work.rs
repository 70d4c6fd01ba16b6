//! Does the work of one step inside whatever transaction is open. Begins and commits nothing.

use std::sync::Arc;

use super::autoincrement::Sequences;
#[cfg(feature = "wasm")]
use super::component::run_component;
use super::functions::bring;
use super::hold::{Hold, quietly, unbound, within_limits};
use super::prepare::PreparedStep;
use super::references::References;
use super::report::{RowCounts, StepError};
use super::run::Conditions;
use super::rust::{context, run_rust};
use super::script::run_script;
#[cfg(feature = "wasm")]
use super::transform::run_transform;
use super::verify::verify;
use crate::db::{ErrorCode, Session};
use crate::history::RejectedRow;
use crate::model::Body;
use crate::plan::{Direction, Warning};

/// What the work used, beyond what the session counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    pub(super) fuel: Option<u64>,
    /// What became of rows, for a transform.
    pub(super) rows: Option<RowCounts>,
    /// Rows that a transform rejected and nothing keeps.
    pub(super) rejects: Vec<RejectedRow>,
    /// Rows there are, where only some of them were transformed.
    pub(super) of: Option<u64>,
    /// What is to be told of it.
    pub(super) warnings: Vec<Warning>,
}

/// Runs the body, with the functions that it calls registered. The session goes in and comes back, because a component's
/// store owns it meanwhile.
pub(super) fn work(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    let functions = match bring(session.as_mut(), step, conditions) {
        Ok(functions) => functions,
        Err(error) => return (session, Err(error)),
    };
    let (session, worked) = counted(session, step, conditions);
    let (mut session, worked) = match worked {
        // A sample of the rows is not what it should become.
        Ok(work) if work.of.is_none() => {
            let (session, verified) = verify(session, step, conditions);
            (session, verified.map(|fuel| work.and_burnt(fuel)))
        }
        worked => (session, worked),
    };
    let ended = functions.end(session.as_mut());
    let result = worked.and_then(|work| Ok(work.and_burnt(ended?)));
    (session, result)
}

/// Runs the body; what it is held to does not let it use up the numbers of new rows, nor leave a foreign key, a view or a trigger
/// that holds others up or means something new.
fn counted(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    let before = Sequences::look(session.as_mut(), step)
        .and_then(|sequences| Ok((sequences, References::before(session.as_mut(), step)?)));
    let (sequences, references) = match before {
        Ok(before) => before,
        Err(error) => return (session, Err(error)),
    };
    let (mut session, worked) = body(session, step, conditions);
    let worked = worked.and_then(|work| {
        sequences.map_or(Ok(()), |sequences| sequences.check(session.as_mut()))?;
        references.map_or(Ok(()), |references| references.check(session.as_mut(), step))?;
        check_definitions(session.as_mut(), step, conditions)?;
        Ok(work)
    });
    (session, worked)
}

/// Refuses a view or trigger that would mean something else, or nothing, after code that is held to grants has changed what it
/// names.
fn check_definitions(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<(), StepError> {
    let Hold::To { grants: Some(_), .. } = &step.hold else { return Ok(()) };
    let Some(restriction) = step.hold.restriction(conditions.history).filter(|_| session.in_transaction()) else {
        return Ok(());
    };
    quietly(session, |session| {
        let checked =
            within_limits(session, step, &step.limits).and_then(|()| session.check_definitions(Arc::new(restriction)));
        let free = unbound(session);
        let checked = checked.map_err(|error| match error.code {
            ErrorCode::Syntax => StepError::Schema { reason: error.message },
            _ => StepError::doing("leave what it has changed behind")(error),
        });
        checked.and(free.map(drop))
    })
}

impl Work {
    /// Adds fuel that was burnt beside the work itself.
    pub(super) fn and_burnt(self, more: Option<u64>) -> Self {
        let fuel = match (self.fuel, more) {
            (Some(own), Some(more)) => Some(own.saturating_add(more)),
            (own, more) => own.or(more),
        };
        Self { fuel, ..self }
    }
}

fn body(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    match &step.step.migration.body {
        Body::Sql { .. } => {
            let mut session = session;
            let result = run_script(session.as_mut(), step, conditions);
            (session, result.map(|warnings| Work { warnings, ..Work::default() }))
        }
        Body::Rust(code) => {
            let mut session = session;
            let context = context(&step.step, conditions);
            let result = run_rust(session.as_mut(), &step.step, conditions, |transaction| match step.step.direction {
                Direction::Up => code.up(transaction, &context),
                Direction::Down => code.down(transaction, &context),
            });
            (session, result.map(|()| Work::default()))
        }
        Body::Component { .. } | Body::Script { spec: None, .. } => run_component(session, step, conditions),
        Body::Transform { .. } | Body::Script { .. } => run_transform(session, step, conditions),
    }
}

#[cfg(not(feature = "wasm"))]
fn run_component(
    _: Box<dyn Session>,
    _: &PreparedStep,
    _: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    unreachable!("prepare refuses components in a build without them")
}

#[cfg(not(feature = "wasm"))]
fn run_transform(
    _: Box<dyn Session>,
    _: &PreparedStep,
    _: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    unreachable!("prepare refuses transforms in a build without them")
}
