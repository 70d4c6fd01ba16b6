//! What `up` and `down` share: run to a goal and show it.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;

use whimbrel::exec::{Report, Throttle};
use whimbrel::plan::{Direction, Goal, Rules, Until};
use whimbrel::{Error, Migrator};

use crate::commands::confirm::{Danger, Question};
use crate::commands::missing;
use crate::escape;
use crate::exit::Exit;
use crate::overdue;
use crate::progress::Progress;
use crate::render::{adoption, amount, dry_run, losses, report, status, unnamed, warning};
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
    /// Instances of a transform at work at the same time.
    pub(super) jobs: Option<NonZeroUsize>,
    /// Most rows of each transform that a dry run tries.
    pub(super) sample: Option<NonZeroU64>,
    /// Everything in one transaction.
    pub(super) single: bool,
}

impl Run {
    /// Runs once somebody has agreed, where that is needed; a dry run needs nobody.
    pub(super) fn guarded(
        &self,
        danger: Danger,
        yes: bool,
        settings: &Settings,
        ui: &Ui,
        signals: &Signals,
    ) -> anyhow::Result<Exit> {
        let question = match self.dry_run {
            true => None,
            false => Question::of(self.verb, danger, yes, settings)?,
        };
        if let Some(question) = question {
            let migrator = settings.migrator(self.rules, signals.watch(), Arc::new(()))?;
            let plan = migrator.plan(&self.goal)?;
            if plan.steps.is_empty() && plan.hooks.is_empty() {
                // There is nothing to ask, and nothing that comes up meanwhile is done without asking.
                return Self { goal: Goal::Down(Until::Steps(0)), ..*self }.run(settings, ui, signals);
            }
            question.ask(ui, signals, || {
                let tried = migrator.dry_run(&self.goal)?;
                let reverted = tried.steps.iter().filter(|step| step.step.direction == Direction::Down).count();
                let count = amount::count(reverted, "migration", "migrations");
                let database = settings.database()?.display().to_string();
                Ok(format!("This reverts {count} in {}.\n{}", escape::line(&database), losses::text(&tried.losses)))
            })?;
        }
        self.run(settings, ui, signals)
    }

    /// Runs, or tries, and shows what was done.
    pub(super) fn run(&self, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
        let progress = Arc::new(Progress::new(ui).dry_run(self.dry_run).throttle(self.throttle));
        overdue::watch(settings.timeout, ui);
        let mut builder = settings.builder(self.rules, signals.watch(), progress.clone())?;
        builder = builder.single_transaction(self.single);
        if let Some(throttle) = self.throttle {
            builder = builder.throttle(throttle);
        }
        if let Some(jobs) = self.jobs {
            builder = builder.jobs(jobs);
        }
        if let Some(sample) = self.sample {
            builder = builder.sample(sample);
        }
        let migrator = builder.build()?;
        let result = if self.dry_run { migrator.dry_run(&self.goal) } else { migrator.run(&self.goal) };
        let heard = progress.finish();
        let report = match &result {
            Ok(done) => Some(done),
            // What was to be warned of may be why it has failed.
            Err(Error::Run(error)) => Some(&error.done),
            Err(_) => None,
        };
        for warning in report.into_iter().flat_map(Report::all_warnings) {
            ui.talk(warning::text(warning).trim_end());
        }
        if let Some(report) = report.filter(|report| !report.unnamed_chains.is_empty()) {
            ui.talk(unnamed::text(&report.unnamed_chains).trim_end());
        }
        let done = result?;
        if done.steps.is_empty() && done.applied == 0 {
            overlooked(&migrator, ui)?;
        }
        if done.steps.is_empty() && self.goal.direction() == Direction::Down {
            missing::mention(settings, ui)?;
        }
        let json = || report::json(self.verb, &done, heard);
        let text = || if self.dry_run { dry_run::text(&done) } else { report::summary(&done, self.goal.direction()) };
        ui.report(!self.dry_run, json, text)?;
        Ok(Exit::from(&done))
    }
}

/// Says so where migrations of the chain were applied by another tool, of which our history knows nothing.
pub(super) fn mention_other_histories(migrator: &Migrator, ui: &Ui) {
    // Whatever is in its way, there is another error to tell.
    for note in adoption::all_unknown(&migrator.other_histories().unwrap_or_default()) {
        ui.talk(&note);
    }
}

/// Says so where there is nothing to do because no file has the name of a migration.
pub(super) fn overlooked(migrator: &Migrator, ui: &Ui) -> anyhow::Result<()> {
    if let Some(text) = status::overlooked(&migrator.status()?) {
        ui.talk(text.trim_end());
    }
    Ok(())
}
