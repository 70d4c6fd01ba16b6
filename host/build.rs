//! Makes starting the program cheaper where it is built for the machine it is built on: what it takes to start is a quarter
//! of a run that has nothing to do.
//!
//! - The linker packs its relocations, where the system's loader can unpack them: there are tens of thousands.
//! - What unwinds the stack is put into it, where the C compiler has that as a static library.

use std::env;
use std::path::Path;
use std::process::Command;

/// The first version of the GNU C library that knows them (`DT_RELR`, <https://sourceware.org/glibc/wiki/Release/2.36>).
const GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(unwinder_inside)");
    let is_gnu = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux")
        && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu");
    // What runs elsewhere may meet an older library there, and another linker makes it.
    if !is_gnu || env::var("HOST") != env::var("TARGET") {
        return;
    }
    if glibc().is_some_and(|version| version >= GLIBC) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if has_unwinder() {
        println!("cargo::rustc-cfg=unwinder_inside");
    }
}

/// Asks for the version of the C library: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let text = said_by(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// Asks what links the program for `libgcc_eh.a`, whose path it says if it has that.
fn has_unwinder() -> bool {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    said_by(Command::new(linker).arg("-print-file-name=libgcc_eh.a"))
        .is_some_and(|path| Path::new(path.trim()).is_absolute())
}

fn said_by(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    String::from_utf8(output.stdout).ok()
}
