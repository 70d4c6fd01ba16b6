//! What is run at the moments of a run, for people and as JSON.

use std::sync::Arc;

use serde::Serialize;
use whimbrel::model::{Hook, Moment};

use super::style;
use crate::escape;

/// Writes a line for each hook, in the order of their moments; nothing where there are none.
pub(crate) fn text(hooks: &[Arc<Hook>]) -> String {
    let of = |moment| hooks.iter().filter(move |hook: &&Arc<Hook>| hook.moment == moment);
    let lines: String = Moment::ALL.into_iter().flat_map(of).map(|hook| line(hook)).collect();
    if lines.is_empty() { lines } else { format!("\nhooks\n{lines}") }
}

fn line(hook: &Hook) -> String {
    let Hook { moment, direction, chain, migration, .. } = hook;
    let mut line = format!("  {:<11}  {}", moment.as_str(), style::paint(style::HEAD, &escape::line(hook.name())));
    line.push_str(&format!("  {}", migration.kind()));
    if let Some(direction) = direction {
        line.push_str(&format!(", {direction} only"));
    }
    if let Some(chain) = chain {
        line.push_str(&format!(", chain {}", escape::line(chain)));
    }
    if migration.file != migration.name {
        line.push_str(&format!("  {}", escape::line(&migration.file)));
    }
    line + "\n"
}

/// A hook.
#[derive(Serialize)]
pub(crate) struct HookJson {
    moment: &'static str,
    direction: Option<&'static str>,
    chain: Option<String>,
    name: String,
    kind: &'static str,
    file: String,
    /// Whether it is run also when there is nothing to do.
    always: bool,
}

/// Writes hooks as JSON.
pub(crate) fn json(hooks: &[Arc<Hook>]) -> Vec<HookJson> {
    let one = |hook: &Arc<Hook>| HookJson {
        moment: hook.moment.as_str(),
        direction: hook.direction.map(whimbrel::plan::Direction::as_str),
        chain: hook.chain.as_deref().map(str::to_owned),
        name: hook.name().to_owned(),
        kind: hook.migration.kind().as_str(),
        file: hook.migration.file.clone(),
        always: hook.always,
    };
    hooks.iter().map(one).collect()
}
