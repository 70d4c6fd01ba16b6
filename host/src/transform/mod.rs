//! Runs a pure function from rows to rows over a table: reads by key, has batches transformed on all cores, writes in
//! order. Knows no plan and no Wasm.

mod again;
mod cells;
mod checkpoint;
mod computed;
mod error;
mod expression;
mod guest;
mod layout;
mod moves;
mod pipeline;
mod preview;
mod run;
mod sample;
mod statements;
mod table;
mod write;

pub use checkpoint::{Checkpoint, reject_json, reject_key};
pub use error::{LayoutProblem, TransformError};
pub use expression::expressions;
pub use guest::{Apply, ApplyError, Line};
pub use layout::Layout;
pub use moves::schema_version;
pub use preview::{Preview, PreviewRow, Selection, preview};
pub use run::{Counts, Progress, Reject, Run, Runner, count, last, with_runner};
