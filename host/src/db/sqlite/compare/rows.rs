//! Compares the rows of one table in two databases, in the order of its key.

use std::cmp::Ordering;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};

use super::{Difference, Differences, NAMED, SHOWN, shorten};
use crate::db::quote_identifier;

/// By what rows are found in the other database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Keyed {
    /// By the number that SQLite gives them, where there is one.
    ByRowid,
    /// By the primary key; by all their values where there is none.
    ByMeaning,
}

/// A table with rows of its own.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Columns of the key as SQL names them; the rest are values.
    key: Vec<String>,
    columns: Vec<String>,
    /// Two rows can have one key, so that the values decide which comes first.
    has_twins: bool,
}

impl Table {
    /// Lists tables that hold rows themselves, where those of virtual tables have names of their own; or else what is a
    /// table to whoever reads it.
    pub(super) fn all(connection: &Connection, keyed: Keyed) -> rusqlite::Result<Vec<Self>> {
        // How a virtual table keeps its rows depends on the way it came to them, so what counts is what it shows.
        let holds_rows = match keyed {
            Keyed::ByRowid => "s.rootpage > 0",
            Keyed::ByMeaning => "l.type <> 'shadow'",
        };
        let mut statement = connection.prepare(&format!(
            "WITH l AS MATERIALIZED (SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main')
             SELECT s.name, l.wr FROM sqlite_schema s JOIN l ON l.name = s.name
             WHERE s.type = 'table' AND {holds_rows} ORDER BY s.name"
        ))?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
        let named: Vec<(String, bool)> = rows.collect::<Result<_, _>>()?;
        named.into_iter().map(|(name, without_rowid)| Self::read(connection, name, without_rowid, keyed)).collect()
    }

    fn read(connection: &Connection, name: String, without_rowid: bool, keyed: Keyed) -> rusqlite::Result<Self> {
        // What is computed when it is read differs only where what it is computed from does.
        let mut statement =
            connection.prepare("SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden IN (0, 3) ORDER BY pk, cid")?;
        let rows = statement.query_map([&name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        let columns: Vec<(String, i64)> = rows.collect::<Result<_, _>>()?;
        let is_column = |name: &str| columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name));
        let primary = |(column, pk): &(String, i64)| (*pk > 0).then(|| quote_identifier(column));
        let primary: Vec<String> = columns.iter().filter_map(primary).collect();
        let key = match (keyed, rowid) {
            _ if without_rowid => primary,
            (Keyed::ByRowid, Some(rowid)) => vec![rowid.to_owned()],
            (Keyed::ByMeaning, _) if !primary.is_empty() => primary,
            (Keyed::ByRowid | Keyed::ByMeaning, _) => {
                columns.iter().map(|(column, _)| quote_identifier(column)).collect()
            }
        };
        let has_twins = keyed == Keyed::ByMeaning && !without_rowid;
        Ok(Self { name, key, columns: columns.into_iter().map(|(column, _)| column).collect(), has_twins })
    }

    /// Returns what two tables have in common; `None` where their rows cannot be matched.
    pub(super) fn shared(self, other: &Self) -> Option<Self> {
        let is_theirs = |column: &String| other.columns.iter().any(|theirs| theirs.eq_ignore_ascii_case(column));
        let columns: Vec<String> = self.columns.iter().filter(|column| is_theirs(column)).cloned().collect();
        let is_all = self.key.len() == self.columns.len() && other.key.len() == other.columns.len();
        let key = match is_all {
            // Rows that are told apart by all their values are matched by those they share.
            true => columns.iter().map(|column| quote_identifier(column)).collect(),
            false if self.has_key_of(other) => self.key,
            false => return None,
        };
        (!columns.is_empty()).then_some(Self { columns, key, ..self })
    }

    /// Tells whether both have the same key; names of columns may be written in another way.
    fn has_key_of(&self, other: &Self) -> bool {
        let mut pairs = self.key.iter().zip(&other.key);
        self.key.len() == other.key.len() && pairs.all(|(own, theirs)| own.eq_ignore_ascii_case(theirs))
    }

