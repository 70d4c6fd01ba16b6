//! What running migrations up, down and up again has shown, for people, as JSON and as a suite of tests.

use anstyle::Style;
use serde::Serialize;
use whimbrel::db::sqlite::{Difference, Differences};
use whimbrel::exec::{Leg, LegError, Trip, TripOutcome};
use whimbrel::model::{Role, Version};

use super::json::{StepJson, step, version};
use super::junit::{Case, Suite, Verdict};
use super::table::Sheet;
use super::{amount, failure, style};
use crate::escape;
use crate::exit::Exit;
use crate::failure::{Failure, explain_step};

const COME_BACK: &str = "a down can bring back only what its up has kept; what cannot be brought back is better not \
                         given a down, or is let pass with --accept";

/// Trips, and the migrations, by chain and version, of which it is known that they do not come back.
#[derive(Clone, Copy)]
pub(crate) struct Trips<'a> {
    pub(crate) trips: &'a [Trip],
    pub(crate) accepted: &'a [(String, Version)],
}

impl Trips<'_> {
    /// Tells whether nothing is wrong beyond what is accepted.
    pub(crate) fn passed(self) -> bool {
        !self.trips.iter().any(|trip| self.is_failed(trip))
    }

    /// Tells whether something differs, and may.
    fn is_accepted(self, trip: &Trip) -> bool {
        let step = &trip.step;
        let is_it = |(chain, version): &(String, Version)| **chain == *step.chain && *version == step.migration.version;
        let is_named = step.migration.role() != Role::Repeatable && self.accepted.iter().any(is_it);
        matches!(trip.outcome, TripOutcome::Differs { .. }) && is_named
    }

    fn is_failed(self, trip: &Trip) -> bool {
        trip.is_failed() && !self.is_accepted(trip)
    }

    /// Writes a table of the migrations, what is wrong with which, and the verdict.
    pub(crate) fn text(self) -> String {
        if self.trips.is_empty() {
            return "Nothing to test: no migration is pending.\n".to_owned();
        }
        let several = self.trips.iter().any(|trip| trip.step.several);
        let mut header = vec!["VERSION", "NAME", "UP, DOWN, UP", "TIME"];
        header.extend(several.then_some("CHAIN"));
        let mut sheet = Sheet::new(&header, &[]);
        for trip in self.trips {
            let migration = &trip.step.migration;
            let (word, colour) = self.word(trip);
            let version = version(migration.role(), migration.version).unwrap_or_default();
            let mut cells = vec![version, migration.name.clone(), word.clone(), amount::duration(trip.duration)];
            cells.extend(several.then(|| trip.step.chain.to_string()));
            sheet.add(&cells, Some((&word, colour)));
        }
        let mut text = sheet.draw();
        text.push('\n');
        for trip in self.trips {
            if let TripOutcome::LeftOut { reason } = &trip.outcome {
                let note = style::paint(style::HINT, "note");
                text.push_str(&format!("{note}: migration {} was left out: {}\n", title(trip), escape::line(reason)));
            }
            if let Some(trouble) = Trouble::of(trip).filter(|_| self.is_failed(trip)) {
                text.push_str(&trouble.text(trip));
            }
        }
        text + &self.verdict()
    }

    fn word(self, trip: &Trip) -> (String, Style) {
        match &trip.outcome {
            TripOutcome::Passed => ("passed".to_owned(), style::GOOD),
            TripOutcome::NotReversible => ("not reversible".to_owned(), style::DIM),
            TripOutcome::LeftOut { .. } => ("left out".to_owned(), style::DIM),
            TripOutcome::NotTried => ("not tried".to_owned(), style::DIM),
            TripOutcome::Differs { leg, .. } if self.is_accepted(trip) => {
                (format!("accepted: {}", way(*leg)), style::PENDING)
            }
            TripOutcome::Differs { leg, .. } | TripOutcome::Failed { leg, .. } => {
                (format!("failed: {}", way(*leg)), style::BAD)
            }
        }
    }

    fn verdict(self) -> String {
        let count = |is: &dyn Fn(&Trip) -> bool| self.trips.iter().filter(|trip| is(trip)).count() as u64;
        let parts = [
            (count(&|trip| self.is_failed(trip)), "failed"),
            (count(&|trip| self.is_accepted(trip)), "accepted"),
            (count(&|trip| matches!(trip.outcome, TripOutcome::Passed)), "passed"),
            (count(&|trip| matches!(trip.outcome, TripOutcome::NotReversible)), "not reversible"),
            (count(&|trip| matches!(trip.outcome, TripOutcome::LeftOut { .. })), "left out"),
            (count(&|trip| matches!(trip.outcome, TripOutcome::NotTried)), "not tried"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{} {what}", amount::number(count))).collect();
        format!("Tested up, down, up: {}.\n", parts.join(", "))
    }

    /// Writes what was found as JSON.
    pub(crate) fn json(self) -> RoundTripJson {
        let migrations = self.trips.iter().map(|trip| trip_json(trip, self.is_accepted(trip)));
        RoundTripJson { passed: self.passed(), migrations: migrations.collect() }
    }

    /// Makes a suite of tests, one for each migration.
    pub(crate) fn suite(self) -> Suite {
        let case = |trip: &Trip| {
            let verdict = match &trip.outcome {
                TripOutcome::Passed => Verdict::Passed,
                TripOutcome::NotReversible => Verdict::Skipped("it does not say how to go down".to_owned()),
                TripOutcome::LeftOut { reason } => Verdict::Skipped(format!("it was left out: {reason}")),
                TripOutcome::NotTried => Verdict::Skipped("one before it does not go up".to_owned()),
                TripOutcome::Differs { .. } if self.is_accepted(trip) => {
                    Verdict::Skipped(format!("accepted: {}", message(trip).unwrap_or_default()))
                }
                TripOutcome::Differs { leg, .. } | TripOutcome::Failed { leg, .. } => {
                    let (message, lines) = (message(trip).unwrap_or_default(), lines(&trip.outcome));
                    let text = if lines.is_empty() { message.clone() } else { lines.join("\n") };
                    Verdict::Failed { kind: leg.as_str(), message, text }
                }
            };
            Case::of(&trip.step, Some(trip.duration), verdict)
        };
        Suite { name: "up, down, up".to_owned(), cases: self.trips.iter().map(case).collect() }
    }
}

fn title(trip: &Trip) -> String {
    escape::line(&trip.step.title()).into_owned()
}

fn way(leg: Leg) -> &'static str {
    match leg {
        Leg::Up => "up",
        Leg::Down => "down",
        Leg::UpAgain => "up again",
    }
}

