//! The stand-in for `wasi_snapshot_preview1` that goes into components whose language insists on it.

use wit_component::StringEncoding;
use wit_parser::{PackageId, Resolve};

use crate::WrapError;

/// The import it stands in for.
pub(crate) const NAME: &str = "wasi_snapshot_preview1";

/// What it does itself.
const WORKING: &str = include_str!("wasi.wat");

/// What it refuses: the function, its parameters (`i` for 32 bits, `l` for 64), and the error.
const REFUSED: &[(&str, &str, Errno)] = &[
    ("fd_advise", "illi", Errno::BadFile),
    ("fd_allocate", "ill", Errno::BadFile),
    ("fd_datasync", "i", Errno::BadFile),
    ("fd_fdstat_set_rights", "ill", Errno::BadFile),
    ("fd_filestat_get", "ii", Errno::BadFile),
    ("fd_filestat_set_size", "il", Errno::BadFile),
    ("fd_filestat_set_times", "illi", Errno::BadFile),
    ("fd_pread", "iiili", Errno::BadFile),
    ("fd_prestat_get", "ii", Errno::BadFile),
    ("fd_prestat_dir_name", "iii", Errno::BadFile),
    ("fd_pwrite", "iiili", Errno::BadFile),
    ("fd_readdir", "iiili", Errno::BadFile),
    ("fd_renumber", "ii", Errno::BadFile),
    ("fd_seek", "ilii", Errno::NotSeekable),
    ("fd_sync", "i", Errno::BadFile),
    ("fd_tell", "ii", Errno::NotSeekable),
    ("path_create_directory", "iii", Errno::NotCapable),
    ("path_filestat_get", "iiiii", Errno::NotCapable),
    ("path_filestat_set_times", "iiiilli", Errno::NotCapable),
    ("path_link", "iiiiiii", Errno::NotCapable),
    ("path_open", "iiiiillii", Errno::NotCapable),
    ("path_readlink", "iiiiii", Errno::NotCapable),
    ("path_remove_directory", "iii", Errno::NotCapable),
    ("path_rename", "iiiiii", Errno::NotCapable),
    ("path_symlink", "iiiii", Errno::NotCapable),
    ("path_unlink_file", "iii", Errno::NotCapable),
    ("proc_raise", "i", Errno::NotSupported),
    ("sock_accept", "iii", Errno::NotCapable),
    ("sock_recv", "iiiiii", Errno::NotCapable),
    ("sock_send", "iiiii", Errno::NotCapable),
    ("sock_shutdown", "ii", Errno::NotCapable),
];

/// Errors as WASI numbers them.
#[derive(Clone, Copy)]
enum Errno {
    BadFile = 8,
    NotSupported = 58,
    NotSeekable = 70,
    NotCapable = 76,
}

/// Builds the module, with the description of what it imports itself: the log.
pub(crate) fn module(resolve: &Resolve, package: PackageId) -> Result<Vec<u8>, WrapError> {
    let mut text = WORKING.trim_end().strip_suffix(')').unwrap_or(WORKING).to_owned();
    for (name, params, errno) in REFUSED {
        let params: String = params.chars().map(|kind| if kind == 'l' { " i64" } else { " i32" }).collect();
        let errno = *errno as u8;
        text.push_str(&format!("  (func (export \"{name}\") (param{params}) (result i32) (i32.const {errno}))\n"));
    }
    text.push(')');
    let mut module = wat::parse_str(&text).map_err(|error| WrapError::Encode { reason: error.to_string() })?;
    let encode = |error| WrapError::Encode { reason: format!("{error:#}") };
    let world = resolve.select_world(&[package], Some("host")).map_err(encode)?;
    wit_component::embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).map_err(encode)?;
    Ok(module)
}
