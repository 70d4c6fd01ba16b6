//! Compiles one crate to Wasm and wraps it as a component.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use wit_component::ComponentEncoder;

use crate::toolchain::{TARGET, Toolchain, cargo, cargo_home, workspace_root};

/// How plugins are compiled: small, but fast in loops, and with the names of functions for backtraces.
const PROFILE: &[&str] = &[
    "profile.plugin.inherits = 'release'",
    "profile.plugin.opt-level = 3",
    "profile.plugin.lto = 'fat'",
    "profile.plugin.codegen-units = 1",
    "profile.plugin.panic = 'abort'",
    "profile.plugin.debug = false",
    "profile.plugin.strip = 'debuginfo'",
];

/// Builds the crate with this manifest as a component and returns its bytes.
///
/// The crate has `cdylib` among its crate types and uses `whimbrel-guest` or bindings of its own. It is compiled
/// alone, so that features other crates want do not get in.
pub fn component(manifest: &Path) -> Result<Vec<u8>> {
    component_with(manifest, &Extra::default())
}

/// What a crate is built with beyond what all are.
#[derive(Default)]
pub struct Extra {
    /// Features of the crate.
    pub features: Vec<String>,
    /// Variables in the environment of the build.
    pub environment: Vec<(String, OsString)>,
    /// Arguments of cargo.
    pub arguments: Vec<OsString>,
    /// Arguments of the compiler. Of paths that are to be cut out, later ones go before.
    pub flags: Vec<OsString>,
}

/// As [`component`], with these features of the crate.
pub fn component_featuring(manifest: &Path, features: &[&str]) -> Result<Vec<u8>> {
    let features = features.iter().map(|&feature| feature.to_owned()).collect();
    component_with(manifest, &Extra { features, ..Extra::default() })
}

/// As [`component`], with more.
pub fn component_with(manifest: &Path, extra: &Extra) -> Result<Vec<u8>> {
    let toolchain = Toolchain::detect()?;
    toolchain.add_target()?;
    let module = compile(manifest, extra, &toolchain)?;
    let bytes = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    encode(&bytes).with_context(|| format!("{} cannot become a component", module.display()))
}

/// Wraps a core module that carries the description of its world.
pub fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().module(module)?.validate(true).encode()
}

fn compile(manifest: &Path, extra: &Extra, toolchain: &Toolchain) -> Result<PathBuf> {
    let mut flags = extra.flags.clone();
    flags.extend(remapped(manifest, toolchain)?);
    let mut command = cargo();
    command
        .args(["build", "--lib", "--quiet", "--profile", "plugin", "--target", TARGET])
        .args(PROFILE.iter().flat_map(|line| ["--config", line]))
        .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
        .arg(manifest)
        .arg("--features")
        .arg(extra.features.join(","))
        .args(&extra.arguments)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join(OsStr::new("\u{1f}")))
        .envs(extra.environment.iter().map(|(name, value)| (name, value)))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .stderr(Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{} does not compile", manifest.display());
    }
    let messages = String::from_utf8(output.stdout)?;
    find_module(&messages).with_context(|| format!("{} has no library of type cdylib", manifest.display()))
}

/// Keeps this machine's folders out of the bytes.
fn remapped(manifest: &Path, toolchain: &Toolchain) -> Result<Vec<OsString>> {
    let library = toolchain.sysroot.join("lib/rustlib/src/rust");
    // Of several that fit, the compiler takes the last.
    Ok(vec![
        remap(&cargo_home()?, "/cargo"),
        remap(&workspace_root(manifest)?, "/workspace"),
        remap(&toolchain.sysroot, "/sysroot"),
        remap(&library, &format!("/rustc/{}", toolchain.commit)),
    ])
}

/// Writes the argument of the compiler that cuts a folder out of the bytes.
pub(crate) fn remap(from: &Path, to: &str) -> OsString {
    format!("--remap-path-prefix={}={to}", from.display()).into()
}

/// Reads in cargo's messages where the last module was written; the crate asked for comes last.
fn find_module(messages: &str) -> Option<PathBuf> {
    let files = |line: &str| -> Option<PathBuf> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message.get("filenames")?.as_array()?;
        files.iter().filter_map(serde_json::Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    };
    messages.lines().rev().find_map(files)
}
