//! Why a component cannot be compiled, or did not finish.

use super::inspect::InspectError;
use super::script::ScriptFailure;
use crate::db::DbError;
use crate::limits::LimitReached;
use crate::shown::Shown;

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
    /// It met a limit.
    #[error("the component reached the {} limit of {}", .0.limit.key(), .0.limit.amount(.0.value))]
    Limit(#[from] LimitReached),
    /// It could not be compiled in a process of its own.
    #[error("the component cannot be compiled by {}: {reason}", Shown(program))]
    Child {
        /// The program.
        program: String,
        /// What happened to it.
        reason: String,
    },
    /// It was stopped from outside.
    #[error("interrupted")]
    Interrupted,
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
    /// A script did not finish, in the words of its language.
    #[error("{}", failure.message)]
    Script {
        /// What the engine says.
        failure: Box<ScriptFailure>,
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
    /// The system does not give the sandbox the memory that it reserves; the guest has done nothing wrong.
    #[error("the system gives the sandbox no memory: {reason}")]
    NoMemory {
        /// What the system said.
        reason: String,
    },
    /// It left a savepoint neither released nor rolled back, so what it meant to keep is not known.
    #[error("the guest left a savepoint open: end each with release or rollback")]
    SavepointOpen,
    /// It met a limit, whatever it made of that itself.
    #[error("the guest reached its {} limit of {}", .0.limit.key(), .0.limit.amount(.0.value))]
    Limit(LimitReached),
    /// The database does not take the limits.
    #[error("the limits cannot be put in force")]
    NotLimited {
        /// What it said.
        #[source]
        source: DbError,
    },
    /// It was stopped from outside.
    #[error("interrupted")]
    Interrupted,
    /// What it says about its functions cannot be meant.
    #[error("the component describes its functions wrongly: {reason}")]
    Described {
        /// What is wrong.
        reason: String,
    },
    /// It has no such export.
    #[error("the component has no {export}")]
    NoExport {
        /// Name of the export.
        export: &'static str,
    },
}

impl PluginError {
    /// Tells whether it is what the guest's own code answers, and not what became of it.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Script { failure, .. } => matches!(failure.code.as_str(), "thrown" | "rejected" | "unverified"),
            _ => false,
        }
    }
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
