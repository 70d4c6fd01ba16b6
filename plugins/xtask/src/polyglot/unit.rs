//! The unit tests of the SDKs and the samples, each in its language's own runner, without any Wasm where it needs none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build::have;
use super::tools::run;
use super::{Absent, Language, Workshop};
use crate::toolchain::cargo;

impl Workshop {
    pub(super) fn run_units(&self, language: Language) -> Result<Result<String, Absent>> {
        let folder = self.target(&format!("units/{language}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let vectors = self.root.join("guest-sdk/wit/packed-vectors.json");
        let cases = self.root.join("plugins/messy-customers/cases.tsv");
        let sample = self.folder(language);
        let sdk = self.sdk(language);
        match language {
            Language::Rust => self.rust_units().map(Ok),
            Language::C => self.c_units(&folder, &vectors, &cases),
            Language::Go => {
                let one = run(have!(self.tools().go()).args(["test", "-count=1", "./..."]).current_dir(&sdk))?;
                let two = run(have!(self.tools().go()).args(["test", "-count=1", "./..."]).current_dir(&sample))?;
                run(have!(self.tools().go()).args(["vet", "./..."]).current_dir(&sdk))?;
                Ok(Ok(format!("{one}\n{two}")))
            }
            Language::Zig => {
                let mut test = have!(self.tools().zig());
                test.args(["test", "--dep", "vectors", "-Mroot=test.zig"]).arg(module("vectors", &vectors));
                let one = run(test.current_dir(&sdk))?;
                let mut test = have!(self.tools().zig());
                test.args(["test", "--dep", "whimbrel", "--dep", "cases", "-Mroot=test.zig"]);
                test.arg(module("whimbrel", &sdk.join("whimbrel.zig"))).arg(module("cases", &cases));
                let two = run(test.current_dir(&sample))?;
                Ok(Ok(format!("{one}\n{two}")))
            }
            Language::Python => {
                let all = [sdk.join("tests"), sample.clone()];
                let mut pytest = have!(self.tools().python_module("pytest"));
                pytest.args(["-q", "-p", "no:cacheprovider", "--import-mode=importlib"]).args(&all);
                pytest.env("PYTHONPATH", join_paths(&[&sdk, &sample]));
                let one = run(pytest.current_dir(&folder))?;
                let template = self.root.join("host/src/bin/whimbrel/commands/new/lang/python");
                let mut mypy = have!(self.tools().python_module("mypy"));
                mypy.arg("--strict").arg("--cache-dir").arg(folder.join("mypy"));
                mypy.env("MYPYPATH", join_paths(&[&sdk, &sample, &template]));
                mypy.arg(sdk.join("whimbrel_guest")).arg(sdk.join("tests"));
                for folder in [
                    sample,
                    template,
                    self.root.join("tests/guests/polyglot/python"),
                    self.root.join("tests/bench/languages/python"),
                ] {
                    mypy.args(python_files(&folder)?);
                }
                let two = run(mypy.current_dir(&folder))?;
                Ok(Ok(format!("{one}\n{two}")))
            }
            Language::JavaScript => {
                let one = run(Command::new("node").args(["--test", "test"]).current_dir(&sdk))?;
                let bundled = have!(self.bundle_for_node(&sample.join("rules.test.js"), language, &folder)?);
                let two = run(Command::new("node").arg("--test").arg(bundled).current_dir(&sample))?;
                Ok(Ok(format!("{one}\n{two}")))
            }
            Language::TypeScript => {
                // The types of what the sample imports are found where Node.js looks for them.
                let modules = folder.join("node_modules");
                let npm = have!(self.tools().npm());
                let copy = folder.join("source");
                let _ = fs::remove_dir_all(&folder);
                copy_folder(&sample, &copy)?;
                copy_folder(&sdk, &modules.join("@whimbrel/guest"))?;
                for package in ["@types", "undici-types"] {
                    copy_folder(&npm.join("node_modules").join(package), &modules.join(package))?;
                }
                let one = run(have!(self.tools().node_program("tsc")).args(["--project", "."]).current_dir(&copy))?;
                let bundled = have!(self.bundle_for_node(&sample.join("rules.test.ts"), language, &folder)?);
                let two = run(Command::new("node").arg("--test").arg(bundled).current_dir(&sample))?;
                Ok(Ok(format!("{one}\n{two}")))
            }
            Language::AssemblyScript => {
                let one = have!(self.asc_for_node(&sdk.join("test/vectors.ts"), &folder)?);
                let test = sdk.join("test/packed.test.js");
                let one = run(Command::new("node").arg("--test").arg(test).env("VECTORS", one))?;
                let two = have!(self.asc_for_node(&sample.join("test.ts"), &folder)?);
                let two = run(Command::new("node").arg("--test").arg(sample.join("test.js")).env("MODULE", two))?;
                Ok(Ok(format!("{one}\n{two}")))
            }
        }
    }

    fn rust_units(&self) -> Result<String> {
        run(cargo().args(["test", "--quiet", "--package", "messy-customers"]).current_dir(&self.root))
    }

    fn c_units(&self, folder: &Path, vectors: &Path, cases: &Path) -> Result<Result<String, Absent>> {
        let (sdk, sample) = (self.sdk(Language::C), self.folder(Language::C));
        let compile = |program: &Path, files: &[PathBuf]| -> Result<Result<(), Absent>> {
            let mut zig = have!(self.tools().zig());
            zig.args(["cc", "-O1", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-I"]).arg(&sdk);
            run(zig.arg("-o").arg(program).args(files))?;
            Ok(Ok(()))
        };
        let packed = sdk.join("packed.c");
        let codec = folder.join("codec");
        have!(compile(&codec, &[sdk.join("test.c"), packed.clone()])?);
        let one = run(Command::new(&codec).arg(vectors))?;
        let rules = folder.join("rules");
        let files = ["test.c", "rules.c", "transform.c"].map(|name| sample.join(name));
        have!(compile(&rules, &[files.as_slice(), &[packed]].concat())?);
        let two = run(Command::new(&rules).arg(cases))?;
        Ok(Ok(format!("{one}\n{two}")))
    }

    fn bundle_for_node(&self, test: &Path, language: Language, folder: &Path) -> Result<Result<PathBuf, Absent>> {
        // Beside its sources' depth, so that relative paths to the cases stay right.
        let bundled = folder.join("bundle/rules.test.mjs");
        let mut esbuild = have!(self.tools().node_program("esbuild"));
        esbuild.arg(test).args(["--bundle", "--format=esm", "--platform=node", "--log-level=warning"]);
        esbuild.arg(format!("--alias:@whimbrel/guest={}", self.sdk(language).join("src/index.js").display()));
        let url = format!("\"file://{}\"", test.display());
        esbuild.arg(format!("--define:import.meta.url={url}"));
        run(esbuild.arg(format!("--outfile={}", bundled.display())))?;
        Ok(Ok(bundled))
    }

    fn asc_for_node(&self, file: &Path, folder: &Path) -> Result<Result<String, Absent>> {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut asc = have!(self.tools().node_program("asc"));
        asc.arg(file.file_name().unwrap_or_default()).args(["--runtime", "incremental", "--exportRuntime"]);
        asc.args(["--bindings", "esm", "-o"]).arg(folder.join(format!("{name}.wasm")));
        run(asc.current_dir(file.parent().context("the file is in a folder")?))?;
        fs::write(folder.join("package.json"), "{\"type\":\"module\"}\n").context("cannot write package.json")?;
        Ok(Ok(folder.join(format!("{name}.js")).display().to_string()))
    }
}

/// Lists the programs of a folder.
fn python_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).with_context(cannot_read)?;
    let mut files: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>().with_context(cannot_read)?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "py"));
    files.sort();
    Ok(files)
}

fn module(name: &str, path: &Path) -> String {
    format!("-M{name}={}", path.display())
}

fn join_paths(paths: &[&Path]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            fs::copy(&path, &copy).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}
