//! Where SQL functions take time and chance from while a guest's statements run. Only data.

use crate::grants::FunctionGrant;

/// Where SQL functions take time and chance from while a guest's statements run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ambient {
    /// Recorded start of the run, milliseconds since 1970-01-01 UTC: the only time there is.
    pub started_at: u64,
    /// Fixed by the component's bytes: the only chance there is.
    pub seed: u64,
    /// What the guest may use of it.
    pub granted: Vec<FunctionGrant>,
}
