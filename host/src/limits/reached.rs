//! What is told when a limit is met.

use super::decide::SetBy;
use super::limit::Limit;

/// A limit that was met.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the {} limit of {} was reached", limit.key(), limit.amount(*value))]
pub struct LimitReached {
    /// Which.
    pub limit: Limit,
    /// How much it is.
    pub value: u64,
    /// Who set it.
    pub set_by: SetBy,
}

impl LimitReached {
    /// Says where more can be given.
    pub fn how_to_raise(&self) -> String {
        let key = self.limit.key();
        match self.set_by {
            SetBy::Manifest => format!("`{key}` under [limits] in the migration's manifest"),
            SetBy::Default | SetBy::Policy => format!("`{key}` in the limits of the chain's policy"),
        }
    }
}
