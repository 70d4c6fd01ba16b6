//! The chains that are killed, and what databases look like after each of their steps.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use whimbrel::Migrator;
use whimbrel::db::Backend;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::Observer;
use whimbrel::plan::{Direction, Until};
use whimbrel::source::Directory;
use whimbrel::wasm::ComponentCache;

use super::super::guests::workspace;
use super::super::processes::Journal;

/// Every kind of step that is undone as a whole. The small cache makes SQLite write pages to the file long before
/// the commit, so that a kill leaves something to be undone.
pub(super) const INSIDE: &[(&str, &str)] = &[
    (
        "0001_tables.up.sql",
        "CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT, last_name TEXT,
                              code TEXT UNIQUE, big INTEGER, city_id INTEGER REFERENCES city (id), filler TEXT);
         CREATE INDEX person_big ON person (big);",
    ),
    ("0001_tables.down.sql", "DROP TABLE person; DROP TABLE city;"),
    (
        "0002_rows.up.sql",
        "PRAGMA cache_size = 10;
         INSERT INTO city (name) VALUES ('Bath'), ('York'), ('Ely');
         INSERT INTO person (full_name, big, city_id, filler)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300)
         SELECT 'First' || i || ' Last' || i, i, 1 + i % 3, printf('%500d', i) FROM n;",
    ),
    ("0002_rows.down.sql", "PRAGMA cache_size = 10; DELETE FROM person; DELETE FROM city;"),
    (
        "0003_rebuild.up.sql",
        "-- whimbrel: rebuild
         CREATE TABLE city_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''), country TEXT);
         INSERT INTO city_new (id, name, country) SELECT id, name, 'England' FROM city;
         DROP TABLE city;
         ALTER TABLE city_new RENAME TO city;
         CREATE TRIGGER touched AFTER UPDATE OF code ON person WHEN new.id = 1 BEGIN
             INSERT INTO city (name) VALUES ('touched; once');
         END;",
    ),
    (
        "0003_rebuild.down.sql",
        "-- whimbrel: rebuild
         DROP TRIGGER touched;
         CREATE TABLE city_old (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         INSERT INTO city_old (id, name) SELECT id, name FROM city;
         DROP TABLE city;
         ALTER TABLE city_old RENAME TO city;",
    ),
    ("0004_guest.toml", "[params]\ndo = \"split\"\n"),
    ("0005_savepoints.toml", "[params]\ndo = \"savepoints\"\n"),
    ("0006_talk.toml", "[params]\ndo = \"talk\"\n"),
    (
        "0007_filler.up.sql",
        "PRAGMA cache_size = 10;
         UPDATE person SET filler = upper(full_name) || filler;
         DELETE FROM person WHERE id % 2 = 0;",
    ),
    ("0007_filler.down.sql", "UPDATE person SET filler = '';"),
];

/// Steps outside a transaction between two that are inside.
pub(super) const OUTSIDE: &[(&str, &str)] = &[
    ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
    (
        "0002_outside.sql",
        "-- whimbrel: transaction = none
         INSERT INTO log VALUES (20);
         PRAGMA foreign_keys = OFF;
         CREATE INDEX log_step ON log (step);
         VACUUM;
         BEGIN;
         INSERT INTO log VALUES (21);
         SAVEPOINT inner;
         INSERT INTO log VALUES (22);
         RELEASE inner;
         COMMIT;
         BEGIN;
         INSERT INTO log VALUES (99);
         ROLLBACK;
         INSERT INTO log VALUES (23);",
    ),
    ("0003_more.sql", "INSERT INTO log VALUES (3);"),
    (
        "0004_steps_out.sql",
        "-- whimbrel: transaction = none
         INSERT INTO log VALUES (40);
         COMMIT;
         PRAGMA foreign_keys = OFF;
         BEGIN;
         INSERT INTO log VALUES (41);
         COMMIT;
         VACUUM;
         BEGIN;
         INSERT INTO log VALUES (42);",
    ),
];

/// Small scripts, enough of them for a run to keep the database to itself.
pub(super) const SMALL: &[(&str, &str)] = &[
    ("0001_item.sql", "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"),
    ("0002_fill.sql", "INSERT INTO item (name) VALUES ('a'), ('b'), ('c');"),
    ("0003_index.sql", "CREATE INDEX item_name ON item (name);"),
    ("0004_price.sql", "ALTER TABLE item ADD COLUMN price INTEGER NOT NULL DEFAULT 0;"),
    ("0005_prices.sql", "UPDATE item SET price = id * 10;"),
    (
        "0006_many.sql",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 25000)
         INSERT INTO item (name, price) SELECT 'item ' || i, i FROM n;
         DELETE FROM item WHERE id > 20;",
    ),
    ("0007_fewer.sql", "DELETE FROM item WHERE id > 10;"),
    ("0008_view.sql", "CREATE VIEW cheap AS SELECT name FROM item WHERE price < 100;"),
    ("0009_more.sql", "INSERT INTO item (name) VALUES ('last');"),
];

