//! The sample that there is in every language: its tools, its components, its unit tests and those of the SDKs.

mod build;
mod inputs;
mod tools;
mod unit;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

pub use tools::{Absent, Tools};

/// A language that a migration can be written in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Language {
    /// Rust.
    Rust,
    /// C.
    C,
    /// Go.
    Go,
    /// JavaScript.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// Python.
    Python,
    /// Zig.
    Zig,
    /// AssemblyScript.
    AssemblyScript,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Rust,
        Self::C,
        Self::Go,
        Self::JavaScript,
        Self::TypeScript,
        Self::Python,
        Self::Zig,
        Self::AssemblyScript,
    ];

    /// Returns the name of its folders.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Go => "go",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Zig => "zig",
            Self::AssemblyScript => "assemblyscript",
        }
    }

    /// Returns the folder of its SDK in `guest-sdk`; Rust's is the crate there.
    const fn sdk(self) -> Option<&'static str> {
        match self {
            Self::Rust => None,
            Self::TypeScript => Some("javascript"),
            other => Some(other.folder()),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.folder())
    }
}

/// In which form a sample does its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Reads and writes rows itself; can be reverted, and verifies itself.
    Rowwise,
    /// Is given rows, and gives rows; verifies itself.
    Transform,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rowwise, Self::Transform];

    /// Returns the name of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rowwise => "rowwise",
            Self::Transform => "transform",
        }
    }

    /// Returns the world of its component.
    const fn world(self) -> &'static str {
        match self {
            Self::Rowwise => "verified-reversible",
            Self::Transform => "verified-transform",
        }
    }
}

/// What a component is made of.
struct Source {
    language: Language,
    folder: PathBuf,
    /// Name of the file with the exports, without its ending; for Go, of the folder.
    entry: String,
    world: &'static str,
}

/// A sample's component.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The language it is written in.
    pub language: Language,
    /// How it works.
    pub form: Form,
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Where the samples are built.
pub struct Workshop {
    root: PathBuf,
    tools: Tools,
    /// One build at a time: tests on several threads ask for the same files.
    building: Mutex<()>,
}

impl Workshop {
    /// Opens it in a workspace; nothing is installed yet.
    pub fn open(workspace: &Path) -> Self {
        let target = workspace.join("target/polyglot");
        let tools = Tools::below(&target, &workspace.join("plugins/messy-customers/tools"));
        Self { root: workspace.to_owned(), tools, building: Mutex::new(()) }
    }

    /// Returns the tools.
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Builds a sample, unless what it is made of has not changed. The inner error says which tool is absent.
    pub fn sample(&self, language: Language, form: Form) -> Result<Result<Sample, Absent>> {
        let folder = self.folder(language);
        let source = Source { language, folder, entry: form.name().to_owned(), world: form.world() };
        let path = self.target(&format!("samples/{language}-{}.wasm", form.name()));
        Ok(self.made(&source, &path)?.map(|bytes| Sample { language, form, path, bytes }))
    }

    /// Builds a sample once more, whether or not anything has changed, and returns its bytes.
    pub fn rebuild(&self, language: Language, form: Form) -> Result<Result<Vec<u8>, Absent>> {
        let folder = self.folder(language);
        let source = Source { language, folder, entry: form.name().to_owned(), world: form.world() };
        let path = self.target(&format!("rebuilt/{language}-{}.wasm", form.name()));
        match self.build(&source, &path)? {
            Ok(()) => std::fs::read(&path).map(Ok).with_context(|| format!("cannot read {}", path.display())),
            Err(absent) => Ok(Err(absent)),
        }
    }

    /// Builds another guest of the world `migration`: the file or folder `entry` in `folder`.
    pub fn guest(&self, language: Language, folder: &Path, entry: &str) -> Result<Result<Vec<u8>, Absent>> {
        let source = Source { language, folder: folder.to_owned(), entry: entry.to_owned(), world: "migration" };
        self.made(&source, &self.target(&format!("guests/{language}-{entry}.wasm")))
    }

    fn made(&self, source: &Source, path: &Path) -> Result<Result<Vec<u8>, Absent>> {
        let _only = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inputs = self.inputs(source.language);
        inputs.push(source.folder.clone());
        let stamp = inputs::stamp(&inputs)?;
        if !inputs::is_current(path, &stamp) {
            if let Err(absent) = self.build(source, path)? {
                return Ok(Err(absent));
            }
            inputs::keep(path, &stamp)?;
        }
        std::fs::read(path).map(Ok).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Runs the unit tests of a language's SDK and sample with its own runner; returns what it said.
    pub fn unit_tests(&self, language: Language) -> Result<Result<String, Absent>> {
        self.run_units(language)
    }

    fn inputs(&self, language: Language) -> Vec<PathBuf> {
        let sample = self.root.join("plugins/messy-customers");
        let mut inputs = vec![sample.join(language.folder()), sample.join("tools"), self.root.join("guest-sdk/wit")];
        match language.sdk() {
            Some(sdk) => inputs.push(self.root.join("guest-sdk").join(sdk)),
            None => inputs.extend(["guest-sdk/src", "guest-sdk/packed", "Cargo.lock"].map(|path| self.root.join(path))),
        }
        inputs.extend(["host/component/src", "plugins/xtask/src/polyglot/build.rs"].map(|path| self.root.join(path)));
        inputs
    }

    fn target(&self, path: &str) -> PathBuf {
        self.root.join("target/polyglot").join(path)
    }

    fn folder(&self, language: Language) -> PathBuf {
        self.root.join("plugins/messy-customers").join(language.folder())
    }

    fn sdk(&self, language: Language) -> PathBuf {
        self.root.join("guest-sdk").join(language.sdk().unwrap_or("src"))
    }
}
