//! The Rust plugins of this repository, and the components the sample chain has of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::component::component;
use crate::toolchain::Toolchain;

/// Holds the version of the compiler that made the committed components.
const RECORD: &str = "plugins/toolchain.txt";

/// A Rust plugin.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// Its folder in `plugins`, which is also the name of its crate.
    pub name: &'static str,
    /// The migration or the library of functions of the sample chain that it is, without the extension.
    pub migration: &'static str,
}

/// All of them.
pub const PLUGINS: &[Plugin] = &[
    Plugin { name: "split-names", migration: "0003_split_names" },
    Plugin { name: "phone-numbers", migration: "0005_phone_numbers" },
    Plugin { name: "legacy-settings", migration: "0007_legacy_settings" },
    Plugin { name: "text-tools", migration: "text_tools.functions" },
];

/// A plugin that was built.
pub struct Built {
    /// Which one.
    pub plugin: Plugin,
    /// Where the component was written.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Built {
    /// Returns the SHA-256 of the bytes in hexadecimal.
    pub fn digest(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Builds one plugin into `target/components`.
pub fn build(workspace: &Path, plugin: Plugin) -> Result<Built> {
    let bytes = component(&workspace.join("plugins").join(plugin.name).join("Cargo.toml"))?;
    let folder = workspace.join("target/components");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{}.wasm", plugin.name));
    fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Built { plugin, path, bytes })
}

/// What became of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The committed component has the same bytes.
    Same,
    /// It has others.
    Different,
    /// There is none.
    Missing,
    /// It was made by this other compiler, so its bytes say nothing.
    OtherCompiler(String),
}

/// Compares a plugin with the component of the sample chain.
pub fn compare(workspace: &Path, built: &Built, toolchain: &Toolchain) -> Result<Comparison> {
    let path = committed(workspace, built.plugin);
    if !path.exists() {
        return Ok(Comparison::Missing);
    }
    let record = workspace.join(RECORD);
    let compiler = fs::read_to_string(&record).with_context(|| format!("cannot read {}", record.display()))?;
    if compiler.trim_end() != toolchain.version {
        return Ok(Comparison::OtherCompiler(compiler.trim_end().to_owned()));
    }
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(if bytes == built.bytes { Comparison::Same } else { Comparison::Different })
}

/// Makes these components those of the sample chain, and records the compiler.
pub fn update(workspace: &Path, built: &[Built], toolchain: &Toolchain) -> Result<()> {
    for built in built {
        let path = committed(workspace, built.plugin);
        fs::write(&path, &built.bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let record = workspace.join(RECORD);
    fs::write(&record, format!("{}\n", toolchain.version)).with_context(|| format!("cannot write {}", record.display()))
}

fn committed(workspace: &Path, plugin: Plugin) -> PathBuf {
    workspace.join("migrations").join(format!("{}.wasm", plugin.migration))
}
