//! Decides what a repair writes into the history. Pure.

use super::{Difference, Direction, Entry, PlanError, PlanProblem, State, applied_as, reconcile};
use crate::model::{Applied, AppliedState, Chains, Checksum, Key};

/// What is to be put right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repair {
    /// In which way.
    pub verb: RepairVerb,
    /// The migration; where there is none, every one that it can be done to.
    pub target: Option<Key>,
}

/// A way to put the history right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RepairVerb {
    /// Lets a transform or a script in progress begin anew: how far it came is forgotten, what it wrote stays.
    Restart,
    /// Takes a migration that was changed after it was applied for what was applied.
    Accept,
    /// Forgets a migration that is applied and not in the chain.
    Forget,
    /// Says that the database has what a migration brings, without running it.
    MarkApplied,
    /// Says that the database does not have what a migration brings, without reverting it.
    MarkFailed,
}

/// One change of the history.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HistoryChange {
    /// Name of the chain.
    pub chain: String,
    /// The migration.
    pub key: Key,
    /// Version and name.
    pub migration: String,
    /// What is written.
    pub kind: ChangeKind,
}

/// What is written into the history.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The row goes.
    Forget {
        /// How far it came.
        state: AppliedState,
        /// Rows done, and rows there were at the beginning, of a transform in chunks.
        rows_done: Option<(u64, u64)>,
    },
    /// The rows that it kept aside go.
    ForgetRejects {
        /// How many.
        rows: u64,
    },
    /// The row has the checksums of the chain.
    Accept {
        /// What differs.
        difference: Difference,
        /// The checksum it had.
        recorded: Checksum,
        /// The checksum it has then.
        found: Checksum,
    },
    /// A row says that it is applied.
    MarkApplied {
        /// What the row said before, if there was one.
        was: Option<AppliedState>,
    },
    /// The row says that it is reverted.
    MarkFailed {
        /// What it said before.
        was: AppliedState,
    },
}

/// What a repair writes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RepairPlan {
    /// The changes, in order.
    pub changes: Vec<HistoryChange>,
}

/// Decides what a repair writes; `rejects` counts the rows that a migration kept aside.
pub fn repair(
    chains: &Chains,
    applied: &[Applied],
    repair: &Repair,
    mut rejects: impl FnMut(&str, &Key) -> u64,
) -> Result<RepairPlan, PlanError> {
    let entries = reconcile(chains, applied.to_vec());
    let changes = match &repair.target {
        Some(key) => one(&entries, key, repair.verb).map(|change| vec![change]),
        None => Ok(entries.iter().filter_map(|entry| allowed(&entries, entry, repair.verb).ok()).collect()),
    };
    let changes = changes.map_err(|problem| PlanError { problems: vec![problem] })?;
    let mut all = Vec::new();
    for change in changes {
        let gone = !matches!(change.kind, ChangeKind::Accept { .. } | ChangeKind::MarkApplied { .. });
        let rows = if gone { rejects(&change.chain, &change.key) } else { 0 };
        let forget = HistoryChange { kind: ChangeKind::ForgetRejects { rows }, ..change.clone() };
        all.push(change);
        all.extend((rows > 0).then_some(forget));
    }
    Ok(RepairPlan { changes: all })
}

fn one(entries: &[Entry], key: &Key, verb: RepairVerb) -> Result<HistoryChange, PlanProblem> {
    let found: Vec<&Entry> = entries.iter().filter(|entry| entry.key() == *key).collect();
    let chains = || found.iter().map(|entry| entry.chain.to_string()).collect::<Vec<_>>();
    let entry = match found.as_slice() {
        [] => return Err(PlanProblem::UnknownMigration { migration: key.to_string() }),
        [only] => *only,
        // A version can be that of a baseline as well; what can be done is done to the one that it can be done to.
        [first, rest @ ..] if rest.iter().all(|entry| entry.chain == first.chain) => {
            found.iter().find(|entry| decide(entry, verb).is_ok()).copied().unwrap_or(first)
        }
        _ => return Err(PlanProblem::AmbiguousMigration { migration: key.to_string(), chains: chains() }),
    };
    allowed(entries, entry, verb)
}

