//! `whimbrel up`: applies what is pending.

use whimbrel::plan::{Goal, Until};

use crate::args::UpArgs;
use crate::commands::run::Run;
use crate::commands::{rules, until};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Applies what is pending, or tries it.
pub(super) fn run(args: &UpArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let goal = Goal::Up(until(&args.until, Until::End));
    let run = Run {
        verb: "up",
        goal,
        rules: rules(&args.rules),
        dry_run: args.dry_run,
        single: args.single_transaction,
        throttle: args.throttle,
        jobs: args.jobs,
        sample: args.sample,
    };
    run.run(settings, ui, signals)
}
