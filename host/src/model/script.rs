//! One SQL file of a migration.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::{Checksum, Filled, MissingValue};
use crate::shown::Beginning;
use crate::sql::{self, Directives, Finding};

/// The text of an SQL file together with what its head says.
#[derive(Clone, Eq, PartialEq)]
pub struct Script {
    /// What to call it in messages.
    pub file: String,
    /// Exactly what the file holds, a byte order mark included.
    pub text: Cow<'static, str>,
    /// The directives at its top.
    pub directives: Directives,
    /// What its layout says about values in it.
    pub substitution: Substitution,
    /// The text with its values, once they were put in; `None` where it has no names for any.
    pub filled: Option<Arc<Filled>>,
}

/// Of a long text only its beginning.
impl fmt::Debug for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, text, directives, substitution, filled } = self;
        let mut shown = formatter.debug_struct("Script");
        shown.field("file", file).field("text", &Beginning(text)).field("directives", directives);
        shown.field("substitution", substitution).field("filled", filled).finish()
    }
}

/// What the layout of a script says about values in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Substitution {
    /// Names in it are replaced, or not, as its own configuration says.
    pub wanted: Option<bool>,
    /// Names are replaced unless told otherwise, as in all scripts of the layout.
    pub usual: bool,
    /// Lines, from 0, that ask for variables of the environment.
    pub environment: Vec<Range<usize>>,
}

/// Bytes that are hashed together.
const GATHERED: usize = 4096;

impl Script {
    /// Makes a script without names for values.
    pub fn new(file: impl Into<String>, text: Cow<'static, str>, directives: Directives) -> Self {
        Self { file: file.into(), text, directives, substitution: Substitution::default(), filled: None }
    }

    /// Computes the checksum of the exact bytes. Values in it do not count.
    pub fn checksum(&self) -> Checksum {
        Checksum::of(self.text.as_bytes())
    }

    /// Computes the checksum that forgives line endings, blanks and comments; see [`sql::normalise`].
    pub fn normalised_checksum(&self) -> Checksum {
        self.normalised(&self.text)
    }

    /// Computes the checksum of what is run, values included: that of a script which is run again when it changes.
    pub(crate) fn filled_checksum(&self) -> Checksum {
        let Some(filled) = &self.filled else { return self.checksum() };
        let mut builder = Checksum::builder();
        builder.update(filled.text().as_bytes());
        builder.update(filled.moment.as_deref().unwrap_or_default().as_bytes());
        builder.finish()
    }

    /// Computes the forgiving checksum of what is run, values included.
    pub(crate) fn filled_normalised_checksum(&self) -> Checksum {
        let Some(filled) = &self.filled else { return self.normalised_checksum() };
        match &filled.moment {
            None => self.normalised(filled.text()),
            Some(_) => self.filled_checksum(),
        }
    }

    fn normalised(&self, text: &str) -> Checksum {
        let mut builder = Checksum::builder();
        // Most pieces are a word or a blank, and each call of the hash costs more than they do.
        let mut gathered = Vec::with_capacity(GATHERED);
        sql::normalise(text, &self.directives, |piece| {
            if gathered.len() + piece.len() > GATHERED {
                builder.update(&gathered);
                gathered.clear();
            }
            match piece.len() > GATHERED {
                true => builder.update(piece.as_bytes()),
                false => gathered.extend_from_slice(piece.as_bytes()),
            }
        });
        builder.update(&gathered);
        builder.finish()
    }

    /// Returns what is run: the text, with its values where it has names for them.
    pub fn runs(&self) -> &str {
        self.filled.as_ref().map_or(&self.text, |filled| filled.text())
    }

    /// Returns the values that there are none for, so that it cannot run.
    pub fn missing(&self) -> &[MissingValue] {
        self.filled.as_ref().map_or(&[], |filled| &filled.missing)
    }

    /// Returns where in the file bytes of what is run come from.
    pub(crate) fn origin(&self, range: Range<usize>) -> Range<usize> {
        self.filled.as_ref().map_or(range.clone(), |filled| filled.origin(&range))
    }

    /// Returns what can be said against it without running it, with places in the file.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = sql::check(self.runs(), &self.directives);
        for finding in &mut findings {
            finding.range = self.origin(finding.range.clone());
        }
        findings
    }
}
