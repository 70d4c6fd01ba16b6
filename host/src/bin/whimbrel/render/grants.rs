//! Grants: what a migration asks for, what is risky about it, and what it was seen to use.

use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel::grants::{Grant, Grants, Observed, TableGrant, Verb};

use crate::escape;

/// Writes what is asked for, a line for each kind, with a mark at what an operator should look at twice.
pub(crate) fn lines(asked: Option<&Grants>) -> Vec<String> {
    let Some(asked) = asked else {
        return vec!["says nothing of grants: has all on your own chain, none on an untrusted one".to_owned()];
    };
    if asked.is_empty() {
        return vec!["asks for no grants".to_owned()];
    }
    let mut lines: Vec<String> = Verb::ALL
        .into_iter()
        .filter(|verb| !asked.of(*verb).is_empty())
        .map(|verb| {
            let objects: Vec<String> = asked.of(verb).iter().map(TableGrant::to_string).collect();
            let marks = risks(verb, asked.of(verb));
            let mark = if marks.is_empty() { String::new() } else { format!("  ! {}", marks.join("; ")) };
            format!("{verb:<9} {}{mark}", objects.join(", "))
        })
        .collect();
    if !asked.functions.is_empty() {
        lines.push(format!("{:<9} {}", "functions", asked.functions.join(", ")));
    }
    lines
}

/// Says what is risky about grants of one kind.
fn risks(verb: Verb, grants: &[TableGrant]) -> Vec<String> {
    let patterns: Vec<String> = grants
        .iter()
        .filter(|grant| grant.is_pattern())
        .map(|grant| match grant.table.as_str() {
            "*" => "* is every table there is or will be".to_owned(),
            table => format!("{table} is every name that begins so"),
        })
        .collect();
    verb.risk().map(str::to_owned).into_iter().chain(patterns).collect()
}

/// What is asked for, as JSON.
pub(crate) fn json(asked: Option<&Grants>) -> BTreeMap<&'static str, Vec<String>> {
    asked.map(|asked| asked.lines().into_iter().collect()).unwrap_or_default()
}

/// What is risky, as JSON: kind and reason.
pub(crate) fn risks_json(asked: Option<&Grants>) -> BTreeMap<&'static str, Vec<String>> {
    let asked = asked.into_iter().flat_map(|asked| Verb::ALL.map(|verb| (verb, asked.of(verb))));
    let asked = asked.filter(|(_, grants)| !grants.is_empty());
    let risky = asked.map(|(verb, grants)| (verb.as_str(), risks(verb, grants)));
    risky.filter(|(_, risks)| !risks.is_empty()).collect()
}

/// Writes the least manifest that would do for what was seen, and what the real one asks for beyond it.
pub(crate) fn observed(observed: &Observed, asked: Option<&Grants>) -> String {
    let least = observed.least();
    let mut text = String::new();
    if least.is_empty() {
        text.push_str("    used no grants\n");
    } else {
        text.push_str("    used, as the least manifest would ask for it:\n      [grants]\n");
        for line in least.to_toml().lines() {
            text.push_str(&format!("      {}\n", escape::line(line)));
        }
    }
    let unused = asked.map(|asked| observed.unused(asked)).unwrap_or_default();
    if !unused.is_empty() {
        text.push_str("    ! asks for more than it was seen to use this way:\n");
        for line in Grants::collect(&unused).to_toml().lines() {
            text.push_str(&format!("      {}\n", escape::line(line)));
        }
    }
    text
}

/// What restricted code used.
#[derive(Serialize)]
pub(crate) struct ObservedJson {
    /// The least grants that would do.
    used: BTreeMap<&'static str, Vec<String>>,
    /// What it asks for and was not seen to use.
    unused: BTreeMap<&'static str, Vec<String>>,
}

/// Writes what restricted code used as JSON.
pub(crate) fn observed_json(observed: &Observed, asked: Option<&Grants>) -> ObservedJson {
    let unused: Vec<Grant> = asked.map(|asked| observed.unused(asked)).unwrap_or_default();
    ObservedJson { used: json(Some(&observed.least())), unused: json(Some(&Grants::collect(&unused))) }
}
