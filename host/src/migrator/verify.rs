//! Asks what is applied whether it did what it should. Changes nothing and creates nothing.

use std::sync::Arc;

use super::Migrator;
use crate::db::Access;
use crate::error::Error;
use crate::exec::{self, Asked, Prepared, StepError, Verified};
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
            let chains = self.load_needed(interrupt)?;
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
            if steps.is_empty() {
                return Ok(Vec::new());
            }
            let conditions = self.conditions(&chains, Goal::LATEST, interrupt, false);
            let prepare = |steps: Vec<Step>| {
                self.prepare_applied(Plan::of(self.names(), Goal::LATEST, steps), &chains, interrupt)
            };
            let ask = |prepared: Prepared, as_applied: &[bool]| -> Result<Vec<Verified>, Error> {
                let opened = self.backend()?.open_existing(Access::Read, &self.options(interrupt, false));
                let Some(session) = opened.map_err(|error| self.database_error(error))? else { return Ok(Vec::new()) };
                exec::verify_all(session, prepared, as_applied, &conditions).map_err(|_| Error::Interrupted)
            };
            if let Ok(prepared) = prepare(steps.clone()) {
                return ask(prepared, &as_applied);
            }
            // One that cannot be prepared does not stop the rest.
            let mut verified = Vec::new();
            for (step, as_applied) in steps.into_iter().zip(as_applied) {
                match prepare(vec![step.clone()]) {
                    Ok(prepared) => verified.append(&mut ask(prepared, &[as_applied])?),
                    Err(source) if interrupt.is_raised() || interrupt.is_overdue() => return Err(source.into()),
                    Err(source) => {
                        let asked = if step.migration.verify.is_some() { Asked::Script } else { Asked::Code };
                        let result = Err(StepError::Unprepared { source: Box::new(source) });
                        verified.push(Verified { step, asked, result });
                    }
                }
            }
            Ok(verified)
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
