//! What must hold before a migration runs, as it is written. Runs nothing.

use std::ops::Range;

use serde::Deserialize;

/// A query that must hold before a migration runs, and what happens otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Precondition {
    /// The query: it holds when it returns a row whose first value is true.
    pub sql: String,
    /// What happens when it does not.
    pub otherwise: Unmet,
    /// What to tell then.
    pub message: Option<String>,
    /// The bytes of its file where the query is written.
    pub at: Range<usize>,
}

/// What happens when a precondition does not hold.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Unmet {
    /// The run stops.
    #[default]
    Fail,
    /// The migration is left out this time, and stays pending.
    Skip,
    /// The migration is recorded as applied, and nothing of it runs.
    MarkApplied,
}

impl Unmet {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::MarkApplied => "mark-applied",
        }
    }
}

impl Precondition {
    /// Returns where in its file a part of the query stands: all of it where it is written in another way than it reads.
    pub(crate) fn place(&self, part: &Range<usize>) -> Range<usize> {
        match self.at.len() == self.sql.len() {
            true => self.at.start + part.start..self.at.start + part.end,
            false => self.at.clone(),
        }
    }

    /// Returns what to tell when it does not hold.
    pub fn reason(&self) -> String {
        self.message.clone().unwrap_or_else(|| format!("this does not hold: {}", self.sql))
    }
}
