//! What a policy would refuse a migration, for people and as JSON, and how to give it.

use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel::exec::Refusal;
use whimbrel::grants::{Grant, Grants};
use whimbrel::model::Key;

use super::grants;
use crate::{escape, failure};

/// Writes a line for each thing that is refused.
pub(crate) fn lines(refusal: &Refusal) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(asked) = &refusal.grants {
        for grant in &asked.refused {
            let never = if asked.never.contains(grant) { ", which no policy can give here" } else { "" };
            lines.push(format!("refused   {grant}{never}"));
        }
    }
    lines.extend(refusal.limits.iter().map(|excess| format!("refused   {excess}")));
    if refusal.outside_transaction {
        lines.push("refused   to run outside a transaction, because it is held to grants".to_owned());
    }
    if refusal.rebuild {
        lines.push("refused   to rebuild tables with foreign keys off, because it is held to grants".to_owned());
    }
    lines
}

/// Says how to give it, ready to paste; empty when nothing can be given.
pub(crate) fn hint(refusal: &Refusal, chain: &str, key: &Key) -> String {
    let mut hints: Vec<String> =
        refusal.grants.iter().map(failure::give_grants).filter(|hint| !hint.is_empty()).collect();
    if !refusal.limits.is_empty() {
        hints.push(failure::give_limits(&refusal.limits, chain, key));
    }
    hints.iter().flat_map(|hint| hint.trim_end().lines()).enumerate().fold(String::new(), |text, (index, line)| {
        let indent = if index == 0 { "hint: " } else { "    " };
        format!("{text}{indent}{}\n", escape::line(line))
    })
}

/// What a policy would refuse a migration.
#[derive(Serialize)]
pub(crate) struct RefusalJson {
    /// Grants, by kind.
    grants: BTreeMap<&'static str, Vec<String>>,
    /// Those of them that no policy can give.
    never: BTreeMap<&'static str, Vec<String>>,
    limits: Vec<ExcessJson>,
    outside_transaction: bool,
    rebuild: bool,
}

#[derive(Serialize)]
struct ExcessJson {
    limit: &'static str,
    asked: u64,
    given: u64,
}

/// Writes what is refused as JSON.
pub(crate) fn json(refusal: &Refusal) -> RefusalJson {
    let asked = refusal.grants.as_ref();
    let collected = |grants: Option<&Vec<Grant>>| {
        let grants = Grants::collect(grants.into_iter().flatten());
        grants::json(Some(&grants))
    };
    let excess = |excess: &whimbrel::limits::Excess| ExcessJson {
        limit: excess.limit.key(),
        asked: excess.asked,
        given: excess.given,
    };
    RefusalJson {
        grants: collected(asked.map(|asked| &asked.refused)),
        never: collected(asked.map(|asked| &asked.never)),
        limits: refusal.limits.iter().map(excess).collect(),
        outside_transaction: refusal.outside_transaction,
        rebuild: refusal.rebuild,
    }
}
