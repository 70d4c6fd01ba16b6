//! Code that is run twice on copies of one database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::db::Transaction;
use whimbrel::db::sqlite::{Difference, Sqlite};
use whimbrel::exec::{Disagreement, Trial};
use whimbrel::model::RustError;
use whimbrel::plan::Goal;
use whimbrel::source::{Code, Combined, Directory};
use whimbrel::wasm::ComponentCache;
use whimbrel::{Error, Migrator};

use crate::flows::guests::workspace;
use crate::harness::Project;

/// Runs a migration twice on a database that has the table `t (id, x)` with three rows, in a file of this mode.
fn twice(mode: &str, code: fn(&mut Transaction<'_>) -> Result<(), RustError>) -> Result<Vec<Trial>, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let connection = Connection::open(&path).unwrap();
    let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t (x) VALUES ('a'), ('b'), ('c');";
    connection.execute_batch(&format!("PRAGMA journal_mode = {mode}; {schema}")).unwrap();
    connection.close().unwrap();
    let before = content(&folder);
    // SQL that is different each time, which is not the code's fault.
    let migrations = tempfile::tempdir().unwrap();
    std::fs::write(migrations.path().join("1_random.sql"), "CREATE TABLE r AS SELECT random() AS x;").unwrap();
    let source = Combined::new().with(Directory::new(migrations.path())).with(Code::new().up(2, "written", code));
    let migrator = Migrator::builder().source(source).database(Sqlite::file(&path)).build().unwrap();
    let trials = migrator.run_twice(&Goal::LATEST);
    assert_eq!(content(&folder), before, "the database changed");
    trials
}

fn content(folder: &TempDir) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = files
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with("-shm"))
        .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
        .filter(|(name, bytes)| !(name.to_string_lossy().ends_with("-wal") && bytes.is_empty()))
        .collect();
    files.sort();
    files
}

fn disagreement(code: fn(&mut Transaction<'_>) -> Result<(), RustError>) -> Option<Disagreement> {
    let mut found = ["DELETE", "WAL"].map(|mode| twice(mode, code).unwrap().pop().unwrap().disagreement);
    found[1].take()
}

#[test]
fn the_same_work_agrees() {
    let found = disagreement(|tx| {
        tx.execute("UPDATE t SET x = x || id", &[])?;
        tx.execute("CREATE TABLE u AS SELECT * FROM t", &[])?;
        Ok(())
    });
    assert_eq!(found, None);
}

#[test]
fn what_a_precondition_leaves_out_holds_nothing_up() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("1_skipped.sql", "-- whimbrel: skip_unless = SELECT 0\nCREATE TABLE s (x);"),
        ("2_t.sql", "CREATE TABLE t (x);"),
    ] {
        std::fs::write(folder.path().join(name), sql).unwrap();
    }
    let code = Code::new().up(3, "written", |tx| {
        tx.execute("INSERT INTO t VALUES (1)", &[])?;
        RAN.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let source = Combined::new().with(Directory::new(folder.path())).with(code);
    let database = Sqlite::file(folder.path().join("app.db"));
    let migrator = Migrator::builder().source(source).database(database).build().unwrap();
    let found = migrator.run_twice(&Goal::LATEST).unwrap();
    assert!(matches!(found.as_slice(), [Trial { disagreement: None, .. }]), "{found:?}");
    assert_eq!(RAN.load(Ordering::SeqCst), 2);
}

#[test]
fn the_clock_shows() {
    let found = disagreement(|tx| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
        tx.execute("UPDATE t SET x = ? WHERE id = 2", &[format!("{now}").into()])?;
        Ok(())
    });
    match found {
        Some(Disagreement::Database(Difference::Value { table, key, column, first, second })) => {
            assert_eq!((table.as_str(), key.as_str(), column.as_str()), ("t", "rowid 2", "x"));
            assert_ne!(first, second);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_order_of_a_hash_map_shows() {
    let found = disagreement(|tx| {
        let words: HashMap<i64, i64> = (0..100).map(|number| (number, number)).collect();
        for word in words.keys() {
            tx.execute("INSERT INTO t (x) VALUES (?)", &[(*word).into()])?;
        }
        Ok(())
    });
    assert!(matches!(found, Some(Disagreement::Database(Difference::Value { .. }))), "{found:?}");
}

#[test]
fn a_failure_of_one_run_shows() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let found = disagreement(|tx| {
        tx.execute("DELETE FROM t", &[])?;
        if RUNS.fetch_add(1, Ordering::Relaxed) % 2 == 1 { Err("not this time".into()) } else { Ok(()) }
    });
    match found {
        Some(Disagreement::Outcome { first: None, second: Some(second) }) => {
            assert!(second.ends_with(": not this time"), "{second}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_work_for_the_same_result_shows() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let found = disagreement(|tx| {
        for _ in 0..RUNS.fetch_add(1, Ordering::Relaxed) % 2 {
            tx.query("SELECT count(*) FROM t", &[])?;
        }
        tx.execute("DELETE FROM t", &[])?;
        Ok(())
    });
    assert!(matches!(found, Some(Disagreement::Work { what: "SQL operations", .. })), "{found:?}");
}

#[test]
fn a_migration_that_always_fails_is_no_disagreement() {
    match twice("DELETE", |_| Err("never".into())) {
        Err(Error::Run(error)) => assert_eq!(error.failed.migration.name, "written"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sample_chain_agrees_with_itself() {
    let folder = tempfile::tempdir().unwrap();
    let migrator = Migrator::builder()
        .source(Directory::new(workspace().join("migrations")))
        .database(Sqlite::file(folder.path().join("app.db")))
        .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
        .build()
        .unwrap();
    let trials = migrator.run_twice(&Goal::LATEST).unwrap();
    assert!(trials.len() >= 3 && trials.iter().all(|trial| trial.disagreement.is_none()), "{trials:#?}");
    assert!(trials.iter().all(|trial| trial.used.fuel.is_some() && trial.used.operations > 0), "{trials:#?}");
    assert_eq!(content(&folder), []);
}

#[test]
fn the_command_tells_what_agreed() {
    let project = Project::with(&[]);
    for entry in std::fs::read_dir(workspace().join("migrations")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("migrations/{}", entry.file_name().to_string_lossy());
        project.write(&name, std::fs::read(entry.path()).unwrap());
    }
    project.ok(&["up", "--to", "2"]);
    let outcome = project.unchanged(|| project.ok(&["test", "--deterministic"]));
    assert!(outcome.stdout.starts_with("Migration 3 split_names did the same twice ("), "{outcome}");
    assert!(outcome.stdout.ends_with(": deterministic on this database.\n"), "{outcome}");
    let json = project.unchanged(|| project.ok(&["test", "--deterministic", "--json"])).json("test");
    let json = &json["determinism"];
    assert_eq!((&json["deterministic"], &json["migrations"][0]["version"]), (&true.into(), &"3".into()));
    project.ok(&["up"]);
    let outcome = project.ok(&["test", "--deterministic"]);
    assert_eq!(outcome.stdout, "Nothing to test: no pending migration has code.\n");
}
