//! Has batches transformed by several instances at once. Batches come back in the order in which they went in.
//!
//! Batch number n goes to instance n modulo their number, and each instance takes its batches in their order, so that the
//! same run is the same again. By which thread is nobody's business: the pool's threads take what is there, and whoever
//! waits for a batch lends a hand, so that there are no more threads than instances. One more than there are cores would
//! share a core with another, and as long as the system leaves it there, a core has nothing to do.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

use whimbrel_packed::CheckedBatch;

use super::guest::{Apply, Asked, Mapped, map};
use crate::interrupt::Interrupt;

/// Batches that one instance may have before it or behind it.
const AHEAD: usize = 2;
/// Stack of a thread: enough for an interpreter that calls itself for every call of a script.
const STACK: usize = 16 << 20;

/// What makes an instance, on the thread that first runs it; the interrupt stops it.
pub(super) type Start<'s, A> = &'s (dyn Fn(&Interrupt) -> Result<A, <A as Apply>::Error> + Sync);

/// Why no batch comes back.
pub(super) enum Lost<E> {
    /// The instance did not start.
    Start(E),
    /// A thread has panicked, which the scope passes on.
    Panicked,
}

/// Instances at work.
pub(super) struct Pool<'p, A: Apply> {
    shared: Arc<Shared<'p, A>>,
    sent: usize,
    received: usize,
    /// Fuel each instance has burnt.
    fuel: Vec<u64>,
}

/// What the threads have in common.
struct Shared<'p, A: Apply> {
    desks: Mutex<Desks<A>>,
    /// There is a batch that nobody is at.
    has_work: Condvar,
    /// A batch is done.
    has_done: Condvar,
    start: Start<'p, A>,
    asked: Asked,
    /// Raised to stop the instances, by whoever gives up.
    stop: Interrupt,
}

struct Desks<A: Apply> {
    desks: Vec<Desk<A>>,
    /// Nobody wants anything any more.
    is_over: bool,
    /// A thread has panicked.
    is_broken: bool,
}

/// An instance, and what lies before it and behind it.
struct Desk<A: Apply> {
    guest: Guest<A>,
    /// Batches with their numbers.
    waiting: VecDeque<(usize, CheckedBatch)>,
    done: VecDeque<Result<Mapped<A::Error>, A::Error>>,
}

enum Guest<A> {
    NotStarted,
    Idle(Box<A>),
    /// A thread has it.
    Busy,
}

/// A batch that a thread has taken, and the instance for it.
struct Turn<A> {
    desk: usize,
    guest: Option<Box<A>>,
    batch: CheckedBatch,
}

