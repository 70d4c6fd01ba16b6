//! Keeps a database file to this session from one transaction to the next.
//!
//! A small transaction costs mostly locks, a journal that is made and removed, and four waits for the disk. Kept, with a
//! write-ahead log, it is one wait, and just as durable: `synchronous` stays as it is. With
//! [`locking_mode = EXCLUSIVE`](https://sqlite.org/pragma.html#pragma_locking_mode) the log needs no shared memory, so
//! this is safe wherever the file lies. Others wait meanwhile, so it is shared again now and then.

use std::time::{Duration, Instant};

use super::super::error::translate;
use super::SqliteSession;
use crate::db::DbError;

/// How long others are kept waiting at most, besides for the transaction that is open.
const LONGEST: Duration = Duration::from_millis(500);

/// Whether the database is kept.
#[derive(Debug, Default)]
pub(super) enum Keep {
    /// Shared as usual.
    #[default]
    Shared,
    /// Nobody else gets at it.
    Kept { since: Instant },
    /// Shared for one transaction, so that others get to it.
    Rested,
    /// It cannot be kept here.
    Declined,
}

impl Keep {
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }
}

impl SqliteSession {
    pub(super) fn holds_nothing(&self) -> Result<bool, DbError> {
        let is_own_file = self.return_to.is_none() && self.connection().path().is_some_and(|path| !path.is_empty());
        let holds = self.connection().query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0));
        holds.map(|holds: bool| is_own_file && !holds).map_err(|error| translate(&self.watch, error))
    }

    pub(super) fn set_keep(&mut self, wanted: bool) -> Result<(), DbError> {
        match (wanted, &self.keep) {
            (true, Keep::Shared) => self.take(),
            (true, Keep::Kept { since }) if since.elapsed() > LONGEST => {
                self.end_keep()?;
                self.keep = Keep::Rested;
            }
            (true, Keep::Rested) => self.keep = Keep::Shared,
            (false, Keep::Kept { .. }) => {
                self.end_keep()?;
                self.keep = Keep::Shared;
            }
            (true, Keep::Kept { .. } | Keep::Declined) | (false, Keep::Shared | Keep::Rested | Keep::Declined) => {}
        }
        Ok(())
    }

    fn take(&mut self) {
        let taken = self.pragma("locking_mode = EXCLUSIVE").and_then(|_| self.pragma("journal_mode = WAL"));
        if taken.as_ref().is_ok_and(|mode| mode == "wal") {
            self.keep = Keep::Kept { since: Instant::now() };
            return;
        }
        // Somebody reads it right now, or the file system cannot: it goes on as it was.
        tracing::debug!("the database is not kept: {taken:?}");
        self.keep = Keep::Declined;
        if let Err(error) = self.share() {
            tracing::debug!("the database stays locked: {error}");
        }
    }

    /// Leaves the log, too: what another connection finds is the file as it was made.
    pub(super) fn end_keep(&mut self) -> Result<(), DbError> {
        self.pragma("journal_mode = DELETE")?;
        self.noted = None;
        self.share()
    }

    fn share(&mut self) -> Result<(), DbError> {
        self.pragma("locking_mode = NORMAL")?;
        // The locks are freed at the end of the next transaction.
        self.host_execute("BEGIN IMMEDIATE")?;
        self.host_execute("COMMIT")
    }

    /// Sets a pragma and returns what it is then. SQLite may carry it out while it prepares the statement, so that
    /// must not come from the cache.
    fn pragma(&mut self, setting: &str) -> Result<String, DbError> {
        let set = self.connection().query_row(&format!("PRAGMA main.{setting}"), [], |row| row.get(0));
        set.map_err(|error| translate(&self.watch, error))
    }
}
