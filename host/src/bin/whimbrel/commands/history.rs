//! `whimbrel history`: what was applied when.

use std::sync::Arc;

use whimbrel::Interrupt;
use whimbrel::plan::Rules;

use crate::exit::Exit;
use crate::render::history;
use crate::settings::Settings;
use crate::ui::Ui;

/// Shows the rows of the history.
pub(super) fn run(settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let rows = settings.migrator(Rules::default(), Interrupt::new(), Arc::new(()))?.history()?;
    ui.result(|| history::json(&rows), || history::text(&rows))?;
    Ok(Exit::Done)
}
