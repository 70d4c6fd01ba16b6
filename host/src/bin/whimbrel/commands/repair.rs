//! `whimbrel repair`: puts the history right, after it has said what it will write.

use std::sync::Arc;

use whimbrel::plan::Rules;

use crate::args::RepairArgs;
use crate::commands::confirm::{Danger, Question};
use crate::exit::Exit;
use crate::render::repair;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Shows what would be written, asks, and writes it.
pub(super) fn run(args: &RepairArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let wanted = args.wanted();
    let decided = migrator.plan_repair(&wanted)?;
    if !decided.warnings.is_empty() {
        ui.talk(repair::warnings(&decided).trim_end());
    }
    let written = !args.dry_run && !decided.changes.is_empty();
    if written {
        if let Some(question) = Question::of("repair", Danger::History, args.yes, settings)? {
            question.ask(ui, signals, || Ok(repair::text(&decided)))?;
        }
        migrator.repair(&wanted, &decided)?;
    }
    let (json, text) = (|| repair::json(&decided, args.dry_run, written), || repair::summary(&decided, args.dry_run));
    ui.report(written, json, text)?;
    Ok(Exit::Done)
}
