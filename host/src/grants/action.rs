//! What a statement is about to do, as the database's parser sees it. Plain data.

use super::{Schema, Statement};

/// One thing a statement is about to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action<'a> {
    /// BEGIN, COMMIT or ROLLBACK.
    Transaction,
    /// SAVEPOINT, RELEASE or ROLLBACK TO.
    Savepoint,
    /// ATTACH.
    Attach,
    /// DETACH.
    Detach,
    /// VACUUM, also INTO a file.
    Vacuum,
    /// EXPLAIN without QUERY PLAN: the database's program, in which addresses of the host stand.
    Explain,
    /// PRAGMA.
    Pragma {
        /// Name of the pragma.
        name: &'a str,
        /// What is assigned or passed.
        value: Option<&'a str>,
    },
    /// Calls a function.
    Function {
        /// Name of the function.
        name: &'a str,
    },
    /// Reads a column; none when rows are counted only.
    Read {
        /// Table or view.
        table: &'a str,
        /// Column; may be empty.
        column: &'a str,
    },
    /// Inserts rows.
    Insert {
        /// Table or view.
        table: &'a str,
    },
    /// Updates a column.
    Update {
        /// Table or view.
        table: &'a str,
        /// Column.
        column: &'a str,
    },
    /// Deletes rows.
    Delete {
        /// Table or view.
        table: &'a str,
    },
    /// Creates a table.
    CreateTable {
        /// Name of the table.
        table: &'a str,
    },
    /// Creates a virtual table.
    CreateVirtualTable {
        /// Name of the table.
        table: &'a str,
        /// Module that implements it.
        module: &'a str,
    },
    /// Creates an index.
    CreateIndex {
        /// Name of the index.
        index: &'a str,
        /// Its table.
        table: &'a str,
    },
    /// Creates or drops a trigger.
    Trigger {
        /// Its table or view.
        table: &'a str,
    },
    /// Creates or drops a view.
    View {
        /// Name of the view.
        view: &'a str,
    },
    /// Alters a table.
    AlterTable {
        /// Name of the table.
        table: &'a str,
    },
    /// Drops a table, virtual or not.
    DropTable {
        /// Name of the table.
        table: &'a str,
    },
    /// Drops an index.
    DropIndex {
        /// Name of the index.
        index: &'a str,
        /// Its table.
        table: &'a str,
    },
    /// Builds an index anew.
    Reindex {
        /// Name of the index.
        index: &'a str,
    },
    /// Gathers statistics on a table.
    Analyze {
        /// Name of the table.
        table: &'a str,
    },
    /// Creates or drops something temporary.
    Temporary {
        /// Its name.
        object: &'a str,
    },
    /// Begins to select; each column is asked about by itself.
    Select,
    /// Anything that is not known here.
    Unknown,
}

impl<'a> Action<'a> {
    /// Returns the table or view it is about, if it is about one.
    pub fn table(self) -> Option<&'a str> {
        match self {
            Self::Read { table, .. }
            | Self::Insert { table }
            | Self::Update { table, .. }
            | Self::Delete { table }
            | Self::CreateTable { table }
            | Self::CreateVirtualTable { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::Trigger { table }
            | Self::AlterTable { table }
            | Self::DropTable { table }
            | Self::DropIndex { table, .. }
            | Self::Analyze { table } => Some(table),
            Self::View { view } => Some(view),
            Self::Transaction
            | Self::Savepoint
            | Self::Attach
            | Self::Detach
            | Self::Vacuum
            | Self::Explain
            | Self::Pragma { .. }
            | Self::Function { .. }
            | Self::Reindex { .. }
            | Self::Temporary { .. }
            | Self::Select
            | Self::Unknown => None,
        }
    }

    /// Tells whether it changes nothing; a pragma that is [let pass](super::decide) at all changes nothing either.
    pub fn only_reads(self) -> bool {
        match self {
            Self::Select | Self::Read { .. } | Self::Function { .. } | Self::Pragma { .. } => true,
            Self::Transaction
            | Self::Savepoint
            | Self::Attach
            | Self::Detach
            | Self::Vacuum
            | Self::Explain
            | Self::Insert { .. }
            | Self::Update { .. }
            | Self::Delete { .. }
            | Self::Reindex { .. }
            | Self::Analyze { .. }
            | Self::Temporary { .. }
            | Self::Unknown => false,
            action => !action.is_definition(),
        }
    }

    /// Tells whether it creates, alters or drops something.
    pub fn is_definition(self) -> bool {
        match self {
            Self::CreateTable { .. }
            | Self::CreateVirtualTable { .. }
            | Self::CreateIndex { .. }
            | Self::Trigger { .. }
            | Self::View { .. }
            | Self::AlterTable { .. }
            | Self::DropTable { .. }
            | Self::DropIndex { .. } => true,
            Self::Transaction
            | Self::Savepoint
            | Self::Attach
            | Self::Detach
            | Self::Vacuum
            | Self::Explain
            | Self::Pragma { .. }
            | Self::Function { .. }
            | Self::Read { .. }
            | Self::Insert { .. }
            | Self::Update { .. }
            | Self::Delete { .. }
            | Self::Reindex { .. }
            | Self::Analyze { .. }
            | Self::Temporary { .. }
            | Self::Select
            | Self::Unknown => false,
        }
    }

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Savepoint => "savepoint",
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::Vacuum => "vacuum",
            Self::Explain => "explain",
            Self::Pragma { .. } => "pragma",
            Self::Function { .. } => "function",
            Self::Read { .. } => "read",
            Self::Insert { .. } => "insert",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::CreateTable { .. } | Self::CreateVirtualTable { .. } | Self::CreateIndex { .. } => "create",
            Self::Trigger { .. } => "trigger",
            Self::View { .. } => "view",
            Self::AlterTable { .. } => "alter",
            Self::DropTable { .. } | Self::DropIndex { .. } => "drop",
            Self::Reindex { .. } => "reindex",
            Self::Analyze { .. } => "analyze",
            Self::Temporary { .. } => "temporary",
            Self::Select => "select",
            Self::Unknown => "unknown",
        }
    }
}

/// An action and all that bears on it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The action.
    pub action: Action<'a>,
    /// The database it is in, as far as it is told: `main`, `temp`, or one that was attached.
    pub database: Option<&'a str>,
    /// The innermost trigger, view or subquery it comes from.
    pub accessor: Option<&'a str>,
    /// The statement.
    pub statement: &'a Statement,
    /// The schema.
    pub schema: &'a Schema,
}
