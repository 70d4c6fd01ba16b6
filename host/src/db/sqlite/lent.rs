//! A connection that the caller has, as a database: each session on it takes the connection and puts it back.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::session::SqliteSession;
use super::watch::Watch;
use super::{Sqlite, asking, run_lock};
use crate::db::{Access, Backend, DbError, ErrorCode, OpenOptions, RunLockState, Session};

/// Where a lent connection lies while no session has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<(Mutex<Place>, Condvar)>);

#[derive(Debug, Default)]
struct Place {
    connection: Option<Connection>,
    /// The caller has it back, or waits for it: no session gets it any more.
    is_closed: bool,
}

impl Slot {
    /// Puts the connection back.
    pub(super) fn put(&self, connection: Connection) {
        self.lock().connection = Some(connection);
        self.0.1.notify_all();
    }

    fn take(&self) -> Option<Connection> {
        let mut place = self.lock();
        if place.is_closed { None } else { place.connection.take() }
    }

    /// Takes the connection for good, and waits for the session that has it: one on another thread, with a migrator
    /// that was taken there.
    fn close(&self) -> Connection {
        let mut place = self.lock();
        place.is_closed = true;
        loop {
            match place.connection.take() {
                Some(connection) => return connection,
                None => place = self.0.1.wait(place).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The database of a connection that the caller has.
pub(crate) struct Lent {
    slot: Slot,
    /// Its file; none in memory.
    path: Option<PathBuf>,
}

impl Lent {
    fn session(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        let message = "the connection is in use by another call, or was given back";
        let connection = self.slot.take().ok_or_else(|| DbError::new(ErrorCode::Database, message))?;
        Ok(Box::new(SqliteSession::new(connection, options, Some(self.slot.clone()))?))
    }
}

impl Backend for Lent {
    fn describe(&self) -> String {
        self.path.as_ref().map_or_else(|| "of the connection".to_owned(), |path| path.display().to_string())
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        self.session(options)
    }

    fn open_existing(&self, _: Access, options: &OpenOptions) -> Result<Option<Box<dyn Session>>, DbError> {
        self.session(options).map(Some)
    }

    fn open_scratch(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        Sqlite::file("").open_scratch(options)
    }

    fn run_lock(&self) -> RunLockState {
        self.path.as_deref().map_or(RunLockState::Free, run_lock::state)
    }
}

/// Lends a connection as a database for the time of `work` and puts it back, also when `work` panics.
pub(crate) fn lend<R>(connection: &mut Connection, work: impl FnOnce(Lent) -> R) -> Result<R, DbError> {
    struct PutBack<'a> {
        connection: &'a mut Connection,
        slot: Slot,
        /// How long it waited for locks, in milliseconds; `None` where it does not say.
        busy_timeout: Option<u32>,
    }
    impl Drop for PutBack<'_> {
        fn drop(&mut self) {
            *self.connection = self.slot.close();
            let Some(busy_timeout) = self.busy_timeout else { return };
            if let Err(error) = self.connection.busy_timeout(Duration::from_millis(busy_timeout.into())) {
                tracing::warn!("the connection's busy timeout was not set again: {error}");
            }
        }
    }
    if !connection.is_autocommit() {
        return Err(DbError::new(ErrorCode::Database, "the connection has an open transaction; end it first"));
    }
    // Whoever is asked and told by the connection is not about the work of others: first whoever could refuse to be asked for
    // how long it waits, which goes with whoever waits.
    let failed = |error: rusqlite::Error| DbError::new(ErrorCode::Database, error.to_string());
    asking::end(connection).map_err(failed)?;
    let busy_timeout = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0)).ok();
    Watch::remove(connection).map_err(failed)?;
    let path = connection.path().filter(|path| !path.is_empty()).map(|path| Path::new(path).to_owned());
    let placeholder = Connection::open_in_memory().map_err(failed)?;
    let slot = Slot::default();
    slot.put(std::mem::replace(connection, placeholder));
    let _put_back = PutBack { connection, slot: slot.clone(), busy_timeout };
    Ok(work(Lent { slot, path }))
}

/// Lends a connection to one session.
#[cfg(test)]
pub(crate) fn with_connection<R>(
    connection: &mut Connection,
    options: &OpenOptions,
    work: impl FnOnce(Box<dyn Session>) -> R,
) -> Result<R, DbError> {
    lend(connection, |lent| lent.session(options).map(work))?
}

#[cfg(test)]
mod tests;
