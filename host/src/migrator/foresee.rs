//! Tells what the preconditions of pending migrations say now. Changes nothing and creates nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Migrator, Status};
use crate::db::Access;
use crate::error::Error;
use crate::exec::{self, Outlook};
use crate::model::{Chains, Unmet};
use crate::plan::{Direction, Entry, Goal, State, Step};

impl Migrator {
    /// Returns the state of every migration, and what the preconditions of those that are pending say of the database
    /// as it is now, by their places in [`Status::entries`]. Those without preconditions are left out, but for what depends on
    /// one that would be skipped, and is skipped with it. Where there is no database nothing is asked.
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
        let (mut outlooks, mut patience) = (BTreeMap::new(), exec::Patience::default());
        for (place, step) in steps {
            let outlook = exec::foresee(session.as_mut(), step, &self.policies, &conditions, &mut patience);
            outlooks.insert(place, outlook.map_err(|_| Error::Interrupted)?);
        }
        skip_dependents(&chains, &status.entries, &mut outlooks);
        Ok((status, outlooks))
    }
}

/// Adds what depends on something that would be skipped, and is skipped with it.
fn skip_dependents(chains: &Chains, entries: &[Entry], outlooks: &mut BTreeMap<usize, Outlook>) {
    let place = |entry: &Entry| chains.place(chains.index(&entry.chain)?, entry.role, entry.version);
    // What others depend on comes before them; nothing depends on what is repeatable.
    let mut order: Vec<(usize, usize)> =
        entries.iter().enumerate().map(|(index, entry)| (place(entry).unwrap_or(usize::MAX), index)).collect();
    order.sort_unstable();
    let mut skipped: BTreeMap<usize, String> = BTreeMap::new();
    for (node, index) in order {
        let entry = &entries[index];
        let waits = entry.state.is_pending() && entry.state != State::InProgress;
        let Some((chain, migration)) = chains.index(&entry.chain).zip(entry.migration.as_ref()).filter(|_| waits)
        else {
            continue;
        };
        if let Some(needed) = chains.needs(chain, migration).iter().find_map(|need| skipped.get(need)) {
            let reason = format!("it depends on {needed}, which would be skipped");
            outlooks.insert(index, Outlook::Unmet { otherwise: Unmet::Skip, reason });
        }
        if outlooks.get(&index).is_some_and(Outlook::is_skip) {
            skipped.insert(node, chains.title(chain, migration));
        }
    }
}
