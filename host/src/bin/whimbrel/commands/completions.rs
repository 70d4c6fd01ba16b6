//! `whimbrel completions`: a script for a shell.

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;

use crate::args::{Args, CompletionsArgs};
use crate::exit::Exit;
use crate::render::json::schema;
use crate::ui::Ui;

#[derive(Serialize)]
struct CompletionsJson {
    schema: String,
    shell: String,
    script: String,
}

/// Prints the script.
pub(super) fn run(args: &CompletionsArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut described(args.shell), "whimbrel", &mut script);
    let script = String::from_utf8(script)?;
    let json =
        || CompletionsJson { schema: schema("completions"), shell: args.shell.to_string(), script: script.clone() };
    ui.result(json, || script.clone())?;
    Ok(Exit::Done)
}

/// Describes the program so that a shell completes behind the other names of verbs, too. That of bash knows only those that are
/// shown.
fn described(shell: Shell) -> Command {
    let command = Args::command();
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let shown = |verb: Command| {
        // Clap takes names that stay as long as the program, which ends when it has written them.
        let others: Vec<&'static str> = verb.get_all_aliases().map(|other| &*other.to_owned().leak()).collect();
        verb.alias(None::<&str>).visible_aliases(others)
    };
    match shell {
        Shell::Bash => names.into_iter().fold(command, |command, name| command.mut_subcommand(name, shown)),
        _ => command,
    }
}
