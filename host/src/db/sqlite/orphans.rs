//! Rows without parents: finds them in a table, and what they refer to. Only reads.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};

use crate::db::{Orphans, quote_identifier};

/// Tables with foreign keys, and whether one of them is on a column that is computed whenever it is read.
const WITH_FOREIGN_KEYS: &str = "SELECT s.name, max(coalesce(x.hidden, 0) = 2) FROM main.sqlite_schema s \
                                 JOIN pragma_foreign_key_list(s.name, 'main') k \
                                 LEFT JOIN pragma_table_xinfo(s.name, 'main') x ON x.name = k.\"from\" COLLATE NOCASE \
                                 WHERE s.type = 'table' GROUP BY 1 ORDER BY 1";
const ORPHANS: &str = "SELECT \"table\", parent, rowid, fkid FROM pragma_foreign_key_check(?, 'main')";
const COLUMNS: &str = "SELECT \"from\" FROM pragma_foreign_key_list(?, 'main') WHERE id = ? ORDER BY seq";
const HIDING: &str = "SELECT lower(name) FROM pragma_table_xinfo(?, 'main')";
/// Most rows of a table whose keys are remembered, and the longest key: more is told by its number.
const MOST: u64 = 10_000;
const LONGEST: usize = 256;

/// Returns the tables with foreign keys, and of each whether one of them is on a column that is computed whenever it is read.
pub(super) fn with_foreign_keys(connection: &Connection) -> rusqlite::Result<Vec<(String, bool)>> {
    let mut statement = connection.prepare(WITH_FOREIGN_KEYS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Returns the rows of a table without parents, by the table that they refer to.
pub(super) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Orphans>> {
    let mut found: BTreeMap<String, Orphans> = BTreeMap::new();
    let mut keys = Keys { connection, table, lookups: BTreeMap::new() };
    let mut statement = connection.prepare_cached(ORPHANS)?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let (parent, rowid, foreign_key): (String, Option<i64>, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let name: String = row.get(0)?;
        let none = || Orphans { table: name, parent: parent.clone(), rows: 0, rowid, keys: Some(BTreeMap::new()) };
        let orphans = found.entry(parent.clone()).or_insert_with(none);
        orphans.rows += 1;
        orphans.rowid = orphans.rowid.min(rowid);
        let key = match (&orphans.keys, rowid) {
            (Some(_), Some(rowid)) if orphans.rows <= MOST => keys.of(foreign_key, rowid)?.zip(Some(rowid)),
            _ => None,
        };
        match (&mut orphans.keys, key) {
            (Some(known), Some((key, rowid))) => known.entry(key).or_default().push(rowid),
            (known, _) => *known = None,
        }
    }
    Ok(found.into_values().collect())
}

/// Reads what rows of a table refer to.
struct Keys<'c> {
    connection: &'c Connection,
    table: &'c str,
    /// By the number of the foreign key; none where rows cannot be had by their rowid.
    lookups: BTreeMap<i64, Option<Statement<'c>>>,
}

impl Keys<'_> {
    /// Returns the key of a row; none where it cannot be had, or is long.
    fn of(&mut self, foreign_key: i64, rowid: i64) -> rusqlite::Result<Option<Vec<String>>> {
        if !self.lookups.contains_key(&foreign_key) {
            let lookup = lookup(self.connection, self.table, foreign_key)?;
            self.lookups.insert(foreign_key, lookup);
        }
        let Some(Some(lookup)) = self.lookups.get_mut(&foreign_key) else { return Ok(None) };
        let width = lookup.column_count();
        let mut rows = lookup.query([rowid])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let texts = (0..width).map(|column| row.get_ref(column).map(text)).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(texts.into_iter().collect())
    }
}

fn lookup<'c>(connection: &'c Connection, table: &str, foreign_key: i64) -> rusqlite::Result<Option<Statement<'c>>> {
    let texts = |sql: &str, foreign_key: &[&dyn rusqlite::ToSql]| {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(foreign_key, |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    };
    let hiding = texts(HIDING, &[&table])?;
    let Some(rowid) = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !hiding.iter().any(|column| column == name))
    else {
        return Ok(None);
    };
    let columns: Vec<String> =
        texts(COLUMNS, &[&table, &foreign_key])?.iter().map(|column| quote_identifier(column)).collect();
    let (columns, table) = (columns.join(", "), quote_identifier(table));
    connection.prepare(&format!("SELECT {columns} FROM main.{table} WHERE {rowid} = ?")).map(Some)
}

