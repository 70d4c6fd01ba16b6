//! Explains the library's errors that come before anything has run.

use std::time::Duration;

use whimbrel::Error;
use whimbrel::db::sqlite::FillError;
use whimbrel::db::{DbError, ErrorCode};
use whimbrel::exec::{RepairError, StepError};
use whimbrel::history::HistoryError;
use whimbrel::model::{ChainError, Key, MissingValue};
use whimbrel::plan::{PlanError, PlanProblem};
use whimbrel::source::SourceError;
use whimbrel::sql;
use whimbrel::wasm::CompileError;

use super::{Failure, Problem, adopt, hint, prepare, run, transform};
use crate::exit::{Exit, Signal};
use crate::place::{self, Place};
use crate::settings;

/// Explains an error of the library.
pub(super) fn explain(error: Error) -> Failure {
    match error {
        Error::Source(error) => source(error),
        Error::Chain(error) => chain(&error),
        Error::Database { ref source, .. } => {
            Failure { causes: vec![source.to_string()], hint: hint::database(source), ..of_database(source, &error) }
        }
        Error::Missing { .. } => Failure {
            hint: Some("check the path: a database is made by the first migration, and by nothing else".to_owned()),
            ..Failure::new(Exit::Failed, "no-database", error.to_string())
        },
        Error::History(error) => history(&error),
        Error::Adopt(error) => adopt::explain(&error),
        Error::Plan(error) => plan(&error),
        // Which of the migrations was being prepared says nothing: all of them are, at once.
        Error::Prepare(_) if error.is_interruption() => {
            Failure { message: "interrupted; nothing had begun".to_owned(), ..run::interrupted() }
        }
        Error::Prepare(error) => prepare::prepare(&error),
        Error::Preview(error) => transform::preview(&error),
        Error::Repair(error) => repair(error),
        Error::Fill(error) => fill(&error),
        Error::Run(error) => run::explain(*error),
        Error::Interrupted => run::interrupted(),
        Error::Timeout { timeout, source } => timed_out(timeout, *source),
        other => Failure::new(Exit::Failed, "failed", other.to_string()),
    }
}

fn fill(error: &FillError) -> Failure {
    let hint = match error {
        FillError::NoTable { .. } => {
            "a table can be filled that is there before what is pending, or that one of these migrations makes"
                .to_owned()
        }
        FillError::NotATable { .. } => "fill the tables that it reads".to_owned(),
        FillError::NoParent { parent, .. } => format!("fill that first: --fill {parent}=100 before it"),
        FillError::Refused { .. } => "ask for fewer rows, or try another --seed".to_owned(),
        FillError::Database { .. } => "`whimbrel status` shows where the database stands".to_owned(),
    };
    let causes = std::error::Error::source(error).map(ToString::to_string).into_iter().collect();
    Failure { causes, hint: Some(hint), ..Failure::new(Exit::Failed, "fill", error.to_string()) }
}

/// Explains what the clock has stopped: as an interruption, with another reason.
fn timed_out(timeout: Duration, stopped: Error) -> Failure {
    let waited = matches!(&stopped, Error::Run(run) if matches!(run.source, StepError::NotBegun { waiting: true }));
    let inner = explain(stopped);
    let timeout = settings::write_duration(timeout);
    let message = match inner.message.strip_prefix("interrupted") {
        Some(what) => format!("the run took longer than its timeout of {timeout}{what}"),
        None => format!("the run took longer than its timeout of {timeout}: {}", inner.message),
    };
    let hint = match inner.hint {
        // What it says is of more use than more time.
        Some(hint) if waited => format!("{hint}; or give it more time with --timeout"),
        _ => "give it more time with --timeout, or run fewer steps at once with --steps".to_owned(),
    };
    Failure { exit: Exit::TimedOut, code: "timeout", message, hint: Some(hint), ..inner }
}

fn of_database(error: &DbError, message: &dyn std::error::Error) -> Failure {
    Failure::new(exit(error.code), error.code.as_str(), message.to_string())
}

/// Returns how the program ends when the database fails this way.
pub(super) fn exit(code: ErrorCode) -> Exit {
    match code {
        ErrorCode::OutcomeUnknown => Exit::OutcomeUnknown,
        ErrorCode::Interrupted => Exit::Interrupted(Signal::Interrupt),
        _ => Exit::Failed,
    }
}

