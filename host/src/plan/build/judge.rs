//! The part of a draft that judges what is applied already: what was changed, is gone, or stopped half way.

use std::sync::Arc;

use super::{Draft, Warning, row_title};
use crate::model::{Applied, AppliedState, Body, Migration, Resumption, Version};
use crate::plan::moved::moved;
use crate::plan::{Difference, Direction, PlanProblem, Rules, State};

impl Draft<'_> {
    /// Judges what is applied already.
    pub(super) fn judge(&mut self, direction: Direction, rules: &Rules) {
        let states = self.states;
        let mut judged: Vec<(usize, bool, Version, String, State, Option<&Migration>, Option<&Applied>)> = Vec::new();
        for (node, (state, row)) in self.chains.nodes().iter().zip(&states.nodes) {
            if needs_judging(*state) {
                let title = self.chains.title(node.chain, &node.migration);
                judged.push((node.chain, false, node.migration.version, title, *state, Some(&node.migration), *row));
            }
        }
        for (chain, migration, state, row) in &states.repeatables {
            if needs_judging(*state) {
                let title = self.chains.title(*chain, migration);
                judged.push((*chain, true, migration.version, title, *state, Some(migration), *row));
            }
        }
        for (chain, state, row) in &states.strangers {
            judged.push((
                *chain,
                row.repeatable,
                row.version,
                row_title(self.chains, *chain, row),
                *state,
                None,
                Some(*row),
            ));
        }
        judged.retain(|(chain, ..)| self.chains.is_active(*chain));
        judged.sort_by_key(|(chain, repeatable, version, ..)| (*chain, *repeatable, *version));
        for (_, _, _, title, state, migration, row) in judged {
            match state {
                State::Missing | State::Future if rules.ignore_missing || direction == Direction::Down => {}
                State::Missing => self.problems.push(PlanProblem::Missing { migration: title }),
                State::Future => self.problems.push(PlanProblem::Future { migration: title }),
                State::Dirty => self.problems.push(dirty(title, row)),
                State::ChangedInProgress => {
                    if let (Some(migration), Some(row)) = (migration, row)
                        && !(direction == Direction::Down && self.has_kept(migration, row))
                    {
                        self.problems.push(changed_in_progress(title, migration, row));
                    }
                }
                State::ChecksumMismatch(difference) => {
                    if let (Some(migration), Some(row)) = (migration, row) {
                        self.judge_mismatch(title, migration, row, difference, direction);
                    }
                }
                State::Applied
                | State::Pending
                | State::Reverted
                | State::OutOfOrder
                | State::Outdated
                | State::InProgress
                | State::Baseline
                | State::Ignored => {}
            }
        }
    }

    fn judge_mismatch(
        &mut self,
        title: String,
        migration: &Migration,
        row: &Applied,
        difference: Difference,
        direction: Direction,
    ) {
        if direction == Direction::Down && self.has_kept(migration, row) {
            // Not the changed one is run, and that is told where it is planned.
            return;
        }
        let (message, hint) = match difference {
            Difference::Body if let Some(now) = self.moved(migration, row) => {
                let recorded = row.name.clone();
                self.problems.push(PlanProblem::AppliedAsAnother { migration: title, recorded, now });
                return;
            }
            Difference::Body if direction == Direction::Up => {
                self.problems.push(PlanProblem::ChecksumMismatch {
                    migration: title,
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
        let (message, hint) = (message.to_owned(), hint.to_owned());
        self.warnings.push(Warning { migration: title, message, hint, place: None });
    }
}

impl Draft<'_> {
    /// Returns the title that what was applied under the version of a migration has now, where that is another one: neither is the
    /// one to be taken for the other, nor its way down.
    fn moved(&self, migration: &Migration, row: &Applied) -> Option<String> {
        let chain = self.chains.index(&row.chain)?;
        let all = self.chains.nodes().iter().zip(&self.states.nodes).filter(|(node, _)| node.chain == chain);
        let found = moved(all.map(|(node, (_, row))| (&node.migration, *row)), migration, row);
        found.map(|now| self.chains.title(chain, now))
    }
}

/// Says that a step outside a transaction stopped, and which way it was going.
fn dirty(migration: String, row: Option<&Applied>) -> PlanProblem {
    let direction = row.and_then(Applied::stopped_on_its_way).unwrap_or(Direction::Up);
    PlanProblem::Dirty { migration, direction }
}

/// Says what was changed of a migration that is in progress.
fn changed_in_progress(title: String, migration: &Migration, row: &Applied) -> PlanProblem {
    match row.state {
        AppliedState::Started => changed_statement(title, migration, row),
        _ => PlanProblem::ChangedInProgress { migration: title, file: migration.file.clone() },
    }
}

/// Names the statement that was run and is another one now.
fn changed_statement(title: String, migration: &Migration, row: &Applied) -> PlanProblem {
    let (Body::Sql { up, .. }, Some(progress)) = (&migration.body, &row.script) else {
        return dirty(title, Some(row));
    };
    let index = match progress.resume(up) {
        Resumption::Changed(index) => index,
        Resumption::Next | Resumption::Unknown => 0,
    };
    let end = up.text.len();
    let range = up.statements().into_iter().nth(index).map_or(end..end, |(range, _)| range);
    PlanProblem::ChangedStatement { migration: title, script: Arc::new(up.clone()), range, number: index + 1 }
}

/// Tells whether something may be wrong with what is in this state.
fn needs_judging(state: State) -> bool {
    matches!(
        state,
        State::Dirty | State::Missing | State::Future | State::ChangedInProgress | State::ChecksumMismatch(_)
    )
}
