//! Keeps a database file to this session from one transaction to the next.
//!
//! A small transaction costs mostly locks, a journal that is made and removed, and four waits for the disk. Kept, with a
//! write-ahead log, it is one wait, and just as durable: `synchronous` stays as it is. With
//! [`locking_mode = EXCLUSIVE`](https://sqlite.org/pragma.html#pragma_locking_mode) the log needs no shared memory, so
//! this is safe wherever the file lies. Others wait meanwhile, so it is shared again now and then.

use std::time::{Duration, Instant};

use super::super::error::translate;
use super::SqliteSession;
use crate::db::{DbError, ErrorCode};

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
    /// Shared for one transaction, so that others get to it, or because they have.
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
        // In this mode a lock to read is kept while one to write is waited for. Somebody who writes would wait for that one.
        self.watch.hurry(true);
        let taken = self.lock_and_log();
        self.watch.hurry(false);
        if taken.as_ref().is_ok_and(|mode| mode == "wal") {
            self.keep = Keep::Kept { since: Instant::now() };
            return;
        }
        // Somebody uses it right now, or the file system cannot: it goes on as it was.
        tracing::debug!("the database is not kept: {taken:?}");
        let for_now = matches!(&taken, Err(error) if error.code == ErrorCode::Busy);
        self.keep = if for_now { Keep::Rested } else { Keep::Declined };
        if let Err(error) = self.share() {
            tracing::debug!("the database stays locked: {error}");
        }
    }

    /// Returns the way in which the file is written then.
    fn lock_and_log(&mut self) -> Result<String, DbError> {
        self.pragma("locking_mode = EXCLUSIVE")?;
        // From here on nobody else writes, so that what changes with the log is not taken for somebody's doing.
        self.host_execute("BEGIN EXCLUSIVE")?;
        let before = self.version_of_data();
        self.host_execute("ROLLBACK")?;
        let mode = self.pragma("journal_mode = WAL")?;
        self.own_versions += self.version_of_data()? - before?;
        Ok(mode)
    }

    /// Leaves the log, too: what another connection finds is the file as it was made.
    pub(super) fn end_keep(&mut self) -> Result<(), DbError> {
        let before = self.version_of_data()?;
        self.pragma("journal_mode = DELETE")?;
        self.noted = None;
        let after = self.share()?;
        self.own_versions += after - before;
        Ok(())
    }

    /// Returns the version of the data at the last moment at which nobody else could have written.
    fn share(&mut self) -> Result<i64, DbError> {
        self.pragma("locking_mode = NORMAL")?;
        // The locks are freed at the end of the next transaction. A commit would wait for those who read.
        self.host_execute("BEGIN IMMEDIATE")?;
        let version = self.version_of_data();
        self.host_execute("ROLLBACK")?;
        version
    }

    /// Sets a pragma and returns what it is then. SQLite may carry it out while it prepares the statement, so that
    /// must not come from the cache.
    fn pragma(&mut self, setting: &str) -> Result<String, DbError> {
        let set = self.connection().query_row(&format!("PRAGMA main.{setting}"), [], |row| row.get(0));
        set.map_err(|error| translate(&self.watch, error))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use crate::db::sqlite::Sqlite;
    use crate::db::{Backend, OpenOptions, Session};
    use crate::interrupt::Interrupt;

    fn version(session: &mut dyn Session) -> i64 {
        session.begin().unwrap();
        let version = session.data_version().unwrap();
        session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        session.commit().unwrap();
        version
    }

    #[test]
    fn what_it_does_with_the_file_is_not_taken_for_a_change_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let lock_timeout = Duration::from_millis(100);
        let options = OpenOptions { lock_timeout, interrupt: Interrupt::new(), record: false };
        let mut session = Sqlite::file(&path).open(&options).unwrap();
        let session = session.as_mut();
        session.execute_script("CREATE TABLE t (x)").unwrap();
        let before = version(session);
        for kept in [true, false, true, true, false, false] {
            session.keep_to_itself(kept).unwrap();
            assert_eq!((version(session), version(session)), (before, before), "{kept}");
        }
        let another = || Connection::open(&path).unwrap().execute("INSERT INTO t VALUES (2)", []).unwrap();
        another();
        // Written before the file is kept, and seen only then.
        session.keep_to_itself(true).unwrap();
        let after = version(session);
        assert_ne!(after, before);
        session.keep_to_itself(false).unwrap();
        assert_eq!(version(session), after);
        another();
        assert_ne!(version(session), after);
    }

    #[test]
    fn waits_for_nobody_who_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let options = OpenOptions { lock_timeout: Duration::from_secs(60), interrupt: Interrupt::new(), record: false };
        let mut one = Sqlite::file(&path).open(&options).unwrap();
        one.execute_script("CREATE TABLE t (x)").unwrap();
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(Duration::from_secs(20)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").unwrap();
        let began = Instant::now();
        let committing = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            other.execute_batch("COMMIT").unwrap();
        });
        one.keep_to_itself(true).unwrap();
        committing.join().unwrap();
        version(one.as_mut());
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        // Later it is kept after all.
        one.keep_to_itself(true).unwrap();
        one.keep_to_itself(true).unwrap();
        let locked = Connection::open(&path).unwrap().execute("INSERT INTO t VALUES (2)", []);
        assert!(locked.is_err());
    }
}
