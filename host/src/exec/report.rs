//! What a run did, and why it stopped.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::losses::Loss;
use super::prepare::PrepareError;
use super::verify::Answer;
use crate::db::{Counters, DbError, Recording, ScriptError};
use crate::history::{HistoryError, RejectedRow};
use crate::interrupt::Interrupt;
use crate::limits::LimitReached;
use crate::model::{Hook, Script};
use crate::plan::{PlanError, Step, UnnamedChain, Warning};
use crate::shown::Shown;
use crate::sql;

/// How a step ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StepOutcome {
    /// Committed.
    Done,
    /// Another process had done it meanwhile.
    DoneElsewhere,
    /// Run and rolled back, in a dry run.
    Tried,
    /// Not run: a dry run cannot undo what happens outside a transaction, and what comes after a transform of which it
    /// tried some rows only would not find what it needs.
    NotTried,
    /// Left out, since a precondition does not hold; it stays pending.
    Skipped,
    /// Recorded as applied and not run, since a precondition does not hold.
    MarkedApplied,
}

/// What became of the rows of a transform.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RowCounts {
    /// Rows read.
    pub rows: u64,
    /// Rows updated, or put into another table.
    pub written: u64,
    /// Rows that came out as they went in, and were not written, or that the database left as they were.
    pub unchanged: u64,
    /// Rows that could not be transformed, and were kept aside.
    pub rejected: u64,
}

/// How long all rows would take, judged by a part of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Estimate {
    /// Rows that were tried: the first ones in the order of the key.
    pub tried: u64,
    /// Rows there are.
    pub total: u64,
    /// How long all of them would take, if they are like those that were tried.
    pub duration: Duration,
}

impl Estimate {
    /// Judges by what so many rows took.
    pub fn new(tried: u64, total: u64, took: Duration) -> Self {
        let all = took.as_micros() * u128::from(total.max(tried)) / u128::from(tried.max(1));
        Self { tried, total, duration: Duration::from_micros(u64::try_from(all).unwrap_or(u64::MAX)) }
    }
}

/// What one step did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepReport {
    /// The step.
    pub step: Step,
    /// How it ended.
    pub outcome: StepOutcome,
    /// How long it took, without waiting for the lock.
    pub duration: Duration,
    /// Statements, rows and operations.
    pub counters: Counters,
    /// Fuel burnt, for a component.
    pub fuel: Option<u64>,
    /// Name, version and digest of the engine that ran it, for a script.
    pub engine: Option<String>,
    /// What became of rows, for a transform.
    pub rows: Option<RowCounts>,
    /// The rows that it rejected, where it has no row in the history and nothing keeps them.
    pub rejects: Vec<RejectedRow>,
    /// How long all rows would take, where a dry run tried a part of them.
    pub estimate: Option<Estimate>,
    /// Statements and changed rows, in a dry run.
    pub recording: Option<Recording>,
    /// Why it was left out, or not run.
    pub reason: Option<String>,
    /// What it did that may not be meant.
    pub warnings: Vec<Warning>,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Everything was rolled back.
    pub dry_run: bool,
    /// The steps, in order.
    pub steps: Vec<StepReport>,
    /// Migrations that were applied before the run; 0 in the report of a run that failed.
    pub applied: usize,
    /// What the plan let pass; what the steps did that may not be meant is with them.
    pub warnings: Vec<Warning>,
    /// Chains that only the history knew before the run.
    pub unnamed_chains: Vec<UnnamedChain>,
    /// Tables and columns that would be gone; only a dry run looks for them.
    pub losses: Vec<Loss>,
    /// How long the whole run took, without loading and planning.
    pub duration: Duration,
    /// The step that failed had committed chunks, in this run or before it, and they stay.
    pub chunks_stay: bool,
    /// How many steps came before the one that failed and were undone with it, since all ran in one transaction.
    pub undone: usize,
}

impl Report {
    /// Returns the steps that this run has done, applied or reverted, and that stay. A dry run has done none, nor is it this
    /// run's doing what another process had done before it, or what a precondition left out.
    pub fn done(&self) -> impl Iterator<Item = &StepReport> {
        self.steps.iter().filter(|step| step.outcome == StepOutcome::Done)
    }

    /// Returns the steps that a precondition left out, which stay pending.
    pub fn skipped(&self) -> impl Iterator<Item = &StepReport> {
        self.steps.iter().filter(|step| step.outcome == StepOutcome::Skipped)
    }

    /// Returns what there is to warn of: what the plan let pass, then what the steps did.
    pub fn all_warnings(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().chain(self.steps.iter().flat_map(|step| &step.warnings))
    }
}

