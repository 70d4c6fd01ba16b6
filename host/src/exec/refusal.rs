//! What a policy would refuse a plan, told without compiling or running anything.

use super::hold::{AskedTooMuch, one, too_much};
use super::prepare::PrepareError;
use crate::limits::{Excess, RunLimits};
use crate::model::{Policies, Policy};
use crate::plan::{Plan, Step};

/// What a policy refuses one step of a plan; at least one thing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// The step's place in the plan, from 0.
    pub index: usize,
    /// Grants it asks for beyond what it is given.
    pub grants: Option<AskedTooMuch>,
    /// Limits it wants higher than they may be.
    pub limits: Vec<Excess>,
    /// It is held to grants and wants to run outside a transaction.
    pub outside_transaction: bool,
    /// It is held to grants and wants to rebuild tables with foreign keys off.
    pub rebuild: bool,
}

/// Returns what the policy refuses each step of a plan; steps without are left out. A run of the plan would stop before
/// anything has changed.
pub fn refusals(plan: &Plan, policies: &Policies) -> Vec<Refusal> {
    let of = |(index, step): (usize, &Step)| refusal(index, step, policies.of(&step.chain));
    plan.steps.iter().enumerate().filter_map(of).collect()
}

fn refusal(index: usize, step: &Step, policy: &Policy) -> Option<Refusal> {
    let asked = step.migration.manifest.as_ref().map(|manifest| &manifest.limits);
    let limits = RunLimits::decide(asked, &policy.limits_for(&step.migration.key())).err().unwrap_or_default();
    let (grants, error) = match one(step, policy) {
        Ok(Ok(_)) => (None, None),
        Ok(Err(refused)) => (Some(too_much(step, policy, refused)), None),
        Err(error) => (None, Some(error)),
    };
    let outside_transaction = matches!(error, Some(PrepareError::HeldOutsideTransaction { .. }));
    let rebuild = matches!(error, Some(PrepareError::HeldRebuild { .. }));
    let refused = grants.is_some() || !limits.is_empty() || outside_transaction || rebuild;
    refused.then_some(Refusal { index, grants, limits, outside_transaction, rebuild })
}
