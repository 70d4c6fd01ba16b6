//! Tells whether the file of an open database still is the one at its path.
//!
//! Whoever replaces the file of a database, moves it or removes it takes it away from all who have it open: what they
//! write reaches nobody any more. SQLite looks at that only when it begins a journal, and not at all where there is a
//! log. It follows links once, when it opens the file: that a link leads elsewhere since, it never sees.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::db::DbError;
#[cfg(unix)]
use crate::db::ErrorCode;

/// SQLite's name for it.
pub(super) const NATIVE: &str = "SQLITE_READONLY_DBMOVED";
/// SQLite's own words are of a database that may only be read.
pub(super) const MESSAGE: &str = "the database's file was replaced, moved or removed while it was open";
/// The same of a link on the way to it.
#[cfg(unix)]
const TURNED: &str = "a link on the path of the database was turned to another file, or removed, while it was open";

/// Refuses a file that is not at its path any more. What has no file passes, and what cannot tell.
#[cfg(unix)]
pub(super) fn check(connection: &Connection) -> Result<(), DbError> {
    let has_file = connection.path().is_some_and(|path| !path.is_empty());
    match has_file && super::asking::has_moved(connection) {
        true => Err(refused(MESSAGE)),
        false => Ok(()),
    }
}

#[cfg(unix)]
fn refused(message: &str) -> DbError {
    DbError { native: NATIVE.to_owned(), ..DbError::new(ErrorCode::ReadOnly, message) }
}

/// An open file can be neither replaced nor moved there.
#[cfg(not(unix))]
pub(super) fn check(_: &Connection) -> Result<(), DbError> {
    Ok(())
}

/// The path by which a database was opened, where it is not that of the file itself.
#[derive(Debug, Default)]
pub(super) struct Named(Option<PathBuf>);

impl Named {
    /// Keeps the path, as one that still means the same when the program has gone to another folder.
    pub(super) fn new(path: &Path, connection: &Connection) -> Self {
        let named = std::path::absolute(path).ok();
        Self(named.filter(|named| connection.path().is_some_and(|file| !file.is_empty() && Path::new(file) != named)))
    }

    /// Refuses a path that leads to another file now, or to none. What cannot tell passes.
    #[cfg(unix)]
    pub(super) fn check(&self, connection: &Connection) -> Result<(), DbError> {
        use std::fs::metadata;
        use std::io::ErrorKind;
        use std::os::unix::fs::MetadataExt;

        let (Some(named), Some(file)) = (&self.0, connection.path()) else { return Ok(()) };
        let leads_elsewhere = match (metadata(named), metadata(file)) {
            (Ok(named), Ok(file)) => (named.dev(), named.ino()) != (file.dev(), file.ino()),
            (Err(error), Ok(_)) => error.kind() == ErrorKind::NotFound,
            (_, Err(_)) => false,
        };
        if leads_elsewhere { Err(refused(TURNED)) } else { Ok(()) }
    }

    #[cfg(not(unix))]
    pub(super) fn check(&self, _: &Connection) -> Result<(), DbError> {
        let Self(_) = self;
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::time::Duration;
    use std::{fs, io};

    use crate::db::sqlite::Sqlite;
    use crate::db::{Backend, DbError, ErrorCode, KeptMark, OpenOptions, Session};
    use crate::interrupt::Interrupt;

    fn open(path: &Path) -> Box<dyn Session> {
        let lock_timeout = Duration::from_millis(100);
        Sqlite::file(path).open(&OpenOptions { lock_timeout, interrupt: Interrupt::new(), record: false }).unwrap()
    }

    fn replace(path: &Path) -> io::Result<()> {
        fs::write(path.with_extension("new"), "")?;
        fs::rename(path.with_extension("new"), path)
    }

    /// Ways to take a file away.
    const WAYS: [(&str, fn(&Path) -> io::Result<()>); 3] = [
        ("removed", |path| fs::remove_file(path)),
        ("moved", |path| fs::rename(path, path.with_extension("old"))),
        ("replaced", replace),
    ];

    fn assert_moved(result: Result<(), DbError>, what: &str) {
        let error = result.expect_err(what);
        assert_eq!((error.code, error.native.as_str()), (ErrorCode::ReadOnly, super::NATIVE), "{what}");
        assert_eq!(error.message, super::MESSAGE, "{what}");
    }

    #[test]
    fn nothing_is_committed_where_nobody_finds_it() {
        for mode in ["DELETE", "WAL"] {
            for (what, take_away) in WAYS {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("app.db");
                let mut session = open(&path);
                session.execute_script(&format!("PRAGMA journal_mode = {mode}; CREATE TABLE t (x)")).unwrap();
                session.begin().unwrap();
                session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
                take_away(&path).unwrap();
                assert_moved(session.commit(), what);
                session.rollback().unwrap();
                session.begin().unwrap();
                let written = session.execute("INSERT INTO t VALUES (2)", &[]).map(drop);
                assert_moved(written.and_then(|()| session.commit()), what);
            }
        }
    }

    #[test]
    fn nothing_is_committed_once_a_link_leads_elsewhere() {
        type Turn = fn(&Path) -> io::Result<()>;
        let ways: [(&str, Turn); 2] = [
            ("turned", |link| {
                fs::remove_file(link)?;
                symlink("two", link)
            }),
            ("removed", |link| fs::remove_file(link)),
        ];
        for (what, turn) in ways {
            let folder = tempfile::tempdir().unwrap();
            let link = folder.path().join("current");
            for release in ["one", "two"] {
                fs::create_dir(folder.path().join(release)).unwrap();
                fs::write(folder.path().join(release).join("app.db"), "").unwrap();
            }
            symlink("one", &link).unwrap();
            let mut session = open(&link.join("app.db"));
            session.begin().unwrap();
            session.execute("CREATE TABLE t (x)", &[]).unwrap();
            session.commit().unwrap();
            session.begin().unwrap();
            session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
            turn(&link).unwrap();
            let error = session.commit().expect_err(what);
            assert_eq!((error.native.as_str(), error.message.as_str()), (super::NATIVE, super::TURNED), "{what}");
            session.rollback().unwrap();
            drop(session);
            let there = open(&folder.path().join("one/app.db")).execute("DELETE FROM t", &[]).unwrap();
            assert_eq!(there, 0, "{what}");
        }
    }

    #[test]
    fn one_that_is_kept_leaves_the_files_of_the_new_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let mut session = open(&path);
        session.execute_script("CREATE TABLE t (x); CREATE TABLE mark (x)").unwrap();
        let mark = KeptMark { set: "INSERT INTO mark VALUES (1)".into(), clear: "DELETE FROM mark".into() };
        session.keep_to_itself(Some(&mark)).unwrap();
        replace(&path).unwrap();
        let wal = folder.path().join("app.db-wal");
        fs::write(&wal, "another's").unwrap();
        assert_moved(session.keep_to_itself(None), "kept");
        drop(session);
        assert_eq!(fs::read_to_string(&wal).unwrap(), "another's");
    }
}