/// What is wrong with one migration.
struct Trouble<'a> {
    message: String,
    differences: Option<(Leg, &'a Differences)>,
    failure: Option<Failure>,
}

impl<'a> Trouble<'a> {
    fn of(trip: &'a Trip) -> Option<Self> {
        let title = trip.step.title();
        match &trip.outcome {
            TripOutcome::Differs { leg, differences } => {
                let message = match leg {
                    Leg::Up | Leg::Down => format!("migration {title} does not go back to what was there before"),
                    Leg::UpAgain => format!("migration {title} does something else when it goes up again"),
                };
                Some(Self { message, differences: Some((*leg, differences)), failure: None })
            }
            TripOutcome::Failed { leg, error } => {
                let message = format!("migration {title} fails on its way {}", way(*leg));
                let failure = match error {
                    LegError::Run(error) => explain_step(&error.source, &error.failed),
                    LegError::Prepare(_) => Failure::new(Exit::Failed, "failed", error.words()),
                };
                Some(Self { message, differences: None, failure: Some(failure) })
            }
            TripOutcome::Passed | TripOutcome::NotReversible | TripOutcome::LeftOut { .. } | TripOutcome::NotTried => {
                None
            }
        }
    }

    fn text(self, trip: &Trip) -> String {
        if let Some(mut failure) = self.failure {
            failure.causes.insert(0, std::mem::replace(&mut failure.message, self.message));
            return failure::text(&failure);
        }
        let mut text = format!("{}: {}\n", style::paint(style::ERROR, "error"), escape::line(&self.message));
        for line in lines(&trip.outcome) {
            text.push_str(&format!("  {}\n", escape::line(&line)));
        }
        if matches!(self.differences, Some((Leg::Down, _))) {
            text.push_str(&format!("{}: {COME_BACK}\n", style::paint(style::HINT, "hint")));
        }
        text
    }
}

/// Says what differs, a line for each thing.
fn lines(outcome: &TripOutcome) -> Vec<String> {
    let TripOutcome::Differs { leg, differences } = outcome else { return Vec::new() };
    let (one, other) = leg.sides();
    let mut lines: Vec<String> = differences.named.iter().map(|difference| difference.told(one, other)).collect();
    if differences.more > 0 {
        lines.push(format!("and {} more", amount::number(differences.more)));
    }
    lines
}

