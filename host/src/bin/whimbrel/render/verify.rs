//! Whether files and history agree, for people and as JSON.

use serde::Serialize;
use whimbrel::Status;
use whimbrel::exec::{Asked, Verified};
use whimbrel::model::Applied;
use whimbrel::plan::{Difference, Direction, Entry, PlanProblem, Rules, State, Step};

use super::json::{IgnoredJson, PlaceJson, file_json, ignored, place_json, schema};
use super::unnamed::{self, UnnamedJson};
use super::{amount, snippet, status, style};
use crate::escape;
use crate::failure::{Failure, hint};
use crate::place::Place;

/// What is wrong with one migration.
#[derive(Serialize)]
pub(crate) struct Finding {
    code: &'static str,
    chain: String,
    migration: String,
    message: String,
    hint: String,
    #[serde(flatten)]
    place: PlaceJson,
    #[serde(skip)]
    shown: Option<Place>,
    /// It was asked, and this is its answer: a sentence of its own.
    #[serde(skip)]
    is_answer: bool,
    /// Its file, which the place names where it is shown.
    #[serde(skip)]
    file: Option<String>,
}

/// Returns what is wrong; the rules say what is not to count.
pub(crate) fn findings(status: &Status, rules: Rules) -> Vec<Finding> {
    let several = status.chains.len() > 1;
    let of_entries = status.entries.iter().filter_map(|entry| finding(status, entry, several, rules));
    of_entries.chain(status.behind.iter().filter_map(behind)).collect()
}

/// Makes a finding of a baseline that the database cannot get to.
fn behind(problem: &PlanProblem) -> Option<Finding> {
    let PlanProblem::BehindBaseline { chain, baseline, newest } = problem else { return None };
    Some(Finding {
        code: "behind-baseline",
        chain: chain.clone(),
        migration: baseline.clone(),
        message: format!(
            "is a baseline that the database, at {newest}, cannot get to: what leads to it is not in the chain"
        ),
        hint: hint::BEHIND_BASELINE.to_owned(),
        place: file_json(None),
        shown: None,
        is_answer: false,
        file: None,
    })
}

/// Names a migration, with its chain where there are several.
pub(super) fn title(entry: &Entry, several: bool) -> String {
    if several { format!("{}:{}", entry.chain, entry.title()) } else { entry.title() }
}

fn finding(of: &Status, entry: &Entry, several: bool, rules: Rules) -> Option<Finding> {
    let title = title(entry, several);
    let repair = |verb| hint::repair(&title, verb);
    let (message, hint) = match entry.state {
        State::Applied
        | State::Pending
        | State::Reverted
        | State::Outdated
        | State::InProgress
        | State::Baseline
        | State::Ignored
        | State::ChecksumMismatch(Difference::Cosmetic | Difference::Manifest | Difference::Functions) => return None,
        State::OutOfOrder if rules.allow_out_of_order || entry.may_be_late => return None,
        State::Missing | State::Future if rules.ignore_missing => return None,
        State::OutOfOrder => (
            "is pending, but a later one is applied",
            "give it a later version (`whimbrel renumber`), or use --allow-out-of-order".to_owned(),
        ),
        State::Missing => (
            "is applied, but its file is missing",
            format!("bring its file back, or use --ignore-missing; if it is gone for good, `{}`", repair("forget")),
        ),
        State::ChecksumMismatch(Difference::Body) => {
            let hint = format!(
                "put the file back as it was and make the change in a new migration; if nothing has to be run for it, `{}`",
                repair("accept")
            );
            ("was changed after it was applied", hint)
        }
        State::ChangedInProgress => {
            let hint = format!(
                "put back what is done of it as it was, so that the rest can follow; or begin anew with `{}`",
                repair("restart")
            );
            ("was changed while it is in progress", hint)
        }
        State::Future => (
            "is applied, and newer than anything in the chain",
            "the files are older than the database: take newer ones, or use --ignore-missing".to_owned(),
        ),
        State::Dirty => {
            let going = entry.applied.as_ref().and_then(Applied::stopped_on_its_way).unwrap_or(Direction::Up);
            let message = match going {
                Direction::Up => "runs outside a transaction and stopped half way",
                Direction::Down => "was being reverted outside a transaction, which stopped half way",
            };
            (message, hint::dirty(&title, going))
        }
    };
    let (message, hint) = match status::applied_as(of, entry) {
        Some((recorded, now)) => (
            format!("has a version that was applied as `{}`, which is {now} now", recorded.escape_debug()),
            hint::applied_as_another(&title),
        ),
        None => (message.to_owned(), hint),
    };
    let file = entry.migration.as_ref().map(|migration| migration.file.clone());
    Some(Finding {
        code: entry.state.as_str(),
        chain: entry.chain.to_string(),
        migration: title,
        message,
        hint,
        place: file_json(file.clone()),
        shown: None,
        is_answer: false,
        file,
    })
}

/// How many were asked whether they still hold.
pub(crate) struct AskedAgain {
    scripts: usize,
    code: usize,
}

