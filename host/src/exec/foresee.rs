//! Asks the preconditions of a migration that is still to be applied, to tell what a run would do with it. Runs nothing
//! of the migration and changes nothing.

use std::error::Error;

use super::patience::Patience;
use super::preconditions::first_unmet;
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use crate::db::Session;
use crate::model::{Policies, Script, Unmet};
use crate::plan::Step;

/// What the preconditions of a migration say of the database as it is now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outlook {
    /// All of them hold.
    Met,
    /// One does not hold; it is the first.
    Unmet {
        /// What a run would do.
        otherwise: Unmet,
        /// Its message, or the query.
        reason: String,
    },
    /// They cannot be asked.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl Outlook {
    /// Tells whether a run would leave the migration out, and leave it pending.
    pub fn is_skip(&self) -> bool {
        matches!(self, Self::Unmet { otherwise: Unmet::Skip, .. })
    }
}

/// Asks all preconditions of a step that goes up. What goes wrong is in the answer; only what was stopped from outside is
/// an error. Compiles nothing. What a stranger asks takes from the patience that is left.
pub(crate) fn foresee(
    session: &mut dyn Session,
    step: Step,
    policies: &Policies,
    conditions: &Conditions<'_>,
    patience: &mut Patience,
) -> Result<Outlook, StepError> {
    let unknown = |reason| Ok(Outlook::Unknown { reason });
    if let Some(missing) = step.migration.asked.iter().flat_map(Script::missing).next() {
        return unknown(missing.to_string());
    }
    let step = match PreparedStep::without_code(step, policies) {
        Ok(step) => step,
        Err(error) => return unknown(with_causes(&error)),
    };
    let Some(step) = patience.bound(step) else { return unknown(Patience::GONE.to_owned()) };
    match patience.spend(&step, || first_unmet(session, &step, conditions)) {
        Ok(None) => Ok(Outlook::Met),
        Ok(Some(precondition)) => {
            Ok(Outlook::Unmet { otherwise: precondition.otherwise, reason: precondition.reason() })
        }
        Err(error) if error.is_interruption() => Err(error),
        Err(error) => unknown(with_causes(&error)),
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
