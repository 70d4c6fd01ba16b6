//! What tests assert, with the differences in words.

use super::TestDatabase;
use crate::db::sqlite::{Differences, differences, schema_differences};
use crate::exec::{Trial, Trip, TripOutcome};
use crate::model::Version;

/// Asserts that two databases have schemas that mean the same, the histories apart.
///
/// # Panics
/// When they do not, or cannot be read.
#[track_caller]
pub fn assert_schema_eq(one: &TestDatabase, other: &TestDatabase) {
    let found = schema_differences(one.connection(), other.connection(), &own_tables(one, other));
    told("the schemas differ", &found.unwrap_or_else(|error| panic!("{error}")));
}

/// Asserts that two databases have schemas that mean the same and the same rows, the histories apart.
///
/// # Panics
/// When they do not, or cannot be read.
#[track_caller]
pub fn assert_same(one: &TestDatabase, other: &TestDatabase) {
    let found = differences(one.connection(), other.connection(), &own_tables(one, other));
    told("the databases differ", &found.unwrap_or_else(|error| panic!("{error}")));
}

fn own_tables(one: &TestDatabase, other: &TestDatabase) -> Vec<String> {
    [one.own_tables(), other.own_tables()].concat()
}

#[track_caller]
fn told(headline: &str, differences: &Differences) {
    if !differences.is_empty() {
        panic!("{headline}:\n{}", lines(differences, "in the first", "in the second"));
    }
}

fn lines(differences: &Differences, one: &str, other: &str) -> String {
    let mut lines: Vec<String> =
        differences.named.iter().map(|difference| format!("  {}", difference.told(one, other))).collect();
    if differences.more > 0 {
        lines.push(format!("  and {} more", differences.more));
    }
    lines.join("\n")
}

/// Asserts that every migration came back as it should, or does not say how to go down.
///
/// # Panics
/// When one did not, with what is different then.
#[track_caller]
pub fn assert_passed(trips: &[Trip]) {
    assert_passed_but(trips, &[]);
}

/// Asserts the same of all but some, of which it is known that they do not bring everything back. These must go down and
/// up all the same.
///
/// # Panics
/// When another did not come back, or one of them does: then it need not be named any more.
#[track_caller]
pub fn assert_passed_but(trips: &[Trip], known: &[Version]) {
    let mut wrong = Vec::new();
    for trip in trips {
        let is_known = known.contains(&trip.step.migration.version);
        let title = trip.step.title();
        match &trip.outcome {
            TripOutcome::Differs { leg, differences } if !is_known => {
                let (one, other) = leg.sides();
                wrong.push(format!("migration {title}, {}:\n{}", leg.as_str(), lines(differences, one, other)));
            }
            TripOutcome::Failed { leg, error } => {
                wrong.push(format!("migration {title} fails {}: {}", leg.as_str(), error.words()));
            }
            TripOutcome::Passed if is_known => wrong.push(format!("migration {title} comes back by now")),
            TripOutcome::Differs { .. }
            | TripOutcome::Passed
            | TripOutcome::NotReversible
            | TripOutcome::LeftOut { .. }
            | TripOutcome::NotTried => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asserts that all code did the same twice.
///
/// # Panics
/// When a migration did not, with how.
#[track_caller]
pub fn assert_deterministic(trials: &[Trial]) {
    let wrong = trials.iter().find_map(|trial| Some((&trial.step, trial.disagreement.as_ref()?)));
    if let Some((step, disagreement)) = wrong {
        panic!("migration {} did not do the same twice: {disagreement:?}", step.title());
    }
}
