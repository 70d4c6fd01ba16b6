//! `whimbrel adopt`: takes over the history that another tool keeps in the database.

use std::sync::Arc;

use whimbrel::history::foreign::Choice;
use whimbrel::plan::Rules;

use crate::args::AdoptArgs;
use crate::exit::Exit;
use crate::render::adoption;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Takes a history over, or shows what that would write.
pub(super) fn run(args: &AdoptArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let choice = Choice {
        tool: args.from,
        table: args.from_table.clone(),
        accept_changed: args.accept_changed,
        baseline: args.baseline,
        keep_writing: args.keep_writing,
    };
    let adoption = if args.dry_run { migrator.plan_adoption(&choice)? } else { migrator.adopt(&choice)? };
    for mention in adoption.mentions.iter().filter(|_| !adoption.keep_writing) {
        ui.talk(&adoption::mention(mention, &adoption.from.table));
    }
    let (json, text) = (|| adoption::json(&adoption), || adoption::text(&adoption));
    ui.report(!args.dry_run, json, text)?;
    Ok(Exit::Done)
}
