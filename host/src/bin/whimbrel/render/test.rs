//! What `test` has found, all checks together.

use serde::Serialize;
use whimbrel::exec::Trial;

use super::determinism::{self, TrialsJson};
use super::json::schema;
use super::junit::Report;
use super::trip::{RoundTripJson, Trips};

/// What was found; what was not asked for is not there.
pub(crate) struct Found<'a> {
    pub(crate) trips: Option<Trips<'a>>,
    pub(crate) trials: Option<&'a [Trial]>,
}

/// What `test` prints.
#[derive(Serialize)]
pub(crate) struct TestJson {
    schema: String,
    passed: bool,
    round_trip: Option<RoundTripJson>,
    determinism: Option<TrialsJson>,
}

impl Found<'_> {
    /// Tells whether nothing is wrong.
    pub(crate) fn passed(&self) -> bool {
        let agree = self.trials.is_none_or(|trials| trials.iter().all(|trial| trial.disagreement.is_none()));
        agree && self.trips.is_none_or(Trips::passed)
    }

    /// Writes it for people.
    pub(crate) fn text(&self) -> String {
        let parts = [self.trips.map(Trips::text), self.trials.map(determinism::text)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// Writes it as JSON.
    pub(crate) fn json(&self) -> TestJson {
        TestJson {
            schema: schema("test"),
            passed: self.passed(),
            round_trip: self.trips.map(Trips::json),
            determinism: self.trials.map(determinism::json),
        }
    }

    /// Makes a report of tests.
    pub(crate) fn report(&self) -> Report {
        let suites = [self.trips.map(Trips::suite), self.trials.map(determinism::suite)];
        Report { suites: suites.into_iter().flatten().collect() }
    }
}
