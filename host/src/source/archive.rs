//! Migrations in an archive: `.zip`, `.tar`, `.tar.gz`, `.tar.zst`, told by what is in it and not by its name. Writes no
//! file, follows no link.

mod tar;
mod unpacked;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::assemble::shown;
use super::file_name::SCRIPTS;
use super::layout::{self, Layout, Options};
use super::open_folder::LARGEST;
use super::problem::Problem;
use super::tree::Kept;
use super::{Loaded, Source, SourceError};
use crate::interrupt::Interrupt;
use unpacked::Unpacked;

/// Endings of the names of archives, so that a path to one is not taken for a folder.
pub const ARCHIVE_ENDINGS: [&str; 6] = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"];

/// The files of an archive. If all of them lie in one folder, that folder is the root.
#[derive(Clone, Debug)]
pub struct Archive {
    path: PathBuf,
    opening: Opening,
}

/// How much an archive may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ArchiveLimits {
    /// Bytes of the archive itself.
    pub packed: u64,
    /// Files and folders.
    pub entries: usize,
    /// Bytes of all files together.
    pub unpacked: u64,
    /// Bytes that one byte of the archive may unpack to; the first 16 MiB are not counted.
    pub ratio: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { packed: LARGEST, entries: 50_000, unpacked: 2 * LARGEST, ratio: 200 }
    }
}

/// How the bytes of an archive are read, wherever they come from.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) options: Options,
    pub(super) limits: ArchiveLimits,
    pub(super) endings: Vec<String>,
}

impl Default for Opening {
    fn default() -> Self {
        Self { options: Options::DEFAULT, limits: ArchiveLimits::default(), endings: SCRIPTS.map(str::to_owned).into() }
    }
}

impl Archive {
    /// Makes a source of a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), opening: Opening::default() }
    }

    /// Tells by its name whether a path that is no folder is an archive.
    pub fn is_archive(path: &Path) -> bool {
        let name = path.to_string_lossy().to_ascii_lowercase();
        ARCHIVE_ENDINGS.iter().any(|ending| name.ends_with(ending)) && !path.is_dir()
    }

    /// Sets the endings of the files that are scripts; those of the engines of the program unless set.
    #[must_use]
    pub fn scripts(mut self, endings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.opening.endings = endings.into_iter().map(Into::into).collect();
        self
    }

    /// Says whose way the archive is laid out; found out unless set.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.opening.options.layout = layout;
        self
    }

    /// Reads the folders in the root as well; layouts of other tools know by themselves whether to.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.opening.options.recursive = recursive;
        self
    }

    /// Sets how much it may hold.
    #[must_use]
    pub fn limits(mut self, limits: ArchiveLimits) -> Self {
        self.opening.limits = limits;
        self
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Problem> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                Problem::of_file(name, "there is no such archive", Some("`--dir` names another".to_owned()))
            }
            _ => Problem::of_file(name, format!("cannot be read: {error}"), None),
        };
        // Opening a pipe would wait for whoever writes into it.
        let about = std::fs::metadata(&self.path).map_err(unreadable)?;
        if !about.is_file() {
            return Err(Problem::of_file(name, "is not a regular file", None));
        }
        let most = self.opening.limits.packed;
        let mut bytes = Vec::new();
        File::open(&self.path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        if bytes.len() as u64 > most {
            return Err(Problem::of_file(name, format!("is larger than {most} bytes"), None));
        }
        Ok(bytes)
    }
}

impl Source for Archive {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let name = self.describe();
        let bytes = self.read(&name).map_err(|problem| SourceError::new(vec![problem]))?;
        self.opening.load(&name, &bytes)
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        Self { opening: self.opening.of(tool), ..self.clone() }.load(interrupt)
    }

    fn describe(&self) -> String {
        shown("", &self.path.to_string_lossy())
    }
}

impl Opening {
    /// Returns how the archive is read whose migrations a tool has applied.
    pub(super) fn of(&self, tool: Layout) -> Self {
        Self { options: self.options.of(tool), ..self.clone() }
    }

    /// Reads the migrations in the bytes of an archive, which is called `name` in messages.
    pub(super) fn load(&self, name: &str, bytes: &[u8]) -> Result<Loaded, SourceError> {
        let mut tree = self.unpack(name, bytes).map_err(|problem| SourceError::new(vec![problem]))?;
        layout::load(&mut [&mut tree], &self.options, &self.endings)
    }

    fn unpack(&self, name: &str, bytes: &[u8]) -> Result<Kept, Problem> {
        let mut unpacked = Unpacked::new(self.limits, bytes.len());
        let read =
            match bytes {
                [b'P', b'K', 3 | 5, 4 | 6, ..] => zip::read(bytes, &mut unpacked),
                [0x1f, 0x8b, ..] => tar::read(flate2::read::MultiGzDecoder::new(bytes), &mut unpacked),
                [0x28, 0xb5, 0x2f, 0xfd, ..] => match zstd::Decoder::with_buffer(bytes) {
                    Ok(decoder) => tar::read(decoder, &mut unpacked),
                    Err(error) => Err(Wrong::whole(format!("cannot be unpacked: {error}"))),
                },
                _ if bytes.get(257..262) == Some(b"ustar") => tar::read(bytes, &mut unpacked),
                [] => Err(Wrong::whole("is empty").hint("whoever wrote it may have been stopped; make it anew")),
                _ => Err(Wrong::whole("is no archive: neither zip nor tar, gzip nor zstd")
                    .hint("pack it as zip or .tar.zst")),
            };
        match read {
            Ok(()) => Ok(tree(name, unpacked)),
            Err(Wrong { entry, message, hint }) => {
                Err(Problem::of_file(entry.map_or_else(|| name.to_owned(), |entry| shown(name, &entry)), message, hint))
            }
        }
    }
}

/// What is wrong with an archive, or with one entry of it.
struct Wrong {
    entry: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Wrong {
    fn whole(message: impl Into<String>) -> Self {
        Self { entry: None, message: message.into(), hint: None }
    }

    fn entry(entry: impl Into<String>, message: impl Into<String>) -> Self {
        Self { entry: Some(entry.into()), message: message.into(), hint: None }
    }

    fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }
}

/// Makes a tree of what was unpacked. One folder around everything, as `tar c migrations` leaves it, is taken off; but not
/// one that is itself a migration (diesel, Prisma) or says which database its files are for.
fn tree(name: &str, unpacked: Unpacked) -> Kept {
    let files = unpacked.into_files();
    let root = files.first().and_then(|(path, _)| path.split_once('/')).map(|(root, _)| format!("{root}/"));
    let root = root.filter(|root| {
        let word = root.trim_end_matches('/');
        let has_meaning =
            word.starts_with(|first: char| first.is_ascii_digit() || first == '.') || layout::is_database(word);
        !has_meaning && files.iter().all(|(path, _)| path.starts_with(root.as_str()))
    });
    let root = root.unwrap_or_default();
    let mut tree = Kept::new(if root.is_empty() { name.to_owned() } else { shown(name, root.trim_end_matches('/')) });
    for (path, bytes) in files {
        tree.add(path[root.len()..].to_owned(), bytes.into());
    }
    tree
}
