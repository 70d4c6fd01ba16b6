//! Where a run is to end.

use crate::model::{Direction, Version};

/// Where a run in one direction ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Until {
    /// Everything there is.
    End,
    /// Up to and with this version; down to this version, which stays applied. Version 0 is before all others.
    Version(Version),
    /// This many steps.
    Steps(usize),
}

/// What a run is to reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Goal {
    /// Applies what is pending as far as this.
    Up(Until),
    /// Reverts what is applied as far as this.
    Down(Until),
    /// Reverts the last applied migrations, this many, and applies the same ones again.
    Redo(usize),
}

impl Goal {
    /// Applies everything pending.
    pub const LATEST: Self = Self::Up(Until::End);
    /// Reverts the newest applied migration.
    pub const UNDO_LAST: Self = Self::Down(Until::Steps(1));

    /// Returns which way it goes first.
    pub fn direction(self) -> Direction {
        match self {
            Self::Up(_) => Direction::Up,
            Self::Down(_) | Self::Redo(_) => Direction::Down,
        }
    }
}
