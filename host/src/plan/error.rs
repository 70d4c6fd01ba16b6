//! Why there is no plan.

use std::fmt;
use std::ops::Range;

use crate::model::{Script, Version};

/// One reason why a plan cannot be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlanProblem {
    /// An applied migration has another body now.
    ChecksumMismatch {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// What the history recorded.
        recorded: String,
        /// What the chain has.
        found: String,
    },
    /// An applied migration is not in the chain.
    Missing {
        /// Version and name.
        migration: String,
    },
    /// A pending migration is older than the newest applied one.
    OutOfOrder {
        /// Version and name.
        migration: String,
        /// Newest applied version.
        newest: Version,
    },
    /// A step outside a transaction stopped half way.
    Dirty {
        /// Version and name.
        migration: String,
    },
    /// A transform has been changed while some of its chunks are done.
    ChangedInProgress {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// A migration that is not applied has no rows to try once more.
    NotApplied {
        /// Version and name.
        migration: String,
    },
    /// There is nothing to begin anew.
    NotInProgress {
        /// Version and name.
        migration: String,
    },
    /// The goal names a version that the chain does not have.
    UnknownTarget {
        /// The version.
        version: Version,
    },
    /// A migration that is to be reverted does not say how.
    Irreversible {
        /// Version and name.
        migration: String,
    },
    /// A migration that is to be reverted is not in the chain.
    CannotRevertMissing {
        /// Version and name.
        migration: String,
    },
    /// A script cannot run as it is written.
    Script {
        /// Version and name.
        migration: String,
        /// The script.
        script: Script,
        /// The offending bytes.
        range: Range<usize>,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChecksumMismatch { migration, file, .. } => {
                write!(f, "migration {migration} was changed after it was applied ({file})")
            }
            Self::Missing { migration } => write!(f, "migration {migration} is applied, but not in the chain"),
            Self::OutOfOrder { migration, newest } => {
                write!(f, "migration {migration} is pending, but {newest} is already applied")
            }
            Self::Dirty { migration } => {
                write!(f, "migration {migration} runs outside a transaction and stopped half way")
            }
            Self::ChangedInProgress { migration, file } => {
                write!(f, "migration {migration} was changed while it is in progress ({file})")
            }
            Self::NotApplied { migration } => write!(f, "migration {migration} is not applied"),
            Self::NotInProgress { migration } => {
                write!(f, "migration {migration} is not in progress, so there is nothing to begin anew")
            }
            Self::UnknownTarget { version } => write!(f, "the chain has no version {version}"),
            Self::Irreversible { migration } => write!(f, "migration {migration} cannot be reverted: it has no down"),
            Self::CannotRevertMissing { migration } => {
                write!(f, "migration {migration} cannot be reverted: it is not in the chain")
            }
            Self::Script { migration, message, .. } => write!(f, "migration {migration}: {message}"),
        }
    }
}

/// Why there is no plan: every reason found.
#[derive(Clone, Debug)]
pub struct PlanError {
    /// The reasons, in the order of versions.
    pub problems: Vec<PlanProblem>,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}
