//! Effects, in order: prepares a plan, runs it, tells what happened. Decides nothing the plan has decided.

#[cfg(feature = "wasm")]
mod component;
mod dry_run;
mod event;
mod prepare;
mod report;
mod run;
mod step;
mod work;

pub use event::{Event, Observer};
pub use prepare::{PrepareError, Prepared, prepare};
pub use report::{Report, RunError, StepError, StepOutcome, StepReport};
pub use run::{Conditions, run};

pub(crate) use dry_run::dry_run;
