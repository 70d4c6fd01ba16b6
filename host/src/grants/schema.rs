//! What the rules have to know of a database's schema. Plain data; every name is in lower case.

use std::collections::{HashMap, HashSet};

use super::Statement;

/// Suffixes of the tables in which virtual tables keep their rows.
const SHADOWS: &[(&str, &[&str])] = &[
    ("fts5", &["data", "idx", "content", "docsize", "config"]),
    ("fts4", &["content", "segments", "segdir", "docsize", "stat"]),
    ("fts3", &["content", "segments", "segdir", "docsize", "stat"]),
    ("rtree", &["node", "rowid", "parent"]),
    ("rtree_i32", &["node", "rowid", "parent"]),
    ("geopoly", &["node", "rowid", "parent"]),
];

/// A table of the database.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Table {
    /// Its columns; empty when they are not known.
    pub columns: Vec<String>,
    /// Each generated column with the columns it is made from.
    pub generated: HashMap<String, Vec<String>>,
    /// The columns of each CHECK, and of each index on an expression or on some rows only that may refuse a row.
    pub checked: Vec<Vec<String>>,
    /// The columns of its primary key; none where there is none.
    pub primary: Vec<String>,
    /// The columns of its unique keys, the primary one among them.
    pub unique: Vec<String>,
    /// A constraint of it says ON CONFLICT REPLACE.
    pub replaces: bool,
    /// It is long, or an index on it is, and computes something for each row that is written.
    pub long: bool,
    /// The module behind it, if it is virtual.
    pub module: Option<String>,
}

/// A trigger.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trigger {
    /// The table or view it is on.
    pub table: String,
    /// What its text tells.
    pub text: Statement,
}

/// A tree in whose order rows can be walked: an index, or a table without a rowid.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Order {
    /// The table.
    pub table: String,
    /// The index; none for the table itself.
    pub index: Option<String>,
    /// The columns that its order tells about.
    pub columns: Vec<String>,
}

/// What is in a database.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Schema {
    /// Tables, virtual ones included.
    pub tables: HashMap<String, Table>,
    /// Views, with what their texts tell.
    pub views: HashMap<String, Statement>,
    /// Triggers.
    pub triggers: HashMap<String, Trigger>,
    /// Indexes, with their tables.
    pub indexes: HashMap<String, String>,
    /// Orders in which rows can be walked, by the page at the root of each.
    pub orders: HashMap<i64, Order>,
    /// Functions that neither SQLite nor the host brings.
    pub foreign_functions: HashSet<String>,
}

impl Schema {
    /// Returns a table by its name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(&name.to_ascii_lowercase())
    }

    /// Tells whether there is a table or view of this name.
    pub fn has(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.tables.contains_key(&name) || self.views.contains_key(&name)
    }

    /// Tells whether there is a virtual table of this name, in lower case.
    pub fn is_virtual(&self, name: &str) -> bool {
        self.tables.get(name).is_some_and(|table| table.module.is_some())
    }

    /// Returns the virtual table that keeps its rows in this one.
    pub fn owner_of_shadow(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let (owner, suffix) = name.rsplit_once('_')?;
        let (owner, table) = self.tables.get_key_value(owner)?;
        is_shadow(table.module.as_deref()?, suffix).then_some(owner.as_str())
    }

    /// Returns what the text of a view or trigger tells.
    pub fn text_of(&self, name: &str) -> Option<&Statement> {
        let name = name.to_ascii_lowercase();
        self.views.get(&name).or_else(|| self.triggers.get(&name).map(|trigger| &trigger.text))
    }

    /// Returns what the texts of all views and triggers tell.
    pub fn texts(&self) -> impl Iterator<Item = &Statement> {
        self.views.values().chain(self.triggers.values().map(|trigger| &trigger.text))
    }

    /// Tells whether a statement may touch more than the database reports, without a word in its text that says so: through
    /// a view or trigger that joins tables by columns it does not name in a comparison, or in a virtual table, which takes
    /// arguments and orders.
    pub fn is_silent(&self) -> bool {
        self.texts().any(|text| text.natural || !text.using.is_empty())
            || self.tables.values().any(|table| table.module.is_some())
    }

    /// Tells whether a name in a short statement may stand for a long one: there are views, triggers, columns that are made of
    /// others, long definitions that compute something, or virtual tables.
    pub fn expands(&self) -> bool {
        let expands = |table: &Table| !table.generated.is_empty() || table.long || table.module.is_some();
        !self.views.is_empty() || !self.triggers.is_empty() || self.tables.values().any(expands)
    }

    /// Tells whether a view or trigger gives this name to a query with WITH.
    pub fn has_common_table(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.texts().any(|text| text.common_tables.contains(&name))
    }
}

/// Tells whether a module keeps rows in tables with this suffix.
pub(super) fn is_shadow(module: &str, suffix: &str) -> bool {
    SHADOWS.iter().any(|(known, suffixes)| known.eq_ignore_ascii_case(module) && suffixes.contains(&suffix))
}

/// Tells whether a new virtual table, whose module is not known yet, could keep rows in this table.
pub(super) fn could_be_shadow_of(virtual_table: &str, name: &str) -> bool {
    let Some((owner, suffix)) = name.rsplit_once('_') else { return false };
    owner.eq_ignore_ascii_case(virtual_table) && SHADOWS.iter().any(|(module, _)| is_shadow(module, suffix))
}
