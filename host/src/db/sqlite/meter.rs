//! Counts the operations of SQLite's virtual machine exactly, also of statements that fail or are left half read.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Statement, StatementStatus};

/// How many operations run between two calls of the progress handler.
pub(super) const OPERATIONS_PER_TICK: u64 = 1000;

/// Counts operations. The progress handler ticks while a statement runs; its exact count is charged when it stops.
pub(super) struct Meter {
    charged: AtomicU64,
    ticks: AtomicU64,
    /// What `charged` must not go beyond.
    most: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { charged: AtomicU64::new(0), ticks: AtomicU64::new(0), most: AtomicU64::new(u64::MAX) }
    }
}

impl Meter {
    /// Returns the operations charged so far.
    pub(super) fn operations(&self) -> u64 {
        self.charged.load(Ordering::Relaxed)
    }

    /// Goes back to a count of before.
    pub(super) fn count_again_from(&self, operations: u64) {
        self.charged.store(operations, Ordering::Relaxed);
    }

    /// Stops statements after this many more operations, or never.
    pub(super) fn allow(&self, operations: Option<u64>) {
        let most = operations.map_or(u64::MAX, |operations| self.operations().saturating_add(operations));
        self.most.store(most, Ordering::Relaxed);
    }

    /// Begins to count a statement: ticks of the host's own statements before it are not its own.
    pub(super) fn start(&self) {
        self.ticks.store(0, Ordering::Relaxed);
    }

    /// Notes that the running statement has done another thousand; `true` when it must stop.
    pub(super) fn tick(&self) -> bool {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        self.is_over()
    }

    /// Tells whether more was used than is allowed.
    pub(super) fn is_over(&self) -> bool {
        let running = self.ticks.load(Ordering::Relaxed).saturating_mul(OPERATIONS_PER_TICK);
        self.operations().saturating_add(running) > self.most.load(Ordering::Relaxed)
    }

    /// Charges what a statement has used since it was charged last, however it ended.
    pub(super) fn charge(&self, statement: &Statement<'_>) {
        self.charge_counted(statement.reset_status(StatementStatus::VmStep).cast_unsigned());
    }

    /// Charges what a statement has counted since it was charged last.
    pub(super) fn charge_counted(&self, counter: u32) {
        let ticked = self.ticks.swap(0, Ordering::Relaxed).saturating_mul(OPERATIONS_PER_TICK);
        self.charged.fetch_add(exact(ticked, counter), Ordering::Relaxed);
    }
}

/// Puts the two counts together. SQLite's own has only 32 bits; ticks miss the last thousand, but count statements
/// that virtual tables run on their own behalf, too.
fn exact(ticked: u64, counter: u32) -> u64 {
    const TURN: u64 = 1 << 32;
    let near = (ticked & !(TURN - 1)) | u64::from(counter);
    let nearest = [near.checked_sub(TURN), Some(near), near.checked_add(TURN)]
        .into_iter()
        .flatten()
        .min_by_key(|count| count.abs_diff(ticked))
        .unwrap_or(near);
    nearest.max(ticked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_through_the_turns_of_a_small_counter() {
        let cases: [(u64, u32, u64); 6] = [
            (0, 17, 17),
            (5_000, 5_999, 5_999),
            (9_000, 100, 9_000),
            (4_294_967_000, 500, 4_294_967_796),
            (4_294_968_000, 4_294_967_295, 4_294_968_000),
            (12_884_902_000, 600, 12_884_902_488),
        ];
        for (ticked, counter, expected) in cases {
            assert_eq!(exact(ticked, counter), expected, "{ticked} {counter}");
        }
    }

    #[test]
    fn stops_when_more_is_used_than_allowed() {
        let meter = Meter::default();
        assert!(!meter.tick());
        meter.allow(Some(2_500));
        assert!(!meter.is_over() && !meter.tick());
        assert!(meter.tick() && meter.is_over());
        meter.allow(None);
        assert!(!meter.tick());
    }

    #[test]
    fn leaves_out_statements_that_are_not_charged() {
        let meter = Meter::default();
        meter.allow(Some(500));
        assert!(meter.tick());
        meter.start();
        assert!(!meter.is_over());
    }
}
