//! Files that a verb makes. Never overwrites one unless told to.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::escape;

/// A file to make.
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    pub(super) contents: String,
}

/// What happens to files that exist, and whether anything happens at all.
#[derive(Clone, Copy)]
pub(super) struct Making {
    pub(super) force: bool,
    pub(super) dry_run: bool,
}

/// What was done with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Made {
    Created,
    Overwritten,
    Kept,
}

/// A file and what was done with it.
#[derive(Serialize)]
pub(super) struct MadeFile {
    pub(super) path: String,
    pub(super) done: Made,
}

impl MadeFile {
    /// Writes it as a line for people.
    pub(super) fn line(&self, dry_run: bool) -> String {
        let path = escape::line(&self.path);
        match (self.done, dry_run) {
            (Made::Created, false) => format!("Created {path}."),
            (Made::Created, true) => format!("Would create {path}."),
            (Made::Overwritten, false) => format!("Overwrote {path}."),
            (Made::Overwritten, true) => format!("Would overwrite {path}."),
            (Made::Kept, _) => format!("Kept {path}: it exists (--force overwrites it)."),
        }
    }
}

/// What was made that was not there before.
#[derive(Default)]
pub(super) struct Created {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Created {
    /// Takes it away again; what cannot be taken away stays.
    pub(super) fn undo(self) {
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }

    fn make(&mut self, file: &NewFile, force: bool) -> io::Result<Made> {
        self.make_folder(file.path.parent().unwrap_or(Path::new("")))?;
        match OpenOptions::new().write(true).create_new(true).open(&file.path) {
            Ok(mut created) => {
                self.files.push(file.path.clone());
                created.write_all(file.contents.as_bytes()).map(|()| Made::Created)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && force => {
                fs::write(&file.path, &file.contents).map(|()| Made::Overwritten)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Made::Kept),
            Err(error) => Err(error),
        }
    }

    fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        self.make_folder(folder.parent().unwrap_or(Path::new("")))?;
        match fs::create_dir(folder) {
            Ok(()) => self.folders.push(folder.to_owned()),
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Makes the files and the folders they are in: all of them, or none that was not there before.
pub(super) fn make(files: &[NewFile], making: Making) -> anyhow::Result<(Vec<MadeFile>, Created)> {
    let mut created = Created::default();
    let made = files.iter().map(|file| {
        let path = file.path.display().to_string();
        let done = match making.dry_run {
            true => would_make(&file.path, making.force),
            false => created.make(file, making.force).with_context(|| format!("cannot write {path}"))?,
        };
        Ok(MadeFile { path, done })
    });
    match made.collect() {
        Ok(made) => Ok((made, created)),
        Err(error) => {
            created.undo();
            Err(error)
        }
    }
}

fn would_make(path: &Path, force: bool) -> Made {
    match (path.symlink_metadata().is_ok(), force) {
        (false, _) => Made::Created,
        (true, true) => Made::Overwritten,
        (true, false) => Made::Kept,
    }
}
