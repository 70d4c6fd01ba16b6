//! Has the linker pack the program's relocations, where the system's loader can unpack them: 36,000 of them are most of what
//! starting it takes.

use std::env;
use std::process::Command;

/// The first version of the GNU C library that knows them (`DT_RELR`, <https://sourceware.org/glibc/wiki/Release/2.36>).
const GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_gnu = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux")
        && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu");
    // What runs elsewhere may meet an older library there.
    let is_for_here = env::var("HOST") == env::var("TARGET");
    if is_gnu && is_for_here && glibc().is_some_and(|version| version >= GLIBC) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Asks for the version of the C library: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
