//! Remembers beside the cache which components this engine has compiled within limits.
//!
//! Compiling one of them again would take no more than it did. So a component that is known is loaded in this process
//! without further ado, whether or not the cache still has it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use crate::model::Checksum;

/// The marks in one cache folder for one engine: an empty file for each component.
#[derive(Debug)]
pub(in crate::wasm) struct Known {
    folder: PathBuf,
}

impl Known {
    /// Names the marks of an engine; another version or other settings have marks of their own.
    pub(in crate::wasm) fn new(cache: &wasmtime::Cache, engine: &wasmtime::Engine) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self { folder: cache.directory().join("whimbrel").join(format!("{:016x}", hasher.finish())) }
    }

    /// Tells whether a component was compiled before: in this process, or, where that is asked for, in its own.
    pub(in crate::wasm) fn has(&self, component: &Checksum, isolated: bool) -> bool {
        let marked = |isolated| self.mark(component, isolated).exists();
        marked(true) || (!isolated && marked(false))
    }

    /// Remembers that a component was compiled.
    pub(in crate::wasm) fn add(&self, component: &Checksum, isolated: bool) {
        let mark = self.mark(component, isolated);
        let added = std::fs::create_dir_all(&self.folder).and_then(|()| std::fs::File::create(mark));
        if let Err(error) = added {
            // It only takes longer the next time.
            tracing::debug!("a compiled component is not remembered: {error}");
        }
    }

    fn mark(&self, component: &Checksum, isolated: bool) -> PathBuf {
        let kind = if isolated { "isolated" } else { "in-process" };
        self.folder.join(format!("{component}-{kind}"))
    }
}
