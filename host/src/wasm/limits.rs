//! What stops a guest: fuel, memory and tables by the engine, time by a watchdog.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, Store, UpdateDeadline};

use super::state::State;
use crate::interrupt::Interrupt;
use crate::limits::{Limit, LimitReached, RunLimits};

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);
/// Handles a component's instances may hold on what they make for each other, beside those of the contract.
const OWN_HANDLES: usize = 1_000;

/// Bounds memories, tables and instances of one store, and keeps the first limit met.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) limits: RunLimits,
    memory: u64,
    elements: u64,
    reached: Option<LimitReached>,
}

impl Bounds {
    pub(super) fn new(limits: RunLimits) -> Self {
        Self { limits, memory: 0, elements: 0, reached: None }
    }

    /// Returns the first limit that was met.
    pub(super) fn reached(&self) -> Option<LimitReached> {
        self.reached
    }

    /// Checks an amount and keeps the limit if it is met, whatever the guest makes of it.
    pub(super) fn check(&mut self, limit: Limit, amount: u64) -> Result<(), LimitReached> {
        self.limits.check(limit, amount).inspect_err(|reached| self.meet(*reached))
    }

    /// Keeps the first limit met.
    pub(super) fn meet(&mut self, reached: LimitReached) {
        self.reached.get_or_insert(reached);
    }
}

impl ResourceLimiter for Bounds {
    /// Traps at the limit: a guest that were told could only go on with less than it needs.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let memory = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        self.check(Limit::Memory, memory)?;
        self.memory = memory;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current) as u64);
        self.check(Limit::TableElements, elements)?;
        self.elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.size(Limit::Instances)
    }

    fn tables(&self) -> usize {
        self.limits.size(Limit::Tables)
    }

    fn memories(&self) -> usize {
        self.limits.size(Limit::Memories)
    }
}

/// Finds the limit that the engine's own words stand for.
pub(super) fn recognise(error: &wasmtime::Error) -> Option<Limit> {
    if error.downcast_ref::<wasmtime::Trap>() == Some(&wasmtime::Trap::OutOfFuel) {
        return Some(Limit::Fuel);
    }
    let words = error.root_cause().to_string();
    let counted = |limit| words.contains("count too high").then_some(limit);
    match words.strip_prefix("resource limit exceeded: ") {
        Some(rest) if rest.starts_with("memory") => return counted(Limit::Memories),
        Some(rest) if rest.starts_with("table") => return counted(Limit::Tables),
        Some(rest) if rest.starts_with("instance") => return counted(Limit::Instances),
        _ => {}
    }
    if words.contains("fuel allocated for hostcalls") {
        return Some(Limit::BytesPerCall);
    }
    words.starts_with("cannot allocate another handle").then_some(Limit::OpenHandles)
}

/// Applies the limits to a store; keep the watchdog for as long as the call runs.
///
/// Where nothing is guarded, the engine has neither fuel nor epochs, and time alone is looked at, when the call is over.
pub(super) fn apply(
    store: &mut Store<State>,
    limits: &RunLimits,
    interrupt: &Interrupt,
    guarded: bool,
) -> wasmtime::Result<Watchdog> {
    if !guarded {
        return Ok(Watchdog { deadline: deadline(limits), timed_out: Arc::default(), stop: None, thread: None });
    }
    store.limiter(|state| &mut state.bounds);
    store.set_fuel(limits.of(Limit::Fuel))?;
    // Twice the limit: what is a little beyond is an answer for the guest, what is far beyond a trap. The engine
    // counts a value by its size in the host, which for short ones is more than its own.
    store.set_hostcall_fuel(limits.size(Limit::BytesPerCall).saturating_mul(2).saturating_add(1 << 20));
    store.set_max_component_handles(limits.size(Limit::OpenHandles).saturating_add(OWN_HANDLES));
    store.set_epoch_deadline(1);
    let watchdog = Watchdog::start(store.engine().clone(), deadline(limits));
    let timed_out = Arc::clone(&watchdog.timed_out);
    let (interrupt, deadline) = (interrupt.clone(), watchdog.deadline);
    store.epoch_deadline_callback(move |_| {
        if interrupt.is_raised() {
            return Ok(UpdateDeadline::Interrupt);
        }
        if Instant::now() >= deadline {
            timed_out.store(true, Ordering::Relaxed);
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(UpdateDeadline::Continue(1))
    });
    Ok(watchdog)
}

/// Returns the moment at which a call's time is over.
fn deadline(limits: &RunLimits) -> Instant {
    /// Where a longer time would not fit the clock.
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + Duration::from_millis(limits.of(Limit::Time)).min(YEAR)
}

/// Moves the engine's epoch while a call runs, so that the guest is interrupted to look at the clock.
pub(super) struct Watchdog {
    pub(super) deadline: Instant,
    timed_out: Arc<AtomicBool>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    fn start(engine: wasmtime::Engine, deadline: Instant) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        });
        Self { deadline, timed_out: Arc::default(), stop: Some(stop), thread: Some(thread) }
    }

    /// Tells whether the guest's time is over.
    pub(super) fn timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; there is nothing to tell if it did.
            let _ = thread.join();
        }
    }
}
