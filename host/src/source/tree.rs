//! Files in their folders, before anybody has looked into them: what a folder, an archive and a program have in common.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use super::assemble::shown;
use super::problem::Problem;
use crate::shown::Size;

/// Named bytes, some of them in folders. Paths are relative to the root and have `/` between their parts.
pub(super) trait Tree {
    /// Lists a folder, in any order; the root is "".
    fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Problem>;
    /// Reads a file.
    fn read(&mut self, path: &str) -> Result<Found, Problem>;
    /// Returns what to call a path in messages.
    fn shown(&self, path: &str) -> String;
    /// Tells where a path leads that is a link, but for one to a file, which is as good as the file.
    fn link(&self, path: &str) -> Option<Link> {
        let _ = path;
        None
    }
}

/// Where a link leads that is not one to a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Link {
    /// To a folder, or out of the root.
    Away,
    /// To nothing.
    Nowhere,
}

/// Something in a folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Entry {
    /// Where it is.
    pub(super) path: String,
    /// Where in that its name begins: it is asked for often.
    name: usize,
    /// Whether there are others in it. A link counts as a file until it is read.
    pub(super) is_folder: bool,
    /// What it holds, if somebody has looked into it already.
    pub(super) seen: Option<Cow<'static, [u8]>>,
}

/// What a path leads to.
pub(super) enum Found {
    /// A file with these bytes.
    File(Cow<'static, [u8]>),
    /// A folder after all, behind a link.
    Folder,
}

impl Entry {
    /// Names something in a folder that nobody has looked into.
    pub(super) fn new(folder: &str, name: String, is_folder: bool) -> Self {
        let length = name.len();
        let path = if folder.is_empty() { name } else { join(folder, &name) };
        Self { name: path.len() - length, path, is_folder, seen: None }
    }

    /// Returns its name in its folder.
    pub(super) fn name(&self) -> &str {
        &self.path[self.name..]
    }

    /// Looks into a file for the first time; `None` if there is nothing to see, which whoever reads it will say.
    pub(super) fn peek(&mut self, tree: &mut dyn Tree) -> Option<&[u8]> {
        if let Ok(Found::File(bytes)) = tree.read(&self.path) {
            self.seen = Some(bytes);
        }
        self.seen.as_deref()
    }

    /// Reads it, unless somebody has looked into it.
    pub(super) fn read(&mut self, tree: &mut dyn Tree) -> Result<Found, Problem> {
        self.seen.take().map_or_else(|| tree.read(&self.path), |bytes| Ok(Found::File(bytes)))
    }
}

/// Returns the path of something in a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A tree whose bytes are in memory.
#[derive(Clone, Default)]
pub(super) struct Kept {
    /// What the root is called.
    root: String,
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

/// Without the bytes.
impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.files.iter().map(|(path, bytes)| (path, Size(bytes)))).finish()
    }
}

impl Kept {
    /// Starts with no file.
    pub(super) fn new(root: impl Into<String>) -> Self {
        Self { root: root.into(), files: BTreeMap::new() }
    }

    /// Adds a file; the last one of a path counts. Tells whether it is the first.
    pub(super) fn add(&mut self, path: impl Into<String>, bytes: Cow<'static, [u8]>) -> bool {
        self.files.insert(path.into(), bytes).is_none()
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
                Some((name, _)) => Entry::new(folder, name.to_owned(), true),
                None => Entry::new(folder, rest.to_owned(), false),
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

/// Lists a folder in the order of its paths: they are wanted in order in the end, and are nowhere as small as here.
pub(super) fn sorted(tree: &mut dyn Tree, folder: &str) -> Result<Vec<Entry>, Problem> {
    let mut entries = tree.list(folder)?;
    entries.sort_unstable_by(|left, right| by_path(&left.path, &right.path));
    Ok(entries)
}

/// Compares as texts are compared.
fn by_path(left: &str, right: &str) -> Ordering {
    match (left.as_bytes().first_chunk(), right.as_bytes().first_chunk()) {
        // The numbers that names begin with mostly settle it, and are compared as one.
        (Some(one), Some(other)) if one != other => u64::from_be_bytes(*one).cmp(&u64::from_be_bytes(*other)),
        _ => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn compares_paths_as_texts(start in "[a-c0]{0,9}", left in "\\PC{0,9}", right in "\\PC{0,9}") {
            let (left, right) = (format!("{start}{left}"), format!("{start}{right}"));
            prop_assert_eq!(by_path(&left, &right), left.cmp(&right));
        }
    }

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
        assert_eq!(tree.shown("b/it's"), "m/b/it's");
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
        for path in ["1.sql", "2.sql", "2/1.sql", "3.toml"] {
            tree.kept.add(path, Cow::Borrowed(path.as_bytes()));
        }
        let mut entries = sorted(&mut tree, "").expect("listed");
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["1.sql", "2", "2.sql", "3.toml"]);
        for entry in entries.iter_mut().filter(|entry| entry.path.ends_with(".sql")) {
            let path = entry.path.clone();
            assert_eq!(entry.peek(&mut tree), Some(path.as_bytes()));
        }
        assert_eq!(entries[1].peek(&mut tree), None, "a folder");
        for mut entry in entries.into_iter().filter(|entry| !entry.is_folder) {
            let read = entry.read(&mut tree);
            assert!(matches!(read, Ok(Found::File(bytes)) if *bytes == *entry.path.as_bytes()), "{}", entry.path);
        }
        let reads: Vec<(&str, usize)> = tree.reads.iter().map(|(path, reads)| (path.as_str(), *reads)).collect();
        assert_eq!(reads, [("1.sql", 1), ("2", 1), ("2.sql", 1), ("3.toml", 1)]);
    }
}
