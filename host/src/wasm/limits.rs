//! What a call may use, and what stops it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, Store, UpdateDeadline};

use super::state::State;
use crate::interrupt::Interrupt;
use crate::model::Limits;

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);
/// Bytes a guest may hand over in one call of a host function.
const BYTES_PER_CALL: usize = 64 << 20;
/// Handles a guest may hold at once.
const HANDLES: usize = 100_000;

/// What one call may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunLimits {
    /// Units of fuel: roughly, instructions.
    pub fuel: u64,
    /// Bytes of linear memory.
    pub memory: u64,
    /// Wall time, statements included.
    pub time: Duration,
}

impl Default for RunLimits {
    /// Far beyond what a data migration uses: 10^12 units of fuel, 512 MiB, one hour.
    fn default() -> Self {
        Self { fuel: 1_000_000_000_000, memory: 512 << 20, time: Duration::from_secs(3600) }
    }
}

impl RunLimits {
    /// Takes a manifest's own limits where it has any.
    #[must_use]
    pub fn with(self, asked: &Limits) -> Self {
        Self {
            fuel: asked.fuel.unwrap_or(self.fuel),
            memory: asked.memory.unwrap_or(self.memory),
            time: asked.time.unwrap_or(self.time),
        }
    }
}

/// Bounds memory and tables of one store.
#[derive(Debug)]
pub(super) struct Bounds {
    memory: u64,
    used: u64,
    /// The guest asked for more memory than it may have.
    pub(super) memory_refused: bool,
}

impl Bounds {
    pub(super) fn new(limits: &RunLimits) -> Self {
        Self { memory: limits.memory, used: 0, memory_refused: false }
    }
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let growth = (desired as u64).saturating_sub(current as u64);
        if self.used.saturating_add(growth) > self.memory {
            self.memory_refused = true;
            return Ok(false);
        }
        self.used += growth;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 1_000_000)
    }
}

/// Applies the limits to a store; keep the watchdog for as long as the call runs.
pub(super) fn apply(store: &mut Store<State>, limits: &RunLimits, interrupt: &Interrupt) -> wasmtime::Result<Watchdog> {
    store.limiter(|state| &mut state.bounds);
    store.set_fuel(limits.fuel)?;
    store.set_hostcall_fuel(BYTES_PER_CALL);
    store.set_max_component_handles(HANDLES);
    store.set_epoch_deadline(1);
    let watchdog = Watchdog::start(store.engine().clone(), Instant::now() + limits.time);
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

    /// Tells whether the guest was stopped because its time was over.
    pub(super) fn timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
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