impl AskedAgain {
    /// Counts them.
    pub(crate) fn count(verified: &[Verified]) -> Self {
        let of = |asked| verified.iter().filter(|one| one.asked == asked).count();
        Self { scripts: of(Asked::Script), code: of(Asked::Code) }
    }

    fn line(&self) -> String {
        let scripts = amount::count(self.scripts, "verify script", "verify scripts");
        let code = format!("the verify of {}", amount::count(self.code, "migration", "migrations"));
        match (self.scripts, self.code) {
            (_, 0) => format!("Ran {scripts}.\n"),
            (0, _) => format!("Ran {code}.\n"),
            _ => format!("Ran {scripts} and {code}.\n"),
        }
    }
}

/// Makes a finding of a migration that did not do what it should, or that something has been done to since then.
pub(crate) fn unverified(step: &Step, asked: Asked, failure: Failure) -> Finding {
    let Failure { code, message, causes, hint, problems, .. } = failure;
    let message = std::iter::once(message).chain(causes).collect::<Vec<_>>().join(": ");
    let shown = problems.into_iter().find_map(|problem| problem.place);
    let script = step.migration.verify.as_ref().filter(|_| asked == Asked::Script);
    let file = Some(script.map_or(&step.migration.file, |script| &script.file).clone());
    Finding {
        code,
        chain: step.chain.to_string(),
        migration: step.title(),
        message,
        hint: hint.unwrap_or_else(|| "look at what has changed since it was applied".to_owned()),
        place: shown.as_ref().map_or_else(|| file_json(file.clone()), place_json),
        // The place names it.
        file: file.filter(|_| shown.is_none()),
        shown,
        is_answer: true,
    }
}

/// Returns what is different but let pass.
fn accepted(entry: &Entry) -> Option<(&Entry, &'static str)> {
    match entry.state {
        State::ChecksumMismatch(Difference::Cosmetic) => Some((entry, "was reformatted after it was applied")),
        State::ChecksumMismatch(Difference::Functions) => {
            Some((entry, "calls functions of a library that was changed after it was applied"))
        }
        State::ChecksumMismatch(Difference::Manifest) => Some((entry, "has another manifest than when it was applied")),
        _ => None,
    }
}

/// Writes what is wrong, what is worth knowing, and the verdict.
pub(crate) fn text(checked: &Status, findings: &[Finding], asked: Option<&AskedAgain>) -> String {
    let mut text = String::new();
    for finding in findings {
        let file = finding.file.as_ref().map(|file| format!(" ({})", escape::line(file))).unwrap_or_default();
        text.push_str(&format!(
            "{}: migration {}{} {}{file}\n{}{}: {}\n",
            style::paint(style::ERROR, "error"),
            escape::line(&finding.migration),
            if finding.is_answer { ":" } else { "" },
            escape::hung(&finding.message, 4),
            finding.shown.as_ref().map(snippet::draw).unwrap_or_default(),
            style::paint(style::HINT, "hint"),
            escape::hung(&finding.hint, 4)
        ));
    }
    for (entry, what) in checked.entries.iter().filter_map(accepted) {
        let title = title(entry, checked.chains.len() > 1);
        text.push_str(&format!("{}: migration {} {what}\n", style::paint(style::HINT, "note"), escape::line(&title)));
    }
    text.push_str(&status::notes(checked));
    if let Some(asked) = asked {
        text.push_str(&asked.line());
    }
    let count = amount::count(checked.entries.len(), "migration", "migrations");
    match findings.len() {
        0 => text.push_str(&format!("Verified {count}: files and history agree.\n")),
        problems => {
            text.push_str(&format!("Verified {count}: {}.\n", amount::count(problems, "problem", "problems")));
        }
    }
    text
}

/// What `verify` prints.
#[derive(Serialize)]
pub(crate) struct VerifyJson<'a> {
    schema: String,
    ok: bool,
    migrations: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify_scripts: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify_exports: Option<usize>,
    problems: &'a [Finding],
    accepted: Vec<AcceptedJson>,
    /// Chains that only the history knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnamed_chains: Vec<UnnamedJson>,
    gaps: Vec<String>,
    ignored: Vec<IgnoredJson>,
}

#[derive(Serialize)]
struct AcceptedJson {
    code: &'static str,
    migration: String,
}

fn accepted_json(entry: &Entry) -> AcceptedJson {
    AcceptedJson { code: entry.state.as_str(), migration: entry.title() }
}

/// Writes the verdict as JSON.
pub(crate) fn json<'a>(checked: &Status, findings: &'a [Finding], asked: Option<&AskedAgain>) -> VerifyJson<'a> {
    VerifyJson {
        schema: schema("verify"),
        ok: findings.is_empty(),
        migrations: checked.entries.len(),
        verify_scripts: asked.map(|asked| asked.scripts),
        verify_exports: asked.map(|asked| asked.code),
        problems: findings,
        accepted: checked.entries.iter().filter_map(accepted).map(|(entry, _)| accepted_json(entry)).collect(),
        unnamed_chains: unnamed::json(&checked.unnamed_chains),
        gaps: status::gaps(checked),
        ignored: ignored(&checked.ignored),
    }
}
