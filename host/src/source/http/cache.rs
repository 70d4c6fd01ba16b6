//! Archives that were fetched, in files named by their digests. Believes none of them: a file counts only if it has its
//! digest.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::model::Checksum;

/// Returns what is kept under a digest. What is there and has another one is removed, so that it is fetched anew.
pub(super) fn find(folder: &Path, digest: &Checksum, most: u64) -> Option<Vec<u8>> {
    let path = path(folder, digest);
    let mut bytes = Vec::new();
    File::open(&path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).ok()?;
    if Checksum::of(&bytes) == *digest {
        return Some(bytes);
    }
    tracing::warn!(file = %path.display(), "a kept archive does not have its digest, and is fetched again");
    // Whether it can be removed or not, nobody takes it for what it is not.
    let _ = fs::remove_file(&path);
    None
}

/// Keeps an archive. Where that does not work it is fetched again the next time, which is no reason to stop.
pub(super) fn keep(folder: &Path, digest: &Checksum, bytes: &[u8]) {
    if let Err(error) = write(folder, &path(folder, digest), bytes) {
        tracing::warn!(folder = %folder.display(), %error, "the archive that was fetched cannot be kept");
    }
}

/// Writes beside it first, so that nobody finds half of it.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| drop(fs::remove_file(&beside)))
}

fn path(folder: &Path, digest: &Checksum) -> PathBuf {
    folder.join(digest.to_string())
}
