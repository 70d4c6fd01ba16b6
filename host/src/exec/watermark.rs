//! What a run knows of the history while other processes may change it, and whether it is a step's turn.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::burst::Burst;
use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::Conditions;
use crate::db::Session;
use crate::history::foreign::Mirror;
use crate::model::{AppliedState, Key, Role, Version};
use crate::plan::{self, Direction, Goal, PlanError, PlanProblem, Step};

/// What is known of the history, so that it is read again only when another connection has changed the database.
#[derive(Debug, Default)]
pub(super) struct Watermark {
    data_version: Option<i64>,
    ensured: bool,
    pub(super) burst: Burst,
    /// What is to be done now, in order: what a plan made anew begins with. After that, what this run has left out.
    ahead: VecDeque<Step>,
    left_out: Vec<Step>,
    /// Another process has changed what a plan in two directions stands on.
    overtaken: bool,
    /// What is in force: chain and migration. A repeatable one is only in it as it is in the chain now.
    done: HashSet<(Arc<str>, Key)>,
    /// Chains whose steps another tool's table is to have too.
    mirrors: HashMap<String, Mirror>,
    /// What the database has of each chain, as far as it was there when it was read and this run has not taken it back.
    begun: HashMap<Arc<str>, BTreeMap<Version, String>>,
    /// Repeatable ones that run again after what is taken back, since it may have taken along what they had made.
    again: Vec<(Arc<str>, Key)>,
    /// Chunks of the step that runs are committed.
    pub(super) has_chunks: bool,
}

impl Watermark {
    /// Knows nothing yet, in a run of these steps.
    pub(super) fn of(steps: &[PreparedStep]) -> Self {
        let goes_down = steps.iter().any(|step| step.step.direction == Direction::Down);
        let runs_again = |step: &&PreparedStep| goes_down && step.step.migration.role() == Role::Repeatable;
        let again = steps.iter().filter(|step| step.step.direction == Direction::Up).filter(runs_again);
        Self { burst: Burst::of(steps), again: again.map(|step| of(&step.step)).collect(), ..Self::default() }
    }

    /// Tells, inside the lock, whether a step is still to be done; brings the history table up to date first.
    pub(super) fn still_needed(
        &mut self,
        session: &mut dyn Session,
        step: &Step,
        conditions: &Conditions<'_>,
    ) -> Result<bool, StepError> {
        let data_version = session.data_version().map_err(StepError::doing("look for changes"))?;
        if self.data_version != Some(data_version) {
            self.reread(session, conditions)?;
            self.data_version = Some(data_version);
        }
        if !self.ensured {
            self.burst.ensure(session, conditions.history)?;
        }
        let applied = self.done.contains(&of(step));
        let starts = step.direction == Direction::Up && step.migration.role() == Role::Baseline;
        let begun = self.begun.get(&step.chain).and_then(|begun| begun.values().next_back());
        if let Some(migration) = begun.filter(|_| starts && !applied) {
            // A baseline is for a database that has nothing of the chain, and another process has begun it meanwhile.
            let (migration, chain) = (migration.clone(), step.chain.to_string());
            return Err(StepError::Plan(PlanError { problems: vec![PlanProblem::AlreadyBegun { migration, chain }] }));
        }
        // What a redo takes back may have taken along what a repeatable one has made: it runs again although it is done.
        let again = matches!(conditions.goal, Goal::Redo(_)) && step.migration.role() == Role::Repeatable;
        if applied != (step.direction == Direction::Down) && !again {
            // Whoever has done this one may have done others: what follows may not stand on what it stood on.
            self.overtaken |= matches!(conditions.goal, Goal::Redo(_));
            return Ok(false);
        }
        let next = self.ahead.front().filter(|next| !is_same(next, step));
        if self.overtaken || next.is_some() {
            let next = next.filter(|_| !matches!(conditions.goal, Goal::Redo(_))).map(Step::title);
            let migration = step.title();
            return Err(StepError::Plan(PlanError { problems: vec![PlanProblem::Overtaken { migration, next }] }));
        }
        Ok(true)
    }

    fn reread(&mut self, session: &mut dyn Session, conditions: &Conditions<'_>) -> Result<(), StepError> {
        let (chains, goal, rules) = (conditions.chains, &conditions.goal, &conditions.rules);
        let applied = conditions.history.read_all(session)?;
        let is_half_way = matches!(goal, Goal::Redo(_)) && self.data_version.is_some();
        let before = is_half_way.then(|| self.done.clone());
        if is_half_way {
            plan::check_half_way(chains, &applied, goal, rules).map_err(StepError::Plan)?;
        } else if !conditions.on_a_copy {
            // What was left out is pending, and may be older than what was applied after it.
            let left_out = |step: &Step| self.left_out.iter().any(|left_out| is_same(left_out, step));
            self.ahead = plan::steps(chains, &applied, goal, rules, &left_out).map_err(StepError::Plan)?.into();
        }
        self.mirrors = match applied.iter().any(|row| row.origin.is_some()) {
            true => Mirror::all(conditions.history, session)?.into_iter().collect(),
            false => HashMap::new(),
        };
        self.done.clear();
        self.begun.clear();
        for row in applied.iter().filter(|row| row.is_live() && !row.is_in_progress()) {
            let Some(chain) = chains.get(&row.chain) else { continue };
            let outdated = row.repeatable
                && chain.repeatable(&row.name).is_some_and(|migration| plan::is_outdated(chain, migration, row));
            if row.state == AppliedState::Baseline {
                // Another process may have started from a baseline that has these in it.
                let inside = chain.migrations().iter().filter(|migration| migration.version <= row.version);
                let keys = inside.map(|migration| (Arc::clone(chain.shared_name()), migration.key()));
                self.done.extend(keys);
            }
            if !row.repeatable {
                let begun = self.begun.entry(Arc::clone(chain.shared_name())).or_default();
                begun.insert(row.version, row.title());
            }
            if !outdated {
                self.done.insert((Arc::clone(chain.shared_name()), row.key()));
            }
        }
        self.overtaken |= before.is_some_and(|before| before != self.done);
        self.ensured = false;
        Ok(())
    }

    /// Returns the other tool's table that is to have the steps of a chain too.
    pub(super) fn mirror(&self, chain: &str) -> Option<&Mirror> {
        self.mirrors.get(chain)
    }

    /// Returns the repeatable migrations that are pending as soon as something is taken back.
    pub(super) fn again(&self) -> &[(Arc<str>, Key)] {
        &self.again
    }

    /// Takes a step's commit into account.
    pub(super) fn committed(&mut self, step: &Step, report: &StepReport) {
        if let Some(place) = self.ahead.iter().position(|next| is_same(next, step)) {
            self.ahead.remove(place);
        }
        if report.outcome == StepOutcome::Skipped {
            return self.left_out.push(step.clone());
        }
        self.ensured = true;
        match step.direction {
            Direction::Up => {
                self.done.insert(of(step));
            }
            Direction::Down => {
                self.done.remove(&of(step));
                if report.outcome == StepOutcome::Done {
                    for again in &self.again {
                        self.done.remove(again);
                    }
                }
                if let Some(begun) = self.begun.get_mut(&step.chain) {
                    begun.remove(&step.migration.version);
                }
            }
        }
    }
}

fn of(step: &Step) -> (Arc<str>, Key) {
    (Arc::clone(&step.chain), step.migration.key())
}

fn is_same(one: &Step, other: &Step) -> bool {
    one.direction == other.direction && one.chain == other.chain && one.migration.key() == other.migration.key()
}
