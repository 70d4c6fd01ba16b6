//! Rows without parents.

use std::collections::BTreeMap;

/// Rows of a table that refer to rows which are not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Orphans {
    /// The table.
    pub table: String,
    /// The table that they refer to.
    pub parent: String,
    /// How many there are.
    pub rows: u64,
    /// The rowid of one of them, if they have any.
    pub rowid: Option<i64>,
    /// What they refer to, as texts, each with the rowids of those that do; none where they are too many, too long or have no
    /// rowid.
    pub keys: Option<BTreeMap<Vec<String>, Vec<i64>>>,
}