/// Returns a value as it would be in a column of another type, where a rebuild may have put it.
fn text(value: ValueRef<'_>) -> Option<String> {
    let is_whole = |number: f64| number.fract() == 0.0 && number.abs() < 9e15;
    match value {
        ValueRef::Null => Some(String::new()),
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) if is_whole(number) => Some(format!("{number:.0}")),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > LONGEST => None,
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(sql: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        connection
    }

    type KeysOf<'k> = &'k [(&'k [&'k str], &'k [i64])];

    fn orphans(table: &str, rows: u64, rowid: i64, keys: KeysOf<'_>) -> Orphans {
        let owned = |key: &[&str]| key.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let keys = keys.iter().map(|(key, rowids)| (owned(key), rowids.to_vec())).collect();
        Orphans { table: table.into(), parent: "p".into(), rows, rowid: Some(rowid), keys: Some(keys) }
    }

    #[test]
    fn finds_rows_without_parents_and_what_they_refer_to() {
        let connection = database(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
             CREATE TABLE \"o'dd\" (p REFERENCES p, q REFERENCES p);
             INSERT INTO \"o'dd\" VALUES (1, 2), (2, NULL), (1, 1);
             CREATE TABLE computed (x, p AS (x + 1) REFERENCES p(id)); INSERT INTO computed VALUES (0), (1);
             CREATE TABLE stored (x, p AS (x + 1) STORED REFERENCES p(id)); INSERT INTO stored VALUES (0);
             CREATE TABLE none (x);",
        );
        assert_eq!(
            with_foreign_keys(&connection).unwrap(),
            [("computed", true), ("o'dd", false), ("stored", false)].map(|(table, is)| (table.to_owned(), is))
        );
        assert_eq!(of(&connection, "computed").unwrap(), [orphans("computed", 1, 2, &[(&["2"], &[2])])]);
        assert_eq!(of(&connection, "o'dd").unwrap(), [orphans("o'dd", 2, 1, &[(&["2"], &[1, 2])])]);
        assert_eq!(of(&connection, "stored").unwrap(), []);
    }

    #[test]
    fn a_key_is_the_same_in_a_column_of_another_type() {
        let keys: KeysOf<'_> = &[(&["0a"], &[4]), (&["2.5"], &[5]), (&["7"], &[1]), (&["8"], &[2]), (&["9"], &[3])];
        for (kind, eight) in [("INTEGER", "8"), ("REAL", "8"), ("BLOB", "8.0"), ("TEXT", "8")] {
            let connection = database(&format!(
                "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (p {kind} REFERENCES p); 
                 INSERT INTO c VALUES (7), ({eight}), ('9'), (x'0a'), (2.5);"
            ));
            assert_eq!(of(&connection, "c").unwrap(), [orphans("c", 5, 1, keys)], "{kind}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_counted() {
        let long = format!("INSERT INTO c (p) VALUES ('{}');", "x".repeat(LONGEST + 1));
        let many = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 10001) INSERT INTO c (p) SELECT x FROM r;";
        for (table, insert, rows) in [
            ("c (p REFERENCES p)", long.as_str(), 1),
            ("c (p REFERENCES p)", many, 10_001),
            ("c (p PRIMARY KEY REFERENCES p) WITHOUT ROWID", "INSERT INTO c VALUES (7);", 1),
            ("c (p REFERENCES p, rowid, oid, _rowid_)", "INSERT INTO c (p) VALUES (7);", 1),
        ] {
            let connection = database(&format!("CREATE TABLE p (id PRIMARY KEY); CREATE TABLE {table}; {insert}"));
            let found = of(&connection, "c").unwrap();
            assert_eq!((found.len(), found[0].rows, &found[0].keys), (1, rows, &None), "{table} {rows}");
        }
    }
}
