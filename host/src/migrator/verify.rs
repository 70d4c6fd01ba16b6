//! Runs the verify scripts of what is applied. Changes nothing and creates nothing.

use std::sync::Arc;

use super::Migrator;
use crate::db::Access;
use crate::error::Error;
use crate::exec::{self, Verified};
use crate::plan::{self, Direction, Entry, Goal, Plan, State, Step};

impl Migrator {
    /// Runs the verify script of every applied migration that has one, in the order of the chains; each answer is with
    /// its migration. What fails does not stop the rest.
    ///
    /// What an application has done since then shows, too: a script should ask what holds for good.
    pub fn verify_deep(&self) -> Result<Vec<Verified>, Error> {
        self.in_time(|interrupt| {
            let chains = self.load(interrupt)?;
            let several = chains.all().len() > 1;
            let step = |entry: &Entry| {
                let applied = matches!(entry.state, State::Applied | State::Outdated | State::ChecksumMismatch(_));
                let migration = entry.migration.clone().filter(|migration| applied && migration.verify.is_some())?;
                Some(Step { direction: Direction::Up, chain: Arc::clone(&entry.chain), several, migration })
            };
            let entries = plan::reconcile(&chains, self.all_rows()?);
            let steps: Vec<Step> = entries.iter().filter_map(step).collect();
            let opened = self.backend.open_existing(Access::Read, &self.options(interrupt, false));
            let opened = opened.map_err(|error| self.database_error(error))?;
            let Some(mut session) = opened.filter(|_| !steps.is_empty()) else { return Ok(Vec::new()) };
            let goal = Goal::LATEST;
            let plan = Plan { chains: self.names(), goal, steps, hooks: Vec::new(), warnings: Vec::new() };
            let prepared = self.prepare(plan, &chains, interrupt)?;
            let conditions = self.conditions(&chains, goal, interrupt, false);
            Ok(exec::verify_all(session.as_mut(), &prepared, &conditions)?)
        })
    }
}
