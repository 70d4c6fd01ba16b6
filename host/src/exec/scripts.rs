//! Brings scripts and engines together before anything runs: finds, compiles and asks the engine, and has it read the
//! script.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::prepare::PrepareError;
use crate::engines::{EngineError, EngineSource, Engines};
use crate::limits::RunLimits;
use crate::model::{Checksum, ScriptFiles};
use crate::plan::{Direction, Step};
use crate::shown::Shown;
use crate::wasm::{Compilation, CompileError, Engine, EngineAbout, Plugin, PluginError};

/// The function of a script that undoes its `transform`.
const REVERT: &str = "revert";
/// What a script exports that is called with the transaction, which a transform is never given.
const WITHOUT_TRANSFORM: [&str; 2] = ["up", "down"];

/// An engine as the history records it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EngineUsed {
    /// What it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes.
    pub checksum: Checksum,
}

impl fmt::Display for EngineUsed {
    /// Writes name, version and digest; what an engine says of itself is escaped.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.name.escape_debug(), self.version.escape_debug(), self.checksum)
    }
}

/// Why a script cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptPrepareError {
    /// Nothing runs such files.
    #[error("no script engine runs .{extension} files")]
    NoEngine {
        /// The ending.
        extension: String,
    },
    /// The engine cannot be read, or is not the one that was pinned.
    #[error(transparent)]
    Source(#[from] EngineError),
    /// The engine does not compile.
    #[error("the script engine {name} cannot be loaded ({})", Shown(place))]
    Compile {
        /// What the operator calls it.
        name: String,
        /// Where it comes from.
        place: String,
        /// Why.
        #[source]
        source: CompileError,
    },
    /// It is some other component.
    #[error("{} is no script engine: it exports none of the world `script-engine`", Shown(place))]
    NotAnEngine {
        /// Where it comes from.
        place: String,
    },
    /// It is an engine for other files.
    #[error("the script engine {name} {version} runs {}, and not .{extension} ({})", list(extensions), Shown(place))]
    OtherFiles {
        /// What it calls itself.
        name: String,
        /// Its version.
        version: String,
        /// What it runs.
        extensions: Vec<String>,
        /// What it was to run.
        extension: String,
        /// Where it comes from.
        place: String,
    },
    /// The engine itself failed.
    #[error("the script engine {name} does not answer ({})", Shown(place))]
    Broken {
        /// What the operator calls it.
        name: String,
        /// Where it comes from.
        place: String,
        /// Why.
        #[source]
        source: PluginError,
    },
    /// The script cannot be read, or imports what is not there.
    #[error("the script cannot be run")]
    Check {
        /// The script.
        script: Arc<ScriptFiles>,
        /// Why.
        #[source]
        source: PluginError,
    },
    /// It does not export the function that is to be called.
    #[error("the script exports no {export}: it exports {}", if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") })]
    NoExport {
        /// The function.
        export: &'static str,
        /// What there is.
        exports: Vec<String>,
        /// The ending of the script, which tells the language.
        extension: String,
    },
    /// It exports `transform`, and nothing says which rows go through it.
    #[error("the script exports transform, and nothing says which rows go through it")]
    NoTransformTable {
        /// Ending of the script, which tells how its language writes comments.
        extension: String,
    },
    /// It is a transform, and exports functions that would never be called.
    #[error("the script is a transform, which never calls its {}", ignored.join(" and its "))]
    BesideTransform {
        /// The functions.
        ignored: Vec<&'static str>,
    },
    /// It is a transform that exports an inverse, and nothing says that it has one.
    #[error("the script exports revert, and its transform says no way back, so that nothing would call it")]
    NoWayBack,
}

impl ScriptPrepareError {
    /// Tells whether something was stopped from outside, and nothing is wrong otherwise.
    pub(crate) fn is_interruption(&self) -> bool {
        match self {
            Self::Compile { source, .. } => matches!(source, CompileError::Interrupted),
            Self::Broken { source, .. } | Self::Check { source, .. } => matches!(source, PluginError::Interrupted),
            _ => false,
        }
    }
}

fn list(extensions: &[String]) -> String {
    let named: Vec<String> = extensions.iter().map(|extension| format!(".{}", extension.escape_debug())).collect();
    if named.is_empty() { "nothing".to_owned() } else { named.join(", ") }
}

/// An engine, and what became of asking it.
#[derive(Debug)]
#[non_exhaustive]
pub struct EngineFound {
    /// What the operator calls it.
    pub name: String,
    /// Endings of the files that it is to run.
    pub extensions: Vec<String>,
    /// Where it comes from.
    pub place: String,
    /// Its size in bytes, what it says, and how long that took; or why it cannot be used.
    pub answer: Result<EngineAnswer, ScriptPrepareError>,
}

/// What there is to know of an engine that can be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineAnswer {
    /// What it calls itself, its version, and its digest.
    pub used: EngineUsed,
    /// Bytes of its component.
    pub size: usize,
}

/// Asks every engine what it is.
pub(crate) fn look_at(engines: &Engines, compilation: &Compilation) -> Result<Vec<EngineFound>, CompileError> {
    let compiler = Engine::for_scripts(compilation)?;
    let mut workshop = Workshop::new(engines, &compiler, &compilation.interrupt);
    let one = |source: &EngineSource| {
        let asked: Result<Vec<Found>, ScriptPrepareError> =
            source.extensions.iter().map(|extension| workshop.of(source, extension)).collect();
        let answer = asked.map(|found| {
            let (plugin, used) = found.into_iter().next().expect("an engine runs some files");
            EngineAnswer { used, size: plugin.inspection().size }
        });
        EngineFound {
            name: source.name.clone(),
            extensions: source.extensions.clone(),
            place: source.describe(),
            answer,
        }
    };
    Ok(engines.all().map(one).collect())
}

