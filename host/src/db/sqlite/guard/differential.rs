//! The decision against SQLite itself: whatever a statement that is allowed changes or shows, it was granted.
//!
//! What changes is seen by the update hook. What is shown is recognised: each cell holds the name of its table and
//! column.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;

use crate::db::sqlite::with_connection;
use crate::db::{ErrorCode, OpenOptions, Value, for_each_row};
use crate::grants::{Grants, Need, Restriction, Verb};
use crate::interrupt::Interrupt;

const TABLES: [(&str, &[&str]); 4] =
    [("a", &["id", "x", "y", "z"]), ("b", &["id", "p", "x", "y"]), ("c", &["id", "x", "y", "g"]), ("d", &["k", "x"])];

const SETUP: &str = "
CREATE TABLE a (id INTEGER PRIMARY KEY, x, y, z, CHECK (x <> y OR z IS NULL));
CREATE TABLE b (id INTEGER PRIMARY KEY, p REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE, x, y);
CREATE TABLE c (id INTEGER PRIMARY KEY, x UNIQUE ON CONFLICT REPLACE, y, g AS (x || y));
CREATE TABLE d (k PRIMARY KEY, x) WITHOUT ROWID;
CREATE TABLE host (x);
CREATE INDEX ay ON a (lower(y)) WHERE z IS NOT NULL;
CREATE VIEW va AS SELECT id, x FROM a;
CREATE VIEW vb AS SELECT b.y FROM b JOIN c USING (x);
CREATE VIEW vc AS SELECT * FROM (SELECT g FROM c);
INSERT INTO c VALUES (1, 'c.x.', 'c.y.'), (2, 'c.x.2', 'c.y.2');
INSERT INTO d VALUES ('d.k.', 'd.x.'), ('d.k.2', 'd.x.2');
INSERT INTO a VALUES (1, 'a.x.', 'a.y.', 'a.z.'), (2, 'a.x.2', 'a.y.2', 'a.z.2');
INSERT INTO b (p, x, y) VALUES (1, 'b.x.', 'b.y.'), (2, 'b.x.2', 'b.y.2');
CREATE TRIGGER ai AFTER INSERT ON a BEGIN INSERT INTO b (p, x) VALUES (new.id, new.x); END;
CREATE TRIGGER bu AFTER UPDATE OF y ON b BEGIN DELETE FROM d WHERE x = (SELECT max(y) FROM c); END;
CREATE TRIGGER di AFTER INSERT ON d BEGIN UPDATE c SET y = new.x; INSERT OR REPLACE INTO host VALUES (1); END;
CREATE TRIGGER vai INSTEAD OF INSERT ON va BEGIN INSERT INTO a (x) VALUES (new.x); END;
CREATE TRIGGER ad AFTER DELETE ON a BEGIN SELECT 1; END;
";

const TEMPLATES: &[&str] = &[
    "SELECT {c} FROM {t}",
    "SELECT * FROM {t}",
    "SELECT count(*), max({c}) FROM {t} GROUP BY {c2}",
    "SELECT * FROM va",
    "SELECT * FROM vb",
    "SELECT * FROM vc",
    "SELECT l.{c} FROM {t} AS l JOIN {u} AS r ON l.rowid = r.rowid",
    "SELECT * FROM {t} JOIN {u} USING (x)",
    "SELECT 1 FROM {t} NATURAL JOIN {u}",
    "WITH w AS (SELECT {c} AS v FROM {t}) SELECT v, (SELECT count(*) FROM w) FROM w",
    "SELECT (SELECT {d} FROM {u} LIMIT 1) FROM {t}",
    "SELECT {c} FROM {t} UNION SELECT {d} FROM {u}",
    "SELECT {c} FROM {t} WHERE {c2} IN (SELECT {d} FROM {u})",
    "INSERT INTO {t} ({c}) VALUES (77)",
    "INSERT INTO {t} ({c}) SELECT {d} FROM {u}",
    "INSERT OR REPLACE INTO {t} (rowid, {c}) VALUES (1, 77)",
    "REPLACE INTO {t} ({c}) VALUES (1)",
    "INSERT INTO {t} ({c}) VALUES (77) RETURNING *",
    "INSERT INTO va (x) VALUES (77)",
    "INSERT INTO c (x, y) VALUES ('c.x.', 1) ON CONFLICT (id) DO UPDATE SET y = x",
    "UPDATE {t} SET {c} = 78",
    "UPDATE {t} SET {c} = {c2}",
    "UPDATE {t} SET {c} = 78 WHERE {c2} = 1 RETURNING {c3}",
    "UPDATE {t} SET {c} = r.{d} FROM {u} AS r",
    "UPDATE OR REPLACE {t} SET {c} = 1",
    "DELETE FROM {t}",
    "DELETE FROM {t} WHERE {c} IS NOT NULL RETURNING {c2}",
    "DELETE FROM {t} WHERE {c} IN (SELECT {d} FROM {u})",
    "DROP TABLE {t}",
    "CREATE TABLE fresh AS SELECT {c} FROM {t}",
    "EXPLAIN QUERY PLAN DELETE FROM {t}",
    "CREATE VIEW fresh AS SELECT {c} FROM {t}",
    "CREATE TRIGGER fresh AFTER INSERT ON {t} BEGIN DELETE FROM {u}; END",
];

