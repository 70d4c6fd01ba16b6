//! One row of the history.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use thiserror::Error;

use super::{Checksum, Direction, Key, ScriptProgress, Version};

/// A migration as the history has it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Applied {
    /// Number of the row: rows were written in this order.
    pub id: i64,
    /// Name of the chain.
    pub chain: Arc<str>,
    /// The number that orders it; 0 for one that is repeatable, which has none.
    pub version: Version,
    /// It has no version: its name tells it from others.
    pub repeatable: bool,
    /// The words after the version.
    pub name: String,
    /// Kind of the body; a text, since a newer host may know more kinds.
    pub kind: Arc<str>,
    /// How far it came.
    pub state: AppliedState,
    /// Checksum of the exact bytes of the body.
    pub checksum: Checksum,
    /// Checksum that forgives line endings, blanks and comments; SQL only.
    pub normalised_checksum: Option<Checksum>,
    /// Checksum of the manifest's bytes.
    pub manifest_checksum: Option<Checksum>,
    /// When it was applied and what it took, which nothing is decided by; `None` where it was not asked for.
    pub record: Option<Box<Record>>,
    /// Checksums of the libraries whose functions it called, by their names.
    pub functions: BTreeMap<String, Checksum>,
    /// Rows done, and rows there were at the beginning, of a transform in chunks.
    pub rows_done: Option<(u64, u64)>,
    /// Why it counts as applied although it was not run: a precondition did not hold.
    pub not_run: Option<String>,
    /// How far it came, of a script outside a transaction that is not at its end.
    pub script: Option<Box<ScriptProgress>>,
    /// Checksum of the exact bytes of what reverts it, if that is known.
    pub down_checksum: Option<Checksum>,
    /// What another tool knew of it, if it was taken over from one.
    pub origin: Option<Box<Origin>>,
    /// Name, version and digest of the script engine that ran it.
    pub engine: Option<Arc<str>>,
    /// The run that applied it: rows of one run have the same text. Read together with the record.
    pub run_id: Option<Arc<str>>,
    /// When it was reverted, or replaced by a later run of the same repeatable migration: UTC, RFC 3339. While it is
    /// `None` the row is in force.
    pub ended_at: Option<String>,
}

/// When a migration was applied, and what it took.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Record {
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
    pub host_version: Arc<str>,
}

/// What another migration tool knew of a migration that was taken over from it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Origin {
    /// Name of the tool.
    pub tool: String,
    /// The version as that tool wrote it.
    pub version: Option<String>,
    /// The checksum as that tool wrote it.
    pub checksum: Option<String>,
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
    /// In the database with everything up to its version: declared so, or by a squashed migration.
    Baseline,
    /// Undone; the row says what was there.
    Reverted,
    /// Of a repeatable migration: run again later, in another form.
    Replaced,
}

impl AppliedState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Started, Self::InProgress, Self::Baseline, Self::Reverted, Self::Replaced];
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
            Self::Baseline => "baseline",
            Self::Reverted => "reverted",
            Self::Replaced => "replaced",
        }
    }

    /// Tells whether nothing of it is left to do.
    pub fn is_at_an_end(self) -> bool {
        match self {
            Self::Applied | Self::Baseline | Self::Reverted | Self::Replaced => true,
            Self::Started | Self::InProgress => false,
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
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| UnknownState { text: text.to_owned() })
    }
}

impl Applied {
    /// Names it in a sentence: version and name, such as `3 split_names`; only the name of a repeatable one.
    pub fn title(&self) -> String {
        if self.repeatable { self.name.clone() } else { format!("{} {}", self.version, self.name) }
    }

    /// Returns what tells it from the others of its chain.
    pub fn key(&self) -> Key {
        if self.repeatable { Key::Name(self.name.clone()) } else { Key::Version(self.version) }
    }

    /// Returns when it was applied and what it took; an empty record where that was not asked for.
    pub fn record(&self) -> &Record {
        static UNASKED: LazyLock<Record> = LazyLock::new(Record::default);
        self.record.as_deref().unwrap_or(&UNASKED)
    }

    /// Tells whether it is known how far it came, and that is not to its end.
    pub fn is_in_progress(&self) -> bool {
        match self.state {
            AppliedState::InProgress => true,
            AppliedState::Started => self.script.as_deref().is_some_and(ScriptProgress::can_go_on),
            AppliedState::Applied | AppliedState::Baseline | AppliedState::Reverted | AppliedState::Replaced => false,
        }
    }

    /// Returns which way a step outside a transaction was going that has begun and did not come to its end; `None` for
    /// any other row.
    pub fn stopped_on_its_way(&self) -> Option<Direction> {
        // What goes up notes from its first moment that its statements are noted; nothing is noted of a way down.
        match (self.state, &self.script) {
            (AppliedState::Started, Some(_)) => Some(Direction::Up),
            (AppliedState::Started, None) => Some(Direction::Down),
            _ => None,
        }
    }

    /// Tells whether the row is in force: neither reverted nor replaced.
    pub fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_words_it_writes() {
        for state in AppliedState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("Applied".parse::<AppliedState>().is_err());
    }
}
