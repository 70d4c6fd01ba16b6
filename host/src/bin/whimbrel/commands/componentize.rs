//! `whimbrel componentize`: makes a component of what a compiler made.

use std::fs;

use anyhow::Context;
use serde::Serialize;
use whimbrel_component::{WrapError, Wrapping};

use crate::args::ComponentizeArgs;
use crate::commands::files;
use crate::escape;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::amount;
use crate::render::json::schema;
use crate::ui::Ui;

#[derive(Serialize)]
struct ComponentizeJson<'a> {
    schema: String,
    file: &'a str,
    size: usize,
}

/// Wraps the module and writes the component; nothing is written when it does not fit the contract.
pub(super) fn run(args: &ComponentizeArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let file = args.file.display().to_string();
    let bytes = files::read(&args.file)?;
    let wrapping = Wrapping {
        world: args.world.clone(),
        language: args.language.clone(),
        tool: args.tool.as_deref().map(|tool| {
            let (name, version) = tool.rsplit_once(' ').unwrap_or((tool, ""));
            (name.to_owned(), version.to_owned())
        }),
    };
    let component = match whimbrel_component::wrap(&bytes, &wrapping) {
        Ok(component) => component,
        Err(error) => return Ok(ui.fail(&explain(&file, &error))),
    };
    let output = args.output.display().to_string();
    if let Some(folder) = args.output.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&args.output, &component).with_context(|| format!("cannot write {output}"))?;
    let size = component.len();
    let text = || format!("Made {} ({}).\n", escape::line(&output), amount::bytes(size as u64));
    ui.report(true, || ComponentizeJson { schema: schema("componentize"), file: &output, size }, text)?;
    Ok(Exit::Done)
}

fn explain(file: &str, error: &WrapError) -> Failure {
    let hint = match error {
        WrapError::NotWasm => "give it what the compiler made, such as build/migration.core.wasm",
        WrapError::Malformed { .. } => "build it again",
        WrapError::NoWorld { .. } => {
            "export `up` (and `down`), or `apply`; a linker drops what is not exported by name (--export, -rdynamic, \
             export_name)"
        }
        WrapError::UnknownWorld { .. } | WrapError::Unasked { .. } => "leave --world out: the exports tell",
        _ => "build it with the SDK of this whimbrel, for wasm32 without threads and with WASI 0.1 at most",
    };
    Failure { hint: Some(hint.to_owned()), ..Failure::new(Exit::Failed, "component", format!("{file}: {error}")) }
}
