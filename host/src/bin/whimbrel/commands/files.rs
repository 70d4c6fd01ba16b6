//! Files that a verb makes. Never overwrites one unless told to.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
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

/// Makes the files and the folders they are in.
pub(super) fn make(files: &[NewFile], making: Making) -> anyhow::Result<Vec<MadeFile>> {
    files.iter().map(|file| make_one(file, making)).collect()
}

fn make_one(file: &NewFile, making: Making) -> anyhow::Result<MadeFile> {
    let path = file.path.display().to_string();
    let done = if making.dry_run {
        would_make(&file.path, making.force)
    } else {
        write(file, making.force).with_context(|| format!("cannot write {path}"))?
    };
    Ok(MadeFile { path, done })
}

fn would_make(path: &Path, force: bool) -> Made {
    match (path.symlink_metadata().is_ok(), force) {
        (false, _) => Made::Created,
        (true, true) => Made::Overwritten,
        (true, false) => Made::Kept,
    }
}

fn write(file: &NewFile, force: bool) -> std::io::Result<Made> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(&file.path) {
        Ok(mut created) => created.write_all(file.contents.as_bytes()).map(|()| Made::Created),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && force => {
            fs::write(&file.path, &file.contents).map(|()| Made::Overwritten)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Made::Kept),
        Err(error) => Err(error),
    }
}
