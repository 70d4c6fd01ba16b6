//! `whimbrel inspect`: what a component is made of and asks for.

use std::path::Path;

use anyhow::Context;
use whimbrel::model::Manifest;
use whimbrel::sql;
use whimbrel::wasm::{self, CompileError};

use crate::args::InspectArgs;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::render::inspection::{self, Inspected};
use crate::settings::{Place, SettingsError};
use crate::ui::Ui;

/// Looks into a component; shows what there is also when this host cannot run it.
pub(super) fn run(args: &InspectArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let file = args.file.display().to_string();
    let bytes = std::fs::read(&args.file).with_context(|| format!("cannot read {file}"))?;
    let found = match wasm::inspect(&bytes) {
        Ok(found) => found,
        Err(error) => return Ok(ui.fail(&unusable(&file, CompileError::Inspect(error)))),
    };
    let manifest = manifest(&args.file)?;
    let problem = found.check().err();
    let inspected =
        Inspected { file, inspection: found, manifest, problem: problem.as_ref().map(ToString::to_string) };
    ui.result(|| inspection::json(&inspected), || inspection::text(&inspected))?;
    match problem {
        None => Ok(Exit::Done),
        Some(_) if ui.json() => Ok(Exit::Failed),
        Some(error) => Ok(ui.fail(&unusable(&inspected.file, CompileError::Inspect(error)))),
    }
}

fn unusable(file: &str, error: CompileError) -> Failure {
    let failure = failure::explain_component(&error);
    Failure { message: format!("{file}: {}", failure.message), ..failure }
}

/// Reads the manifest beside a component.
fn manifest(component: &Path) -> anyhow::Result<Option<Manifest>> {
    let path = component.with_extension("toml");
    let file = path.display().to_string();
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
    let manifest = Manifest::parse(&file, &text).map_err(|error| {
        let first = error.problems.into_iter().next();
        let position = first.as_ref().map(|problem| sql::locate(&text, problem.offset));
        SettingsError {
            code: "source",
            message: first.as_ref().map_or_else(|| "is wrong".to_owned(), |problem| problem.message.clone()),
            hint: first.and_then(|problem| problem.hint),
            place: Some(Place { file, position: position.map(|position| (position.line, position.column)) }),
        }
    });
    Ok(Some(manifest?))
}
