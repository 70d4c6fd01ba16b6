//! How a database with a write-ahead log is opened by who only looks, so that nothing stays beside it. Opens nothing
//! itself.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How a header begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where it says how the file is written and read: 2 for a log.
/// <https://sqlite.org/fileformat2.html#file_format_version_numbers>
const VERSIONS: std::ops::Range<usize> = 18..20;

/// Tells whether to read the file means to make a log and its index beside it. Who may only read leaves them there; who
/// may write takes them away again at the end, and has nothing to put into the file.
pub(super) fn makes_files(database: &Path) -> bool {
    has_log_mode(database) && !beside(database, "-wal").exists() && !beside(database, "-journal").exists()
}

/// Tells whether the file by itself is the whole database, for who could not make a log beside it: nothing is in a log,
/// and nothing is to be rolled back. Who has it open otherwise would have a log there.
pub(super) fn is_whole(database: &Path) -> bool {
    let is_empty = |ending| std::fs::metadata(beside(database, ending)).map_or_else(is_gone, |file| file.len() == 0);
    has_log_mode(database) && is_empty("-wal") && is_empty("-journal")
}

/// Writes the URI of a file that nobody changes. <https://sqlite.org/uri.html#uriimmutable>
pub(super) fn immutable(database: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(database)?;
    let mut uri = String::from("file://");
    if cfg!(windows) {
        uri.push('/');
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(PathBuf::from(uri + "?immutable=1"))
}

#[expect(clippy::needless_pass_by_value, reason = "`map_or_else` hands it over")]
fn is_gone(error: std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

fn has_log_mode(database: &Path) -> bool {
    let mut header = [0; VERSIONS.end];
    let read = std::fs::File::open(database).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.starts_with(MAGIC) && header[VERSIONS] == [2, 2]
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn knows_what_is_beside_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        assert!(!makes_files(&database) && !is_whole(&database), "there is none");
        let connection = Connection::open(&database).unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(!makes_files(&database) && !is_whole(&database), "it has a rollback journal");
        connection.execute_batch("PRAGMA journal_mode = WAL; INSERT INTO t VALUES (1)").unwrap();
        assert!(!makes_files(&database) && !is_whole(&database), "a row is in its log");
        drop(connection);
        assert!(makes_files(&database) && is_whole(&database), "it is by itself");
        std::fs::write(beside(&database, "-wal"), "").unwrap();
        assert!(!makes_files(&database) && is_whole(&database), "an empty log is there");
        std::fs::write(beside(&database, "-journal"), "x").unwrap();
        assert!(!is_whole(&database), "something is to be rolled back");
    }

    #[test]
    fn an_uri_names_the_file_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a b?c=1#ü%41.db");
        Connection::open(&database).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(immutable(&database).unwrap(), flags).unwrap();
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }
}
