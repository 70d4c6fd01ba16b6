//! How the program ends, as the shell sees it. The numbers are documented and do not change.

use std::process::ExitCode;

use whimbrel::exec::Report;

/// How the program ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed or refused.
    Failed,
    /// The command line or the settings are wrong.
    Usage,
    /// Something is pending, said `status --check`.
    Pending,
    /// Whether the work is stored is not known.
    OutcomeUnknown,
    /// Done, but rows could not be transformed: they were kept aside, or told by `run-script`.
    RowsKeptAside,
    /// Done, but what was done could not be written to standard output.
    Unreported,
    /// A bug in this program.
    Bug,
    /// Stopped because its time was over.
    TimedOut,
    /// Stopped by a signal.
    Interrupted(Signal),
}

/// A signal that stops the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
    /// The terminal was closed, or the connection to it was lost.
    HangUp,
}

impl Exit {
    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Pending => 3,
            Self::OutcomeUnknown => 4,
            Self::RowsKeptAside => 5,
            Self::Unreported => 6,
            Self::Bug => 70,
            // As `timeout` of coreutils has it.
            Self::TimedOut => 124,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
            Self::Interrupted(Signal::HangUp) => 129,
        }
    }
}

impl From<&Report> for Exit {
    /// Says how a run ended that was not stopped.
    fn from(done: &Report) -> Self {
        let rejected = done.steps.iter().any(|step| step.rows.is_some_and(|rows| rows.rejected > 0));
        if rejected { Self::RowsKeptAside } else { Self::Done }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
