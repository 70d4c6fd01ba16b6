//! What JavaScript's engine is built with: a C compiler for QuickJS, and sucrase.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::component::Extra;
use crate::toolchain::TARGET;

/// The C compiler: `zig cc` from the Python package index.
const ZIG: &str = "ziglang==0.17.1";

/// Fetches the tools, and says how the engine is built with them.
pub(super) fn extra(workspace: &Path, folder: &Path) -> Result<Extra> {
    let zig = zig(workspace)?;
    let sucrase = bundle(workspace, folder)?;
    let target = TARGET.replace('-', "_");
    // Cargo does not know that QuickJS is compiled with these, but looks at the compiler's arguments.
    let added = format!("-DADDED={}", added(&folder.join("quickjs"))?);
    let environment = vec![
        (format!("CC_{target}"), folder.join("zig-cc").into_os_string()),
        (format!("AR_{target}"), folder.join("zig-ar").into_os_string()),
        (format!("CFLAGS_{target}"), added.into()),
        ("WHIMBREL_ZIG".to_owned(), zig.into_os_string()),
        ("WHIMBREL_SUCRASE".to_owned(), sucrase.into_os_string()),
    ];
    Ok(Extra { environment, ..Extra::default() })
}

/// Names the tools, one on a line.
pub(super) fn tools(workspace: &Path) -> Result<String> {
    let lock = digest(&workspace.join("plugins/engine-js/sucrase/package-lock.json"))?;
    Ok(format!("{ZIG}\nsucrase/package-lock.json sha256 {lock}"))
}

/// Tells what is compiled together with QuickJS.
fn added(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    let digests = files.iter().map(|file| digest(file)).collect::<Result<String>>()?;
    Ok(hexadecimal(digests))
}

fn digest(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(hexadecimal(bytes))
}

/// Returns a SHA-256.
fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Installs the C compiler below `target`, and returns its program.
fn zig(workspace: &Path) -> Result<PathBuf> {
    let folder = workspace.join("target/tools").join(ZIG.replace("==", "-"));
    let program = folder.join("zig");
    if program.exists() {
        return Ok(program);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", ZIG]))?;
    let python = folder.join("bin/python");
    let output = Command::new(&python)
        .args(["-c", "import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), 'zig'))"])
        .output()
        .with_context(|| format!("cannot run {}", python.display()))?;
    let found = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    if !found.is_file() {
        bail!("{ZIG} has no program zig");
    }
    std::os::unix::fs::symlink(&found, &program).with_context(|| format!("cannot link {}", program.display()))?;
    Ok(program)
}

/// Bundles what takes the types out of TypeScript.
fn bundle(workspace: &Path, folder: &Path) -> Result<PathBuf> {
    let sources = folder.join("sucrase");
    let work = workspace.join("target/tools/sucrase");
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    for file in ["package.json", "package-lock.json", "entry.js", "enums.js", "refused.js", "statements.js"] {
        fs::copy(sources.join(file), work.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let lock = fs::read(work.join("package-lock.json"))?;
    let installed = work.join("installed-lock.json");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&work))?;
        fs::write(&installed, lock)?;
    }
    run(Command::new("npm").args(["run", "--silent", "bundle", "--", "--outfile=sucrase.js"]).current_dir(&work))?;
    Ok(work.join("sucrase.js"))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed", command.get_program().display());
    }
    Ok(())
}
