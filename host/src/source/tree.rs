//! Files in their folders, before anybody has looked into them: what a folder, an archive and a program have in common.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

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
    /// Files of the root, in the order of their paths.
    read: VecDeque<(String, Cow<'static, [u8]>)>,
}

impl<'t> Remembered<'t> {
    /// Wraps a tree.
    pub(super) fn new(inner: &'t mut dyn Tree) -> Self {
        Self { inner, root: None, read: VecDeque::new() }
    }

    /// Looks into a file of the root for the first time, after those that are listed before it; `None` if there is
    /// nothing to see, which whoever reads it will say.
    pub(super) fn peek(&mut self, path: &str) -> Option<&[u8]> {
        let Ok(Found::File(bytes)) = self.inner.read(path) else { return None };
        self.read.push_back((path.to_owned(), bytes));
        self.read.back().map(|(_, bytes)| &**bytes)
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
            None => {
                // They are wanted in order in the end, and are nowhere as small as here.
                let mut entries = self.inner.list(folder)?;
                entries.sort();
                Ok(entries)
            }
        }
    }

    fn read(&mut self, path: &str) -> Result<Found, Problem> {
        // Whoever reads goes through the root in its order, so that what lies before is not wanted any more.
        if !path.contains('/') {
            while let Some((read, bytes)) = self.read.pop_front_if(|(read, _)| read.as_str() <= path) {
                if read == path {
                    return Ok(Found::File(bytes));
                }
            }
        }
        self.inner.read(path)
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

    /// A tree that lists backwards and counts how often each file is read.
    #[derive(Default)]
    struct Counted {
        kept: Kept,
        reads: BTreeMap<String, usize>,
    }

    impl Tree for Counted {
        fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Problem> {
            self.kept.list(folder).map(|entries| entries.into_iter().rev().collect())
        }

        fn read(&mut self, path: &str) -> Result<Found, Problem> {
            *self.reads.entry(path.to_owned()).or_default() += 1;
            self.kept.read(path)
        }

        fn shown(&self, path: &str) -> String {
            self.kept.shown(path)
        }
    }

    #[test]
    fn reads_no_file_twice_that_was_looked_into() {
        let mut tree = Counted::default();
        for path in ["1.sql", "2.sql", "2/1.sql", "3.toml", "4.sql", "5.sql"] {
            tree.kept.add(path, Cow::Borrowed(path.as_bytes()));
        }
        let mut remembered = Remembered::new(&mut tree);
        let root = remembered.list("").expect("listed");
        let paths: Vec<&str> = root.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["1.sql", "2", "2.sql", "3.toml", "4.sql", "5.sql"]);
        for path in ["1.sql", "2.sql", "4.sql", "5.sql"] {
            assert_eq!(remembered.peek(path), Some(path.as_bytes()));
        }
        // One that was looked into is not wanted after all, and some were not looked into.
        for path in ["2/1.sql", "2.sql", "3.toml", "4.sql", "5.sql", "5.sql"] {
            assert!(matches!(remembered.read(path), Ok(Found::File(bytes)) if *bytes == *path.as_bytes()), "{path}");
        }
        drop(remembered);
        let reads: Vec<(&str, usize)> = tree.reads.iter().map(|(path, reads)| (path.as_str(), *reads)).collect();
        let expected = [("1.sql", 1), ("2.sql", 1), ("2/1.sql", 1), ("3.toml", 1), ("4.sql", 1), ("5.sql", 2)];
        assert_eq!(reads, expected);
    }
}
