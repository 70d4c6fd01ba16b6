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
use super::stack;
use super::state::State;
use super::wasi;
use crate::limits::{Limit, RunLimits};

/// Deepest stack of a function, which runs on top of the guest whose statement calls it.
const FUNCTION_STACK: usize = stack::SMALL / 4;

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
    guarded: bool,
}

impl Engine {
    /// Starts an engine that compiles in this process. A cache that cannot be used is left out with a warning.
    pub fn new(cache: &ComponentCache) -> Result<Self, CompileError> {
        Self::with(&Compilation { cache: cache.clone(), ..Compilation::default() })
    }

    /// Starts an engine. A cache that cannot be used is left out with a warning.
    pub fn with(compilation: &Compilation) -> Result<Self, CompileError> {
        Self::begin(compilation, stack::SMALL, true)
    }

    /// Starts an engine for SQL functions, which are called from within other guests' statements.
    pub fn for_functions(compilation: &Compilation) -> Result<Self, CompileError> {
        Self::begin(compilation, FUNCTION_STACK, true)
    }

    /// Starts an engine for script engines, which need more stack. What it loads is to be called with [`deep`] stacks.
    ///
    /// [`deep`]: super::deep
    pub fn for_scripts(compilation: &Compilation) -> Result<Self, CompileError> {
        Self::begin(compilation, stack::DEEP, true)
    }

    /// Starts an engine whose guests nothing bounds, to measure what the bounds cost.
    #[cfg(feature = "unguarded")]
    #[doc(hidden)]
    pub fn unguarded(cache: &ComponentCache) -> Result<Self, CompileError> {
        Self::begin(&Compilation { cache: cache.clone(), ..Compilation::default() }, stack::SMALL, false)
    }

    fn begin(compilation: &Compilation, stack: usize, guarded: bool) -> Result<Self, CompileError> {
        let cache = open_cache(&compilation.cache);
        let begin = || {
            let engine = start(&cache, stack, guarded)?;
            let mut linker = Linker::new(&engine);
            Host_::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state: &mut State| state)?;
            wasi::add_to_linker(&mut linker)?;
            Ok::<_, wasmtime::Error>((engine, linker))
        };
        let started = begin().map_err(|source| CompileError::Engine { reason: format!("{source:#}") });
        let (engine, linker) = started?;
        let known = cache.as_ref().map(|cache| Known::new(cache, &engine));
        Ok(Self { engine, linker, compilation: compilation.clone(), cache, known, guarded })
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
            compile::compile(program, folder, bytes, limits, &self.compilation.interrupt)?;
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
        Ok(Plugin::new(linked, inspection, self.guarded))
    }
}

/// Starts wasmtime. A child that compiles has the same settings, so that what it puts into the cache fits.
pub(super) fn start(cache: &Option<Cache>, stack: usize, guarded: bool) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = Config::new();
    config
        .wasm_features(FEATURES, true)
        .wasm_features(FEATURES.complement(), false)
        .consume_fuel(guarded)
        .epoch_interruption(guarded)
        .cranelift_nan_canonicalization(true)
        // Nothing is asynchronous here, but the one may not be larger than the other.
        .async_stack_size(stack.max(2 << 20))
        .max_wasm_stack(stack)
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
