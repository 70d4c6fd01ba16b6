//! What a code migration may do, as data. Decides; never enforces.

mod decide;
mod grant;

pub use decide::{Action, Denied, Restriction, decide};
pub use grant::{Grants, TableGrant};
