//! `whimbrel down`: reverts what is applied, newest first.

use whimbrel::plan::{Goal, Rules, Until};

use crate::args::DownArgs;
use crate::commands::confirm::Danger;
use crate::commands::run::Run;
use crate::commands::until;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Reverts one migration unless told otherwise, or tries it.
pub(super) fn run(args: &DownArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let otherwise = if args.all { Until::End } else { Until::Steps(1) };
    let goal = Goal::Down(until(&args.until, otherwise));
    let (rules, single) = (Rules::default(), args.single_transaction);
    let run =
        Run { verb: "down", goal, rules, dry_run: args.dry_run, single, throttle: None, jobs: None, sample: None };
    run.guarded(Danger::Some, args.yes, settings, ui, signals)
}
