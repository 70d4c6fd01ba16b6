//! Migrations inside the program, put there when it was compiled. Copies none of their bytes.

use std::borrow::Cow;

use super::assemble::{Gathered, assemble, shown};
use super::scripts::Shared;
use super::{Loaded, Source, SourceError};

/// The files of a folder, embedded by `embed!`.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    folder: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

impl Embedded {
    /// Makes a source of names and contents of files.
    pub const fn new(folder: &'static str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { folder, files }
    }
}

impl Source for Embedded {
    fn load(&self) -> Result<Loaded, SourceError> {
        let mut gathered = Gathered::default();
        for (name, bytes) in self.files {
            let shown = shown(self.folder, name);
            match gathered.judge(shown.clone(), name) {
                Some(mut file) => {
                    file.bytes = Cow::Borrowed(bytes);
                    gathered.files.push(file);
                }
                None if gathered.is_script(name) => {
                    let path = (*name).to_owned();
                    gathered.shared.push(Shared { path, file: shown, bytes: Cow::Borrowed(bytes) });
                }
                None => {}
            }
        }
        assemble(gathered)
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
        let loaded = FILES.load().expect("loaded");
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
