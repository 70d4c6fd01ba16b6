//! `whimbrel plan`: what `up` or `down` would do.

use std::sync::Arc;

use whimbrel::Interrupt;
use whimbrel::plan::{Goal, Until};

use crate::args::{DirectionArg, PlanArgs};
use crate::commands::{rules, until};
use crate::exit::Exit;
use crate::render::{plan, warning};
use crate::settings::Settings;
use crate::ui::Ui;

/// Shows the plan and what the policy would refuse of it; its warnings go to stderr.
pub(super) fn run(args: &PlanArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let otherwise = if args.direction == DirectionArg::Up || args.all { Until::End } else { Until::Steps(1) };
    let until = until(&args.until, otherwise);
    let goal = match args.direction {
        DirectionArg::Up => Goal::up(until),
        DirectionArg::Down => Goal::down(until),
    };
    let migrator = settings.migrator(rules(&args.rules), Interrupt::new(), Arc::new(()))?;
    let planned = migrator.plan(&goal)?;
    let refused = migrator.refusals(&planned);
    for warning in &planned.warnings {
        ui.talk(warning::text(warning).trim_end());
    }
    let policy = settings.policy();
    ui.result(|| plan::json(&planned, &policy, &refused), || plan::text(&planned, &policy, &refused))?;
    Ok(Exit::Done)
}
