//! Tells of what only another program can run and that comes before what is to be applied. Pure.

use super::Direction;
use super::build::{Step, Warning};
use crate::model::{Applied, Chain, Chains, Elsewhere, Role};
use crate::shown::Shown;

/// Warns of it, chain by chain: what is to be applied may build on what it would have done.
pub(super) fn warnings(chains: &Chains, applied: &[Applied], steps: &[Step]) -> Vec<Warning> {
    chains.active().filter_map(|chain| warning(chain, applied, steps)).collect()
}

fn warning(chain: &Chain, applied: &[Applied], steps: &[Step]) -> Option<Warning> {
    let of_chain = |step: &&Step| {
        *step.chain == *chain.name() && step.direction == Direction::Up && step.migration.role() != Role::Repeatable
    };
    let before = |other: &&Elsewhere| {
        let is_done = applied
            .iter()
            .any(|row| *row.chain == *chain.name() && row.is_live() && !row.repeatable && row.version == other.version);
        // Somebody may have written it anew for this host.
        let is_here = chain.migrations().iter().any(|migration| migration.version == other.version);
        !is_done && !is_here && steps.iter().filter(of_chain).any(|step| step.migration.version > other.version)
    };
    let pending: Vec<&Elsewhere> = chain.elsewhere().iter().filter(before).collect();
    let first = *pending.first()?;
    let more = match pending.len() - 1 {
        0 => String::new(),
        1 => ", as is another one".to_owned(),
        more => format!(", as are {more} more"),
    };
    let after = steps.iter().filter(of_chain).find(|step| step.migration.version > first.version)?;
    Some(Warning {
        migration: format!("{} {}", first.version, first.name),
        message: format!(
            "is code that only the program which it is a part of can run ({}){more}; {} comes after it",
            Shown(&first.file),
            after.title()
        ),
        hint: "what is applied without it may go wrong where it builds on it: have that program apply it first, or write it as a script \
               or a component of the same version"
            .to_owned(),
        place: None,
    })
}
