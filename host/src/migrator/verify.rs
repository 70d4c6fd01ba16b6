//! Asks what is applied whether it did what it should. Changes nothing and creates nothing.

use std::sync::Arc;

use super::Migrator;
use crate::db::Access;
use crate::error::Error;
use crate::exec::{self, Verified};
use crate::model::{Body, Migration};
use crate::plan::{self, Difference, Direction, Entry, Goal, Plan, State, Step};

impl Migrator {
    /// Asks every applied migration whether it did what it should, in the order of the chains: runs its verify script, and
    /// calls the `verify` that its code exports, if the code is still what was applied. Each answer is with its migration.
    /// What fails does not stop the rest.
    ///
    /// What an application has done since then shows, too: a script should ask what holds for good.
    pub fn verify_deep(&self) -> Result<Vec<Verified>, Error> {
        self.in_time(|interrupt| {
            let chains = self.load(interrupt)?;
            let several = chains.all().len() > 1;
            let step = |entry: &Entry| {
                let is_applied = matches!(entry.state, State::Applied | State::Outdated | State::ChecksumMismatch(_));
                let migration = entry.migration.clone().filter(|_| is_applied)?;
                let as_applied = has_bytes_as_applied(entry.state);
                if migration.verify.is_none() && !(as_applied && may_have_verify(&migration)) {
                    return None;
                }
                let step = Step { direction: Direction::Up, chain: Arc::clone(&entry.chain), several, migration };
                Some((step, as_applied))
            };
            let entries = plan::reconcile(&chains, self.all_rows()?);
            let (steps, as_applied): (Vec<Step>, Vec<bool>) = entries.iter().filter_map(step).unzip();
            let opened = self.backend.open_existing(Access::Read, &self.options(interrupt, false));
            let opened = opened.map_err(|error| self.database_error(error))?;
            let Some(session) = opened.filter(|_| !steps.is_empty()) else { return Ok(Vec::new()) };
            let goal = Goal::LATEST;
            let plan = Plan { chains: self.names(), goal, steps, hooks: Vec::new(), warnings: Vec::new() };
            let prepared = self.prepare(plan, &chains, interrupt)?;
            let conditions = self.conditions(&chains, goal, interrupt, false);
            Ok(exec::verify_all(session, &prepared, &as_applied, &conditions)?)
        })
    }
}

/// Tells whether the code of an applied migration does what it did then.
fn has_bytes_as_applied(state: State) -> bool {
    match state {
        State::Applied => true,
        State::ChecksumMismatch(difference) => difference != Difference::Body,
        _ => false,
    }
}

/// Tells whether code may export `verify`: nothing is compiled for it, and of a script only its engine knows.
fn may_have_verify(migration: &Migration) -> bool {
    match &migration.body {
        #[cfg(feature = "wasm")]
        Body::Component { bytes } | Body::Transform { bytes, .. } => {
            crate::wasm::inspect(bytes).is_ok_and(|found| found.is_verified())
        }
        #[cfg(not(feature = "wasm"))]
        Body::Component { .. } | Body::Transform { .. } => false,
        Body::Script { .. } => cfg!(feature = "wasm"),
        Body::Sql { .. } | Body::Rust(_) => false,
    }
}
