//! Explains what a script engine says: the words of the script's language, where in the script, and what to do.

use whimbrel::engines::EngineError;
use whimbrel::exec::ScriptPrepareError;
use whimbrel::model::ScriptFiles;
use whimbrel::wasm::{PluginError, ScriptFailure, ScriptFrame};

use super::{Failure, Problem, library, run};
use crate::exit::Exit;
use crate::place;

/// Explains a failure of a script, with the lines around it.
pub(super) fn failed(failure: &ScriptFailure, script: &ScriptFiles, migration: &str) -> Failure {
    let code = code(failure);
    let place = failure.frames.iter().find_map(|frame| {
        let file = script.find(&frame.file)?;
        place::in_script(file, frame.line, frame.column)
    });
    // A single frame is where the excerpt is.
    let frames = if failure.frames.len() == 1 && place.is_some() { &[][..] } else { &failure.frames };
    let backtrace = frames.iter().map(|frame| line(frame, script)).collect();
    let problem =
        Problem { code, message: failure.message.clone(), hint: None, migration: Some(migration.to_owned()), place };
    let hint = failure.hint.clone().or_else(|| advice(&failure.code));
    Failure { problems: vec![problem], backtrace, hint, ..Failure::new(Exit::Failed, code, failure.message.clone()) }
}

/// One word for programs.
fn code(failure: &ScriptFailure) -> &'static str {
    match failure.code.as_str() {
        "syntax" => "script-syntax",
        "import" => "script-import",
        "missing-export" => "script-export",
        "unsettled" => "script-unsettled",
        "memory" => "script-memory",
        "stack" => "script-stack",
        _ => "script-failed",
    }
}

/// Says what to do about a failure of this code.
pub(super) fn advice(code: &str) -> Option<String> {
    let hint = match code {
        "memory" => "raise `memory` in the `[limits]` of its manifest, or fetch and write fewer rows at once",
        "stack" => "a function calls itself too often: use a loop, or an array as a stack",
        "unsettled" => "resolve or reject every promise, and await what is asynchronous",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Writes a function and its place.
fn line(frame: &ScriptFrame, script: &ScriptFiles) -> String {
    let file = script.find(&frame.file).map_or(frame.file.as_str(), |file| &file.file);
    let function = if frame.function.is_empty() { "(top)" } else { &frame.function };
    format!("{function} ({file}:{}:{})", frame.line, frame.column)
}

/// Explains why a script cannot be run.
pub(super) fn refused(error: &ScriptPrepareError, migration: &str, message: &str) -> Failure {
    if let ScriptPrepareError::Check { script, source: PluginError::Script { failure, .. } } = error {
        let inner = failed(failure, script, migration);
        return Failure { causes: vec![inner.message], message: message.to_owned(), ..inner };
    }
    let inner = unusable(error);
    let causes = std::iter::once(inner.message.clone()).chain(inner.causes).collect();
    Failure { causes, message: message.to_owned(), ..inner }
}

/// Explains why an engine cannot be used, or does not take a script.
pub(crate) fn unusable(error: &ScriptPrepareError) -> Failure {
    let failure = |code, hint: &str| Failure {
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
        ..Failure::new(Exit::Failed, code, error.to_string())
    };
    match error {
        ScriptPrepareError::NoEngine { extension } => failure(
            "engine",
            &format!("name one in whimbrel.toml:\n[engines]\n{extension} = \"engines/{extension}.wasm\""),
        ),
        ScriptPrepareError::Source(EngineError::Changed { found, .. }) => failure(
            "engine-changed",
            &format!("put the engine back, or take the new one by writing sha256 = \"{found}\" in whimbrel.toml"),
        ),
        ScriptPrepareError::Source(EngineError::Unreadable { source, .. }) => Failure {
            causes: vec![source.to_string()],
            ..failure("engine", "check the path under `[engines]` in whimbrel.toml; it begins at that file's folder")
        },
        ScriptPrepareError::Source(_) => failure("engine", ""),
        ScriptPrepareError::Compile { source, .. } => {
            let inner = library::component(source);
            let code = if inner.code == "component" { "engine" } else { inner.code };
            Failure { code, causes: vec![inner.message], message: error.to_string(), ..inner }
        }
        ScriptPrepareError::NotAnEngine { .. } => failure("engine", "`whimbrel inspect` shows what it is"),
        ScriptPrepareError::OtherFiles { .. } => {
            failure("engine", "write the endings that it runs: extensions = [\"…\"] under `[engines]`")
        }
        ScriptPrepareError::Broken { source, .. } | ScriptPrepareError::Check { source, .. } => {
            let inner = run::guest(source);
            Failure { causes: vec![inner.message], message: error.to_string(), ..inner }
        }
        ScriptPrepareError::NoExport { export, extension, .. } => failure("script-export", &wanted(export, extension)),
        ScriptPrepareError::NoTransformTable { extension } => {
            let comment = if extension == "py" { "#" } else { "//" };
            failure(
                "script-export",
                &format!(
                    "say it in its head, or in a manifest beside it:\n{comment} whimbrel: transform = {{ table = \
                     \"customer\", read = [\"full_name\"], write = [\"first_name\"] }}"
                ),
            )
        }
        ScriptPrepareError::BesideTransform { .. } => failure(
            "script-export",
            "put what needs the database into a migration of its own, before or after this one; a function that is \
             meant for something else needs another name",
        ),
        ScriptPrepareError::NoWayBack => failure(
            "script-export",
            "write `down = {}` inside its `transform = { … }`, or `[transform.down]` in its manifest; a function that \
             is meant for something else needs another name",
        ),
        _ => failure("script", ""),
    }
}

/// Says how a script's language writes a function that is not there.
fn wanted(export: &str, extension: &str) -> String {
    let transform = export == "transform";
    let revert = export == "revert";
    let parameter = if transform || revert { "row" } else { "db" };
    let function = match extension {
        "js" | "mjs" | "ts" | "mts" if transform => "`export function transform(row)`, or transformColumns".to_owned(),
        "js" | "mjs" | "ts" | "mts" => format!("`export function {export}({parameter}) {{ … }}`"),
        "py" => format!("`def {export}({parameter}): …`"),
        _ => format!("the function {export}"),
    };
    if transform {
        return format!("its `[transform]` wants {function}; without one, write up");
    }
    if revert {
        return format!("its `[transform.down]` wants {function}; without it the transform cannot be reverted");
    }
    format!("write {function}")
}
