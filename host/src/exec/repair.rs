//! Writes what a repair has decided, in one transaction, and only if the history is still what it was decided on.

use super::report::StepError;
use crate::db::Session;
use crate::history::{History, HistoryError};
use crate::model::{Chains, Key, Version};
use crate::plan::{self, HistoryChange, PlanError, Repair, RepairPlan};

/// Why the history was not repaired. It is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// There is nothing to repair, or something else than that.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Another process has changed it since it was looked at.
    #[error("another process changed the history meanwhile")]
    Changed,
    /// There is no database yet.
    #[error("the database does not exist yet, so there is nothing to repair")]
    NoDatabase,
    /// The database refused.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Decides what a repair would write. Changes nothing.
pub(crate) fn plan_repair(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    repair: Repair,
) -> Result<RepairPlan, RepairError> {
    let applied = history.read_all(session)?;
    let mut unread = None;
    let rejects = |chain: &str, version: Version| match history.rejects(session, chain, version) {
        Ok(rows) => rows.len() as u64,
        Err(error) => {
            unread = Some(error);
            0
        }
    };
    let planned = plan::repair(chains, &applied, repair, rejects)?;
    unread.map_or(Ok(planned), |error| Err(error.into()))
}

/// Writes what was decided.
pub(crate) fn run_repair(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    repair: Repair,
    decided: &RepairPlan,
) -> Result<(), RepairError> {
    let written = write(session, chains, history, repair, decided);
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    written
}

fn write(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    repair: Repair,
    decided: &RepairPlan,
) -> Result<(), RepairError> {
    session.begin().map_err(StepError::doing("begin a transaction"))?;
    if plan_repair(session, chains, history, repair)? != *decided {
        return Err(RepairError::Changed);
    }
    for change in &decided.changes {
        match change {
            HistoryChange::Forget { version, .. } => {
                history.delete(session, &decided.chain, &Key::Version(*version))?;
            }
            HistoryChange::ForgetRejects { version, .. } => {
                history.forget_rejects(session, &decided.chain, *version)?;
            }
        }
    }
    Ok(session.commit().map_err(StepError::doing("commit"))?)
}
