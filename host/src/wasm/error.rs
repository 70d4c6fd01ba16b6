//! Why a component cannot be compiled, or did not finish.

use super::inspect::InspectError;
use crate::db::DbError;

/// Why a component cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Its bytes are not a component for this host.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// It does not compile or does not fit the contract.
    #[error("the component cannot be used: {reason}")]
    Invalid {
        /// What the compiler said.
        reason: String,
    },
    /// The engine does not start on this machine.
    #[error("the WebAssembly engine does not start: {reason}")]
    Engine {
        /// What it said.
        reason: String,
    },
}

/// Why a component did not finish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// It returned an error.
    #[error("the guest says: {message}")]
    Refused {
        /// The guest's message.
        message: String,
        /// The last statement that failed, which may be the reason.
        #[source]
        statement: Option<Box<FailedStatement>>,
    },
    /// It trapped: a panic, an out-of-bounds access, an unreachable instruction.
    #[error("the guest trapped: {reason}")]
    Trapped {
        /// The trap, and the guest's last words if it left any.
        reason: String,
        /// The guest's functions, innermost first.
        backtrace: Vec<String>,
        /// The last statement that failed, which some languages trap over.
        #[source]
        statement: Option<Box<FailedStatement>>,
    },
    /// It left a savepoint neither released nor rolled back, so what it meant to keep is not known.
    #[error("the guest left a savepoint open: end each with release or rollback")]
    SavepointOpen,
    /// It met a limit.
    #[error("the guest reached its {limit} limit of {value}")]
    Limit {
        /// `fuel`, `memory` or `time`.
        limit: &'static str,
        /// The limit.
        value: String,
    },
    /// It was stopped from outside.
    #[error("interrupted")]
    Interrupted,
    /// It has no such export.
    #[error("the component has no {export}")]
    NoExport {
        /// Name of the export.
        export: &'static str,
    },
}

/// A statement of a guest that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("statement failed: {error}: {sql}")]
pub struct FailedStatement {
    /// The statement, cut at a sensible length.
    pub sql: String,
    /// Why.
    pub error: DbError,
}
