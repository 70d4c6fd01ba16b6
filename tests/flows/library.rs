//! A program that brings its own database up to date.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use whimbrel::db::Value;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer, StepOutcome};
use whimbrel::plan::{Goal, State, Until};
use whimbrel::source::{Code, Combined, Embedded};
use whimbrel::wasm::ComponentCache;
use whimbrel::{Error, Migrator};

use super::guests::workspace;

const SAMPLE: Embedded = whimbrel::embed!("../migrations");

fn cache() -> ComponentCache {
    ComponentCache::Folder(workspace().join("target/test-component-cache"))
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn runs_the_embedded_sample_chain_on_a_connection_it_already_has() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TEMP TABLE mine (x); INSERT INTO mine VALUES (7);").unwrap();
    let migrator = Migrator::builder().source(SAMPLE).component_cache(cache()).build().unwrap();
    let report = migrator.run_on(&mut connection, &Goal::LATEST).unwrap();
    assert_eq!(report.steps.len(), 9);
    assert_eq!(count(&connection, "SELECT x FROM mine"), 7);
    assert_eq!(count(&connection, "SELECT count(*) FROM customer WHERE last_name IS NULL"), 0);
    assert!(migrator.run_on(&mut connection, &Goal::LATEST).unwrap().steps.is_empty());
    migrator.run_on(&mut connection, &Goal::down(Until::End)).unwrap();
    let left =
        "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%whimbrel_history%' AND name NOT LIKE 'sqlite_%'";
    assert_eq!(count(&connection, left), 0);
    // The connection is the caller's again: nothing restricts it.
    connection.execute_batch("BEGIN; DROP TABLE _whimbrel_history; ROLLBACK; ATTACH ':memory:' AS other").unwrap();
}

/// Hears what happens, in short.
#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Observer for Ears {
    fn event(&self, event: &Event<'_>) {
        let heard = match event {
            Event::StepStarted { step, number, of } => format!("{number}/{of} {}", step.migration.title()),
            Event::StepFinished { report } => format!("{:?}", report.outcome),
            Event::StepFailed { step } => format!("failed {}", step.migration.title()),
            _ => return,
        };
        self.0.lock().unwrap().push(heard);
    }
}

#[test]
fn mixes_files_and_code_in_one_chain_and_says_what_happens() {
    const FILES: Embedded = Embedded::new(
        "files",
        &[
            ("0001_note.sql", b"CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, words INTEGER);"),
            ("0003_more.up.sql", b"INSERT INTO note (text) VALUES ('after the code');"),
            ("0003_more.down.sql", b"DELETE FROM note WHERE text = 'after the code';"),
        ],
    );
    let code = Code::new().up_down(
        2,
        "first_note",
        |tx| {
            let words = i64::try_from("a first note".split(' ').count())?;
            tx.execute("INSERT INTO note (text, words) VALUES ('a first note', ?)", &[words.into()])?;
            Ok(())
        },
        |tx| {
            tx.execute("DELETE FROM note WHERE words = 3", &[])?;
            Ok(())
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let ears = Arc::new(Ears::default());
    let migrator = Migrator::builder()
        .source(Combined::new().with(FILES).with(code))
        .database(Sqlite::file(folder.path().join("app.db")))
        .chain("notes")
        .history_table("_app_history")
        .observer(Arc::clone(&ears) as Arc<dyn Observer>)
        .build()
        .unwrap();
    let report = migrator.up(Until::End).unwrap();
    assert!(report.steps.iter().all(|step| step.outcome == StepOutcome::Done));
    assert_eq!(*ears.0.lock().unwrap(), ["1/3 1 note", "Done", "2/3 2 first_note", "Done", "3/3 3 more", "Done"]);
    let kinds: Vec<String> = migrator.history().unwrap().into_iter().map(|row| row.kind.to_string()).collect();
    assert_eq!(kinds, ["sql", "rust", "sql"]);
    migrator.down(Until::Steps(2)).unwrap();
    let states: Vec<State> = migrator.status().unwrap().entries.iter().map(|entry| entry.state).collect();
    assert_eq!(states, [State::Applied, State::Reverted, State::Reverted]);
    let error = migrator.down(Until::End).unwrap_err();
    assert!(matches!(error, Error::Plan(_)), "{error:?}");
}

#[test]
fn code_that_fails_is_undone_with_its_own_error_kept() {
    let code =
        Code::new().up(1, "table", |tx| Ok(tx.execute("CREATE TABLE t (x)", &[]).map(drop)?)).up(2, "fails", |tx| {
            tx.execute("INSERT INTO t VALUES (1)", &[])?;
            Err("the moon is in the wrong phase".into())
        });
    let mut connection = Connection::open_in_memory().unwrap();
    let migrator = Migrator::builder().source(code).build().unwrap();
    let Err(Error::Run(error)) = migrator.run_on(&mut connection, &Goal::LATEST) else { panic!("it fails") };
    assert_eq!(error.done.steps.len(), 1);
    let mut chain = vec![error.to_string()];
    let mut source = std::error::Error::source(&*error);
    while let Some(cause) = source {
        chain.push(cause.to_string());
        source = cause.source();
    }
    assert!(chain.last().unwrap().contains("moon"), "{chain:?}");
    assert_eq!(count(&connection, "SELECT count(*) FROM t"), 0);
    assert_eq!(count(&connection, "SELECT count(*) FROM _whimbrel_history"), 1);
}

#[test]
fn two_chains_share_a_database() {
    let mut connection = Connection::open_in_memory().unwrap();
    let chain = |name: &str, table: &'static str| {
        let code = Code::new().up(1, "table", move |tx| Ok(tx.execute(table, &[]).map(drop)?));
        Migrator::builder().source(code).chain(name).build().unwrap()
    };
    for (name, table) in [("app", "CREATE TABLE a (x)"), ("extension", "CREATE TABLE b (x)")] {
        assert_eq!(chain(name, table).run_on(&mut connection, &Goal::LATEST).unwrap().steps.len(), 1);
    }
    assert_eq!(count(&connection, "SELECT count(DISTINCT chain) FROM _whimbrel_history"), 2);
}

#[test]
fn reads_values_of_every_kind() {
    let mut connection = Connection::open_in_memory().unwrap();
    let code = Code::new().up(1, "values", |tx| {
        let row = tx.query("SELECT NULL, 1, 0.5, 'text', x'00ff'", &[])?;
        let expected =
            [Value::Null, Value::Integer(1), Value::Real(0.5), Value::from("text"), Value::Blob(vec![0, 255])];
        if row == [expected] { Ok(()) } else { Err(format!("{row:?}").into()) }
    });
    Migrator::builder().source(code).build().unwrap().run_on(&mut connection, &Goal::LATEST).unwrap();
}
