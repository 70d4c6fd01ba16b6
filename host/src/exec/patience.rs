//! How long one look at a database waits for the queries of chains that are not trusted. Runs nothing itself.

use std::time::{Duration, Instant};

use super::prepare::PreparedStep;
use crate::limits::{Limit, SetBy};

/// In milliseconds, as limits have it.
const SECOND: u64 = 1_000;
/// The time for one thing that a stranger's migration asks, where the operator has asked for each of them.
const FOR_ONE: u64 = 30 * SECOND;

/// Has a step of a stranger stop soon, unless the operator gives it a time of its own.
pub(super) fn bound_one(step: PreparedStep) -> PreparedStep {
    if !step.is_strangers || step.limits.set_by(Limit::Time) == SetBy::Policy {
        return step;
    }
    PreparedStep { limits: step.limits.at_most(Limit::Time, FOR_ONE), ..step }
}

/// What is left of the time that one look has for strangers' queries, all of them together. The operator's own take as long as
/// they take.
pub(crate) struct Patience {
    left: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { left: Self::ALL }
    }
}

impl Patience {
    /// The time for all of them: nobody waits longer to be told how things stand.
    const ALL: Duration = Duration::from_secs(10);
    /// Why one is not asked any more.
    pub(super) const GONE: &'static str =
        "it was not asked: what chains that are not trusted asked before it took 10 s, which is all they have";

    /// Has a step of a stranger stop when the time is over; `None` where it is over already.
    pub(super) fn bound(&self, step: PreparedStep) -> Option<PreparedStep> {
        if !step.is_strangers {
            return Some(step);
        }
        let left = u64::try_from(self.left.as_millis()).unwrap_or(u64::MAX).div_ceil(SECOND) * SECOND;
        (left > 0).then(|| PreparedStep { limits: step.limits.at_most(Limit::Time, left), ..step })
    }

    /// Takes the time that a step of a stranger takes off what is left.
    pub(super) fn spend<R>(&mut self, step: &PreparedStep, ask: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        let answer = ask();
        if step.is_strangers {
            self.left = self.left.saturating_sub(began.elapsed());
        }
        answer
    }
}
