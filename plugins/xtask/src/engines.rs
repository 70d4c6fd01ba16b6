//! The script engines of this repository, and the compressed components that the program carries.

mod javascript;
mod python;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::component::component_with;
use crate::toolchain::Toolchain;

/// Holds the versions of the tools that made the committed engines.
const RECORD: &str = "plugins/engines.txt";
/// How hard the components are compressed.
const LEVEL: i32 = 19;

/// A script engine.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Its folder in `plugins`, which is also the name of its crate.
    pub name: &'static str,
    /// The files in `host/engines` that the program carries, without `.wasm.zst` and `.wasm.known`.
    pub file: &'static str,
    recipe: Recipe,
}

/// What is special about building it.
#[derive(Clone, Copy, Debug)]
enum Recipe {
    JavaScript,
    Python,
}

/// All of them.
pub const ENGINES: &[Engine] = &[
    Engine { name: "engine-js", file: "quickjs", recipe: Recipe::JavaScript },
    Engine { name: "engine-python", file: "monty", recipe: Recipe::Python },
];

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

    /// Says what the program is to know of the component without unpacking it.
    fn known(&self) -> String {
        format!("{} {}\n", self.digest(), self.bytes.len())
    }
}

/// Builds an engine into `target/components`. JavaScript's takes Python and Node.js, and fetches its tools with them.
pub fn build(workspace: &Path, engine: Engine) -> Result<Built> {
    let folder = workspace.join("plugins").join(engine.name);
    let extra = match engine.recipe {
        Recipe::JavaScript => javascript::extra(workspace, &folder)?,
        Recipe::Python => python::extra(workspace),
    };
    let bytes = component_with(&folder.join("Cargo.toml"), &extra)?;
    let path = workspace.join("target/components").join(format!("{}.wasm", engine.name));
    fs::create_dir_all(workspace.join("target/components")).context("cannot create target/components")?;
    fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Built { engine, bytes })
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
    Ok(format!("{}\n{}", toolchain.version, javascript::tools(workspace)?))
}

/// Compares an engine with the one that the program carries.
pub fn compare(workspace: &Path, built: &Built, toolchain: &Toolchain) -> Result<Comparison> {
    let record = fs::read_to_string(workspace.join(RECORD)).unwrap_or_default();
    if record.trim_end() != tools(workspace, toolchain)? {
        return Ok(Comparison::OtherTools(record.lines().collect::<Vec<_>>().join(", ")));
    }
    let known = fs::read_to_string(committed(workspace, built.engine, "known")).unwrap_or_default();
    let same = match fs::read(committed(workspace, built.engine, "zst")) {
        Ok(packed) => zstd::decode_all(packed.as_slice())? == built.bytes && known == built.known(),
        Err(_) => false,
    };
    Ok(if same { Comparison::Same } else { Comparison::Different })
}

/// Makes these the engines that the program carries, and records the tools.
pub fn update(workspace: &Path, built: &[Built], toolchain: &Toolchain) -> Result<()> {
    for built in built {
        let packed = zstd::encode_all(built.bytes.as_slice(), LEVEL)?;
        for (ending, bytes) in [("zst", packed), ("known", built.known().into_bytes())] {
            let path = committed(workspace, built.engine, ending);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    fs::write(workspace.join(RECORD), format!("{}\n", tools(workspace, toolchain)?)).context("cannot write the record")
}

fn committed(workspace: &Path, engine: Engine, ending: &str) -> PathBuf {
    workspace.join("host/engines").join(format!("{}.wasm.{ending}", engine.file))
}
