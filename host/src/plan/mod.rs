//! Decides what would be done. Pure: no database, no files, no clock.

mod build;
mod down;
mod elsewhere;
mod error;
mod goal;
mod graph;
mod moved;
mod reconcile;
mod repair;
mod scripts;
#[cfg(test)]
mod tests;
mod unnamed;

pub use crate::model::Direction;
pub use build::{Plan, Step, Warning, build};
pub(crate) use build::{behind_baselines, check_half_way, steps};
pub(crate) use down::wants_kept;
pub use error::{PlanError, PlanProblem};
pub use goal::{Goal, Until};
pub use graph::{GraphFormat, graph};
pub use moved::applied_as;
pub(crate) use reconcile::{DECLARED, is_outdated};
pub use reconcile::{Difference, Entry, State, reconcile};
#[cfg(feature = "wasm")]
pub(crate) use repair::check_retry;
pub use repair::{ChangeKind, HistoryChange, Repair, RepairPlan, RepairVerb, repair};
pub use unnamed::UnnamedChain;
pub(crate) use unnamed::unnamed_chains;

/// What a plan lets pass.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rules {
    /// Apply pending migrations that are older than the newest applied one.
    pub allow_out_of_order: bool,
    /// Go on when an applied migration is no longer in the chain.
    pub ignore_missing: bool,
}
