//! Explains why a run stopped, and what it had done before.

use std::ops::Range;

use whimbrel::db::{DbError, ErrorCode};
use whimbrel::exec::{HookFailure, RunError, StepError};
use whimbrel::limits::LimitReached;
use whimbrel::model::{Hook, Script, TransactionMode};
use whimbrel::plan::Step;
use whimbrel::transform::TransformError;
use whimbrel::wasm::PluginError;

use super::remains::{stays_outside, what_remains, where_stopped};
use super::{Failure, Problem, grants, hint, language, library, limits, prepare, script, transform};
use crate::exit::{Exit, Signal};
use crate::place;

/// Explains a failed run.
pub(super) fn explain(error: RunError) -> Failure {
    let message = error.to_string();
    let RunError { done, failed, source, on_error, .. } = error;
    let mut failure = step(&source, &failed);
    if let Some(denied) = denied(&source) {
        let is_verify = matches!(source, StepError::Verify { .. });
        let grantable = denied.details.iter().any(|(key, _)| key == "grant");
        failure.hint = match is_verify && !grantable {
            true => Some("`verify` only reads: change what has to be changed in `up`".to_owned()),
            false => grants::hint(denied, &failed),
        };
    }
    if let Some(reached) = reached(&source) {
        failure.hint = Some(limits::hint(&reached, &failed));
    }
    if let Some(hint) = guest_error(&source).and_then(|error| language::hint(error, &failed)) {
        failure.hint = Some(hint);
    }
    let outside = failed.script().is_some_and(|script| script.directives.transaction == TransactionMode::None);
    if failure.exit == Exit::Interrupted(Signal::Interrupt) {
        failure.message = match &source {
            StepError::Hook { hook, .. } => {
                failure.causes.clear();
                format!("interrupted in the {} hook {}", hook.moment, hook.name())
            }
            _ => {
                format!("interrupted; migration {} {}", failed.title(), where_stopped(&source, &done, &failed, outside))
            }
        };
    } else if !matches!(&source, StepError::Hook { hook, .. } if !hook.moment.is_each()) {
        failure.causes.insert(0, std::mem::replace(&mut failure.message, message));
    }
    // Whatever fails later, be it the commit of a chunk, what is committed stays.
    let is_over =
        matches!(source, StepError::Interrupted | StepError::NotBegun { .. } | StepError::Hook { kept: true, .. });
    // Who did not get the lock has not begun.
    let stays = match &source {
        StepError::Database { source, .. } => source.code != ErrorCode::Busy,
        StepError::History(_) => true,
        _ => false,
    };
    if done.chunks_stay && !is_over {
        failure.notes.push(format!(
            "the chunks of migration {} before it stay done; `whimbrel up` goes on after them",
            failed.title()
        ));
    } else if outside && stays {
        failure.notes.push(stays_outside(&failed));
    } else if undone(&source) && !done.dry_run {
        let with_it = if done.undone > 0 { ", and what was done before it in the same transaction" } else { "" };
        failure.notes.push(format!("migration {} was rolled back{with_it}", failed.title()));
    }
    if let StepError::Hook { kept: true, .. } = &source {
        failure.notes.push(format!("migration {} stays: it had committed on its own before the hook", failed.title()));
    }
    failure.notes.extend(what_remains(&done, failed.direction));
    failure.notes.extend(on_error.iter().map(|HookFailure { hook, source }| {
        let because = match source {
            StepError::Hook { hook, source, .. } => step(source, &Step::of_hook(hook)).message,
            other => other.to_string(),
        };
        format!("the {} hook {} failed as well: {because}", hook.moment, hook.name())
    }));
    Failure { done: Some(Box::new(done)), ..failure }
}

fn reached(error: &StepError) -> Option<LimitReached> {
    match (error, guest_error(error)) {
        (StepError::Limit { reached, .. }, _) | (_, Some(PluginError::Limit(reached))) => Some(*reached),
        // What the code itself failed with says more than what a statement did.
        (_, Some(_)) => None,
        (error, None) => by_function(error),
    }
}

/// Returns the limit that was met inside a function of a library, which the database tells as an error of the statement.
fn by_function(error: &StepError) -> Option<LimitReached> {
    let mut cause = Some(error as &dyn std::error::Error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<DbError>() {
            return error.limit_reached();
        }
        cause = error.source();
    }
    None
}