/// Why a step failed. The step is undone unless it runs outside a transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A statement of a script failed.
    #[error("a statement failed at {}", place(script, failed))]
    Statement {
        /// The script.
        script: Box<Script>,
        /// Where, and why.
        #[source]
        failed: Box<ScriptError>,
        /// Earlier statements of the script are not undone: it runs outside a transaction.
        kept: bool,
    },
    /// A statement of the verify script does not hold.
    #[error("the migration did not do what it should: {answer}")]
    Unverified {
        /// The verify script.
        script: Box<Script>,
        /// The bytes of the statement.
        range: Range<usize>,
        /// What it answered.
        answer: Answer,
        /// What the migration did is not undone: it runs outside a transaction.
        kept: bool,
    },
    /// The `verify` of the migration's own code says that it did not do what it should, or did not come to an end.
    #[cfg(feature = "wasm")]
    #[error("{}", not_verified(source))]
    Verify {
        /// Its words, or what ended it.
        #[source]
        source: Box<crate::wasm::PluginError>,
    },
    /// What must hold before the migration runs does not hold.
    #[error("it may not run: {}", Shown(reason))]
    Precondition {
        /// Its message, or the query.
        reason: String,
    },
    /// What must hold before the migration runs cannot be asked.
    #[error("a precondition cannot be asked: {}", Shown(sql))]
    PreconditionFailed {
        /// The query.
        sql: String,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// A script that is held to grants met a limit.
    #[error("the script reached its {} limit of {} at {}", reached.limit.key(), reached.limit.amount(reached.value), place(script, failed))]
    Limit {
        /// Which, how much, who set it.
        reached: LimitReached,
        /// The script.
        script: Box<Script>,
        /// Where, and in which words the database told it.
        #[source]
        failed: Box<ScriptError>,
    },
    /// A component did not finish.
    #[cfg(feature = "wasm")]
    #[error(transparent)]
    Guest(Box<crate::wasm::PluginError>),
    /// A transform stopped.
    #[cfg(feature = "wasm")]
    #[error(transparent)]
    Transform(Box<crate::transform::TransformError<crate::wasm::PluginError>>),
    /// Functions that the migration calls cannot be had.
    #[cfg(feature = "wasm")]
    #[error("the functions of {library} cannot be used")]
    Functions {
        /// What the migration calls them.
        library: String,
        /// Why.
        #[source]
        source: Box<crate::wasm::PluginError>,
    },
    /// How far a transform in chunks came is written in a way that this program does not know.
    #[error("the history does not say in a known way how far the transform came: {}", details.escape_debug())]
    Checkpoint {
        /// What it says.
        details: String,
    },
    /// A row kept aside is written in a way that this program does not know.
    #[error("the key of a row that was kept aside cannot be read: {}", values.escape_debug())]
    Reject {
        /// What stands there.
        values: String,
    },
    /// What was to be asked of an applied migration cannot be: its code cannot be loaded, or may not be run any more.
    #[error("it cannot be asked")]
    Unprepared {
        /// Why.
        #[source]
        source: Box<PrepareError>,
    },
    /// Its row in the history has gone while a transform was in progress, or is that of another beginning.
    #[error("its row in the history has gone meanwhile, or another run has begun it anew")]
    Vanished,
    /// A migration written in Rust failed.
    #[error("the migration failed")]
    Rust {
        /// Its error.
        #[source]
        source: crate::model::RustError,
    },
    /// Beginning, committing or another of the host's own operations failed.
    #[error("cannot {doing}")]
    Database {
        /// What the host was about to do.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// The history table cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The history changed under the run so that the plan no longer holds.
    #[error("another process changed the history meanwhile: {0}")]
    Plan(PlanError),
    /// Rows without parents after a table was rebuilt.
    #[error("foreign keys are broken after the rebuild: {}", violations.join("; "))]
    ForeignKeys {
        /// A line for each of the first few.
        violations: Vec<String>,
    },
    /// Rows without parents after a script that was run with foreign keys off, as the tool runs it whose layout it has.
    #[error("foreign keys are broken, which its tool has off and so had the host: {}", violations.join("; "))]
    Orphaned {
        /// A line for each of the first few.
        violations: Vec<String>,
    },
    /// Rows without parents after another step, while foreign keys were off for all of them.
    #[error("foreign keys would be broken, which are off here because another step needs them off: {}", violations.join("; "))]
    Unenforced {
        /// A line for each of the first few.
        violations: Vec<String>,
    },
    /// Rows without parents at the end of a transaction, where foreign keys are looked at only then.
    #[error("foreign keys are broken at the end of the transaction: {}", violations.join("; "))]
    Deferred {
        /// A line for each of the first few.
        violations: Vec<String>,
    },
    /// A foreign key refers to columns that are no key.
    #[error("a foreign key refers to columns that are no key: {reason}")]
    Mismatch {
        /// Which, and which they are.
        reason: String,
    },
    /// Code that is held to grants has used up numbers that AUTOINCREMENT gives to new rows.
    #[error("the table {} would number its next row after {last}, and its largest key is {largest}", Shown(table))]
    NumbersSpent {
        /// The table.
        table: String,
        /// The last number that counts as given.
        last: i64,
        /// The largest key there is.
        largest: i64,
    },
    /// The schema does not fit together any more.
    #[error("the schema is broken afterwards: {reason}")]
    Schema {
        /// What is wrong.
        reason: String,
    },
    /// A transaction the migration may not end has ended.
    #[error("the migration ended the transaction it runs in")]
    TransactionEnded,
    /// Code of the program tried to end the transaction it runs in, or to begin one; nothing came of it.
    #[error("its code says {statement}, and its transaction is for the host to begin and to end")]
    OwnTransaction {
        /// `COMMIT`, `ROLLBACK` or `BEGIN`.
        statement: String,
        /// What the code failed with then, if it did.
        #[source]
        source: Option<crate::model::RustError>,
    },
    /// A transaction that the migration began is open at its end.
    #[error("the migration began a transaction and did not end it")]
    TransactionOpen,
    /// A hook failed, and with it what it belongs to.
    #[error("the {} hook {} failed", hook.moment, hook.name().escape_debug())]
    Hook {
        /// The hook.
        hook: Arc<Hook>,
        /// Why.
        #[source]
        source: Box<StepError>,
        /// The step that it came after is not undone: it had committed on its own.
        kept: bool,
    },
    /// Stopped from outside.
    #[error("interrupted")]
    Interrupted,
    /// Stopped from outside before it had begun, so that there is nothing to undo.
    #[error("interrupted before it had begun")]
    NotBegun {
        /// It waited until another process would let it write.
        waiting: bool,
    },
}

#[cfg(feature = "wasm")]
fn not_verified(source: &crate::wasm::PluginError) -> &'static str {
    if source.is_answer() { "the migration did not do what it should" } else { "its verify did not come to an end" }
}