/// What a script is prepared for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// To be run: what it would never call is refused.
    New,
    /// To be asked something: it is applied.
    Applied,
}

/// What was found for a script.
pub(super) type Found = (Arc<Plugin>, EngineUsed);

/// Engines that were compiled already in this run, by what the operator calls them.
pub(super) struct Workshop<'a> {
    engines: &'a Engines,
    compiler: &'a Engine,
    interrupt: &'a crate::interrupt::Interrupt,
    ready: HashMap<String, (Arc<Plugin>, EngineAbout)>,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(engines: &'a Engines, compiler: &'a Engine, interrupt: &'a crate::interrupt::Interrupt) -> Self {
        Self { engines, compiler, interrupt, ready: HashMap::new() }
    }

    /// Finds the engine of a script and has it read the script, for a step; returns what the script exports, too.
    pub(super) fn prepare(
        &mut self,
        step: &Step,
        script: &Arc<ScriptFiles>,
        limits: &RunLimits,
        standing: Standing,
    ) -> Result<(Found, Vec<String>), PrepareError> {
        let failed = |source: ScriptPrepareError| PrepareError::Script {
            migration: step.title(),
            file: step.migration.file.clone(),
            source: Box::new(source),
        };
        let found = self.engine(&script.extension).map_err(failed)?;
        let exports = self.check(&found, script, limits).map_err(failed)?;
        let has = |name: &str| exports.iter().any(|export| export == name);
        let spec = step.migration.body.transform();
        let export = match (step.direction, spec) {
            (Direction::Up, Some(_)) => "transform",
            (Direction::Up, None) if !has("up") && has("transform") => {
                return Err(failed(ScriptPrepareError::NoTransformTable { extension: script.extension.clone() }));
            }
            (Direction::Up, None) => "up",
            (Direction::Down, Some(_)) => REVERT,
            (Direction::Down, None) if !has("down") => {
                let (migration, file) = (step.title(), step.migration.file.clone());
                return Err(PrepareError::Irreversible { migration, file });
            }
            (Direction::Down, None) => "down",
        };
        // Nobody is to learn only on the way back that there is none.
        let inverse = spec.and_then(|spec| spec.down.as_ref()).map(|_| REVERT);
        if let Some(export) = [Some(export), inverse].into_iter().flatten().find(|export| !has(export)) {
            return Err(failed(ScriptPrepareError::NoExport { export, exports, extension: script.extension.clone() }));
        }
        // What has run stays as it was written.
        if let (Standing::New, Direction::Up, Some(spec)) = (standing, step.direction, spec) {
            let ignored: Vec<&str> = WITHOUT_TRANSFORM.into_iter().filter(|export| has(export)).collect();
            if !ignored.is_empty() {
                return Err(failed(ScriptPrepareError::BesideTransform { ignored }));
            }
            if spec.down.is_none() && has(REVERT) {
                return Err(failed(ScriptPrepareError::NoWayBack));
            }
        }
        Ok((found, exports))
    }

    /// Has the engine read a script; returns what it exports.
    pub(super) fn check(
        &self,
        found: &Found,
        script: &Arc<ScriptFiles>,
        limits: &RunLimits,
    ) -> Result<Vec<String>, ScriptPrepareError> {
        let checked = found.0.check_script(script, limits, self.interrupt);
        checked.map_err(|source| ScriptPrepareError::Check { script: Arc::clone(script), source })
    }

    /// Finds the engine for files with an ending, compiled, and makes sure that it is one for them.
    pub(super) fn engine(&mut self, extension: &str) -> Result<Found, ScriptPrepareError> {
        let no_engine = || ScriptPrepareError::NoEngine { extension: extension.to_owned() };
        let source = self.engines.find(extension).ok_or_else(no_engine)?;
        self.of(source, extension)
    }

    /// Compiles an engine, if that is not done already, and makes sure that it is one for files with an ending.
    fn of(&mut self, source: &EngineSource, extension: &str) -> Result<Found, ScriptPrepareError> {
        if !self.ready.contains_key(&source.name) {
            let place = source.describe();
            let name = || source.name.clone();
            let limits = RunLimits::default();
            let failed = |source| ScriptPrepareError::Compile { name: name(), place: place.clone(), source };
            let found = source.known().map_or(Ok(None), |known| self.compiler.find(&known)).map_err(failed)?;
            let plugin = match found {
                Some(plugin) => plugin,
                None => self.compiler.compile_within(&source.load()?, &limits).map_err(failed)?,
            };
            if !plugin.inspection().is_engine() {
                return Err(ScriptPrepareError::NotAnEngine { place });
            }
            let about = plugin.describe(&limits, self.interrupt);
            let about = about.map_err(|error| ScriptPrepareError::Broken { name: name(), place, source: error })?;
            self.ready.insert(source.name.clone(), (Arc::new(plugin), about));
        }
        let (plugin, about) = &self.ready[&source.name];
        if !about.extensions.iter().any(|known| known == extension) {
            return Err(ScriptPrepareError::OtherFiles {
                name: about.name.clone(),
                version: about.version.clone(),
                extensions: about.extensions.clone(),
                extension: extension.to_owned(),
                place: source.describe(),
            });
        }
        let used = EngineUsed {
            name: about.name.clone(),
            version: about.version.clone(),
            checksum: plugin.inspection().checksum,
        };
        Ok((Arc::clone(plugin), used))
    }
}
