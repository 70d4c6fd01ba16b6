//! Stops SQL functions. A call takes less time than it takes to go over to a stack of its own, so they are not run in
//! turns: a thread moves the engine's epoch, and the guest looks at it.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use super::limits::bound;
use super::state::State;
use super::turns::Watchdog;
use crate::interrupt::Interrupt;
use crate::limits::RunLimits;

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Moves an engine's epoch until it is dropped.
pub(super) struct Epochs {
    pub(super) watchdog: Watchdog,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Applies the limits to a store whose guest looks at the epoch.
pub(super) fn begin(
    store: &mut Store<State>,
    limits: &RunLimits,
    interrupt: &Interrupt,
    guarded: bool,
) -> wasmtime::Result<Epochs> {
    let watchdog = Watchdog::new(limits, interrupt, &store.data().bounds.used);
    if !guarded {
        return Ok(Epochs { watchdog, stop: None, thread: None });
    }
    bound(store, limits)?;
    store.set_epoch_deadline(1);
    let (interrupt, deadline) = (interrupt.clone(), watchdog.deadline);
    store.epoch_deadline_callback(move |_| {
        let stop = interrupt.is_raised() || Instant::now() >= deadline;
        Ok(if stop { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
    });
    let engine = store.engine().clone();
    let (stop, stopped) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        while stopped.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
            engine.increment_epoch();
        }
    });
    Ok(Epochs { watchdog, stop: Some(stop), thread: Some(thread) })
}

impl Drop for Epochs {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; there is nothing to tell if it did.
            let _ = thread.join();
        }
    }
}
