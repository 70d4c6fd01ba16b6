//! A migration that is code of another program, which alone can run it: a file of it lies between the scripts of its tool.

use super::Version;

/// A migration that only another program can run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Elsewhere {
    /// The number that orders it among the others.
    pub version: Version,
    /// The words after the version.
    pub name: String,
    /// What to call its file in messages.
    pub file: String,
}
