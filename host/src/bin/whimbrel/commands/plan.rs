//! `whimbrel plan`: what `up` or `down` would do.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use whimbrel::db::{DbError, ErrorCode};
use whimbrel::exec::{Loss, StepOutcome};
use whimbrel::plan::{Direction, Goal, GraphFormat, Plan, Until};
use whimbrel::{Error, Interrupt};

use crate::args::{DirectionArg, GraphArg, PlanArgs};
use crate::commands::run::{mention_other_histories, overlooked};
use crate::commands::{rules, until};
use crate::escape;
use crate::exit::Exit;
use crate::failure;
use crate::render::json::schema;
use crate::render::plan::{self, Shown};
use crate::render::{unnamed, warning};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// How long the trial waits for another process that writes: who only looks does not wait for long.
const PATIENCE: Duration = Duration::from_secs(1);

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
    let interrupt = signals.watch();
    let migrator = settings.migrator(rules(&args.rules), interrupt.clone(), Arc::new(()))?;
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
    let lost = losses(args, settings, &planned, interrupt)?;
    if let Err(reason) = &lost {
        ui.talk(&format!("note: what would be lost is not known: {}", escape::line(reason)));
    }
    let shown = Shown {
        plan: &planned,
        policies: migrator.policies(),
        refused: &migrator.refusals(&planned),
        lost: lost.as_deref().map_err(String::as_str),
    };
    for warning in &planned.warnings {
        ui.talk(warning::text(warning).trim_end());
    }
    if !planned.unnamed_chains.is_empty() {
        ui.talk(unnamed::text(&planned.unnamed_chains).trim_end());
    }
    if planned.goal.direction() == Direction::Up && !planned.steps.is_empty() {
        mention_other_histories(&migrator, ui);
    }
    if planned.migrations == 0 {
        overlooked(&migrator, ui)?;
    }
    ui.result(|| plan::json(&shown), || plan::text(&shown))?;
    Ok(Exit::Done)
}

/// Finds out what reverting would take away, by doing it and rolling it back. Where that is not possible, the plan is
/// shown all the same, with the reason why it is not known.
fn losses(
    args: &PlanArgs,
    settings: &Settings,
    planned: &Plan,
    interrupt: Interrupt,
) -> anyhow::Result<Result<Vec<Loss>, String>> {
    if planned.goal.direction() == Direction::Up || planned.steps.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let builder = settings.builder(rules(&args.rules), interrupt, Arc::new(()))?;
    let migrator = builder.lock_timeout(settings.lock_timeout.min(PATIENCE)).build()?;
    let tried = match migrator.dry_run(&planned.goal) {
        Ok(tried) => tried,
        Err(error) if error.is_interruption() => return Err(error.into()),
        Err(error) => return Ok(Err(reason(error))),
    };
    // What was not tried may take away more.
    let left_out = tried.steps.iter().find(|step| step.outcome == StepOutcome::NotTried);
    Ok(match left_out {
        Some(step) => {
            let because = step.reason.as_deref().unwrap_or("it cannot be rolled back");
            Err(format!("migration {} was not tried: {because}", step.step.title()))
        }
        None => Ok(tried.losses),
    })
}

/// Says why the trial did not come to its end. Where it could not even begin, no migration is to blame.
fn reason(error: Error) -> String {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    match causes.find_map(|cause| cause.downcast_ref::<DbError>()).map(|error| error.code) {
        Some(ErrorCode::Busy) => "another process is writing to the database".to_owned(),
        Some(ErrorCode::ReadOnly) => {
            "it is found out by doing it and rolling it back, and the database cannot be written".to_owned()
        }
        _ => {
            let failure = failure::explain(error.into());
            std::iter::once(failure.message).chain(failure.causes).collect::<Vec<_>>().join(": ")
        }
    }
}
