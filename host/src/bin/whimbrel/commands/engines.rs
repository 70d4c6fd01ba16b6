//! `whimbrel engines`: what runs scripts.

use std::sync::Arc;

use whimbrel::plan::Rules;

use crate::exit::Exit;
use crate::render::engines;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Asks every engine what it is; one that cannot be used is an error, after all are shown.
pub(super) fn run(settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.without_database(Rules::default(), signals.watch(), Arc::new(()))?;
    let found = migrator.look_at_engines()?;
    ui.result(|| engines::json(&found), || engines::text(&found))?;
    let good = found.iter().all(|engine| engine.answer.is_ok());
    Ok(if good { Exit::Done } else { Exit::Failed })
}
