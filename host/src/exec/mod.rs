//! Effects, in order: prepares a plan, runs it, tells what happened. Decides nothing the plan has decided.

mod autoincrement;
mod burst;
mod cascades;
#[cfg(feature = "wasm")]
mod chunks;
#[cfg(feature = "wasm")]
mod component;
mod determinism;
mod dry_run;
mod event;
mod foreign_keys;
mod foresee;
mod functions;
mod growth;
mod hold;
mod holder;
mod hooks;
mod libraries;
#[cfg(feature = "wasm")]
mod look;
mod losses;
mod notes;
#[cfg(feature = "wasm")]
mod once;
mod outside;
mod patience;
mod preconditions;
mod prepare;
mod prepare_error;
#[cfg(feature = "wasm")]
mod preview;
mod rebuild;
mod references;
mod refusal;
mod renames;
mod repair;
mod report;
#[cfg(feature = "wasm")]
mod retry;
mod round_trip;
mod run;
mod rust;
mod scope;
mod script;
#[cfg(feature = "wasm")]
mod scripts;
mod single;
mod squash;
mod step;
mod throttle;
#[cfg(feature = "wasm")]
mod transform;
mod verify;
mod verify_deep;
mod voice;
mod watermark;
mod work;

pub use determinism::{Disagreement, Trial, Used};
pub use event::{Event, Observer, observer_fn};
pub use foresee::Outlook;
pub use hold::AskedTooMuch;
pub use losses::Loss;
pub use prepare::{PrepareError, Prepared, prepare};
#[cfg(feature = "wasm")]
pub use preview::PreviewError;
pub use refusal::{Refusal, refusals};
pub use repair::RepairError;
pub use report::{Estimate, HookFailure, Report, RowCounts, RunError, StepError, StepOutcome, StepReport};
pub use round_trip::{Leg, LegError, Trip, TripOutcome};
pub use run::{Conditions, run};
#[cfg(feature = "wasm")]
pub use scripts::{EngineAnswer, EngineFound, EngineUsed, ScriptPrepareError};
pub use throttle::Throttle;
pub use verify::Answer;
pub use verify_deep::{Asked, Verified};

pub(crate) use burst::give_back;
pub(crate) use determinism::{TrialError, run_twice};
pub(crate) use dry_run::dry_run;
pub(crate) use foresee::foresee;
#[cfg(feature = "wasm")]
pub(crate) use once::{read_once, run_once};
pub(crate) use patience::Patience;
#[cfg(feature = "wasm")]
pub(crate) use prepare::{check_code, prepare_applied};
#[cfg(feature = "wasm")]
pub(crate) use preview::preview_step;
pub(crate) use repair::{plan_repair, run_repair};
#[cfg(feature = "wasm")]
pub use retry::Retried;
#[cfg(feature = "wasm")]
pub(crate) use retry::retry_step;
pub(crate) use round_trip::round_trip;
#[cfg(feature = "wasm")]
pub(crate) use scripts::look_at;
pub(crate) use single::{check_single, run_single};
pub(crate) use squash::squash;
#[cfg(feature = "wasm")]
pub(crate) use transform::check_transforms;
pub(crate) use verify_deep::verify_all;
