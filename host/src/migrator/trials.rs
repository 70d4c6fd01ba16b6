//! Tries migrations on copies of a database, which itself is only read.

use super::Migrator;
use super::sources::Sound;
use crate::db::sqlite::Fill;
use crate::db::{Access, OpenOptions, Session};
use crate::error::Error;
use crate::exec::{self, Conditions, Prepared, Trial, TrialError, Trip};
use crate::history::History;
use crate::interrupt::Interrupt;
use crate::model::Chains;
use crate::plan::{self, Goal};

/// What is tried, and how.
struct Attempt<'a> {
    migrator: &'a Migrator,
    interrupt: &'a Interrupt,
    chains: Chains,
    goal: Goal,
    options: OpenOptions,
    fills: &'a [Fill],
}

impl Migrator {
    /// Runs to a goal on copies of the database, what is code twice, and tells whether both runs did the same.
    ///
    /// The database itself is only read, and code is told that nothing will stay, as in a dry run. A migration that disagrees with itself is the last one of the answer.
    pub fn run_twice(&self, goal: &Goal) -> Result<Vec<Trial>, Error> {
        self.run_twice_with(goal, &[])
    }

    /// Does what [`run_twice`](Self::run_twice) does, on copies to which rows are added, those of each table as soon as
    /// it is there.
    pub fn run_twice_with(&self, goal: &Goal, fills: &[Fill]) -> Result<Vec<Trial>, Error> {
        self.try_database(goal, fills, |attempt, original| attempt.twice(original))
    }

    /// Runs each pending migration up, down and up again on copies of the database, and compares schema and data: with
    /// what was there before, and with what the first up has made.
    ///
    /// The database itself is only read, and code is told that nothing will stay, as in a dry run. Hooks are left out; the clock stands still and random numbers are the same each
    /// time. What does not come back as it should is told, and the next migration is tried.
    pub fn round_trip(&self, goal: &Goal) -> Result<Vec<Trip>, Error> {
        self.round_trip_with(goal, &[])
    }

    /// Does what [`round_trip`](Self::round_trip) does, on copies to which rows are added, those of each table as soon as
    /// it is there.
    pub fn round_trip_with(&self, goal: &Goal, fills: &[Fill]) -> Result<Vec<Trip>, Error> {
        self.try_database(goal, fills, |attempt, original| attempt.round_trip(original))
    }

    /// Names the tables that are the history's and not the program's.
    #[cfg(feature = "testing")]
    pub(crate) fn own_tables(&self) -> Vec<String> {
        self.history.tables()
    }

    /// Tries something on the database, or on an empty one where there is none.
    fn try_database<T>(&self, goal: &Goal, fills: &[Fill], work: Work<T>) -> Result<T, Error> {
        self.in_time(|interrupt| {
            let attempt = Attempt { fills, ..self.attempt(goal, interrupt)? };
            let existing = self.backend()?.open_existing(Access::Read, &attempt.options);
            let mut original = match existing.map_err(|error| self.database_error(error))? {
                Some(session) => session,
                None => self.backend()?.open_scratch(&attempt.options).map_err(|error| self.database_error(error))?,
            };
            work(&attempt, original.as_mut())
        })
    }

    fn attempt<'a>(&'a self, goal: &Goal, interrupt: &'a Interrupt) -> Result<Attempt<'a>, Error> {
        let chains = self.look_into_sources(Sound::for_goal(goal), interrupt)?.chains;
        let options = self.options(interrupt, false);
        Ok(Attempt { migrator: self, interrupt, chains, goal: *goal, options, fills: &[] })
    }
}

type Work<T> = fn(&Attempt<'_>, &mut dyn Session) -> Result<T, Error>;

impl Attempt<'_> {
    fn twice(&self, original: &mut dyn Session) -> Result<Vec<Trial>, Error> {
        let prepared = self.prepare(original)?;
        let history = self.history(original)?;
        let tried = exec::run_twice(original, prepared, &self.conditions(&history), &self.options, self.fills);
        tried.map_err(|error| self.error(error))
    }

    fn round_trip(&self, original: &mut dyn Session) -> Result<Vec<Trip>, Error> {
        let prepared = self.prepare(original)?;
        let prepare = |plan| self.migrator.prepare(plan, &self.chains, self.interrupt);
        let history = self.history(original)?;
        let conditions = self.conditions(&history);
        let tried = exec::round_trip(original, prepared, &prepare, &conditions, &self.options, self.fills);
        tried.map_err(|error| self.error(error))
    }

    /// Plans as if the original were to be migrated.
    fn prepare(&self, original: &mut dyn Session) -> Result<Prepared, Error> {
        let migrator = self.migrator;
        let applied = migrator.history.read_all(original)?;
        let plan = plan::build(&self.chains, &applied, &self.goal, &migrator.rules)?;
        Ok(migrator.prepare(plan, &self.chains, self.interrupt)?)
    }

    /// The history, which knows of the others in the database: none of them is what migrations make.
    fn history(&self, original: &mut dyn Session) -> Result<History, Error> {
        let history = self.migrator.history.clone();
        history.beside_others(original).map_err(|error| self.migrator.database_error(error))
    }

    fn conditions<'c>(&'c self, history: &'c History) -> Conditions<'c> {
        let conditions = self.migrator.conditions(&self.chains, self.goal, self.interrupt, false);
        Conditions { history, throttle: None, on_a_copy: true, ..conditions }
    }

    fn error(&self, error: TrialError) -> Error {
        match error {
            TrialError::Database(error) => self.migrator.database_error(error),
            TrialError::Run(error) => error.into(),
            TrialError::History(error) => error.into(),
            TrialError::Fill(error) => error.into(),
        }
    }
}
