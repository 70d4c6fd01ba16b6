//! What the instances of one step have used together. Decides nothing: each of them holds the sums against its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What several instances have used together. A clone counts with the one that it was made of.
#[derive(Clone, Debug, Default)]
pub struct Used {
    memory: Arc<AtomicU64>,
    elements: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    fuel: Arc<AtomicU64>,
}

impl Used {
    /// Makes the count of one more instance that has memory and tables for itself, and fuel and bytes with the others.
    pub(super) fn with_own_memory(&self) -> Self {
        Self { memory: Arc::default(), elements: Arc::default(), ..self.clone() }
    }

    /// Returns what the memories would have if one grew by so much.
    pub(super) fn memory_with(&self, more: u64) -> u64 {
        self.memory.load(Ordering::Relaxed).saturating_add(more)
    }

    /// Counts what a memory has grown by.
    pub(super) fn grow_memory(&self, more: u64) {
        add(&self.memory, more);
    }

    /// Returns what the tables would have if one grew by so much.
    pub(super) fn elements_with(&self, more: u64) -> u64 {
        self.elements.load(Ordering::Relaxed).saturating_add(more)
    }

    /// Counts what a table has grown by.
    pub(super) fn grow_elements(&self, more: u64) {
        add(&self.elements, more);
    }

    /// Counts bytes that cross the boundary; returns all there were.
    pub(super) fn cross(&self, bytes: u64) -> u64 {
        add(&self.bytes, bytes)
    }

    /// Counts fuel; returns all that was burnt.
    pub(super) fn burn(&self, fuel: u64) -> u64 {
        add(&self.fuel, fuel)
    }

    /// Returns the fuel that was burnt.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel.load(Ordering::Relaxed)
    }
}

/// Adds without turning over; returns the sum.
fn add(sum: &AtomicU64, more: u64) -> u64 {
    let before = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| Some(before.saturating_add(more)));
    before.unwrap_or_else(|before| before).saturating_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together_and_memory_can_be_an_instances_own() {
        let all = Used::default();
        let (one, own) = (all.clone(), all.with_own_memory());
        one.grow_memory(5);
        own.grow_memory(7);
        assert_eq!((all.memory_with(1), own.memory_with(1)), (6, 8));
        assert_eq!((one.burn(3), own.burn(4), all.fuel()), (3, 7, 7));
        assert_eq!((one.cross(u64::MAX), own.cross(2)), (u64::MAX, u64::MAX));
    }
}
