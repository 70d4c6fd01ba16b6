//! Decides how much a migration may use: its manifest may lower what the host gives, the operator's policy may raise it.

use std::fmt;

use super::asked::Limits;
use super::limit::Limit;
use super::reached::LimitReached;

/// Who a limit in force comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetBy {
    /// Nobody said anything.
    Default,
    /// The operator's policy.
    Policy,
    /// The migration's own manifest.
    Manifest,
}

impl fmt::Display for SetBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Default => "default",
            Self::Policy => "policy",
            Self::Manifest => "manifest",
        })
    }
}

/// A limit that a manifest wants higher than it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("asks for {} {}, more than the {} it may have", limit.key(), limit.amount(*asked), limit.amount(*given))]
pub struct Excess {
    /// Which.
    pub limit: Limit,
    /// What the manifest asks for.
    pub asked: u64,
    /// What the policy, or else the host, gives at most.
    pub given: u64,
}

/// The limits in force for one migration, every one of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunLimits {
    amounts: [(u64, SetBy); Limit::ALL.len()],
}

impl Default for RunLimits {
    /// Far beyond what a data migration uses.
    fn default() -> Self {
        let mut amounts = [(0, SetBy::Default); Limit::ALL.len()];
        for limit in Limit::ALL {
            amounts[*limit as usize].0 = limit.default_amount();
        }
        Self { amounts }
    }
}

impl RunLimits {
    /// Puts a manifest and a policy together. What the manifest asks beyond what it may have is an error.
    pub fn decide(asked: Option<&Limits>, policy: &Limits) -> Result<Self, Vec<Excess>> {
        let mut decided = Self::default();
        let mut excesses = Vec::new();
        for (limit, amount) in policy.iter() {
            decided.amounts[limit as usize] = (amount, SetBy::Policy);
        }
        for (limit, asked) in asked.into_iter().flat_map(Limits::iter) {
            let given = decided.of(limit);
            if asked > given {
                excesses.push(Excess { limit, asked, given });
            } else {
                decided.amounts[limit as usize] = (asked, SetBy::Manifest);
            }
        }
        if excesses.is_empty() { Ok(decided) } else { Err(excesses) }
    }

    /// Puts a manifest and a policy together; what the manifest asks beyond what it may have is cut.
    pub fn cut(asked: Option<&Limits>, policy: &Limits) -> Self {
        let mut within = Limits::default();
        let bounds = Self::decide(None, policy).unwrap_or_default();
        for (limit, amount) in asked.into_iter().flat_map(Limits::iter) {
            if amount <= bounds.of(limit) {
                within = within.with(limit, amount);
            }
        }
        Self::decide(Some(&within), policy).unwrap_or_default()
    }

    /// Returns how much: a count, bytes or milliseconds.
    pub fn of(&self, limit: Limit) -> u64 {
        self.amounts[limit as usize].0
    }

    /// Returns how much, where memory counts it.
    pub fn size(&self, limit: Limit) -> usize {
        usize::try_from(self.of(limit)).unwrap_or(usize::MAX)
    }

    /// Returns who set it.
    pub fn set_by(&self, limit: Limit) -> SetBy {
        self.amounts[limit as usize].1
    }

    /// Makes what is told when the limit is met.
    pub fn reached(&self, limit: Limit) -> LimitReached {
        LimitReached { limit, value: self.of(limit), set_by: self.set_by(limit) }
    }

    /// Tells whether an amount is beyond the limit.
    pub fn check(&self, limit: Limit, amount: u64) -> Result<(), LimitReached> {
        if amount > self.of(limit) { Err(self.reached(limit)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_lowers_and_a_policy_raises() {
        let none = Limits::default();
        let fuel = |amount| Limits::default().with(Limit::Fuel, amount);
        let default = Limit::Fuel.default_amount();
        let cases = [
            (none.clone(), none.clone(), Ok((default, SetBy::Default))),
            (fuel(5), none.clone(), Ok((5, SetBy::Manifest))),
            (none.clone(), fuel(5), Ok((5, SetBy::Policy))),
            (none.clone(), fuel(default * 2), Ok((default * 2, SetBy::Policy))),
            (fuel(default + 1), fuel(default * 2), Ok((default + 1, SetBy::Manifest))),
            (fuel(default + 1), none.clone(), Err(default)),
            (fuel(6), fuel(5), Err(5)),
        ];
        for (asked, policy, expected) in cases {
            let decided = RunLimits::decide(Some(&asked), &policy);
            let found = decided
                .map(|limits| (limits.of(Limit::Fuel), limits.set_by(Limit::Fuel)))
                .map_err(|excesses| excesses[0].given);
            assert_eq!(found, expected, "{asked:?} {policy:?}");
            assert_eq!(
                RunLimits::cut(Some(&asked), &policy).of(Limit::Fuel),
                expected.map_or_else(|given| given, |(of, _)| of)
            );
        }
    }

    #[test]
    fn the_amount_itself_is_still_allowed() {
        let limits = RunLimits::default();
        assert!(limits.check(Limit::Instances, 1_000).is_ok());
        let reached = limits.check(Limit::Instances, 1_001).unwrap_err();
        assert_eq!((reached.limit, reached.value, reached.set_by), (Limit::Instances, 1_000, SetBy::Default));
    }
}
