//! What a code migration may do, as data. Decides; never enforces.

mod action;
mod coverage;
mod decide;
mod functions;
mod grant;
mod implied;
mod need;
mod needs;
mod observed;
mod schema;
mod statement;
mod verb;

pub use action::{Action, Request};
pub use decide::{Denied, Restriction, decide, decide_whole};
pub use functions::FunctionGrant;
pub use grant::{Grants, TableGrant};
pub use implied::Touched;
pub use need::{Grant, Need};
pub use observed::Observed;
pub use schema::{Schema, Table, Trigger};
pub use statement::{Statement, StatementKind, TriggerEvent};
pub use verb::Verb;
