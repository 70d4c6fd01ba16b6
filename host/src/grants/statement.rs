//! What the text of a statement tells beyond what the database reports about it. Plain data.

use std::collections::BTreeSet;

/// What a statement does, by its first words.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum StatementKind {
    /// SELECT, INSERT, UPDATE, DELETE, VALUES, or what cannot be told.
    #[default]
    Data,
    /// PRAGMA.
    Pragma,
    /// BEGIN, COMMIT, END or ROLLBACK.
    Transaction,
    /// SAVEPOINT, RELEASE or ROLLBACK TO.
    Savepoint,
    /// VACUUM.
    Vacuum,
    /// CREATE TABLE.
    CreateTable {
        /// Name of the table.
        table: String,
        /// Filled from a query.
        select: bool,
    },
    /// CREATE VIRTUAL TABLE.
    CreateVirtualTable {
        /// Name of the table.
        table: String,
    },
    /// CREATE INDEX.
    CreateIndex {
        /// Name of the index.
        index: String,
    },
    /// CREATE TRIGGER.
    CreateTrigger {
        /// Name of the trigger.
        trigger: String,
        /// Table or view it is on.
        table: String,
        /// What fires it.
        event: TriggerEvent,
    },
    /// CREATE VIEW.
    CreateView {
        /// Name of the view.
        view: String,
    },
    /// ALTER TABLE.
    Alter {
        /// Name of the table.
        table: String,
        /// Its new name, if it gets one.
        renamed: Option<String>,
        /// The name of a column and its new one, if one gets one.
        column: Option<(String, String)>,
    },
    /// DROP TABLE, VIEW, INDEX or TRIGGER.
    Drop {
        /// Name of what is dropped.
        object: String,
    },
    /// REINDEX.
    Reindex,
    /// ANALYZE.
    Analyze,
}

impl StatementKind {
    /// Tells whether it changes the schema or what the database keeps about it.
    pub fn changes_schema(&self) -> bool {
        match self {
            Self::Data | Self::Pragma | Self::Transaction | Self::Savepoint | Self::Vacuum => false,
            Self::CreateTable { .. }
            | Self::CreateVirtualTable { .. }
            | Self::CreateIndex { .. }
            | Self::CreateTrigger { .. }
            | Self::CreateView { .. }
            | Self::Alter { .. }
            | Self::Drop { .. }
            | Self::Reindex
            | Self::Analyze => true,
        }
    }
}

/// What fires a trigger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TriggerEvent {
    /// INSERT.
    Insert,
    /// UPDATE, of these columns; of any if there are none.
    Update(Vec<String>),
    /// DELETE.
    Delete,
}

/// What a foreign key refers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// The table.
    pub table: String,
    /// The columns, in lower case; none for its primary key.
    pub columns: Vec<String>,
}

/// What the text of a statement, a view or a trigger tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// Everything in it that could be a name, in lower case and without quotes.
    pub names: BTreeSet<String>,
    /// Those of the names that stand in it more than once, where it has a NATURAL JOIN.
    pub repeated: BTreeSet<String>,
    /// What it makes in the temporary database, by the word TEMP or by the name's first part.
    pub temporary: Option<String>,
    /// Names that WITH gives to queries, in lower case.
    pub common_tables: BTreeSet<String>,
    /// Columns in USING, in lower case.
    pub using: BTreeSet<String>,
    /// It has a NATURAL JOIN.
    pub natural: bool,
    /// It says REPLACE, and so can delete rows.
    pub replaces: bool,
    /// It says `ON CONFLICT DO UPDATE`, and so finds a row by any unique key of the table.
    pub upserts_by_any_key: bool,
    /// It has expressions over columns where it alters a table: CHECK, or a generated column.
    pub expressions: bool,
    /// Its expressions only compare columns with each other and with what is written or given, which cannot fail.
    pub compares: bool,
    /// It is only explained, not run.
    pub explains: bool,
    /// It is EXPLAIN without QUERY PLAN.
    pub explains_program: bool,
    /// What its REFERENCES name.
    pub references: Vec<Reference>,
    /// Names with arguments behind them, in lower case: functions, and tables that are called like one.
    pub called: BTreeSet<String>,
    /// Columns that INSERT names, in lower case.
    pub inserted: BTreeSet<String>,
}

impl Statement {
    /// Tells whether a name stands in the text. What does not, the statement cannot reach by itself: only through a
    /// view, a trigger, a foreign key, or because the database does so for its own ends.
    pub fn mentions(&self, name: &str) -> bool {
        self.names.contains(&name.to_ascii_lowercase())
    }
}
