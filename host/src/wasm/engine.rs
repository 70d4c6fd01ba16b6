//! The wasmtime engine: its settings, its cache, loading of components.

use std::path::PathBuf;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, WasmBacktraceDetails};

use super::bindings::Host_;
use super::compile::{self, Compilation, CompileIsolation, Known};
use super::error::CompileError;
use super::features::{self, FEATURES};
use super::fits;
use super::inspect::{self, Inspection};
use super::plugin::Plugin;
use super::state::State;
use super::wasi;
use crate::limits::{Limit, RunLimits};

/// Deepest stack of a component.
const STACK: usize = 1 << 20;
/// What the host needs below a guest, to run its statements and the functions that these call.
const ROOM: usize = 2 << 20;

/// What an engine runs, and within what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// Components, in turns.
    Steps,
    /// Script engines, in turns. An interpreter calls itself for every call of its script, and reaches its own limit,
    /// which is an error of the script and no trap, only where the stack is deep enough.
    Scripts,
    /// SQL functions, on top of the guest whose statement calls them.
    Functions,
    /// Components that nothing bounds.
    #[cfg(feature = "unguarded")]
    Measure,
}

impl Purpose {
    fn stack(self) -> usize {
        match self {
            Self::Scripts => 8 * STACK,
            Self::Functions => STACK / 4,
            _ => STACK,
        }
    }

    fn is_guarded(self) -> bool {
        match self {
            Self::Steps | Self::Scripts | Self::Functions => true,
            #[cfg(feature = "unguarded")]
            Self::Measure => false,
        }
    }
}

/// Where compiled components are kept between runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum ComponentCache {
    /// The user's cache folder.
    #[default]
    User,
    /// This folder. Whoever can write it can run code as this program.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

/// Compiles and loads components.
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<State>,
    compilation: Compilation,
    cache: Option<Cache>,
    known: Option<Known>,
    purpose: Purpose,
}

impl Engine {
    /// Starts an engine that compiles in this process. A cache that cannot be used is left out with a warning.
    pub fn new(cache: &ComponentCache) -> Result<Self, CompileError> {
        Self::with(&Compilation { cache: cache.clone(), ..Compilation::default() })
    }

    /// Starts an engine. A cache that cannot be used is left out with a warning.
    pub fn with(compilation: &Compilation) -> Result<Self, CompileError> {
        Self::begin(compilation, Purpose::Steps)
    }

    /// Starts an engine for SQL functions, which are called from within other guests' statements.
    pub fn for_functions(compilation: &Compilation) -> Result<Self, CompileError> {
        Self::begin(compilation, Purpose::Functions)
    }

    /// Starts an engine for script engines, which need more stack.
    pub fn for_scripts(compilation: &Compilation) -> Result<Self, CompileError> {
        Self::begin(compilation, Purpose::Scripts)
    }

    /// Starts an engine whose guests nothing bounds, to measure what the bounds cost.
    #[cfg(feature = "unguarded")]
    #[doc(hidden)]
    pub fn unguarded(cache: &ComponentCache) -> Result<Self, CompileError> {
        Self::begin(&Compilation { cache: cache.clone(), ..Compilation::default() }, Purpose::Measure)
    }

    fn begin(compilation: &Compilation, purpose: Purpose) -> Result<Self, CompileError> {
        let cache = open_cache(&compilation.cache);
        let begin = || {
            let engine = start(&cache, purpose)?;
            let mut linker = Linker::new(&engine);
            Host_::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state: &mut State| state)?;
            wasi::add_to_linker(&mut linker)?;
            Ok::<_, wasmtime::Error>((engine, linker))
        };
        let started = begin().map_err(|source| CompileError::Engine { reason: format!("{source:#}") });
        let (engine, linker) = started?;
        let known = cache.as_ref().map(|cache| Known::new(cache, &engine));
        Ok(Self { engine, linker, compilation: compilation.clone(), cache, known, purpose })
    }

    /// Compiles a component within the limits that are the default.
    pub fn compile(&self, bytes: &[u8]) -> Result<Plugin, CompileError> {
        self.compile_within(bytes, &RunLimits::default())
    }

    /// Checks a component's bytes, compiles them or finds them in the cache, and checks that its exports can be
    /// called. None of its code runs.
    pub fn compile_within(&self, bytes: &[u8], limits: &RunLimits) -> Result<Plugin, CompileError> {
        limits.check(Limit::ComponentSize, bytes.len() as u64)?;
        let inspection = inspect::inspect(bytes)?;
        inspection.check()?;
        self.vet(bytes, &inspection, limits)?;
        self.load(bytes, inspection)
    }

    /// Makes sure that the bytes can be compiled in this process, because they have been before or because they are
    /// to be trusted.
    fn vet(&self, bytes: &[u8], inspection: &Inspection, limits: &RunLimits) -> Result<(), CompileError> {
        let isolated = self.compilation.isolation != CompileIsolation::InProcess;
        if self.known.as_ref().is_some_and(|known| known.has(&inspection.checksum, isolated)) {
            return Ok(());
        }
        features::validate(bytes)?;
        if let CompileIsolation::Child(program) = &self.compilation.isolation {
            let folder = self.cache.as_ref().map(|cache| cache.directory().as_path());
            compile::compile(program, folder, self.purpose, bytes, limits, &self.compilation.interrupt)?;
        }
        Ok(())
    }

    fn load(&self, bytes: &[u8], inspection: Inspection) -> Result<Plugin, CompileError> {
        let invalid = |source: wasmtime::Error| CompileError::Invalid { reason: format!("{source:#}") };
        let component = Component::new(&self.engine, bytes).map_err(invalid)?;
        if let Some(known) = &self.known {
            let isolated = self.compilation.isolation != CompileIsolation::InProcess;
            if !known.has(&inspection.checksum, isolated) {
                known.add(&inspection.checksum, isolated);
            }
        }
        let linked = self.linker.instantiate_pre(&component).map_err(invalid)?;
        let types = self.linker.substituted_component_type(&component).map_err(invalid)?;
        for export in inspection.calls() {
            fits::check(&self.engine, &types, export, inspection.is_engine())
                .map_err(|reason| CompileError::Invalid { reason })?;
        }
        Ok(Plugin::new(linked, inspection, self.purpose.is_guarded()))
    }
}

/// Starts wasmtime. A child that compiles has the same settings, so that what it puts into the cache fits.
pub(super) fn start(cache: &Option<Cache>, purpose: Purpose) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = Config::new();
    config
        .wasm_features(FEATURES, true)
        .wasm_features(FEATURES.complement(), false)
        .consume_fuel(purpose.is_guarded())
        .epoch_interruption(purpose == Purpose::Functions)
        .cranelift_nan_canonicalization(true)
        .async_stack_size(purpose.stack() + ROOM)
        .max_wasm_stack(purpose.stack())
        .concurrency_support(false)
        // The default asks the environment.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .cache(cache.clone());
    wasmtime::Engine::new(&config)
}

/// Opens the cache, if it can be used.
pub(super) fn open_cache(cache: &ComponentCache) -> Option<Cache> {
    let opened = match cache {
        ComponentCache::Off => return None,
        ComponentCache::User => Cache::new(CacheConfig::new()),
        ComponentCache::Folder(folder) => {
            let mut config = CacheConfig::new();
            config.with_directory(folder);
            Cache::new(config)
        }
    };
    opened.inspect_err(|error| tracing::warn!("compiled components are not kept: {error:#}")).ok()
}
