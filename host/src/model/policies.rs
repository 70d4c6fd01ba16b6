//! The policies of several chains.

use std::collections::BTreeMap;

use super::policy::begins_with;
use super::{Chains, Key, Policy, PolicyError, Trust, Version};

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

    /// Refuses namespaces of untrusted chains of which one begins with another, or is the same: within its namespace a chain
    /// may do everything, also with what another one has there.
    pub fn check_apart(&self) -> Result<(), PolicyError> {
        let untrusted: Vec<(&String, &String)> = self
            .of
            .iter()
            .filter_map(|(chain, policy)| match &policy.trust {
                Trust::Owner => None,
                Trust::Untrusted { namespace } => Some((chain, namespace)),
            })
            .collect();
        for (index, (chain, namespace)) in untrusted.iter().enumerate() {
            for (of, shorter) in &untrusted[..index] {
                let ((chain, namespace), (of, shorter)) = match shorter.len() <= namespace.len() {
                    true => ((chain, namespace), (of, shorter)),
                    false => ((of, shorter), (chain, namespace)),
                };
                if begins_with(namespace, shorter) {
                    let (chain, namespace) = ((*chain).clone(), (*namespace).clone());
                    let (of, shorter) = ((*of).clone(), (*shorter).clone());
                    return Err(PolicyError::NamespaceInside { chain, namespace, of, shorter });
                }
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(all: &[(&str, Option<&str>)]) -> Policies {
        let mut policies = Policies::default();
        for (chain, namespace) in all {
            let trust = namespace.map_or(Trust::Owner, |namespace| Trust::Untrusted { namespace: namespace.into() });
            policies.set(*chain, Policy { trust, ..Policy::default() });
        }
        policies
    }

    #[test]
    fn namespaces_inside_each_other_are_refused() {
        for (one, other) in [("acme_", "acme_pro_"), ("ACME_pro_", "acme_"), ("acme_", "Acme_")] {
            let error = policies(&[("a", Some(one)), ("b", Some(other)), ("main", None)]).check_apart().unwrap_err();
            assert!(matches!(error, PolicyError::NamespaceInside { .. }), "{error}");
        }
        let error = policies(&[("pro", Some("acme_pro_")), ("sold", Some("acme_"))]).check_apart().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the namespace acme_pro_ of the chain pro begins with acme_, that of the chain sold, which would have its tables; \
             choose namespaces of which none begins with another"
        );
        assert_eq!(policies(&[("a", Some("acme_")), ("b", Some("acmepro_")), ("main", None)]).check_apart(), Ok(()));
    }
}
