//! The verbs: settings in, one call of the library, its result out.

mod adopt;
mod baseline;
mod completions;
mod componentize;
mod confirm;
mod down;
mod engines;
mod files;
mod history;
mod init;
mod inspect;
mod lock;
mod missing;
mod new;
mod plan;
mod preview;
mod renumber;
mod repair;
mod repl;
mod reset;
mod run;
mod run_script;
mod status;
mod test;
mod up;
mod verify;

use whimbrel::model::Key;
use whimbrel::plan::{PlanError, PlanProblem, Rules, Until};
use whimbrel::{Error, Migrator};

use crate::args::{Args, RuleArgs, UntilArgs, Verb};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Does what was typed.
pub(crate) fn run(args: &Args, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let globals = &args.globals;
    match &args.verb {
        Verb::Init(init) => init::run(init, globals, ui),
        Verb::New(new) => new::run(new, &Settings::read(globals)?, ui, signals),
        Verb::Status(status) => status::run(status, &Settings::read(globals)?, ui, signals),
        Verb::Plan(plan) => plan::run(plan, &Settings::read(globals)?, ui, signals),
        Verb::Up(up) => up::run(up, &Settings::read(globals)?, ui, signals),
        Verb::Down(down) => down::run(down, &Settings::read(globals)?, ui, signals),
        Verb::Redo(redo) => reset::redo(redo, &Settings::read(globals)?, ui, signals),
        Verb::Reset(args) => reset::reset(args, &Settings::read(globals)?, ui, signals),
        Verb::Baseline(args) => baseline::run(args, &Settings::read(globals)?, ui, signals),
        Verb::Squash(args) => baseline::squash(args, &Settings::read(globals)?, ui, signals),
        Verb::Verify(verify) => verify::run(verify, &Settings::read(globals)?, ui, signals),
        Verb::Test(test) => test::run(test, globals, ui, signals),
        Verb::Componentize(componentize) => componentize::run(componentize, ui),
        Verb::Inspect(inspect) => inspect::run(inspect, globals, ui, signals),
        Verb::RunScript(script) => run_script::run(script, &Settings::read(globals)?, ui, signals),
        Verb::Repl => repl::run(&Settings::read(globals)?, ui, signals),
        Verb::Engines => engines::run(&Settings::read(globals)?, ui, signals),
        Verb::Preview(preview) => preview::run(preview, &Settings::read(globals)?, ui, signals),
        Verb::Rejects(rejects) => preview::rejects(rejects, &Settings::read(globals)?, ui, signals),
        Verb::Repair(repair) => repair::run(repair, &Settings::read(globals)?, ui, signals),
        Verb::Renumber(renumber) => renumber::run(renumber, &Settings::read(globals)?, ui, signals),
        Verb::History(history) => history::run(history, &Settings::read(globals)?, ui, signals),
        Verb::Adopt(adopt) => adopt::run(adopt, &Settings::read(globals)?, ui, signals),
        Verb::Lock(lock) => lock::run(lock, &Settings::read(globals)?, ui, signals),
        Verb::Completions(completions) => completions::run(completions, ui),
    }
}

/// Reads how far to go; `otherwise` when nothing was typed.
fn until(args: &UntilArgs, otherwise: Until) -> Until {
    match (&args.to, args.steps) {
        (Some(to), _) => Until::Version(to.version),
        (None, Some(steps)) => Until::Steps(usize::try_from(steps).unwrap_or(usize::MAX)),
        (None, None) => otherwise,
    }
}

fn rules(args: &RuleArgs) -> Rules {
    Rules { allow_out_of_order: args.allow_out_of_order, ignore_missing: args.ignore_missing }
}

/// Refuses what neither the chain nor the history has.
fn known(migrator: &Migrator, key: &Key) -> Result<(), Error> {
    match migrator.is_known(key.clone())? {
        true => Ok(()),
        false => Err(PlanError { problems: vec![PlanProblem::unknown(key)] }.into()),
    }
}
