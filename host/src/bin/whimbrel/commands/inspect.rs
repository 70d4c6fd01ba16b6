//! `whimbrel inspect`: what a component is made of and asks for.

use std::path::Path;

use anyhow::Context;
use whimbrel::model::Manifest;
use whimbrel::source::{Problem, SourceError};
use whimbrel::wasm::{self, CompileError};

use crate::args::InspectArgs;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::render::inspection::{self, Inspected};
use crate::ui::Ui;

/// Looks into a component; shows what there is also when this host cannot run it.
pub(super) fn run(args: &InspectArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let file = args.file.display().to_string();
    let bytes = std::fs::read(&args.file).with_context(|| format!("cannot read {file}"))?;
    let found = match wasm::inspect(&bytes) {
        Ok(found) => found,
        Err(error) => return Ok(ui.fail(&unusable(&file, &CompileError::Inspect(error)))),
    };
    let manifest = manifest(&args.file)?;
    let problem = found.check().err().map(|error| unusable(&file, &CompileError::Inspect(error)));
    let inspected = Inspected { file, inspection: found, manifest, problem };
    ui.result(|| inspection::json(&inspected), || inspection::text(&inspected))?;
    match &inspected.problem {
        None => Ok(Exit::Done),
        Some(_) if ui.json() => Ok(Exit::Failed),
        Some(problem) => Ok(ui.fail(problem)),
    }
}

fn unusable(file: &str, error: &CompileError) -> Failure {
    let failure = failure::explain_component(error);
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
    match Manifest::parse(&file, &text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => {
            let problems = error.problems.into_iter();
            let problems = problems.map(|wrong| Problem::at(&file, &text, wrong.offset, wrong.message, wrong.hint));
            Err(whimbrel::Error::Source(SourceError { problems: problems.collect() }).into())
        }
    }
}
