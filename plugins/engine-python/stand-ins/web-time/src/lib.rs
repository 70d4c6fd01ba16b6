//! Stands in for `web-time`: time stands still in a component. The host measures how long a script runs and ends it.

pub use std::time::*;

/// A moment that is the same as every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// Returns the only moment there is.
    pub fn now() -> Self {
        Self(Duration::ZERO)
    }

    /// Returns how much later this moment is.
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns how long ago this moment was.
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// Returns a later moment.
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }
}
