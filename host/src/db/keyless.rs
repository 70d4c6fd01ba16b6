//! Foreign keys to columns that are no key.

use std::fmt;

/// A foreign key to columns that are no key of their table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keyless {
    /// The table that has it.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that they refer to.
    pub parent: String,
    /// The columns there; nothing where the primary key is meant.
    pub to: Option<Vec<String>>,
}

impl fmt::Display for Keyless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, columns, parent, to } = self;
        write!(formatter, "{table}({}) refers to {parent}", columns.join(", "))?;
        to.as_ref().map_or(Ok(()), |to| write!(formatter, "({})", to.join(", ")))
    }
}
