//! Everything that can stop the library, by the stage at which it does.

use crate::db::DbError;
use crate::exec::{PrepareError, RepairError, RunError};
use crate::history::HistoryError;
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
    /// The history was not repaired.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// A step failed.
    #[error(transparent)]
    Run(#[from] Box<RunError>),
}
