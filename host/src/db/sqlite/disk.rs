//! Tells a full disk from a full budget: SQLite has one error for both.

use rusqlite::Connection;

/// Tells whether the disk under a database has, or had until a moment ago, room for this many bytes.
///
/// Asked after SQLite has undone the statement. What its log and journal still hold counts as room, since the failed
/// statement may have filled it.
#[cfg(unix)]
pub(super) fn could_hold(connection: &Connection, bytes: u64) -> bool {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return true };
    let beside = |ending: &str| std::fs::metadata(format!("{path}{ending}")).map_or(0, |file| file.len());
    match rustix::fs::statvfs(path) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize) + beside("-wal") + beside("-journal") >= bytes,
        Err(_) => true,
    }
}

/// Tells whether the disk has room; there is no way to ask here.
#[cfg(not(unix))]
pub(super) fn could_hold(_: &Connection, _: u64) -> bool {
    true
}