/// What the round trips of `test` are as JSON.
#[derive(Serialize)]
pub(crate) struct RoundTripJson {
    passed: bool,
    migrations: Vec<TripJson>,
}

#[derive(Serialize)]
struct TripJson {
    #[serde(flatten)]
    step: StepJson,
    /// `passed`, `not-reversible`, `left-out`, `failed` or `not-tried`.
    result: &'static str,
    /// It is known not to come back.
    accepted: bool,
    /// `up`, `down` or `up-again`, where it failed.
    leg: Option<&'static str>,
    message: Option<String>,
    duration_us: u64,
    differences: Vec<DifferenceJson>,
    more_differences: u64,
}

#[derive(Default, Serialize)]
struct DifferenceJson {
    /// `schema`, `column`, `order`, `row` or `value`.
    kind: &'static str,
    message: String,
    object: Option<String>,
    table: Option<String>,
    row: Option<String>,
    column: Option<String>,
    expected: Option<String>,
    found: Option<String>,
}

fn trip_json(trip: &Trip, accepted: bool) -> TripJson {
    let (result, leg) = match &trip.outcome {
        TripOutcome::Passed => ("passed", None),
        TripOutcome::NotReversible => ("not-reversible", None),
        TripOutcome::LeftOut { .. } => ("left-out", None),
        TripOutcome::Differs { leg, .. } | TripOutcome::Failed { leg, .. } => ("failed", Some(leg.as_str())),
        TripOutcome::NotTried => ("not-tried", None),
    };
    let (differences, more_differences) = match &trip.outcome {
        TripOutcome::Differs { leg, differences } => {
            (differences.named.iter().map(|one| difference(one, *leg)).collect(), differences.more)
        }
        _ => (Vec::new(), 0),
    };
    TripJson {
        step: step(&trip.step),
        result,
        accepted,
        leg,
        message: message(trip),
        duration_us: u64::try_from(trip.duration.as_micros()).unwrap_or(u64::MAX),
        differences,
        more_differences,
    }
}

fn message(trip: &Trip) -> Option<String> {
    match &trip.outcome {
        TripOutcome::LeftOut { reason } => Some(reason.clone()),
        _ => Trouble::of(trip).map(|trouble| match trouble.failure {
            Some(failure) => format!("{}: {}", trouble.message, located(failure)),
            None => trouble.message,
        }),
    }
}

/// Says why something failed, and where.
fn located(failure: Failure) -> String {
    let place = failure.problems.first().and_then(|problem| problem.place.as_ref());
    match place.map(|place| (&place.file, place.position)) {
        Some((file, Some((line, column)))) => format!("{} ({file}:{line}:{column})", failure.message),
        Some((file, None)) => format!("{} ({file})", failure.message),
        None => failure.message,
    }
}

fn difference(difference: &Difference, leg: Leg) -> DifferenceJson {
    let (one, other) = leg.sides();
    let message = difference.told(one, other);
    match difference.clone() {
        Difference::Schema { object, first, second } => {
            let object = Some(object);
            DifferenceJson { kind: "schema", message, object, expected: first, found: second, ..Default::default() }
        }
        Difference::Column { table, column, first, second } => {
            let (table, column) = (Some(table), Some(column));
            DifferenceJson {
                kind: "column",
                message,
                table,
                column,
                expected: first,
                found: second,
                ..Default::default()
            }
        }
        Difference::Order { table, first, second } => {
            let (table, expected, found) = (Some(table), Some(first), Some(second));
            DifferenceJson { kind: "order", message, table, expected, found, ..Default::default() }
        }
        Difference::Row { table, key, in_first } => {
            let (expected, found) = if in_first { (Some(key.clone()), None) } else { (None, Some(key.clone())) };
            let (table, row) = (Some(table), Some(key));
            DifferenceJson { kind: "row", message, table, row, expected, found, ..Default::default() }
        }
        Difference::Value { table, key, column, first, second } => {
            let (table, row, column) = (Some(table), Some(key), Some(column));
            let (expected, found) = (Some(first), Some(second));
            DifferenceJson { kind: "value", message, table, row, column, expected, found, ..Default::default() }
        }
    }
}
