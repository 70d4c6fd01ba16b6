//! What Python's engine is built with. Its interpreter wants things of the compiler that 1.95 has only when asked.

use std::ffi::OsString;
use std::path::Path;

use crate::component::{Extra, remap};

/// Says how the engine is built. It is a workspace of its own, with its own lock file.
pub(super) fn extra(workspace: &Path) -> Extra {
    let arguments = ["--locked", "--ignore-rust-version", "--config", "profile.plugin.opt-level = 's'", "--target-dir"];
    let mut arguments: Vec<OsString> = arguments.map(OsString::from).into();
    arguments.push(workspace.join("target/engine-python").into());
    let flags = ["--cfg", "getrandom_backend=\"custom\"", "-Zcrate-attr=feature(assert_matches)"];
    let mut flags: Vec<OsString> = flags.map(OsString::from).into();
    // The packed form and the target folder lie outside of the engine's own workspace.
    flags.push(remap(workspace, "/whimbrel"));
    Extra { environment: vec![("RUSTC_BOOTSTRAP".to_owned(), "1".into())], arguments, flags, ..Extra::default() }
}
