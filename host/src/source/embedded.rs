//! Migrations inside the program, put there when it was compiled. Copies none of their bytes.

use std::borrow::Cow;
use std::fmt;

use super::file_name::SCRIPTS;
use super::layout::{self, Layout, Options};
use super::tree::{Kept, Tree};
use super::{Loaded, Problem, Source, SourceError};
use crate::interrupt::Interrupt;
use crate::shown::Size;

/// The files of a folder, embedded by `embed!`.
#[derive(Clone, Copy)]
pub struct Embedded {
    folder: &'static str,
    files: &'static [(&'static str, &'static [u8])],
    options: Options,
    endings: &'static [&'static str],
}

/// Without the bytes.
impl fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files.iter().map(|(path, bytes)| (path, Size(bytes))).collect();
        let mut shown = formatter.debug_struct("Embedded");
        shown.field("folder", &self.folder).field("files", &files).field("options", &self.options);
        shown.field("endings", &self.endings).finish()
    }
}

impl Embedded {
    /// Makes a source of paths below a folder, with `/` between their parts, and contents of files.
    pub const fn new(folder: &'static str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { folder, files, options: Options::DEFAULT, endings: &SCRIPTS }
    }

    /// Sets the endings of the files that are scripts; those of the engines of the program unless set. Files of others
    /// `embed!` takes where it is [told so](crate::embed).
    #[must_use]
    pub const fn scripts(mut self, endings: &'static [&'static str]) -> Self {
        self.endings = endings;
        self
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
        let mut twins = Vec::new();
        for (path, bytes) in self.files {
            if !tree.add(*path, Cow::Borrowed(bytes)) {
                twins.push(Problem::of_file(tree.shown(path), "is there twice", Some("keep one of them".to_owned())));
            }
        }
        let endings: Vec<String> = self.endings.iter().map(|&ending| ending.to_owned()).collect();
        let loaded = layout::load(&mut [&mut tree], &self.options, &endings);
        if twins.is_empty() {
            return loaded;
        }
        twins.extend(loaded.err().into_iter().flat_map(|error| error.problems));
        Err(SourceError::new(twins))
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        Self { options: self.options.of(tool), ..*self }.load(interrupt)
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

    /// Here the crate has no name of its own to be called by, as in a program that gives it another.
    #[test]
    fn embeds_whatever_the_crate_is_called() {
        const SAMPLE: Embedded = crate::embed!("../migrations");
        const LUA: Embedded = crate::embed!("../migrations", scripts = ["lua", "rb"],);
        assert_eq!(SAMPLE.load(&Interrupt::new()).expect("loaded").migrations.len(), 9);
        assert_eq!((SAMPLE.endings, LUA.endings), (&SCRIPTS[..], &["lua", "rb"][..]));
        assert!(format!("{SAMPLE:?}").len() < 2000, "{SAMPLE:?}");
    }

    #[test]
    fn says_that_a_file_is_there_twice() {
        static SAME: Embedded = Embedded::new("m", &[("4_d.sql", b"SELECT 1;"), ("4_d.sql", b"SELECT 1;")]);
        static OTHER: Embedded =
            Embedded::new("m", &[("4_d.sql", b"SELECT 1;"), ("5_e.wasm", b""), ("4_d.sql", b"SELECT 2;")]);
        let error = SAME.load(&Interrupt::new()).expect_err("two of one name");
        assert_eq!(error.to_string(), "m/4_d.sql: is there twice");
        let error = OTHER.load(&Interrupt::new()).expect_err("two of one name");
        let files: Vec<&str> = error.problems.iter().map(|problem| problem.file.as_str()).collect();
        assert_eq!(files, ["m/4_d.sql", "m/5_e.wasm", "m/5_e.wasm"], "with all other problems");
    }
}
