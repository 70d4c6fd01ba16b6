//! Decides what a repair writes into the history. Pure.

use super::moved::{applied_as, renumbered};
use super::{Difference, Direction, Entry, PlanError, PlanProblem, State, reconcile};
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
    /// What is still to be applied of what a migration depends on that is said to be applied, in sentences.
    pub warnings: Vec<String>,
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
        Some(key) => one(&entries, key, repair.verb),
        None => all(&entries, repair.verb),
    };
    let decided = changes.map_err(|problem| PlanError { problems: vec![problem] })?;
    let warnings = decided.iter().flat_map(|change| needs_pending(chains, &entries, change)).collect();
    let mut changes = Vec::new();
    for change in decided {
        let gone = !matches!(change.kind, ChangeKind::Accept { .. } | ChangeKind::MarkApplied { .. });
        let rows = if gone { rejects(&change.chain, &change.key) } else { 0 };
        let forget = HistoryChange { kind: ChangeKind::ForgetRejects { rows }, ..change.clone() };
        changes.push(change);
        changes.extend((rows > 0).then_some(forget));
    }
    Ok(RepairPlan { changes, warnings })
}

/// Decides about all that can be put right in a way, unless nothing would stay.
fn all(entries: &[Entry], verb: RepairVerb) -> Result<Vec<HistoryChange>, PlanProblem> {
    let changes = every(entries, verb);
    // Where nothing of what is applied is there as it was, the files are rather those of another chain, or in another folder.
    let is_own = |entry: &Entry| {
        let is_other = entry.state == State::ChecksumMismatch(Difference::Body);
        entry.applied.is_some() && entry.migration.is_some() && !is_other
    };
    let has_some = |chain: &str| entries.iter().any(|entry| *entry.chain == *chain && is_own(entry));
    let forgotten = changes.iter().filter(|change| matches!(change.kind, ChangeKind::Forget { .. }));
    match forgotten.clone().find(|change| verb == RepairVerb::Forget && !has_some(&change.chain)) {
        Some(HistoryChange { chain, .. }) => {
            let rows = forgotten.filter(|change| change.chain == *chain).count();
            Err(PlanProblem::NothingWouldStay { chain: chain.clone(), rows })
        }
        None => Ok(changes),
    }
}

/// Says what is still to be applied of what a migration depends on that is said to be applied.
fn needs_pending(chains: &Chains, entries: &[Entry], change: &HistoryChange) -> Vec<String> {
    let is_it = |entry: &&Entry| *entry.chain == *change.chain && entry.key() == change.key;
    let marked = matches!(change.kind, ChangeKind::MarkApplied { .. }).then(|| entries.iter().find(is_it)).flatten();
    let Some((chain, migration)) = marked.and_then(|entry| chains.index(&entry.chain).zip(entry.migration.as_deref()))
    else {
        return Vec::new();
    };
    let is_pending = |place: &usize| {
        let node = &chains.nodes()[*place];
        let (name, key) = (chains.all()[node.chain].name(), node.migration.key());
        entries.iter().any(|entry| *entry.chain == *name && entry.key() == key && entry.state.is_pending())
    };
    let needs = chains.needs(chain, migration);
    let told = needs.into_iter().filter(is_pending).map(|place| {
        let node = &chains.nodes()[place];
        let (migration, needed) = (chains.title(chain, migration), chains.title(node.chain, &node.migration));
        format!("migration {migration} depends on {needed}, which is still to be applied")
    });
    told.collect()
}

/// What can be put right in a way.
fn every(entries: &[Entry], verb: RepairVerb) -> Vec<HistoryChange> {
    let mut changes: Vec<HistoryChange> = Vec::new();
    for entry in entries {
        let followed = if verb == RepairVerb::Accept { follow(entries, entry) } else { Vec::new() };
        let own = if followed.is_empty() { decide(entry, verb).ok().into_iter().collect() } else { followed };
        for change in own {
            if !changes.iter().any(|known| known.chain == change.chain && known.key == change.key) {
                changes.push(change);
            }
        }
    }
    changes
}

fn one(entries: &[Entry], key: &Key, verb: RepairVerb) -> Result<Vec<HistoryChange>, PlanProblem> {
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
    if verb == RepairVerb::Accept {
        let followed = follow(entries, entry);
        if !followed.is_empty() {
            return Ok(followed);
        }
    }
    decide(entry, verb).map(|change| vec![change])
}

/// Gives what was applied under other versions than it has now the rows that it should have: what was applied keeps a row, and what
/// was not is not taken for it. Nothing where that is not what is wrong with a migration.
fn follow(entries: &[Entry], entry: &Entry) -> Vec<HistoryChange> {
    let all = renumbered(entries, entry);
    let has_run =
        |of: &Entry| all.iter().any(|other| applied_as(entries, other).is_some_and(|now| std::ptr::eq(now, of)));
    let change = |entry: &&Entry| {
        let row = entry.applied.as_ref().filter(|row| row.is_live());
        let kind = match (row, entry.migration.as_deref()) {
            (row, Some(now)) if has_run(entry) => match row {
                Some(row) => {
                    let (recorded, found) = (row.checksum, now.checksum());
                    ChangeKind::Accept { difference: Difference::Body, recorded, found }
                }
                None => ChangeKind::MarkApplied { was: entry.applied.as_ref().map(|row| row.state) },
            },
            (row, _) => ChangeKind::MarkFailed { was: row?.state },
        };
        Some(HistoryChange { chain: entry.chain.to_string(), key: entry.key(), migration: entry.title(), kind })
    };
    all.iter().filter_map(change).collect()
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
