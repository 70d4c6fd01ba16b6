//! What `test` has found, all checks together.

use serde::Serialize;
use whimbrel::db::sqlite::Fill;
use whimbrel::exec::{Leg, Trial, TripOutcome};

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

    /// Returns which tables were filled. Where a migration did not go up, those that were not there by then were not; else one that
    /// was never there is an error.
    fn filled_tables(&self) -> impl Iterator<Item = (&Fill, bool)> {
        let trips = self.trips.map_or(&[][..], |trips| trips.trips);
        let is_stopped = trips.iter().any(|trip| matches!(trip.outcome, TripOutcome::Failed { leg: Leg::Up, .. }));
        let is_filled = move |fill: &Fill| !is_stopped || trips.iter().any(|trip| trip.filled.contains(&fill.table));
        self.fills.iter().map(move |fill| (fill, is_filled(fill)))
    }

    /// Says which rows were added to the copies.
    fn filled(&self) -> Option<String> {
        let seed = self.fills.first()?.seed;
        let fill = |fill: &Fill| format!("{} to {}", amount::number(fill.rows), escape::line(&fill.table));
        let of = |wanted| self.filled_tables().filter(move |(_, filled)| *filled == wanted).map(|(fill, _)| fill);
        let (filled, missing) = (of(true).map(fill).collect::<Vec<_>>(), of(false));
        let missing: Vec<_> = missing.map(|fill| escape::line(&fill.table).into_owned()).collect();
        let mut text = match filled.is_empty() {
            true => "No rows were added to the copies".to_owned(),
            false => format!("Rows added to the copies: {} (seed {seed})", filled.join(", ")),
        };
        if !missing.is_empty() {
            text.push_str(&format!("; there was no table {} when a migration failed", missing.join(", ")));
        }
        Some(format!("{text}.\n"))
    }

    /// Writes it as JSON.
    pub(crate) fn json(&self) -> TestJson {
        TestJson {
            schema: schema("test"),
            passed: self.passed(),
            filled: self
                .filled_tables()
                .filter(|(_, filled)| *filled)
                .map(|(Fill { table, rows, seed }, _)| FillJson { table: table.clone(), rows: *rows, seed: *seed })
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
