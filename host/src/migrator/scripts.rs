//! What a migrator does with scripts and their engines beside running them in a chain.

use std::sync::Arc;

use super::Migrator;
use crate::db::Access;
use crate::error::Error;
use crate::exec::{self, Conditions, EngineFound, Prepared, StepReport};
use crate::interrupt::Interrupt;
use crate::model::{Chains, Migration};
use crate::plan::{Direction, Entry, Goal, Plan, PlanError, PlanProblem, Step, Until};
use crate::wasm::{Compilation, CompileError};

impl Migrator {
    /// Looks at the bytes of every component among some steps, the types of their exports included, and has the engines read
    /// every script. Compiles no component, runs nothing and changes nothing. Whether the code of a component's functions is
    /// valid, only compiling tells.
    pub fn check_code(&self, steps: &[Step]) -> Result<(), Error> {
        self.check_steps(steps, &[])
    }

    /// Looks at the code of what is pending, as [`check_code`](Self::check_code) does, and has the engines read the scripts
    /// that are applied, which are only held to what they could still be asked. Applied components are left out: they may be
    /// of a contract that is no longer spoken.
    pub fn check_code_of(&self, entries: &[Entry]) -> Result<(), Error> {
        let steps = |is_meant: &dyn Fn(&Entry, &Migration) -> bool| {
            let step = |entry: &Entry| {
                let migration = entry.migration.clone().filter(|migration| is_meant(entry, migration))?;
                Some(Step { direction: Direction::Up, chain: Arc::clone(&entry.chain), several: false, migration })
            };
            entries.iter().filter_map(step).collect::<Vec<Step>>()
        };
        let new = steps(&|entry, _| entry.applied.is_none());
        let applied = steps(&|entry, migration| entry.applied.is_some() && migration.body.script().is_some());
        self.check_steps(&new, &applied)
    }

    fn check_steps(&self, new: &[Step], applied: &[Step]) -> Result<(), Error> {
        Ok(exec::check_code(new, applied, &self.scripts_compilation(), &self.engines, &self.policies)?)
    }

    /// Asks every script engine what it is.
    pub fn look_at_engines(&self) -> Result<Vec<EngineFound>, CompileError> {
        exec::look_at(&self.engines, &self.scripts_compilation())
    }

    fn scripts_compilation(&self) -> Compilation {
        Compilation { interrupt: self.interrupt.clone(), ..self.compilation.clone() }
    }

    /// Has its engine read the only migration of the sources, a script, as for `up`. Opens no database.
    pub fn check_once(&self) -> Result<(), Error> {
        self.check_code(&only(&self.load(&self.interrupt)?, Direction::Up)?)
    }

    /// Runs the only migration of the sources in a transaction, without a row in the history, and undoes it unless it is
    /// to be kept, for which there must be a database.
    pub fn run_once(&self, direction: Direction, keep: bool) -> Result<StepReport, Error> {
        self.in_time(|interrupt| {
            let chains = self.load(interrupt)?;
            let (goal, prepared) = self.prepare_only(&chains, direction, interrupt)?;
            let options = self.options(interrupt, true);
            let existing = self.backend()?.open_existing(Access::Write, &options);
            let session = match existing.map_err(|error| self.database_error(error))? {
                Some(session) => Ok(session),
                None if keep => return Err(Error::Missing { database: self.backend()?.describe() }),
                None => self.backend()?.open_scratch(&options),
            };
            let session = session.map_err(|error| self.database_error(error))?;
            let mut session = session;
            let history = self.history.clone().beside_others(session.as_mut());
            let history = history.map_err(|error| self.database_error(error))?;
            let conditions = self.conditions(&chains, goal, interrupt, !keep);
            let conditions = Conditions { history: &history, unrecorded: true, ..conditions };
            Ok(exec::run_once(session, &prepared, &conditions, keep).1?)
        })
    }

    /// Runs the only migration of the sources in a transaction that only reads: it may read every table, and whatever
    /// else it tries is refused. A database that is not there is an error.
    pub fn read_once(&self) -> Result<(), Error> {
        self.in_time(|interrupt| {
            let chains = self.load(interrupt)?;
            let (goal, prepared) = self.prepare_only(&chains, Direction::Up, interrupt)?;
            let session = self.existing(Access::Read, interrupt)?;
            let conditions = self.conditions(&chains, goal, interrupt, true);
            Ok(exec::read_once(session, prepared, &conditions)?)
        })
    }

    fn prepare_only(
        &self,
        chains: &Chains,
        direction: Direction,
        interrupt: &Interrupt,
    ) -> Result<(Goal, Prepared), Error> {
        let steps = only(chains, direction)?;
        let names = steps.iter().map(|step| step.chain.to_string()).collect();
        let goal = Goal::Up(Until::End);
        Ok((goal, self.prepare(Plan::of(names, goal, steps), chains, interrupt)?))
    }
}

/// Makes a step of the only migration that there is. Repeatable ones and baselines are for whole chains.
fn only(chains: &Chains, direction: Direction) -> Result<Vec<Step>, PlanError> {
    let mut steps = chains.active().flat_map(|chain| {
        let chain_name = chain.shared_name();
        chain.migrations().iter().map(move |migration| Step {
            direction,
            chain: Arc::clone(chain_name),
            several: false,
            migration: Arc::clone(migration),
        })
    });
    let step = steps.next().ok_or_else(|| PlanError { problems: vec![PlanProblem::NoMigration] })?;
    Ok(vec![step])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::Sqlite;
    use crate::source::Memory;

    #[test]
    fn without_a_migration_nothing_is_run_once() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        let repeatable = Memory::new("memory").file("R__view.sql", "CREATE VIEW v AS SELECT 1;");
        for source in [Memory::new("memory"), repeatable] {
            let migrator = Migrator::builder().source(source).database(Sqlite::file(&database)).build().unwrap();
            let refused = [
                migrator.run_once(Direction::Up, true).map(drop),
                migrator.run_once(Direction::Down, false).map(drop),
                migrator.read_once(),
                migrator.check_once(),
            ];
            for result in refused {
                let error = result.unwrap_err();
                assert!(
                    matches!(&error, Error::Plan(error) if matches!(error.problems[..], [PlanProblem::NoMigration]))
                );
            }
        }
        assert!(!database.exists());
    }
}
