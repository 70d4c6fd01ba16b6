//! Bringing a database up to date when a program starts, perhaps several at once.

use std::time::Duration;

use super::Migrator;
use crate::error::Error;
use crate::exec::Report;
use crate::plan::Goal;

/// What an instance does while another one is migrating.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Startup {
    /// Waits this long for it to finish, and then does what is left.
    Wait(Duration),
    /// Fails at once with [`ErrorCode::Busy`](crate::db::ErrorCode::Busy), unless nothing is pending.
    FailFast,
}

impl Migrator {
    /// Applies everything pending. Any number of instances may start at the same time: each migration is applied once,
    /// by whoever comes first.
    ///
    /// The call keeps its thread busy until it is done. An async program gives it a thread of its own:
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use whimbrel::{Migrator, Startup};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let database = folder.path().join("app.db");
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let migrator = Migrator::builder()
    ///     .source(whimbrel::source::Code::new())
    ///     .database(whimbrel::db::sqlite::Sqlite::file(database))
    ///     .build()?;
    /// let migrator = Arc::new(migrator);
    /// let starting = Arc::clone(&migrator);
    /// let report = tokio::task::spawn_blocking(move || {
    ///     starting.run_on_startup(Startup::Wait(Duration::from_secs(60)))
    /// })
    /// .await??;
    /// assert!(report.steps.is_empty());
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn run_on_startup(&self, startup: Startup) -> Result<Report, Error> {
        let lock_timeout = match startup {
            Startup::Wait(timeout) => timeout,
            Startup::FailFast => Duration::ZERO,
        };
        self.run_waiting(&Goal::LATEST, lock_timeout)
    }
}
