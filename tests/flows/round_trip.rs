//! Migrations that are run up, down and up again on copies of one database.

use rusqlite::Connection;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Trip, TripOutcome};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::{Code, Directory, Source};
use whimbrel::wasm::ComponentCache;
use whimbrel::{Migrator, MigratorBuilder};

use crate::flows::guests::workspace;
use crate::harness::Project;

/// Tries migrations on a database that has the table `t (id, x)` with three rows; asserts that it stays as it was.
fn trips(files: &[(&str, &str)], more: impl FnOnce(MigratorBuilder) -> MigratorBuilder) -> Vec<String> {
    let migrations = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(migrations.path().join(name), text).unwrap();
    }
    trips_of(Directory::new(migrations.path()), more)
}

fn trips_of(source: impl Source + 'static, more: impl FnOnce(MigratorBuilder) -> MigratorBuilder) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t (x) VALUES ('a'), ('b'), ('c');";
    Connection::open(&path).unwrap().execute_batch(schema).unwrap();
    let before = std::fs::read(&path).unwrap();
    let builder = Migrator::builder().source(source).database(Sqlite::file(&path));
    let found = more(builder).build().unwrap().round_trip(&Goal::LATEST).unwrap();
    assert!(std::fs::read(&path).unwrap() == before, "the database changed");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    found.iter().map(words).collect()
}

fn words(trip: &Trip) -> String {
    let version = trip.step.migration.version;
    match &trip.outcome {
        TripOutcome::Passed => format!("{version} passed"),
        TripOutcome::NotReversible => format!("{version} not reversible"),
        TripOutcome::LeftOut { reason } => format!("{version} left out: {reason}"),
        TripOutcome::Differs { leg, differences } => {
            let (one, other) = leg.sides();
            let told: Vec<String> = differences.named.iter().map(|one_of| one_of.told(one, other)).collect();
            format!("{version} {}: {}", leg.as_str(), told.join("; "))
        }
        TripOutcome::Failed { leg, .. } => format!("{version} fails {}", leg.as_str()),
        TripOutcome::NotTried => format!("{version} not tried"),
    }
}

fn of(files: &[(&str, &str)]) -> Vec<String> {
    trips(files, |builder| builder)
}

#[test]
fn what_comes_back_passes_and_the_next_begins_on_what_it_made() {
    let found = of(&[
        ("1_column.up.sql", "ALTER TABLE t ADD COLUMN y TEXT DEFAULT 'none';"),
        ("1_column.down.sql", "ALTER TABLE t DROP COLUMN y;"),
        ("2_values.sql", "UPDATE t SET y = 'some' WHERE id = 2;"),
        ("3_index.up.sql", "CREATE TABLE i AS SELECT y FROM t WHERE y = 'some'; CREATE INDEX t_y ON t (y);"),
        ("3_index.down.sql", "DROP INDEX t_y; DELETE FROM i WHERE (SELECT count(*) FROM i) <> 1; DROP TABLE i;"),
    ]);
    assert_eq!(found, ["1 passed", "2 not reversible", "3 passed"]);
}

#[test]
fn what_does_not_come_back_is_named_and_the_next_is_tried() {
    let found = of(&[
        ("1_gone.up.sql", "ALTER TABLE t DROP COLUMN x;"),
        ("1_gone.down.sql", "ALTER TABLE t ADD COLUMN x;"),
        ("2_rows.up.sql", "DELETE FROM t WHERE id = 2;"),
        ("2_rows.down.sql", "SELECT 1;"),
        ("3_view.up.sql", "CREATE VIEW v AS SELECT id FROM t;"),
        ("3_view.down.sql", "SELECT 1;"),
        ("4_fine.up.sql", "CREATE TABLE u (x);"),
        ("4_fine.down.sql", "DROP TABLE u;"),
    ]);
    assert_eq!(
        found,
        [
            "1 down: table t, row with id 1, column x: text 'a' before, NULL after up and down; \
             table t, row with id 2, column x: text 'b' before, NULL after up and down; \
             table t, row with id 3, column x: text 'c' before, NULL after up and down",
            "2 down: table t: the row with id 2 is there before and not after up and down",
            "3 down: view v is there after up and down and not before",
            "4 passed",
        ]
    );
}

