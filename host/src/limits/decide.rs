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
    /// What was used of them before they were put in force.
    spent: [u64; Limit::ALL.len()],
}

impl Default for RunLimits {
    /// Far beyond what a data migration uses.
    fn default() -> Self {
        let mut amounts = [(0, SetBy::Default); Limit::ALL.len()];
        for limit in Limit::ALL {
            amounts[*limit as usize].0 = limit.default_amount();
        }
        Self { amounts, spent: [0; Limit::ALL.len()] }
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

    /// Returns how much is left of it.
    pub fn left(&self, limit: Limit) -> u64 {
        self.of(limit).saturating_sub(self.spent[limit as usize])
    }

    /// Takes an amount that was used off what is left.
    #[must_use]
    pub fn after(mut self, limit: Limit, used: u64) -> Self {
        let spent = &mut self.spent[limit as usize];
        *spent = spent.saturating_add(used);
        self
    }

    /// Lowers a limit to an amount of the host, if it is higher.
    #[must_use]
    pub fn at_most(mut self, limit: Limit, amount: u64) -> Self {
        if self.of(limit) > amount {
            self.amounts[limit as usize] = (amount, SetBy::Default);
        }
        self
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

    /// Tells whether an amount is beyond what is left of the limit.
    pub fn check(&self, limit: Limit, amount: u64) -> Result<(), LimitReached> {
        if amount > self.left(limit) { Err(self.reached(limit)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_counts_on_and_the_limit_is_told_as_it_was_set() {
        let limits = RunLimits::decide(None, &Limits::default().with(Limit::RowsRead, 10)).expect("limits");
        let left = limits.after(Limit::RowsRead, 4).after(Limit::RowsRead, 3);
        assert_eq!((left.of(Limit::RowsRead), left.left(Limit::RowsRead)), (10, 3));
        assert_eq!(left.check(Limit::RowsRead, 3), Ok(()));
        assert_eq!(left.check(Limit::RowsRead, 4).expect_err("over").value, 10);
        assert_eq!(left.after(Limit::RowsRead, u64::MAX).left(Limit::RowsRead), 0);
    }

    #[test]
    fn the_host_lowers_what_is_higher() {
        let limits = RunLimits::decide(None, &Limits::default().with(Limit::Time, 10)).expect("limits");
        assert_eq!(limits.at_most(Limit::Time, 20), limits);
        let lowered = limits.at_most(Limit::Time, 5);
        assert_eq!((lowered.of(Limit::Time), lowered.set_by(Limit::Time)), (5, SetBy::Default));
    }

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
