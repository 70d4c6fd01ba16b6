//! Foreign keys to columns that are no key. SQLite takes them, and finds out when they are used, but tells one of each table only.
//!
//! What is a key: <https://sqlite.org/foreignkeys.html#fk_indexes>.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::{Connection, OptionalExtension, Result};

use crate::db::{Keyless, quote_identifier};

const FOREIGN_KEYS: &str = "SELECT s.name, k.id, k.\"table\", k.\"from\", k.\"to\" FROM main.sqlite_schema s \
                            JOIN pragma_foreign_key_list(s.name, 'main') k WHERE s.type = 'table' ORDER BY 1, 2, k.seq";
const KIND: &str =
    "SELECT type, name FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE";
const PRIMARY: &str = "SELECT name FROM pragma_table_info(?, 'main') WHERE pk > 0 ORDER BY pk";
const UNIQUE: &str = "SELECT l.name, l.origin, x.name, x.coll FROM pragma_index_list(?, 'main') l \
                      JOIN pragma_index_xinfo(l.name, 'main') x WHERE l.\"unique\" AND NOT l.partial AND x.key ORDER BY 1";

/// A foreign key of a table.
#[derive(Debug)]
pub(super) struct ForeignKey {
    /// The table.
    pub(super) table: String,
    /// Its columns.
    columns: Vec<String>,
    /// The table that they refer to.
    pub(super) parent: String,
    /// The columns there; nothing where the primary key is meant.
    to: Option<Vec<String>>,
}

/// A table that is referred to.
#[derive(Debug, Default)]
struct Parent {
    primary: Vec<String>,
    /// The primary key is the rowid.
    is_rowid: bool,
    /// The columns of each index that is a key.
    unique: Vec<Vec<String>>,
}

/// All foreign keys there are, and what is known of the tables that they refer to.
#[derive(Debug)]
pub(super) struct ForeignKeys {
    keys: Vec<ForeignKey>,
    /// By their names in small letters; nothing for those that are not there.
    parents: BTreeMap<String, Option<Parent>>,
}

impl ForeignKeys {
    /// Reads them.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let keys = foreign_keys(connection)?;
        let mut parents = BTreeMap::new();
        for key in &keys {
            if let Entry::Vacant(unknown) = parents.entry(key.parent.to_ascii_lowercase()) {
                unknown.insert(Parent::read(connection, &key.parent)?);
            }
        }
        Ok(Self { keys, parents })
    }

    /// Returns those that refer to no key.
    pub(super) fn keyless(&self) -> Vec<Keyless> {
        let keyless = self.keys.iter().filter(|key| !self.is_sound(key));
        keyless.map(ForeignKey::as_keyless).collect()
    }

    /// Returns the others of a table, each with a query for how many rows have no parent by it.
    pub(super) fn sound_of(&self, table: &str) -> Vec<(&ForeignKey, String)> {
        let sound = self.keys.iter().filter(|key| key.table == table && self.is_sound(key));
        sound.map(|key| (key, key.orphans(self.parent(key)))).collect()
    }

    fn parent(&self, key: &ForeignKey) -> Option<&Parent> {
        self.parents.get(&key.parent.to_ascii_lowercase())?.as_ref()
    }

    /// Tells whether a foreign key refers to a key. What refers to nothing is another fault.
    fn is_sound(&self, key: &ForeignKey) -> bool {
        self.parent(key).is_none_or(|parent| parent.has(key))
    }
}

impl ForeignKey {
    fn as_keyless(&self) -> Keyless {
        let Self { table, columns, parent, to } = self;
        Keyless { table: table.clone(), columns: columns.clone(), parent: parent.clone(), to: to.clone() }
    }

