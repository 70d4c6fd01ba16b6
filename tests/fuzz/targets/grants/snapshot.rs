//! All that is in a database, read by the host's own connection.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Result};
use whimbrel::db::Session;

use crate::world::TABLES;

/// What is in a database.
#[derive(Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// The schema, by kind and name.
    pub(crate) objects: BTreeMap<(String, String), Object>,
    /// The tables, by name.
    pub(crate) contents: BTreeMap<String, Content>,
    /// Settings of the connection and the file, and what is attached or temporary.
    pub(crate) settings: Vec<String>,
}

/// A table, an index, a view or a trigger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    /// The table it is on.
    pub(crate) table: String,
    /// Its definition.
    pub(crate) sql: Option<String>,
}

/// The rows of a table.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) columns: Vec<String>,
    /// The cells by the key of the row; several rows where the table is not one of the setup.
    pub(crate) rows: BTreeMap<String, Vec<String>>,
}

const SETTINGS: [&str; 14] = [
    "application_id",
    "cell_size_check",
    "database_list",
    "defer_foreign_keys",
    "encoding",
    "foreign_keys",
    "ignore_check_constraints",
    "journal_mode",
    "legacy_alter_table",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "user_version",
    "writable_schema",
];

impl Snapshot {
    /// Reads everything; the session must not be restricted.
    pub(crate) fn take(session: &mut dyn Session) -> Self {
        let connection = session.sqlite().expect("SQLite");
        Self::read(connection).expect("a database that can be read")
    }

    fn read(connection: &Connection) -> Result<Self> {
        let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
        let objects: BTreeMap<(String, String), Object> = statement
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), Object { table: row.get(2)?, sql: row.get(3)? })))?
            .collect::<Result<_>>()?;
        let mut contents = BTreeMap::new();
        for (_, name) in objects.keys().filter(|(kind, _)| kind == "table") {
            // A damaged or unfinished virtual table has no content.
            contents.insert(name.clone(), content(connection, name).unwrap_or_default());
        }
        let mut settings = rows(connection, "SELECT * FROM sqlite_temp_schema")?;
        for setting in SETTINGS {
            settings.extend(
                rows(connection, &format!("PRAGMA {setting}"))?.into_iter().map(|row| format!("{setting}: {row}")),
            );
        }
        Ok(Self { objects, contents, settings })
    }
}

fn content(connection: &Connection, name: &str) -> Result<Content> {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let key = TABLES.iter().find(|table| table.name == name).map(|table| table.key);
    let mut statement = match key {
        Some(key) => connection.prepare(&format!("SELECT {key}, * FROM {quoted}"))?,
        None => connection.prepare(&format!("SELECT NULL, * FROM {quoted}"))?,
    };
    let columns: Vec<String> = statement.column_names().into_iter().skip(1).map(str::to_owned).collect();
    let mut content = Content { columns, rows: BTreeMap::new() };
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let cell = |index| row.get::<_, Value>(index).map(|value| format!("{value:?}"));
        let cells: Vec<String> = (0..content.columns.len()).map(|index| cell(index + 1)).collect::<Result<_>>()?;
        let key = if key.is_some() { cell(0)? } else { cells.join(", ") };
        content.rows.insert(key, cells);
    }
    Ok(content)
}

fn rows(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: Vec<String> = (0..columns)
            .map(|index| row.get::<_, Value>(index).map(|value| format!("{value:?}")))
            .collect::<Result<_>>()?;
        Ok(cells.join(", "))
    })?;
    rows.collect()
}