/// Decides about one migration; what was applied as another one is not taken for it, since nothing of it has run.
fn allowed(entries: &[Entry], entry: &Entry, verb: RepairVerb) -> Result<HistoryChange, PlanProblem> {
    let change = decide(entry, verb)?;
    match (verb, &entry.migration, &entry.applied) {
        (RepairVerb::Accept, Some(migration), Some(row)) => {
            let own = entries.iter().filter(|other| other.chain == entry.chain);
            match applied_as(own.filter_map(|other| other.migration.as_ref()), migration, row) {
                Some(now) => Err(PlanProblem::AppliedAsAnother {
                    migration: migration.title(),
                    recorded: row.name.clone(),
                    now: now.title(),
                }),
                None => Ok(change),
            }
        }
        _ => Ok(change),
    }
}

/// Decides about one migration.
fn decide(entry: &Entry, verb: RepairVerb) -> Result<HistoryChange, PlanProblem> {
    let migration = entry.title();
    let refuse = |migration| PlanProblem::NothingToRepair { migration, state: entry.state, verb };
    let row = entry.applied.as_ref().filter(|row| row.is_live());
    let in_progress = row.is_some_and(Applied::is_in_progress);
    let kind = match (verb, row, entry.migration.as_deref()) {
        // Part of it is gone, and nobody knows which: to begin anew would be to apply it over the rest.
        (RepairVerb::Restart, Some(row), _) if row.stopped_on_its_way() == Some(Direction::Down) => {
            return Err(PlanProblem::Dirty { migration, direction: Direction::Down });
        }
        (RepairVerb::Restart, Some(row), _) if in_progress || row.state == AppliedState::Started => {
            ChangeKind::Forget { state: row.state, rows_done: row.rows_done }
        }
        (RepairVerb::Restart, ..) => return Err(PlanProblem::NotInProgress { migration }),
        (RepairVerb::Accept, Some(row), Some(now)) if !in_progress => match entry.state {
            State::ChecksumMismatch(difference) => {
                ChangeKind::Accept { difference, recorded: row.checksum, found: now.checksum() }
            }
            State::Outdated => {
                let (recorded, found) = (row.checksum, now.checksum());
                let same = recorded == found
                    || row.normalised_checksum.is_some() && row.normalised_checksum == now.normalised_checksum();
                let difference = if same { Difference::Manifest } else { Difference::Body };
                ChangeKind::Accept { difference, recorded, found }
            }
            _ => return Err(refuse(migration)),
        },
        (RepairVerb::Forget, Some(row), None) if !matches!(entry.state, State::Baseline | State::Applied) => {
            ChangeKind::Forget { state: row.state, rows_done: row.rows_done }
        }
        (RepairVerb::MarkApplied, row, Some(_)) if in_progress || can_be_marked(entry.state) => {
            ChangeKind::MarkApplied { was: row.map(|row| row.state) }
        }
        (RepairVerb::MarkFailed, Some(row), _) if row.state != AppliedState::Baseline => {
            ChangeKind::MarkFailed { was: row.state }
        }
        (RepairVerb::Accept | RepairVerb::Forget | RepairVerb::MarkApplied | RepairVerb::MarkFailed, ..) => {
            return Err(refuse(migration));
        }
    };
    Ok(HistoryChange { chain: entry.chain.to_string(), key: entry.key(), migration, kind })
}

/// Tells whether a migration in this state may be said to be applied.
fn can_be_marked(state: State) -> bool {
    matches!(state, State::Dirty | State::ChangedInProgress | State::Pending | State::Reverted | State::OutOfOrder)
}

/// Refuses to try rows once more with something else than what kept them aside.
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "a build without components has no transforms"))]
pub(crate) fn check_retry(entry: &Entry) -> Result<(), PlanProblem> {
    let (Some(migration), Some(row)) = (&entry.migration, &entry.applied) else {
        return Err(PlanProblem::NotApplied { migration: entry.title() });
    };
    match entry.state {
        State::ChangedInProgress => {
            Err(PlanProblem::ChangedInProgress { migration: migration.title(), file: migration.file.clone() })
        }
        State::Outdated | State::ChecksumMismatch(Difference::Body | Difference::Manifest | Difference::Functions) => {
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