/// Returns what ended the step's own code, if that is what failed.
fn guest_error(error: &StepError) -> Option<&PluginError> {
    match error {
        StepError::Guest(error) | StepError::Verify { source: error } => Some(error),
        StepError::Transform(error) => match error.as_ref() {
            TransformError::Guest { source, .. } | TransformError::Start { source } => Some(source),
            _ => None,
        },
        _ => None,
    }
}

/// What is said of a script outside a transaction that has done something before its verify script failed.
const STAYS: &str = "what it did stays: it runs outside a transaction";

/// Explains which statement of a verify script does not hold.
pub(super) fn unverified(
    error: &StepError,
    script: &Script,
    range: &Range<usize>,
    migration: Option<String>,
) -> Failure {
    let message = error.to_string();
    let place = Some(place::in_statement(script, range, None));
    let problem = Problem { code: "unverified", message: message.clone(), hint: None, migration, place };
    let hint = "each statement of a verify script must return a row whose first value is true, as in \
                `SELECT count(*) = 0 FROM …`";
    Failure {
        hint: Some(hint.to_owned()),
        problems: vec![problem],
        ..Failure::new(Exit::Failed, "unverified", message)
    }
}

/// Explains a failed step; the message is the outermost cause.
pub(crate) fn step(error: &StepError, failed: &Step) -> Failure {
    match error {
        StepError::Statement { script, failed: at, kept } => {
            let place = Some(place::of_failure(script, &(at.start..at.end), &at.error));
            let message = at.error.to_string();
            let problem = Problem {
                code: at.error.code.as_str(),
                message: message.clone(),
                hint: None,
                migration: Some(failed.title()),
                place,
            };
            Failure {
                exit: library::exit(at.error.code),
                hint: hint::statement(&at.error),
                notes: if *kept { vec![stays_outside(failed)] } else { Vec::new() },
                problems: vec![problem],
                ..Failure::new(Exit::Failed, "statement-failed", message)
            }
        }
        StepError::Precondition { .. } => Failure {
            hint: Some("see to it that it holds; `whimbrel plan` shows what each migration requires".to_owned()),
            ..Failure::new(Exit::Failed, "precondition", error.to_string())
        },
        StepError::PreconditionFailed { source, .. } => Failure {
            exit: library::exit(source.code),
            causes: vec![source.to_string()],
            hint: Some("a precondition is one query that only reads; write it anew in the migration".to_owned()),
            ..Failure::new(Exit::Failed, "precondition-failed", error.to_string())
        },
        StepError::Unverified { script, range, kept, .. } => Failure {
            notes: if *kept { vec![STAYS.to_owned()] } else { Vec::new() },
            ..unverified(error, script, range, Some(failed.title()))
        },
        StepError::Limit { reached, script, failed: at } => {
            // The place is shown on its own.
            let (key, amount) = (reached.limit.key(), reached.limit.amount(reached.value));
            let message = format!("the script reached its {key} limit of {amount}");
            let problem = Problem {
                code: at.error.code.as_str(),
                message: at.error.to_string(),
                hint: None,
                migration: Some(failed.migration.title()),
                place: Some(place::of_failure(script, &(at.start..at.end), &at.error)),
            };
            Failure { problems: vec![problem], ..Failure::new(Exit::Failed, "guest-limit", message) }
        }
        StepError::Guest(error) => of_step(error, failed),
        StepError::Verify { source } => verified(error, source, failed),
        StepError::Functions { source, .. } => {
            let inner = guest(source);
            let causes = std::iter::once(inner.message.clone()).chain(inner.causes.clone()).collect();
            Failure { causes, message: error.to_string(), ..inner }
        }
        StepError::Unprepared { source } => prepare::prepare(source),
        StepError::Transform(error) => match error.as_ref() {
            TransformError::Start { source: source @ PluginError::Script { .. } } => of_step(source, failed),
            TransformError::Guest { source: source @ PluginError::Script { .. }, .. } => {
                let inner = of_step(source, failed);
                let causes = std::iter::once(inner.message.clone()).chain(inner.causes.clone()).collect();
                Failure { causes, message: error.to_string(), ..inner }
            }
            error => transform::stopped(error, &hint::target(&failed.title())),
        },
        StepError::Rust { source } => Failure::new(Exit::Failed, "rust-failed", source.to_string()),
        StepError::Database { doing, source } => Failure {
            exit: library::exit(source.code),
            causes: vec![source.to_string()],
            hint: hint::database(source).or_else(|| hint::commit(doing, source)),
            ..Failure::new(Exit::Failed, source.code.as_str(), error.to_string())
        },
        StepError::History(error) => library::history(error),
        StepError::Plan(error) => {
            let inner = library::plan(error);
            Failure {
                causes: vec![inner.message],
                hint: inner.hint,
                problems: inner.problems,
                ..Failure::new(Exit::Failed, "history-changed", "another process changed the history meanwhile")
            }
        }
        StepError::ForeignKeys { .. } => Failure {
            hint: Some("the migration, and what its hooks do, must leave no row whose parent is gone".to_owned()),
            ..Failure::new(Exit::Failed, "foreign-keys", error.to_string())
        },
        StepError::Orphaned { .. } => Failure {
            hint: Some(
                "delete or mend these rows in the migration; or write `foreign_keys` into whimbrel.toml: `false` leaves such \
                 rows as the tool does, `true` enforces the keys"
                    .to_owned(),
            ),
            ..Failure::new(Exit::Failed, "foreign-keys", error.to_string())
        },
        StepError::Schema { .. } => Failure {
            hint: Some(
                "drop a view or trigger that no longer fits before the table, and create it again after it; refer to the \
                 table by the name that it has in the end"
                    .to_owned(),
            ),
            ..Failure::new(Exit::Failed, "schema-broken", error.to_string())
        },
        StepError::Deferred { .. } => Failure {
            hint: Some("each of these rows must have its parent when the transaction ends".to_owned()),
            ..Failure::new(Exit::Failed, "foreign-keys", error.to_string())
        },
        StepError::Mismatch { .. } => {
            let hint = "every statement that looks at it would fail: refer to the primary key, or make a UNIQUE index on exactly \
                        these columns in the same migration";
            Failure { hint: Some(hint.to_owned()), ..Failure::new(Exit::Failed, "foreign-keys", error.to_string()) }
        }
        StepError::NumbersSpent { .. } => {
            let hint = "code that is held to grants may not use up the numbers of AUTOINCREMENT: insert rows without a key, or \
                        with keys near those there are; where it is meant, give it `update = [\"sqlite_sequence(seq)\"]`";
            Failure { hint: Some(hint.to_owned()), ..Failure::new(Exit::Failed, "numbers-spent", error.to_string()) }
        }
        StepError::Unenforced { .. } => {
            let hint = "in one transaction foreign keys are on for all steps or for none: run up to the one that needs \
                        them off, then it alone, then the rest";
            Failure { hint: Some(hint.to_owned()), ..Failure::new(Exit::Failed, "foreign-keys", error.to_string()) }
        }
        StepError::TransactionEnded => Failure {
            hint: Some("leave BEGIN, COMMIT and ROLLBACK out, and `ON CONFLICT ROLLBACK`".to_owned()),
            ..Failure::new(Exit::Failed, "transaction-ended", error.to_string())
        },
        StepError::OwnTransaction { .. } => Failure {
            hint: Some("leave BEGIN, COMMIT and ROLLBACK out; a SAVEPOINT undoes a part".to_owned()),
            ..Failure::new(Exit::Failed, "transaction-ended", error.to_string())
        },
        StepError::TransactionOpen => Failure {
            hint: Some("end it with COMMIT".to_owned()),
            ..Failure::new(Exit::Failed, "transaction-open", error.to_string())
        },
        StepError::Checkpoint { .. } => Failure {
            hint: Some(format!("`{}` begins with the first row again", hint::repair(&failed.title(), "restart"))),
            ..Failure::new(Exit::Failed, "history-row", error.to_string())
        },
        StepError::Vanished => Failure {
            hint: Some("somebody has repaired it meanwhile: look at `whimbrel status`, and run it again".to_owned()),
            ..Failure::new(Exit::Failed, "history-changed", error.to_string())
        },
        StepError::Hook { hook, source, .. } => of_hook(hook, source),
        StepError::Interrupted | StepError::NotBegun { waiting: false } => interrupted(),
        StepError::NotBegun { waiting: true } => {
            Failure { hint: Some("`whimbrel lock status` shows who is at work".to_owned()), ..interrupted() }
        }
        other => Failure::new(Exit::Failed, "step-failed", other.to_string()),
    }
}

