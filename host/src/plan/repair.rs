//! Decides what a repair writes into the history. Pure.

use super::{Difference, Entry, PlanError, PlanProblem, State, reconcile};
use crate::model::{Applied, AppliedState, Chains, Role, Version};

/// What is to be put right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Repair {
    /// Lets a transform in progress begin anew: how far it came is forgotten, what it wrote stays.
    Restart {
        /// The migration.
        version: Version,
    },
}

/// One change of the history.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HistoryChange {
    /// The row of a migration goes.
    Forget {
        /// The migration.
        version: Version,
        /// Version and name.
        migration: String,
        /// How far it came.
        state: AppliedState,
        /// Rows done, and rows there were at the beginning, of a transform in chunks.
        rows_done: Option<(u64, u64)>,
    },
    /// The rows that a migration kept aside go.
    ForgetRejects {
        /// The migration.
        version: Version,
        /// Version and name.
        migration: String,
        /// How many.
        rows: u64,
    },
}

/// What a repair writes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepairPlan {
    /// Name of the chain.
    pub chain: String,
    /// The changes, in order.
    pub changes: Vec<HistoryChange>,
}

/// Decides what a repair writes; `rejects` counts the rows that a migration kept aside.
pub fn repair(
    chains: &Chains,
    applied: &[Applied],
    repair: Repair,
    rejects: impl FnOnce(&str, Version) -> u64,
) -> Result<RepairPlan, PlanError> {
    let changes = match repair {
        Repair::Restart { version } => restart(&reconcile(chains, applied), version, rejects),
    };
    let (chain, changes) = changes.map_err(|problem| PlanError { problems: vec![problem] })?;
    Ok(RepairPlan { chain, changes })
}

fn restart(
    entries: &[Entry],
    version: Version,
    rejects: impl FnOnce(&str, Version) -> u64,
) -> Result<(String, Vec<HistoryChange>), PlanProblem> {
    let entry = entries
        .iter()
        .find(|entry| entry.version == version && entry.role == Role::Versioned)
        .ok_or(PlanProblem::UnknownTarget { version })?;
    let migration = format!("{version} {}", entry.name());
    let row = entry.applied.as_ref().filter(|row| row.state == AppliedState::InProgress);
    let Some(row) = row else { return Err(PlanProblem::NotInProgress { migration }) };
    let (state, rows_done) = (row.state, row.rows_done);
    let mut changes = vec![HistoryChange::Forget { version, migration: migration.clone(), state, rows_done }];
    let rows = rejects(&entry.chain, version);
    if rows > 0 {
        changes.push(HistoryChange::ForgetRejects { version, migration, rows });
    }
    Ok((entry.chain.to_string(), changes))
}

/// Refuses to try rows once more with something else than what kept them aside.
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "a build without components has no transforms"))]
pub(crate) fn check_retry(entry: &Entry) -> Result<(), PlanProblem> {
    let (Some(migration), Some(row)) = (&entry.migration, &entry.applied) else {
        return Err(PlanProblem::NotApplied { migration: format!("{} {}", entry.version, entry.name()) });
    };
    match (entry.state, row.state) {
        (State::ChecksumMismatch(_), AppliedState::InProgress) => {
            Err(PlanProblem::ChangedInProgress { migration: migration.title(), file: migration.file.clone() })
        }
        (State::ChecksumMismatch(Difference::Body | Difference::Manifest | Difference::Functions), _) => {
            Err(PlanProblem::ChecksumMismatch {
                migration: migration.title(),
                file: migration.file.clone(),
                recorded: row.checksum.to_string(),
                found: migration.checksum().to_string(),
            })
        }
        _ => Ok(()),
    }
}
