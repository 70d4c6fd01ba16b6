//! The kinds of grant on tables, indexes and views.

use std::fmt;

/// What is done to a table, an index or a view; the key of `[grants]` that allows it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Verb {
    /// Reads columns, or counts rows.
    Read,
    /// Inserts rows.
    Insert,
    /// Updates columns.
    Update,
    /// Deletes rows, all of them if it likes.
    Delete,
    /// Creates a table or an index, or gives one a new name.
    Create,
    /// Refers to a table by REFERENCES.
    Reference,
    /// Alters a table, or puts an index on it.
    Alter,
    /// Drops a table or an index.
    Drop,
    /// Creates or drops a trigger on a table.
    Trigger,
    /// Creates or drops a view.
    View,
}

impl Verb {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Create,
        Self::Reference,
        Self::Alter,
        Self::Drop,
        Self::Trigger,
        Self::View,
    ];

    /// Returns its key in `[grants]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Create => "create",
            Self::Reference => "reference",
            Self::Alter => "alter",
            Self::Drop => "drop",
            Self::Trigger => "trigger",
            Self::View => "view",
        }
    }

    /// Tells whether a grant of it can be narrowed to columns.
    pub fn has_columns(self) -> bool {
        matches!(self, Self::Read | Self::Update | Self::Reference)
    }

    /// Says in a word why an operator should look twice before giving it; `None` when there is no special reason.
    pub fn risk(self) -> Option<&'static str> {
        match self {
            Self::Read | Self::Insert | Self::Update | Self::Create | Self::Alter => None,
            Self::Reference => Some("can hold up deletes and updates of the rows it refers to"),
            Self::Delete => Some("can delete every row"),
            Self::Drop => Some("can lose whole tables"),
            Self::Trigger => Some("leaves behind what runs later with other rights"),
            Self::View => Some("leaves behind what is read later with other rights"),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