fn repair(error: RepairError) -> Failure {
    match error {
        RepairError::Plan(error) => plan(&error),
        RepairError::History(error) => history(&error),
        RepairError::Changed => Failure {
            hint: Some("run it again".to_owned()),
            ..Failure::new(Exit::Failed, "history-changed", error.to_string())
        },
        RepairError::AtWork { ref holder } => Failure {
            hint: Some(format!(
                "stop it first, with Ctrl-C or `kill {}`: it leaves what it has committed; `whimbrel lock status` shows when \
                 it is gone",
                holder.process
            )),
            ..Failure::new(Exit::Failed, "at-work", error.to_string())
        },
        RepairError::Step(StepError::Database { ref source, .. }) => {
            Failure { causes: vec![source.to_string()], hint: hint::database(source), ..of_database(source, &error) }
        }
        other => Failure::new(Exit::Failed, "step-failed", other.to_string()),
    }
}

fn source(error: SourceError) -> Failure {
    if error.interrupted {
        return run::interrupted();
    }
    let problems = error.problems.into_iter().map(|problem| Problem {
        code: problem.kind.as_str(),
        message: problem.message,
        hint: problem.hint,
        migration: None,
        place: Some(Place { file: problem.file, position: problem.line.zip(problem.column), excerpt: None }),
    });
    let problems: Vec<Problem> = problems.collect();
    let code = common(&problems).unwrap_or("source");
    Failure::of_problems(code, "the migrations cannot be read", problems)
}

fn chain(error: &ChainError) -> Failure {
    let problem = |code, message: String, hint: &str| Problem {
        code,
        message,
        hint: Some(hint.to_owned()),
        migration: None,
        place: None,
    };
    match error {
        ChainError::Duplicates { duplicates } => {
            let problems = duplicates.iter().map(|duplicate| {
                let one = ChainError::Duplicates { duplicates: vec![duplicate.clone()] };
                let hint = match duplicate.key {
                    Key::Version(_) => "give one of them another version: `whimbrel renumber`",
                    Key::Name(_) => "give one of them another name",
                };
                problem("duplicate-version", one.to_string(), hint)
            });
            Failure::of_problems("duplicate-version", "the migrations make no chain", problems.collect())
        }
        ChainError::Unmet { unmet } => {
            let problems = unmet.iter().map(|missing| Problem {
                migration: Some(missing.migration.clone()),
                ..problem(
                    "missing-dependency",
                    ChainError::Unmet { unmet: vec![missing.clone()] }.to_string(),
                    "name a version that is there, or one of another chain as `chain:version`",
                )
            });
            Failure::of_problems("missing-dependency", "migrations depend on what is not there", problems.collect())
        }
        ChainError::UnknownLibrary { name, known, .. } => {
            let near = sql::nearest(name, known.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("put {name}.functions.wasm into the folder of the migrations"),
            };
            Failure { hint: Some(hint), ..Failure::new(Exit::Failed, "functions", error.to_string()) }
        }
        ChainError::SameLibrary { .. } => {
            let hint = Some("give one of them another name".to_owned());
            Failure { hint, ..Failure::new(Exit::Failed, "functions", error.to_string()) }
        }
        ChainError::Cycle { .. } => Failure {
            hint: Some("take one of the dependencies on this path away".to_owned()),
            ..Failure::new(Exit::Failed, "dependency-cycle", error.to_string())
        },
        ChainError::Unknown { known, .. } => Failure {
            hint: Some(format!("known are {}", known.join(", "))),
            ..Failure::new(Exit::Usage, "unknown-chain", error.to_string())
        },
        ChainError::Several { errors } => several(errors),
        other => Failure::new(Exit::Failed, "chain", other.to_string()),
    }
}

/// Explains everything that is wrong with the chains.
fn several(errors: &[ChainError]) -> Failure {
    let each = errors.iter().map(chain).flat_map(|failure| match failure.problems.is_empty() {
        false => failure.problems,
        true => {
            let Failure { code, message, hint, .. } = failure;
            vec![Problem { code, message, hint, migration: None, place: None }]
        }
    });
    let problems: Vec<Problem> = each.collect();
    let code = common(&problems).unwrap_or("chain");
    Failure::of_problems(code, "the migrations make no chain", problems)
}

/// Returns the code that all problems have.
fn common(problems: &[Problem]) -> Option<&'static str> {
    let (first, rest) = problems.split_first()?;
    rest.iter().all(|problem| problem.code == first.code).then_some(first.code)
}

