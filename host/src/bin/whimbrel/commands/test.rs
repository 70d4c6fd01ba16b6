//! `whimbrel test`: whether pending migrations keep what they promise, tried on copies of the database.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use whimbrel::Migrator;
use whimbrel::db::sqlite::Fill;
use whimbrel::exec::{Leg, TripOutcome};
use whimbrel::model::{Dependency, Role, Version};
use whimbrel::plan::{Entry, Goal, PlanError, PlanProblem, Until};

use crate::args::{Globals, TestArgs};
use crate::commands::{rules, until};
use crate::escape;
use crate::exit::Exit;
use crate::overdue;
use crate::render::junit::Report;
use crate::render::test::Found;
use crate::render::trip::Trips;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Makes the checks that are named, or all of them, and writes what was found.
pub(super) fn run(args: &TestArgs, globals: &Globals, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    if let Some(file) = &args.junit {
        // Where it cannot be written, nothing is tried in vain; and whoever stops this finds no report of an earlier run.
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        save(file, &Report::broken("the test was stopped before its end"))?;
    }
    let read = Settings::read(globals).map_err(anyhow::Error::from);
    let tested = read.and_then(|settings| test(args, &settings, ui, signals));
    if let (Some(file), Err(error)) = (&args.junit, &tested) {
        write(file, &Report::broken(&format!("{error:#}")), ui)?;
    }
    tested
}

fn test(args: &TestArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let goal = Goal::Up(until(&args.until, Until::End));
    let all = !args.round_trip && !args.deterministic;
    overdue::watch(settings.timeout, ui);
    let migrator = settings.migrator(rules(&args.rules), signals.watch(), Arc::new(()))?;
    let accepted = accepted(&migrator, &args.accept)?;
    let fill = |(table, rows): &(String, u64)| Fill { table: table.clone(), rows: *rows, seed: args.seed };
    let fills: Vec<Fill> = args.fill.iter().map(fill).collect();
    let trips = (all || args.round_trip).then(|| migrator.round_trip_with(&goal, &fills)).transpose()?;
    // What does not go up fails here in the same way, and would hide what was found.
    let goes_up = !trips.iter().flatten().any(|trip| matches!(trip.outcome, TripOutcome::Failed { leg: Leg::Up, .. }));
    let wanted = goes_up && (all || args.deterministic);
    let trials = wanted.then(|| migrator.run_twice_with(&goal, &fills)).transpose()?;
    let trips = trips.as_deref().map(|trips| Trips { trips, accepted: &accepted });
    let found = Found { fills: &fills, trips, trials: trials.as_deref() };
    if let Some(file) = &args.junit {
        write(file, &found.report(), ui)?;
    }
    ui.result(|| found.json(), || found.text())?;
    Ok(if found.passed() { Exit::Done } else { Exit::Failed })
}

/// Finds the migrations that are let pass: each is one of one chain.
fn accepted(migrator: &Migrator, said: &[Dependency]) -> anyhow::Result<Vec<(String, Version)>> {
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let entries = migrator.status()?.entries;
    let find = |said: &Dependency| {
        let version = said.version;
        let is_meant = |entry: &&Entry| {
            let of_chain = said.chain.as_deref().is_none_or(|chain| *chain == *entry.chain);
            entry.role != Role::Repeatable && entry.version == version && of_chain
        };
        let mut chains: Vec<String> = entries.iter().filter(is_meant).map(|entry| entry.chain.to_string()).collect();
        // A version can be that of a baseline as well.
        chains.dedup();
        let problem = match (chains.len(), chains.first()) {
            (1, Some(chain)) => return Ok((chain.clone(), version)),
            (0, _) if said.chain.is_some() => PlanProblem::UnknownMigration { migration: said.to_string() },
            (0, _) => PlanProblem::UnknownTarget { version },
            _ => PlanProblem::AmbiguousTarget { version, chains },
        };
        Err(whimbrel::Error::from(PlanError { problems: vec![problem] }).into())
    };
    said.iter().map(find).collect()
}

fn save(file: &Path, report: &Report) -> anyhow::Result<()> {
    std::fs::write(file, report.xml()).with_context(|| format!("cannot write {}", file.display()))
}

fn write(file: &Path, report: &Report, ui: &Ui) -> anyhow::Result<()> {
    save(file, report)?;
    ui.talk(&format!("Wrote {}.", escape::line(&file.display().to_string())));
    Ok(())
}
