//! Runs code of the program inside the transaction of a step, which is the host's to end.

use std::sync::Arc;

use super::report::StepError;
use super::run::Conditions;
use super::voice::Voice;
use crate::db::{Session, Transaction};
use crate::model::RustError;
use crate::plan::Step;

/// Lends the open transaction to code of the program, hears what it logs, and refuses what would end the transaction.
pub(super) fn run_rust(
    session: &mut dyn Session,
    step: &Step,
    conditions: &Conditions<'_>,
    code: impl FnOnce(&mut Transaction<'_>) -> Result<(), RustError>,
) -> Result<(), StepError> {
    let voice = Voice { step: step.clone(), observer: Arc::clone(conditions.observer) };
    session.keep_transaction(true);
    let done = code(&mut Transaction::new(session).heard_by(&voice));
    match session.keep_transaction(false) {
        Some(statement) => Err(StepError::OwnTransaction { statement, source: done.err() }),
        None => done.map_err(|source| StepError::of_code(source, conditions.interrupt)),
    }
}