    fn select<'c>(&self, connection: &'c Connection) -> rusqlite::Result<Statement<'c>> {
        let columns: Vec<String> = self.columns.iter().map(|column| quote_identifier(column)).collect();
        let values = [self.key.clone(), columns.clone()].concat().join(", ");
        // In the order in which keys are compared below, whatever order the columns have themselves.
        let mut order: Vec<String> = self.key.iter().map(|column| format!("{column} COLLATE BINARY")).collect();
        if self.has_twins {
            let rest = columns.iter().filter(|column| !self.key.contains(column));
            order.extend(rest.map(|column| format!("{column} COLLATE BINARY")));
        }
        let (name, order) = (quote_identifier(&self.name), order.join(", "));
        connection.prepare(&format!("SELECT {values} FROM main.{name} ORDER BY {order}"))
    }

    /// Finds the first difference.
    pub(super) fn first(&self, first: &Connection, second: &Connection) -> rusqlite::Result<Option<Difference>> {
        let mut found = None;
        self.each(first, second, &mut |difference| {
            found = Some(difference);
            false
        })?;
        Ok(found)
    }

    /// Adds what differs to what was found elsewhere.
    pub(super) fn all_differences(
        &self,
        first: &Connection,
        second: &Connection,
        found: &mut Differences,
    ) -> rusqlite::Result<()> {
        let mut room = NAMED;
        self.each(first, second, &mut |difference| {
            found.add(difference, &mut room);
            true
        })
    }

    /// Tells each difference while more are wanted.
    fn each(
        &self,
        first: &Connection,
        second: &Connection,
        tell: &mut dyn FnMut(Difference) -> bool,
    ) -> rusqlite::Result<()> {
        let (mut first, mut second) = (self.select(first)?, self.select(second)?);
        let (mut first, mut second) = (first.query([])?, second.query([])?);
        first.advance()?;
        second.advance()?;
        loop {
            let more = match (first.get(), second.get()) {
                (None, None) => return Ok(()),
                (Some(row), None) => {
                    let more = tell(self.missing(row, true)?);
                    first.advance()?;
                    more
                }
                (None, Some(row)) => {
                    let more = tell(self.missing(row, false)?);
                    second.advance()?;
                    more
                }
                (Some(one), Some(other)) => match self.order(one, other)? {
                    // The smaller key is the one that the other side lacks.
                    Ordering::Less => {
                        let more = tell(self.missing(one, true)?);
                        first.advance()?;
                        more
                    }
                    Ordering::Greater => {
                        let more = tell(self.missing(other, false)?);
                        second.advance()?;
                        more
                    }
                    Ordering::Equal => {
                        let more = self.values(one, other, tell)?;
                        first.advance()?;
                        second.advance()?;
                        more
                    }
                },
            };
            if !more {
                return Ok(());
            }
        }
    }

    /// Compares the keys of two rows.
    fn order(&self, one: &Row<'_>, other: &Row<'_>) -> rusqlite::Result<Ordering> {
        for index in 0..self.key.len() {
            let order = order(one.get_ref(index)?, other.get_ref(index)?);
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    /// Tells the first value that differs in two rows with one key.
    fn values(
        &self,
        one: &Row<'_>,
        other: &Row<'_>,
        tell: &mut dyn FnMut(Difference) -> bool,
    ) -> rusqlite::Result<bool> {
        for (index, column) in self.columns.iter().enumerate() {
            let index = self.key.len() + index;
            let (first, second) = (one.get_ref(index)?, other.get_ref(index)?);
            if !same(first, second) {
                let (table, key, column) = (self.name.clone(), self.key_of(one)?, column.clone());
                let (first, second) = (show(first), show(second));
                return Ok(tell(Difference::Value { table, key, column, first, second }));
            }
        }
        Ok(true)
    }

    fn missing(&self, row: &Row<'_>, in_first: bool) -> rusqlite::Result<Difference> {
        Ok(Difference::Row { table: self.name.clone(), key: self.key_of(row)?, in_first })
    }

    fn key_of(&self, row: &Row<'_>) -> rusqlite::Result<String> {
        let part = |(index, column): (usize, &String)| {
            let inside = column.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            let name = inside.map_or_else(|| column.clone(), |name| name.replace("\"\"", "\""));
            match row.get_ref(index)? {
                ValueRef::Integer(value) => Ok(format!("{name} {value}")),
                value => Ok(format!("{name} {}", show(value))),
            }
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

/// Compares values in SQLite's order with the plain collation: NULL, numbers, text, blobs.
fn order(one: ValueRef<'_>, other: ValueRef<'_>) -> Ordering {
    let kind = |value: ValueRef<'_>| match value {
        ValueRef::Null => 0,
        ValueRef::Integer(_) | ValueRef::Real(_) => 1,
        ValueRef::Text(_) => 2,
        ValueRef::Blob(_) => 3,
    };
    #[expect(clippy::cast_precision_loss, reason = "only the order of an integer beside a real depends on it")]
    let number = |value: ValueRef<'_>| match value {
        ValueRef::Integer(value) => value as f64,
        ValueRef::Real(value) => value,
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => 0.0,
    };
    match (one, other) {
        (ValueRef::Integer(one), ValueRef::Integer(other)) => one.cmp(&other),
        (ValueRef::Text(one), ValueRef::Text(other)) | (ValueRef::Blob(one), ValueRef::Blob(other)) => one.cmp(other),
        (one, other) if kind(one) == 1 && kind(other) == 1 => {
            number(one).partial_cmp(&number(other)).unwrap_or(Ordering::Equal)
        }
        (one, other) => kind(one).cmp(&kind(other)),
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
