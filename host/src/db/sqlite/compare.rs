//! Finds where two databases differ first: schema, then rows in the order of their keys, bit for bit. Changes nothing.

use std::fmt;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};

use crate::db::{DbError, ErrorCode, quote_identifier};

/// Characters shown of a value.
const SHOWN: usize = 60;

/// Where two databases differ first. A side that has nothing there is `None`.
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

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { object, first: Some(first), second: Some(second) } => {
                write!(formatter, "{object} is not the same: {first} and {second}")
            }
            Self::Schema { object, first, .. } => {
                write!(formatter, "{object} is in the {} only", which(first.is_some()))
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

/// Compares two databases, leaving out the tables named.
pub fn compare(first: &Connection, second: &Connection, leave_out: &[String]) -> Result<Option<Difference>, DbError> {
    let found = (|| {
        if let Some(difference) = compare_schemas(first, second)? {
            return Ok(Some(difference));
        }
        for table in tables(first)? {
            if leave_out.iter().any(|name| name.eq_ignore_ascii_case(&table.name)) {
                continue;
            }
            if let Some(difference) = table.compare(first, second)? {
                return Ok(Some(difference));
            }
        }
        Ok(None)
    })();
    found.map_err(|error: rusqlite::Error| DbError::new(ErrorCode::Database, format!("cannot compare: {error}")))
}

fn compare_schemas(first: &Connection, second: &Connection) -> rusqlite::Result<Option<Difference>> {
    let read = |connection: &Connection| -> rusqlite::Result<Vec<(String, Option<String>)>> {
        let mut statement =
            connection.prepare("SELECT type || ' ' || name, sql FROM sqlite_schema ORDER BY type, name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let (first, second) = (read(first)?, read(second)?);
    let same = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
    let side = |side: &[(String, Option<String>)], object: &str| {
        side.iter().find(|(name, _)| name == object).map(|(_, sql)| shorten(sql.as_deref().unwrap_or_default()))
    };
    let differing = first.get(same).into_iter().chain(second.get(same)).map(|(object, _)| object).min();
    Ok(differing.map(|object| Difference::Schema {
        object: object.clone(),
        first: side(&first, object),
        second: side(&second, object),
    }))
}

/// A table with rows of its own.
struct Table {
    name: String,
    /// Columns of the key as SQL names them; the rest are values.
    key: Vec<String>,
    columns: Vec<String>,
}

/// Lists tables that hold rows themselves; those of virtual tables are among them under names of their own.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare(
        "SELECT s.name, l.wr FROM sqlite_schema s JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
         WHERE s.type = 'table' AND s.rootpage > 0 ORDER BY s.name",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    let named: Vec<(String, bool)> = rows.collect::<Result<_, _>>()?;
    named.into_iter().map(|(name, without_rowid)| Table::read(connection, name, without_rowid)).collect()
}

impl Table {
    fn read(connection: &Connection, name: String, without_rowid: bool) -> rusqlite::Result<Self> {
        // What is computed when it is read differs only where what it is computed from does.
        let mut statement =
            connection.prepare("SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden IN (0, 3) ORDER BY pk, cid")?;
        let rows = statement.query_map([&name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        let columns: Vec<(String, i64)> = rows.collect::<Result<_, _>>()?;
        let is_column = |name: &str| columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name));
        let key = match rowid {
            Some(rowid) if !without_rowid => vec![rowid.to_owned()],
            _ => {
                let keyed = columns.iter().filter(|(_, pk)| *pk > 0 || !without_rowid);
                keyed.map(|(column, _)| quote_identifier(column)).collect()
            }
        };
        Ok(Self { name, key, columns: columns.into_iter().map(|(column, _)| column).collect() })
    }

    fn select<'c>(&self, connection: &'c Connection) -> rusqlite::Result<Statement<'c>> {
        let columns: Vec<String> = self.columns.iter().map(|column| quote_identifier(column)).collect();
        let key = self.key.join(", ");
        let values = [self.key.clone(), columns].concat().join(", ");
        connection.prepare(&format!("SELECT {values} FROM main.{} ORDER BY {key}", quote_identifier(&self.name)))
    }

    fn compare(&self, first: &Connection, second: &Connection) -> rusqlite::Result<Option<Difference>> {
        let (mut first, mut second) = (self.select(first)?, self.select(second)?);
        let (mut first, mut second) = (first.query([])?, second.query([])?);
        loop {
            let (first, second) = match (first.next()?, second.next()?) {
                (None, None) => return Ok(None),
                (Some(row), None) => return self.missing(row, true).map(Some),
                (None, Some(row)) => return self.missing(row, false).map(Some),
                (Some(first), Some(second)) => (first, second),
            };
            for index in 0..self.key.len() + self.columns.len() {
                let (one, other) = (first.get_ref(index)?, second.get_ref(index)?);
                if same(one, other) {
                    continue;
                }
                let Some(value) = index.checked_sub(self.key.len()) else {
                    // Rows come in the order of their keys, so the smaller key is the one that the other side lacks.
                    let in_first = is_less(one, other);
                    return self.missing(if in_first { first } else { second }, in_first).map(Some);
                };
                let (table, key) = (self.name.clone(), self.key_of(first)?);
                let column = self.columns[value].clone();
                return Ok(Some(Difference::Value { table, key, column, first: show(one), second: show(other) }));
            }
        }
    }

    fn missing(&self, row: &Row<'_>, in_first: bool) -> rusqlite::Result<Difference> {
        Ok(Difference::Row { table: self.name.clone(), key: self.key_of(row)?, in_first })
    }

    fn key_of(&self, row: &Row<'_>) -> rusqlite::Result<String> {
        let part = |(index, name): (usize, &String)| match row.get_ref(index)? {
            ValueRef::Integer(value) => Ok(format!("{name} {value}")),
            value => Ok(format!("{name} {}", show(value))),
        };
        let parts: rusqlite::Result<Vec<String>> = self.key.iter().enumerate().map(part).collect();
        Ok(parts?.join(", "))
    }
}

/// Compares kind and bits: 0.0 is not -0.0, and 1 is not 1.0.
fn same(one: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    match (one, other) {
        (ValueRef::Real(one), ValueRef::Real(other)) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}

/// Compares keys in SQLite's order, other collations than the plain one apart.
fn is_less(one: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    match (one, other) {
        (ValueRef::Integer(one), ValueRef::Integer(other)) => one < other,
        (ValueRef::Real(one), ValueRef::Real(other)) => one < other,
        (ValueRef::Text(one), ValueRef::Text(other)) | (ValueRef::Blob(one), ValueRef::Blob(other)) => one < other,
        (one, other) => one.data_type() as i32 <= other.data_type() as i32,
    }
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => format!("integer {value}"),
        ValueRef::Real(value) => format!("real {value:?}"),
        ValueRef::Text(value) => format!("text '{}'", shorten(&String::from_utf8_lossy(value))),
        ValueRef::Blob(value) => {
            let digits: String = value.iter().take(SHOWN / 2).map(|byte| format!("{byte:02x}")).collect();
            let more = if value.len() > SHOWN / 2 { "…" } else { "" };
            format!("blob x'{digits}{more}' of {} bytes", value.len())
        }
    }
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
