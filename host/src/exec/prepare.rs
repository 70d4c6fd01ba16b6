//! The last point where nothing has changed anywhere: compiles every component of a plan.

use std::fmt;
use std::sync::Arc;

use super::event::Observer;
use super::functions::PreparedLibrary;
use super::hold::{Hold, hold, limits, one, too_much};
use super::hooks::PreparedHook;
use super::libraries;
#[cfg(feature = "wasm")]
use super::look::{Closely, look};
pub use super::prepare_error::PrepareError;
#[cfg(feature = "wasm")]
use super::scripts::{Standing, Workshop};
use crate::limits::{Limit, RunLimits};
#[cfg(feature = "wasm")]
use crate::model::{Binary, Body};
use crate::model::{Chains, Policies};
use crate::plan::{Plan, Step};
#[cfg(feature = "wasm")]
use crate::wasm::Engine;

/// A step that can be run.
pub(super) struct PreparedStep {
    /// The step.
    pub(super) step: Step,
    /// What its statements are held to.
    pub(super) hold: Hold,
    /// Its chain is not trusted, so its code is not told that a run is a dry one: what such a run shows is what it does.
    pub(super) is_strangers: bool,
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
    /// Most instances of its code at work at once: where the chain is not trusted, so many that all together have no more memory
    /// than the policy gives.
    #[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "only code has instances"))]
    pub(super) most_instances: usize,
    /// What is run before and after it.
    pub(super) hooks: Vec<Arc<PreparedHook>>,
}

impl PreparedStep {
    fn new(step: Step, hold: Hold, limits: RunLimits, policies: &Policies) -> Self {
        let policy = policies.of(&step.chain);
        let most_instances = if policy.is_untrusted() {
            let given = RunLimits::cut(None, &policy.limits_for(&step.migration.key()));
            (given.size(Limit::Memory) / limits.size(Limit::Memory).max(1)).max(1)
        } else {
            usize::MAX
        };
        Self {
            is_strangers: policy.is_untrusted(),
            step,
            hold,
            libraries: Vec::new(),
            #[cfg(feature = "wasm")]
            plugin: None,
            #[cfg(feature = "wasm")]
            engine: None,
            is_verified: false,
            limits,
            most_instances,
            hooks: Vec::new(),
        }
    }

