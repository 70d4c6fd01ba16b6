//! The program under test, built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the path of the program; builds it first, so that no test runs an old one.
pub(crate) fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let profile = profile_folder();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "whimbrel", "--bin", "whimbrel", "--target-dir"]);
        build.arg(profile.parent().expect("a profile's folder is in the target folder"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
        assert!(built.status.success(), "the program does not compile:\n{}", String::from_utf8_lossy(&built.stderr));
        profile.join(format!("whimbrel{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Returns where compiled components are kept, so that a component is compiled once for all tests.
pub(crate) fn cache() -> PathBuf {
    profile_folder().join("test-component-cache")
}

/// Returns `target/debug`: this very program is `target/debug/deps/tests-…`.
fn profile_folder() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    own.ancestors().nth(2).expect("it is two folders deep").to_owned()
}
