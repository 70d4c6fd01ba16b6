//! What comes out of an archive, within limits and under names that stay inside.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::{ArchiveLimits, Wrong};

/// So much may come out of however few bytes: short texts of one letter are no attack.
const FREE: u64 = 16 << 20;
/// Longest path of a file; systems allow no longer one.
const LONGEST_PATH: usize = 4096;

/// The files of an archive.
pub(super) struct Unpacked {
    limits: ArchiveLimits,
    /// How many bytes may come out altogether, and what stops them.
    most: u64,
    entries: usize,
    bytes: u64,
    /// By path; `None` is a folder.
    files: BTreeMap<String, Option<Vec<u8>>>,
}

/// The path of a file or folder that may be unpacked.
pub(super) struct InsidePath(String);

impl InsidePath {
    /// Takes the name of an entry; refuses one that would lead out of the archive.
    pub(super) fn of(name: &[u8]) -> Result<Self, Wrong> {
        let lossy = || String::from_utf8_lossy(name).into_owned();
        let text = str::from_utf8(name).map_err(|_| {
            Wrong::entry(lossy(), "has a name that is not UTF-8").hint("pack it with a tool that writes UTF-8 names")
        })?;
        let outside = text.starts_with('/') || text.contains(':') && text.as_bytes().get(1) == Some(&b':');
        let text = text.strip_suffix('/').unwrap_or(text);
        let mut inside = Vec::new();
        for part in text.split('/') {
            match part {
                "." => {}
                ".." => return Err(Wrong::entry(text, "has a name that leads out of the archive")),
                "" if !outside => return Err(Wrong::entry(text, "has a name with an empty part")),
                part => inside.push(part),
            }
        }
        if outside {
            return Err(Wrong::entry(text, "has a name that begins at the root of the file system"));
        }
        if text.contains('\\') {
            let hint = "pack it with a tool that writes `/` between folders";
            return Err(Wrong::entry(text, "has a name with a backslash").hint(hint));
        }
        if text.contains('\0') || text.len() > LONGEST_PATH {
            return Err(Wrong::entry(text.get(..80).unwrap_or(text), "has a name that no file can have"));
        }
        Ok(Self(inside.join("/")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Unpacked {
    /// Starts with nothing; `packed` is how large the archive is.
    pub(super) fn new(limits: ArchiveLimits, packed: usize) -> Self {
        let most = limits.unpacked.min(FREE.max(limits.ratio.saturating_mul(packed as u64)));
        Self { limits, most, entries: 0, bytes: 0, files: BTreeMap::new() }
    }

    /// Returns how long a stream may become that holds nothing but these files and a header for each.
    pub(super) fn most_of_a_stream(&self) -> u64 {
        const HEADERS: u64 = 4 << 10;
        self.most.saturating_add(HEADERS * self.limits.entries as u64).saturating_add(FREE)
    }

    /// Counts an entry, of whatever kind.
    pub(super) fn count(&mut self) -> Result<(), Wrong> {
        self.entries += 1;
        match self.entries > self.limits.entries {
            true => Err(Wrong::whole(format!("holds more than {} entries", self.limits.entries))),
            false => Ok(()),
        }
    }

    /// Takes a folder, which may be named more than once.
    pub(super) fn folder(&mut self, path: InsidePath) -> Result<(), Wrong> {
        match self.files.get(path.as_str()) {
            Some(Some(_)) => Err(twice(path.0)),
            _ if path.0.is_empty() => Ok(()),
            _ => {
                self.files.insert(path.0, None);
                Ok(())
            }
        }
    }

    /// Takes a file; `size` is what the archive says it has.
    pub(super) fn file(&mut self, path: InsidePath, size: u64, contents: impl Read) -> Result<(), Wrong> {
        if path.0.is_empty() {
            return Err(Wrong::whole("holds a file without a name"));
        }
        if self.files.contains_key(path.as_str()) {
            return Err(twice(path.0));
        }
        let left = self.most - self.bytes;
        if size > left {
            return Err(self.too_much(path.0));
        }
        let mut bytes = Vec::new();
        contents.take(left + 1).read_to_end(&mut bytes).map_err(|error| Wrong::entry(path.as_str(), broken(&error)))?;
        if bytes.len() as u64 > left {
            return Err(self.too_much(path.0));
        }
        if bytes.len() as u64 != size {
            let message = format!("has {} bytes, and not {size} as the archive says", bytes.len());
            return Err(Wrong::entry(path.0, message));
        }
        self.bytes += size;
        self.files.insert(path.0, Some(bytes));
        Ok(())
    }

    fn too_much(&self, path: String) -> Wrong {
        let message = if self.most < self.limits.unpacked {
            format!("unpacks to more than {} times the size of the archive", self.limits.ratio)
        } else {
            format!("makes the archive unpack to more than {} bytes", self.limits.unpacked)
        };
        Wrong::entry(path, message).hint("it may be made to fill the memory; unpack it yourself if you trust it")
    }

    /// Returns the files, without what macOS puts beside them.
    pub(super) fn into_files(self) -> Vec<(String, Vec<u8>)> {
        let files = self.files.into_iter().filter_map(|(path, bytes)| Some((path, bytes?)));
        files.filter(|(path, _)| !path.starts_with("__MACOSX/")).collect()
    }

    /// Checks that no file is a folder as well.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let is_file = |path: &str| matches!(self.files.get(path), Some(Some(_)));
        for path in self.files.keys() {
            let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
            if let Some(both) = folders.into_iter().find(|folder| is_file(folder)) {
                return Err(twice(both.to_owned()));
            }
        }
        Ok(())
    }
}

fn twice(path: String) -> Wrong {
    Wrong::entry(path, "is in the archive twice")
        .hint("make the archive anew; readers do not agree on which one counts")
}

/// Says why bytes could not be unpacked.
pub(super) fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "ends too early: the archive is not whole".to_owned(),
        // It repeats what is in the archive, as long as that is.
        _ => format!("cannot be unpacked: {}", error.to_string().chars().take(200).collect::<String>().escape_debug()),
    }
}
