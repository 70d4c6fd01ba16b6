//! `whimbrel verify`: whether files and history agree.

use std::sync::Arc;

use whimbrel::Interrupt;
use whimbrel::plan::{Direction, Entry, Step};

use crate::args::RuleArgs;
use crate::commands::rules;
use crate::exit::Exit;
use crate::render::verify;
use crate::settings::Settings;
use crate::ui::Ui;

/// Compares files and history.
pub(super) fn run(args: &RuleArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let rules = rules(args);
    let migrator = settings.migrator(rules, Interrupt::new(), Arc::new(()))?;
    let found = migrator.status()?;
    let step = |entry: &Entry| {
        let (chain, migration) = (Arc::clone(&entry.chain), entry.migration.clone()?);
        Some(Step { direction: Direction::Up, chain, several: false, migration })
    };
    let steps: Vec<Step> = found.entries.iter().filter_map(step).collect();
    migrator.check_scripts(&steps)?;
    let findings = verify::findings(&found, rules);
    ui.result(|| verify::json(&found, &findings), || verify::text(&found, &findings))?;
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Failed })
}
