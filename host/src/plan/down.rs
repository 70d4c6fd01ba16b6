//! The way down of a plan: what is taken back, in which order, and by what.

use std::collections::HashSet;
use std::sync::Arc;

use super::build::{Draft, row_title};
use super::reconcile::DECLARED;
use super::{Direction, PlanProblem, State, Step, Until, Warning};
use crate::model::{Applied, AppliedState, Body, Chains, Kept, Key, Migration, Node, Reversibility, Role, Version};

impl<'a> Draft<'a> {
    /// Takes back what the history has in force, what was applied last first.
    pub(super) fn down(&mut self, until: Until) -> Vec<Step> {
        let (chains, mut rows) = (self.chains, Vec::new());
        let limit = match until {
            Until::Steps(steps) => steps,
            Until::End | Until::Version(_) => usize::MAX,
        };
        rows.extend(self.live().filter_map(|row| Some((chains.index(&row.chain)?, row))));
        rows.retain(|(chain, _)| chains.is_active(*chain));
        // Repeatable ones stay as they are unless everything goes; then they go first, as they came last.
        rows.retain(|(_, row)| !row.repeatable || until == Until::End);
        rows.sort_by_key(|(_, row)| (!row.repeatable, std::cmp::Reverse((row.id, row.version))));
        // 0 is before all others, also before one that has it for its version.
        let stays = |row: &Applied| matches!(until, Until::Version(to) if row.version <= to && to != Version::from(0));
        rows.retain(|(_, row)| !stays(row));
        rows.truncate(limit);
        let gone: HashSet<(usize, Key)> = rows.iter().map(|(chain, row)| (*chain, row.key())).collect();
        self.check_needed(&gone);
        let mut steps = Vec::new();
        for (chain, row) in rows {
            let title = || row_title(chains, chain, row);
            if row.state == AppliedState::Baseline && *row.kind == *DECLARED {
                self.problems.push(PlanProblem::Declared { migration: title() });
                continue;
            }
            let Some(migration) = self.what_reverts(chain, row) else { continue };
            if migration.reversibility() == Reversibility::Irreversible {
                let migration = chains.title(chain, migration);
                self.problems.push(PlanProblem::Irreversible { migration });
            } else if row.is_in_progress() {
                let migration = chains.title(chain, migration);
                self.problems.push(PlanProblem::RevertInProgress { migration });
            } else {
                steps.push(self.step(Direction::Down, chain, migration));
            }
        }
        steps
    }