fn statement() -> impl Strategy<Value = String> {
    let table = || prop::sample::select(&TABLES[..]);
    let column = 0..4_usize;
    (prop::sample::select(TEMPLATES), table(), table(), (column.clone(), column.clone(), column.clone(), column))
        .prop_map(|(template, (t, ct), (u, cu), (c, c2, c3, d))| {
            let of = |columns: &[&str], index: usize| columns[index % columns.len()].to_owned();
            template
                .replace("{t}", t)
                .replace("{u}", u)
                .replace("{c}", &of(ct, c))
                .replace("{c2}", &of(ct, c2))
                .replace("{c3}", &of(ct, c3))
                .replace("{d}", &of(cu, d))
        })
}

/// Some of the grants there could be, most of them so that statements are often allowed.
fn grants() -> impl Strategy<Value = Grants> {
    let all: Vec<(Verb, String)> = Verb::ALL
        .into_iter()
        .flat_map(|verb| {
            let names = ["a", "b", "c", "d", "va", "vb", "vc", "fresh", "host"];
            names.into_iter().flat_map(move |name| {
                let columns = TABLES.iter().find(|(table, _)| *table == name).map_or(&[][..], |(_, columns)| columns);
                match verb {
                    Verb::Read | Verb::Update if !columns.is_empty() => {
                        columns.iter().map(|column| (verb, format!("{name}({column})"))).collect::<Vec<_>>()
                    }
                    _ => vec![(verb, name.to_owned())],
                }
            })
        })
        .collect();
    let size = all.len();
    (0..=size).prop_flat_map(move |most| prop::sample::subsequence(all.clone(), most)).prop_map(|chosen| {
        let mut grants = Grants::default();
        for (verb, object) in chosen {
            grants.of_mut(verb).push(object.try_into().expect("a grant"));
        }
        grants
    })
}

/// Returns what a statement changed and showed; nothing if it was refused.
fn observe(sql: &str, grants: &Grants) -> Option<(Vec<Need>, Vec<Need>)> {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    connection.execute_batch(SETUP).unwrap();
    let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: true };
    with_connection(&mut connection, &options, |mut session| {
        session.begin().unwrap();
        session.start_recording();
        let restriction =
            Restriction { protected: Vec::new(), grants: Some(grants.clone()), read_only: false, namespace: None };
        session.restrict(Some(Arc::new(restriction)));
        let mut shown = Vec::new();
        let result = for_each_row(session.as_mut(), sql, &[], &mut |row| {
            shown.extend(row.iter().filter_map(cell).flatten());
            Ok(())
        });
        session.restrict(None);
        let recording = session.take_recording();
        session.rollback().unwrap();
        match result {
            Err(error) if error.code == ErrorCode::Denied => None,
            _ => Some((changed(&recording.tables), shown)),
        }
    })
    .unwrap()
}

fn changed(tables: &[crate::db::TableChanges]) -> Vec<Need> {
    // Rows of a table that is new are the statement's own.
    let old = tables.iter().filter(|table| table.table != "fresh" && !table.table.starts_with("sqlite_"));
    old.flat_map(|table| {
        let counts = [(Verb::Insert, table.inserted), (Verb::Update, table.updated), (Verb::Delete, table.deleted)];
        let done = counts.into_iter().filter(|(_, rows)| *rows > 0);
        done.map(|(verb, _)| Need::On { verb, object: table.table.clone(), column: String::new() }).collect::<Vec<_>>()
    })
    .collect()
}

/// Recognises the columns that a cell came from.
fn cell(value: &Value) -> Option<Vec<Need>> {
    let Value::Text(text) = value else { return None };
    let cells = TABLES.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (*table, *column)));
    let found = cells.filter(|(table, column)| text.contains(&format!("{table}.{column}.")));
    Some(
        found
            .map(|(table, column)| Need::On { verb: Verb::Read, object: table.into(), column: column.into() })
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_allowed_statement_touches_nothing_that_is_not_granted(sql in statement(), grants in grants()) {
        if let Some((changed, shown)) = observe(&sql, &grants) {
            for need in changed.iter().chain(&shown) {
                // DROP TABLE deletes the rows of the table it drops.
                let dropped = matches!(need, Need::On { verb: Verb::Delete, object, .. } if sql == format!("DROP TABLE {object}"));
                prop_assert!(dropped || need.is_met_by(&grants), "{} touched {:?} with\n{}", sql, need, grants.to_toml());
            }
        }
    }

    /// The same grants without one of those that a statement was seen to need do not allow it.
    #[test]
    fn what_was_observed_is_needed(sql in statement()) {
        let all = Grants::default();
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SETUP).unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: true };
        let observed = with_connection(&mut connection, &options, |mut session| {
            session.begin().unwrap();
            session.start_recording();
            session.restrict(Some(Arc::new(Restriction::default())));
            let result = session.execute(&sql, &[]);
            session.restrict(None);
            let observed = session.take_recording().observed;
            session.rollback().unwrap();
            result.ok().and(observed)
        }).unwrap();
        let Some(observed) = observed else { return Ok(()) };
        let least = observed.least();
        prop_assert!(observe(&sql, &least).is_some(), "{} is refused with what it was seen to use:\n{}", sql, least.to_toml());
        if !least.is_empty() {
            prop_assert!(observe(&sql, &all).is_none(), "{} is allowed without any grant", sql);
        }
    }
}
