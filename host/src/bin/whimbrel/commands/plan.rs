//! `whimbrel plan`: what `up` or `down` would do.

use std::sync::Arc;

use serde::Serialize;
use whimbrel::Migrator;
use whimbrel::exec::Loss;
use whimbrel::plan::{Direction, Goal, GraphFormat, Plan, Until};

use crate::args::{DirectionArg, GraphArg, PlanArgs};
use crate::commands::run::overlooked;
use crate::commands::{rules, until};
use crate::escape;
use crate::exit::Exit;
use crate::render::json::schema;
use crate::render::plan::{self, Shown};
use crate::render::warning;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

#[derive(Serialize)]
struct GraphJson<'a> {
    schema: String,
    format: &'static str,
    graph: &'a str,
}

/// Shows the plan and what the policy would refuse of it; its warnings go to stderr.
pub(super) fn run(args: &PlanArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let otherwise = if args.direction == DirectionArg::Up || args.all { Until::End } else { Until::Steps(1) };
    let until = until(&args.until, otherwise);
    let goal = match args.direction {
        DirectionArg::Up => Goal::Up(until),
        DirectionArg::Down => Goal::Down(until),
    };
    let migrator = settings.migrator(rules(&args.rules), signals.watch(), Arc::new(()))?;
    if let Some(format) = args.graph {
        let (name, format) = match format {
            GraphArg::Mermaid => ("mermaid", GraphFormat::Mermaid),
            GraphArg::Dot => ("dot", GraphFormat::Dot),
        };
        let graph = migrator.graph(&goal, format)?;
        ui.result(|| GraphJson { schema: schema("graph"), format: name, graph: &graph }, || graph.clone())?;
        return Ok(Exit::Done);
    }
    let planned = migrator.plan(&goal)?;
    migrator.check_code(&planned.steps)?;
    let shown = Shown {
        plan: &planned,
        policies: migrator.policies(),
        refused: &migrator.refusals(&planned),
        lost: &losses(&migrator, &planned, ui),
    };
    for warning in &planned.warnings {
        ui.talk(warning::text(warning).trim_end());
    }
    if planned.migrations == 0 {
        overlooked(&migrator, ui)?;
    }
    ui.result(|| plan::json(&shown), || plan::text(&shown))?;
    Ok(Exit::Done)
}

/// Finds out what reverting would take away, by doing it and rolling it back. Where that is not possible, the plan is
/// shown all the same.
fn losses(migrator: &Migrator, planned: &Plan, ui: &Ui) -> Vec<Loss> {
    if planned.goal.direction() == Direction::Up || planned.steps.is_empty() {
        return Vec::new();
    }
    match migrator.dry_run(&planned.goal) {
        Ok(tried) => tried.losses,
        Err(error) => {
            let reason = escape::line(&error.to_string()).into_owned();
            ui.talk(&format!("note: what would be lost is not known: {reason}"));
            Vec::new()
        }
    }
}
