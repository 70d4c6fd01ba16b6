//! `whimbrel verify`: whether files and history agree.

use std::sync::Arc;

use whimbrel::Interrupt;

use crate::args::RuleArgs;
use crate::commands::rules;
use crate::exit::Exit;
use crate::render::verify;
use crate::settings::Settings;
use crate::ui::Ui;

/// Compares files and history.
pub(super) fn run(args: &RuleArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let rules = rules(args);
    let found = settings.migrator(rules, Interrupt::new(), Arc::new(()))?.status()?;
    let findings = verify::findings(&found, rules);
    ui.result(|| verify::json(&found, &findings), || verify::text(&found, &findings))?;
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Failed })
}
