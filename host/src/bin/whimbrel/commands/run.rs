//! What `up` and `down` share: run to a goal and show it.

use std::num::NonZeroU64;
use std::sync::Arc;

use whimbrel::exec::Throttle;
use whimbrel::plan::{Goal, Rules};

use crate::exit::Exit;
use crate::overdue;
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
    /// How fast transforms in chunks may go.
    pub(super) throttle: Option<Throttle>,
    /// Most rows of each transform that a dry run tries.
    pub(super) sample: Option<NonZeroU64>,
}

impl Run {
    /// Runs, or tries, and shows what was done.
    pub(super) fn run(&self, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
        let progress = Arc::new(Progress::new(ui));
        overdue::watch(settings.timeout, ui);
        let mut builder = settings.builder(self.rules, signals.watch()?, progress.clone())?;
        if let Some(throttle) = self.throttle {
            builder = builder.throttle(throttle);
        }
        if let Some(sample) = self.sample {
            builder = builder.sample(sample);
        }
        let migrator = builder.build()?;
        let result = if self.dry_run { migrator.dry_run(&self.goal) } else { migrator.run(&self.goal) };
        let logs = progress.finish();
        let done = result?;
        for warning in &done.warnings {
            ui.talk(warning::text(warning).trim_end());
        }
        let text = || if self.dry_run { dry_run::text(&done) } else { report::summary(&done, self.goal.direction) };
        ui.result(|| report::json(self.verb, &done, logs), text)?;
        let kept_aside = done.steps.iter().any(|step| step.rows.is_some_and(|rows| rows.rejected > 0));
        Ok(if kept_aside { Exit::RowsKeptAside } else { Exit::Done })
    }
}
