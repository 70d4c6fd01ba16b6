//! Chains that only the history knows, for people and as JSON.

use serde::Serialize;
use whimbrel::plan::UnnamedChain;

use super::{amount, style};
use crate::escape;

/// Writes a note for each, with what to do.
pub(crate) fn text(chains: &[UnnamedChain]) -> String {
    let (note, hint) = (style::paint(style::HINT, "note"), style::paint(style::HINT, "hint"));
    let one = |chain: &UnnamedChain| {
        let name = escape::line(&chain.name).into_owned();
        let rows = amount::count(chain.rows, "applied migration", "applied migrations");
        format!(
            "{note}: the history has {rows} of the chain {name}, which these settings do not name\n\
             {hint}: if it was renamed or left out, name it in whimbrel.toml (`chain`, or `[chains.<name>]` with its `dir`); \
             if other settings have it, say so: `other_chains = [\"{name}\"]`\n"
        )
    };
    chains.iter().map(one).collect()
}

/// A chain that only the history knows.
#[derive(Serialize)]
pub(crate) struct UnnamedJson {
    chain: String,
    /// Its rows that are in force.
    rows: usize,
}

/// Writes them as JSON.
pub(crate) fn json(chains: &[UnnamedChain]) -> Vec<UnnamedJson> {
    chains.iter().map(|chain| UnnamedJson { chain: chain.name.clone(), rows: chain.rows }).collect()
}
