//! Runs a guest in turns: after some fuel it stops on its own stack, and the host looks at the clock and at the
//! interrupt before it goes on.
//!
//! Fuel is counted anyway. Looking at an epoch as well, at the head of every loop, made guests slower than all other
//! safety together.

use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use wasmtime::{Store, Trap};

use super::limits::bound;
use super::state::State;
use super::used::Used;
use crate::interrupt::Interrupt;
use crate::limits::{Limit, RunLimits};

/// Fuel of a turn: a few milliseconds.
const TURN: u64 = 2_000_000;

/// Looks at the clock and at the interrupt for as long as a call runs.
pub(super) struct Watchdog {
    pub(super) deadline: Instant,
    interrupt: Interrupt,
    timed_out: Cell<bool>,
    /// Most fuel of all instances that count together.
    fuel: u64,
    used: Used,
    /// Fuel of this instance that was counted.
    counted: Cell<u64>,
}

impl Watchdog {
    /// Starts the time of a call.
    pub(super) fn new(limits: &RunLimits, interrupt: &Interrupt, used: &Used) -> Self {
        /// Where a longer time would not fit the clock.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let time = Duration::from_millis(limits.of(Limit::Time)).min(YEAR);
        Self {
            deadline: Instant::now() + time,
            interrupt: interrupt.clone(),
            timed_out: Cell::new(false),
            fuel: limits.of(Limit::Fuel),
            used: used.clone(),
            counted: Cell::new(0),
        }
    }

    /// Tells whether the guest must not go on.
    pub(super) fn must_stop(&self) -> bool {
        self.interrupt.is_raised() || self.timed_out()
    }

    /// Tells whether the guest's time is over.
    pub(super) fn timed_out(&self) -> bool {
        let over = self.timed_out.get() || Instant::now() >= self.deadline;
        self.timed_out.set(over);
        over
    }

    /// Runs a guest to its end, or until it must stop; then it ends with [`Trap::Interrupt`].
    pub(super) fn attend<R>(&self, guest: impl Future<Output = wasmtime::Result<R>>) -> wasmtime::Result<R> {
        let mut guest = pin!(guest);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match guest.as_mut().poll(&mut context) {
                Poll::Ready(returned) => return returned,
                Poll::Pending if self.must_stop() => return Err(Trap::Interrupt.into()),
                // Others may have burnt what it has itself.
                Poll::Pending => self.settle(self.counted.get().saturating_add(TURN))?,
            }
        }
    }

    /// Counts what an instance has burnt until now; an error where that is too much together with what others have burnt.
    pub(super) fn settle(&self, burnt: u64) -> wasmtime::Result<()> {
        let more = burnt.saturating_sub(self.counted.replace(burnt));
        if self.used.burn(more) > self.fuel { Err(Trap::OutOfFuel.into()) } else { Ok(()) }
    }
}

/// Applies the limits to a store whose guest is run in turns.
///
/// Where nothing is guarded, the engine counts no fuel, and time alone is looked at, when the call is over.
pub(super) fn begin(
    store: &mut Store<State>,
    limits: &RunLimits,
    interrupt: &Interrupt,
    guarded: bool,
) -> wasmtime::Result<Watchdog> {
    if guarded {
        bound(store, limits)?;
        store.fuel_async_yield_interval(Some(TURN))?;
    }
    let watchdog = Watchdog::new(limits, interrupt, &store.data().bounds.used);
    store.data_mut().watch(watchdog.deadline, interrupt);
    Ok(watchdog)
}
