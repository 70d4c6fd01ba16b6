//! `whimbrel repair`: puts the history right, after it has said what it will write.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use whimbrel::Interrupt;
use whimbrel::plan::{Repair, Rules};

use crate::args::RepairArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::repair;
use crate::settings::Settings;
use crate::ui::Ui;

/// Shows what would be written, asks, and writes it.
pub(super) fn run(args: &RepairArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), Interrupt::new(), Arc::new(()))?;
    let wanted = Repair::Restart { version: args.version };
    let decided = migrator.plan_repair(wanted)?;
    ui.talk(repair::text(&decided).trim_end());
    if !args.yes && !ask(ui)? {
        return Ok(ui.fail(&refused()));
    }
    migrator.repair(wanted, &decided)?;
    ui.result(|| repair::json(&decided), || "The history is repaired; `whimbrel up` begins anew.\n".to_owned())?;
    Ok(Exit::Done)
}

/// Asks on a terminal; where nobody can answer, the answer is no.
fn ask(ui: &Ui) -> io::Result<bool> {
    if ui.json() || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "Write this? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn refused() -> Failure {
    Failure {
        hint: Some("say --yes to have it written without being asked".to_owned()),
        ..Failure::new(Exit::Failed, "not-confirmed", "nothing was written")
    }
}