    /// Finds what reverts a row: what is kept of it where the chain has something else now, and says so.
    fn what_reverts(&mut self, chain: usize, row: &Applied) -> Option<&'a Arc<Migration>> {
        let chains = self.chains;
        let in_chain = migration_of(chains, chain, row);
        let title = row_title(chains, chain, row);
        match (chains.kept(chain, row.key()), in_chain) {
            (Some(Kept::Migration(kept)), _) if !fits(kept, row) => {
                let reason = "it was applied anew meanwhile".to_owned();
                self.problems.push(PlanProblem::Kept { migration: title, reason });
                None
            }
            (Some(Kept::Migration(kept)), in_chain) => {
                let message = match in_chain {
                    Some(_) => "was changed after it was applied",
                    None => "has no file any more",
                };
                let hint = "what the history has kept of it reverts it, as it was applied".to_owned();
                self.warnings.push(Warning { migration: title, message: message.to_owned(), hint, place: None });
                Some(kept)
            }
            (Some(Kept::Unusable(reason)), _) => {
                self.problems.push(PlanProblem::Kept { migration: title, reason: reason.clone() });
                None
            }
            (None, None) => {
                self.problems.push(PlanProblem::CannotRevertMissing { migration: title });
                None
            }
            (None, in_chain) => in_chain,
        }
    }

    /// Tells whether what is kept of a migration reverts it.
    pub(super) fn has_kept(&self, migration: &Migration, row: &Applied) -> bool {
        let kept = self.chains.index(&row.chain).and_then(|chain| self.chains.kept(chain, migration.key()));
        kept.is_some_and(|kept| match kept {
            Kept::Migration(kept) => fits(kept, row),
            Kept::Unusable(_) => true,
        })
    }

    /// Applies again what is taken back, as the chain has it now.
    pub(super) fn again(&mut self, reverted: &[Step]) -> Vec<Step> {
        let chains = self.chains;
        let mut steps = Vec::new();
        for step in reverted.iter().rev() {
            let Some(chain) = chains.index(&step.chain) else { continue };
            match find(chains, chain, step.migration.key(), step.migration.role()) {
                Some(migration) => steps.push(self.step(Direction::Up, chain, migration)),
                None => self.problems.push(PlanProblem::CannotApplyAgain { migration: step.title() }),
            }
        }
        steps
    }

    /// Applies again the repeatable migrations that may have made something on what these steps take back, such as a trigger,
    /// which went with its table: those of the same chains, and those that depend on one of them.
    pub(super) fn repeatables_on(&self, steps: &[Step]) -> Vec<Step> {
        let chains = self.chains;
        let name = |chain: usize| chains.all()[chain].name();
        let has_gone = |node: &Node| {
            steps.iter().any(|step| *step.chain == *name(node.chain) && step.migration.key() == node.migration.key())
        };
        let again = |chain: usize, migration: &Migration| {
            steps.iter().any(|step| *step.chain == *name(chain))
                || chains.needs(chain, migration).into_iter().any(|place| has_gone(&chains.nodes()[place]))
        };
        // One that has never run, or has changed, is pending, and waits for `up`.
        let has_run = |state: State| matches!(state, State::Applied | State::ChecksumMismatch(_));
        let all = self.states.repeatables.iter();
        let all = all.filter(|(chain, _, state, _)| has_run(*state) && chains.is_active(*chain));
        let all = all.filter(|(chain, migration, ..)| again(*chain, migration));
        all.map(|(chain, migration, ..)| self.step(Direction::Up, *chain, migration)).collect()
    }

    /// Refuses to take back what something that stays depends on.
    fn check_needed(&mut self, gone: &HashSet<(usize, Key)>) {
        let (chains, states) = (self.chains, self.states);
        let nodes = chains.nodes();
        for (node, (_, row)) in nodes.iter().zip(&states.nodes) {
            if row.is_none() || gone.contains(&(node.chain, node.migration.key())) {
                continue;
            }
            for need in &node.needs {
                let needed = &nodes[*need];
                if gone.contains(&(needed.chain, needed.migration.key())) {
                    self.problems.push(PlanProblem::StillNeeded {
                        migration: chains.title(needed.chain, &needed.migration),
                        by: chains.title(node.chain, &node.migration),
                    });
                }
            }
        }
    }
}

/// Tells whether what is kept is what a row was applied from: the row may be another one since it was looked for.
fn fits(kept: &Migration, row: &Applied) -> bool {
    match &kept.body {
        Body::Sql { .. } => kept.down_checksum() == row.down_checksum,
        Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => {
            kept.checksum() == row.checksum && kept.manifest_checksum() == row.manifest_checksum
        }
    }
}

/// Tells whether something else than what the chain has now reverts a row, if that is kept.
pub(crate) fn wants_kept(chains: &Chains, chain: usize, row: &Applied) -> bool {
    let at_its_end = matches!(row.state, AppliedState::Applied | AppliedState::Baseline);
    if !row.is_live() || !at_its_end || *row.kind == *DECLARED {
        return false;
    }
    let Some(migration) = migration_of(chains, chain, row) else { return true };
    match &migration.body {
        _ if *migration.kind().as_str() != *row.kind => true,
        Body::Sql { .. } => row.down_checksum.is_some() && migration.down_checksum() != row.down_checksum,
        Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } => {
            migration.checksum() != row.checksum || !migration.has_manifest(row.manifest_checksum)
        }
        Body::Rust(_) => false,
    }
}

/// Finds what the chain has for a row.
fn migration_of<'a>(chains: &'a Chains, chain: usize, row: &Applied) -> Option<&'a Arc<Migration>> {
    let role = if row.state == AppliedState::Baseline { Role::Baseline } else { Role::Versioned };
    find(chains, chain, row.key(), role)
}

fn find(chains: &Chains, chain: usize, key: Key, role: Role) -> Option<&Arc<Migration>> {
    match key {
        Key::Name(name) => chains.all()[chain].repeatable(&name),
        Key::Version(version) => {
            let place = chains.place(chain, role, version);
            let place = place.or_else(|| chains.place(chain, Role::Versioned, version));
            place.map(|place| &chains.nodes()[place].migration)
        }
    }
}