impl<'p, A: Apply> Pool<'p, A> {
    /// Makes room for so many instances, and starts the threads that whoever waits for batches works with.
    pub(super) fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        jobs: usize,
        asked: Asked,
        interrupt: &Interrupt,
        start: Start<'p, A>,
    ) -> Self
    where
        A: 'scope,
        'p: 'scope,
    {
        let desk = || Desk { guest: Guest::NotStarted, waiting: VecDeque::new(), done: VecDeque::new() };
        let desks = Desks { desks: (0..jobs).map(|_| desk()).collect(), is_over: false, is_broken: false };
        let shared = Arc::new(Shared {
            desks: Mutex::new(desks),
            has_work: Condvar::new(),
            has_done: Condvar::new(),
            start,
            asked,
            stop: interrupt.part(),
        });
        for number in 1..jobs {
            let theirs = Arc::clone(&shared);
            let name = format!("transform {number}");
            // Fewer threads do as well.
            if let Err(error) = Builder::new().name(name).stack_size(STACK).spawn_scoped(scope, move || theirs.work()) {
                tracing::warn!("a thread does not start: {error}");
            }
        }
        Self { shared, sent: 0, received: 0, fuel: vec![0; jobs] }
    }

    /// Counts the batches that are on their way.
    pub(super) fn under_way(&self) -> usize {
        self.sent - self.received
    }

    /// Tells whether there is room for another batch.
    pub(super) fn has_room(&self) -> bool {
        // By itself an instance has nothing of a batch that lies there and cools down in the processor's caches.
        self.under_way() < if self.fuel.len() == 1 { 1 } else { self.fuel.len() * AHEAD }
    }

    /// Sends a batch; only when there is room.
    pub(super) fn send(&mut self, batch: CheckedBatch) {
        let desk = self.sent % self.fuel.len();
        self.shared.lock().desks[desk].waiting.push_back((self.sent, batch));
        self.shared.has_work.notify_one();
        self.sent += 1;
    }

    /// Waits for the oldest batch that is on its way, and works meanwhile.
    pub(super) fn receive(&mut self) -> Result<Mapped<A::Error>, Lost<A::Error>> {
        let desk = self.received % self.fuel.len();
        let mut desks = self.shared.lock();
        let mapped = loop {
            if let Some(done) = desks.desks[desk].done.pop_front() {
                break done.map_err(Lost::Start)?;
            }
            if desks.is_broken {
                return Err(Lost::Panicked);
            }
            desks = match desks.take() {
                Some(turn) => {
                    drop(desks);
                    self.shared.run(turn)
                }
                None => self.shared.has_done.wait(desks).unwrap_or_else(PoisonError::into_inner),
            };
        };
        drop(desks);
        self.received += 1;
        self.fuel[desk] = mapped.fuel;
        Ok(mapped)
    }

    /// Returns the fuel of all instances.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel.iter().fold(0, |sum, fuel| sum.saturating_add(*fuel))
    }
}

impl<A: Apply> Drop for Pool<'_, A> {
    fn drop(&mut self) {
        // Whatever the instances are at, nobody wants it any more.
        self.shared.stop.raise();
        self.shared.lock().is_over = true;
        self.shared.has_work.notify_all();
    }
}

