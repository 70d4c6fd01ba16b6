//! Why there is no plan.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::{RepairVerb, State};
use crate::model::{Direction, Key, MissingValue, Script, Version};
use crate::shown::Shown;

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
    /// A version was applied as another migration, which the chain has under another version now.
    AppliedAsAnother {
        /// Version and name that the chain has.
        migration: String,
        /// The name it was applied as.
        recorded: String,
        /// Version and name of what was applied, as the chain has it now.
        now: String,
    },
    /// An applied migration is not in the chain.
    Missing {
        /// Version and name.
        migration: String,
    },
    /// An applied migration is newer than anything in the chain.
    Future {
        /// Version and name.
        migration: String,
    },
    /// The database is older than a baseline whose own migrations are no longer in the chain.
    BehindBaseline {
        /// The chain.
        chain: String,
        /// Version and name of the baseline.
        baseline: String,
        /// Newest applied version.
        newest: Version,
    },
    /// What a migration depends on would not be applied before it.
    DependencyPending {
        /// Version and name.
        migration: String,
        /// Version and name of what it depends on.
        needed: String,
        /// The chain that has it.
        chain: String,
    },
    /// A migration is to be reverted that one which stays depends on.
    StillNeeded {
        /// Version and name.
        migration: String,
        /// Version and name of the one that stays.
        by: String,
    },
    /// A version was only declared to be there: nothing was run that could be reverted.
    Declared {
        /// Version and name.
        migration: String,
    },
    /// A baseline is to be declared, and the history has migrations of the chain already.
    AlreadyBegun {
        /// Version and name of one of them.
        migration: String,
        /// The chain.
        chain: String,
    },
    /// A baseline of a version would stand for a migration that is not applied, or not to its end.
    PendingBelow {
        /// Version and name.
        migration: String,
        /// The version.
        newest: Version,
    },
    /// The chain has a baseline of the version that one is to be made of.
    BaselineIsThere {
        /// Version and name.
        baseline: String,
        /// Its file.
        file: String,
    },
    /// A baseline would have in it what another chain has made.
    NotAlone {
        /// The chain whose baseline is to be made.
        chain: String,
        /// The other one.
        other: String,
        /// A migration of the chain that depends on one of another chain, and that: it cannot be run alone.
        needs: Option<(String, String)>,
    },
    /// There is nothing that a baseline could be made of.
    NothingApplied,
    /// What is applied of a chain would be forgotten, and nothing of that is there as it was applied.
    NothingWouldStay {
        /// Name of the chain.
        chain: String,
        /// Migrations that would be forgotten.
        rows: usize,
    },
    /// One migration is to be run by itself, and the sources have none.
    NoMigration,
    /// The goal names a version, and the run is about several chains.
    AmbiguousTarget {
        /// The version.
        version: Version,
        /// The chains.
        chains: Vec<String>,
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
        /// Which way it was going.
        direction: Direction,
    },
    /// A transform has been changed while some of its chunks are done.
    ChangedInProgress {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// A statement that was run outside a transaction has been changed before the rest was run.
    ChangedStatement {
        /// Version and name.
        migration: String,
        /// The script.
        script: Arc<Script>,
        /// What stands there now; the end of the script if nothing does.
        range: Range<usize>,
        /// Which statement, counted from 1.
        number: usize,
    },
    /// What another process did meanwhile comes before a step, so that it is not its turn.
    Overtaken {
        /// Version and name.
        migration: String,
        /// Version and name of what would be next; nothing where that is not known.
        next: Option<String>,
    },
    /// A migration that is not applied has no rows to try once more.
    NotApplied {
        /// Version and name.
        migration: String,
    },
    /// A transform that is to be reverted is not at its end.
    RevertInProgress {
        /// Version and name.
        migration: String,
    },
    /// There is nothing to begin anew.
    NotInProgress {
        /// Version and name.
        migration: String,
    },
    /// A repair that cannot be done to a migration.
    NothingToRepair {
        /// Version and name.
        migration: String,
        /// Where it stands.
        state: State,
        /// What was to be done.
        verb: RepairVerb,
    },
    /// Neither the chains nor the history have a migration of this version or name.
    UnknownMigration {
        /// The version or the name.
        migration: String,
    },
    /// A migration of this version or name is in several chains.
    AmbiguousMigration {
        /// The version or the name.
        migration: String,
        /// The chains.
        chains: Vec<String>,
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
    /// One that is to be taken back and applied again is not in the chain; what is kept of it only takes it back.
    CannotApplyAgain {
        /// Version and name.
        migration: String,
    },
    /// A migration that is to be reverted is not in the chain, and what the history has kept of it cannot be used.
    Kept {
        /// Version and name.
        migration: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A script cannot run as it is written.
    Script {
        /// Version and name.
        migration: String,
        /// The script.
        script: Arc<Script>,
        /// The offending bytes.
        range: Range<usize>,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A script or a precondition has a name for a value, and there is none.
    Placeholder {
        /// Version and name.
        migration: String,
        /// The chain.
        chain: String,
        /// The script, or the manifest that the precondition stands in.
        script: Arc<Script>,
        /// The name, where it stands, and why there is no value.
        missing: MissingValue,
    },
}

impl PlanProblem {
    /// Says that no chain has what is meant, and the history does not either.
    pub fn unknown(key: &Key) -> Self {
        match key {
            Key::Version(version) => Self::UnknownTarget { version: *version },
            Key::Name(name) => Self::UnknownMigration { migration: name.clone() },
        }
    }

    /// Says that it can be that of each of these chains.
    pub fn ambiguous(key: &Key, chains: Vec<String>) -> Self {
        match key {
            Key::Version(version) => Self::AmbiguousTarget { version: *version, chains },
            Key::Name(name) => Self::AmbiguousMigration { migration: name.clone(), chains },
        }
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChecksumMismatch { migration, file, .. } => {
                write!(f, "migration {migration} was changed after it was applied ({})", Shown(file))
            }
            Self::AppliedAsAnother { migration, recorded, now } => write!(
                f,
                "the version of migration {migration} was applied as `{}`, which is {now} now",
                recorded.escape_debug()
            ),
            Self::Missing { migration } => write!(f, "migration {migration} is applied, but not in the chain"),
            Self::Future { migration } => {
                write!(f, "migration {migration} is applied, and newer than anything in the chain")
            }
            Self::BehindBaseline { baseline, newest, .. } => {
                write!(f, "the database is at {newest}, and what leads to the baseline {baseline} is not in the chain")
            }
            Self::DependencyPending { migration, needed, .. } => {
                write!(f, "migration {migration} depends on {needed}, which would not be applied before it")
            }
            Self::StillNeeded { migration, by } => {
                write!(f, "migration {migration} cannot be reverted: {by} depends on it and stays")
            }
            Self::Declared { migration } => {
                write!(f, "migration {migration} cannot be reverted: it was declared to be there, not run")
            }
            Self::AlreadyBegun { migration, chain } => {
                write!(f, "the history has migrations of the chain {chain} already, such as {migration}")
            }
            Self::PendingBelow { migration, newest } => {
                write!(f, "migration {migration} is not applied, and a baseline of {newest} would have it in it")
            }
            Self::BaselineIsThere { baseline, file } => {
                write!(f, "there is a baseline of this version already: {baseline} ({})", Shown(file))
            }
            Self::NotAlone { chain, other, .. } => {
                write!(
                    f,
                    "the database has what the chain {other} has made too, which a baseline of {chain} would make again"
                )
            }
            Self::NothingApplied => write!(f, "nothing is applied that a baseline could be made of"),
            Self::NothingWouldStay { chain, rows } => write!(
                f,
                "nothing of the chain {} is there as it was applied, and {rows} {} would be forgotten",
                Shown(chain),
                if *rows == 1 { "migration" } else { "migrations" }
            ),
            Self::NoMigration => write!(f, "there is no migration that could be run by itself"),
            Self::AmbiguousTarget { version, chains } => {
                write!(f, "version {version} can be that of several chains: {}", chains.join(", "))
            }
            Self::OutOfOrder { migration, newest } => {
                write!(f, "migration {migration} is pending, but {newest} is already applied")
            }
            Self::Dirty { migration, direction: Direction::Up } => {
                write!(f, "migration {migration} runs outside a transaction and stopped half way")
            }
            Self::Dirty { migration, direction: Direction::Down } => {
                write!(f, "migration {migration} was being reverted outside a transaction, which stopped half way")
            }
            Self::ChangedInProgress { migration, file } => {
                write!(f, "migration {migration} was changed while it is in progress ({})", Shown(file))
            }
            Self::ChangedStatement { migration, number, .. } => {
                write!(f, "migration {migration}: statement {number} was run, and has been changed since")
            }
            Self::RevertInProgress { migration } => {
                write!(f, "migration {migration} cannot be reverted while it is in progress")
            }
            Self::Overtaken { migration, next: Some(next) } => {
                write!(f, "it is not the turn of migration {migration}: {next} comes first now")
            }
            Self::Overtaken { migration, next: None } => {
                write!(f, "it is not the turn of migration {migration}: others were applied or reverted")
            }
            Self::NotApplied { migration } => write!(f, "migration {migration} is not applied"),
            Self::NotInProgress { migration } => {
                write!(f, "migration {migration} is not in progress, so there is nothing to begin anew")
            }
            Self::NothingToRepair { migration, state, verb } => {
                let what = match verb {
                    RepairVerb::Restart => "be begun anew",
                    RepairVerb::Accept => "be accepted as it is now",
                    RepairVerb::Forget => "be forgotten",
                    RepairVerb::MarkApplied => "be marked as applied",
                    RepairVerb::MarkFailed => "be marked as not applied",
                };
                write!(f, "migration {migration} cannot {what}: it is {}", state.words())
            }
            Self::UnknownMigration { migration } => {
                write!(f, "there is no migration {}", migration.escape_debug())
            }
            Self::AmbiguousMigration { migration, chains } => {
                write!(f, "{} can be that of several chains: {}", migration.escape_debug(), chains.join(", "))
            }
            Self::UnknownTarget { version } => write!(f, "the chain has no version {version}"),
            Self::Irreversible { migration } => write!(f, "migration {migration} cannot be reverted: it has no down"),
            Self::CannotApplyAgain { migration } => {
                write!(f, "migration {migration} cannot be applied again: it is not in the chain")
            }
            Self::CannotRevertMissing { migration } => {
                write!(f, "migration {migration} cannot be reverted: it is not in the chain")
            }
            Self::Kept { migration, reason } => {
                write!(f, "migration {migration} cannot be reverted by what the history has kept of it: {reason}")
            }
            Self::Script { migration, message, .. } => write!(f, "migration {migration}: {message}"),
            Self::Placeholder { migration, missing, .. } => write!(f, "migration {migration}: {missing}"),
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