/// Explains what is wrong with the history.
pub(super) fn history(error: &HistoryError) -> Failure {
    match error {
        HistoryError::Database { source, .. } => {
            Failure { causes: vec![source.to_string()], hint: hint::database(source), ..of_database(source, error) }
        }
        HistoryError::Newer { .. } => Failure {
            hint: Some("use the whimbrel that wrote it, or a later one".to_owned()),
            ..Failure::new(Exit::Failed, "history-newer", error.to_string())
        },
        HistoryError::Unusable { table, looks_like, .. } => {
            let hint = match looks_like {
                Some(version) => format!(
                    "take it from a backup; or, if nothing else is wrong with it, say which version it has in the SQLite shell: \
                     CREATE TABLE IF NOT EXISTS {table}_schema (version INTEGER NOT NULL); DELETE FROM {table}_schema; \
                     INSERT INTO {table}_schema VALUES ({version});"
                ),
                None => "if the table is not whimbrel's, choose another name with --table, or `history_table` in whimbrel.toml; if the \
                         history is lost, take it from a backup"
                    .to_owned(),
            };
            Failure { hint: Some(hint), ..Failure::new(Exit::Failed, "history", error.to_string()) }
        }
        HistoryError::Row { .. } => Failure {
            hint: Some(
                "the row was not written by whimbrel, or changed later: look at it with the SQLite shell".to_owned(),
            ),
            ..Failure::new(Exit::Failed, "history-row", error.to_string())
        },
        HistoryError::Body { .. } => Failure {
            hint: Some("it was changed after it was kept: take it from a backup".to_owned()),
            ..Failure::new(Exit::Failed, "kept", error.to_string())
        },
        HistoryError::Name { .. } => Failure::new(Exit::Usage, "history-name", error.to_string()),
        other => Failure::new(Exit::Failed, "history", other.to_string()),
    }
}

/// Explains why there is no plan.
pub(super) fn plan(error: &PlanError) -> Failure {
    let problems: Vec<Problem> = error.problems.iter().map(plan_problem).collect();
    let code = common(&problems).unwrap_or("plan");
    Failure::of_problems(code, "there is no plan", problems)
}

