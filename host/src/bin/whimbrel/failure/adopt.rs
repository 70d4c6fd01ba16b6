//! Explains why the history of another tool was not taken over.

use whimbrel::history::foreign::{AdoptError, AdoptProblem, Tool};

use super::{Failure, Problem, hint, library};
use crate::exit::Exit;

/// Explains it, with the ways out.
pub(super) fn explain(error: &AdoptError) -> Failure {
    let new = |code, hint: &str| Failure {
        hint: Some(hint.to_owned()),
        ..Failure::new(Exit::Failed, code, error.to_string())
    };
    match error {
        AdoptError::NotFound { .. } => new(
            "adopt-not-found",
            "check --database; `--from-table` names the table if it was changed by hand; what a tool that is not known has \
                 applied, `whimbrel baseline` counts as applied",
        ),
        AdoptError::Several { .. } => new("adopt-several", "say which it is with --from, or with --from-table"),
        AdoptError::SeveralChains { .. } => new("adopt-chain", "say which one the history goes into with --chain"),
        AdoptError::Begun { .. } => new(
            "adopt-begun",
            "`whimbrel history` shows them; another chain can be named with `chain` in whimbrel.toml",
        ),
        AdoptError::Baseline { .. } => new(
            "adopt-baseline",
            "leave out --baseline: the rows tell what is applied; it is for tools whose migrations are no scripts of a \
             chain, such as alembic",
        ),
        AdoptError::KeepWriting { .. } => new(
            "adopt-keep-writing",
            "take it over without --keep-writing; there is a way back to sqlx, refinery, flyway, golang-migrate, goose, \
             dbmate, diesel, rails and d1 once they have applied something",
        ),
        AdoptError::Locked { .. } => new("adopt-locked", "wait until it has ended; if it was killed, release its lock"),
        AdoptError::Stopped { tool, table, problems } => {
            let problems = problems.iter().map(|one| problem(*tool, table, one)).collect();
            let headline = format!("the history of {tool} cannot be taken over as it is");
            Failure::of_problems("adopt-stopped", &headline, problems)
        }
        AdoptError::Database { source } => Failure {
            exit: library::exit(source.code),
            causes: vec![source.to_string()],
            hint: hint::database(source),
            ..Failure::new(Exit::Failed, source.code.as_str(), error.to_string())
        },
        other => Failure::new(Exit::Failed, "adopt", other.to_string()),
    }
}

fn problem(tool: Tool, table: &str, problem: &AdoptProblem) -> Problem {
    let (code, migration, hint) = match problem {
        AdoptProblem::Unfinished { migration, .. } => (
            "adopt-unfinished",
            Some(migration.clone()),
            format!(
                "see what it has done; then finish it by hand, or undo that, and tell {tool} so: {}. Then run this again",
                repair(tool, table)
            ),
        ),
        AdoptProblem::Changed { migration, recorded, found, .. } => (
            "adopt-changed",
            Some(migration.clone()),
            format!(
                "bring the file back as {tool} applied it ({tool} has {recorded:.16}, now it is {found:.16}), or take it \
                 over as it is now with --accept-changed"
            ),
        ),
        AdoptProblem::Version { .. } => (
            "adopt-version",
            None,
            "versions are made of digits and dots here; `--from-table` names another table".to_owned(),
        ),
        AdoptProblem::NoSuchVersion { .. } | AdoptProblem::NoSuchFile { .. } => (
            "adopt-version",
            None,
            format!("check --dir and --layout: the folder must be the one that {tool} has applied"),
        ),
        AdoptProblem::OtherName { migration, .. } => (
            "adopt-changed",
            Some(migration.clone()),
            format!(
                "{tool} tells migrations apart by the names of their files: where it is the same one, take it over with \
                 --accept-changed; else give the file a version of its own, so that it is run"
            ),
        ),
        AdoptProblem::Twice { migration } => (
            "adopt-version",
            Some(migration.clone()),
            format!("a version is one migration here: delete one of the two rows of {table}, if they are of the same one"),
        ),
        AdoptProblem::BeginsAtZero { migration, .. } => (
            "adopt-version",
            Some(migration.clone()),
            "where it is applied, say so with `--baseline 0`; where it is still to come, give it a version above 0, or leave \
             the history where it is: `whimbrel up` runs everything"
                .to_owned(),
        ),
        _ => ("adopt", None, String::new()),
    };
    let hint = Some(hint).filter(|hint| !hint.is_empty());
    Problem { code, message: problem.to_string(), hint, migration, place: None }
}

/// How each tool is told that a migration is as it should be.
fn repair(tool: Tool, table: &str) -> String {
    match tool {
        Tool::GolangMigrate => "`migrate force VERSION`".to_owned(),
        Tool::Flyway => "`flyway repair`".to_owned(),
        Tool::Prisma => "`prisma migrate resolve --applied NAME` or `--rolled-back NAME`".to_owned(),
        Tool::Atlas => "`atlas migrate set VERSION`".to_owned(),
        Tool::Sqlx => format!("set `success` in its row of {table} to true, or delete the row"),
        _ => format!("correct or delete its row of {table}"),
    }
}