    /// Decides what a step is held to, and compiles nothing: for what is asked beside its own code.
    pub(super) fn without_code(step: Step, policies: &Policies) -> Result<Self, PrepareError> {
        let policy = policies.of(&step.chain);
        let hold = one(&step, policy)?
            .map_err(|refused| PrepareError::NotGranted { refused: vec![too_much(&step, policy, refused)] })?;
        let limits = limits(&step, policies)?;
        Ok(Self::new(step, hold, limits, policies))
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
    /// Tells whether any of its steps is held to rules.
    pub(crate) fn has_guests(&self) -> bool {
        self.steps.iter().any(|step| step.hold != Hold::Free)
    }

    /// Returns what the plan is to reach.
    #[cfg(feature = "wasm")]
    pub(crate) fn goal(&self) -> crate::plan::Goal {
        self.plan.goal
    }

    /// Returns the names of the chains that the plan is about.
    #[cfg(feature = "wasm")]
    pub(crate) fn chains(&self) -> &[String] {
        &self.plan.chains
    }
}

#[cfg(feature = "wasm")]
/// Compiles every component of the plan, on all cores. Without components no engine is started.
///
/// The policy says what each migration may do and how much it may use; a manifest may ask for less.
pub fn prepare(
    plan: Plan,
    chains: &Chains,
    compilation: &crate::wasm::Compilation,
    engines: &crate::engines::Engines,
    policies: &Policies,
    observer: &Arc<dyn Observer>,
) -> Result<Prepared, PrepareError> {
    prepare_as(Standing::New, plan, chains, compilation, engines, policies, observer)
}

#[cfg(feature = "wasm")]
/// Does the same for steps that are applied and are only asked something: their scripts stay as they were written.
pub(crate) fn prepare_applied(
    plan: Plan,
    chains: &Chains,
    compilation: &crate::wasm::Compilation,
    engines: &crate::engines::Engines,
    policies: &Policies,
    observer: &Arc<dyn Observer>,
) -> Result<Prepared, PrepareError> {
    prepare_as(Standing::Applied, plan, chains, compilation, engines, policies, observer)
}

#[cfg(feature = "wasm")]
fn prepare_as(
    standing: Standing,
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
    let steps = plan.steps.iter().zip(holds);
    let mut steps: Vec<PreparedStep> =
        steps.map(|(step, (hold, limits))| PreparedStep::new(step.clone(), hold, limits, policies)).collect();
    let scripts = plan.steps.iter().filter(|step| step.migration.body.script().is_some()).count();
    if components.is_empty() && scripts == 0 {
        libraries::prepare(&mut steps, chains, compilation, observer)?;
        return Ok(with_hooks(plan, steps));
    }
    let mut wrong = look(steps.iter().map(|step| (&step.step, step.limits)), Closely::Names);
    observer.event(&super::event::Event::Compiling { components: components.len() + scripts });
    let first = plan.steps.iter().find(|step| step.migration.body.is_sandboxed()).expect("there is code");
    let failed =
        |source| PrepareError::Component { migration: first.title(), file: first.migration.file.clone(), source };
    if scripts > 0 {
        let engine = Engine::for_scripts(compilation).map_err(failed)?;
        let mut workshop = Workshop::new(engines, &engine, &compilation.interrupt);
        for step in &mut steps {
            let Some(script) = step.step.migration.body.script() else { continue };
            match workshop.prepare(&step.step, script, &step.limits, standing) {
                Ok(((plugin, used), exports)) => {
                    (step.plugin, step.engine) = (Some(plugin), Some(used));
                    step.is_verified = exports.iter().any(|export| export == super::component::VERIFY);
                }
                Err(error) if error.is_interruption() => return Err(error),
                Err(error) => wrong.push(error),
            }
        }
    }
    if !components.is_empty() && wrong.is_empty() {
        let engine = Engine::with(compilation).map_err(failed)?;
        let components: Vec<Job<'_>> = components
            .into_iter()
            .map(|(index, step, bytes)| Job { index, step, bytes, limits: steps[index].limits })
            .collect();
        for (job, plugin) in components.iter().zip(compile(&components, &engine)) {
            match plugin {
                Ok(plugin) => {
                    steps[job.index].is_verified = plugin.inspection().is_verified();
                    steps[job.index].plugin = Some(Arc::new(plugin));
                }
                Err(error) if error.is_interruption() => return Err(error),
                Err(error) => wrong.push(error),
            }
        }
    }
    all_of(wrong)?;
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

/// Looks at the bytes of every component of some steps and has the engines read every script. Compiles no component and
/// runs nothing. Without scripts no engine is started. Those that are `applied` are held to less than the `new` ones.
#[cfg(feature = "wasm")]
pub(crate) fn check_code(
    new: &[Step],
    applied: &[Step],
    compilation: &crate::wasm::Compilation,
    engines: &crate::engines::Engines,
    policies: &Policies,
) -> Result<(), PrepareError> {
    // Limits that cannot be had are told as refusals of the policy.
    let limits = |step| limits(step, policies).unwrap_or_default();
    let steps =
        || new.iter().map(|step| (step, Standing::New)).chain(applied.iter().map(|step| (step, Standing::Applied)));
    let mut wrong = look(steps().map(|(step, _)| (step, limits(step))), Closely::Types);
    let scripts: Vec<_> =
        steps().filter_map(|(step, standing)| Some((step, standing, step.migration.body.script()?))).collect();
    let Some((first, ..)) = scripts.first() else { return all_of(wrong) };
    let engine = Engine::for_scripts(compilation).map_err(|source| PrepareError::Component {
        migration: first.title(),
        file: first.migration.file.clone(),
        source,
    })?;
    let mut workshop = Workshop::new(engines, &engine, &compilation.interrupt);
    for (step, standing, script) in scripts {
        let limits = limits(step);
        match workshop.prepare(step, script, &limits, standing) {
            Ok(_) => {}
            Err(error) if error.is_interruption() => return Err(error),
            Err(error) => wrong.push(error),
        }
    }
    all_of(wrong)
}

/// Tells everything that is wrong together.
pub(super) fn all_of(mut wrong: Vec<PrepareError>) -> Result<(), PrepareError> {
    match (wrong.pop(), wrong.is_empty()) {
        (None, _) => Ok(()),
        (Some(only), true) => Err(only),
        (Some(last), false) => {
            wrong.push(last);
            Err(PrepareError::Several { errors: wrong })
        }
    }
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
        migration: step.title(),
        file: step.migration.file.clone(),
        source,
    };
    let one = |Job { step, bytes, limits, .. }: &Job<'_>| {
        engine.compile_binary(bytes, limits).map_err(|error| failed(step, error))
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
        let (migration, file) = (step.title(), step.migration.file.clone());
        return Err(PrepareError::NoWasm { migration, file });
    }
    let steps = plan.steps.iter().zip(holds);
    let mut steps: Vec<PreparedStep> =
        steps.map(|(step, (hold, limits))| PreparedStep::new(step.clone(), hold, limits, policies)).collect();
    libraries::prepare(&mut steps, chains)?;
    Ok(with_hooks(plan, steps))
}
