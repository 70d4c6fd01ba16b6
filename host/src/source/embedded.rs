//! Migrations inside the program, put there when it was compiled. Copies none of their bytes.

use std::borrow::Cow;

use super::layout::{self, Layout, Options};
use super::tree::Kept;
use super::{Loaded, Source, SourceError};
use crate::interrupt::Interrupt;

/// The files of a folder, embedded by `embed!`.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    folder: &'static str,
    files: &'static [(&'static str, &'static [u8])],
    options: Options,
}

impl Embedded {
    /// Makes a source of paths below a folder, with `/` between their parts, and contents of files.
    pub const fn new(folder: &'static str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { folder, files, options: Options::DEFAULT }
    }

    /// Says whose way the folder is laid out; found out unless set.
    #[must_use]
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.options.layout = layout;
        self
    }

    /// Reads the folders in the folder as well; layouts of other tools know by themselves whether to.
    #[must_use]
    pub const fn recursive(mut self, recursive: bool) -> Self {
        self.options.recursive = recursive;
        self
    }
}

impl Source for Embedded {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let mut tree = Kept::new(self.folder);
        for (path, bytes) in self.files {
            tree.add(*path, Cow::Borrowed(bytes));
        }
        layout::load(&mut [&mut tree], &self.options)
    }

    fn describe(&self) -> String {
        format!("{} (embedded)", self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;

    static FILES: Embedded = Embedded::new(
        "migrations",
        &[("0001_a.sql", b"SELECT 1;"), ("0002_b.wasm", b"\0asm"), ("0002_b.toml", b""), ("notes.txt", b"x")],
    );

    #[test]
    fn lends_its_bytes() {
        let loaded = FILES.load(&Interrupt::new()).expect("loaded");
        for (migration, file) in loaded.migrations.iter().zip(FILES.files) {
            let bytes = match &migration.body {
                Body::Sql { up, .. } => up.text.as_bytes(),
                Body::Component { bytes } | Body::Transform { bytes, .. } => bytes,
                Body::Script { files, .. } => files.main.text.as_bytes(),
                Body::Rust(_) => panic!("no Rust here"),
            };
            assert!(std::ptr::eq(bytes, file.1));
        }
        assert_eq!((loaded.migrations.len(), loaded.ignored.len()), (2, 1));
    }
}
