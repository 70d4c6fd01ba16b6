//! A lock file beside the database, for whoever is at work on it. The system frees it with the process.
//!
//! Who runs a step outside a transaction must have it. Who has the database's own lock takes it too when it is free, so
//! that others can read who makes them wait.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::watch::Watch;
use crate::db::{DbError, ErrorCode, RunLockState};
use crate::shown::Shown;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);
/// Before the second try, which even somebody who does not wait has: who reads the file holds it for a moment.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// No note is longer.
const LONGEST_NOTE: u64 = 4096;

/// A held lock file; dropped, it is removed and free.
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
    /// It is there for nothing else, so that it may be written.
    is_its_own: bool,
    /// Bytes that were written into it.
    noted: usize,
}

impl LockFile {
    fn new(path: PathBuf, file: File) -> Self {
        let found = file.metadata().ok().filter(is_its_own);
        let mut noted = found.as_ref().map_or(0, Metadata::len);
        if noted > LONGEST_NOTE && file.set_len(0).is_ok() {
            noted = 0;
        }
        Self { path, file, is_its_own: found.is_some(), noted: noted.min(LONGEST_NOTE) as usize }
    }

    /// Writes who holds it. It is held just the same when that fails.
    pub(super) fn note(&mut self, note: &str) {
        if !self.is_its_own {
            return;
        }
        // Blank lines hide what is left of a longer one: each step of a run has its note.
        let note = format!("{note}{}", "\n".repeat(self.noted.saturating_sub(note.len())));
        self.noted = note.len();
        if let Err(error) = self.file.rewind().and_then(|()| self.file.write_all(note.as_bytes())) {
            tracing::debug!("cannot write who holds {}: {error}", self.path.display());
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while it is still locked: who waits for this file notices that it is gone and takes a new one.
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// Waits for the lock beside a database.
pub(super) fn acquire(database: &Path, watch: &Watch) -> Result<LockFile, DbError> {
    let path = path_of(database);
    let since = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt(&path).map_err(|error| cannot_be_had(&path, &error))? {
            Attempt::Locked(lock) => return Ok(lock),
            Attempt::Replaced => {}
            Attempt::Held(mut file) => {
                if watch.must_stop() {
                    // As SQLite tells it of its own locks.
                    let error = DbError::new(ErrorCode::Interrupted, "interrupted while waiting for the lock");
                    return Err(DbError { native: "SQLITE_BUSY".to_owned(), ..error });
                }
                if pause != FIRST_PAUSE && since.elapsed() >= watch.lock_timeout() {
                    let error = DbError::new(ErrorCode::Busy, "another process is at work on the database");
                    return Err(by(error, &read(&mut file)));
                }
                std::thread::sleep(pause);
                pause = PAUSE;
            }
        }
    }
}

/// Says why there is no lock file to wait for.
fn cannot_be_had(path: &Path, error: &io::Error) -> DbError {
    let shown = path.to_string_lossy();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => DbError::new(
            ErrorCode::ReadOnly,
            format!("the lock file {} beside the database cannot be made: {error}", Shown(&shown)),
        ),
        _ => DbError::new(ErrorCode::CannotOpen, format!("cannot lock {}: {error}", Shown(&shown))),
    }
}

/// Takes the lock beside a database if nobody has it, and writes who does; `None` when that cannot be.
pub(super) fn take_if_free(database: &Path, note: &str) -> Option<LockFile> {
    match attempt(&path_of(database)) {
        Ok(Attempt::Locked(mut lock)) => {
            lock.note(note);
            Some(lock)
        }
        // Nobody is told of it then, and that is all.
        Ok(Attempt::Replaced | Attempt::Held(_)) | Err(_) => None,
    }
}

/// Tells whether somebody has the lock beside a database, and who.
pub(super) fn state(database: &Path) -> RunLockState {
    // SQLite resolves links, so the lock is beside the file itself.
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let path = path_of(&database);
    let Ok(mut file) = to_open().read(true).open(&path) else { return RunLockState::Free };
    match file.try_lock_shared() {
        Ok(()) if is_current(&file, &path) => RunLockState::Left(read(&mut file)),
        Ok(()) => RunLockState::Free,
        Err(_) => RunLockState::Held(read(&mut file)),
    }
}

/// Adds to an error who holds the lock beside a database, where that is known.
pub(super) fn name_holder(error: DbError, database: &Path) -> DbError {
    match error.code {
        ErrorCode::Busy => match state(database) {
            RunLockState::Held(note) => by(error, &note),
            RunLockState::Free | RunLockState::Left(_) => error,
        },
        _ => error,
    }
}

fn by(error: DbError, note: &str) -> DbError {
    match note.lines().next() {
        Some(who) if !who.is_empty() => {
            let who = who.replace(char::is_control, " ");
            DbError { message: format!("{}: {who}", error.message), ..error }
        }
        _ => error,
    }
}

fn path_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-whimbrel-lock");
    PathBuf::from(name)
}

enum Attempt {
    Locked(LockFile),
    /// It was removed by who held it.
    Replaced,
    Held(File),
}

fn attempt(path: &Path) -> io::Result<Attempt> {
    let file = match to_open().create(true).truncate(false).read(true).write(true).open(path) {
        // Left behind by another user. It can be locked all the same, and removed by who may write the folder.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // Where there is none, what was refused is to make one.
            to_open().read(true).open(path).map_err(|other| match other.kind() {
                io::ErrorKind::NotFound => error,
                _ => other,
            })?
        }
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) if is_current(&file, path) => Ok(Attempt::Locked(LockFile::new(path.to_owned(), file))),
        Ok(()) => Ok(Attempt::Replaced),
        Err(TryLockError::WouldBlock) => Ok(Attempt::Held(file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Reads who holds a lock file; nothing where the system keeps that from others.
fn read(file: &mut File) -> String {
    let mut note = Vec::new();
    match file.take(LONGEST_NOTE).read_to_end(&mut note) {
        Ok(_) => String::from_utf8_lossy(&note).into_owned(),
        Err(_) => String::new(),
    }
}

/// Tells whether the locked file is still the one at the path.
#[cfg(unix)]
fn is_current(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: &Metadata, b: &Metadata| a.dev() == b.dev() && a.ino() == b.ino();
    matches!((file.metadata(), std::fs::symlink_metadata(path)), (Ok(held), Ok(found)) if same(&held, &found))
}

/// Opens no link, behind which somebody else's file could be, and waits for nobody at the other end of a pipe.
#[cfg(unix)]
fn to_open() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.custom_flags(flags.bits().cast_signed());
    options
}

/// Tells whether a file is there for nothing else, so that it may be written.
#[cfg(unix)]
fn is_its_own(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.is_file() && file.nlink() <= 1
}

/// An open file cannot be removed there.
#[cfg(not(unix))]
fn is_current(_: &File, _: &Path) -> bool {
    true
}

#[cfg(not(unix))]
fn to_open() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(not(unix))]
fn is_its_own(file: &Metadata) -> bool {
    file.is_file()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_that_cannot_be_made_is_not_said_to_be_missing() {
        // Nobody makes files there, not even who may write everywhere.
        let path = Path::new("/sys/app.db-whimbrel-lock");
        let error = attempt(path).err().map(|error| cannot_be_had(path, &error)).expect("nothing is made");
        assert_eq!(error.code, ErrorCode::ReadOnly, "{error:?}");
        let begins = "the lock file /sys/app.db-whimbrel-lock beside the database cannot be made: ";
        assert!(error.message.starts_with(begins), "{}", error.message);
    }
}
