//! Where a run is to end.

use crate::model::{Direction, Version};

/// Where a run in one direction ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// Everything there is.
    End,
    /// Up to and with this version; down to this version, which stays applied. Version 0 is before all others.
    Version(Version),
    /// This many steps.
    Steps(usize),
    /// This many steps down, and the same ones up again.
    Again(usize),
}

/// What a run is to reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Goal {
    /// Which way.
    pub direction: Direction,
    /// How far.
    pub until: Until,
}

impl Goal {
    /// Applies everything pending.
    pub const LATEST: Self = Self { direction: Direction::Up, until: Until::End };
    /// Reverts the newest applied migration.
    pub const UNDO_LAST: Self = Self { direction: Direction::Down, until: Until::Steps(1) };

    /// Reverts the last applied migrations, this many, and applies the same ones again.
    pub fn redo(steps: usize) -> Self {
        Self { direction: Direction::Down, until: Until::Again(steps) }
    }

    /// Applies what is pending as far as `until`.
    pub fn up(until: Until) -> Self {
        Self { direction: Direction::Up, until }
    }

    /// Reverts what is applied as far as `until`.
    pub fn down(until: Until) -> Self {
        Self { direction: Direction::Down, until }
    }
}
