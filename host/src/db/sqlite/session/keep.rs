//! Keeps a database file to this session from one transaction to the next.
//!
//! A small transaction costs mostly locks, a journal that is made and removed, and four waits for the disk. Kept, with
//! a write-ahead log, it is one wait, and just as durable: `synchronous` stays as it is. With
//! [`locking_mode = EXCLUSIVE`](https://sqlite.org/pragma.html#pragma_locking_mode) the log needs no shared memory, so
//! this is safe wherever the file lies. Others wait meanwhile, so it is shared again now and then.

use std::time::{Duration, Instant};

use super::super::error::translate;
use super::super::moved;
use super::SqliteSession;
use crate::db::{DbError, ErrorCode, KeptMark};

/// How long others are kept waiting at most, besides for the transaction that is open.
const LONGEST: Duration = Duration::from_millis(500);

/// Whether the database is kept, and what that has done to it.
#[derive(Debug, Default)]
pub(super) struct Keep {
    state: State,
    /// By how much it has moved what SQLite calls the version of the data.
    pub(super) own_versions: i64,
}

#[derive(Debug, Default)]
enum State {
    /// Shared as usual.
    #[default]
    Shared,
    /// Nobody else gets at it, and a mark in it says so.
    Kept { since: Instant, mark: KeptMark },
    /// It cannot be kept here.
    Declined,
}

impl Keep {
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.state, State::Kept { .. })
    }
}

impl SqliteSession {
    pub(super) fn holds_nothing(&self) -> Result<bool, DbError> {
        let is_own_file = self.return_to.is_none() && self.connection().path().is_some_and(|path| !path.is_empty());
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
        let holds = self.ask_when_free(|connection| connection.query_row(sql, [], |row| row.get(0)));
        holds.map(|holds: bool| is_own_file && !holds).map_err(|error| translate(&self.watch, error))
    }

    pub(super) fn set_keep(&mut self, mark: Option<&KeptMark>) -> Result<(), DbError> {
        match (mark, &self.keep.state) {
            (Some(mark), State::Shared) => self.take(mark),
            (Some(_), State::Kept { since, .. }) if since.elapsed() <= LONGEST => {}
            // After a long time it is shared for one transaction, so that others get to it.
            (_, State::Kept { mark, .. }) => {
                let mark = mark.clone();
                self.end_keep(&mark)?;
            }
            (_, State::Declined) | (None, State::Shared) => {}
        }
        Ok(())
    }

    fn take(&mut self, mark: &KeptMark) {
        let mut marked = false;
        // In this mode a lock to read is kept while one to write is waited for. Somebody who writes would wait for that
        // one.
        self.watch.hurry(true);
        let taken = self.lock_and_log(mark, &mut marked);
        self.keep.state = match &taken {
            Ok(true) => State::Kept { since: Instant::now(), mark: mark.clone() },
            // Somebody uses it right now.
            Err(error) if error.code == ErrorCode::Busy => State::Shared,
            // The file system cannot, or its owner has made it one with a log.
            Ok(false) | Err(_) => State::Declined,
        };
        if !self.keep.is_kept() {
            tracing::debug!("the database is not kept: {taken:?}");
            if let Err(error) = self.share(marked.then_some(mark)) {
                tracing::debug!("the database stays locked: {error}");
            }
        }
        self.watch.hurry(false);
    }

    /// Tells whether the file has a log now that it did not have before.
    fn lock_and_log(&mut self, mark: &KeptMark, marked: &mut bool) -> Result<bool, DbError> {
        if self.pragma("journal_mode")? == "wal" {
            return Ok(false);
        }
        self.pragma("locking_mode = EXCLUSIVE")?;
        // From here on nobody else writes, so that what changes with the log is not taken for somebody's doing.
        self.host_execute("BEGIN EXCLUSIVE")?;
        let before = self.version_of_data();
        self.end_with(Some(&mark.set))?;
        *marked = true;
        let mode = self.pragma("journal_mode = WAL")?;
        self.keep.own_versions += self.version_of_data()? - before?;
        Ok(mode == "wal")
    }

    /// Leaves the log, too: what another connection finds is the file as it was made.
    fn end_keep(&mut self, mark: &KeptMark) -> Result<(), DbError> {
        let before = self.version_of_data()?;
        self.leave_log()?;
        self.noted = None;
        self.keep.state = State::Shared;
        let after = self.share(Some(mark))?;
        self.keep.own_versions += after - before;
        Ok(())
    }

    pub(super) fn leave_log(&mut self) -> Result<(), DbError> {
        // SQLite would remove the log at this path, which is that of the new file.
        moved::check(self.connection())?;
        self.pragma("journal_mode = DELETE").map(drop)
    }

