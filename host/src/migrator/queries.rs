//! What can be asked without running anything. Changes nothing and creates nothing.

use super::Migrator;
use super::sources::{Found, Sound};
use crate::error::Error;
use crate::lock::Holding;
use crate::model::{Applied, Chains, Key, Version};
use crate::plan::{self, Entry, Goal, PlanProblem, UnnamedChain, Warning};
use crate::source::{Ignored, Problem};

/// The state of every migration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Names of the chains.
    pub chains: Vec<String>,
    /// The database, without credentials.
    pub database: String,
    /// The migrations chain by chain in the order of their versions, repeatable ones last.
    pub entries: Vec<Entry>,
    /// Those who are at work on what is begun and not at its end.
    pub at_work: Vec<Holding>,
    /// Baselines that the database has not got to, and cannot get to any more.
    pub behind: Vec<PlanProblem>,
    /// Chains that only the history knows.
    pub unnamed_chains: Vec<UnnamedChain>,
    /// Versions that a dense sequence lacks.
    pub gaps: Vec<Gap>,
    /// Files of the sources that are no migrations, and chains in which something is wrong and on which nothing here depends.
    pub ignored: Vec<Ignored>,
    /// What is wrong with the files of hooks, so that nothing can be run.
    pub hook_problems: Vec<Problem>,
}

/// A version that a dense sequence lacks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Gap {
    /// Name of the chain.
    pub chain: String,
    /// The version.
    pub version: Version,
}

impl Migrator {
    /// Returns the state of every migration.
    pub fn status(&self) -> Result<Status, Error> {
        self.timed(|timed| timed.stand().map(|(_, status)| status))
    }

    /// Returns the chains and the state of every migration.
    pub(super) fn stand(&self) -> Result<(Chains, Status), Error> {
        let Found { chains, ignored, hook_problems, .. } = self.look_into_sources(Sound::Needed, &self.interrupt)?;
        let rows = self.all_rows()?;
        let gaps = chains.active().flat_map(|chain| {
            let gap = |version| Gap { chain: chain.name().to_owned(), version };
            chain.gaps().into_iter().map(gap)
        });
        let status = Status {
            chains: chains.active().map(|chain| chain.name().to_owned()).collect(),
            database: self.backend()?.describe(),
            at_work: self.at_work(&rows)?,
            behind: plan::behind_baselines(&chains, &rows),
            unnamed_chains: plan::unnamed_chains(&chains, &rows),
            entries: plan::reconcile(&chains, rows),
            gaps: gaps.collect(),
            ignored,
            hook_problems,
        };
        Ok((chains, status))
    }

    /// Finds who is at work, if anything is begun and not at its end.
    fn at_work(&self, rows: &[Applied]) -> Result<Vec<Holding>, Error> {
        if rows.iter().all(|row| row.state.is_at_an_end()) {
            return Ok(Vec::new());
        }
        let (holdings, _) = self.holdings()?;
        Ok(holdings.into_iter().filter(|holding| holding.alive).collect())
    }

    /// Returns what is still to be applied, whether or not something stands against it.
    pub fn pending(&self) -> Result<Vec<Entry>, Error> {
        let entries = self.status()?.entries;
        Ok(entries.into_iter().filter(|entry| entry.state.is_pending()).collect())
    }

    /// Tells whether the database has what this version brought: it is applied, or part of a baseline that is.
    ///
    /// Of several chains it is enough that one has it; [`MigratorBuilder::only`](super::MigratorBuilder::only) says
    /// which is meant.
    pub fn is_applied(&self, version: Version) -> Result<bool, Error> {
        use crate::model::AppliedState::{Applied, Baseline, InProgress, Replaced, Reverted, Started};
        let rows = self.applied()?;
        Ok(rows.iter().filter(|row| !row.repeatable).any(|row| match row.state {
            Applied => row.version == version,
            Baseline => row.version >= version,
            Started | InProgress | Reverted | Replaced => false,
        }))
    }

    /// Tells whether a chain or the history has a migration of this version, or a repeatable one of this name.
    pub fn is_known(&self, key: impl Into<Key>) -> Result<bool, Error> {
        let (key, entries) = (key.into(), self.status()?.entries);
        Ok(entries.iter().any(|entry| entry.key() == key))
    }

    /// Returns the history rows in the order they were written, also those that were reverted or replaced.
    pub fn history(&self) -> Result<Vec<Applied>, Error> {
        let names = self.names();
        let rows = self.timed(Self::all_rows)?;
        Ok(rows.into_iter().filter(|row| names.iter().any(|name| **name == *row.chain)).collect())
    }

    /// Returns the history rows that are in force, in the order they were written.
    pub fn applied(&self) -> Result<Vec<Applied>, Error> {
        Ok(self.history()?.into_iter().filter(Applied::is_live).collect())
    }

    /// Checks that chains and history agree, so that everything pending could be applied; returns what would be let
    /// pass.
    pub fn validate(&self) -> Result<Vec<Warning>, Error> {
        Ok(self.plan(&Goal::LATEST)?.warnings)
    }
}
