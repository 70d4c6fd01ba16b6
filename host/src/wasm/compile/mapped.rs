//! Loads a compiled component from its file, which is mapped and neither copied nor unpacked.
//!
//! One of the seven files of the host with unsafe code: machine code cannot be checked, so wasmtime leaves it to the
//! caller that a file is what wasmtime made, and that nobody changes it while it is mapped.
//!
//! Why it is sound, as far as the operator's own files are what the operator's own programs wrote:
//! - The file has a name that only [`Store`](super::Store) gives, to what wasmtime serialised, after it has been written
//!   whole and synced. Its length and both its ends are checked against what was noted then.
//! - The file belongs to the user this process runs as, nobody else may write it, and it is no symbolic link. On Linux it
//!   is the very file that was checked, which was open all the time. Elsewhere its folder must be that user's own, and
//!   the folders above that one as well, or another file could be put there meanwhile.
//! - A file is never written to after it has its name: it is replaced by renaming another over it, or unlinked. Either
//!   leaves what is mapped as it was.
//! - What another version or other settings of wasmtime made has another name, and wasmtime refuses it by what it says
//!   of itself.
//!
//! What is left is that whoever can write as this user can run code as this user.
#![allow(unsafe_code, reason = "see above")]

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use wasmtime::component::Component;

/// Maps the compiled component in `file`, which [`Store`](super::Store) has found fit at `path`; reads it where what is
/// mapped from there may not be executed.
pub(super) fn load(engine: &wasmtime::Engine, path: &Path, file: &mut File) -> wasmtime::Result<Component> {
    // SAFETY: see the head of this file.
    let mapped = unsafe { Component::deserialize_file(engine, reopened(path, file)) };
    if mapped.is_ok() {
        return mapped;
    }
    let mut code = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut code)?;
    // SAFETY: see the head of this file.
    unsafe { Component::deserialize(engine, code) }
}

/// Names the file that is open, whatever lies at its path by now.
#[cfg(target_os = "linux")]
fn reopened(_: &Path, file: &File) -> String {
    use std::os::fd::AsRawFd;

    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(not(target_os = "linux"))]
fn reopened<'a>(path: &'a Path, _: &File) -> &'a Path {
    path
}
