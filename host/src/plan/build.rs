//! Builds the plan: which steps, in which order, and what stands against them.

mod judge;

use std::ops::Range;
use std::sync::Arc;

use super::reconcile::States;
use super::unnamed::{UnnamedChain, unnamed_chains};
use super::{Direction, Goal, PlanError, PlanProblem, Rules, State, Until};
use super::{elsewhere, scripts};
use crate::model::{Applied, Body, Chain, Chains, Hook, Migration, Role, Script, Version};

/// One migration in one direction.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which way.
    pub direction: Direction,
    /// Name of its chain.
    pub chain: Arc<str>,
    /// Its chain is one of several.
    pub several: bool,
    /// The migration.
    pub migration: Arc<Migration>,
}

impl Step {
    /// Names it in a sentence: `3 split_names`, or `billing:3 split_names` where there are several chains.
    pub fn title(&self) -> String {
        match self.several {
            false => self.migration.title(),
            true => format!("{}:{}", self.chain, self.migration.title()),
        }
    }

    /// Makes the step that the body of a hook is: one up, of no chain unless the hook is of one.
    pub fn of_hook(hook: &Hook) -> Self {
        let chain = hook.chain.clone().unwrap_or_else(|| Arc::from(""));
        Self { direction: Direction::Up, chain, several: false, migration: Arc::clone(&hook.migration) }
    }

    /// Returns the script to run, for a migration in SQL.
    pub fn script(&self) -> Option<&Script> {
        match (&self.migration.body, self.direction) {
            (Body::Sql { up, .. }, Direction::Up) => Some(up),
            (Body::Sql { down, .. }, Direction::Down) => down.as_deref(),
            (Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_), _) => None,
        }
    }
}

/// What a plan lets pass, but says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Warning {
    /// Version and name of the migration.
    pub migration: String,
    /// What there is to know.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Where in which script.
    pub place: Option<(Arc<Script>, Range<usize>)>,
}

/// What would be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// Names of the chains it is about.
    pub chains: Vec<String>,
    /// How many migrations these have, whatever became of them.
    pub migrations: usize,
    /// What it is to reach.
    pub goal: Goal,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What the owner has run at the moments of the run.
    pub hooks: Vec<Arc<Hook>>,
    /// What it lets pass.
    pub warnings: Vec<Warning>,
    /// Chains that only the history knows.
    pub unnamed_chains: Vec<UnnamedChain>,
}

impl Plan {
    /// Makes a plan of steps that are chosen already.
    pub fn of(chains: Vec<String>, goal: Goal, steps: Vec<Step>) -> Self {
        Self {
            chains,
            migrations: steps.len(),
            goal,
            steps,
            hooks: Vec::new(),
            warnings: Vec::new(),
            unnamed_chains: Vec::new(),
        }
    }
}

/// Builds the plan that brings a database with these applied migrations to the goal.
///
/// What is not in force of the history may be left out of `applied`; without it nothing is known to be reverted.
pub fn build(chains: &Chains, applied: &[Applied], goal: &Goal, rules: &Rules) -> Result<Plan, PlanError> {
    let states = States::find(chains, applied, limit(goal));
    let mut draft = Draft { chains, applied, states: &states, problems: Vec::new(), warnings: Vec::new() };
    let steps = draft.steps(goal, rules, &|_| false);
    for step in &steps {
        draft.check_script(step);
    }
    let hooks = taking_part(chains, goal.direction(), &steps);
    for hook in &hooks {
        draft.check_script(&Step::of_hook(hook));
    }
    let Draft { problems, mut warnings, .. } = draft;
    warnings.extend(elsewhere::warnings(chains, applied, &steps));
    if !problems.is_empty() {
        return Err(PlanError { problems });
    }
    let names = chains.active().map(|chain| chain.name().to_owned()).collect();
    let migrations = chains
        .active()
        .map(|chain| chain.migrations().len() + chain.baselines().len() + chain.repeatables().len())
        .sum();
    let unnamed_chains = unnamed_chains(chains, applied);
    Ok(Plan { chains: names, migrations, goal: *goal, steps, hooks, warnings, unnamed_chains })
}

/// Returns the version beyond which nothing is looked at.
fn limit(goal: &Goal) -> Option<Version> {
    match *goal {
        Goal::Up(Until::Version(version)) | Goal::Down(Until::Version(version)) => Some(version),
        Goal::Up(Until::End | Until::Steps(_)) | Goal::Down(Until::End | Until::Steps(_)) | Goal::Redo(_) => None,
    }
}

