//! Prepares the functions that steps call: compiles their components, asks what they bring, and holds the names against
//! each other. Nothing is registered yet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::functions::PreparedLibrary;
use super::prepare::{PrepareError, PreparedStep};
use crate::db::{Function, Signature, sqlite};
use crate::model::{Chains, FunctionLibrary, LibraryBody};

/// What is known of a library: how it can be had, and what it brings.
struct Known {
    library: Ready,
    signatures: Vec<Signature>,
}

enum Ready {
    Native(Arc<[Function]>),
    #[cfg(feature = "wasm")]
    Component(String, Arc<crate::wasm::Plugin>),
}

/// Gives each step the libraries that it names.
#[cfg(feature = "wasm")]
pub(super) fn prepare(
    steps: &mut [PreparedStep],
    chains: &Chains,
    compilation: &crate::wasm::Compilation,
    observer: &Arc<dyn super::event::Observer>,
) -> Result<(), PrepareError> {
    let mut engine = None;
    give(steps, chains, |library, step| component::know(library, step, &mut engine, compilation, observer))
}

/// Gives each step the libraries that it names; those of components cannot be had in this build.
#[cfg(not(feature = "wasm"))]
pub(super) fn prepare(steps: &mut [PreparedStep], chains: &Chains) -> Result<(), PrepareError> {
    give(steps, chains, |library, step| {
        let migration = step.step.title();
        Err(PrepareError::NoWasm { migration, file: library.file.clone() })
    })
}

fn give(
    steps: &mut [PreparedStep],
    chains: &Chains,
    mut component: impl FnMut(&FunctionLibrary, &PreparedStep) -> Result<Known, PrepareError>,
) -> Result<(), PrepareError> {
    // Each chain has libraries of its own, so names are told apart by it.
    let mut known: BTreeMap<(Arc<str>, String), Known> = BTreeMap::new();
    for step in steps {
        let migration = Arc::clone(&step.step.migration);
        for name in migration.libraries() {
            let chain = &step.step.chain;
            let Some(library) = chains.get(chain).and_then(|chain| chain.library(name)) else { continue };
            let key = (Arc::clone(chain), name.to_owned());
            if let Entry::Vacant(vacant) = known.entry(key) {
                vacant.insert(match &library.body {
                    LibraryBody::Native { functions, .. } => native(functions),
                    LibraryBody::Component { .. } => component(library, step)?,
                });
            }
        }
        let of = |name: &str| known.get(&(Arc::clone(&step.step.chain), name.to_owned()));
        let used: Vec<(&str, &Known)> =
            migration.libraries().into_iter().filter_map(|name| Some((name, of(name)?))).collect();
        check_names(&step.step.title(), &used)?;
        step.libraries = used
            .into_iter()
            .map(|(_, known)| match &known.library {
                Ready::Native(functions) => PreparedLibrary::Native(functions.clone()),
                #[cfg(feature = "wasm")]
                Ready::Component(name, plugin) => {
                    PreparedLibrary::Component { name: name.clone(), plugin: Arc::clone(plugin) }
                }
            })
            .collect();
    }
    Ok(())
}

fn native(functions: &Arc<[Function]>) -> Known {
    let signatures = functions.iter().map(|function| function.signature().clone()).collect();
    Known { library: Ready::Native(functions.clone()), signatures }
}

/// Refuses a name that would not be the only one: SQLite would call whichever was registered last.
fn check_names(migration: &str, used: &[(&str, &Known)]) -> Result<(), PrepareError> {
    let mut seen: Vec<(&str, &Signature)> = Vec::new();
    for (library, signature) in used.iter().flat_map(|(name, known)| known.signatures.iter().map(move |of| (*name, of)))
    {
        let clash = |reason: String| PrepareError::FunctionName {
            migration: migration.to_owned(),
            function: signature.name.escape_debug().to_string(),
            reason,
        };
        signature.check().map_err(clash)?;
        if sqlite::has_function(&signature.name) {
            return Err(clash(format!("SQLite has one, and {library} brings one")));
        }
        if let Some((other, _)) = seen.iter().find(|(_, other)| other.clashes_with(signature)) {
            return Err(clash(format!("{other} brings one, and {library} too")));
        }
        seen.push((library, signature));
    }
    Ok(())
}

#[cfg(feature = "wasm")]
mod component {
    //! Libraries that are components.

    use std::sync::Arc;

    use super::super::event::{Event, Observer};
    use super::super::prepare::{PrepareError, PreparedStep};
    use super::super::voice::Voice;
    use super::{Known, Ready};
    use crate::model::{FunctionLibrary, LibraryBody};
    use crate::wasm::{Compilation, CompileError, Engine, FunctionsCall, InspectError, Used, inspect};

    /// Compiles a library and asks what it brings.
    pub(super) fn know(
        library: &FunctionLibrary,
        step: &PreparedStep,
        engine: &mut Option<Engine>,
        compilation: &Compilation,
        observer: &Arc<dyn Observer>,
    ) -> Result<Known, PrepareError> {
        let LibraryBody::Component { bytes } = &library.body else { unreachable!("it is a component") };
        let (migration, file) = (step.step.title(), library.file.clone());
        observer.event(&Event::Compiling { components: 1 });
        let mut compiled = || -> Result<_, CompileError> {
            let engine = match engine {
                Some(engine) => engine,
                None => engine.insert(Engine::for_functions(compilation)?),
            };
            let found = inspect(bytes)?;
            found.check()?;
            match found.world() {
                Some("functions") => engine.compile_within(bytes, &step.limits),
                world => Err(InspectError::NoFunctions { world, exports: found.exports }.into()),
            }
        };
        let plugin = compiled().map_err(|source| PrepareError::Component {
            migration: migration.clone(),
            file: file.clone(),
            source,
        })?;
        let call = FunctionsCall {
            started_at: 0,
            limits: step.limits,
            used: Used::default(),
            interrupt: compilation.interrupt.clone(),
            events: Arc::new(Voice { step: step.step.clone(), observer: Arc::clone(observer) }),
        };
        let instance = plugin.functions(&call).map_err(|source| PrepareError::Functions {
            library: library.name.clone(),
            migration,
            file,
            source,
        })?;
        let signatures = instance.functions().iter().map(|function| function.signature().clone()).collect();
        drop(instance);
        Ok(Known { library: Ready::Component(library.name.clone(), Arc::new(plugin)), signatures })
    }
}