impl<A: Apply> Shared<'_, A> {
    fn lock(&self) -> MutexGuard<'_, Desks<A>> {
        // Nothing panics that has it locked.
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread of the pool does.
    fn work(&self) {
        let mut desks = self.lock();
        while !desks.is_over {
            desks = match desks.take() {
                Some(turn) => {
                    drop(desks);
                    self.run(turn)
                }
                None => self.has_work.wait(desks).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Has a batch transformed.
    fn run(&self, turn: Turn<A>) -> MutexGuard<'_, Desks<A>> {
        let alarm = Alarm(self);
        let (guest, done) = match turn.guest.map_or_else(|| (self.start)(&self.stop).map(Box::new), Ok) {
            Ok(mut guest) => {
                let mapped = map(guest.as_mut(), turn.batch, &self.asked);
                (Guest::Idle(guest), Ok(mapped))
            }
            Err(error) => (Guest::NotStarted, Err(error)),
        };
        std::mem::forget(alarm);
        let mut desks = self.lock();
        let desk = &mut desks.desks[turn.desk];
        desk.guest = guest;
        desk.done.push_back(done);
        if !desk.waiting.is_empty() {
            self.has_work.notify_one();
        }
        self.has_done.notify_one();
        desks
    }
}

impl<A: Apply> Desks<A> {
    /// Takes the oldest batch whose instance nobody has.
    fn take(&mut self) -> Option<Turn<A>> {
        let free = self.desks.iter().enumerate().filter(|(_, desk)| !matches!(desk.guest, Guest::Busy));
        let (_, desk) = free.filter_map(|(at, desk)| desk.waiting.front().map(|(number, _)| (*number, at))).min()?;
        let (_, batch) = self.desks[desk].waiting.pop_front()?;
        let guest = match std::mem::replace(&mut self.desks[desk].guest, Guest::Busy) {
            Guest::Idle(guest) => Some(guest),
            Guest::NotStarted | Guest::Busy => None,
        };
        Some(Turn { desk, guest, batch })
    }
}

/// Tells those who wait when a thread panics.
struct Alarm<'a, 'p, A: Apply>(&'a Shared<'p, A>);

impl<A: Apply> Drop for Alarm<'_, '_, A> {
    fn drop(&mut self) {
        self.0.lock().is_broken = true;
        self.0.has_done.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::scope;

    use proptest::prelude::*;
    use whimbrel_packed::{BatchBuilder, Cell, CheckedColumn};

    use super::super::guest::{ApplyError, Line};
    use super::*;
    use crate::db::{DbError, ErrorCode};

    /// Says which instance it is, and what it had before.
    struct Counting {
        number: u64,
        calls: u64,
        panics: bool,
    }

    impl Apply for Counting {
        type Error = DbError;

        fn apply(&mut self, _: usize, columns: &[&CheckedColumn]) -> Result<CheckedBatch, ApplyError<DbError>> {
            assert!(!self.panics, "on purpose");
            self.calls += 1;
            let Cell::Integer(value) = columns[0].cell(0) else { panic!("an integer went in") };
            Ok(batch(value * 2))
        }

        fn take_lines(&mut self) -> Vec<Line> {
            Vec::new()
        }

        fn fuel(&self) -> u64 {
            self.number << 32 | self.calls
        }
    }

    fn batch(value: i64) -> CheckedBatch {
        let mut rows = BatchBuilder::new(1);
        rows.push_integer(0, value);
        rows.finish_checked()
    }

    fn asked() -> Asked {
        Asked { read: vec![0], write: vec!["value".to_owned()], in_place: true, skip: false }
    }

    proptest! {
        #[test]
        fn batches_come_back_in_order_and_each_instance_has_its_own(jobs in 1..5_usize, batches in 0..40_usize) {
            let started = AtomicUsize::new(0);
            let start = |_: &Interrupt| {
                let number = started.fetch_add(1, Ordering::Relaxed) as u64;
                Ok(Counting { number, calls: 0, panics: false })
            };
            scope(|scope| {
                let mut pool: Pool<'_, Counting> = Pool::start(scope, jobs, asked(), &Interrupt::new(), &start);
                let (mut sent, mut instances) = (0, BTreeMap::new());
                for received in 0..batches {
                    while sent < batches && pool.has_room() {
                        pool.send(batch(sent as i64));
                        sent += 1;
                    }
                    let Ok(mapped) = pool.receive() else { panic!("batch {received} is lost") };
                    assert_eq!(mapped.pieces[0].out.cell(0, 0), Cell::Integer(received as i64 * 2));
                    let (number, calls) = (mapped.fuel >> 32, mapped.fuel & 0xffff_ffff);
                    assert_eq!(calls as usize, received / jobs + 1, "an instance takes its batches in their order");
                    assert_eq!(*instances.entry(received % jobs).or_insert(number), number);
                }
                assert_eq!(pool.under_way(), 0);
                assert_eq!(instances.len(), jobs.min(batches));
            });
            assert_eq!(started.into_inner(), jobs.min(batches), "an instance without a batch is not started");
        }
    }

    #[test]
    fn one_that_does_not_start_says_so() {
        let start = |_: &Interrupt| Err::<Counting, _>(DbError::new(ErrorCode::Value, "no"));
        scope(|scope| {
            let mut pool: Pool<'_, Counting> = Pool::start(scope, 2, asked(), &Interrupt::new(), &start);
            pool.send(batch(1));
            assert!(matches!(pool.receive(), Err(Lost::Start(error)) if error.message == "no"));
        });
    }

    #[test]
    fn a_panic_is_passed_on_and_nobody_waits_for_it() {
        let start = |_: &Interrupt| Ok(Counting { number: 0, calls: 0, panics: true });
        for jobs in 1..4 {
            let run = || {
                scope(|scope| {
                    let mut pool: Pool<'_, Counting> = Pool::start(scope, jobs, asked(), &Interrupt::new(), &start);
                    for number in 0..jobs {
                        pool.send(batch(number as i64));
                    }
                    assert!(pool.receive().is_err(), "nothing comes of a panic");
                });
            };
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "{jobs} jobs");
        }
    }
}
