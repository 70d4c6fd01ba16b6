//! Ctrl-C and `kill`: the first asks the run to stop and undo its step, the second ends the program at once.

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
        for (signal, name) in [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)] {
            let code = i32::from(Exit::Interrupted(name).code());
            // In this order: at the first signal the flag is still down, at the second it ends the program.
            flag::register_conditional_shutdown(signal, code, Arc::clone(&self.raised))
                .and_then(|_| {
                    flag::register_usize(signal, Arc::clone(&self.which), usize::from(name == Signal::Terminate))
                })
                .and_then(|_| flag::register(signal, Arc::clone(&self.raised)))
                .context("cannot watch for Ctrl-C")?;
        }
        // With a handler, a file that reaches its limit fails a statement; without one it ends the program.
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).context("cannot watch for the limit on files")?;
        Ok(())
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
        match exit {
            Exit::Interrupted(_) if self.which.load(Ordering::SeqCst) == 1 => Exit::Interrupted(Signal::Terminate),
            exit => exit,
        }
    }
}
