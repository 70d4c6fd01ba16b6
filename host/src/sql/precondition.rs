//! What must hold before a migration runs, as it is written. Runs nothing.

use serde::Deserialize;

/// A query that must hold before a migration runs, and what happens otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Precondition {
    /// The query: it holds when it returns a row whose first value is true.
    pub sql: String,
    /// What happens when it does not.
    #[serde(default)]
    pub otherwise: Unmet,
    /// What to tell then.
    pub message: Option<String>,
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
    /// Returns what to tell when it does not hold.
    pub fn reason(&self) -> String {
        self.message.clone().unwrap_or_else(|| format!("this does not hold: {}", self.sql))
    }
}
