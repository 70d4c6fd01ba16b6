//! Tells the linker how much stack the interpreter gets.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-cdylib=-zstack-size=4194304");
}
