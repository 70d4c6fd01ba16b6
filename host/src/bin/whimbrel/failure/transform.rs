//! Explains what stopped a transform: which table and key, why, and what to do.

use whimbrel::exec::{PreviewError, StepError};
use whimbrel::transform::{LayoutProblem, TransformError};
use whimbrel::wasm::PluginError;

use super::{Failure, Problem, hint, library, run};
use crate::exit::Exit;

/// Explains why a transform stopped in the middle of its rows; `target` is its migration, as a command takes it.
pub(super) fn stopped(error: &TransformError<PluginError>, target: &str) -> Failure {
    let failure = |code: &'static str| Failure::new(Exit::Failed, code, error.to_string());
    match error {
        TransformError::Layout { problems } => layout(problems, None, &error.to_string()),
        TransformError::Rejected { .. } => Failure {
            hint: Some(format!(
                "mend the row, or keep such rows aside with `on_error = \"skip\"` in its manifest; \
                 `whimbrel preview {target} --key VALUE` shows one row"
            )),
            ..failure("row-rejected")
        },
        TransformError::TooManyRejects { .. } => {
            Failure { hint: Some("raise `max_rejects`, or mend the rows".to_owned()), ..failure("too-many-rejects") }
        }
        TransformError::Write { source, .. }
        | TransformError::Unreadable { source, .. }
        | TransformError::Database { source, .. } => Failure {
            exit: library::exit(source.code),
            causes: vec![source.to_string()],
            hint: hint::database(source),
            ..failure(source.code.as_str())
        },
        TransformError::Guest { source, .. } | TransformError::Start { source } => {
            let inner = run::guest(source);
            let causes = std::iter::once(inner.message.clone()).chain(inner.causes.clone()).collect();
            Failure { causes, message: error.to_string(), ..inner }
        }
        TransformError::NullKey { .. } | TransformError::SameKey { .. } => Failure {
            hint: Some("name another `key`, or leave such rows out with `where`".to_owned()),
            ..failure("key")
        },
        TransformError::OtherKey { .. } => Failure {
            hint: Some(format!("`whimbrel repair {target} --restart` begins with the first row again")),
            ..failure("key")
        },
        _ => failure("transform"),
    }
}

/// Explains what in a `[transform]` the database does not fit.
pub(super) fn layout(problems: &[LayoutProblem], migration: Option<&str>, message: &str) -> Failure {
    let one = |problem: &LayoutProblem| Problem {
        code: "transform",
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        migration: migration.map(str::to_owned),
        place: None,
    };
    match problems {
        [only] => Failure { hint: only.hint.clone(), ..Failure::new(Exit::Failed, "transform", message) },
        problems => Failure {
            problems: problems.iter().map(one).collect(),
            ..Failure::new(Exit::Failed, "transform", "the transform does not fit the database")
        },
    }
}

/// Explains why rows cannot be shown.
pub(super) fn preview(error: &PreviewError) -> Failure {
    match error {
        PreviewError::Failed(error) if error.is_interruption() => run::interrupted(),
        PreviewError::Failed(StepError::Transform(error)) => stopped(error, "VERSION"),
        PreviewError::Failed(error @ StepError::Unverified { script, range, .. }) => {
            run::unverified(error, script, range, None)
        }
        PreviewError::NotATransform { .. } => Failure {
            hint: Some("`whimbrel up --dry-run` tries any migration and shows what it changes".to_owned()),
            ..Failure::new(Exit::Failed, "no-transform", error.to_string())
        },
        _ => Failure::new(Exit::Failed, "step-failed", error.to_string()),
    }
}
