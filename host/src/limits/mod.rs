//! How much a code migration may use, as data: every limit, its default, who set it. Measures and enforces nothing.

mod amount;
mod asked;
mod decide;
mod limit;
mod reached;

pub use asked::Limits;
pub use decide::{Excess, RunLimits, SetBy};
pub use limit::{Limit, Unit};
pub use reached::LimitReached;
