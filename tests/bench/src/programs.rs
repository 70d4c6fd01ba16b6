//! Finds and builds the programs that are measured.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tool::{PEERS, Tool};

/// A tool that is there.
pub(crate) struct Installed {
    /// Which one.
    pub(crate) tool: Tool,
    /// What the table calls it: name and version.
    pub(crate) name: String,
    /// Its program.
    pub(crate) path: PathBuf,
}

/// The programs that are measured.
pub(crate) struct Programs {
    /// whimbrel, then the peers that are there.
    pub(crate) tools: Vec<Installed>,
    /// The peers that are not there.
    pub(crate) missing: Vec<Tool>,
    /// This program.
    pub(crate) bench: PathBuf,
}

impl Programs {
    /// Builds whimbrel, unless it is given, and looks for the peers.
    pub(crate) fn gather(whimbrel: Option<&Path>, peers: Option<&Path>) -> Result<Self> {
        let path = match whimbrel {
            Some(path) => path.canonicalize().with_context(|| format!("there is no {}", path.display()))?,
            None => build()?,
        };
        let mut tools = vec![Installed { tool: Tool::Whimbrel, name: name(Tool::Whimbrel, &path)?, path }];
        let mut missing = Vec::new();
        for tool in PEERS {
            match find(tool.program(), peers) {
                Some(path) => tools.push(Installed { tool, name: name(tool, &path)?, path }),
                None => missing.push(tool),
            }
        }
        Ok(Self { tools, missing, bench: std::env::current_exe()? })
    }

    /// Returns the path of whimbrel.
    pub(crate) fn whimbrel(&self) -> &Path {
        &self.tools[0].path
    }
}

fn build() -> Result<PathBuf> {
    let built = std::env::current_exe()?;
    let release = built.parent().context("the program is in no folder")?;
    let target = release.parent().context("the program is not in a target folder")?;
    let status = xtask::toolchain::cargo()
        .args(["build", "--quiet", "--release", "--package", "whimbrel", "--bin", "whimbrel", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !status.success() {
        bail!("whimbrel does not compile");
    }
    Ok(target.join("release").join(format!("whimbrel{}", std::env::consts::EXE_SUFFIX)))
}

fn find(program: &str, first: Option<&Path>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let given = first.into_iter().flat_map(|folder| [folder.to_owned(), folder.join("bin")]);
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let found = given.chain(std::env::split_paths(&path)).map(|folder| folder.join(&file)).find(|file| file.is_file());
    found.and_then(|file| file.canonicalize().ok())
}

/// Asks a program for its version.
fn name(tool: Tool, path: &Path) -> Result<String> {
    let output =
        Command::new(path).arg("--version").output().with_context(|| format!("cannot run {}", path.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let is_version = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit() || c == 'v');
    let version = said.split_whitespace().find(is_version).unwrap_or_default();
    Ok(format!("{} {}", tool.name(), version.trim_start_matches('v')).trim_end().to_owned())
}

/// Builds the component of a crate of this repository and returns its bytes.
pub(crate) fn component(krate: &str) -> Result<Vec<u8>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(krate).join("Cargo.toml");
    xtask::component(&manifest).with_context(|| format!("cannot build {}", OsStr::new(krate).display()))
}
