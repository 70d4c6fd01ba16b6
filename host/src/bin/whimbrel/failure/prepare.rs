//! Explains why a plan cannot be run.

use whimbrel::exec::PrepareError;

use super::library::{component, exit};
use super::{Failure, Problem, grants, limits, run, script, transform};
use crate::exit::Exit;

/// Explains each of several migrations that cannot be loaded.
fn several(errors: &[PrepareError]) -> Failure {
    let each: Vec<Failure> = errors.iter().map(prepare).collect();
    let same = |code: &&str| each.iter().all(|failure| failure.code == *code);
    let by_policy = each.iter().all(|failure| matches!(failure.code, "not-granted" | "limits"));
    let mixed = if by_policy { "not-granted" } else { "component" };
    let code = each.first().map(|failure| failure.code).filter(same).unwrap_or(mixed);
    let message = match by_policy {
        true => "migrations ask for more than they are given",
        false => "the migrations cannot be loaded",
    };
    let problem = |failure: Failure| {
        let message = std::iter::once(failure.message).chain(failure.causes).collect::<Vec<_>>().join(": ");
        let inner = failure.problems.into_iter().next();
        let (inner_hint, place) = inner.map_or((None, None), |inner| (inner.hint, inner.place));
        Problem { code: failure.code, message, hint: failure.hint.or(inner_hint), migration: None, place }
    };
    let problems = each.into_iter().map(problem).zip(errors);
    let problems =
        problems.map(|(problem, error)| Problem { migration: error.migration().map(str::to_owned), ..problem });
    Failure::of_problems(code, message, problems.collect())
}

pub(super) fn prepare(error: &PrepareError) -> Failure {
    match error {
        PrepareError::Component { source, .. } => {
            let failure = component(source);
            Failure { causes: vec![failure.message], message: error.to_string(), ..failure }
        }
        PrepareError::Script { migration, source, .. } => script::refused(source, migration, &error.to_string()),
        PrepareError::Limits { chain, key, excesses, .. } => Failure {
            hint: Some(limits::give(excesses, chain, key)),
            ..Failure::new(Exit::Failed, "limits", error.to_string())
        },
        PrepareError::NotGranted { refused } => grants::not_granted(refused),
        PrepareError::HeldOutsideTransaction { .. } => Failure {
            hint: Some("run it inside a transaction, or move it to a chain of your own".to_owned()),
            ..Failure::new(Exit::Failed, "not-granted", error.to_string())
        },
        PrepareError::HeldRebuild { .. } => Failure {
            hint: Some("make the new table and copy the rows with foreign keys on, or move it to a chain of your own".to_owned()),
            ..Failure::new(Exit::Failed, "not-granted", error.to_string())
        },
        PrepareError::Transform { migration, problems, .. } => {
            transform::layout(problems, Some(migration), &error.to_string())
        }
        PrepareError::Look { source, .. } => Failure {
            exit: exit(source.code),
            causes: vec![source.to_string()],
            ..Failure::new(Exit::Failed, source.code.as_str(), error.to_string())
        },
        PrepareError::Functions { source, .. } => {
            let inner = run::guest(source);
            let causes = std::iter::once(inner.message.clone()).chain(inner.causes.clone()).collect();
            Failure { causes, message: error.to_string(), ..inner }
        }
        PrepareError::FunctionName { .. } => Failure {
            hint: Some("give one of the two another name".to_owned()),
            ..Failure::new(Exit::Failed, "functions", error.to_string())
        },
        PrepareError::OtherWorld { is: "is a library of functions", .. } => Failure {
            hint: Some(
                "call it NAME.functions.wasm, without a version; migrations name it in `-- whimbrel: functions = NAME` \
                 or `functions = \"NAME\"`"
                    .to_owned(),
            ),
            ..Failure::new(Exit::Failed, "component", error.to_string())
        },
        PrepareError::OtherWorld { is: "is a script engine", .. } => Failure {
            hint: Some(
                "take it out of here, and name it in `[engines]` of whimbrel.toml under the ending of the files that it runs"
                    .to_owned(),
            ),
            ..Failure::new(Exit::Failed, "component", error.to_string())
        },
        PrepareError::OtherWorld { is: "exports no revert", .. } => Failure {
            hint: Some("export `revert` from the component, or take `[transform.down]` out of its manifest".to_owned()),
            ..Failure::new(Exit::Failed, "component", error.to_string())
        },
        PrepareError::Several { errors } => several(errors),
        PrepareError::OtherWorld { .. } => Failure {
            hint: Some(
                "a transform has both: a component that exports `apply`, and `[transform]` in its manifest".to_owned(),
            ),
            ..Failure::new(Exit::Failed, "component", error.to_string())
        },
        PrepareError::Irreversible { .. } => Failure {
            hint: Some("export `down` from its code, or stop before it: `whimbrel down --to VERSION`".to_owned()),
            ..Failure::new(Exit::Failed, "irreversible", error.to_string())
        },
        PrepareError::NotInOneTransaction { .. } => Failure {
            hint: Some("run up to it, then it alone, then the rest".to_owned()),
            ..Failure::new(Exit::Failed, "not-in-one-transaction", error.to_string())
        },
        other => Failure::new(Exit::Failed, "component", other.to_string()),
    }
}
