//! Finds where two databases differ: schema, then rows in the order of their keys, bit for bit. Changes nothing.

mod rows;
mod schema;

use std::fmt;

use rusqlite::Connection;

use crate::db::{DbError, ErrorCode};
use rows::{Keyed, Table};

/// Characters shown of a value.
const SHOWN: usize = 60;
/// Differences of one table that are named.
const NAMED: usize = 3;

/// Where two databases differ. A side that has nothing there is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Difference {
    /// A table, index, view or trigger.
    Schema {
        /// Kind and name, such as `table customer`.
        object: String,
        /// Its statement in the first database.
        first: Option<String>,
        /// Its statement in the second.
        second: Option<String>,
    },
    /// A column, as it is declared.
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its declaration in the first database.
        first: Option<String>,
        /// Its declaration in the second.
        second: Option<String>,
    },
    /// The same columns in another order.
    Order {
        /// The table.
        table: String,
        /// The columns in the first database.
        first: String,
        /// The columns in the second.
        second: String,
    },
    /// A row that only one of them has.
    Row {
        /// The table.
        table: String,
        /// The row's key, such as `rowid 7`.
        key: String,
        /// Whether it is the first database that has it.
        in_first: bool,
    },
    /// A value in a row that both have.
    Value {
        /// The table.
        table: String,
        /// The row's key, such as `rowid 7`.
        key: String,
        /// The column.
        column: String,
        /// The value in the first database, with its kind.
        first: String,
        /// The value in the second.
        second: String,
    },
}

impl Difference {
    /// Tells it with words for when, such as `before` and `afterwards`, in place of the two databases.
    pub fn told(&self, one: &str, other: &str) -> String {
        let there = |in_first: bool| {
            let (with, without) = if in_first { (one, other) } else { (other, one) };
            format!("is there {with} and not {without}")
        };
        match self {
            Self::Schema { object, first: Some(first), second: Some(second) } => {
                format!("{object} is not the same: {first} {one}, {second} {other}")
            }
            Self::Schema { object, first, .. } => format!("{object} {}", there(first.is_some())),
            Self::Column { table, column, first: Some(first), second: Some(second) } => {
                format!("table {table}, column {column}: {first} {one}, {second} {other}")
            }
            Self::Column { table, column, first, .. } => {
                format!("table {table}: column {column} {}", there(first.is_some()))
            }
            Self::Order { table, first, second } => {
                format!("table {table} has its columns in another order: {first} {one}, {second} {other}")
            }
            Self::Row { table, key, in_first } => format!("table {table}: the row with {key} {}", there(*in_first)),
            Self::Value { table, key, column, first, second } => {
                format!("table {table}, row with {key}, column {column}: {first} {one}, {second} {other}")
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { object, first: Some(first), second: Some(second) } => {
                write!(formatter, "{object} is not the same: {first} and {second}")
            }
            Self::Schema { object, first, .. } => {
                write!(formatter, "{object} is in the {} only", which(first.is_some()))
            }
            Self::Column { table, column, first: Some(first), second: Some(second) } => {
                write!(formatter, "table {table}, column {column}: {first} and {second}")
            }
            Self::Column { table, column, first, .. } => {
                write!(formatter, "table {table}: column {column} is in the {} only", which(first.is_some()))
            }
            Self::Order { table, first, second } => {
                write!(formatter, "table {table} has its columns in another order: {first} and {second}")
            }
            Self::Row { table, key, in_first } => {
                write!(formatter, "table {table}: the row with {key} is in the {} only", which(*in_first))
            }
            Self::Value { table, key, column, first, second } => {
                write!(formatter, "table {table}, row with {key}, column {column}: {first} and {second}")
            }
        }
    }
}

fn which(first: bool) -> &'static str {
    if first { "first" } else { "second" }
}

/// Where two databases differ.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Differences {
    /// The first ones: all of the schema, and a few of each table.
    pub named: Vec<Difference>,
    /// How many more rows and values differ.
    pub more: u64,
}

impl Differences {
    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Takes a difference into account, and keeps it while there are few.
    fn add(&mut self, difference: Difference, room: &mut usize) {
        match room.checked_sub(1) {
            Some(less) => {
                *room = less;
                self.named.push(difference);
            }
            None => self.more += 1,
        }
    }
}

/// Finds the first difference of two databases that should be equal to the bit, leaving out the tables named.
pub fn compare(first: &Connection, second: &Connection, leave_out: &[String]) -> Result<Option<Difference>, DbError> {
    let found = (|| {
        if let Some(difference) = schema::first(first, second, leave_out)? {
            return Ok(Some(difference));
        }
        for table in Table::all(first, Keyed::ByRowid)? {
            if !is_one_of(&table.name, leave_out)
                && let Some(difference) = table.first(first, second)?
            {
                return Ok(Some(difference));
            }
        }
        Ok(None)
    })();
    found.map_err(|error| failed(&error))
}

/// Finds what two databases mean differently, leaving out the tables named and what SQLite keeps for itself.
///
/// Spelling, blanks and comments of definitions do not count, nor do the numbers that SQLite gives to the rows of
/// tables without a primary key.
pub fn differences(first: &Connection, second: &Connection, leave_out: &[String]) -> Result<Differences, DbError> {
    let found = (|| {
        let mut found = schema::differences(first, second, leave_out)?;
        let theirs = Table::all(second, Keyed::ByMeaning)?;
        for table in Table::all(first, Keyed::ByMeaning)? {
            let is_own = table.name.to_ascii_lowercase().starts_with("sqlite_") || is_one_of(&table.name, leave_out);
            let other = theirs.iter().find(|other| other.name.eq_ignore_ascii_case(&table.name));
            if let Some(table) = other.filter(|_| !is_own).and_then(|other| table.shared(other)) {
                table.all_differences(first, second, &mut found)?;
            }
        }
        Ok(found)
    })();
    found.map_err(|error| failed(&error))
}

/// Finds what two schemas mean differently, leaving out the tables named.
pub fn schema_differences(
    first: &Connection,
    second: &Connection,
    leave_out: &[String],
) -> Result<Differences, DbError> {
    schema::differences(first, second, leave_out).map_err(|error| failed(&error))
}

/// Writes the schema as text: tables by name, each with its indexes and triggers, then views; without the tables named
/// and without what SQLite makes itself.
pub fn snapshot(connection: &Connection, leave_out: &[String]) -> Result<String, DbError> {
    let written = schema::snapshot(connection, leave_out);
    written.map_err(|error| DbError::new(ErrorCode::Database, format!("cannot read the schema: {error}")))
}

fn failed(error: &rusqlite::Error) -> DbError {
    DbError::new(ErrorCode::Database, format!("cannot compare: {error}"))
}

fn is_one_of(table: &str, names: &[String]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(table))
}

fn shorten(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
