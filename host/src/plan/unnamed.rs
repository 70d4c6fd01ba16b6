//! Finds the chains that only the history knows: renamed, or left out of the settings, or run by others.

use std::collections::BTreeMap;

use crate::model::{Applied, Chains};

/// A chain of the history that is none of those there are, nor said to be run by others. It may have been renamed, or left out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnnamedChain {
    /// Its name in the history.
    pub name: String,
    /// Its rows that are in force.
    pub rows: usize,
}

/// Returns the chains, by name, that have rows in force and are named nowhere, active or not.
pub(crate) fn unnamed_chains(chains: &Chains, applied: &[Applied]) -> Vec<UnnamedChain> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for row in applied.iter().filter(|row| row.is_live() && !chains.is_named(&row.chain)) {
        *found.entry(&row.chain).or_default() += 1;
    }
    found.into_iter().map(|(name, rows)| UnnamedChain { name: name.to_owned(), rows }).collect()
}
