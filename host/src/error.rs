//! Everything that can stop the library, by the stage at which it does.

use std::time::Duration;

use crate::db::sqlite::FillError;
use crate::db::{DbError, ErrorCode};
use crate::exec::{PrepareError, RepairError, RunError, StepError};
use crate::history::HistoryError;
use crate::history::foreign::AdoptError;
use crate::model::{ChainError, PolicyError};
use crate::plan::PlanError;
use crate::source::SourceError;

/// Why migrations were not read, planned or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Files of the source are wrong; every problem of every file is in it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The migrations do not make a chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// No database was given, and a method was called that opens one.
    #[error("no database was given; call `database` on the builder, or use `run_on` with a connection")]
    NoDatabase,
    /// The database cannot be opened or read.
    #[error("cannot use the database {database}")]
    Database {
        /// Which.
        database: String,
        /// Why.
        #[source]
        source: DbError,
    },
    /// The history table cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The history of another tool was not taken over; nothing has changed.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// Something stands against a plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The policy cannot be meant.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The plan cannot be run; nothing has changed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A migration cannot be shown at work.
    #[cfg(feature = "wasm")]
    #[error(transparent)]
    Preview(#[from] crate::exec::PreviewError),
    /// A table of a copy cannot be filled.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// The history was not repaired.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// A step failed.
    #[error(transparent)]
    Run(#[from] Box<RunError>),
    /// The run took longer than it may; the step that ran is undone.
    #[error("the run took longer than its timeout of {timeout:?}")]
    Timeout {
        /// What it may take.
        timeout: Duration,
        /// What was stopped, told as an interruption.
        #[source]
        source: Box<Error>,
    },
}

impl Error {
    /// Tells whether something was stopped from outside, by an interrupt or a timeout, and nothing is wrong otherwise.
    pub fn is_interruption(&self) -> bool {
        let told = |error: &DbError| error.code == ErrorCode::Interrupted;
        match self {
            Self::Database { source, .. } | Self::History(HistoryError::Database { source, .. }) => told(source),
            Self::Run(error) => match &error.source {
                StepError::Interrupted => true,
                StepError::History(HistoryError::Database { source, .. }) => told(source),
                StepError::Statement { failed, .. } => told(&failed.error),
                _ => false,
            },
            #[cfg(feature = "wasm")]
            Self::Prepare(PrepareError::Component { source: crate::wasm::CompileError::Interrupted, .. }) => true,
            #[cfg(feature = "wasm")]
            Self::Prepare(PrepareError::Look { source, .. }) => told(source),
            #[cfg(feature = "wasm")]
            Self::Preview(crate::exec::PreviewError::Failed(StepError::Interrupted)) => true,
            Self::Source(error) => error.interrupted,
            Self::Timeout { .. } => true,
            _ => false,
        }
    }
}
