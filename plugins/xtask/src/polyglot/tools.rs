//! Tools from PyPI and npm, by name and digest, below the target folder: those of the languages, and what lists of others
//! name. Nothing goes elsewhere.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// A tool that is not there, and cannot be installed here.
#[derive(Clone, Debug)]
pub struct Absent {
    /// Why.
    pub reason: String,
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The tools, installed when they are first asked for.
pub struct Tools {
    target: PathBuf,
    lists: PathBuf,
    python: OnceLock<Result<PathBuf, Absent>>,
    npm: OnceLock<Result<PathBuf, Absent>>,
}

impl Tools {
    /// Keeps tools below `target`; `lists` has `requirements.txt`, `package.json` and `package-lock.json`.
    pub fn below(target: &Path, lists: &Path) -> Self {
        let (target, lists) = (target.to_owned(), lists.to_owned());
        Self { target, lists, python: OnceLock::new(), npm: OnceLock::new() }
    }

    /// Returns the folder of a virtual environment with what `requirements.txt` names.
    pub fn python(&self) -> Result<&Path, Absent> {
        answer(self.python.get_or_init(|| self.install("python", &["requirements.txt"], &[("python3", "3.11")], venv)))
    }

    /// Returns the folder whose `node_modules` has what `package.json` names.
    pub fn npm(&self) -> Result<&Path, Absent> {
        let lists = ["package.json", "package-lock.json"];
        answer(self.npm.get_or_init(|| self.install("npm", &lists, &[("node", "20"), ("npm", "10")], npm)))
    }

    /// Starts `zig`.
    pub(super) fn zig(&self) -> Result<Command, Absent> {
        let mut zig = Command::new(self.python()?.join("bin/python"));
        zig.args(["-m", "ziglang"]);
        for (name, folder) in [("ZIG_GLOBAL_CACHE_DIR", "zig-global"), ("ZIG_LOCAL_CACHE_DIR", "zig-local")] {
            zig.env(name, self.target.join(folder));
        }
        Ok(zig)
    }

    /// Starts `go`, which asks no proxy for anything.
    pub(super) fn go(&self) -> Result<Command, Absent> {
        let mut go = Command::new(self.python()?.join("bin/go"));
        go.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod").env("GOWORK", "off");
        go.env("GOCACHE", self.target.join("go-cache")).env("GOTELEMETRY", "off");
        Ok(go)
    }

    /// Starts a program of Python's tools.
    pub(super) fn python_module(&self, module: &str) -> Result<Command, Absent> {
        let environment = self.python()?;
        let mut python = Command::new(environment.join("bin/python"));
        python.env("VIRTUAL_ENV", environment).env("PYTHONDONTWRITEBYTECODE", "1");
        match module {
            // It has no module to start, only a function.
            "componentize_py" => python.args(["-c", "from componentize_py import script; script()"]),
            module => python.args(["-m", module]),
        };
        Ok(python)
    }

    /// Starts a program of npm's tools.
    pub(super) fn node_program(&self, name: &str) -> Result<Command, Absent> {
        Ok(Command::new(self.npm()?.join("node_modules/.bin").join(name)))
    }

    /// Returns the folder that is made of these lists, and makes it when it is missing.
    fn install(
        &self,
        name: &str,
        lists: &[&str],
        needs: &[(&str, &str)],
        make: fn(&Path, &Path) -> Result<()>,
    ) -> Result<PathBuf, Absent> {
        for (program, since) in needs {
            if Command::new(program).arg("--version").output().is_err() {
                return Err(Absent { reason: format!("{program} is missing (version {since} or later)") });
            }
        }
        let place = || -> Result<PathBuf> {
            let mut digest = Sha256::new();
            for list in lists {
                digest.update(fs::read(self.lists.join(list)).with_context(|| format!("cannot read {list}"))?);
            }
            let digest: String = digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let folder = self.target.join(format!("{name}-{digest}"));
            let complete = folder.join("complete");
            if !complete.exists() {
                let _ = fs::remove_dir_all(&folder);
                fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
                make(&folder, &self.lists)?;
                fs::write(&complete, "").with_context(|| format!("cannot write {}", complete.display()))?;
            }
            Ok(folder)
        };
        place().map_err(|error| Absent { reason: format!("{error:#}") })
    }
}

fn answer(found: &Result<PathBuf, Absent>) -> Result<&Path, Absent> {
    found.as_deref().map_err(Clone::clone)
}

fn venv(folder: &Path, lists: &Path) -> Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    run(pip.args(["--require-hashes", "-r"]).arg(lists.join("requirements.txt"))).map(drop)
}

fn npm(folder: &Path, lists: &Path) -> Result<()> {
    for list in ["package.json", "package-lock.json"] {
        fs::copy(lists.join(list), folder.join(list)).with_context(|| format!("cannot copy {list}"))?;
    }
    // Not `npm ci`: componentize-qjs names bindings that were never published for some platforms, and npm refuses a
    // lock file without them. `npm install` keeps to the locked versions and their digests just as well.
    let arguments = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new("npm").args(arguments).current_dir(folder)).map(drop)
}

/// Runs a command; what it said is the error when it fails.
pub(super) fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let text = format!("{}\n{}", said(&output.stdout), said(&output.stderr));
    if !output.status.success() {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        bail!("`{program} {}` failed:\n{}", arguments.join(" "), text.trim());
    }
    Ok(text.trim().to_owned())
}
