//! The last point where nothing has changed anywhere: compiles every component of a plan.

use std::fmt;
use std::sync::Arc;

use super::event::Observer;
use super::functions::PreparedLibrary;
use super::hold::{AskedTooMuch, Hold, hold, one, too_much};
use super::hooks::PreparedHook;
use super::libraries;
#[cfg(feature = "wasm")]
use super::scripts::Workshop;
use crate::limits::{Excess, RunLimits};
#[cfg(feature = "wasm")]
use crate::model::{Binary, Body};
use crate::model::{Chains, Policies};
use crate::plan::{Plan, Step};
#[cfg(feature = "wasm")]
use crate::wasm::Engine;

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
    /// A manifest asks for more than its migration may use.
    #[error("migration {migration} {} ({file})", excesses.iter().map(Excess::to_string).collect::<Vec<_>>().join(", "))]
    Limits {
        /// Name of the chain.
        chain: String,
        /// Version and name.
        migration: String,
        /// Its version, as it stands in a policy.
        version: crate::model::Version,
        /// Its manifest.
        file: String,
        /// What is too much; at least one.
        excesses: Vec<Excess>,
    },
    /// The database does not have what a transform reads or writes.
    #[cfg(feature = "wasm")]
    #[error("the transform of migration {migration} does not fit the database: {} ({file})", list(problems))]
    Transform {
        /// Version and name.
        migration: String,
        /// Its manifest.
        file: String,
        /// Everything that does not fit.
        problems: Vec<crate::transform::LayoutProblem>,
    },
    /// The database cannot be looked at.
    #[cfg(feature = "wasm")]
    #[error("cannot look at the tables of migration {migration}")]
    Look {
        /// Version and name.
        migration: String,
        /// What it said.
        #[source]
        source: crate::db::DbError,
    },
    /// The manifest says that the component is a transform, and it is none; or the other way round.
    #[cfg(feature = "wasm")]
    #[error("the component of migration {migration} {is}, and its manifest {says} ({file})")]
    OtherWorld {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// What the component is.
        is: &'static str,
        /// What the manifest takes it for.
        says: &'static str,
    },
    /// A script cannot be run, or there is no engine for it.
    #[cfg(feature = "wasm")]
    #[error("migration {migration} cannot be loaded ({file})")]
    Script {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// Why.
        #[source]
        source: Box<super::scripts::ScriptPrepareError>,
    },
    /// A library of functions cannot be used.
    #[cfg(feature = "wasm")]
    #[error("the functions of {library}, which migration {migration} calls, cannot be used ({file})")]
    Functions {
        /// What migrations call it.
        library: String,
        /// Version and name of the first migration that does.
        migration: String,
        /// Its file.
        file: String,
        /// Why.
        #[source]
        source: crate::wasm::PluginError,
    },
    /// Two functions of one name, or one that has the name of one of SQLite's own.
    #[error("migration {migration} would call a function {function} that is not the only one: {reason}")]
    FunctionName {
        /// Version and name.
        migration: String,
        /// The function.
        function: String,
        /// What else is called so.
        reason: String,
    },
    /// A component is to be reverted and has no `down`.
    #[error("migration {migration} cannot be reverted: its code exports no down ({file})")]
    Irreversible {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// Migrations ask for more than the policy gives them.
    #[error("{}", not_granted(refused))]
    NotGranted {
        /// Each of them, with what it is refused.
        refused: Vec<AskedTooMuch>,
    },
    /// What a script does outside a transaction could not be undone when it goes beyond its grants.
    #[error("migration {migration} is held to grants and may not run outside a transaction ({file})")]
    HeldOutsideTransaction {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// Without foreign keys it would do to other tables what it is not granted, and leave rows without parents.
    #[error("migration {migration} is held to grants and may not rebuild tables with foreign keys off ({file})")]
    HeldRebuild {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// Everything is to run in one transaction, and this step commits on its own.
    #[error("migration {migration} {why}, so it cannot be part of one transaction with others ({file})")]
    NotInOneTransaction {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// What it does.
        why: &'static str,
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

#[cfg(feature = "wasm")]
fn list(problems: &[crate::transform::LayoutProblem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}

fn not_granted(refused: &[AskedTooMuch]) -> String {
    match refused {
        [only] => format!("migration {} asks for more than it is given ({})", only.migration, only.file),
        refused => format!("{} migrations ask for more than they are given", refused.len()),
    }
}

/// A step that can be run.
pub(super) struct PreparedStep {
    /// The step.
    pub(super) step: Step,
    /// What its statements are held to.
    pub(super) hold: Hold,
    /// Libraries whose functions it calls.
    pub(super) libraries: Vec<PreparedLibrary>,
    /// Its compiled component, if it is one.
    #[cfg(feature = "wasm")]
    pub(super) plugin: Option<Arc<crate::wasm::Plugin>>,
    /// The engine that runs it, if it is a script; `plugin` is its component.
    #[cfg(feature = "wasm")]
    pub(super) engine: Option<super::scripts::EngineUsed>,
    /// Its code says itself whether it did what it should.
    pub(super) is_verified: bool,
    /// What it may use.
    pub(super) limits: RunLimits,
    /// What is run before and after it.
    pub(super) hooks: Vec<Arc<PreparedHook>>,
}

impl PreparedStep {
    fn new(step: Step, hold: Hold, limits: RunLimits) -> Self {
        Self {
            step,
            hold,
            libraries: Vec::new(),
            #[cfg(feature = "wasm")]
            plugin: None,
            #[cfg(feature = "wasm")]
            engine: None,
            is_verified: false,
            limits,
            hooks: Vec::new(),
        }
    }

    /// Decides what a step is held to, and compiles nothing: for what is asked beside its own code.
    pub(super) fn without_code(step: Step, policies: &Policies) -> Result<Self, PrepareError> {
        let policy = policies.of(&step.chain);
        let hold = one(&step, policy)?
            .map_err(|refused| PrepareError::NotGranted { refused: vec![too_much(&step, policy, refused)] })?;
        let limits = decide(&step, policies)?;
        Ok(Self::new(step, hold, limits))
    }
}

/// A plan that can be run.
pub struct Prepared {
    pub(super) plan: Plan,
    pub(super) steps: Vec<PreparedStep>,
    /// What is run at the moments of the run.
    pub(super) hooks: Vec<Arc<PreparedHook>>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Prepared").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Prepared {
    /// Returns what the plan is to reach.
    #[cfg(feature = "wasm")]
    pub(crate) fn goal(&self) -> crate::plan::Goal {
        self.plan.goal
    }
}

#[cfg(feature = "wasm")]
/// Compiles every component of the plan, on all cores. Without components no engine is started.
///
/// The policy says what each migration may do and how much it may use; a manifest may ask for less.
pub fn prepare(
    mut plan: Plan,
    chains: &Chains,
    compilation: &crate::wasm::Compilation,
    engines: &crate::engines::Engines,
    policies: &Policies,
    observer: &Arc<dyn Observer>,
) -> Result<Prepared, PrepareError> {
    plan.steps.extend(plan.hooks.iter().map(|hook| Step::of_hook(hook)));
    let holds = hold(&plan, policies)?;
    let components: Vec<(usize, &Step, &Binary)> = plan
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| match &step.migration.body {
            Body::Component { bytes } | Body::Transform { bytes, .. } => Some((index, step, bytes)),
            Body::Sql { .. } | Body::Script { .. } | Body::Rust(_) => None,
        })
        .collect();
    let steps = plan.steps.iter().zip(holds).map(|(step, hold)| {
        let limits = decide(step, policies)?;
        Ok(PreparedStep::new(step.clone(), hold, limits))
    });
    let mut steps = steps.collect::<Result<Vec<PreparedStep>, PrepareError>>()?;
    let scripts = plan.steps.iter().filter(|step| step.migration.body.script().is_some()).count();
    if components.is_empty() && scripts == 0 {
        libraries::prepare(&mut steps, chains, compilation, observer)?;
        return Ok(with_hooks(plan, steps));
    }
    observer.event(&super::event::Event::Compiling { components: components.len() + scripts });
    let first = plan.steps.iter().find(|step| step.migration.body.is_sandboxed()).expect("there is code");
    let failed = |source| PrepareError::Component {
        migration: first.migration.title(),
        file: first.migration.file.clone(),
        source,
    };
    if scripts > 0 {
        let engine = Engine::for_scripts(compilation).map_err(failed)?;
        let mut workshop = Workshop::new(engines, &engine, &compilation.interrupt);
        for step in &mut steps {
            if let Some(script) = step.step.migration.body.script() {
                let ((plugin, used), exports) = workshop.prepare(&step.step, script, &step.limits)?;
                (step.plugin, step.engine) = (Some(plugin), Some(used));
                step.is_verified = exports.iter().any(|export| export == super::component::VERIFY);
            }
        }
    }
    if !components.is_empty() {
        let engine = Engine::with(compilation).map_err(failed)?;
        let components: Vec<Job<'_>> = components
            .into_iter()
            .map(|(index, step, bytes)| Job { index, step, bytes, limits: steps[index].limits })
            .collect();
        for (job, plugin) in components.iter().zip(compile(&components, &engine)) {
            let plugin = plugin?;
            steps[job.index].is_verified = plugin.inspection().is_verified();
            steps[job.index].plugin = Some(Arc::new(plugin));
        }
    }
    libraries::prepare(&mut steps, chains, compilation, observer)?;
    Ok(with_hooks(plan, steps))
}

/// Takes the hooks, which were prepared behind the steps, and gives each step its own.
fn with_hooks(mut plan: Plan, mut steps: Vec<PreparedStep>) -> Prepared {
    let count = steps.len() - plan.hooks.len();
    plan.steps.truncate(count);
    let bodies = steps.split_off(count);
    let pairs = plan.hooks.iter().zip(bodies);
    let hooks: Vec<_> = pairs.map(|(hook, step)| Arc::new(PreparedHook { hook: Arc::clone(hook), step })).collect();
    for step in &mut steps {
        let Step { chain, direction, .. } = &step.step;
        let own = hooks.iter().filter(|hook| hook.hook.moment.is_each() && hook.hook.concerns(chain, *direction));
        step.hooks = own.cloned().collect();
    }
    Prepared { plan, steps, hooks }
}

/// Has the engines read every script of some steps, and runs none. Without scripts no engine is started.
#[cfg(feature = "wasm")]
pub(crate) fn check_scripts(
    steps: &[Step],
    compilation: &crate::wasm::Compilation,
    engines: &crate::engines::Engines,
    policies: &Policies,
) -> Result<(), PrepareError> {
    let scripts: Vec<_> = steps.iter().filter_map(|step| Some((step, step.migration.body.script()?))).collect();
    let Some((first, _)) = scripts.first() else { return Ok(()) };
    let engine = Engine::for_scripts(compilation).map_err(|source| PrepareError::Component {
        migration: first.migration.title(),
        file: first.migration.file.clone(),
        source,
    })?;
    let mut workshop = Workshop::new(engines, &engine, &compilation.interrupt);
    for (step, script) in scripts {
        workshop.prepare(step, script, &decide(step, policies)?)?;
    }
    Ok(())
}

/// Puts the limits of a step's manifest and of the policy together.
fn decide(step: &Step, policies: &Policies) -> Result<RunLimits, PrepareError> {
    let manifest = step.migration.manifest.as_ref();
    let given = policies.of(&step.chain).limits_for(step.migration.version);
    RunLimits::decide(manifest.map(|manifest| &manifest.limits), &given).map_err(|excesses| PrepareError::Limits {
        chain: step.chain.to_string(),
        migration: step.migration.title(),
        version: step.migration.version,
        file: manifest.map_or_else(String::new, |manifest| manifest.file.clone()),
        excesses,
    })
}

/// A component to be compiled.
#[cfg(feature = "wasm")]
struct Job<'p> {
    index: usize,
    step: &'p Step,
    bytes: &'p Binary,
    limits: RunLimits,
}

#[cfg(feature = "wasm")]
fn compile(components: &[Job<'_>], engine: &Engine) -> Vec<Result<crate::wasm::Plugin, PrepareError>> {
    use crate::wasm::CompileError;

    let failed = |step: &Step, source: CompileError| PrepareError::Component {
        migration: step.migration.title(),
        file: step.migration.file.clone(),
        source,
    };
    let one = |Job { step, bytes, limits, .. }: &Job<'_>| {
        let plugin = engine.compile_binary(bytes, limits).map_err(|error| failed(step, error))?;
        let is_transform = plugin.inspection().is_transform();
        let (is, says) = match &step.migration.body {
            Body::Transform { .. } if !is_transform => ("exports no apply", "has a `[transform]`"),
            Body::Transform { spec, .. } if spec.down.is_some() && !plugin.inspection().is_reversible() => {
                ("exports no revert", "has a `[transform.down]`")
            }
            Body::Component { .. } if is_transform => ("is a transform", "has no `[transform]`"),
            Body::Component { .. } if plugin.inspection().world() == Some("functions") => {
                ("is a library of functions", "takes it for a migration")
            }
            _ => ("", ""),
        };
        if !is.is_empty() {
            let (migration, file) = (step.migration.title(), step.migration.file.clone());
            return Err(PrepareError::OtherWorld { migration, file, is, says });
        }
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
pub fn prepare(
    mut plan: Plan,
    chains: &Chains,
    policies: &Policies,
    _: &Arc<dyn Observer>,
) -> Result<Prepared, PrepareError> {
    plan.steps.extend(plan.hooks.iter().map(|hook| Step::of_hook(hook)));
    let holds = hold(&plan, policies)?;
    let component = plan.steps.iter().find(|step| step.migration.body.is_sandboxed());
    if let Some(step) = component {
        let (migration, file) = (step.migration.title(), step.migration.file.clone());
        return Err(PrepareError::NoWasm { migration, file });
    }
    let steps = plan.steps.iter().zip(holds).map(|(step, hold)| {
        let limits = decide(step, policies)?;
        Ok(PreparedStep::new(step.clone(), hold, limits))
    });
    let mut steps = steps.collect::<Result<Vec<PreparedStep>, PrepareError>>()?;
    libraries::prepare(&mut steps, chains)?;
    Ok(with_hooks(plan, steps))
}
