//! The wasmtime engine: its settings, loading of components.

use std::fmt;
use std::path::PathBuf;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, WasmBacktraceDetails};

use super::bindings::Host_;
use super::compile::{self, Compilation, CompileIsolation, Store};
use super::error::CompileError;
use super::features::{self, FEATURES};
use super::fits;
use super::inspect::{self, Inspection};
use super::known::{self, Known};
use super::plugin::Plugin;
use super::state::State;
use super::wasi;
use crate::limits::{Limit, RunLimits};
use crate::model::{Binary, Checksum};

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
#[non_exhaustive]
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
    store: Option<Store>,
    purpose: Purpose,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("compilation", &self.compilation)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
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
        let begin = || {
            let engine = start(purpose)?;
            let mut linker = Linker::new(&engine);
            Host_::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state: &mut State| state)?;
            wasi::add_to_linker(&mut linker)?;
            Ok::<_, wasmtime::Error>((engine, linker))
        };
        let started = begin().map_err(|source| CompileError::Engine { reason: format!("{source:#}") });
        let (engine, linker) = started?;
        let store = Store::open(&compilation.cache, &engine);
        Ok(Self { engine, linker, compilation: compilation.clone(), store, purpose })
    }

    /// Compiles a component within the limits that are the default.
    pub fn compile(&self, bytes: &[u8]) -> Result<Plugin, CompileError> {
        self.compile_within(bytes, &RunLimits::default())
    }

    /// Checks a component's bytes, compiles them or finds them in the cache, and checks that its exports can be
    /// called. None of its code runs.
    pub fn compile_within(&self, bytes: &[u8], limits: &RunLimits) -> Result<Plugin, CompileError> {
        self.compile_known(bytes, || Checksum::of(bytes), limits)
    }

    /// As [`compile_within`](Self::compile_within), of a migration's component.
    pub fn compile_binary(&self, binary: &Binary, limits: &RunLimits) -> Result<Plugin, CompileError> {
        self.compile_known(binary, || binary.checksum(), limits)
    }

    fn compile_known(
        &self,
        bytes: &[u8],
        checksum: impl FnOnce() -> Checksum,
        limits: &RunLimits,
    ) -> Result<Plugin, CompileError> {
        limits.check(Limit::ComponentSize, bytes.len() as u64)?;
        let inspection = inspect::inspect_known(bytes, checksum)?;
        inspection.check()?;
        let component = self.component(bytes, &inspection.checksum, limits)?;
        self.link(&component, inspection)
    }

    /// Finds a component in the cache of which no bytes are at hand; none when it has to be compiled.
    pub fn find(&self, known: &Known) -> Result<Option<Plugin>, CompileError> {
        let Some(component) = self.kept(&known.checksum) else { return Ok(None) };
        let inspection = known::inspect(known, &self.engine, &component);
        inspection.check()?;
        self.link(&component, inspection).map(Some)
    }

    fn kept(&self, checksum: &Checksum) -> Option<Component> {
        let isolated = self.compilation.isolation != CompileIsolation::InProcess;
        self.store.as_ref()?.load(&self.engine, checksum, isolated)
    }

    /// Finds the component in the cache, or compiles it where it is to be compiled.
    fn component(&self, bytes: &[u8], checksum: &Checksum, limits: &RunLimits) -> Result<Component, CompileError> {
        if let Some(component) = self.kept(checksum) {
            return Ok(component);
        }
        features::validate(bytes)?;
        if let CompileIsolation::Child(program) = &self.compilation.isolation {
            let folder = self.store.as_ref().map(Store::root);
            compile::compile(program, folder, self.purpose, bytes, limits, &self.compilation.interrupt)?;
            if let Some(component) = self.kept(checksum) {
                return Ok(component);
            }
            // It was not kept, but can be compiled within limits: here, then.
        }
        let component = Component::new(&self.engine, bytes).map_err(invalid)?;
        if let (CompileIsolation::InProcess, Some(store)) = (&self.compilation.isolation, &self.store) {
            store.keep(checksum, false, &component.serialize().map_err(invalid)?);
        }
        Ok(component)
    }

    fn link(&self, component: &Component, inspection: Inspection) -> Result<Plugin, CompileError> {
        let linked = self.linker.instantiate_pre(component).map_err(invalid)?;
        let types = self.linker.substituted_component_type(component).map_err(invalid)?;
        for export in inspection.calls() {
            fits::check(&self.engine, &types, export, inspection.is_engine())
                .map_err(|reason| CompileError::Invalid { reason })?;
        }
        Ok(Plugin::new(linked, inspection, self.purpose.is_guarded()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn invalid(source: wasmtime::Error) -> CompileError {
    CompileError::Invalid { reason: format!("{source:#}") }
}

/// Starts wasmtime. A child that compiles has the same settings, so that what it puts into the cache fits.
pub(super) fn start(purpose: Purpose) -> wasmtime::Result<wasmtime::Engine> {
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
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    wasmtime::Engine::new(&config)
}