/// Explains a hook that failed, as its body were a step.
fn of_hook(hook: &Hook, source: &StepError) -> Failure {
    let body = Step::of_hook(hook);
    let mut failure = step(source, &body);
    for problem in &mut failure.problems {
        problem.migration = None;
    }
    let message = format!("the {} hook {} failed", hook.moment, hook.name());
    failure.causes.insert(0, std::mem::replace(&mut failure.message, message));
    failure
}

/// Returns the statement's error if the step failed over something that is not granted.
fn denied(error: &StepError) -> Option<&DbError> {
    let error = match error {
        StepError::Statement { failed, .. } => &failed.error,
        StepError::Database { source, .. } => source,
        StepError::Guest(error) | StepError::Verify { source: error } => match error.as_ref() {
            PluginError::Refused { statement: Some(failed), .. }
            | PluginError::Script { statement: Some(failed), .. }
            | PluginError::Trapped { statement: Some(failed), .. } => &failed.error,
            _ => return None,
        },
        _ => return None,
    };
    (error.code == ErrorCode::Denied).then_some(error)
}

/// Tells whether the step had begun, and nothing of it stays.
fn undone(error: &StepError) -> bool {
    match error {
        StepError::Statement { kept, .. } | StepError::Unverified { kept, .. } => !kept,
        StepError::Hook { hook, kept, .. } => hook.moment.is_each() && !kept,
        StepError::Guest(error) => !matches!(**error, PluginError::Interrupted),
        StepError::Verify { .. }
        | StepError::Transform(_)
        | StepError::Limit { .. }
        | StepError::Rust { .. }
        | StepError::OwnTransaction { .. }
        | StepError::ForeignKeys { .. }
        | StepError::Orphaned { .. }
        | StepError::Deferred { .. }
        | StepError::Schema { .. }
        | StepError::Mismatch { .. }
        | StepError::NumbersSpent { .. }
        | StepError::Unenforced { .. } => true,
        _ => false,
    }
}

