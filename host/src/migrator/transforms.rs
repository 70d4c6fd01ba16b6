//! What a transform would make of rows, and what became of those that it kept aside.

use super::Migrator;
#[cfg(feature = "wasm")]
use {
    crate::db::Access,
    crate::exec::{self, Conditions},
    crate::interrupt::Interrupt,
    crate::plan::{self, Goal, Plan, Until},
    std::sync::Arc,
};

use crate::db::Session;
use crate::error::Error;
use crate::history::{History, RejectedRow};
use crate::model::{Applied, Chains, Key};
use crate::plan::{PlanError, PlanProblem};

impl Migrator {
    /// Shows what a transform would make of some rows. Changes nothing and creates nothing.
    #[cfg(feature = "wasm")]
    pub fn preview(
        &self,
        key: impl Into<Key>,
        selection: &crate::transform::Selection,
    ) -> Result<crate::transform::Preview, Error> {
        let key = key.into();
        self.in_time(|interrupt| {
            let chains = self.load(interrupt)?;
            let prepared = self.prepare(Self::plan_one(&chains, &key)?, &chains, interrupt)?;
            let mut session = self.existing(Access::Read, interrupt)?;
            let conditions = self.conditions(&chains, prepared.goal(), interrupt, true);
            let conditions = Conditions { throttle: None, sample: None, ..conditions };
            Ok(exec::preview_step(session.as_mut(), &prepared, &conditions, selection)?)
        })
    }

    /// Transforms the rows that a transform kept aside once more, and forgets those that can be transformed now.
    ///
    /// The migration must be applied, and its component and manifest must be what they were then.
    #[cfg(feature = "wasm")]
    pub fn retry_rejects(&self, key: impl Into<Key>) -> Result<exec::Retried, Error> {
        let key = key.into();
        self.timed(|timed| timed.retry_rejects_until(&timed.interrupt, &key))
    }

    #[cfg(feature = "wasm")]
    fn retry_rejects_until(&self, interrupt: &Interrupt, key: &Key) -> Result<exec::Retried, Error> {
        let chains = self.load(interrupt)?;
        let plan = Self::plan_one(&chains, key)?;
        let prepared = self.prepare_applied(plan, &chains, interrupt)?;
        let refuse = |problem: PlanProblem| Error::Plan(PlanError { problems: vec![problem] });
        let chain = prepared.chains().first().map(String::as_str);
        let entries = plan::reconcile(&chains, self.all_rows()?);
        let is_meant = |entry: &&plan::Entry| entry.key() == *key && Some(&*entry.chain) == chain;
        let entry = entries.iter().filter(is_meant).find(|entry| entry.migration.is_some());
        plan::check_retry(entry.ok_or_else(|| refuse(PlanProblem::unknown(key)))?).map_err(refuse)?;
        let session = self.existing(Access::Write, interrupt)?;
        let conditions = self.conditions(&chains, prepared.goal(), interrupt, false);
        Ok(exec::retry_step(session, &prepared, &conditions).map_err(exec::PreviewError::Failed)?)
    }

    /// Plans the step of one transform, of the active chain that has it. Refused where several have one of this key.
    #[cfg(feature = "wasm")]
    fn plan_one(chains: &Chains, key: &Key) -> Result<Plan, Error> {
        use crate::plan::{Direction, Step};

        let mut found: Vec<_> = chains.active().filter_map(|chain| Some((chain, chain.find(key)?))).collect();
        if found.iter().any(|(_, migration)| migration.body.transform().is_some()) {
            found.retain(|(_, migration)| migration.body.transform().is_some());
            check_one(key, found.iter().map(|(chain, _)| chain.name()))?;
        }
        let unknown = || PlanError { problems: vec![PlanProblem::unknown(key)] };
        let (chain, migration) = found.first().copied().ok_or_else(unknown)?;
        exec::PreviewError::check(migration)?;
        let goal = match key {
            Key::Version(version) => Goal::Up(Until::Version(*version)),
            Key::Name(_) => Goal::LATEST,
        };
        let (chain, migration) = (Arc::clone(chain.shared_name()), Arc::clone(migration));
        let names = vec![chain.to_string()];
        let steps = vec![Step { direction: Direction::Up, chain, several: false, migration }];
        Ok(Plan::of(names, goal, steps))
    }

    /// Returns the rows that a transform kept aside, and its chain. Changes nothing and creates nothing.
    ///
    /// Refused where several chains have applied a transform of this key. The files are read only where a script of this
    /// key is applied: it may be a transform.
    pub fn rejects(&self, key: impl Into<Key>) -> Result<Rejects, Error> {
        let key = key.into();
        let chains: Vec<String> = self.names();
        let read = |history: &History, session: &mut dyn Session| {
            let applied = history.read_to_decide(session)?;
            let mut found = Vec::new();
            for chain in chains {
                let rows = history.rejects(session, &chain, &key)?;
                let is_meant = |row: &&Applied| row.is_live() && row.key() == key && *row.chain == *chain;
                let applied = applied.iter().find(is_meant).map(|row| &*row.kind);
                let may_be = match applied {
                    _ if !rows.is_empty() => MayBe::Transform,
                    Some("transform") => MayBe::Transform,
                    Some("script") => MayBe::Script,
                    Some(_) | None => continue,
                };
                found.push((may_be, Rejects { chain: Some(chain), rows }));
            }
            Ok(found)
        };
        let mut found: Vec<Rejects> = self.timed(|timed| {
            let mut found = timed.look(read)?;
            if found.iter().any(|(may_be, _)| *may_be == MayBe::Script) {
                // The history does not say whether a script is a transform.
                let chains = timed.load(&timed.interrupt)?;
                found.retain(|(may_be, rejects)| {
                    *may_be == MayBe::Transform || is_transform(&chains, rejects.chain.as_deref(), &key)
                });
            }
            Ok::<_, Error>(found.into_iter().map(|(_, rejects)| rejects).collect())
        })?;
        check_one(&key, found.iter().filter_map(|rejects| rejects.chain.as_deref()))?;
        Ok(found.pop().unwrap_or_default())
    }
}

/// What the history says of a row without rejects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MayBe {
    Transform,
    /// Only its text tells.
    Script,
}

fn is_transform(chains: &Chains, chain: Option<&str>, key: &Key) -> bool {
    let chain = chain.and_then(|chain| chains.get(chain));
    chain.and_then(|chain| chain.find(key)).is_some_and(|migration| migration.body.transform().is_some())
}

/// Refuses what is meant of one chain, and several have.
fn check_one<'a>(key: &Key, chains: impl Iterator<Item = &'a str>) -> Result<(), PlanError> {
    let chains: Vec<String> = chains.map(str::to_owned).collect();
    match chains.len() {
        0 | 1 => Ok(()),
        _ => Err(PlanError { problems: vec![PlanProblem::ambiguous(key, chains)] }),
    }
}

/// The rows that a transform kept aside.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rejects {
    /// The chain of the transform; none where no such transform is applied.
    pub chain: Option<String>,
    /// The rows.
    pub rows: Vec<RejectedRow>,
}
