//! Puts the history right where somebody has decided what is so.

use super::Migrator;
use crate::db::Access;
use crate::error::Error;
use crate::exec;
use crate::plan::{Repair, RepairPlan};

impl Migrator {
    /// Returns what a repair would write into the history. Changes nothing and creates nothing.
    pub fn plan_repair(&self, repair: &Repair) -> Result<RepairPlan, Error> {
        self.timed(|timed| {
            let chains = timed.load(&timed.interrupt)?;
            let mut session = timed.existing(Access::Read, &timed.interrupt)?;
            Ok(exec::plan_repair(session.as_mut(), &chains, &timed.history, repair)?)
        })
    }

    /// Writes what [`plan_repair`](Self::plan_repair) has decided, unless the history has changed since, or a process that
    /// can be seen from here is at work on it.
    pub fn repair(&self, repair: &Repair, decided: &RepairPlan) -> Result<(), Error> {
        self.timed(|timed| {
            let chains = timed.load(&timed.interrupt)?;
            let mut session = timed.existing(Access::Write, &timed.interrupt)?;
            Ok(exec::run_repair(session.as_mut(), &chains, &timed.history, repair, decided, &timed.here)?)
        })
    }
}
