//! Tells whether a component is made of what its sources are now: some tools are slow, and their bytes differ each time.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Folders that hold no sources.
const LEFT_OUT: [&str; 4] = ["node_modules", "__pycache__", "target", ".zig-cache"];

/// Returns a digest of all files in these folders.
pub(super) fn stamp(folders: &[PathBuf]) -> Result<String> {
    let mut digest = Sha256::new();
    for folder in folders {
        add(folder, &mut digest)?;
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn add(path: &Path, digest: &mut Sha256) -> Result<()> {
    let cannot_read = || format!("cannot read {}", path.display());
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(cannot_read)?;
        let mut entries: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        let source = |path: &&PathBuf| !LEFT_OUT.iter().any(|name| path.ends_with(name));
        return entries.iter().filter(source).try_for_each(|path| add(path, digest));
    }
    digest.update(path.display().to_string());
    digest.update(fs::read(path).with_context(cannot_read)?);
    Ok(())
}

/// Tells whether a file was made of this.
pub(super) fn is_current(path: &Path, stamp: &str) -> bool {
    path.exists() && fs::read_to_string(path.with_extension("inputs")).is_ok_and(|found| found == stamp)
}

/// Remembers what a file was made of.
pub(super) fn keep(path: &Path, stamp: &str) -> Result<()> {
    let path = path.with_extension("inputs");
    fs::write(&path, stamp).with_context(|| format!("cannot write {}", path.display()))
}
