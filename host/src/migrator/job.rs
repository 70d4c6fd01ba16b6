//! One run to one goal: plans, prepares, and only then changes anything.

use super::Migrator;
use super::kept::with_kept;
use crate::db::{DbError, Session};
use crate::error::Error;
use crate::exec::{self, Report};
use crate::interrupt::Interrupt;
use crate::model::{Applied, AppliedState, Chains};
use crate::plan::Goal;

/// One run to one goal.
pub(super) struct Job<'a> {
    pub(super) migrator: &'a Migrator,
    pub(super) interrupt: &'a Interrupt,
    pub(super) chains: Chains,
    pub(super) goal: Goal,
    pub(super) dry_run: bool,
}

impl Job<'_> {
    /// Plans, prepares, and only then opens a database that does not exist yet.
    pub(super) fn run(
        &self,
        existing: Option<Box<dyn Session>>,
        open: impl FnOnce() -> Result<Box<dyn Session>, DbError>,
    ) -> Result<Report, Error> {
        let migrator = self.migrator;
        let mut existing = existing;
        let rows = match &mut existing {
            Some(session) => self.rows(session.as_mut())?,
            None => Vec::new(),
        };
        // By a run that was killed: while one goes on, nobody else reads.
        let was_kept = match &mut existing {
            Some(session) if !rows.is_empty() && !self.dry_run => migrator.history.is_marked_kept(session.as_mut())?,
            Some(_) | None => false,
        };
        let kept = match &mut existing {
            Some(session) => {
                migrator.find_kept(&migrator.history, session.as_mut(), &self.chains, &rows, &self.goal)?
            }
            None => Default::default(),
        };
        let chains = with_kept(&self.chains, kept);
        let plan = migrator.draw_up(&chains, &rows, &self.goal)?;
        let applied = rows.iter().filter(|row| row.is_live() && self.is_active(row)).count();
        tracing::debug!(applied, steps = plan.steps.len(), "planned");
        // Flyway runs some of its callbacks each time; in a database that is not there they would find nothing.
        let has_hooks = !plan.hooks.is_empty() && existing.is_some();
        let unnamed_chains = plan.unnamed_chains.clone();
        if plan.steps.is_empty() && !has_hooks {
            if let Some(session) = existing.as_mut().filter(|_| was_kept) {
                exec::give_back(session.as_mut(), &migrator.history);
            }
            let warnings = plan.warnings;
            return Ok(Report { dry_run: self.dry_run, applied, warnings, unnamed_chains, ..Report::default() });
        }
        let prepared = migrator.prepare(plan, &chains, self.interrupt)?;
        if migrator.single_transaction {
            exec::check_single(&prepared)?;
        }
        #[cfg(feature = "wasm")]
        if let Some(session) = &mut existing {
            exec::check_transforms(session.as_mut(), &prepared)?;
        }
        let session = match existing {
            Some(session) => session,
            None => open().map_err(|error| migrator.database_error(error))?,
        };
        let conditions = migrator.conditions(&chains, self.goal, self.interrupt, self.dry_run);
        let run = match (self.dry_run, migrator.single_transaction) {
            (true, _) => exec::dry_run,
            (false, true) => exec::run_single,
            (false, false) => exec::run,
        };
        let (mut session, result) = run(session, &prepared, &conditions);
        if was_kept && result.is_ok() {
            exec::give_back(session.as_mut(), &migrator.history);
        }
        match result {
            Ok(done) => Ok(Report { applied, unnamed_chains, ..done }),
            Err(mut error) => {
                error.done.unnamed_chains = unnamed_chains;
                Err(error.into())
            }
        }
    }

    fn is_active(&self, row: &Applied) -> bool {
        self.chains.index(&row.chain).is_some_and(|chain| self.chains.is_active(chain))
    }

    /// Reads the history; a step that another process is running outside a transaction is waited for.
    fn rows(&self, session: &mut dyn Session) -> Result<Vec<Applied>, Error> {
        let migrator = self.migrator;
        let rows = migrator.history.read_to_decide(session)?;
        if rows.iter().all(|row| row.state != AppliedState::Started || !self.is_active(row)) {
            return Ok(rows);
        }
        // Read with the lock held: otherwise the next such step could have begun meanwhile.
        let lock = session.lock_run(None).map_err(|error| migrator.database_error(error))?;
        let rows = migrator.history.read_to_decide(session);
        drop(lock);
        Ok(rows?)
    }
}
