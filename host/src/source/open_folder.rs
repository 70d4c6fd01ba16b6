//! An open folder: what is in it, and what its files hold. Nothing outside it is read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::assemble::shown;
use super::problem::Problem;
use super::tree::{Entry, Found, Link, Tree};

/// More than any script or component; keeps a stray file from filling the memory.
pub(super) const LARGEST: u64 = 256 << 20;

/// Most files are smaller, and are read with one call.
pub(super) const BUFFER: usize = 64 << 10;

/// An open folder.
pub(super) struct OpenFolder {
    dir: Dir,
    folder: String,
    largest: u64,
    buffer: Vec<u8>,
    /// What its folder does not call a regular file, such as a link: asked what it is before it is opened.
    unsure: HashSet<String>,
}

impl OpenFolder {
    /// Opens a folder, of whose files none may be larger than this.
    pub(super) fn open(path: &Path, largest: u64) -> Result<Self, Problem> {
        let folder = path.to_string_lossy().into_owned();
        match Dir::open_ambient_dir(path, ambient_authority()) {
            Ok(dir) => Ok(Self { dir, folder, largest, buffer: vec![0; BUFFER], unsure: HashSet::new() }),
            Err(error) => Err(unreadable_folder(&folder, &error)),
        }
    }

    fn entries(&mut self, folder: &str) -> io::Result<Vec<Entry>> {
        let listed = if folder.is_empty() { self.dir.entries()? } else { self.dir.read_dir(folder)? };
        let mut entries = Vec::new();
        for entry in listed {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_else(|name| name.to_string_lossy().into_owned());
            let kind = entry.file_type().ok();
            let entry = Entry::new(folder, name, kind.is_some_and(|kind| kind.is_dir()));
            if !kind.is_some_and(|kind| kind.is_file()) {
                self.unsure.insert(entry.path.clone());
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn file(&mut self, path: &str) -> io::Result<Target> {
        // Opening a pipe would wait for whoever writes into it.
        if self.unsure.contains(path) {
            let kind = self.dir.metadata(path)?.file_type();
            if kind.is_dir() {
                return Ok(Target::Folder);
            }
            if !kind.is_file() {
                return Ok(Target::Other);
            }
        }
        let file = open(&self.dir, path)?;
        read_regular(file, self.largest, &mut self.buffer).map(Target::File)
    }
}

impl Tree for OpenFolder {
    fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Problem> {
        self.entries(folder).map_err(|error| unreadable_folder(&self.shown(folder), &error))
    }

    fn read(&mut self, path: &str) -> Result<Found, Problem> {
        match self.file(path) {
            Ok(Target::File(bytes)) => Ok(Found::File(Cow::Owned(bytes))),
            Ok(Target::Folder) => Ok(Found::Folder),
            Ok(Target::Other) => Err(Problem::of_file(self.shown(path), "is not a regular file", None)),
            Err(error) => Err(unreadable_file(self.shown(path), &error)),
        }
    }

    fn shown(&self, path: &str) -> String {
        if path.is_empty() { self.folder.clone() } else { shown(&self.folder, path) }
    }

    fn link(&self, path: &str) -> Option<Link> {
        let is_link = || self.dir.symlink_metadata(path).is_ok_and(|link| link.is_symlink());
        if !self.unsure.contains(path) || !is_link() {
            return None;
        }
        match self.dir.metadata(path) {
            Ok(there) => there.is_dir().then_some(Link::Away),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Link::Nowhere),
            Err(_) => Some(Link::Away),
        }
    }
}

/// Opens a file of a folder.
fn open(dir: &Dir, path: &str) -> io::Result<File> {
    // What leads out of a folder is a link, or a path of several names: for one name that is no link it takes no look
    // at the way.
    #[cfg(unix)]
    if !path.contains('/') && !matches!(path, "" | "." | "..") {
        use rustix::fs::{Mode, OFlags};

        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NOFOLLOW;
        if let Ok(file) = rustix::fs::openat(dir, path, flags, Mode::empty()) {
            return Ok(file.into());
        }
    }
    // Follows links that stay in the folder, and says what is wrong with others.
    dir.open(path).map(cap_std::fs::File::into_std)
}

/// Reads whatever was opened to its end, unless it is larger than this.
pub(super) fn read_whole(file: impl Read, largest: u64, buffer: &mut [u8]) -> io::Result<Vec<u8>> {
    read_pieces(file, largest, buffer, |length| length == 0)
}

/// What fails or is interrupted while a regular file is read does so between blocks: a read that ends inside one has come
/// to the end of the file, which need not be asked again.
const BLOCK: usize = 512;

/// Reads a regular file, unless it is larger than this.
fn read_regular(file: impl Read, largest: u64, buffer: &mut [u8]) -> io::Result<Vec<u8>> {
    read_pieces(file, largest, buffer, |length| length == 0 || length % BLOCK != 0)
}

fn read_pieces(
    mut file: impl Read,
    largest: u64,
    buffer: &mut [u8],
    is_last: impl Fn(usize) -> bool,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let length = match file.read(buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        bytes.extend_from_slice(&buffer[..length]);
        if bytes.len() as u64 > largest {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {largest} bytes")));
        }
        if is_last(length) {
            return Ok(bytes);
        }
    }
}

/// What a name in the folder leads to.
enum Target {
    File(Vec<u8>),
    Folder,
    Other,
}

pub(super) fn unreadable_file(file: String, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::FileTooLarge if error.raw_os_error().is_none() => {
            Problem::of_file(file, error.to_string(), None)
        }
        // cap-std's own refusal, which no system call returned.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            let hint = "put the file itself into the folder".to_owned();
            Problem::of_file(file, "is a link that leads out of the folder, and is not followed", Some(hint))
        }
        io::ErrorKind::NotFound => Problem::of_file(file, "is a link to nothing, or has gone meanwhile", None),
        _ => Problem::of_file(file, format!("cannot be read: {error}"), rights(error)),
    }
}