fn plan_problem(problem: &PlanProblem) -> Problem {
    let (code, migration, hint) = match problem {
        PlanProblem::ChecksumMismatch { migration, recorded, found, .. } => (
            "checksum-mismatch",
            Some(migration),
            format!(
                "put the file back as it was and make the change in a new migration (recorded {recorded:.12}…, \
                 found {found:.12}…); if nothing has to be run for it, `{}`",
                hint::repair(migration, "accept")
            ),
        ),
        PlanProblem::AppliedAsAnother { migration, .. } => {
            ("applied-as-another", Some(migration), hint::applied_as_another(migration))
        }
        PlanProblem::Missing { migration } => {
            (
            "missing",
            Some(migration),
            format!(
                "bring its file back, or go on without it with --ignore-missing; if it is gone for good, `{}`",
                hint::repair(migration, "forget")
            ),
        )
        }
        PlanProblem::OutOfOrder { migration, newest } => (
            "out-of-order",
            Some(migration),
            format!(
                "give it a version above {newest}, or apply it all the same with --allow-out-of-order; \
                 `-- whimbrel: out_of_order = allow` in its head says that it may always be"
            ),
        ),
        PlanProblem::Future { migration } => (
            "future",
            Some(migration),
            "the files are older than the database: take newer ones, or go on without it with --ignore-missing"
                .to_owned(),
        ),
        PlanProblem::BehindBaseline { .. } => {
            ("behind-baseline", None, hint::BEHIND_BASELINE.to_owned())
        }
        PlanProblem::DependencyPending { migration, chain, .. } => {
            ("dependency-pending", Some(migration), format!("go further, or run the chain {chain} too"))
        }
        PlanProblem::StillNeeded { migration, .. } => {
            ("still-needed", Some(migration), "revert what depends on it first, or with it".to_owned())
        }
        PlanProblem::Overtaken { migration, .. } => {
            ("history-changed", Some(migration), "look at `whimbrel status`; another run begins with what is there now".to_owned())
        }
        PlanProblem::Declared { migration } => ("declared", Some(migration), "stop at it with --to".to_owned()),
        PlanProblem::AlreadyBegun { .. } => (
            "already-begun",
            None,
            "a baseline is for a database that has nothing of the chain in its history yet".to_owned(),
        ),
        PlanProblem::PendingBelow { migration, .. } => {
            ("pending-below", Some(migration), "apply it first, so that the database has all of it".to_owned())
        }
        PlanProblem::BaselineIsThere { baseline, .. } => (
            "baseline-exists",
            Some(baseline),
            "a new one comes with the next version; take the file away to write it anew".to_owned(),
        ),
        PlanProblem::NotAlone { needs: Some((migration, other)), .. } => (
            "not-alone",
            None,
            format!("{migration} depends on {other}, so no database has this chain alone: it cannot be squashed, and its \
                     migrations stay"),
        ),
        PlanProblem::NotAlone { chain, needs: None, .. } => (
            "not-alone",
            None,
            format!("squash a database of this chain alone: `whimbrel up --chain {chain} -D alone.db`, then \
                     `whimbrel squash --chain {chain} -D alone.db`"),
        ),
        PlanProblem::NothingApplied => {
            ("nothing-applied", None, "apply the migrations first: the baseline is what they have made".to_owned())
        }
        PlanProblem::NothingWouldStay { .. } => (
            "nothing-would-stay",
            None,
            "see whether `dir` and --dir name the folder that was applied; what is gone for good is forgotten one by one: \
             `whimbrel repair VERSION --forget`"
                .to_owned(),
        ),
        PlanProblem::NoMigration => ("no-migration", None, "name a file that is one migration".to_owned()),
        PlanProblem::AmbiguousTarget { .. } => ("ambiguous-target", None, "say which with --chain".to_owned()),
        PlanProblem::Dirty { migration, direction } => ("dirty", Some(migration), hint::dirty(migration, *direction)),
        PlanProblem::ChangedInProgress { migration, .. } => (
            "changed-in-progress",
            Some(migration),
            format!(
                "put component and manifest back as they were, so that the rest is done as the beginning was; or begin \
                 anew with `{}`",
                hint::repair(migration, "restart")
            ),
        ),
        PlanProblem::ChangedStatement { migration, .. } => (
            "changed-in-progress",
            Some(migration),
            format!(
                "put it back as it was run: the statements after it may be changed; or begin anew with `{}`, which \
                 leaves what was done as it is",
                hint::repair(migration, "restart")
            ),
        ),
        PlanProblem::RevertInProgress { migration } => (
            "in-progress",
            Some(migration),
            "finish it with `whimbrel up` first".to_owned(),
        ),
        PlanProblem::NotApplied { migration } => (
            "not-applied",
            Some(migration),
            "only rows that a migration kept aside when it was applied can be tried once more".to_owned(),
        ),
        PlanProblem::NotInProgress { migration } => (
            "not-in-progress",
            Some(migration),
            "`whimbrel status` shows what is in progress; `whimbrel down` reverts what is applied".to_owned(),
        ),
        PlanProblem::NothingToRepair { migration, verb, state } => {
            ("nothing-to-repair", Some(migration), hint::nothing_to_repair(*verb, *state))
        }
        PlanProblem::UnknownMigration { .. } => {
            ("unknown-target", None, "`whimbrel status` shows the versions there are".to_owned())
        }
        PlanProblem::AmbiguousMigration { .. } => ("ambiguous-target", None, "say which with --chain".to_owned()),
        PlanProblem::UnknownTarget { .. } => {
            ("unknown-target", None, "`whimbrel status` shows the versions there are".to_owned())
        }
        PlanProblem::Irreversible { migration } => (
            "irreversible",
            Some(migration),
            "write its down script (name.up.sql and name.down.sql), `[transform.down]` for a transform, or stop before it: \
             `whimbrel down --to VERSION`"
                .to_owned(),
        ),
        PlanProblem::CannotRevertMissing { migration } => {
            ("missing", Some(migration), "bring its file back, or set `keep_bodies = true` if the history was to keep what was applied".to_owned())
        }
        PlanProblem::CannotApplyAgain { migration } => {
            ("missing", Some(migration), "bring its file back, or only take it back with `down`".to_owned())
        }
        PlanProblem::Kept { migration, .. } => {
            ("kept", Some(migration), "bring the file back as it was applied".to_owned())
        }
        PlanProblem::Script { migration, hint, .. } => ("script", Some(migration), hint.clone()),
        PlanProblem::Placeholder { migration, chain, missing, .. } => {
            ("placeholder", Some(migration), hint::placeholder(chain, missing))
        }
        _ => ("plan", None, String::new()),
    };
    let place = match problem {
        PlanProblem::ChecksumMismatch { .. } => None,
        PlanProblem::Script { script, range, .. }
        | PlanProblem::ChangedStatement { script, range, .. }
        | PlanProblem::Placeholder { script, missing: MissingValue { range, .. }, .. } => {
            Some(place::in_statement(script, range, None))
        }
        _ => None,
    };
    let hint = Some(hint).filter(|hint| !hint.is_empty());
    Problem { code, message: problem.to_string(), hint, migration: migration.cloned(), place }
}

/// Explains why a component cannot be used.
pub(crate) fn component(error: &CompileError) -> Failure {
    let (exit, code) = match error {
        CompileError::Interrupted => (Exit::Interrupted(Signal::Interrupt), "interrupted"),
        CompileError::Limit(_) => (Exit::Failed, "component-limit"),
        _ => (Exit::Failed, "component"),
    };
    Failure { hint: hint::component(error), ..Failure::new(exit, code, error.to_string()) }
}
