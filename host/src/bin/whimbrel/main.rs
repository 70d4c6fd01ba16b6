//! The `whimbrel` program: what was typed becomes one call of the library, and its result becomes text or JSON.

mod args;
mod commands;
mod compile_child;
mod escape;
mod exit;
mod failure;
mod overdue;
mod place;
mod progress;
mod render;
mod settings;
mod signals;
mod ui;
#[cfg(unwinder_inside)]
mod unwinder;

use std::env;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use args::Args;
use exit::Exit;
use failure::Failure;
use signals::Signals;
use ui::Ui;

fn main() -> ExitCode {
    if let Some(exit) = compile_child::run() {
        return exit;
    }
    panic::set_hook(Box::new(|panic| ui::bug(&panic.to_string())));
    let exit = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(Exit::Bug);
    exit.into()
}

fn run() -> Exit {
    let words: Vec<OsString> = env::args_os().collect();
    let args = match Args::read(&words) {
        Ok(args) => args,
        Err(refused) => return ui::refuse_arguments(&refused, &words),
    };
    let ui = Ui::new(&args);
    ui::start_tracing(&args.globals);
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return ui.fail(&failure::explain(error)),
    };
    let result = commands::run(&args, &ui, &signals).map(|exit| signals.exit_code(exit));
    result.unwrap_or_else(|error| {
        let failure = failure::explain(error);
        ui.fail(&Failure { exit: signals.exit_code(failure.exit), ..failure })
    })
}
