//! Asks what is applied whether it did what it should, and whether that still holds. Changes nothing.

use super::functions::bring;
use super::patience::bound_one;
use super::prepare::{Prepared, PreparedStep};
use super::report::StepError;
use super::run::Conditions;
use super::verify::{verify_code, verify_script};
use crate::db::Session;
use crate::plan::Step;

/// What was asked whether a migration did what it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// Its verify script.
    Script,
    /// The `verify` that its code exports.
    Code,
}

/// What an applied migration answers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The migration, as it was applied.
    pub step: Step,
    /// What was asked.
    pub asked: Asked,
    /// Why it does not hold.
    pub result: Result<(), StepError>,
}

/// Asks all steps, each in a transaction of its own that only reads; what fails does not stop the rest, an interrupt does. Of those that
/// are not in `as_applied` the code is no longer what was applied, and is not asked.
pub(crate) fn verify_all(
    mut session: Box<dyn Session>,
    prepared: Prepared,
    as_applied: &[bool],
    conditions: &Conditions<'_>,
) -> Result<Vec<Verified>, StepError> {
    let mut verified = Vec::new();
    for (step, as_applied) in prepared.steps.into_iter().map(bound_one).zip(as_applied) {
        let step = &step;
        for asked in [Asked::Script, Asked::Code] {
            let is_there = match asked {
                Asked::Script => step.step.migration.verify.is_some(),
                Asked::Code => *as_applied && step.is_verified,
            };
            if !is_there {
                continue;
            }
            let (returned, result) = look_again(session, step, asked, conditions);
            session = returned;
            match result {
                Err(source) if source.is_interruption() => return Err(source),
                result => verified.push(Verified { step: step.step.clone(), asked, result }),
            }
        }
    }
    Ok(verified)
}

fn look_again(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    asked: Asked,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<(), StepError>) {
    let opened = session.begin_reading().map_err(StepError::doing("begin a transaction"));
    let functions = match opened.and_then(|()| bring(session.as_mut(), step, conditions)) {
        Ok(functions) => functions,
        Err(error) => {
            end_reading(session.as_mut());
            return (session, Err(error));
        }
    };
    let (mut session, result) = match asked {
        Asked::Script => {
            let result = verify_script(session.as_mut(), step, conditions);
            (session, result)
        }
        Asked::Code => {
            let (session, result) = verify_code(session, step, conditions);
            (session, result.map(drop))
        }
    };
    let ended = functions.end(session.as_mut()).map(drop);
    end_reading(session.as_mut());
    (session, result.and(ended))
}

fn end_reading(session: &mut dyn Session) {
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
}
