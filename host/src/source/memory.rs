//! Migrations whose files are values of the program.

use std::borrow::Cow;

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
}

impl Memory {
    /// Starts with no file; `name` is what the folder is called in messages.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { tree: Kept::new(name.clone()), name, options: Options::DEFAULT }
    }

    /// Adds a file at a path with `/` between its parts; the last one of a path counts.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.tree.add(path, Cow::Owned(bytes.into()));
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
        layout::load(&mut [&mut self.tree.clone()], &self.options)
    }

    fn load_of(&self, tool: Layout, _: &Interrupt) -> Result<Loaded, SourceError> {
        layout::load(&mut [&mut self.tree.clone()], &self.options.of(tool))
    }

    fn describe(&self) -> String {
        format!("{} (in memory)", self.name)
    }
}