    fn orphans(&self, parent: Option<&Parent>) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| quote_identifier(column)).collect();
        let given: Vec<String> = columns.iter().map(|column| format!("c.{column} IS NOT NULL")).collect();
        let sql =
            format!("SELECT count(*) FROM main.{} c WHERE {}", quote_identifier(&self.table), given.join(" AND "));
        let Some(parent) = parent else { return sql };
        let to = self.to.as_ref().unwrap_or(&parent.primary);
        // The collation is that of the parent, which stands on the left.
        let pairs: Vec<String> =
            to.iter().zip(&columns).map(|(to, column)| format!("p.{} = c.{column}", quote_identifier(to))).collect();
        let table = quote_identifier(&self.parent);
        format!("{sql} AND NOT EXISTS (SELECT 1 FROM main.{table} p WHERE {})", pairs.join(" AND "))
    }
}

impl Parent {
    fn read(connection: &Connection, name: &str) -> Result<Option<Self>> {
        let kind = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let found = connection.prepare_cached(KIND)?.query_row([name], kind).optional()?;
        match found {
            None => Ok(None),
            Some((kind, name)) if kind == "table" => Self::of_table(connection, &name).map(Some),
            // A view has no key.
            Some(_) => Ok(Some(Self::default())),
        }
    }

    fn of_table(connection: &Connection, table: &str) -> Result<Self> {
        let mut statement = connection.prepare_cached(PRIMARY)?;
        let primary: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<Result<_>>()?;
        let mut is_rowid = primary.len() == 1;
        // Nothing once a column of an index is none of the table, or compares in another way than there.
        let mut indexes: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        let mut statement = connection.prepare_cached(UNIQUE)?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            let (index, origin, column): (String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let collation: String = row.get(3)?;
            is_rowid &= origin != "pk";
            let columns = indexes.entry(index).or_insert_with(|| Some(Vec::new()));
            let fits = match &column {
                Some(column) => {
                    let (_, own, ..) = connection.column_metadata(Some("main"), table, column)?;
                    own.is_some_and(|own| own.to_bytes().eq_ignore_ascii_case(collation.as_bytes()))
                }
                None => false,
            };
            match column.filter(|_| fits) {
                Some(column) => columns.iter_mut().for_each(|columns| columns.push(column.clone())),
                None => *columns = None,
            }
        }
        Ok(Self { primary, is_rowid, unique: indexes.into_values().flatten().collect() })
    }

    /// Tells whether what a foreign key refers to is a key here.
    fn has(&self, key: &ForeignKey) -> bool {
        let Some(to) = &key.to else { return self.primary.len() == key.columns.len() };
        let names = |columns: &[String]| {
            let is_named = |column: &String| to.iter().any(|to| to.eq_ignore_ascii_case(column));
            columns.len() == to.len() && columns.iter().all(is_named)
        };
        self.is_rowid && names(&self.primary) || self.unique.iter().any(|columns| names(columns))
    }
}

