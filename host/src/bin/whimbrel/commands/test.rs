//! `whimbrel test`: whether pending migrations keep what they promise, tried on copies of the database.

use std::sync::Arc;

use whimbrel::plan::{Goal, Until};

use crate::args::TestArgs;
use crate::commands::{rules, until};
use crate::exit::Exit;
use crate::overdue;
use crate::render::determinism;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Runs the code of pending migrations twice and compares. Without a check named, all are made; there is one so far.
pub(super) fn run(args: &TestArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let goal = Goal::up(until(&args.until, Until::End));
    overdue::watch(settings.timeout, ui);
    let trials = settings.migrator(rules(&args.rules), signals.watch()?, Arc::new(()))?.run_twice(&goal)?;
    ui.result(|| determinism::json(&trials), || determinism::text(&trials))?;
    let agree = trials.iter().all(|trial| trial.disagreement.is_none());
    Ok(if agree { Exit::Done } else { Exit::Failed })
}
