//! Writes what a repair has decided, in one transaction, and only if the history is still what it was decided on.

use std::time::Duration;

use jiff::Timestamp;

use super::report::StepError;
use super::step::{at_its_end, moment};
use crate::db::Session;
use crate::history::{History, HistoryError, NewRow};
use crate::lock::{Here, Holder, Lease};
use crate::model::{AppliedState, Chain, Chains, Key, Migration};
use crate::plan::{self, ChangeKind, HistoryChange, PlanError, Repair, RepairPlan};

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
    /// A process that can be seen is at work on what is to be repaired.
    #[error("{holder}, and is still at work on it")]
    AtWork {
        /// Who.
        holder: Box<Holder>,
    },
    /// The database refused.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Decides what a repair would write. Changes nothing.
pub(crate) fn plan_repair(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    repair: &Repair,
) -> Result<RepairPlan, RepairError> {
    let applied = history.read_all(session)?;
    let mut unread = None;
    let rejects = |chain: &str, key: &Key| match history.rejects(session, chain, key) {
        Ok(rows) => rows.len() as u64,
        Err(error) => {
            unread = Some(error);
            0
        }
    };
    let planned = plan::repair(chains, &applied, repair, rejects)?;
    unread.map_or(Ok(planned), |error| Err(error.into()))
}

/// Writes what was decided. A step that another process is running outside a transaction is waited for; one that does the
/// chunks of a transform is not, so that nothing is written as long as it can be seen from `here`.
pub(crate) fn run_repair(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    repair: &Repair,
    decided: &RepairPlan,
    here: &Here,
) -> Result<(), RepairError> {
    let lock = session.lock_run(None).map_err(StepError::doing("lock the run"))?;
    let written = write(session, chains, history, repair, decided, here);
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    drop(lock);
    written
}

fn write(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    repair: &Repair,
    decided: &RepairPlan,
    here: &Here,
) -> Result<(), RepairError> {
    session.begin().map_err(StepError::doing("begin a transaction"))?;
    if plan_repair(session, chains, history, repair)? != *decided {
        return Err(RepairError::Changed);
    }
    let now = Timestamp::now();
    let is_concerned = |lease: &Lease| decided.changes.iter().any(|change| concerns(change, lease));
    if let Some(lease) =
        history.leases(session)?.into_iter().find(|lease| lease.is_seen(here, now) && is_concerned(lease))
    {
        return Err(RepairError::AtWork { holder: Box::new(lease.holder) });
    }
    history.ensure(session)?;
    for change in &decided.changes {
        change_history(session, chains, history, change)?;
    }
    Ok(session.commit().map_err(StepError::doing("commit"))?)
}

/// Tells whether a lease is on the migration that a change is about.
fn concerns(change: &HistoryChange, lease: &Lease) -> bool {
    lease.key == change.key && lease.holder.chain == change.chain
}

fn change_history(
    session: &mut dyn Session,
    chains: &Chains,
    history: &History,
    change: &HistoryChange,
) -> Result<(), HistoryError> {
    let HistoryChange { chain, key, .. } = change;
    let now = moment(Timestamp::now());
    match &change.kind {
        ChangeKind::Forget { .. } => {
            history.forget_statements(session, chain, key)?;
            history.delete(session, chain, key)
        }
        ChangeKind::ForgetRejects { .. } => history.forget_rejects(session, chain, key),
        ChangeKind::MarkFailed { .. } => {
            history.forget_statements(session, chain, key)?;
            history.end(session, chain, key, AppliedState::Reverted, &now)
        }
        ChangeKind::Accept { .. } | ChangeKind::MarkApplied { .. } => {
            let Some((own, migration)) = find(chains, chain, change) else { return Ok(()) };
            let functions = own.library_checksums(migration);
            let row = NewRow {
                not_run: None,
                chain,
                migration,
                state: at_its_end(migration),
                applied_at: &now,
                duration: Duration::ZERO,
                rows_changed: 0,
                statements: 0,
                operations: 0,
                fuel: None,
                engine: None,
                run_id: None,
                functions: &functions,
            };
            history.forget_statements(session, chain, key)?;
            match change.kind {
                ChangeKind::MarkApplied { was: None } => history.insert(session, &row),
                _ => history.restate(session, key, &row),
            }
        }
    }
}

/// Finds what the chain has for a change.
fn find<'a>(chains: &'a Chains, chain: &str, change: &HistoryChange) -> Option<(&'a Chain, &'a Migration)> {
    let chain = chains.get(chain)?;
    let migration = match &change.key {
        Key::Name(name) => chain.repeatable(name)?,
        Key::Version(version) => {
            let all = chain.migrations().iter().chain(chain.baselines());
            all.into_iter().find(|migration| migration.version == *version && migration.title() == change.migration)?
        }
    };
    Some((chain, migration))
}