/// Everything in a database, but for when and how long.
pub(crate) type Dump = Vec<String>;

/// A chain in a folder, with what it does when nothing disturbs it.
pub(crate) struct Story {
    folder: TempDir,
    /// The file of a database with everything applied.
    full: Vec<u8>,
    /// The database after so many steps up.
    pub(super) up: Vec<Dump>,
    /// The database with so many steps left, on its way down; empty for a chain that goes up only.
    pub(super) down: Vec<Dump>,
}

impl Story {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("migrations");
        fs::create_dir(&migrations).unwrap();
        for (name, contents) in files {
            fs::write(migrations.join(name), contents).unwrap();
            if let Some(guest) = name.strip_suffix(".toml") {
                let component = xtask::component(&workspace().join("tests/guests/rust/Cargo.toml")).unwrap();
                fs::write(migrations.join(format!("{guest}.wasm")), component).unwrap();
            }
        }
        let mut story = Self { folder, full: Vec::new(), up: Vec::new(), down: Vec::new() };
        story.tell(files.iter().any(|(name, _)| name.ends_with(".down.sql")));
        story
    }

    /// Goes through the chain step by step.
    fn tell(&mut self, reversible: bool) {
        let database = self.folder.path().join("reference.db");
        let migrator = self.migrator(&database);
        self.up.push(dump(&database));
        while migrator.up(Until::Steps(1)).unwrap().steps.len() == 1 {
            self.up.push(dump(&database));
        }
        self.full = fs::read(&database).unwrap();
        if reversible {
            self.down.push(dump(&database));
            while migrator.down(Until::Steps(1)).unwrap().steps.len() == 1 {
                self.down.insert(0, dump(&database));
            }
        }
    }

    /// Counts the steps.
    pub(crate) fn steps(&self) -> usize {
        self.up.len() - 1
    }

    pub(super) fn migrations(&self) -> PathBuf {
        self.folder.path().join("migrations")
    }

    /// Returns a migrator that nothing disturbs.
    pub(super) fn migrator(&self, database: &Path) -> Migrator {
        migrator(&self.migrations(), Sqlite::file(database), Arc::new(()))
    }

    /// Makes the database a run starts from.
    pub(super) fn start(&self, database: &Path, journal: Journal, direction: Direction) {
        if direction == Direction::Down {
            fs::write(database, &self.full).unwrap();
        }
        journal.create(database);
    }

    /// Returns what the database looks like with so many steps applied.
    pub(super) fn expected(&self, direction: Direction, applied: usize) -> &Dump {
        match direction {
            Direction::Up => &self.up[applied],
            Direction::Down => &self.down[applied],
        }
    }
}

/// Makes a migrator on the chain in a folder.
pub(crate) fn migrator(migrations: &Path, backend: impl Backend + 'static, observer: Arc<dyn Observer>) -> Migrator {
    Migrator::builder()
        .source(Directory::new(migrations))
        .database(backend)
        .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
        .observer(observer)
        .build()
        .unwrap()
}

/// Writes down schema and rows of a database; a file that is not there is empty.
pub(crate) fn dump(database: &Path) -> Dump {
    if !database.exists() {
        return Vec::new();
    }
    let connection = Connection::open(database).unwrap();
    let mut dump = rows(&connection, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
    let tables: Vec<String> = {
        let mut statement =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    for table in tables {
        // What is in force: rows of what was reverted tell the past, which may differ.
        let (columns, condition) = match table.as_str() {
            "_whimbrel_history" => (
                "chain, version, name, kind, state, checksum, normalised_checksum, manifest_checksum, \
                 rows_changed, statements, operations, fuel, host_version, details, down_checksum, engine",
                " WHERE ended_at IS NULL",
            ),
            // Below is the mark that a run keeps the database to itself.
            "_whimbrel_history_schema" => ("version", " WHERE version > 0"),
            _ => ("*", ""),
        };
        dump.push(format!("-- {table}"));
        dump.extend(rows(&connection, &format!("SELECT {columns} FROM \"{table}\"{condition} ORDER BY rowid")));
    }
    dump
}

fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row<'_>| {
        let cells: Result<Vec<Value>, _> = (0..columns).map(|column| row.get(column)).collect();
        cells.map(|cells| format!("{cells:?}"))
    };
    statement.query_map([], text).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Asserts that two databases are the same, and shows only where they differ.
pub(crate) fn assert_same(found: &[String], expected: &[String]) {
    let lines = |of: &[String], not_in: &[String]| -> Vec<String> {
        let only = of.iter().filter(|line| !not_in.contains(line));
        only.take(5).map(|line| line.chars().take(300).collect()).collect()
    };
    let (surplus, lack) = (lines(found, expected), lines(expected, found));
    assert!(found == expected, "the database has\n{surplus:#?}\nand lacks\n{lack:#?}");
}
