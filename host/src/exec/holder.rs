//! Says who is at work on a step, so that others can read it while they wait.

use jiff::Timestamp;

use super::prepare::PreparedStep;
use super::run::Conditions;
use super::step::moment;
use crate::db::Session;
use crate::lock::Holder;
use crate::plan::Direction;

/// Describes this run as the one that is at work on a step from now on.
pub(super) fn holder(step: &PreparedStep, conditions: &Conditions<'_>) -> Holder {
    let doing = match step.step.direction {
        Direction::Up => "applies",
        Direction::Down => "reverts",
    };
    let (chain, title) = (&step.step.chain, step.step.title());
    conditions.here.holder(&conditions.run_id(), chain, &title, doing, &moment(Timestamp::now()))
}

/// Tells others who has the transaction that is open.
pub(super) fn note(session: &mut dyn Session, step: &PreparedStep, conditions: &Conditions<'_>) {
    session.note(&holder(step, conditions).note());
}
