//! Builds the plan: which steps, in which order, and what stands against them.

use std::ops::Range;
use std::sync::Arc;

use super::{Difference, Direction, Entry, Goal, PlanError, PlanProblem, Rules, State, Until, reconcile};
use crate::model::{Applied, AppliedState, Body, Chain, Migration, Reversibility, Script, Version};
use crate::sql::Severity;

/// One migration in one direction.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which way.
    pub direction: Direction,
    /// The migration.
    pub migration: Arc<Migration>,
}

impl Step {
    /// Returns the script to run, for a migration in SQL.
    pub fn script(&self) -> Option<&Script> {
        match (&self.migration.body, self.direction) {
            (Body::Sql { up, .. }, Direction::Up) => Some(up),
            (Body::Sql { down, .. }, Direction::Down) => down.as_ref(),
            (Body::Component { .. } | Body::Transform { .. } | Body::Rust(_), _) => None,
        }
    }
}

/// What a plan lets pass, but says.
#[derive(Clone, Debug)]
pub struct Warning {
    /// Version and name of the migration.
    pub migration: String,
    /// What there is to know.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Where in which script.
    pub place: Option<(Script, Range<usize>)>,
}

/// What would be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the chain.
    pub chain: String,
    /// What it is to reach.
    pub goal: Goal,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What it lets pass.
    pub warnings: Vec<Warning>,
}

/// Builds the plan that brings a database with these applied migrations to the goal.
pub fn build(chain: &Chain, applied: &[Applied], goal: &Goal, rules: &Rules) -> Result<Plan, PlanError> {
    let entries = reconcile(chain, applied);
    let mut draft = Draft { problems: Vec::new(), warnings: Vec::new() };
    draft.judge(&entries, goal, rules);
    let steps = match goal.direction {
        Direction::Up => draft.up(chain, &entries, goal.until, rules),
        Direction::Down => draft.down(&entries, applied, goal.until),
    };
    for step in &steps {
        draft.check_script(step);
    }
    if !draft.problems.is_empty() {
        return Err(PlanError { problems: draft.problems });
    }
    Ok(Plan { chain: chain.name().to_owned(), goal: *goal, steps, warnings: draft.warnings })
}

struct Draft {
    problems: Vec<PlanProblem>,
    warnings: Vec<Warning>,
}

impl Draft {
    /// Judges what is applied already.
    fn judge(&mut self, entries: &[Entry], goal: &Goal, rules: &Rules) {
        for entry in entries {
            let title = title(entry);
            match entry.state {
                State::Applied | State::Pending | State::OutOfOrder | State::InProgress => {}
                State::Missing if rules.ignore_missing || goal.direction == Direction::Down => {}
                State::Missing => self.problems.push(PlanProblem::Missing { migration: title }),
                State::Dirty => self.problems.push(PlanProblem::Dirty { migration: title }),
                State::ChecksumMismatch(difference) => self.judge_mismatch(entry, difference, goal.direction),
            }
        }
    }

    fn judge_mismatch(&mut self, entry: &Entry, difference: Difference, direction: Direction) {
        let (Some(migration), Some(row)) = (&entry.migration, &entry.applied) else { return };
        let (message, hint) = match difference {
            Difference::Body if row.state == AppliedState::InProgress => {
                let (migration, file) = (migration.title(), migration.file.clone());
                self.problems.push(PlanProblem::ChangedInProgress { migration, file });
                return;
            }
            Difference::Body if direction == Direction::Up => {
                self.problems.push(PlanProblem::ChecksumMismatch {
                    migration: migration.title(),
                    file: migration.file.clone(),
                    recorded: row.checksum.to_string(),
                    found: migration.checksum().to_string(),
                });
                return;
            }
            Difference::Body => ("was changed after it was applied", "its down may not fit what was applied"),
            Difference::Cosmetic => {
                ("was reformatted after it was applied", "the statements are the same, so this is accepted")
            }
            Difference::Functions => (
                "calls functions of a library that was changed after it was applied",
                "what it did stays as it is; the migration itself is the same, so this is accepted",
            ),
            Difference::Manifest => {
                ("has another manifest than when it was applied", "the body is the same, so this is accepted")
            }
        };
        self.warnings.push(Warning {
            migration: migration.title(),
            message: message.to_owned(),
            hint: hint.to_owned(),
            place: None,
        });
    }

    fn up(&mut self, chain: &Chain, entries: &[Entry], until: Until, rules: &Rules) -> Vec<Step> {
        if let Until::Version(version) = until
            && version != Version::from(0)
            && chain.get(version).is_none()
        {
            self.problems.push(PlanProblem::UnknownTarget { version });
        }
        let newest = entries.iter().filter(|entry| entry.applied.is_some()).map(|entry| entry.version).max();
        let limit = match until {
            Until::Steps(steps) => steps,
            Until::End | Until::Version(_) => usize::MAX,
        };
        let mut steps = Vec::new();
        for entry in entries.iter().filter(|entry| entry.state.is_pending()).take(limit) {
            if matches!(until, Until::Version(version) if entry.version > version) {
                break;
            }
            let Some(migration) = &entry.migration else { continue };
            match (entry.state, newest) {
                (State::OutOfOrder, Some(newest)) if !rules.allow_out_of_order => {
                    self.problems.push(PlanProblem::OutOfOrder { migration: migration.title(), newest });
                }
                _ => steps.push(Step { direction: Direction::Up, migration: Arc::clone(migration) }),
            }
        }
        steps
    }

    fn down(&mut self, entries: &[Entry], applied: &[Applied], until: Until) -> Vec<Step> {
        if let Until::Version(version) = until
            && version != Version::from(0)
            && entries.binary_search_by_key(&version, |entry| entry.version).is_err()
        {
            self.problems.push(PlanProblem::UnknownTarget { version });
        }
        let limit = match until {
            Until::Steps(steps) => steps,
            Until::End | Until::Version(_) => usize::MAX,
        };
        // Newest version first: that is the order in which a chain can be taken back.
        let mut rows: Vec<&Applied> = applied.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.version));
        let mut steps = Vec::new();
        for row in rows.into_iter().take(limit) {
            if matches!(until, Until::Version(version) if row.version <= version) {
                break;
            }
            let found = entries.binary_search_by_key(&row.version, |entry| entry.version);
            let Some(migration) = found.ok().and_then(|index| entries[index].migration.as_ref()) else {
                let migration = format!("{} {}", row.version, row.name);
                self.problems.push(PlanProblem::CannotRevertMissing { migration });
                continue;
            };
            if migration.reversibility() == Reversibility::Irreversible {
                self.problems.push(PlanProblem::Irreversible { migration: migration.title() });
            } else {
                steps.push(Step { direction: Direction::Down, migration: Arc::clone(migration) });
            }
        }
        steps
    }

    fn check_script(&mut self, step: &Step) {
        let Some(script) = step.script() else { return };
        for finding in script.check() {
            let migration = step.migration.title();
            match finding.severity {
                Severity::Error => self.problems.push(PlanProblem::Script {
                    migration,
                    script: script.clone(),
                    range: finding.range,
                    message: finding.message,
                    hint: finding.hint,
                }),
                Severity::Warning => self.warnings.push(Warning {
                    migration,
                    message: finding.message,
                    hint: finding.hint,
                    place: Some((script.clone(), finding.range)),
                }),
            }
        }
    }
}

fn title(entry: &Entry) -> String {
    format!("{} {}", entry.version, entry.name())
}
