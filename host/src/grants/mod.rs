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
mod order;
mod schema;
mod statement;
mod verb;

pub use action::{Action, Request};
pub use decide::{Denied, Restriction, decide, decide_whole, refused_as_a_whole};
pub use functions::FunctionGrant;
pub(crate) use grant::quoted;
pub use grant::{Grants, TableGrant};
pub use implied::Touched;
pub use need::{Grant, Need};
pub(crate) use needs::is_auxiliary;
pub use observed::Observed;
pub use order::{decide_orders, has_hidden_orders, shows_order, walks};
pub use schema::{Order, Schema, Table, Trigger};
pub use statement::{Reference, Statement, StatementKind, TriggerEvent};
pub use verb::Verb;
