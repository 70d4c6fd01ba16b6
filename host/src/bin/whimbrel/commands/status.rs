//! `whimbrel status`: the state of every migration.

use std::sync::Arc;

use whimbrel::exec::Outlook;
use whimbrel::plan::Rules;

use crate::args::StatusArgs;
use crate::commands::run::mention_other_histories;
use crate::exit::Exit;
use crate::render::{status, verify};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Shows the state; with `--check` the exit code tells it too.
pub(super) fn run(args: &StatusArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let (found, outlooks) = migrator.foresee()?;
    let exists = settings.database()?.exists();
    ui.result(|| status::json(&found, &outlooks, exists), || status::text(&found, &outlooks, exists))?;
    if exists && found.entries.iter().all(|entry| entry.applied.is_none()) {
        mention_other_histories(&migrator, ui);
    }
    if !args.check {
        return Ok(Exit::Done);
    }
    let wrong = !verify::findings(&found, Rules::default()).is_empty() || !found.hook_problems.is_empty();
    // What `up` would skip as the database is now is nothing to wait for.
    let would_run = |place: usize| !outlooks.get(&place).is_some_and(Outlook::is_skip);
    let pending = found.entries.iter().enumerate().any(|(place, entry)| entry.state.is_pending() && would_run(place));
    Ok(match (wrong, pending) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Pending,
        (false, false) => Exit::Done,
    })
}
