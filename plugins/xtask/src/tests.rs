//! Runs all tests, after adding what they need.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::toolchain::{Toolchain, cargo};

/// Runs the tests of every crate; `arguments` go to `cargo test`.
pub fn run(workspace: &Path, arguments: &[String]) -> Result<()> {
    Toolchain::detect()?.add_target()?;
    // Built first, so that the tests find the program they start.
    for command in
        [&["build", "--package", "whimbrel"][..], &["test", "--workspace", "--features", "whimbrel-guest/testing"]]
    {
        let extra = if command[0] == "test" { arguments } else { &[] };
        let status = cargo().args(command).args(extra).current_dir(workspace).status().context("cannot run cargo")?;
        if !status.success() {
            bail!("`cargo {}` failed", command.join(" "));
        }
    }
    Ok(())
}
