//! The last point where nothing has changed anywhere: compiles every component of a plan.

use std::sync::Arc;

use super::event::Observer;
use crate::model::Body;
use crate::plan::{Plan, Step};

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A component cannot be compiled.
    #[cfg(feature = "wasm")]
    #[error("migration {migration} cannot be loaded ({file})")]
    Component {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// Why.
        #[source]
        source: crate::wasm::CompileError,
    },
    /// A component is to be reverted and has no `down`.
    #[error("migration {migration} cannot be reverted: its component exports no down ({file})")]
    Irreversible {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// This build runs no components.
    #[error("migration {migration} is a component, and this build of whimbrel runs none ({file})")]
    NoWasm {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
}

/// A step that can be run.
pub(super) struct PreparedStep {
    /// The step.
    pub(super) step: Step,
    /// Its compiled component, if it is one.
    #[cfg(feature = "wasm")]
    pub(super) plugin: Option<Arc<crate::wasm::Plugin>>,
}

/// A plan that can be run.
pub struct Prepared {
    pub(super) plan: Plan,
    pub(super) steps: Vec<PreparedStep>,
}

#[cfg(feature = "wasm")]
/// Compiles every component of the plan, on all cores. Without components no engine is started.
pub fn prepare(
    plan: Plan,
    cache: &crate::wasm::ComponentCache,
    observer: &Arc<dyn Observer>,
) -> Result<Prepared, PrepareError> {
    let components: Vec<(usize, &Step, &[u8])> = plan
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| match &step.migration.body {
            Body::Component { bytes } => Some((index, step, bytes.as_ref())),
            Body::Sql { .. } | Body::Rust(_) => None,
        })
        .collect();
    let mut steps: Vec<PreparedStep> =
        plan.steps.iter().map(|step| PreparedStep { step: step.clone(), plugin: None }).collect();
    if !components.is_empty() {
        observer.event(&super::event::Event::Compiling { components: components.len() });
        for ((index, ..), plugin) in components.iter().zip(compile(&components, cache)) {
            steps[*index].plugin = Some(Arc::new(plugin?));
        }
    }
    Ok(Prepared { plan, steps })
}

#[cfg(feature = "wasm")]
fn compile(
    components: &[(usize, &Step, &[u8])],
    cache: &crate::wasm::ComponentCache,
) -> Vec<Result<crate::wasm::Plugin, PrepareError>> {
    use crate::wasm::{CompileError, Engine};

    let failed = |step: &Step, source: CompileError| PrepareError::Component {
        migration: step.migration.title(),
        file: step.migration.file.clone(),
        source,
    };
    let engine = match Engine::new(cache) {
        Ok(engine) => engine,
        Err(error) => return vec![Err(failed(components[0].1, error))],
    };
    let one = |(_, step, bytes): &(usize, &Step, &[u8])| {
        let plugin = engine.compile(bytes).map_err(|error| failed(step, error))?;
        if step.direction == crate::plan::Direction::Down && !plugin.inspection().is_reversible() {
            let (migration, file) = (step.migration.title(), step.migration.file.clone());
            return Err(PrepareError::Irreversible { migration, file });
        }
        Ok(plugin)
    };
    if let [only] = components {
        return vec![one(only)];
    }
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(components.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut compiled: Vec<(usize, Result<crate::wasm::Plugin, PrepareError>)> = std::thread::scope(|scope| {
        let work = || {
            let mut mine = Vec::new();
            loop {
                let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(component) = components.get(index) else { return mine };
                mine.push((index, one(component)));
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("compilation returns errors, it does not panic"))
            .collect()
    });
    compiled.sort_by_key(|(index, _)| *index);
    compiled.into_iter().map(|(_, plugin)| plugin).collect()
}

#[cfg(not(feature = "wasm"))]
/// Refuses components, which this build cannot run.
pub fn prepare(plan: Plan, _: &Arc<dyn Observer>) -> Result<Prepared, PrepareError> {
    let component = plan.steps.iter().find(|step| matches!(step.migration.body, Body::Component { .. }));
    if let Some(step) = component {
        let (migration, file) = (step.migration.title(), step.migration.file.clone());
        return Err(PrepareError::NoWasm { migration, file });
    }
    let steps = plan.steps.iter().map(|step| PreparedStep { step: step.clone() }).collect();
    Ok(Prepared { plan, steps })
}
