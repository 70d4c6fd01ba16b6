//! Tells the linker how much stack the interpreter gets, and brings sucrase in.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WHIMBREL_SUCRASE");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo:rustc-link-arg-cdylib=-zstack-size=2097152");
    }
    // `cargo xtask plugins` names the file; a check of this crate by itself does without.
    let sucrase = match env::var_os("WHIMBREL_SUCRASE") {
        Some(file) => {
            println!("cargo:rerun-if-changed={}", Path::new(&file).display());
            fs::read(file).expect("the bundle of sucrase")
        }
        None => Vec::new(),
    };
    let folder = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("sucrase.js"), sucrase).expect("OUT_DIR can be written");
}
