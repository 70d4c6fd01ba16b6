//! `whimbrel preview` and `whimbrel rejects`: what a transform would do to rows, and which it could not do.

use std::sync::Arc;

use whimbrel::Interrupt;
use whimbrel::plan::Rules;
use whimbrel::transform::Selection;

use crate::args::{PreviewArgs, RejectsArgs};
use crate::exit::Exit;
use crate::render::preview;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Shows rows before and after.
pub(super) fn run(args: &PreviewArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), signals.watch()?, Arc::new(()))?;
    let selection = if args.key.is_empty() { Selection::First(args.rows) } else { Selection::Key(args.key.clone()) };
    let shown = migrator.preview(args.version, &selection)?;
    ui.result(|| preview::json(&shown), || preview::text(&shown))?;
    Ok(Exit::Done)
}

/// Shows the rows that were kept aside.
pub(super) fn rejects(args: &RejectsArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let rows = settings.migrator(Rules::default(), Interrupt::new(), Arc::new(()))?.rejects(args.version)?;
    ui.result(|| preview::rejects_json(&rows), || preview::rejects(&rows))?;
    Ok(Exit::Done)
}
