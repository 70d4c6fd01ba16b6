//! Ctrl-C, `kill` and a terminal that is closed: the first asks the run to stop and undo its step, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use whimbrel::Interrupt;

use crate::exit::{Exit, Signal};

/// Flags that the signal handlers raise. No thread waits for them.
pub(crate) struct Signals {
    raised: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// Installs the handlers. A signal ends the program at once, as without them, until something runs that can be stopped:
    /// the first process of a container has no other way to be ended.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let signals = Self { raised: Arc::new(AtomicBool::new(true)), which: Arc::default() };
        signals.register()?;
        Ok(signals)
    }

    fn register(&self) -> anyhow::Result<()> {
        self.stop_by(SIGINT, Signal::Interrupt)?;
        self.stop_by(SIGTERM, Signal::Terminate)?;
        // Whoever starts the program with `nohup` wants it to go on.
        #[cfg(unix)]
        if !hang_up_is_ignored() {
            self.stop_by(signal_hook::consts::SIGHUP, Signal::HangUp)?;
        }
        // With a handler, a file that reaches its limit fails a statement; without one it ends the program.
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).context("cannot watch for the limit on files")?;
        Ok(())
    }

    fn stop_by(&self, number: i32, signal: Signal) -> anyhow::Result<()> {
        let code = i32::from(Exit::Interrupted(signal).code());
        // In this order: at the first signal the flag is still down, at the second it ends the program.
        flag::register_conditional_shutdown(number, code, Arc::clone(&self.raised))
            .and_then(|_| flag::register_usize(number, Arc::clone(&self.which), signal as usize))
            .and_then(|_| flag::register(number, Arc::clone(&self.raised)))
            .map(drop)
            .context("cannot watch for Ctrl-C")
    }

    /// Returns the flag that stops a run: from now on the first signal raises it, and the second ends the program.
    pub(crate) fn watch(&self) -> Interrupt {
        self.idle(false);
        Interrupt::from(Arc::clone(&self.raised))
    }

    /// Says whether nothing runs that could be stopped: then the first signal ends the program.
    pub(crate) fn idle(&self, idle: bool) {
        self.raised.store(idle, Ordering::SeqCst);
    }

    /// Names the signal in place of a plain interruption.
    pub(crate) fn exit_code(&self, exit: Exit) -> Exit {
        let which = self.which.load(Ordering::SeqCst);
        let by = [Signal::Terminate, Signal::HangUp].into_iter().find(|signal| *signal as usize == which);
        match (exit, by) {
            (Exit::Interrupted(_), Some(signal)) => Exit::Interrupted(signal),
            (exit, _) => exit,
        }
    }
}

/// Tells whether the program was started so that it outlives its terminal. Where the system does not say, it is taken for
/// that, and the signal does what it does without a handler.
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask & 1 << (signal_hook::consts::SIGHUP - 1) != 0)
}
