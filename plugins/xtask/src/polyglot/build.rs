//! How each language's sample becomes a component.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use whimbrel_component::Wrapping;

use super::tools::run;
use super::{Absent, Language, Source, Workshop};
use crate::component::component_featuring;

/// Goes on with a tool, or returns that it is absent.
macro_rules! have {
    ($tool:expr) => {
        match $tool {
            Ok(tool) => tool,
            Err(absent) => return Ok(Err(absent)),
        }
    };
}
pub(super) use have;

impl Workshop {
    /// Builds a sample into a file.
    pub(super) fn build(&self, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        if let Some(folder) = output.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        match source.language {
            Language::Rust => self.build_rust(source, output).map(Ok),
            Language::C => self.build_c(source, output),
            Language::Zig => self.build_zig(source, output),
            Language::Go => self.build_go(source, output),
            Language::AssemblyScript => self.build_assemblyscript(source, output),
            Language::JavaScript => self.build_javascript("js", source, output),
            Language::TypeScript => self.build_javascript("ts", source, output),
            Language::Python => self.build_python(source, output),
        }
    }

    fn build_rust(&self, source: &Source, output: &Path) -> Result<()> {
        let features: &[&str] = if source.world.ends_with("transform") { &["transform"] } else { &[] };
        let bytes = component_featuring(&source.folder.join("Cargo.toml"), features)?;
        fs::write(output, bytes).with_context(|| format!("cannot write {}", output.display()))
    }

    fn build_c(&self, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        let module = output.with_extension("core.wasm");
        let sdk = self.sdk(Language::C);
        let mut zig = have!(self.tools().zig());
        zig.args([
            "cc",
            "--target=wasm32-wasi",
            "-mexec-model=reactor",
            "-Os",
            // For the names of functions; what else it adds does not reach the component.
            "-g",
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Werror",
        ]);
        zig.args(match source.world {
            "verified-transform" => ["-DWHIMBREL_TRANSFORM", "-DWHIMBREL_VERIFY"].as_slice(),
            "verified-reversible" => &["-DWHIMBREL_UP", "-DWHIMBREL_DOWN", "-DWHIMBREL_VERIFY"],
            _ => &["-DWHIMBREL_UP"],
        });
        zig.arg(option("-I", &sdk)).arg("-o").arg(&module);
        let others = ["rules.c", "verify.c"].into_iter().filter(|other| source.folder.join(other).exists());
        zig.arg(format!("{}.c", source.entry)).args(others);
        zig.args(["packed.c", "whimbrel.c", "bindings/bindings.c"].map(|file| sdk.join(file)));
        run(zig.current_dir(&source.folder))?;
        self.wrap(&module, source, Some(("zig cc", "0.17.1")), output).map(Ok)
    }

    fn build_zig(&self, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        let module = output.with_extension("core.wasm");
        let mut zig = have!(self.tools().zig());
        zig.args(["build-exe", "-fno-entry", "-rdynamic", "--dep", "whimbrel"]);
        zig.args(["-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fno-strip"]);
        zig.arg(format!("-Mroot={}.zig", source.entry));
        zig.args(["-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fno-strip"]);
        zig.arg(option("-Mwhimbrel=", &self.sdk(Language::Zig).join("whimbrel.zig")));
        zig.arg(option("-femit-bin=", &module));
        run(zig.current_dir(&source.folder))?;
        self.wrap(&module, source, Some(("zig", "0.17.1")), output).map(Ok)
    }

    fn build_go(&self, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        let module = output.with_extension("core.wasm");
        let mut go = have!(self.tools().go());
        go.env("GOOS", "wasip1").env("GOARCH", "wasm");
        go.args(["build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w", "-o"]).arg(&module);
        run(go.arg(format!("./{}", source.entry)).current_dir(&source.folder))?;
        self.wrap(&module, source, None, output).map(Ok)
    }

    fn build_assemblyscript(&self, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        let module = output.with_extension("core.wasm");
        let mut asc = have!(self.tools().node_program("asc"));
        asc.arg(format!("{}.ts", source.entry)).args(["-O3", "--runtime", "incremental", "--debug"]);
        let up = "../".repeat(source.folder.strip_prefix(&self.root).unwrap_or(&source.folder).components().count());
        asc.args(["--use", &format!("abort={up}guest-sdk/assemblyscript/assembly/host/abort"), "-o"]).arg(&module);
        run(asc.current_dir(&source.folder))?;
        self.wrap(&module, source, Some(("asc", "0.28.20")), output).map(Ok)
    }

    fn build_javascript(&self, ending: &str, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        let bundle = output.with_extension("js");
        let mut esbuild = have!(self.tools().node_program("esbuild"));
        esbuild.arg(format!("{}.{ending}", source.entry)).args(["--bundle", "--format=esm", "--platform=neutral"]);
        esbuild.args(["--target=es2022", "--conditions=default", "--external:whimbrel:*", "--log-level=warning"]);
        esbuild.arg(option("--alias:@whimbrel/guest=", &self.sdk(source.language).join("src/index.js")));
        run(esbuild.arg(option("--outfile=", &bundle)).current_dir(&source.folder))?;
        let mut qjs = have!(self.tools().node_program("componentize-qjs"));
        qjs.arg("--wit").arg(self.root.join("guest-sdk/wit")).args(["--world", source.world, "--sync", "--stub-wasi"]);
        qjs.arg("--js").arg(&bundle).arg("--module-root").arg(self.target(""));
        let module = output.with_extension("made.wasm");
        run(qjs.arg("--output").arg(&module))?;
        self.wrap(&module, source, Some(("componentize-qjs", "0.4.5")), output).map(Ok)
    }

    fn build_python(&self, source: &Source, output: &Path) -> Result<Result<(), Absent>> {
        let module = output.with_extension("made.wasm");
        let mut python = have!(self.tools().python_module("componentize_py"));
        python.arg("--wit-path").arg(self.root.join("guest-sdk/wit")).args(["--world", source.world, "componentize"]);
        python.arg("--python-path").arg(&source.folder);
        python.arg("--python-path").arg(self.sdk(Language::Python));
        run(python.args(["--stub-wasi", "--output"]).arg(&module).arg(&source.entry))?;
        self.wrap(&module, source, Some(("componentize-py", "0.25.1")), output).map(Ok)
    }

    /// Makes a component of what a compiler made, with the record of who did.
    fn wrap(&self, module: &Path, source: &Source, tool: Option<(&str, &str)>, output: &Path) -> Result<()> {
        let language = match source.language {
            Language::C => Some("C"),
            Language::Zig => Some("Zig"),
            Language::JavaScript => Some("JavaScript"),
            Language::TypeScript => Some("TypeScript"),
            Language::Python => Some("Python"),
            Language::AssemblyScript => Some("AssemblyScript"),
            // Their compilers say it themselves.
            Language::Go | Language::Rust => None,
        };
        let wrapping = Wrapping {
            world: Some(source.world.to_owned()),
            language: language.map(str::to_owned),
            tool: tool.map(|(name, version)| (name.to_owned(), version.to_owned())),
        };
        let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
        let component = whimbrel_component::wrap(&bytes, &wrapping)?;
        fs::write(output, component).with_context(|| format!("cannot write {}", output.display()))
    }
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}