/// Explains why the code of a step did not finish; where it is a script, with its lines.
fn of_step(error: &PluginError, failed: &Step) -> Failure {
    match (error, failed.migration.body.script()) {
        (PluginError::Script { failure, statement }, Some(files)) => {
            let explained = script::failed(failure, files, &failed.migration.title());
            let causes = statement.iter().map(ToString::to_string).collect();
            let hint = explained.hint.clone().or_else(|| hint::guest(error));
            let mut problems = explained.problems;
            if let (Some(failed), "script-failed") = (statement, explained.code)
                && explained.message.contains(&failed.error.message)
            {
                // It threw what the database said, and not something of its own after it had caught that.
                problems.iter_mut().for_each(|problem| problem.code = failed.error.code.as_str());
            }
            Failure { causes, hint, problems, ..explained }
        }
        _ => guest(error),
    }
}

/// Explains what the `verify` of a step's code says, or why it says nothing.
fn verified(error: &StepError, source: &PluginError, failed: &Step) -> Failure {
    let inner = of_step(source, failed);
    if !source.is_answer() {
        let causes = std::iter::once(inner.message.clone()).chain(inner.causes).collect();
        return Failure { causes, message: error.to_string(), ..inner };
    }
    let words = match source {
        PluginError::Refused { message, .. } => message,
        _ => &inner.message,
    };
    let message = format!("{error}: {words}");
    let mut problems = inner.problems;
    for problem in &mut problems {
        (problem.code, problem.message) = ("unverified", message.clone());
    }
    let hint = "its own `verify` says so: it has to answer with something true, or return without an error, where \
                everything is as it should be";
    let hint = inner.hint.unwrap_or_else(|| hint.to_owned());
    Failure { code: "unverified", message, problems, hint: Some(hint), ..inner }
}

/// Explains why a component did not finish.
pub(crate) fn guest(error: &PluginError) -> Failure {
    let (code, causes, backtrace) = match error {
        PluginError::Refused { statement, .. } => {
            ("guest-refused", statement.iter().map(ToString::to_string).collect(), Vec::new())
        }
        PluginError::Trapped { backtrace, .. } => ("guest-trapped", Vec::new(), backtrace.clone()),
        PluginError::Limit(_) => ("guest-limit", Vec::new(), Vec::new()),
        PluginError::Interrupted => return interrupted(),
        PluginError::NoMemory { .. } => ("no-memory", Vec::new(), Vec::new()),
        _ => ("guest-failed", Vec::new(), Vec::new()),
    };
    Failure { causes, backtrace, hint: hint::guest(error), ..Failure::new(Exit::Failed, code, error.to_string()) }
}

pub(super) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted(Signal::Interrupt), "interrupted", "interrupted")
}
