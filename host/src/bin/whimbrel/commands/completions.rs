//! `whimbrel completions`: a script for a shell.

use clap::CommandFactory;
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
    clap_complete::generate(args.shell, &mut Args::command(), "whimbrel", &mut script);
    let script = String::from_utf8(script)?;
    let json =
        || CompletionsJson { schema: schema("completions"), shell: args.shell.to_string(), script: script.clone() };
    ui.result(json, || script.clone())?;
    Ok(Exit::Done)
}
