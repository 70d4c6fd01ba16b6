//! What `test` has found, all checks together.

use serde::Serialize;
use whimbrel::db::sqlite::Fill;
use whimbrel::exec::Trial;

use super::amount;
use super::determinism::{self, TrialsJson};
use super::json::schema;
use super::junit::Report;
use super::trip::{RoundTripJson, Trips};
use crate::escape;

/// What was found; what was not asked for is not there.
pub(crate) struct Found<'a> {
    pub(crate) fills: &'a [Fill],
    pub(crate) trips: Option<Trips<'a>>,
    pub(crate) trials: Option<&'a [Trial]>,
}

/// What `test` prints.
#[derive(Serialize)]
pub(crate) struct TestJson {
    schema: String,
    passed: bool,
    /// Rows that were added to the copies.
    filled: Vec<FillJson>,
    round_trip: Option<RoundTripJson>,
    determinism: Option<TrialsJson>,
}

#[derive(Serialize)]
struct FillJson {
    table: String,
    rows: u64,
    seed: u64,
}

impl Found<'_> {
    /// Tells whether nothing is wrong.
    pub(crate) fn passed(&self) -> bool {
        let agree = self.trials.is_none_or(|trials| trials.iter().all(|trial| trial.disagreement.is_none()));
        agree && self.trips.is_none_or(Trips::passed)
    }

    /// Writes it for people.
    pub(crate) fn text(&self) -> String {
        let parts = [self.filled(), self.trips.map(Trips::text), self.trials.map(determinism::text)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// Says which rows were added to the copies.
    fn filled(&self) -> Option<String> {
        let seed = self.fills.first()?.seed;
        let fill = |fill: &Fill| format!("{} to {}", amount::number(fill.rows), escape::line(&fill.table));
        let fills: Vec<String> = self.fills.iter().map(fill).collect();
        Some(format!("Rows added to the copies: {} (seed {seed}).\n", fills.join(", ")))
    }

    /// Writes it as JSON.
    pub(crate) fn json(&self) -> TestJson {
        TestJson {
            schema: schema("test"),
            passed: self.passed(),
            filled: self
                .fills
                .iter()
                .map(|Fill { table, rows, seed }| FillJson { table: table.clone(), rows: *rows, seed: *seed })
                .collect(),
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