#[test]
fn what_the_second_up_does_is_compared_with_the_first() {
    // The numbers of rows are never given again, so the second time others are given.
    let found = of(&[
        ("1_log.sql", "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"),
        ("2_entry.up.sql", "INSERT INTO log (x) VALUES ('entry');"),
        ("2_entry.down.sql", "DELETE FROM log;"),
    ]);
    assert_eq!(
        found[1],
        "2 up-again: table log: the row with id 1 is there after the first up and not after the second; \
         table log: the row with id 2 is there after the second and not after the first up"
    );
}

#[test]
fn time_and_chance_stand_still() {
    let up = "CREATE TABLE c (id BLOB DEFAULT (randomblob(16)), at DEFAULT CURRENT_TIMESTAMP, n);
              INSERT INTO c (n) SELECT random() FROM t; UPDATE t SET x = julianday('now') WHERE id = 1;";
    let down = "DROP TABLE c; UPDATE t SET x = 'a' WHERE id = 1;";
    assert_eq!(of(&[("1_chance.up.sql", up), ("1_chance.down.sql", down)]), ["1 passed"]);
    let asked = format!("-- whimbrel: require = SELECT 1\n{up}");
    assert_eq!(of(&[("1_chance.up.sql", &asked), ("1_chance.down.sql", down)]), ["1 passed"]);
}

#[test]
fn a_failure_is_told_with_its_leg() {
    let found = of(&[
        ("1_down.up.sql", "CREATE TABLE d (x);"),
        ("1_down.down.sql", "DROP TABLE e;"),
        ("2_again.up.sql", "CREATE TABLE IF NOT EXISTS e (x PRIMARY KEY); INSERT INTO e VALUES (1);"),
        ("2_again.down.sql", "SELECT 1;"),
        ("3_up.up.sql", "INSERT INTO nowhere VALUES (1);"),
        ("3_up.down.sql", "SELECT 1;"),
        ("4_later.sql", "SELECT 1;"),
    ]);
    assert_eq!(found[0], "1 fails down");
    assert!(found[1].starts_with("2 down: table e is there after up and down and not before"), "{found:?}");
    assert_eq!(found[2..], ["3 fails up", "4 not tried"]);
}

#[test]
fn of_what_is_in_progress_only_the_rest_is_run() {
    let project = Project::notes();
    let script =
        |last: &str| format!("-- whimbrel: transaction = none\nINSERT INTO note (text) VALUES ('3');\n{last}\n");
    project.write("migrations/0003_outside.up.sql", script("INSERT INTO nowhere VALUES (4);"));
    project.write("migrations/0003_outside.down.sql", "DELETE FROM note WHERE text IN ('3', '4');\n");
    project.write("migrations/0004_later.up.sql", "UPDATE note SET text = 'four' WHERE text = '4';\n");
    project.write("migrations/0004_later.down.sql", "UPDATE note SET text = '4' WHERE text = 'four';\n");
    assert_eq!(project.run(&["up"]).code, 1);
    project.write("migrations/0003_outside.up.sql", script("INSERT INTO note (text) VALUES ('4');"));
    project.unchanged(|| {
        let tested = project.ok(&["test", "--round-trip", "--json"]).json("test");
        let trips = tested["round_trip"]["migrations"].as_array().unwrap();
        let results: Vec<_> = trips.iter().map(|trip| trip["result"].as_str().unwrap()).collect();
        assert_eq!(results, ["left-out", "passed"], "{tested}");
        assert!(trips[0]["message"].as_str().unwrap().starts_with("it is in progress"), "{tested}");
    });
    project.ok(&["up"]);
    // As soon as it is done, it is one like others.
    project.ok(&["down", "--steps", "2"]);
    assert!(project.ok(&["test", "--round-trip"]).stdout.contains("2 passed"));
}

