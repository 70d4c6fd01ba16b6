//! Sixteen processes at once: exactly one does each step, and all end well.

use super::{Journal, assert_complete, assert_each_step_once, at_once, guest};
use crate::harness::Project;

/// Processes that start at once.
const PROCESSES: usize = 16;
/// Steps of [`chain`], and how many of them are half of it.
pub(super) const STEPS: usize = 12;
const HALF: usize = 6;

/// Makes a project whose steps each leave one row in a table: SQL, a rebuild, a component, two steps in a row outside
/// a transaction.
pub(super) fn chain() -> Project {
    let project = Project::with(&[
        ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
        (
            "0002_person.sql",
            "CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT, last_name TEXT,
                                  code TEXT UNIQUE, big INTEGER, city_id INTEGER REFERENCES city (id));
             INSERT INTO log VALUES (2);",
        ),
        (
            "0003_rows.sql",
            "INSERT INTO city (name) VALUES ('Bath'), ('York');
             INSERT INTO person (full_name, city_id) VALUES ('Ada Lovelace', 1), ('Grace Hopper', 2);
             INSERT INTO log VALUES (3);",
        ),
        (
            "0004_rebuild.sql",
            "-- whimbrel: rebuild
             CREATE TABLE city_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
             INSERT INTO city_new SELECT * FROM city;
             DROP TABLE city;
             ALTER TABLE city_new RENAME TO city;
             INSERT INTO log VALUES (4);",
        ),
        (
            "0005_trigger.sql",
            "CREATE TRIGGER touched AFTER UPDATE OF code ON person WHEN new.id = 1 BEGIN
                 INSERT INTO log VALUES (6);
             END;
             INSERT INTO log VALUES (5);",
        ),
        ("0006_guest.toml", "[params]\ndo = \"split\"\n"),
        ("0007_more.sql", "ALTER TABLE person ADD COLUMN born INTEGER; INSERT INTO log VALUES (7);"),
        (
            "0008_outside.sql",
            "-- whimbrel: transaction = none
             CREATE INDEX person_name ON person (last_name);
             INSERT INTO log VALUES (8);",
        ),
        (
            "0009_outside_again.sql",
            "-- whimbrel: transaction = none
             INSERT INTO log VALUES (9);
             VACUUM;",
        ),
        ("0010_view.sql", "CREATE VIEW name AS SELECT last_name FROM person; INSERT INTO log VALUES (10);"),
        ("0011_count.sql", "INSERT INTO log SELECT 11 FROM person WHERE last_name = 'Hopper';"),
        ("0012_last.sql", "UPDATE person SET born = 1815 WHERE id = 1; INSERT INTO log VALUES (12);"),
    ]);
    project.write("migrations/0006_guest.wasm", guest());
    project
}

/// Lets sixteen processes race, as often as CI wants it or as a working day allows.
fn race(project: &Project, journal: Journal, applied: usize, steps: usize) {
    let rounds = if std::env::var_os("CI").is_some() { 50 } else { 10 };
    journal.create(&project.path("app.db"));
    if applied > 0 {
        project.ok(&["up", "--steps", &applied.to_string()]);
    }
    let start = std::fs::read(project.path("app.db")).ok();
    for _ in 0..rounds {
        match &start {
            Some(bytes) => project.write("app.db", bytes),
            None => drop(std::fs::remove_file(project.path("app.db"))),
        }
        let outputs = at_once(project, PROCESSES, &["up", "--json"]);
        assert_each_step_once(&outputs, applied + 1, steps);
        assert_complete(project, steps);
        assert!(project.list(".").iter().all(|name| !name.ends_with("-whimbrel-lock")));
    }
}

#[test]
fn sixteen_at_once_on_a_fresh_file() {
    race(&chain(), Journal::Rollback, 0, STEPS);
}

#[test]
fn sixteen_at_once_on_a_fresh_write_ahead_log() {
    race(&chain(), Journal::Wal, 0, STEPS);
}

#[test]
fn sixteen_at_once_on_a_file_with_half_the_chain() {
    race(&chain(), Journal::Rollback, HALF, STEPS);
}

#[test]
fn sixteen_at_once_on_a_write_ahead_log_with_half_the_chain() {
    race(&chain(), Journal::Wal, HALF, STEPS);
}

#[test]
fn sixteen_at_once_while_a_step_changes_the_journal() {
    let project = Project::with(&[
        ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
        (
            "0002_journal.sql",
            "-- whimbrel: transaction = none
             PRAGMA journal_mode = WAL;
             INSERT INTO log VALUES (2);",
        ),
        ("0003_more.sql", "INSERT INTO log VALUES (3);"),
        ("0004_outside.sql", "-- whimbrel: transaction = none\nINSERT INTO log VALUES (4);"),
        ("0005_outside.sql", "-- whimbrel: transaction = none\nINSERT INTO log VALUES (5);"),
    ]);
    race(&project, Journal::Rollback, 0, 5);
}
