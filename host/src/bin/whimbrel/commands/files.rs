//! Files that a verb reads and makes. Never overwrites one unless told to, and never follows a link to write.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use whimbrel::source::{Problem, SourceError, read_file, read_file_of};

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

/// What was made, and what stood in its place.
#[derive(Default)]
pub(super) struct Created {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// Files that were overwritten, under the names that they have until all is made.
    aside: Vec<(PathBuf, Aside)>,
}

impl Created {
    /// Takes it away again and puts back what stood in its place; what cannot be taken away stays.
    pub(super) fn undo(self) {
        for (path, aside) in self.aside.into_iter().rev() {
            aside.put_back(&path);
        }
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }

    fn make(&mut self, file: &NewFile, force: bool) -> io::Result<Made> {
        self.make_folder(file.path.parent().unwrap_or(Path::new("")))?;
        match create(&file.path, file.contents.as_bytes()) {
            Ok(()) => {
                self.files.push(file.path.clone());
                Ok(Made::Created)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && force => {
                let aside = Aside::keep(&file.path)?;
                replace(&file.path, file.contents.as_bytes())?;
                self.aside.push((file.path.clone(), aside));
                Ok(Made::Overwritten)
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

/// Makes the files and the folders they are in: all of them, or none, and then what was there before is there again.
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

/// Reads a file that was named.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let missing =
        || Problem::of_file(path.to_string_lossy(), "there is no such file", Some("check the path".to_owned()));
    let found = read_file(path).and_then(|found| found.ok_or_else(missing));
    found.map_err(|problem| refused(vec![problem]))
}

/// Reads a text in a folder that may be of somebody else; `None` where there is none.
pub(super) fn read_text_beside(path: &Path) -> anyhow::Result<Option<String>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let found =
        read_file_of(path.parent().unwrap_or(Path::new("")), &name).map_err(|problem| refused(vec![problem]))?;
    let text = found.map(String::from_utf8).transpose();
    text.map_err(|_| refused(vec![Problem::of_file(path.to_string_lossy(), "is not UTF-8", None)]))
}

fn refused(problems: Vec<Problem>) -> anyhow::Error {
    whimbrel::Error::from(SourceError { problems, interrupted: false }).into()
}

/// Writes a file in place of whatever has its name, a link too: wholly or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = Beside::write(path, bytes)?;
    if let Ok(before) = fs::symlink_metadata(path)
        && before.is_file()
    {
        fs::set_permissions(&beside.path, before.permissions())?;
    }
    fs::rename(&beside.path, path)
}

/// Writes a file under a name that nothing has yet: wholly or not at all.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let taken = || Err(ErrorKind::AlreadyExists.into());
    if fs::symlink_metadata(path).is_ok() {
        return taken();
    }
    let beside = Beside::write(path, bytes)?;
    // Unlike a rename it replaces nothing that has come meanwhile.
    match fs::hard_link(&beside.path, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => taken(),
        // Not every file system has links.
        Err(_) => fs::rename(&beside.path, path),
        Ok(()) => Ok(()),
    }
}

/// A new file beside the one that it is to become. Goes with the value unless it was renamed.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut number = 0;
        let (beside, mut file) = loop {
            // Hidden, so that it is no migration should the program be killed.
            let beside = path.with_file_name(format!(".whimbrel.{}-{number}.new", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&beside) {
                Ok(file) => break (Self { path: beside }, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST_TRIES => number += 1,
                Err(error) => return Err(error),
            }
        };
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(beside)
    }
}

/// What has a name that another file is to have: kept under another one, and gone with the value unless it is put back.
struct Aside {
    path: PathBuf,
}

impl Aside {
    fn keep(path: &Path) -> io::Result<Self> {
        let mut number = 0;
        loop {
            let aside = path.with_file_name(format!(".whimbrel.{}-{number}.old", std::process::id()));
            match keep_as(path, &aside) {
                Ok(()) => return Ok(Self { path: aside }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST_TRIES => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn put_back(self, path: &Path) {
        let _ = fs::rename(&self.path, path);
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Gives a file a second name, or copies it where there can be none; a link stays one.
fn keep_as(path: &Path, aside: &Path) -> io::Result<()> {
    match fs::hard_link(path, aside) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists && path.symlink_metadata()?.is_file() => {
            OpenOptions::new().write(true).create_new(true).open(aside)?;
            fs::copy(path, aside).map(drop).inspect_err(|_| drop(fs::remove_file(aside)))
        }
        linked => linked,
    }
}

/// Most names that are tried for a file beside another one.
const MOST_TRIES: u32 = 100;

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn writes_no_link_through_and_leaves_nothing_beside() {
        let outside = tempfile::tempdir().expect("folder");
        let folder = tempfile::tempdir().expect("folder");
        let (victim, new) = (outside.path().join("victim"), outside.path().join("new"));
        fs::write(&victim, "victim").expect("file");
        let path = |name: &str| folder.path().join(name);
        symlink(&victim, path("link")).expect("link");
        symlink(&new, path("dangling")).expect("link");
        fs::write(path("file"), "before").expect("file");
        fs::set_permissions(path("file"), fs::Permissions::from_mode(0o640)).expect("rights");
        for name in ["link", "dangling", "file", "absent"] {
            replace(&path(name), b"after").expect("written");
            assert!(fs::symlink_metadata(path(name)).expect("there").is_file(), "{name}");
            assert_eq!(fs::read(path(name)).expect("read"), b"after", "{name}");
        }
        assert_eq!(fs::metadata(path("file")).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!((fs::read(&victim).expect("read"), new.exists()), (b"victim".to_vec(), false));
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 4);
    }

    #[test]
    fn what_was_overwritten_is_there_again_when_a_later_file_fails() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        let new = |name: &str| NewFile { path: path(name), contents: "new".to_owned() };
        fs::write(path("first"), "mine").expect("file");
        fs::set_permissions(path("first"), fs::Permissions::from_mode(0o640)).expect("rights");
        symlink(path("first"), path("link")).expect("link");
        fs::write(path("no-folder"), "").expect("file");
        let forced = Making { force: true, dry_run: false };
        let all = [new("first"), new("link"), new("made/second"), new("no-folder/third")];
        assert!(make(&all, forced).is_err());
        assert_eq!(fs::read(path("first")).expect("read"), b"mine");
        assert_eq!(fs::metadata(path("first")).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_link(path("link")).expect("a link"), path("first"));
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 3);
        let (_, created) = make(&all[..3], forced).expect("made");
        drop(created);
        assert_eq!(fs::read(path("first")).expect("read"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 4);
    }

    #[test]
    fn creates_nothing_where_something_is() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        symlink(path("outside"), path("dangling")).expect("link");
        create(&path("file"), b"first").expect("created");
        for name in ["file", "dangling"] {
            assert_eq!(create(&path(name), b"second").expect_err("taken").kind(), ErrorKind::AlreadyExists, "{name}");
        }
        assert_eq!(fs::read(path("file")).expect("read"), b"first");
        assert!(create(&path("nowhere/file"), b"").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 2);
    }
}