fn foreign_keys(connection: &Connection) -> Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare_cached(FOREIGN_KEYS)?;
    let mut rows = statement.query([])?;
    let (mut keys, mut last): (Vec<ForeignKey>, Option<i64>) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let (table, id, parent): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (column, to): (String, Option<String>) = (row.get(3)?, row.get(4)?);
        match keys.last_mut().filter(|key| key.table == table && last == Some(id)) {
            Some(key) => {
                key.columns.push(column);
                key.to.iter_mut().for_each(|columns| columns.extend(to.clone()));
            }
            None => keys.push(ForeignKey { table, columns: vec![column], parent, to: to.map(|to| vec![to]) }),
        }
        last = Some(id);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a foreign key is what SQLite does: it refuses to delete from a table to which one refers that refers to
    /// no key.
    #[test]
    fn knows_what_sqlite_takes_for_a_key() {
        let parents = [
            "CREATE TABLE p (a INTEGER PRIMARY KEY, b, c)",
            "CREATE TABLE p (a INT PRIMARY KEY, b, c)",
            "CREATE TABLE p (a INTEGER PRIMARY KEY DESC, b, c)",
            "CREATE TABLE p (a INT PRIMARY KEY, b UNIQUE, c) WITHOUT ROWID",
            "CREATE TABLE p (a, b, c, PRIMARY KEY (b, a))",
            "CREATE TABLE p (a, b, c, PRIMARY KEY (b, a)) WITHOUT ROWID",
            "CREATE TABLE p (a, b UNIQUE, c, UNIQUE (c, a))",
            "CREATE TABLE p (a, b, c); CREATE UNIQUE INDEX i ON p (b) WHERE c > 0; CREATE UNIQUE INDEX j ON p (A, b)",
            "CREATE TABLE p (a, b COLLATE NOCASE UNIQUE, c); CREATE UNIQUE INDEX j ON p (a COLLATE NOCASE)",
            "CREATE TABLE p (a, b COLLATE NOCASE, c); CREATE UNIQUE INDEX j ON p (b COLLATE BINARY)",
            "CREATE TABLE p (a, b, c); CREATE UNIQUE INDEX j ON p (lower(a)); CREATE UNIQUE INDEX l ON p (a, lower(b))",
            "CREATE TABLE p (a, b, c); CREATE INDEX j ON p (a)",
            "CREATE VIEW p AS SELECT 1 AS a, 2 AS b, 3 AS c; CREATE TRIGGER g INSTEAD OF DELETE ON p BEGIN SELECT 1; END",
        ];
        let references = [
            "FOREIGN KEY (x) REFERENCES p",
            "FOREIGN KEY (x) REFERENCES p (a)",
            "FOREIGN KEY (x) REFERENCES P (B)",
            "FOREIGN KEY (x) REFERENCES p (rowid)",
            "FOREIGN KEY (x, y) REFERENCES p",
            "FOREIGN KEY (x, y) REFERENCES p (a, b)",
            "FOREIGN KEY (x, y) REFERENCES p (c, a)",
            "FOREIGN KEY (x, y, z) REFERENCES p (a, b, c)",
            "FOREIGN KEY (x) REFERENCES gone (a)",
        ];
        for parent in parents {
            for reference in references {
                let connection = Connection::open_in_memory().unwrap();
                connection.execute_batch(&format!("{parent}; CREATE TABLE k (x, y, z, {reference});")).unwrap();
                let refused = connection.prepare("PRAGMA foreign_key_check(k)").map(drop);
                let is_keyless = match refused {
                    Ok(()) => false,
                    Err(error) => error.to_string().contains("foreign key mismatch"),
                };
                let keyless = ForeignKeys::read(&connection).unwrap().keyless();
                assert_eq!(keyless.len(), usize::from(is_keyless), "{parent}; {reference}: {keyless:?}");
            }
        }
    }

    #[test]
    fn asks_by_each_key_for_itself() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "PRAGMA foreign_keys = OFF;
            CREATE TABLE p (a, b); CREATE TABLE q (id INTEGER PRIMARY KEY, name COLLATE NOCASE UNIQUE);
            CREATE TABLE \"k's\" (x REFERENCES p (b), y REFERENCES q, z REFERENCES q (name), w REFERENCES gone);
            INSERT INTO q VALUES (1, 'One');
            INSERT INTO \"k's\" VALUES (9, 1, 'one', NULL), (9, 2, 'two', 1), (9, NULL, 'three', 2);";
        connection.execute_batch(sql).unwrap();
        let keys = ForeignKeys::read(&connection).unwrap();
        let keyless: Vec<String> = keys.keyless().iter().map(ToString::to_string).collect();
        assert_eq!(keyless, ["k's(x) refers to p(b)"]);
        let counted = keys.sound_of("k's").into_iter().map(|(key, sql)| {
            let count: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            (key.columns[0].as_str(), count)
        });
        let mut counted: Vec<(&str, i64)> = counted.collect();
        counted.sort_unstable();
        assert_eq!(counted, [("w", 2), ("y", 1), ("z", 2)]);
    }
}