    /// Returns the version of the data at the last moment at which nobody else could have written; the mark is cleared
    /// if it was set.
    fn share(&mut self, mark: Option<&KeptMark>) -> Result<i64, DbError> {
        self.pragma("locking_mode = NORMAL")?;
        // The locks are freed at the end of the next transaction. A commit without them would wait for those who read.
        self.host_execute("BEGIN IMMEDIATE")?;
        let version = self.version_of_data();
        self.end_with(mark.map(|mark| mark.clear.as_str())).and(version)
    }

    /// Ends the transaction, and commits this statement in it if there is one; a failure leaves no transaction open.
    fn end_with(&mut self, statement: Option<&str>) -> Result<(), DbError> {
        let Some(statement) = statement else { return self.host_execute("ROLLBACK") };
        let done = self.host_execute(statement).and_then(|()| self.host_execute("COMMIT"));
        if done.is_err() && !self.connection().is_autocommit() {
            self.host_execute("ROLLBACK")?;
        }
        done
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
    use std::path::Path;
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use crate::db::sqlite::Sqlite;
    use crate::db::{Backend, KeptMark, OpenOptions, Session};
    use crate::interrupt::Interrupt;

    fn mark() -> KeptMark {
        KeptMark { set: "INSERT INTO mark VALUES (1)".into(), clear: "DELETE FROM mark".into() }
    }

    fn open(path: &Path, lock_timeout: Duration) -> Box<dyn Session> {
        let options = OpenOptions { lock_timeout, interrupt: Interrupt::new(), record: false };
        Sqlite::file(path).open(&options).unwrap()
    }

    fn version(session: &mut dyn Session) -> i64 {
        session.begin().unwrap();
        let version = session.data_version().unwrap();
        session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        session.commit().unwrap();
        version
    }

    /// How another connection finds the file: its mode, and whether it is marked.
    fn found(path: &Path) -> (String, bool) {
        let connection = Connection::open(path).unwrap();
        let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        (mode, connection.query_row("SELECT count(*) > 0 FROM mark", [], |row| row.get(0)).unwrap())
    }

    #[test]
    fn what_it_does_with_the_file_is_not_taken_for_a_change_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let mut session = open(&path, Duration::from_millis(100));
        let session = session.as_mut();
        session.execute_script("CREATE TABLE t (x); CREATE TABLE mark (x)").unwrap();
        let before = version(session);
        let mark = mark();
        for kept in [true, false, true, true, false, false] {
            session.keep_to_itself(kept.then_some(&mark)).unwrap();
            assert_eq!((version(session), version(session)), (before, before), "{kept}");
        }
        assert_eq!(found(&path), ("delete".to_owned(), false));
        let another = || Connection::open(&path).unwrap().execute("INSERT INTO t VALUES (2)", []).unwrap();
        another();
        // Written before the file is kept, and seen only then.
        session.keep_to_itself(Some(&mark)).unwrap();
        let after = version(session);
        assert_ne!(after, before);
        session.keep_to_itself(None).unwrap();
        assert_eq!(version(session), after);
        another();
        assert_ne!(version(session), after);
        session.give_back().unwrap();
        another();
        assert_ne!(version(session), after);
    }

    #[test]
    fn waits_for_nobody_who_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let mut one = open(&path, Duration::from_secs(60));
        one.execute_script("CREATE TABLE t (x); CREATE TABLE mark (x)").unwrap();
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(Duration::from_secs(20)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").unwrap();
        let began = Instant::now();
        let committing = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            other.execute_batch("COMMIT").unwrap();
        });
        one.keep_to_itself(Some(&mark())).unwrap();
        committing.join().unwrap();
        version(one.as_mut());
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(found(&path), ("delete".to_owned(), false));
        // Later it is kept after all.
        one.keep_to_itself(Some(&mark())).unwrap();
        let locked = Connection::open(&path).unwrap().execute("INSERT INTO t VALUES (2)", []);
        assert!(locked.is_err());
    }

    #[test]
    fn shares_it_where_others_read_or_the_mark_cannot_be_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let mut session = open(&path, Duration::from_millis(100));
        session.execute_script("CREATE TABLE t (x)").unwrap();
        session.keep_to_itself(Some(&mark())).unwrap();
        version(session.as_mut());
        session.execute_script("CREATE TABLE mark (x)").unwrap();
        let mut session = open(&path, Duration::from_millis(100));
        let reader = Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        session.keep_to_itself(Some(&mark())).unwrap();
        assert!(!session.in_transaction());
        reader.execute_batch("COMMIT").unwrap();
        version(session.as_mut());
        assert_eq!(found(&path), ("delete".to_owned(), false));
    }

    #[test]
    fn leaves_a_log_that_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let mut session = open(&path, Duration::from_millis(100));
        session.execute_script("CREATE TABLE t (x); CREATE TABLE mark (x); PRAGMA journal_mode = WAL").unwrap();
        session.keep_to_itself(Some(&mark())).unwrap();
        version(session.as_mut());
        session.keep_to_itself(None).unwrap();
        assert_eq!(found(&path), ("wal".to_owned(), false));
    }
}
