//! Who is at work on the database.

use std::time::Duration;

use jiff::Timestamp;

use super::Migrator;
use crate::db::{Access, DbError, ErrorCode, OpenOptions, Session};
use crate::error::Error;
use crate::history::HistoryError;
use crate::lock::{Here, Holding, Lease, LockStatus};

/// A run that keeps a new database to itself shares it sooner.
const PATIENCE: Duration = Duration::from_secs(1);

impl Migrator {
    /// Tells who is at work on the database, and who was when it was killed. Changes nothing and creates nothing.
    ///
    /// Where nobody is, it tries whether a transaction that writes could begin, and ends it at once.
    pub fn lock_status(&self) -> Result<LockStatus, Error> {
        self.timed(Self::look_at_locks)
    }

    fn look_at_locks(&self) -> Result<LockStatus, Error> {
        let (holdings, is_busy) = self.holdings()?;
        // Between two chunks nobody has the lock, and in one whoever has it is known already.
        let known = holdings.iter().any(|holding| holding.alive);
        let other_writer = !known && (is_busy || self.somebody_writes()?);
        Ok(LockStatus { database: self.backend()?.describe(), holdings, other_writer })
    }

    /// Returns those who are at work, or were when they were killed, and whether the leases could not be read because
    /// somebody keeps the database to itself.
    pub(super) fn holdings(&self) -> Result<(Vec<Holding>, bool), Error> {
        let mut holdings: Vec<Holding> = Holding::of_lock(self.backend()?.run_lock()).into_iter().collect();
        let leases = match self.leases() {
            Err(error) if is_busy(&error) => return Ok((holdings, true)),
            leases => leases?,
        };
        let (here, now) = (Here::look(), Timestamp::now());
        holdings.extend(leases.into_iter().map(|lease| Holding::of_lease(lease, &here, now)));
        Ok((holdings, false))
    }

    fn leases(&self) -> Result<Vec<Lease>, Error> {
        match self.open_waiting(Access::Read, PATIENCE.min(self.lock_timeout))? {
            Some(mut session) => Ok(self.history.leases(session.as_mut())?),
            None => Ok(Vec::new()),
        }
    }

    fn somebody_writes(&self) -> Result<bool, Error> {
        let tried = match self.open_waiting(Access::Write, Duration::ZERO) {
            Ok(None) => return Ok(false),
            Ok(Some(mut session)) => {
                let begun = session.begin();
                begun.and_then(|()| session.rollback()).map_err(|error| self.database_error(error))
            }
            Err(error) => Err(error),
        };
        match tried {
            Err(error) if is_busy(&error) => Ok(true),
            // Where nothing can be written, nobody does.
            Err(Error::Database { source: DbError { code: ErrorCode::ReadOnly, .. }, .. }) | Ok(()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open_waiting(&self, access: Access, lock_timeout: Duration) -> Result<Option<Box<dyn Session>>, Error> {
        let options = OpenOptions { lock_timeout, ..self.options(&self.interrupt, false) };
        self.backend()?.open_existing(access, &options).map_err(|error| self.database_error(error))
    }
}

fn is_busy(error: &Error) -> bool {
    let source = match error {
        Error::Database { source, .. } | Error::History(HistoryError::Database { source, .. }) => source,
        _ => return false,
    };
    source.code == ErrorCode::Busy
}
