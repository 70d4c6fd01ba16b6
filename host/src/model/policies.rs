//! The policies of several chains.

use std::collections::BTreeMap;

use super::{Chains, Key, Policy, Version};

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

    /// Returns what is said of single migrations that their chain does not have: nobody is held to it.
    pub(crate) fn idle<'p>(&'p self, chains: &'p Chains) -> impl Iterator<Item = (&'p str, &'p Key)> {
        let of_chain = |(name, policy): (&'p String, &'p Policy)| {
            let chain = chains.get(name)?;
            let is_there = move |key: &Key| match key {
                Key::Name(name) => chain.repeatable(name).is_some(),
                // What `run-script` runs that has no version has this one.
                Key::Version(version) if *version == Version::from(0) => true,
                Key::Version(version) => {
                    let mut all = chain.migrations().iter().chain(chain.baselines());
                    all.any(|migration| migration.version == *version)
                }
            };
            Some(policy.migrations.keys().filter(move |key| !is_there(key)).map(|key| (name.as_str(), key)))
        };
        self.of.iter().filter_map(of_chain).flatten()
    }
}
