//! `whimbrel redo` and `whimbrel reset`: back and forth again, or back to nothing.

use whimbrel::plan::{Goal, Rules, Until};

use crate::args::{RedoArgs, ResetArgs};
use crate::commands::confirm::Danger;
use crate::commands::run::Run;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Reverts the last migrations and applies them again.
pub(super) fn redo(args: &RedoArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let goal = Goal::Redo(usize::try_from(args.steps).unwrap_or(usize::MAX));
    let single = args.single_transaction;
    let run = Run {
        verb: "redo",
        goal,
        rules: Rules::default(),
        dry_run: args.dry_run,
        single,
        throttle: None,
        jobs: None,
        sample: None,
    };
    run.guarded(Danger::Redo, false, settings, ui, signals)
}

/// Reverts everything.
pub(super) fn reset(args: &ResetArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let goal = Goal::Down(Until::End);
    let single = args.single_transaction;
    let run = Run {
        verb: "reset",
        goal,
        rules: Rules::default(),
        dry_run: args.dry_run,
        single,
        throttle: None,
        jobs: None,
        sample: None,
    };
    run.guarded(Danger::Everything, args.yes, settings, ui, signals)
}
