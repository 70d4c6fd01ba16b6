//! Migrations whose files are values of the program.

use std::borrow::Cow;

use super::file_name::SCRIPTS;
use super::layout::{self, Layout, Options};
use super::tree::Kept;
use super::{Loaded, Source, SourceError};
use crate::interrupt::Interrupt;

/// Files in memory, read as if they lay in a folder.
#[derive(Clone, Debug)]
pub struct Memory {
    name: String,
    tree: Kept,
    options: Options,
    endings: Vec<String>,
}

impl Memory {
    /// Starts with no file; `name` is what the folder is called in messages.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            tree: Kept::new(name.clone()),
            name,
            options: Options::DEFAULT,
            endings: SCRIPTS.map(str::to_owned).into(),
        }
    }

    /// Adds a file at a path with `/` between its parts; the last one of a path counts.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.tree.add(path, Cow::Owned(bytes.into()));
        self
    }

    /// Sets the endings of the files that are scripts; those of the engines of the program unless set.
    #[must_use]
    pub fn scripts(mut self, endings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.endings = endings.into_iter().map(Into::into).collect();
        self
    }

    /// Says whose way the files are laid out; found out unless set.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.options.layout = layout;
        self
    }

    /// Reads the folders as well; layouts of other tools know by themselves whether to.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.options.recursive = recursive;
        self
    }
}

impl Source for Memory {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        layout::load(&mut [&mut self.tree.clone()], &self.options, &self.endings)
    }

    fn load_of(&self, tool: Layout, _: &Interrupt) -> Result<Loaded, SourceError> {
        layout::load(&mut [&mut self.tree.clone()], &self.options.of(tool), &self.endings)
    }

    fn describe(&self) -> String {
        format!("{} (in memory)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn scripts_are_what_it_is_told() {
        let files = Memory::new("m").file("1_a.js", "x").file("2_b.lua", "x");
        let kinds = |memory: &Memory| {
            let loaded = memory.load(&Interrupt::new()).expect("loaded");
            let kinds: Vec<_> = loaded.migrations.iter().map(|one| (one.file.clone(), one.kind())).collect();
            (kinds, loaded.ignored.len())
        };
        assert_eq!(kinds(&files), (vec![("m/1_a.js".to_owned(), Kind::Script)], 1));
        assert_eq!(kinds(&files.scripts(["lua"])), (vec![("m/2_b.lua".to_owned(), Kind::Script)], 1));
    }
}
