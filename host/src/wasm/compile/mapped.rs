//! Loads a compiled component from its file, which is mapped and neither copied nor unpacked.
//!
//! One of the two files of the host with unsafe code: machine code cannot be checked, so wasmtime leaves it to the
//! caller that a file is what wasmtime made, and that nobody changes it while it is mapped.
//!
//! Why it is sound, as far as the operator's own files are what the operator's own programs wrote:
//! - The file is asked for by a name that only [`Store`](super::Store) gives, to what wasmtime serialised, after it has
//!   been written whole and synced. Its length and both its ends are checked against what was noted then.
//! - File and folder belong to the user this process runs as, and nobody else may write them. The file is no symbolic
//!   link, and the folder is not one. So between the check and the mapping only the same user can put another file
//!   there; this program puts only another one that holds the same component.
//! - A file is never written to after it has its name: it is replaced by renaming another over it, or unlinked. Either
//!   leaves what is mapped as it was.
//! - What another version or other settings of wasmtime made has another name, and wasmtime refuses it by what it says
//!   of itself.
//!
//! What is left is that whoever can write as this user can run code as this user.
#![allow(unsafe_code, reason = "see above")]

use std::path::Path;

use wasmtime::component::Component;

/// Maps the compiled component in `file`, which [`Store`](super::Store) has found fit.
pub(super) fn load(engine: &wasmtime::Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: see the head of this file.
    unsafe { Component::deserialize_file(engine, file) }
}
