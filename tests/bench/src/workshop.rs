//! The folder in which everything happens, and the surroundings of the programs that are measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// A folder that vanishes in the end.
pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    /// Makes one in this folder, or in that of the build, which is more often on a disk than the system's one.
    pub(crate) fn new(parent: Option<&Path>) -> Result<Self> {
        let built = std::env::current_exe()?;
        let parent = parent.or(built.parent()).context("the program is in no folder")?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(parent)?;
        let workshop = Self { folder };
        fs::create_dir(workshop.home())?;
        Ok(workshop)
    }

    /// Makes a folder in it.
    pub(crate) fn room(&self, name: &str) -> Result<PathBuf> {
        let room = self.folder.path().join(name);
        fs::create_dir_all(&room)?;
        Ok(room)
    }

    /// Prepares a program to be run in a folder; it sees none of the user's settings.
    pub(crate) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().env("HOME", self.home());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }
}

/// Removes a database with everything beside it.
pub(crate) fn remove_database(database: &Path) -> Result<()> {
    for ending in ["", "-journal", "-wal", "-shm"] {
        let mut path = database.as_os_str().to_owned();
        path.push(ending);
        if Path::new(&path).exists() {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Copies a database, and waits until the copy is on the disk: whoever uses it next does not pay for it.
pub(crate) fn copy_database(from: &Path, to: &Path) -> Result<()> {
    remove_database(to)?;
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()?;
    Ok(())
}

/// Returns the one number that a query gives.
pub(crate) fn number(database: &Path, query: &str) -> Result<i64> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(database, flags)?;
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}