/// Chooses the hooks that take part in a run of these steps.
fn taking_part(chains: &Chains, direction: Direction, steps: &[Step]) -> Vec<Arc<Hook>> {
    let concerned = |hook: &Hook| steps.iter().any(|step| hook.concerns(&step.chain, step.direction));
    let anyway = |hook: &Hook| hook.always && chains.active().any(|chain| hook.concerns(chain.name(), direction));
    chains.hooks().iter().filter(|hook| concerned(hook) || anyway(hook)).cloned().collect()
}

/// Chooses the steps anew after another process may have changed the history, without those that the run has left out,
/// which are in nobody's way. Scripts are what they were when the plan was made, and are not looked at again.
pub(crate) fn steps(
    chains: &Chains,
    applied: &[Applied],
    goal: &Goal,
    rules: &Rules,
    left_out: &dyn Fn(&Step) -> bool,
) -> Result<Vec<Step>, PlanError> {
    let states = States::find(chains, applied, limit(goal));
    let mut draft = Draft { chains, applied, states: &states, problems: Vec::new(), warnings: Vec::new() };
    let mut steps = draft.steps(goal, rules, left_out);
    steps.retain(|step| !left_out(step));
    if draft.problems.is_empty() { Ok(steps) } else { Err(PlanError { problems: draft.problems }) }
}

/// Tells what stands against going on half way between taking back and applying again, after another process has
/// changed the history: nothing but what is applied is to be judged.
pub(crate) fn check_half_way(
    chains: &Chains,
    applied: &[Applied],
    goal: &Goal,
    rules: &Rules,
) -> Result<(), PlanError> {
    let states = States::find(chains, applied, None);
    let mut draft = Draft { chains, applied, states: &states, problems: Vec::new(), warnings: Vec::new() };
    draft.judge(goal.direction(), rules);
    if draft.problems.is_empty() { Ok(()) } else { Err(PlanError { problems: draft.problems }) }
}

