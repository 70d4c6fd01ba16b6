//! Everything that can stop the library, by the stage at which it does.

use std::time::Duration;

use crate::db::sqlite::FillError;
use crate::db::{DbError, ErrorCode};
use crate::exec::{PrepareError, RepairError, RunError};
use crate::history::HistoryError;
use crate::history::foreign::AdoptError;
use crate::model::{ChainError, PolicyError};
use crate::plan::PlanError;
use crate::shown::Shown;
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
    /// The builder was told something that cannot be meant.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No database was given, and a method was called that opens one.
    #[error("no database was given; call `database` on the builder, or use `on` with a connection")]
    NoDatabase,
    /// The database cannot be opened or read.
    #[error("cannot use the database {}", Shown(database))]
    Database {
        /// Which.
        database: String,
        /// Why.
        #[source]
        source: DbError,
    },
    /// A method needs a database that is there, and it is not.
    #[error("there is no database {}", Shown(database))]
    Missing {
        /// Which.
        database: String,
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
    /// Stopped from outside, while it only read.
    #[error("interrupted")]
    Interrupted,
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

/// Why what a builder was told cannot be meant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// It names a chain that is not there.
    #[error("`{setting}` is about the chain {}, which is not there; known are {}", name.escape_debug(), known.join(", "))]
    UnknownChain {
        /// The method of the builder.
        setting: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// It is about the first chain, and all chains were added by `and_chain`.
    #[error("`{setting}` is about the chain of `source`, which was not called; the chains of `and_chain` are {}", known.join(", "))]
    NoFirstChain {
        /// The method of the builder.
        setting: &'static str,
        /// The names there are.
        known: Vec<String>,
    },
    /// The source of the first chain was set twice, and the first one would not be read.
    #[error(
        "`source` was called twice for one chain; put both together with `source::Combined`, or add a chain with `and_chain`"
    )]
    TwoSources,
    /// A chain without a name.
    #[error("a chain was given an empty name by `{setting}`")]
    EmptyName {
        /// The method of the builder.
        setting: &'static str,
    },
    /// A time in which nothing can be done.
    #[error("`timeout` leaves a run no time; without it a run takes as long as it takes")]
    NoTime,
}

impl Error {
    /// Tells whether something was stopped from outside, by an interrupt or a timeout, and nothing is wrong otherwise.
    pub fn is_interruption(&self) -> bool {
        let told = |error: &DbError| error.code == ErrorCode::Interrupted;
        match self {
            Self::Database { source, .. } | Self::History(HistoryError::Database { source, .. }) => told(source),
            Self::Run(error) => error.source.is_interruption(),
            Self::Prepare(error) => error.is_interruption(),
            #[cfg(feature = "wasm")]
            Self::Preview(crate::exec::PreviewError::Failed(error)) => error.is_interruption(),
            Self::Source(error) => error.interrupted,
            Self::Interrupted | Self::Timeout { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Transaction;
    use crate::model::{Hook, HookContext, Moment, RustError};
    use crate::plan::Goal;
    use crate::source::Code;
    use crate::{Interrupt, Migrator, MigratorBuilder};

    fn fails(builder: MigratorBuilder) -> Error {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        builder.build().unwrap().run_on(&mut connection, &Goal::LATEST).unwrap_err()
    }

    #[test]
    fn code_that_was_stopped_is_interrupted() {
        let interrupt = Interrupt::new();
        let raised = interrupt.clone();
        let work = move |tx: &mut Transaction<'_>| -> Result<(), RustError> {
            raised.raise();
            Ok(tx.execute("SELECT 1", &[]).map(drop)?)
        };
        let error = fails(Migrator::builder().source(Code::new().up(1, "work", work)).interrupt(interrupt));
        assert!(error.is_interruption() && !matches!(error, Error::Timeout { .. }), "{error:?}");
    }

    #[test]
    fn code_that_was_stopped_by_the_clock_has_taken_too_long() {
        let time = Duration::from_millis(20);
        let late = move |tx: &mut Transaction<'_>| -> Result<(), RustError> {
            std::thread::sleep(time);
            Ok(tx.execute("SELECT 1", &[]).map(drop)?)
        };
        let error = fails(Migrator::builder().source(Code::new().up(1, "late", late)).timeout(time));
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        let hook =
            Hook::code(Moment::BeforeEach, "late", move |tx: &mut Transaction<'_>, _: &HookContext<'_>| late(tx));
        let code = Code::new().up(1, "soon", |_: &mut Transaction<'_>| Ok(()));
        let error = fails(Migrator::builder().source(code).hook(hook).timeout(time));
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }

    #[test]
    fn what_errors_show_to_who_wrote_the_program_is_bounded() {
        let rows = (0..20_000).map(|row| format!("INSERT INTO note VALUES ({row});\n")).collect::<String>();
        let files = crate::source::Memory::new("m")
            .file("1_note.sql", format!("CREATE TABLE note (x);\n{rows}"))
            .file("2_more.up.sql", format!("{rows}SELECT * FROM nowhere;"))
            .file("2_more.down.sql", rows);
        let error = fails(Migrator::builder().source(files));
        let shown = format!("{error:?}");
        assert!(shown.contains("no such table: nowhere") && shown.contains("bytes)"), "{shown}");
        assert!(shown.len() < 20_000, "{} bytes", shown.len());
    }

    #[test]
    fn code_that_says_no_is_not_interrupted() {
        let code = Code::new().up(1, "no", |_: &mut Transaction<'_>| Err("no".into()));
        let error = fails(Migrator::builder().source(code).timeout(Duration::from_secs(60)));
        assert!(!error.is_interruption() && matches!(error, Error::Run(_)), "{error:?}");
    }
}
