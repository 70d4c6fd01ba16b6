//! Holds the chain against the history: the state of every migration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Applied, AppliedState, Chain, Migration, Version};

/// How an applied migration differs from the one in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Difference {
    /// Only in line endings, blanks or comments.
    Cosmetic,
    /// Only in the manifest.
    Manifest,
    /// Only in libraries whose functions it calls.
    Functions,
    /// In what it does.
    Body,
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// In the history, and the chain has the same body.
    Applied,
    /// Not in the history.
    Pending,
    /// Not in the history, but older than the newest that is.
    OutOfOrder,
    /// In the history, but not in the chain.
    Missing,
    /// In the history, and the chain has something else.
    ChecksumMismatch(Difference),
    /// Some chunks of it are done, and the chain has the same body; it goes on where it stopped.
    InProgress,
    /// A step outside a transaction stopped half way.
    Dirty,
}

impl State {
    /// Returns the state's name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::OutOfOrder => "out-of-order",
            Self::Missing => "missing",
            Self::ChecksumMismatch(Difference::Cosmetic) => "checksum-mismatch-cosmetic",
            Self::ChecksumMismatch(Difference::Manifest) => "checksum-mismatch-manifest",
            Self::ChecksumMismatch(Difference::Functions) => "checksum-mismatch-functions",
            Self::ChecksumMismatch(Difference::Body) => "checksum-mismatch",
            Self::InProgress => "in-progress",
            Self::Dirty => "dirty",
        }
    }

    /// Tells whether the migration still has to be applied.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::OutOfOrder | Self::InProgress)
    }
}

/// One migration with its state: in the chain, in the history, or in both.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its version.
    pub version: Version,
    /// Where it stands.
    pub state: State,
    /// The chain's part.
    pub migration: Option<Arc<Migration>>,
    /// The history's part.
    pub applied: Option<Applied>,
}

impl Entry {
    /// Returns the name, the chain's first.
    pub fn name(&self) -> &str {
        match (&self.migration, &self.applied) {
            (Some(migration), _) => &migration.name,
            (None, Some(applied)) => &applied.name,
            (None, None) => "",
        }
    }

    /// Returns the kind, the chain's first.
    pub fn kind(&self) -> &str {
        match (&self.migration, &self.applied) {
            (Some(migration), _) => migration.kind().as_str(),
            (None, Some(applied)) => &applied.kind,
            (None, None) => "",
        }
    }
}

/// Returns every migration of the chain and of the history with its state, in the order of versions.
pub fn reconcile(chain: &Chain, applied: &[Applied]) -> Vec<Entry> {
    let rows: HashMap<Version, &Applied> = applied.iter().map(|row| (row.version, row)).collect();
    let newest = applied.iter().map(|row| row.version).max();
    let mut entries: Vec<Entry> = chain
        .migrations()
        .iter()
        .map(|migration| {
            let row = rows.get(&migration.version).copied();
            let state = match row {
                Some(row) => compare(chain, migration, row),
                None if newest.is_some_and(|newest| migration.version < newest) => State::OutOfOrder,
                None => State::Pending,
            };
            Entry { version: migration.version, state, migration: Some(Arc::clone(migration)), applied: row.cloned() }
        })
        .collect();
    let missing = applied.iter().filter(|row| chain.get(row.version).is_none());
    entries.extend(missing.map(|row| Entry {
        version: row.version,
        state: if row.state == AppliedState::Started { State::Dirty } else { State::Missing },
        migration: None,
        applied: Some(row.clone()),
    }));
    entries.sort_by_key(|entry| entry.version);
    entries
}

fn compare(chain: &Chain, migration: &Migration, row: &Applied) -> State {
    if row.state == AppliedState::Started {
        return State::Dirty;
    }
    if row.state == AppliedState::InProgress {
        // Here the manifest is part of it: the rest would be done in another way than what is done.
        let same = migration.checksum() == row.checksum
            && migration.manifest_checksum() == row.manifest_checksum
            && chain.library_checksums(migration) == row.functions;
        return if same { State::InProgress } else { State::ChecksumMismatch(Difference::Body) };
    }
    if migration.checksum() != row.checksum {
        // The normalised checksum costs a pass over the text, so it is only asked for when the plain one differs.
        let cosmetic = row.normalised_checksum.is_some() && migration.normalised_checksum() == row.normalised_checksum;
        return State::ChecksumMismatch(if cosmetic { Difference::Cosmetic } else { Difference::Body });
    }
    if migration.manifest_checksum() != row.manifest_checksum {
        return State::ChecksumMismatch(Difference::Manifest);
    }
    // Computed only where functions are called: it takes reading the whole of their component.
    let uses_functions = !row.functions.is_empty() || !migration.libraries().is_empty();
    if uses_functions && chain.library_checksums(migration) != row.functions {
        return State::ChecksumMismatch(Difference::Functions);
    }
    State::Applied
}
