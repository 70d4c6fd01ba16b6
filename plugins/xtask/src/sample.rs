//! Runs the sample chain with the real program.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::toolchain::cargo;

/// Applies the chain in `migrations/` to a new `target/sample/app.db` and shows the state of every migration.
pub fn run(workspace: &Path) -> Result<()> {
    let folder = workspace.join("target/sample");
    // The database may be that of other components.
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
        }
        _ => {}
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for verb in ["up", "status"] {
        let status = cargo()
            .args(["run", "--quiet", "--package", "whimbrel", "--", verb])
            .args(["--dir", "migrations", "--database", "target/sample/app.db"])
            .current_dir(workspace)
            .status()
            .context("cannot run cargo")?;
        if !status.success() {
            bail!("`whimbrel {verb}` failed");
        }
    }
    Ok(())
}
