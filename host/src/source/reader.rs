//! Single files of a folder, and the files beside them that scripts may import.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use cap_std::fs::Dir;

use super::assemble::{Gathered, shown};
use super::open_folder::BUFFER;
use super::regular::read_in;
use super::scripts::Shared;

/// Most folders inside each other in which files to import are looked for, and most of such files.
const DEEPEST: usize = 8;
const MOST_SHARED: usize = 2_000;

/// Reads single files of one folder, and what scripts import from it.
pub(super) struct Reader<'d> {
    dir: &'d Dir,
    largest: u64,
    buffer: Vec<u8>,
    pub(super) gathered: Gathered,
}

impl<'d> Reader<'d> {
    pub(super) fn new(dir: &'d Dir, largest: u64, gathered: Gathered) -> Self {
        Self { dir, largest, buffer: vec![0; BUFFER], gathered }
    }

    /// Gathers the files that scripts may import. What cannot be read is not there to be imported.
    pub(super) fn share(&mut self, folder: &str, below: &Path) {
        let deep = below.components().count() >= DEEPEST;
        let entries = if below.as_os_str().is_empty() { self.dir.entries() } else { self.dir.read_dir(below) };
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = below.join(name);
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !deep && !name.starts_with('.') && name != "node_modules" {
                self.share(folder, &path);
            }
            let in_folder =
                path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            let is_migration = self.gathered.files.iter().any(|file| file.path == in_folder);
            if !kind.is_file() || is_migration || !self.gathered.is_script(name) {
                continue;
            }
            if self.gathered.shared.len() < MOST_SHARED
                && let Ok(bytes) = self.read_file(&path)
            {
                let file = shown(folder, &in_folder);
                self.gathered.shared.push(Shared { path: in_folder, file, bytes: Cow::Owned(bytes) });
            }
        }
    }

    pub(super) fn read_file(&mut self, name: &Path) -> io::Result<Vec<u8>> {
        read_in(self.dir, name, self.largest, &mut self.buffer)
    }
}
