//! The wasmtime engine: its settings, its cache, compilation.

use std::path::PathBuf;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config};

use super::bindings::Host_;
use super::error::CompileError;
use super::inspect::{self, Inspection};
use super::plugin::Plugin;
use super::state::State;

/// Deepest stack of a guest; enough for script engines, small enough for a thread.
const MAX_STACK: usize = 1 << 20;

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

/// Compiles components.
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<State>,
}

impl Engine {
    /// Starts an engine. A cache that cannot be used is left out with a warning.
    pub fn new(cache: &ComponentCache) -> Result<Self, CompileError> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .consume_fuel(true)
            .epoch_interruption(true)
            .cranelift_nan_canonicalization(true)
            .wasm_relaxed_simd(false)
            .wasm_memory64(false)
            .max_wasm_stack(MAX_STACK)
            .concurrency_support(false)
            .cache(open_cache(cache));
        let start = || {
            let engine = wasmtime::Engine::new(&config)?;
            let mut linker = Linker::new(&engine);
            Host_::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state: &mut State| state)?;
            Ok::<_, wasmtime::Error>(Self { engine, linker })
        };
        start().map_err(|source| CompileError::Engine { reason: format!("{source:#}") })
    }

    /// Checks a component's bytes, compiles them, and checks that its exports can be called.
    pub fn compile(&self, bytes: &[u8]) -> Result<Plugin, CompileError> {
        let inspection = inspect::inspect(bytes)?;
        inspection.check()?;
        self.compile_inspected(bytes, inspection)
    }

    fn compile_inspected(&self, bytes: &[u8], inspection: Inspection) -> Result<Plugin, CompileError> {
        let invalid = |source: wasmtime::Error| CompileError::Invalid { reason: format!("{source:#}") };
        let component = Component::new(&self.engine, bytes).map_err(invalid)?;
        let linked = self.linker.instantiate_pre(&component).map_err(invalid)?;
        Plugin::new(linked, inspection)
    }
}

fn open_cache(cache: &ComponentCache) -> Option<Cache> {
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
