//! One row of the history.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::{Checksum, Version};

/// A migration as the history has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applied {
    /// Number of the row.
    pub id: i64,
    /// Name of the chain.
    pub chain: String,
    /// The number that orders it.
    pub version: Version,
    /// The words after the version.
    pub name: String,
    /// Kind of the body; a text, since a newer host may know more kinds.
    pub kind: String,
    /// How far it came.
    pub state: AppliedState,
    /// Checksum of the exact bytes of the body.
    pub checksum: Checksum,
    /// Checksum that forgives line endings, blanks and comments; SQL only.
    pub normalised_checksum: Option<Checksum>,
    /// Checksum of the manifest's bytes.
    pub manifest_checksum: Option<Checksum>,
    /// When it was applied: UTC, RFC 3339.
    pub applied_at: String,
    /// How long the step took.
    pub duration: Duration,
    /// Rows inserted, updated and deleted.
    pub rows_changed: u64,
    /// Statements run.
    pub statements: u64,
    /// Fuel used by code.
    pub fuel: Option<u64>,
    /// Operations of the database's virtual machine.
    pub operations: u64,
    /// Version of the host that applied it.
    pub host_version: String,
    /// Rows done, and rows there were at the beginning, of a transform in chunks.
    pub rows_done: Option<(u64, u64)>,
}

/// How far an applied migration came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AppliedState {
    /// To its end.
    Applied,
    /// Begun outside a transaction, and not known to have ended.
    Started,
    /// Some chunks of it are done; it goes on where it stopped.
    InProgress,
}

/// A word that names no state.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("\"{}\" is no state of an applied migration", text.escape_debug())]
pub struct UnknownState {
    /// What was given.
    pub text: String,
}

impl AppliedState {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Started => "started",
            Self::InProgress => "in-progress",
        }
    }
}

impl fmt::Display for AppliedState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for AppliedState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Applied, Self::Started, Self::InProgress]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState { text: text.to_owned() })
    }
}

impl Applied {
    /// Names it in a sentence: version and name, such as `3 split_names`.
    pub fn title(&self) -> String {
        format!("{} {}", self.version, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_words_it_writes() {
        for state in [AppliedState::Applied, AppliedState::Started, AppliedState::InProgress] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("Applied".parse::<AppliedState>().is_err());
    }
}
