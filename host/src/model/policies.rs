//! The policies of several chains.

use std::collections::BTreeMap;

use super::Policy;

/// The policies of several chains by their names; a chain without one is the operator's own.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    of: BTreeMap<String, Policy>,
    open: Policy,
}

impl Policies {
    /// Sets the policy of a chain.
    pub fn set(&mut self, chain: impl Into<String>, policy: Policy) {
        self.of.insert(chain.into(), policy);
    }

    /// Returns the policy of a chain.
    pub fn of(&self, chain: &str) -> &Policy {
        self.of.get(chain).unwrap_or(&self.open)
    }
}
