//! Tries migrations on copies of the database, which itself is only read.

use super::Migrator;
use crate::db::{Access, OpenOptions, Session};
use crate::error::Error;
use crate::exec::{self, Conditions, Trial, TrialError, Trip};
use crate::interrupt::Interrupt;
use crate::model::{Applied, Chains};
use crate::plan::{self, Goal, Plan};

/// What is tried on which database.
struct Ground {
    chains: Chains,
    original: Box<dyn Session>,
    options: OpenOptions,
    plan: Plan,
}

impl Migrator {
    /// Runs to a goal on copies of the database, what is code twice, and tells whether both runs did the same.
    ///
    /// The database itself is only read. A migration that disagrees with itself is the last one of the answer.
    pub fn run_twice(&self, goal: &Goal) -> Result<Vec<Trial>, Error> {
        self.in_time(|interrupt| {
            let Ground { chains, mut original, options, plan } = self.ground(interrupt, goal)?;
            let prepared = self.prepare(plan, &chains, interrupt)?;
            let conditions = self.conditions(&chains, *goal, interrupt, false);
            let tried = exec::run_twice(original.as_mut(), prepared, &conditions, &options);
            tried.map_err(|error| self.trial_error(error))
        })
    }

    /// Runs each pending migration up, down and up again on copies of the database, and compares schema and data: with
    /// what was there before, and with what the first up has made.
    ///
    /// The database itself is only read. Hooks are left out; the clock stands still and random numbers are the same each
    /// time. What does not come back as it should is told, and the next migration is tried.
    pub fn round_trip(&self, goal: &Goal) -> Result<Vec<Trip>, Error> {
        self.in_time(|interrupt| {
            let Ground { chains, mut original, options, plan } = self.ground(interrupt, goal)?;
            let prepared = self.prepare(plan, &chains, interrupt)?;
            let conditions = self.conditions(&chains, *goal, interrupt, false);
            let conditions = Conditions { throttle: None, ..conditions };
            let prepare = |plan| self.prepare(plan, &chains, interrupt);
            let tried = exec::round_trip(original.as_mut(), prepared, &prepare, &conditions, &options);
            tried.map_err(|error| self.trial_error(error))
        })
    }

    /// Opens what is to be copied, and plans as if it were the database.
    fn ground(&self, interrupt: &Interrupt, goal: &Goal) -> Result<Ground, Error> {
        let chains = self.load()?;
        let options = self.options(interrupt, false);
        let existing = self.backend.open_existing(Access::Read, &options);
        let (original, applied): (_, Vec<Applied>) = match existing.map_err(|error| self.database_error(error))? {
            Some(mut session) => {
                let applied = self.history.read_all(session.as_mut())?;
                (session, applied)
            }
            None => (self.backend.open_scratch(&options).map_err(|error| self.database_error(error))?, Vec::new()),
        };
        let plan = plan::build(&chains, &applied, goal, &self.rules)?;
        Ok(Ground { chains, original, options, plan })
    }

    fn trial_error(&self, error: TrialError) -> Error {
        match error {
            TrialError::Database(error) => self.database_error(error),
            TrialError::Run(error) => error.into(),
            TrialError::History(error) => error.into(),
        }
    }
}