pub(super) struct Draft<'a> {
    pub(super) chains: &'a Chains,
    applied: &'a [Applied],
    pub(super) states: &'a States<'a>,
    pub(super) problems: Vec<PlanProblem>,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Draft<'a> {
    /// Judges what is applied, and chooses the steps. What `may_be_late` tells of is not held to its order.
    fn steps(&mut self, goal: &Goal, rules: &Rules, may_be_late: &dyn Fn(&Step) -> bool) -> Vec<Step> {
        self.judge(goal.direction(), rules);
        if let Some(version) = limit(goal) {
            self.check_target(version, goal.direction());
        }
        match *goal {
            Goal::Up(until) => self.up(until, rules, may_be_late),
            Goal::Down(until) => self.down(until),
            Goal::Redo(steps) => {
                let mut steps = self.down(Until::Steps(steps));
                steps.extend(self.again(&steps));
                steps.extend(self.repeatables_on(&steps));
                steps
            }
        }
    }

    /// Checks that a version can be aimed at: runs must be about one chain, which has it.
    fn check_target(&mut self, version: Version, direction: Direction) {
        let mut active = (0..self.chains.all().len()).filter(|chain| self.chains.is_active(*chain));
        let (Some(chain), None) = (active.next(), active.next()) else {
            let chains = self.chains.active().map(|chain| chain.name().to_owned()).collect();
            return self.problems.push(PlanProblem::AmbiguousTarget { version, chains });
        };
        let recorded = || self.live().any(|row| !row.repeatable && row.version == version);
        let known = self.chains.place(chain, Role::Versioned, version).is_some()
            || self.chains.place(chain, Role::Baseline, version).is_some()
            || direction == Direction::Down && recorded();
        if version != Version::from(0) && !known {
            self.problems.push(PlanProblem::UnknownTarget { version });
        }
    }

    fn up(&mut self, until: Until, rules: &Rules, may_be_late: &dyn Fn(&Step) -> bool) -> Vec<Step> {
        let (chains, states) = (self.chains, self.states);
        let limit = match until {
            Until::Steps(steps) => steps,
            Until::End | Until::Version(_) => usize::MAX,
        };
        self.check_baselines();
        let mut steps = Vec::new();
        let mut there: Vec<bool> = states.nodes.iter().map(|(state, _)| is_there(*state)).collect();
        // What is refused already is not blamed again on those that depend on it.
        let mut refused = vec![false; there.len()];
        for (place, (node, (state, _))) in chains.nodes().iter().zip(&states.nodes).enumerate() {
            let migration = &node.migration;
            if steps.len() >= limit
                || !state.is_pending()
                || !chains.is_active(node.chain)
                || matches!(until, Until::Version(version) if migration.version > version)
            {
                continue;
            }
            let step = self.step(Direction::Up, node.chain, migration);
            let is_late = *state == State::OutOfOrder && !node.may_be_late && !may_be_late(&step);
            if is_late && !rules.allow_out_of_order {
                let (migration, newest) = (chains.title(node.chain, migration), self.newest(node.chain));
                self.problems.push(PlanProblem::OutOfOrder { migration, newest });
                refused[place] = true;
                continue;
            }
            there[place] = true;
            self.check_needs(node.chain, migration, &node.needs, |need| there[need] || refused[need]);
            steps.push(step);
        }
        if !matches!(until, Until::Version(_)) {
            for (chain, migration, state, _) in &states.repeatables {
                if steps.len() < limit && state.is_pending() && chains.is_active(*chain) {
                    let needs = chains.needs(*chain, migration);
                    self.check_needs(*chain, migration, &needs, |need| there[need] || refused[need]);
                    steps.push(self.step(Direction::Up, *chain, migration));
                }
            }
        }
        steps
    }

    /// Refuses to apply what depends on something that would not be there.
    fn check_needs(&mut self, chain: usize, migration: &Migration, needs: &[usize], is_met: impl Fn(usize) -> bool) {
        let chains = self.chains;
        for needed in needs.iter().filter(|need| !is_met(**need)).map(|need| &chains.nodes()[*need]) {
            self.problems.push(PlanProblem::DependencyPending {
                migration: chains.title(chain, migration),
                needed: chains.title(needed.chain, &needed.migration),
                chain: chains.all()[needed.chain].name().to_owned(),
            });
        }
    }

    /// Refuses to pass over a baseline that the database has not got to, and cannot get to any more.
    fn check_baselines(&mut self) {
        self.problems.extend(behind_baselines(self.chains, self.applied));
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &'a Applied> + use<'a> {
        self.applied.iter().filter(|row| row.is_live())
    }

    fn newest(&self, chain: usize) -> Version {
        newest(&self.chains.all()[chain], self.applied).unwrap_or(Version::from(0))
    }

    pub(super) fn step(&self, direction: Direction, chain: usize, migration: &Arc<Migration>) -> Step {
        let chain = Arc::clone(self.chains.all()[chain].shared_name());
        let several = self.chains.all().len() > 1;
        Step { direction, chain, several, migration: Arc::clone(migration) }
    }

    fn check_script(&mut self, step: &Step) {
        let said = scripts::check(step, self.chains.is_strangers(&step.chain));
        self.problems.extend(said.problems);
        self.warnings.extend(said.warnings);
    }
}

/// Tells which chains' databases have not got to a baseline, and cannot get to it any more.
pub(crate) fn behind_baselines(chains: &Chains, applied: &[Applied]) -> Vec<PlanProblem> {
    let active = chains.all().iter().enumerate().filter(|(index, _)| chains.is_active(*index));
    let behind = active.filter_map(|(index, chain)| {
        let newest = newest(chain, applied)?;
        let baseline = chain.baselines().iter().rfind(|baseline| baseline.version > newest)?;
        let baseline = Some(baseline).filter(|baseline| chain.get(baseline.version).is_none())?;
        Some(PlanProblem::BehindBaseline {
            chain: chain.name().to_owned(),
            baseline: chains.title(index, baseline),
            newest,
        })
    });
    behind.collect()
}

/// Finds the newest version of a chain that is in force.
fn newest(chain: &Chain, applied: &[Applied]) -> Option<Version> {
    let rows = applied.iter().filter(|row| row.is_live() && *row.chain == *chain.name() && !row.repeatable);
    rows.map(|row| row.version).max()
}

/// Tells whether what depends on a migration in this state has what it needs.
fn is_there(state: State) -> bool {
    match state {
        State::Applied | State::ChecksumMismatch(_) | State::Baseline | State::Ignored => true,
        State::Missing | State::Future | State::Dirty | State::ChangedInProgress => true,
        State::Pending | State::Reverted | State::OutOfOrder | State::Outdated | State::InProgress => false,
    }
}

pub(super) fn row_title(chains: &Chains, chain: usize, row: &Applied) -> String {
    match chains.all() {
        [_] => row.title(),
        all => format!("{}:{}", all[chain].name(), row.title()),
    }
}
