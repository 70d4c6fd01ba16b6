//! What a transform would make of rows, and what became of those that it kept aside.

use super::Migrator;
#[cfg(feature = "wasm")]
use {
    crate::db::Access,
    crate::exec::{self, Conditions, Prepared},
    crate::interrupt::Interrupt,
    crate::model::Chains,
    crate::plan::{self, Goal, Plan, Until},
    std::sync::Arc,
};

use crate::db::Session;
use crate::error::Error;
use crate::history::{History, RejectedRow};
use crate::model::Version;

impl Migrator {
    /// Shows what a transform would make of some rows. Changes nothing and creates nothing.
    #[cfg(feature = "wasm")]
    pub fn preview(
        &self,
        version: Version,
        selection: &crate::transform::Selection,
    ) -> Result<crate::transform::Preview, Error> {
        self.in_time(|interrupt| {
            let chains = self.load(interrupt)?;
            let prepared = self.prepare_one(&chains, version, interrupt)?;
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
    pub fn retry_rejects(&self, version: Version) -> Result<exec::Retried, Error> {
        self.timed(|timed| timed.retry_rejects_until(&timed.interrupt, version))
    }

    #[cfg(feature = "wasm")]
    fn retry_rejects_until(&self, interrupt: &Interrupt, version: Version) -> Result<exec::Retried, Error> {
        use crate::plan::{PlanError, PlanProblem};

        let chains = self.load(interrupt)?;
        let prepared = self.prepare_one(&chains, version, interrupt)?;
        let refuse = |problem: PlanProblem| Error::Plan(PlanError { problems: vec![problem] });
        let entries = plan::reconcile(&chains, self.all_rows()?);
        let entry = entries.iter().find(|entry| entry.version == version && entry.migration.is_some());
        plan::check_retry(entry.ok_or_else(|| refuse(PlanProblem::UnknownTarget { version }))?).map_err(refuse)?;
        let session = self.existing(Access::Write, interrupt)?;
        let conditions = self.conditions(&chains, prepared.goal(), interrupt, false);
        Ok(exec::retry_step(session, &prepared, &conditions).map_err(exec::PreviewError::Failed)?)
    }

    /// Prepares the step of one transform, of whichever active chain has this version.
    #[cfg(feature = "wasm")]
    fn prepare_one(&self, chains: &Chains, version: Version, interrupt: &Interrupt) -> Result<Prepared, Error> {
        use crate::plan::{Direction, PlanError, PlanProblem, Step};

        let found = chains.active().find_map(|chain| Some((chain, chain.get(version)?)));
        let unknown = || PlanError { problems: vec![PlanProblem::UnknownTarget { version }] };
        let (chain, migration) = found.ok_or_else(unknown)?;
        exec::PreviewError::check(migration)?;
        let goal = Goal::Up(Until::Version(version));
        let (chain, migration) = (Arc::clone(chain.shared_name()), Arc::clone(migration));
        let names = vec![chain.to_string()];
        let steps = vec![Step { direction: Direction::Up, chain, several: false, migration }];
        Ok(self.prepare(Plan::of(names, goal, steps), chains, interrupt)?)
    }

    /// Returns the rows that a transform kept aside. Changes nothing and creates nothing.
    pub fn rejects(&self, version: Version) -> Result<Vec<RejectedRow>, Error> {
        let chains: Vec<String> = self.names();
        let read = |history: &History, session: &mut dyn Session| {
            let mut rows = Vec::new();
            for chain in &chains {
                rows.append(&mut history.rejects(session, chain, version)?);
            }
            Ok(rows)
        };
        self.timed(|timed| timed.look(read))
    }
}
