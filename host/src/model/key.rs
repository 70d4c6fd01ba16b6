//! What tells a migration from the others of its chain.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::Version;

/// What tells a migration from the others of its chain: its version, or the name of one that is repeatable.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// The version of one that runs once.
    Version(Version),
    /// The name of one that is repeatable.
    Name(String),
}

impl From<Version> for Key {
    fn from(version: Version) -> Self {
        Self::Version(version)
    }
}

impl FromStr for Key {
    type Err = Infallible;

    /// Reads a version; what is none is the name of a repeatable migration.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Version))
    }
}

impl Key {
    /// Tells whether its text is read as another one: the name of a repeatable migration that is a number.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Name(name) if name.parse::<Version>().is_ok())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(formatter),
            Self::Name(name) => formatter.pad(name),
        }
    }
}
