//! One SQL file of a migration.

use std::borrow::Cow;

use super::Checksum;
use crate::sql::{self, Directives, Finding};

/// The text of an SQL file together with what its head says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Script {
    /// What to call it in messages.
    pub file: String,
    /// Exactly what the file holds, a byte order mark included.
    pub text: Cow<'static, str>,
    /// The directives at its top.
    pub directives: Directives,
}

impl Script {
    /// Computes the checksum of the exact bytes.
    pub fn checksum(&self) -> Checksum {
        Checksum::of(self.text.as_bytes())
    }

    /// Computes the checksum that forgives line endings, blanks and comments; see [`sql::normalise`].
    pub fn normalised_checksum(&self) -> Checksum {
        let mut builder = Checksum::builder();
        sql::normalise(&self.text, &self.directives, |piece| builder.update(piece.as_bytes()));
        builder.finish()
    }

    /// Returns what can be said against it without running it.
    pub fn check(&self) -> Vec<Finding> {
        sql::check(&self.text, &self.directives)
    }
}
