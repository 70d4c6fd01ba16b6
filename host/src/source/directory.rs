//! Migrations in a folder. Reads nothing outside it and writes nothing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::assemble::shown;
use super::file_name::{FileName, Part, SCRIPTS};
use super::layout::{self, Layout, Options};
use super::problem::Problem;
use super::renumber::{self, Listed, Renumber, Renumbering};
use super::repoint::{Pointing, Repointed};
use super::tree::{self, Entry, Found, Tree};
use super::{Loaded, Source, SourceError};
use crate::interrupt::Interrupt;
use crate::model::Manifest;
use crate::sql;

/// The files of a folder, or of several that make one source.
///
/// Only opening a folder takes the rights of the process; everything after that is confined to it, so that a symbolic
/// link cannot lead the host to another file.
#[derive(Clone, Debug)]
pub struct Directory {
    paths: Vec<PathBuf>,
    options: Options,
    largest: u64,
    endings: Vec<String>,
}

/// More than any script or component; keeps a stray file from filling the memory.
pub(super) const LARGEST: u64 = 256 << 20;

/// Most files are smaller, and are read with one call.
pub(super) const BUFFER: usize = 64 << 10;

impl Directory {
    /// Makes a source of a folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            paths: vec![path.into()],
            options: Options::DEFAULT,
            largest: LARGEST,
            endings: SCRIPTS.map(str::to_owned).into(),
        }
    }

    /// Sets the endings of the files that are scripts; those of the engines of the program unless set.
    #[must_use]
    pub fn scripts(mut self, endings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.endings = endings.into_iter().map(Into::into).collect();
        self
    }

    /// Adds another folder to the same source.
    #[must_use]
    pub fn and(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Says whose way the folder is laid out; found out unless set.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.options.layout = layout;
        self
    }

    /// Reads the folders in the folder as well; layouts of other tools know by themselves whether to.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.options.recursive = recursive;
        self
    }

    /// Returns the folder, the first of several.
    pub fn path(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Finds whose way the first folder is laid out.
    pub fn find_layout(&self) -> Result<Layout, SourceError> {
        let mut reader =
            OpenFolder::open(self.path(), self.largest).map_err(|problem| SourceError::new(vec![problem]))?;
        layout::layout(&mut reader, &self.options).map_err(|problem| SourceError::new(vec![problem]))
    }

    /// Decides which migrations get new versions, at the end of the chain. Writes nothing.
    pub fn renumber(&self, wanted: &Renumber<'_>) -> Result<Renumbering, SourceError> {
        let layout = self.find_layout()?;
        let mut listed = Vec::new();
        self.each_file(layout, |folder, path, shown, reader| {
            let judged = layout.judge(path, &self.endings);
            let out_of_order = match &judged {
                FileName::Part { part, .. } => may_be_out_of_order(layout, path, *part, reader),
                FileName::Library { .. } | FileName::Ignored(_) | FileName::Malformed { .. } => false,
            };
            let (folder, path) = (folder.to_owned(), path.to_owned());
            listed.push(Listed { folder, path, shown, judged, out_of_order });
        })?;
        renumber::renumber(layout, &listed, wanted)
    }

    /// Writes the new versions of a chain's migrations where files of this folder depend on them; `own` if they are of
    /// that chain. Changes no file.
    pub fn repoint(&self, chain: &str, own: bool, renumbering: &Renumbering) -> Result<Repointed, SourceError> {
        let pointing = Pointing { chain, own, renumbering };
        let layout = self.find_layout()?;
        let mut all = Repointed::default();
        self.each_file(layout, |folder, path, shown, reader| {
            if matches!(layout.judge(path, &self.endings), FileName::Part { part, .. } if part != Part::Component)
                && let Ok(Found::File(bytes)) = reader.read(path)
                && let Ok(text) = str::from_utf8(&bytes)
            {
                pointing.file(folder.join(path), &shown, text, &mut all);
            }
        })?;
        Ok(all)
    }

    /// Goes through the files that this source reads, in order.
    fn each_file(
        &self,
        layout: Layout,
        mut see: impl FnMut(&Path, &str, String, &mut OpenFolder),
    ) -> Result<(), SourceError> {
        let refuse = |problem| SourceError::new(vec![problem]);
        for path in &self.paths {
            let mut reader = OpenFolder::open(path, self.largest).map_err(refuse)?;
            let mut folders = vec![String::new()];
            while let Some(folder) = folders.pop() {
                for Entry { path: file, is_folder, .. } in tree::sorted(&mut reader, &folder).map_err(refuse)? {
                    if is_folder && layout::is_read(layout, &file, &self.options) {
                        folders.push(file);
                    } else if !is_folder {
                        let shown = reader.shown(&file);
                        see(path, &file, shown, &mut reader);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Tells whether a migration says itself that it may be applied although a later one is.
fn may_be_out_of_order(layout: Layout, path: &str, part: Part, reader: &mut OpenFolder) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if layout == Layout::Refinery && name.starts_with('U') {
        return true;
    }
    let Ok(Found::File(bytes)) = reader.read(path) else { return false };
    let Ok(text) = str::from_utf8(&bytes) else { return false };
    match part {
        Part::Manifest => Manifest::parse(name, text).is_ok_and(|manifest| manifest.placement.out_of_order),
        part if part.is_sql() => sql::directives(text).is_ok_and(|directives| directives.out_of_order),
        _ => false,
    }
}

impl Source for Directory {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let mut readers = Vec::new();
        let mut problems = Vec::new();
        for path in &self.paths {
            match OpenFolder::open(path, self.largest) {
                Ok(reader) => readers.push(reader),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(SourceError::new(problems));
        }
        let mut trees: Vec<&mut dyn Tree> = readers.iter_mut().map(|reader| reader as &mut dyn Tree).collect();
        layout::load_with(&mut trees, &self.options, &self.endings)
    }

    fn describe(&self) -> String {
        self.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
    }
}

/// An open folder.
struct OpenFolder {
    dir: Dir,
    folder: String,
    largest: u64,
    buffer: Vec<u8>,
    /// What its folder does not call a regular file, such as a link: asked what it is before it is opened.
    unsure: HashSet<String>,
}

impl OpenFolder {
    fn open(path: &Path, largest: u64) -> Result<Self, Problem> {
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
}

/// Opens a file of a folder.
pub(super) fn open(dir: &Dir, path: &str) -> io::Result<File> {
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
        _ => Problem::of_file(file, format!("cannot be read: {error}"), None),
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
        _ => Problem::of_file(folder, format!("the folder cannot be read: {error}"), None),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("file");
        }
        folder
    }

    fn problems(source: &Directory) -> Vec<String> {
        let error = source.load(&Interrupt::new()).expect_err("problems");
        let prefix = source.path().display().to_string();
        error.problems.iter().map(|problem| problem.to_string().replace(&prefix, "m")).collect()
    }

    #[test]
    fn reads_the_files_of_a_folder() {
        let long = format!("SELECT '{}';", "x".repeat(3 * BUFFER));
        let folder = folder(&[("0001_a.sql", b"SELECT 1;"), ("0002_b.sql", long.as_bytes()), ("notes.txt", b"")]);
        fs::create_dir(folder.path().join("0003_c.sql")).expect("folder");
        let loaded = Directory::new(folder.path()).load(&Interrupt::new()).expect("loaded");
        let checksums: Vec<_> = loaded.migrations.iter().map(|migration| migration.checksum()).collect();
        assert_eq!(checksums, ["SELECT 1;", &long].map(|text| crate::model::Checksum::of(text.as_bytes())));
        let ignored: Vec<&str> = loaded.ignored.iter().map(|ignored| ignored.reason.as_str()).collect();
        assert_eq!(ignored, ["a folder", "neither .sql nor .wasm nor .toml nor a script"]);
    }

    /// Gives a file piece by piece, as a file system may where a read is interrupted; ends with a failure if told so.
    struct Pieces<'a> {
        rest: &'a [u8],
        piece: usize,
        fails: bool,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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
        let pieces = |length: usize, piece| Pieces { rest: &all[..length], piece, fails: false };
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER] {
            for piece in [BLOCK, 8 * BLOCK, BUFFER, usize::MAX] {
                let read = read_regular(pieces(length, piece), u64::MAX, &mut buffer).expect("read");
                assert!(read == all[..length], "{length} bytes, {piece} at once");
            }
            // A pipe gives what there is.
            let read = read_whole(pieces(length, 7), u64::MAX, &mut buffer).expect("read");
            assert!(read == all[..length], "{length} bytes, 7 at once");
        }
        // What ends with a block may have been cut short there.
        let broken = Pieces { rest: &all[..2 * BLOCK], piece: BLOCK, fails: true };
        assert!(read_regular(broken, u64::MAX, &mut buffer).is_err());
    }

    #[test]
    fn says_what_is_wrong_with_the_folder() {
        let folder = folder(&[("file", b"")]);
        let cases = [("nowhere", "m: there is no such folder"), ("file", "m: is not a folder")];
        for (name, expected) in cases {
            assert_eq!(problems(&Directory::new(folder.path().join(name))), [expected]);
        }
        assert!(Directory::new(folder.path()).load(&Interrupt::new()).expect("empty").migrations.is_empty());
    }

    #[test]
    fn refuses_a_file_that_is_too_large() {
        let folder = folder(&[("0001_a.sql", b"SELECT 1;"), ("0002_b.sql", b"SELECT 12;")]);
        let source = Directory { largest: 9, ..Directory::new(folder.path()) };
        assert_eq!(problems(&source), ["m/0002_b.sql: is larger than 9 bytes"]);
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_inside_the_folder_only() {
        use std::os::unix::fs::symlink;

        let outside = folder(&[("secret.sql", b"SELECT 1;")]);
        let folder = folder(&[("0001_a.sql", b"SELECT 1;")]);
        let link = |target: &Path, name: &str| symlink(target, folder.path().join(name)).expect("link");
        link(Path::new("0001_a.sql"), "0002_b.sql");
        link(Path::new("nothing"), ".#0001_a.sql");
        assert_eq!(Directory::new(folder.path()).load(&Interrupt::new()).expect("loaded").migrations.len(), 2);

        link(&outside.path().join("secret.sql"), "0003_c.sql");
        link(Path::new("../../../../../../../../etc/passwd"), "0004_d.sql");
        link(Path::new("nothing"), "0005_e.sql");
        link(Path::new("/dev/null"), "0006_f.sql");
        link(Path::new("0007_g.sql"), "0007_g.sql");
        let found = problems(&Directory::new(folder.path()));
        let out = "is a link that leads out of the folder, and is not followed";
        assert_eq!(
            found[..4],
            [
                format!("m/0003_c.sql: {out}"),
                format!("m/0004_d.sql: {out}"),
                "m/0005_e.sql: is a link to nothing, or has gone meanwhile".to_owned(),
                format!("m/0006_f.sql: {out}"),
            ]
        );
        assert!(found[4].starts_with("m/0007_g.sql: cannot be read: "), "{}", found[4]);
    }

    #[cfg(unix)]
    #[test]
    fn opens_no_pipe_and_escapes_hostile_names() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::UnixListener;

        let folder = folder(&[("2_\u{1b}[2J.sql", b""), ("\u{1b}", b"")]);
        fs::write(folder.path().join(OsStr::from_bytes(b"3_\xff.sql")), b"").expect("file");
        let _socket = UnixListener::bind(folder.path().join("1_a.sql")).expect("socket");
        let found = problems(&Directory::new(folder.path()));
        assert_eq!(found[0], "m/1_a.sql: is not a regular file");
        assert!(found[1].starts_with("m/2_\\u{1b}[2J.sql: `\\u{1b}` cannot stand in a name"), "{}", found[1]);
        assert!(found[2].starts_with("m/3_\u{fffd}.sql: `\u{fffd}` cannot stand in a name"), "{}", found[2]);
    }
}
