//! A failure, for people and as JSON.

use serde::Serialize;

use super::json::{PlaceJson, place_json, schema};
use super::report::{self, StepReportJson};
use super::unnamed::{self, UnnamedJson};
use super::warning::{self, WarningJson};
use super::{snippet, style};
use crate::escape;
use crate::failure::{Failure, Problem};

/// Writes an error with its causes, places, notes and hint.
pub(crate) fn text(failure: &Failure) -> String {
    let mut text = format!("{}: {}\n", style::paint(style::ERROR, "error"), indented(&failure.message));
    for cause in &failure.causes {
        text.push_str(&format!("  caused by: {}\n", indented(cause)));
    }
    if !failure.backtrace.is_empty() {
        text.push_str("  backtrace:\n");
        for (index, function) in failure.backtrace.iter().enumerate() {
            text.push_str(&format!("  {index:4}: {}\n", escape::line(function)));
        }
    }
    let mut hint = failure.hint.as_ref();
    match failure.problems.as_slice() {
        [] => {}
        [only] => {
            text.push_str(&excerpt(only));
            hint = hint.or(only.hint.as_ref());
        }
        problems => text.push_str(&list(problems)),
    }
    for note in &failure.notes {
        text.push_str(&format!("{}: {}\n", style::paint(style::HINT, "note"), indented(note)));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("{}: {}\n", style::paint(style::HINT, "hint"), indented(hint)));
    }
    text
}

fn excerpt(problem: &Problem) -> String {
    let place = problem.place.as_ref().filter(|place| place.excerpt.is_some());
    place.map(snippet::draw).unwrap_or_default()
}

fn list(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        // Deeper than the hint below.
        text.push_str(&format!("  - {}\n", escape::hung(&problem.located_message(), 8)));
        text.push_str(&excerpt(problem));
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("    {}: {}\n", style::paint(style::HINT, "hint"), escape::hung(hint, 8)));
        }
    }
    text
}

/// Keeps further lines of a message under its first.
fn indented(message: &str) -> String {
    escape::hung(message, 4)
}

/// What every verb prints when it fails.
#[derive(Serialize)]
pub(crate) struct ErrorJson<'a> {
    schema: String,
    verb: Option<&'a str>,
    exit_code: u8,
    code: &'a str,
    message: &'a str,
    causes: &'a [String],
    hint: Option<&'a str>,
    notes: &'a [String],
    problems: Vec<ProblemJson<'a>>,
    backtrace: &'a [String],
    done: Vec<StepReportJson>,
    warnings: Vec<WarningJson>,
    /// Chains that only the history knew before the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnamed_chains: Vec<UnnamedJson>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    migration: Option<&'a str>,
    #[serde(flatten)]
    place: PlaceJson,
}

/// Writes a failure as JSON.
pub(crate) fn json<'a>(verb: Option<&'a str>, failure: &'a Failure) -> ErrorJson<'a> {
    let problem = |problem: &'a Problem| ProblemJson {
        code: problem.code,
        message: &problem.message,
        hint: problem.hint.as_deref(),
        migration: problem.migration.as_deref(),
        place: problem.place.as_ref().map(place_json).unwrap_or_default(),
    };
    let only_hint = match failure.problems.as_slice() {
        [only] => only.hint.as_deref(),
        _ => None,
    };
    ErrorJson {
        schema: schema("error"),
        verb,
        exit_code: failure.exit.code(),
        code: failure.code,
        message: &failure.message,
        causes: &failure.causes,
        hint: failure.hint.as_deref().or(only_hint),
        notes: &failure.notes,
        problems: failure.problems.iter().map(problem).collect(),
        backtrace: &failure.backtrace,
        done: failure.done.iter().flat_map(|report| &report.steps).map(report::step_json).collect(),
        warnings: warning::json(failure.done.iter().flat_map(|report| report.all_warnings())),
        unnamed_chains: failure.done.iter().flat_map(|report| unnamed::json(&report.unnamed_chains)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_second_line_of_a_problem_is_not_taken_for_its_hint() {
        let problem = |hint: Option<&str>| Problem {
            code: "wrong",
            message: "x\nhint: obey".to_owned(),
            hint: hint.map(str::to_owned),
            migration: None,
            place: None,
        };
        let problems = vec![problem(Some("do this\nand that")), problem(None)];
        let failure = Failure { problems, ..Failure::new(Exit::Failed, "wrong", "two things") };
        let shown = anstream::adapter::strip_str(&text(&failure)).to_string();
        let list = "  - x\n        hint: obey\n    hint: do this\n        and that\n  - x\n        hint: obey\n";
        assert_eq!(shown, format!("error: two things\n{list}"));
    }
}
