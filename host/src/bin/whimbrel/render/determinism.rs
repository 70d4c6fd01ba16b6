//! Whether code did the same twice, for people and as JSON.

use serde::Serialize;
use whimbrel::db::sqlite::Difference;
use whimbrel::exec::{Disagreement, Trial, Used};

use super::json::{StepJson, step};
use super::junit::{Case, Suite, Verdict};
use super::{amount, style};
use crate::escape;

const HINT: &str = "time and chance come from the context (`started_at`, `seed`), or in SQL with the grants \"now\" and \
                    \"random\"; a migration in Rust sees the whole machine and has to avoid them itself";

/// Writes a line for each migration with code, and the verdict.
pub(crate) fn text(trials: &[Trial]) -> String {
    let mut text = String::new();
    for trial in trials {
        let title = escape::line(&trial.step.migration.title()).into_owned();
        match &trial.disagreement {
            None => text.push_str(&format!("Migration {title} did the same twice ({}).\n", used(trial.used))),
            Some(disagreement) => text.push_str(&format!(
                "{}: migration {title} did not do the same twice: {}\n{}: {HINT}\n",
                style::paint(style::ERROR, "error"),
                escape::line(&words(disagreement)),
                style::paint(style::HINT, "hint"),
            )),
        }
    }
    let count = amount::count(trials.len(), "migration", "migrations");
    text.push_str(&match trials.iter().any(|trial| trial.disagreement.is_some()) {
        _ if trials.is_empty() => "Nothing to test: no pending migration has code.\n".to_owned(),
        true => format!("Tested {count}: the last one is not deterministic.\n"),
        false => format!("Tested {count}: deterministic on this database.\n"),
    });
    text
}

fn used(used: Used) -> String {
    let rows = amount::number(used.rows_changed);
    match used.fuel {
        Some(fuel) => format!("{}, {rows} rows changed", amount::work(fuel, used.operations)),
        None => format!("{} SQL operations, {rows} rows changed", amount::short(used.operations)),
    }
}

fn words(disagreement: &Disagreement) -> String {
    match disagreement {
        Disagreement::Database(difference) => format!("the databases differ: {difference}"),
        Disagreement::Work { what, first, second } => {
            let (first, second) = (amount::number(*first), amount::number(*second));
            format!("the databases are the same, but not the {what}: {first} and {second}")
        }
        Disagreement::Outcome { first, second } => {
            let outcome = |failed: &Option<String>| failed.clone().unwrap_or_else(|| "went well".to_owned());
            format!("once: {}; and once: {}", outcome(first), outcome(second))
        }
    }
}

/// What the trials of `test` are as JSON.
#[derive(Serialize)]
pub(crate) struct TrialsJson {
    deterministic: bool,
    migrations: Vec<TrialJson>,
}

#[derive(Serialize)]
struct TrialJson {
    #[serde(flatten)]
    step: StepJson,
    deterministic: bool,
    fuel: Option<u64>,
    operations: u64,
    statements: u64,
    rows_changed: u64,
    difference: Option<DifferenceJson>,
}

#[derive(Default, Serialize)]
struct DifferenceJson {
    /// `schema`, `row`, `value`, `work` or `outcome`.
    kind: &'static str,
    message: String,
    table: Option<String>,
    row: Option<String>,
    column: Option<String>,
    first: Option<String>,
    second: Option<String>,
}

/// Writes what was found as JSON.
pub(crate) fn json(trials: &[Trial]) -> TrialsJson {
    let one = |trial: &Trial| TrialJson {
        step: step(&trial.step),
        deterministic: trial.disagreement.is_none(),
        fuel: trial.used.fuel,
        operations: trial.used.operations,
        statements: trial.used.statements,
        rows_changed: trial.used.rows_changed,
        difference: trial.disagreement.as_ref().map(difference),
    };
    TrialsJson {
        deterministic: trials.iter().all(|trial| trial.disagreement.is_none()),
        migrations: trials.iter().map(one).collect(),
    }
}

/// Makes a suite of tests, one for each migration with code.
pub(crate) fn suite(trials: &[Trial]) -> Suite {
    let case = |trial: &Trial| {
        let verdict = match &trial.disagreement {
            None => Verdict::Passed,
            Some(disagreement) => {
                let message = "it did not do the same twice".to_owned();
                Verdict::Failed { kind: "deterministic", message, text: words(disagreement) }
            }
        };
        Case::of(&trial.step, None, verdict)
    };
    Suite { name: "deterministic".to_owned(), cases: trials.iter().map(case).collect() }
}

fn difference(disagreement: &Disagreement) -> DifferenceJson {
    let message = words(disagreement);
    match disagreement.clone() {
        Disagreement::Database(Difference::Schema { first, second, .. } | Difference::Column { first, second, .. }) => {
            DifferenceJson { kind: "schema", message, first, second, ..DifferenceJson::default() }
        }
        Disagreement::Database(Difference::Order { first, second, .. }) => {
            let (first, second) = (Some(first), Some(second));
            DifferenceJson { kind: "schema", message, first, second, ..DifferenceJson::default() }
        }
        Disagreement::Database(Difference::Row { table, key, in_first }) => {
            let (first, second) = if in_first { (Some(key.clone()), None) } else { (None, Some(key.clone())) };
            let (table, row) = (Some(table), Some(key));
            DifferenceJson { kind: "row", message, table, row, first, second, ..DifferenceJson::default() }
        }
        Disagreement::Database(Difference::Value { table, key, column, first, second }) => {
            let (table, row, column) = (Some(table), Some(key), Some(column));
            DifferenceJson { kind: "value", message, table, row, column, first: Some(first), second: Some(second) }
        }
        Disagreement::Work { first, second, .. } => {
            let (first, second) = (Some(first.to_string()), Some(second.to_string()));
            DifferenceJson { kind: "work", message, first, second, ..DifferenceJson::default() }
        }
        Disagreement::Outcome { first, second } => {
            DifferenceJson { kind: "outcome", message, first, second, ..DifferenceJson::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_two_runs_differ() {
        let value = Difference::Value {
            table: "t".into(),
            key: "rowid 7".into(),
            column: "x".into(),
            first: "integer 1".into(),
            second: "integer 2".into(),
        };
        let cases = [
            (
                Disagreement::Database(value),
                "the databases differ: table t, row with rowid 7, column x: integer 1 and integer 2",
            ),
            (
                Disagreement::Work { what: "fuel", first: 41_000, second: 41_001 },
                "the databases are the same, but not the fuel: 41,000 and 41,001",
            ),
            (
                Disagreement::Outcome { first: None, second: Some("the guest trapped".into()) },
                "once: went well; and once: the guest trapped",
            ),
        ];
        for (disagreement, expected) in cases {
            assert_eq!(words(&disagreement), expected);
            assert_eq!(difference(&disagreement).message, expected);
        }
    }

    #[test]
    fn says_when_there_is_nothing_to_test() {
        assert_eq!(text(&[]), "Nothing to test: no pending migration has code.\n");
        assert!(json(&[]).deterministic);
    }
}