/// Names the file and the line of a failed statement: where the database says, else where it begins.
fn place(script: &Script, failed: &ScriptError) -> String {
    let offset = failed.error.offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or_default();
    let line = sql::locate(&script.text, failed.start.saturating_add(offset)).line;
    format!("{}:{line}", Shown(&script.file))
}

impl StepError {
    /// Says what the host was about to do when the database refused.
    pub(super) fn doing(doing: &'static str) -> impl FnOnce(DbError) -> Self {
        move |source| match source.code {
            crate::db::ErrorCode::Interrupted => Self::Interrupted,
            _ => Self::Database { doing, source },
        }
    }

    /// Says that the first transaction of a step was refused.
    pub(super) fn beginning(source: DbError) -> Self {
        Self::waiting("begin a transaction")(source)
    }

    /// Says what could not be done before a step began, for which it may have had to wait.
    pub(super) fn waiting(doing: &'static str) -> impl FnOnce(DbError) -> Self {
        move |source| match source.code {
            crate::db::ErrorCode::Interrupted => Self::NotBegun { waiting: source.is_wait() },
            _ => Self::Database { doing, source },
        }
    }

    /// Says why code of the program failed. Code that was stopped returns whatever error it likes, so the interrupt is
    /// asked.
    pub(super) fn of_code(source: crate::model::RustError, interrupt: &Interrupt) -> Self {
        if interrupt.is_raised() { Self::Interrupted } else { Self::Rust { source } }
    }

    /// Says of a step outside a transaction that nothing of it was committed before it failed.
    pub(super) fn with_nothing_kept(mut self) -> Self {
        if let Self::Statement { kept, .. } = &mut self {
            *kept = false;
        }
        self
    }

    /// Says that it is the error of a hook.
    pub(super) fn of_hook(self, hook: &Arc<Hook>) -> Self {
        Self::Hook { hook: Arc::clone(hook), source: Box::new(self), kept: false }
    }

    /// Tells whether something was stopped from outside, and nothing is wrong otherwise.
    pub fn is_interruption(&self) -> bool {
        let told = |error: &DbError| error.code == crate::db::ErrorCode::Interrupted;
        match self {
            Self::Interrupted | Self::NotBegun { .. } => true,
            Self::Database { source, .. } | Self::History(HistoryError::Database { source, .. }) => told(source),
            Self::Statement { failed, .. } => told(&failed.error),
            Self::Hook { source, .. } => source.is_interruption(),
            #[cfg(feature = "wasm")]
            Self::Functions { source, .. } => matches!(**source, crate::wasm::PluginError::Interrupted),
            _ => false,
        }
    }

    /// Says that the step before it had committed already.
    pub(super) fn after_the_commit(self) -> Self {
        match self {
            Self::Hook { hook, source, .. } => Self::Hook { hook, source, kept: true },
            other => other,
        }
    }
}

/// A hook that failed after a run had failed.
#[derive(Debug)]
pub struct HookFailure {
    /// The hook.
    pub hook: Arc<Hook>,
    /// Why.
    pub source: StepError,
}

/// Why a run stopped, and what it had done before.
#[derive(Debug, thiserror::Error)]
#[error("{}", what(failed, source))]
#[non_exhaustive]
pub struct RunError {
    /// What was done, and stays done.
    pub done: Report,
    /// The step that failed; for a hook before or after all steps, what it runs.
    pub failed: Step,
    /// Why.
    #[source]
    pub source: StepError,
    /// Hooks for the failure that failed themselves.
    pub on_error: Vec<HookFailure>,
}

fn what(failed: &Step, source: &StepError) -> String {
    match source {
        StepError::Hook { hook, .. } if !hook.moment.is_each() => "the run failed".to_owned(),
        _ => format!("migration {} failed on its way {}", failed.title(), failed.direction),
    }
}
