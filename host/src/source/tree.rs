//! Files in their folders, before anybody has looked into them: what a folder, an archive and a program have in common.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::assemble::shown;
use super::problem::Problem;

/// Named bytes, some of them in folders. Paths are relative to the root and have `/` between their parts.
pub(super) trait Tree {
    /// Lists a folder, in any order; the root is "".
    fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Problem>;
    /// Reads a file.
    fn read(&mut self, path: &str) -> Result<Found, Problem>;
    /// Returns what to call a path in messages.
    fn shown(&self, path: &str) -> String;
}

/// Something in a folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Entry {
    /// Where it is.
    pub(super) path: String,
    /// Whether there are others in it. A link counts as a file until it is read.
    pub(super) is_folder: bool,
}

/// What a path leads to.
pub(super) enum Found {
    /// A file with these bytes.
    File(Cow<'static, [u8]>),
    /// A folder after all, behind a link.
    Folder,
}

impl Entry {
    /// Returns its name in its folder.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name)
    }
}

/// Returns the path of something in a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A tree whose bytes are in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// What the root is called.
    root: String,
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

impl Kept {
    /// Starts with no file.
    pub(super) fn new(root: impl Into<String>) -> Self {
        Self { root: root.into(), files: BTreeMap::new() }
    }

    /// Adds a file; the last one of a path counts.
    pub(super) fn add(&mut self, path: impl Into<String>, bytes: Cow<'static, [u8]>) {
        self.files.insert(path.into(), bytes);
    }
}

impl Tree for Kept {
    fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Problem> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: Vec<Entry> = self
            .files
            .range(prefix.clone()..)
            .map_while(|(path, _)| path.strip_prefix(&prefix))
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => Entry { path: join(folder, name), is_folder: true },
                None => Entry { path: join(folder, rest), is_folder: false },
            })
            .collect();
        entries.dedup();
        Ok(entries)
    }

    fn read(&mut self, path: &str) -> Result<Found, Problem> {
        match self.files.get(path) {
            Some(bytes) => Ok(Found::File(bytes.clone())),
            None => Ok(Found::Folder),
        }
    }

    fn shown(&self, path: &str) -> String {
        if path.is_empty() { self.root.clone() } else { shown(&self.root, path) }
    }
}

/// Remembers what was seen, so that a look into the files does not cost listing and reading them twice.
pub(super) struct Remembered<'t> {
    inner: &'t mut dyn Tree,
    root: Option<Vec<Entry>>,
    read: HashMap<String, Cow<'static, [u8]>>,
}

impl<'t> Remembered<'t> {
    /// Wraps a tree.
    pub(super) fn new(inner: &'t mut dyn Tree) -> Self {
        Self { inner, root: None, read: HashMap::new() }
    }

    /// Looks into a file for the first time; `None` if there is nothing to see, which whoever reads it will say.
    pub(super) fn peek(&mut self, path: &str) -> Option<&[u8]> {
        let Ok(Found::File(bytes)) = self.inner.read(path) else { return None };
        Some(self.read.entry(path.to_owned()).insert_entry(bytes).into_mut())
    }

    /// Keeps what the root was found to have, for whoever lists it next.
    pub(super) fn keep_root(&mut self, entries: Vec<Entry>) {
        self.root = Some(entries);
    }
}

impl Tree for Remembered<'_> {
    fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Problem> {
        match self.root.take_if(|_| folder.is_empty()) {
            Some(entries) => Ok(entries),
            None => self.inner.list(folder),
        }
    }

    fn read(&mut self, path: &str) -> Result<Found, Problem> {
        match self.read.remove(path) {
            Some(bytes) => Ok(Found::File(bytes)),
            None => self.inner.read(path),
        }
    }

    fn shown(&self, path: &str) -> String {
        self.inner.shown(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_files_and_folders_of_each_folder() {
        let mut tree = Kept::new("m");
        for path in ["a.sql", "b/up.sql", "b/down.sql", "b.sql", "c/d/e.sql"] {
            tree.add(path, Cow::Borrowed(path.as_bytes()));
        }
        let mut listed = |folder| -> Vec<String> {
            let entries = tree.list(folder).expect("listed");
            entries.iter().map(|entry| format!("{}{}", entry.path, if entry.is_folder { "/" } else { "" })).collect()
        };
        assert_eq!(listed(""), ["a.sql", "b.sql", "b/", "c/"]);
        assert_eq!(listed("b"), ["b/down.sql", "b/up.sql"]);
        assert_eq!(listed("c"), ["c/d/"]);
        assert!(listed("nowhere").is_empty());
        assert!(matches!(tree.read("b/up.sql"), Ok(Found::File(bytes)) if *bytes == *b"b/up.sql"));
        assert!(matches!(tree.read("b"), Ok(Found::Folder)));
        assert_eq!(tree.shown("b/\u{1b}"), "m/b/\\u{1b}");
    }
}
