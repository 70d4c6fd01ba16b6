//! When a migration runs, and after which others.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Version, VersionError};

/// When a migration runs, and after which others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Placement {
    /// When it runs.
    pub role: Role,
    /// What must be applied before it, beside what its version says.
    pub depends_on: Vec<Dependency>,
    /// It may be applied although a later one is.
    pub out_of_order: bool,
}

/// When a migration runs.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Once, in the order of versions.
    #[default]
    Versioned,
    /// In a database that has nothing of the chain yet: it stands for everything up to its version.
    Baseline,
    /// After the versioned ones, again whenever it has changed.
    Repeatable,
}

/// A migration that must be applied before another: a version, of another chain if it names one (`billing:7`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Dependency {
    /// Name of the other chain.
    pub chain: Option<String>,
    /// The version.
    pub version: Version,
}

/// A text that names no migration.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("\"{}\" names no migration: {source}", text.escape_debug())]
pub struct DependencyError {
    /// What was given.
    pub text: String,
    /// Why.
    pub source: VersionError,
}

impl FromStr for Dependency {
    type Err = DependencyError;

    /// Reads `7` or `chain:7`.
    fn from_str(text: &str) -> Result<Self, DependencyError> {
        let (chain, version) = match text.rsplit_once(':') {
            Some((chain, version)) => (Some(chain.trim().to_owned()), version.trim()),
            None => (None, text.trim()),
        };
        let version = Version::parse(version).map_err(|source| DependencyError { text: text.to_owned(), source })?;
        Ok(Self { chain, version })
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.chain {
            Some(chain) => write!(formatter, "{}:{}", chain.escape_debug(), self.version),
            None => self.version.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        for (text, shown) in [("7", "7"), (" 0007 ", "7"), ("billing:7", "billing:7"), ("a:b: 7", "a:b:7")] {
            assert_eq!(text.parse::<Dependency>().expect(text).to_string(), shown);
        }
        let error = "billing:x\u{1b}".parse::<Dependency>().expect_err("x").to_string();
        assert!(error.starts_with("\"billing:x\\u{1b}\" names no migration: "), "{error}");
    }
}
