//! Tells what the preconditions of pending migrations say now. Changes nothing and creates nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Migrator, Status};
use crate::db::Access;
use crate::error::Error;
use crate::exec::{self, Outlook};
use crate::plan::{Direction, Entry, Goal, State, Step};

impl Migrator {
    /// Returns the state of every migration, and what the preconditions of those that are pending say of the database
    /// as it is now, by their places in [`Status::entries`]. Those without preconditions are left out, and where there
    /// is no database nothing is asked.
    ///
    /// Each migration is asked by itself: what those before it will have done is not there yet. A query that fails is
    /// an answer and no error; an interrupt or a timeout of the migrator ends the queries, too, and then that is the error.
    pub fn foresee(&self) -> Result<(Status, BTreeMap<usize, Outlook>), Error> {
        self.timed(Self::look_ahead)
    }

    fn look_ahead(&self) -> Result<(Status, BTreeMap<usize, Outlook>), Error> {
        let (chains, status) = self.stand()?;
        let asked = |entry: &Entry| {
            // What is in progress is not asked again.
            let waits = entry.state.is_pending() && entry.state != State::InProgress;
            let migration = entry.migration.clone().filter(|_| waits)?;
            migration.preconditions().next()?;
            let (chain, several) = (Arc::clone(&entry.chain), status.chains.len() > 1);
            Some(Step { direction: Direction::Up, chain, several, migration })
        };
        let steps: Vec<(usize, Step)> =
            status.entries.iter().enumerate().filter_map(|(place, entry)| Some((place, asked(entry)?))).collect();
        if steps.is_empty() {
            return Ok((status, BTreeMap::new()));
        }
        let opened = self.backend()?.open_existing(Access::Read, &self.options(&self.interrupt, false));
        let opened = opened.map_err(|error| self.database_error(error))?;
        let Some(mut session) = opened else { return Ok((status, BTreeMap::new())) };
        let conditions = self.conditions(&chains, Goal::LATEST, &self.interrupt, false);
        let mut outlooks = BTreeMap::new();
        for (place, step) in steps {
            let outlook = exec::foresee(session.as_mut(), step, &self.policies, &conditions);
            outlooks.insert(place, outlook.map_err(|_| Error::Interrupted)?);
        }
        Ok((status, outlooks))
    }
}
