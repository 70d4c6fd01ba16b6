//! What `up` and `down` share: run to a goal and show it.

use std::sync::Arc;

use whimbrel::plan::{Goal, Rules};

use crate::exit::Exit;
use crate::progress::Progress;
use crate::render::{dry_run, report, warning};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// A run to a goal.
pub(super) struct Run {
    pub(super) verb: &'static str,
    pub(super) goal: Goal,
    pub(super) rules: Rules,
    pub(super) dry_run: bool,
}

impl Run {
    /// Runs, or tries, and shows what was done.
    pub(super) fn run(&self, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
        let progress = Arc::new(Progress::new(ui));
        let migrator = settings.migrator(self.rules, signals.watch()?, progress.clone())?;
        let result = if self.dry_run { migrator.dry_run(&self.goal) } else { migrator.run(&self.goal) };
        let logs = progress.finish();
        let done = result?;
        for warning in &done.warnings {
            ui.talk(warning::text(warning).trim_end());
        }
        let text = || if self.dry_run { dry_run::text(&done) } else { report::summary(&done, self.goal.direction) };
        ui.result(|| report::json(self.verb, &done, logs), text)?;
        Ok(Exit::Done)
    }
}