#[test]
fn what_a_precondition_leaves_out_is_no_failure() {
    let found = of(&[
        ("1_skipped.up.sql", "-- whimbrel: skip_unless = SELECT 0\nCREATE TABLE s (x);"),
        ("1_skipped.down.sql", "DROP TABLE s;"),
        ("2_needs.sql", "-- whimbrel: depends_on = 1\nINSERT INTO s VALUES (1);"),
        ("3_marked.sql", "-- whimbrel: mark_applied_unless = SELECT 0\nCREATE TABLE t (x);"),
        ("4_after.up.sql", "CREATE TABLE a (x);"),
        ("4_after.down.sql", "DROP TABLE a;"),
    ]);
    assert_eq!(
        found,
        [
            "1 left out: this does not hold: SELECT 0",
            "2 left out: it depends on 1 skipped, which was skipped",
            "3 left out: this does not hold: SELECT 0",
            "4 passed",
        ]
    );
}

#[test]
fn code_goes_back_and_forth_too() {
    let code = Code::new()
        .up_down(
            1,
            "good",
            |tx| Ok(tx.execute("UPDATE t SET x = upper(x)", &[]).map(drop)?),
            |tx| Ok(tx.execute("UPDATE t SET x = lower(x)", &[]).map(drop)?),
        )
        .up_down(
            2,
            "bad",
            |tx| Ok(tx.execute("UPDATE t SET x = x || '!' WHERE id = 3", &[]).map(drop)?),
            |_| Err("not on a Thursday".into()),
        )
        .up(3, "one_way", |tx| Ok(tx.execute("DELETE FROM t", &[]).map(drop)?));
    let found = trips_of(code, |builder| builder);
    assert_eq!(found, ["1 passed", "2 fails down", "3 not reversible"]);
}

#[test]
fn a_step_outside_a_transaction_and_a_rebuild_go_back_and_forth() {
    let found = of(&[
        ("1_out.up.sql", "-- whimbrel: transaction = none\nCREATE TABLE o (x);\nINSERT INTO o VALUES (1);\n"),
        ("1_out.down.sql", "-- whimbrel: transaction = none\nDROP TABLE o;\n"),
        (
            "2_strict.up.sql",
            "-- whimbrel: rebuild\nCREATE TABLE n (id INTEGER PRIMARY KEY, x TEXT NOT NULL) STRICT;\n\
             INSERT INTO n SELECT * FROM t;\nDROP TABLE t;\nALTER TABLE n RENAME TO t;\n",
        ),
        (
            "2_strict.down.sql",
            "-- whimbrel: rebuild\nCREATE TABLE n (id INTEGER PRIMARY KEY, x);\n\
             INSERT INTO n SELECT * FROM t;\nDROP TABLE t;\nALTER TABLE n RENAME TO t;\n",
        ),
    ]);
    assert_eq!(found, ["1 passed", "2 passed"]);
}

#[test]
fn an_interrupt_ends_it() {
    let interrupt = whimbrel::Interrupt::new();
    interrupt.raise();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1_t.sql"), "CREATE TABLE t (x);").unwrap();
    let migrator = Migrator::builder()
        .source(Directory::new(folder.path()))
        .database(Sqlite::file(folder.path().join("app.db")))
        .interrupt(interrupt)
        .build()
        .unwrap();
    assert!(migrator.round_trip(&Goal::LATEST).unwrap_err().is_interruption());
}

#[test]
fn the_sample_chain_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let migrator = Migrator::builder()
        .source(Directory::new(workspace().join("migrations")))
        .database(Sqlite::file(folder.path().join("app.db")))
        .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
        .build()
        .unwrap();
    let trips = migrator.round_trip(&Goal::Up(Until::End)).unwrap();
    let failed: Vec<String> = trips.iter().filter(|trip| trip.is_failed()).map(words).collect();
    assert_eq!(failed, [""; 0]);
    assert!(trips.iter().filter(|trip| matches!(trip.outcome, TripOutcome::Passed)).count() == 9, "{trips:#?}");
}
