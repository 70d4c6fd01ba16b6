//! A flag raised from outside, by Ctrl-C say, or by a clock, that stops what runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A flag that stops a run: the statement or guest that runs ends, its step is rolled back.
///
/// Clones share the flag. Raise it from any thread, a signal handler included. Once raised it stays so, and stops every
/// run that begins later, too, until somebody calls [`reset`](Self::reset): a run does not, because what was raised just
/// before it began would be lost.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    /// Flags of those that it was made from.
    before: Vec<Arc<AtomicBool>>,
    /// From this moment on it counts as raised.
    deadline: Option<Instant>,
}

impl Interrupt {
    /// Makes a flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag.
    pub fn raise(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Takes it back that the flag was raised, so that the next run goes on. Time that is over stays over, and a
    /// [part](Self::part) stays raised as long as the whole is.
    pub fn reset(&self) {
        self.flag.store(false, Ordering::Relaxed);
    }

    /// Tells whether the flag was raised, or its time is over.
    pub fn is_raised(&self) -> bool {
        let raised = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        raised(&self.flag) || self.before.iter().any(raised) || self.is_overdue()
    }

    /// Shares the flag and counts as raised, too, once so much time has passed from now.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        // A time that does not fit the clock never passes.
        let deadline = Instant::now().checked_add(time);
        Self { deadline: deadline.into_iter().chain(self.deadline).min(), ..self.clone() }
    }

    /// Makes a flag of its own, which counts as raised, too, when this one does.
    #[must_use]
    pub fn part(&self) -> Self {
        let mut before = self.before.clone();
        before.push(Arc::clone(&self.flag));
        Self { flag: Arc::default(), before, deadline: self.deadline }
    }

    /// Tells whether its time is over, whatever became of the flag.
    pub fn is_overdue(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl From<Arc<AtomicBool>> for Interrupt {
    /// Shares a flag that something else raises, such as a signal handler.
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self { flag, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_raised_by_hand_or_by_the_clock() {
        let by_hand = Interrupt::new();
        let (soon, late) = (by_hand.within(Duration::ZERO), by_hand.within(Duration::MAX));
        assert!(soon.is_raised() && soon.is_overdue());
        assert!(!by_hand.is_raised() && !late.is_raised());
        assert!(soon.within(Duration::from_secs(3600)).is_overdue(), "the earlier of two deadlines holds");
        late.raise();
        assert!(by_hand.is_raised() && late.is_raised() && !late.is_overdue());
    }

    #[test]
    fn stays_raised_until_it_is_reset() {
        let interrupt = Interrupt::new();
        let (shared, part) = (interrupt.clone(), interrupt.part());
        shared.raise();
        assert!(interrupt.is_raised() && part.is_raised());
        part.reset();
        assert!(part.is_raised(), "the whole is");
        interrupt.reset();
        assert!(!shared.is_raised() && !part.is_raised());
        assert!(!part.is_raised());
        let late = interrupt.within(Duration::ZERO);
        late.reset();
        assert!(late.is_raised(), "its time is over");
    }

    #[test]
    fn a_part_is_raised_by_itself_or_with_the_whole() {
        let whole = Interrupt::new();
        let (one, other) = (whole.part(), whole.part().part());
        one.raise();
        assert!(one.is_raised() && !whole.is_raised() && !other.is_raised());
        whole.raise();
        assert!(other.is_raised() && whole.within(Duration::MAX).part().is_raised());
        assert!(Interrupt::new().within(Duration::ZERO).part().is_raised(), "a part has no more time than the whole");
    }
}
