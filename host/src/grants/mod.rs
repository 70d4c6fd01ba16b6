//! What a code migration may do, as data. Decides; never enforces.

mod decide;
mod functions;
mod grant;

pub use decide::{Action, Denied, Restriction, decide};
pub use functions::FunctionGrant;
pub use grant::{Grants, TableGrant};
