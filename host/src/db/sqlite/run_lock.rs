//! A lock file beside the database, for steps that run outside a transaction. The system frees it with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::watch::Watch;
use crate::db::{DbError, ErrorCode};

const PAUSE: Duration = Duration::from_millis(20);

/// A held lock file; dropped, it is removed and free.
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
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
    let mut name = database.as_os_str().to_owned();
    name.push("-whimbrel-lock");
    let path = PathBuf::from(name);
    let failed =
        |error: io::Error| DbError::new(ErrorCode::CannotOpen, format!("cannot lock {}: {error}", path.display()));
    let since = Instant::now();
    loop {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) if is_current(&file, &path) => return Ok(LockFile { path, file }),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                if watch.must_stop() {
                    return Err(DbError::new(ErrorCode::Interrupted, "interrupted while waiting for the lock"));
                }
                if since.elapsed() >= watch.lock_timeout() {
                    let message = "another process runs a step outside a transaction";
                    return Err(DbError::new(ErrorCode::Busy, message));
                }
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Tells whether the locked file is still the one at the path.
#[cfg(unix)]
fn is_current(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: &std::fs::Metadata, b: &std::fs::Metadata| a.dev() == b.dev() && a.ino() == b.ino();
    matches!((file.metadata(), std::fs::metadata(path)), (Ok(held), Ok(found)) if same(&held, &found))
}

/// An open file cannot be removed there.
#[cfg(not(unix))]
fn is_current(_: &File, _: &Path) -> bool {
    true
}