pub(super) fn unreadable_folder(folder: &str, error: &io::Error) -> Problem {
    let folder = if folder.is_empty() { "." } else { folder };
    match error.kind() {
        io::ErrorKind::NotFound => {
            let hint = "`whimbrel init` makes one; `--dir` names another".to_owned();
            Problem::of_file(folder, "there is no such folder", Some(hint))
        }
        io::ErrorKind::NotADirectory => Problem::of_file(folder, "is not a folder", None),
        _ => Problem::of_file(folder, format!("the folder cannot be read: {error}"), rights(error)),
    }
}

fn rights(error: &io::Error) -> Option<String> {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    denied.then(|| "check who owns it and its folder, and their rights".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn says_what_to_do_about_rights() {
        // Who runs the tests may have every right.
        const EACCES: i32 = 13;
        let denied = io::Error::from_raw_os_error(EACCES);
        for problem in [unreadable_file("1_a.sql".to_owned(), &denied), unreadable_folder("m", &denied)] {
            assert!(problem.message.contains("cannot be read: "), "{problem}");
            assert!(problem.hint.is_some_and(|hint| hint.contains("rights")));
        }
    }

    /// Gives a file piece by piece, as a file system may where a read is interrupted; ends with a failure if told so.
    struct Pieces<'a> {
        rest: &'a [u8],
        piece: usize,
        fails: bool,
        /// How often it was asked.
        asked: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.asked += 1;
            if self.rest.is_empty() && self.fails {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let (now, rest) = self.rest.split_at(self.rest.len().min(self.piece).min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            self.rest = rest;
            Ok(now.len())
        }
    }

    #[test]
    fn reads_every_file_to_its_end() {
        let all: Vec<u8> = (0..3 * BUFFER).map(|byte| byte as u8).collect();
        let mut buffer = vec![0; BUFFER];
        let pieces = |length: usize, piece| Pieces { rest: &all[..length], piece, fails: false, asked: 0 };
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER] {
            for piece in [BLOCK, 8 * BLOCK, BUFFER, usize::MAX] {
                let read = read_regular(pieces(length, piece), u64::MAX, &mut buffer).expect("read");
                assert!(read == all[..length], "{length} bytes, {piece} at once");
            }
            let mut once = pieces(length, usize::MAX);
            read_regular(&mut once, u64::MAX, &mut buffer).expect("read");
            let whole_buffers = length / BUFFER;
            let again = usize::from(length % BLOCK == 0 && length % BUFFER != 0);
            assert_eq!(once.asked, whole_buffers + 1 + again, "{length} bytes");
            // A pipe gives what there is.
            let read = read_whole(pieces(length, 7), u64::MAX, &mut buffer).expect("read");
            assert!(read == all[..length], "{length} bytes, 7 at once");
        }
        // What ends with a block may have been cut short there.
        let broken = Pieces { rest: &all[..2 * BLOCK], piece: BLOCK, fails: true, asked: 0 };
        assert!(read_regular(broken, u64::MAX, &mut buffer).is_err());
    }
}
