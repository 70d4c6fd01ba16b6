//! Where SQLite keeps its temporary files, for sorting say.

use std::env;
use std::path::{Path, PathBuf};

/// Says where they are, and how to have them elsewhere.
pub(super) fn files() -> String {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].map(|name| env::var_os(name).map(PathBuf::from));
    words(folder(named))
}

fn words(folder: Option<PathBuf>) -> String {
    match folder {
        Some(folder) => {
            format!("SQLite's temporary files are in {}: SQLITE_TMPDIR names another folder for them", folder.display())
        }
        None => {
            "name a folder for SQLite's temporary files with SQLITE_TMPDIR: none of TMPDIR, /var/tmp, /usr/tmp, /tmp \
                 and the current folder can be written"
                .to_owned()
        }
    }
}

/// Finds the folder as SQLite does: <https://sqlite.org/tempfiles.html#temporary_file_storage_locations>.
fn folder(named: [Option<PathBuf>; 2]) -> Option<PathBuf> {
    let usual = ["/var/tmp", "/usr/tmp", "/tmp", "."].map(PathBuf::from);
    named.into_iter().flatten().chain(usual).find(|folder| folder.is_dir() && is_writable(folder))
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(_: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_is_there_is_named() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let named = |path: &Path| Some(path.to_owned());
        assert_eq!(folder([named(one.path()), named(other.path())]), named(one.path()));
        assert_eq!(folder([named(&one.path().join("gone")), named(other.path())]), named(other.path()));
        assert!(folder([None, None]).is_some_and(|usual| usual != one.path()));
        assert!(words(named(one.path())).contains(&one.path().display().to_string()));
        assert!(words(None).starts_with("name a folder"));
    }
}
