//! The part of a session that waits for other connections of the program that share one cache with its own
//! (`cache=shared`): SQLite asks no busy handler there, and gives up at once.

use std::time::Instant;

use rusqlite::{Connection, ffi};

use super::SqliteSession;
use crate::db::sqlite::handles::Open;
use crate::db::sqlite::run::RunError;
use crate::db::sqlite::watch::Watch;

impl SqliteSession {
    /// Does the same again as long as it fails, before it has done anything, for somebody who shares the cache.
    pub(super) fn when_free<R>(
        &mut self,
        mut work: impl for<'c> FnMut(&Watch, &'c Connection, &mut Open<'c>) -> Result<R, RunError>,
    ) -> Result<R, RunError> {
        let mut pause = Pause::default();
        loop {
            match self.with_watch(&mut work) {
                Err(error) if is_shared(&error) && pause.goes_on(&self.watch) => {}
                done => return done,
            }
        }
    }

    /// Asks the connection again as long as somebody who shares the cache is in the way.
    pub(super) fn ask_when_free<R>(
        &self,
        mut ask: impl FnMut(&Connection) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<R> {
        let mut pause = Pause::default();
        loop {
            match ask(self.connection()) {
                Err(error) if says_shared(&error) && pause.goes_on(&self.watch) => {}
                done => return done,
            }
        }
    }
}

/// Waiting for somebody, of which most statements know nothing: the clock is looked at when one is in the way.
#[derive(Default)]
pub(super) struct Pause {
    since: Option<Instant>,
    times: i32,
}

impl Pause {
    /// Waits a little; `false` when it has been long enough.
    pub(super) fn goes_on(&mut self, watch: &Watch) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        let times = self.times;
        self.times = self.times.saturating_add(1);
        watch.wait(times, since)
    }
}

/// Tells whether nothing was done, since somebody who shares the cache is in the way.
pub(super) fn is_shared(error: &RunError) -> bool {
    match error {
        RunError::Sqlite(error) | RunError::Row { changed: 0, error, .. } => says_shared(error),
        RunError::Row { .. } | RunError::Db(_) | RunError::Limit(_) => false,
    }
}

fn says_shared(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_LOCKED_SHAREDCACHE)
}

#[cfg(test)]
mod tests {
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use super::*;
    use crate::db::{ErrorCode, OpenOptions, Session, Value};
    use crate::interrupt::Interrupt;

    fn connection(name: &str) -> Connection {
        Connection::open(format!("file:{name}?mode=memory&cache=shared")).unwrap()
    }

    fn session(name: &str, lock_timeout: Duration) -> SqliteSession {
        let options = OpenOptions { lock_timeout, interrupt: Interrupt::new(), record: false };
        SqliteSession::new(connection(name), &options, None).unwrap()
    }

    /// Ends its transaction a little later.
    fn soon_commits(connection: Connection) -> JoinHandle<Connection> {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(40));
            connection.execute_batch("COMMIT").unwrap();
            connection
        })
    }

    #[test]
    fn waits_for_who_writes() {
        let asks: [fn(&mut SqliteSession); 5] = [
            |session| assert!(session.table_exists("t").unwrap()),
            |session| session.begin().unwrap(),
            |session| {
                session.begin_reading().unwrap();
                let mut rows = 0;
                crate::db::for_each_row(session, "SELECT x FROM t", &[], &mut |_| {
                    rows += 1;
                    Ok(())
                })
                .unwrap();
                assert_eq!(rows, 1);
            },
            |session| session.connection_state().map(drop).unwrap(),
            |session| session.data_version().map(drop).unwrap(),
        ];
        for ask in asks {
            let blocker = connection("writes");
            let mut session = session("writes", Duration::from_secs(60));
            blocker.execute_batch("BEGIN IMMEDIATE; CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
            let blocker = soon_commits(blocker);
            ask(&mut session);
            blocker.join().unwrap();
        }
    }

    #[test]
    fn waits_in_its_transaction_for_who_reads() {
        let works: [fn(&mut SqliteSession); 4] = [
            |session| session.execute("INSERT INTO t VALUES (2)", &[]).map(drop).unwrap(),
            |session| session.execute_script("INSERT INTO t VALUES (2);").unwrap(),
            |session| session.execute_script("DROP TABLE t; CREATE TABLE t AS SELECT 2 AS x;").unwrap(),
            |session| {
                let insert = session.prepare("INSERT INTO t VALUES (?)").unwrap();
                session.execute_prepared(insert, &[Value::from(2)]).unwrap();
            },
        ];
        for work in works {
            let blocker = connection("reads");
            let mut session = session("reads", Duration::from_secs(60));
            blocker.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1); BEGIN; SELECT * FROM t").unwrap();
            session.begin().unwrap();
            let blocker = soon_commits(blocker);
            work(&mut session);
            session.commit().unwrap();
            let blocker = blocker.join().unwrap();
            let twos: i64 = blocker.query_row("SELECT count(*) FROM t WHERE x = 2", [], |row| row.get(0)).unwrap();
            assert_eq!(twos, 1);
        }
    }

    #[test]
    fn gives_up_as_for_any_lock() {
        let blocker = connection("gives_up");
        blocker.execute_batch("BEGIN IMMEDIATE; CREATE TABLE t (x)").unwrap();
        let error = session("gives_up", Duration::from_millis(5)).begin().unwrap_err();
        assert_eq!((error.code, error.native.as_str()), (ErrorCode::Busy, "SQLITE_LOCKED_SHAREDCACHE"));
        // What is its own to end is not waited for.
        let mut session = session("own", Duration::from_secs(60));
        session.execute_script("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2);").unwrap();
        let cursor = session.open_cursor("SELECT x FROM t", &[]).unwrap();
        session.fetch(cursor, 1, 1 << 20, &mut whimbrel_packed::BatchBuilder::default()).unwrap();
        let error = session.execute("DROP TABLE t", &[]).unwrap_err();
        assert_eq!((error.code, error.native.as_str()), (ErrorCode::Database, "SQLITE_LOCKED"));
    }
}
