//! The script engines of this repository, and the compressed components that the program carries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::component::component_with;
use crate::toolchain::{TARGET, Toolchain};

/// Holds the versions of the tools that made the committed engines.
const RECORD: &str = "plugins/engines.txt";
/// The C compiler: `zig cc` from the Python package index.
const ZIG: &str = "ziglang==0.17.1";
/// How hard the components are compressed.
const LEVEL: i32 = 19;

/// A script engine.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Its folder in `plugins`, which is also the name of its crate.
    pub name: &'static str,
    /// The file in `host/engines` that the program carries, without `.wasm.zst`.
    pub file: &'static str,
}

/// All of them.
pub const ENGINES: &[Engine] = &[Engine { name: "engine-js", file: "quickjs" }];

/// An engine that was built.
pub struct Built {
    /// Which one.
    pub engine: Engine,
    /// Its component.
    pub bytes: Vec<u8>,
}

impl Built {
    /// Returns the SHA-256 of the component in hexadecimal.
    pub fn digest(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Builds an engine into `target/components`. Takes Python and Node.js, and fetches the C compiler and sucrase.
pub fn build(workspace: &Path, engine: Engine) -> Result<Built> {
    let folder = workspace.join("plugins").join(engine.name);
    let zig = zig(workspace)?;
    let sucrase = bundle(workspace, &folder)?;
    let target = TARGET.replace('-', "_");
    let environment = [
        (format!("CC_{target}"), folder.join("zig-cc").into_os_string()),
        (format!("AR_{target}"), folder.join("zig-ar").into_os_string()),
        ("WHIMBREL_ZIG".to_owned(), zig.into_os_string()),
        ("WHIMBREL_SUCRASE".to_owned(), sucrase.into_os_string()),
    ];
    let bytes = component_with(&folder.join("Cargo.toml"), &environment)?;
    let path = workspace.join("target/components").join(format!("{}.wasm", engine.name));
    fs::create_dir_all(workspace.join("target/components")).context("cannot create target/components")?;
    fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Built { engine, bytes })
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
    for file in ["package.json", "package-lock.json", "entry.js"] {
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

/// What became of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The committed engine has the same bytes.
    Same,
    /// It has others, or there is none.
    Different,
    /// It was made by other tools, so its bytes say nothing.
    OtherTools(String),
}

/// Names the tools that make the engines here.
fn tools(workspace: &Path, toolchain: &Toolchain) -> Result<String> {
    let lock = fs::read(workspace.join("plugins/engine-js/sucrase/package-lock.json"))?;
    let lock: String = Sha256::digest(lock).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}\n{ZIG}\nsucrase/package-lock.json sha256 {lock}", toolchain.version))
}

/// Compares an engine with the one that the program carries.
pub fn compare(workspace: &Path, built: &Built, toolchain: &Toolchain) -> Result<Comparison> {
    let record = fs::read_to_string(workspace.join(RECORD)).unwrap_or_default();
    if record.trim_end() != tools(workspace, toolchain)? {
        return Ok(Comparison::OtherTools(record.lines().collect::<Vec<_>>().join(", ")));
    }
    let same = match fs::read(committed(workspace, built.engine)) {
        Ok(packed) => zstd::decode_all(packed.as_slice())? == built.bytes,
        Err(_) => false,
    };
    Ok(if same { Comparison::Same } else { Comparison::Different })
}

/// Makes these the engines that the program carries, and records the tools.
pub fn update(workspace: &Path, built: &[Built], toolchain: &Toolchain) -> Result<()> {
    for built in built {
        let path = committed(workspace, built.engine);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        let packed = zstd::encode_all(built.bytes.as_slice(), LEVEL)?;
        fs::write(&path, packed).with_context(|| format!("cannot write {}", path.display()))?;
    }
    fs::write(workspace.join(RECORD), format!("{}\n", tools(workspace, toolchain)?)).context("cannot write the record")
}

fn committed(workspace: &Path, engine: Engine) -> PathBuf {
    workspace.join("host/engines").join(format!("{}.wasm.zst", engine.file))
}
