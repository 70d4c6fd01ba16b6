//! What tells a migration from the others of its chain.

use std::fmt;

use super::Version;

/// What tells a migration from the others of its chain: its version, or the name of one that is repeatable.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// The version of one that runs once.
    Version(Version),
    /// The name of one that is repeatable.
    Name(String),
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(formatter),
            Self::Name(name) => formatter.pad(name),
        }
    }
}
