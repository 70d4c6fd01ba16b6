//! The compiler in use, and its Wasm target.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The target without any system interface: what a component imports is only ours.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// What is to be known about the compiler.
pub struct Toolchain {
    /// Its version with the commit, as `rustc -V` tells it.
    pub version: String,
    /// Hash of the commit it was built from.
    pub commit: String,
    /// Folder with its libraries.
    pub sysroot: PathBuf,
}

impl Toolchain {
    /// Asks the compiler in use.
    pub fn detect() -> Result<Self> {
        let verbose = rustc(&["-vV"])?;
        let version = verbose.lines().next().unwrap_or_default().to_owned();
        let commit = verbose.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or_default().to_owned();
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?.trim_end());
        Ok(Self { version, commit, sysroot })
    }

    /// Adds the Wasm target when it is missing. Tells whether it was.
    pub fn add_target(&self) -> Result<bool> {
        if self.sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
            return Ok(false);
        }
        let status = Command::new("rustup").args(["target", "add", TARGET]).status();
        match status {
            Ok(status) if status.success() => Ok(true),
            Ok(_) => bail!("rustup could not add the target {TARGET}"),
            Err(error) => Err(error).with_context(|| {
                format!(
                    "the target {TARGET} is missing and there is no rustup to add it; install it with your compiler"
                )
            }),
        }
    }
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&program).args(arguments).output().context("cannot run rustc")?;
    if !output.status.success() {
        bail!("rustc {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Returns the folder in which cargo keeps what it downloads.
pub fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(path) => Ok(path.into()),
        None => Ok(env::home_dir().context("there is no home folder and CARGO_HOME is not set")?.join(".cargo")),
    }
}

/// Returns the root of the workspace a crate belongs to.
pub fn workspace_root(manifest: &Path) -> Result<PathBuf> {
    let output = cargo()
        .args(["locate-project", "--workspace", "--message-format", "plain", "--manifest-path"])
        .arg(manifest)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let manifest = PathBuf::from(String::from_utf8(output.stdout)?.trim_end());
    Ok(manifest.parent().context("cargo named a workspace without a folder")?.to_owned())
}

/// Starts a cargo command.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
