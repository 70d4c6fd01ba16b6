//! Which engine runs which scripts: those that come with the program, and those that the operator names. Reads an
//! engine's bytes when they are wanted; compiles nothing, and knows engines only as components.

#[cfg(feature = "engines")]
mod built_in;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::model::Checksum;
use crate::shown::Shown;
use crate::wasm::Known;

/// More than any engine; keeps a stray file from filling the memory.
const LARGEST: u64 = 256 << 20;

/// The engines of a run.
#[derive(Clone, Debug)]
pub struct Engines {
    named: Vec<EngineSource>,
    built_in: Vec<EngineSource>,
}

/// Where one engine comes from, and what it is to run.
#[derive(Clone, Debug)]
pub struct EngineSource {
    /// What the operator calls it.
    pub name: String,
    /// Endings of the files that it is to run, without the dot.
    pub extensions: Vec<String>,
    /// What its bytes must be.
    pub pinned: Option<Checksum>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    #[cfg(feature = "engines")]
    BuiltIn(&'static built_in::BuiltIn),
    File(PathBuf),
}

/// Why an engine cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Its file cannot be read.
    #[error("the script engine {name} cannot be read ({})", Shown(&file.to_string_lossy()))]
    Unreadable {
        /// What the operator calls it.
        name: String,
        /// Its file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its bytes are not those that were pinned.
    #[error(
        "the script engine {name} is not the one that was pinned: its sha256 is {found}, and {pinned} was asked for ({})",
        Shown(place)
    )]
    Changed {
        /// What the operator calls it.
        name: String,
        /// Its file.
        place: String,
        /// What was asked for.
        pinned: Checksum,
        /// What is there.
        found: Checksum,
    },
    /// Two are to run the same files.
    #[error("two script engines are to run .{extension} files: {} and {}", Shown(first), Shown(second))]
    TwoForOne {
        /// The ending.
        extension: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// An ending that cannot be a script's.
    #[error("a script engine cannot run \".{}\" files", extension.escape_debug())]
    Extension {
        /// The ending.
        extension: String,
    },
}

impl Default for Engines {
    /// Has those that come with the program.
    fn default() -> Self {
        #[cfg(feature = "engines")]
        let built_in = built_in::ALL.iter().map(EngineSource::built_in).collect();
        #[cfg(not(feature = "engines"))]
        let built_in = Vec::new();
        Self { named: Vec::new(), built_in }
    }
}

impl Engines {
    /// Adds one. It goes before those that come with the program.
    pub fn with(mut self, engine: EngineSource) -> Result<Self, EngineError> {
        if engine.extensions.is_empty() {
            return Err(EngineError::Extension { extension: String::new() });
        }
        for extension in &engine.extensions {
            let letters = extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            if extension.is_empty() || !letters || matches!(extension.as_str(), "sql" | "wasm" | "toml") {
                return Err(EngineError::Extension { extension: extension.clone() });
            }
            if let Some(other) = self.named.iter().find(|other| other.extensions.contains(extension)) {
                let (extension, first, second) = (extension.clone(), other.name.clone(), engine.name);
                return Err(EngineError::TwoForOne { extension, first, second });
            }
        }
        self.named.push(engine);
        Ok(self)
    }

    /// Finds the engine for the files with an ending.
    pub fn find(&self, extension: &str) -> Option<&EngineSource> {
        self.all().find(|engine| engine.extensions.iter().any(|known| known == extension))
    }

    /// Returns all engines, those that the operator names first.
    pub fn all(&self) -> impl Iterator<Item = &EngineSource> {
        self.named.iter().chain(&self.built_in)
    }

    /// Returns the endings of all files that some engine runs.
    pub fn extensions(&self) -> Vec<String> {
        let mut all: Vec<String> = self.all().flat_map(|engine| engine.extensions.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }
}

impl EngineSource {
    /// Names an engine in a file. It runs files with its name as ending, unless that is said otherwise.
    pub fn file(name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        let name = name.into();
        Self { extensions: vec![name.clone()], name, pinned: None, place: Place::File(file.into()) }
    }

    /// Sets the endings of the files that it runs, without the dot.
    #[must_use]
    pub fn extensions(mut self, extensions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.extensions = extensions.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what its bytes must be.
    #[must_use]
    pub fn pinned(mut self, checksum: Checksum) -> Self {
        self.pinned = Some(checksum);
        self
    }

    #[cfg(feature = "engines")]
    fn built_in(engine: &'static built_in::BuiltIn) -> Self {
        Self {
            name: engine.name.to_owned(),
            extensions: engine.extensions.iter().map(|&extension| extension.to_owned()).collect(),
            pinned: None,
            place: Place::BuiltIn(engine),
        }
    }

    /// Returns its file; none when it comes with the program.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            #[cfg(feature = "engines")]
            Place::BuiltIn(_) => None,
            Place::File(file) => Some(file),
        }
    }

    /// Says where it comes from.
    pub fn describe(&self) -> String {
        self.path().map_or_else(|| "built in".to_owned(), |file| file.display().to_string())
    }

    /// Tells what is known of its component before it is read: of those that come with the program, what they are.
    pub fn known(&self) -> Option<Known> {
        match &self.place {
            #[cfg(feature = "engines")]
            Place::BuiltIn(engine) => Some(engine.known()),
            Place::File(_) => None,
        }
    }

    /// Reads its component, and compares it with what was pinned.
    pub fn load(&self) -> Result<Cow<'static, [u8]>, EngineError> {
        let bytes = match &self.place {
            #[cfg(feature = "engines")]
            Place::BuiltIn(engine) => engine.unpack(),
            Place::File(file) => Cow::Owned(read(file).map_err(|source| EngineError::Unreadable {
                name: self.name.clone(),
                file: file.clone(),
                source,
            })?),
        };
        match self.pinned {
            Some(pinned) if pinned != Checksum::of(&bytes) => Err(EngineError::Changed {
                name: self.name.clone(),
                place: self.describe(),
                pinned,
                found: Checksum::of(&bytes),
            }),
            _ => Ok(bytes),
        }
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(file)?;
    if !size.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
    }
    if size.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {LARGEST} bytes")));
    }
    fs::read(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_run_the_same_files() {
        let lua = |name: &str| EngineSource::file(name, "x.wasm").extensions(["lua"]);
        let error = Engines::default().with(lua("a")).and_then(|engines| engines.with(lua("b"))).expect_err("two");
        assert_eq!(error.to_string(), "two script engines are to run .lua files: a and b");
        for extension in ["sql", "", "L", "a.b"] {
            let engine = EngineSource::file("x", "x.wasm").extensions([extension]);
            assert!(Engines::default().with(engine).is_err(), "{extension}");
        }
    }

    #[test]
    fn what_the_operator_names_goes_before_what_is_built_in() {
        let engines = Engines::default().with(EngineSource::file("js", "mine.wasm")).expect("one");
        assert_eq!(engines.find("js").map(EngineSource::describe).as_deref(), Some("mine.wasm"));
        assert!(engines.find("lua").is_none());
    }
}
