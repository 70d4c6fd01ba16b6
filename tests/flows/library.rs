//! A program that brings its own database up to date.

mod harm;

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Transaction, Value};
use whimbrel::exec::{Event, Observer, StepOutcome};
use whimbrel::model::{Hook, HookContext, Moment, RustError};
use whimbrel::plan::{Goal, State, Until};
use whimbrel::source::{Code, Combined, Embedded, Memory};
use whimbrel::wasm::ComponentCache;
use whimbrel::{Error, Interrupt, LogLevel, Migrator};

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
    migrator.run_on(&mut connection, &Goal::Down(Until::End)).unwrap();
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
    assert_eq!((report.done().count(), report.skipped().count()), (3, 0));
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

/// Returns an error with all its causes.
fn told(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn a_lent_connection_has_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let files = [
        ("1_note.up.sql", "CREATE TABLE note (text TEXT);"),
        ("1_note.down.sql", "DROP TABLE note;"),
        ("1_note.verify.sql", "SELECT count(*) = 1 FROM sqlite_schema WHERE name = 'note';"),
        ("2_first.up.sql", "INSERT INTO note VALUES ('first');"),
        ("2_first.down.sql", "DELETE FROM note;"),
    ];
    let source = files.into_iter().fold(Memory::new("memory"), |memory, (file, sql)| memory.file(file, sql));
    let migrator = Migrator::builder().source(source).build().unwrap();
    let version = whimbrel::model::Version::from;
    for mut connection in [Connection::open_in_memory().unwrap(), Connection::open(&path).unwrap()] {
        let one = Until::Version(version(1));
        let connection = &mut connection;
        let states = |connection: &mut Connection| -> Vec<State> {
            let status = migrator.on(connection, Migrator::status).unwrap();
            status.entries.iter().map(|entry| entry.state).collect()
        };
        assert_eq!(states(connection), [State::Pending, State::Pending]);
        assert_eq!(migrator.on(connection, |migrator| migrator.plan(&Goal::LATEST)).unwrap().steps.len(), 2);
        assert_eq!(migrator.on(connection, |migrator| migrator.dry_run(&Goal::LATEST)).unwrap().steps.len(), 2);
        assert_eq!(states(connection), [State::Pending, State::Pending]);
        assert_eq!(count(connection, "SELECT count(*) FROM sqlite_schema"), 0);
        // Several verbs in one loan.
        let pending = migrator.on(connection, |migrator| {
            migrator.up(one)?;
            migrator.pending()
        });
        assert_eq!(pending.unwrap().len(), 1);
        assert!(migrator.on(connection, Migrator::verify_deep).unwrap()[0].result.is_ok());
        migrator.on(connection, |migrator| migrator.up(Until::End)).unwrap();
        assert!(migrator.on(connection, |migrator| migrator.is_applied(version(2))).unwrap());
        assert!(migrator.on(connection, Migrator::validate).unwrap().is_empty());
        assert_eq!(migrator.on(connection, |migrator| migrator.redo(2)).unwrap().steps.len(), 4);
        let squashed = migrator.on(connection, Migrator::squash).unwrap();
        assert_eq!((squashed.version, &*squashed.rows), (version(2), &[("note".to_owned(), 1)][..]));
        assert!(migrator.on(connection, Migrator::lock_status).unwrap().holdings.is_empty());
        assert_eq!(migrator.on(connection, |migrator| migrator.down(Until::End)).unwrap().steps.len(), 2);
        assert_eq!(migrator.on(connection, Migrator::history).unwrap().len(), 4);
        assert_eq!(migrator.on(connection, |migrator| migrator.round_trip(&Goal::LATEST)).unwrap().len(), 2);
        assert_eq!(count(connection, "SELECT count(*) FROM pragma_database_list"), 1);
    }
    let mut connection = Connection::open(&path).unwrap();
    let database = migrator.on(&mut connection, |migrator| Ok(migrator.status()?.database)).unwrap();
    assert_eq!(std::path::Path::new(&database).canonicalize().unwrap(), path.canonicalize().unwrap());
    assert!(matches!(migrator.status(), Err(Error::NoDatabase)));
}

#[test]
fn a_lent_connection_is_back_by_whatever_way_it_ends() {
    let migrator = Migrator::builder().source(Code::new().up(1, "a", |_| Ok(()))).build().unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (7)").unwrap();
    let seven = |connection: &Connection| assert_eq!(count(connection, "SELECT x FROM mine"), 7);
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        migrator.on(&mut connection, |_| -> Result<(), Error> { panic!("on purpose") })
    }));
    assert!(panics.is_err());
    seven(&connection);
    // A migration that panics leaves no transaction behind, and nothing that refuses one.
    let panicking = Code::new().up(1, "a", |_| panic!("on purpose"));
    let panicking = Migrator::builder().source(panicking).build().unwrap();
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        panicking.on(&mut connection, |migrator| migrator.up(Until::End))
    }));
    assert!(panics.is_err());
    connection.execute_batch("BEGIN; COMMIT").unwrap();
    seven(&connection);
    // Who keeps a clone has nothing to run on afterwards.
    let kept = migrator.on(&mut connection, |migrator| Ok(migrator.clone())).unwrap();
    let message = told(&kept.up(Until::End).unwrap_err());
    assert_eq!(
        message,
        "cannot use the database of the connection: the connection is in use by another call, or was given back"
    );
    // Nor has a migration that migrates by its own loan.
    let inner = Arc::new(Mutex::new(None::<Migrator>));
    let own = Arc::clone(&inner);
    let code = Code::new().up(1, "a", move |_| Ok(own.lock().unwrap().as_ref().unwrap().up(Until::End).map(drop)?));
    let migrator = Migrator::builder().source(code).build().unwrap();
    let result = migrator.on(&mut connection, |migrator| {
        *inner.lock().unwrap() = Some(migrator.clone());
        migrator.up(Until::End)
    });
    assert!(told(&result.unwrap_err()).contains("in use by another call"));
    seven(&connection);
    connection.execute_batch("BEGIN").unwrap();
    let message = told(&migrator.on(&mut connection, Migrator::status).unwrap_err());
    assert!(message.ends_with("the connection has an open transaction; end it first"), "{message}");
}

#[test]
fn code_that_ends_its_transaction_is_refused_by_name_and_undone() {
    type Work = fn(&mut Transaction<'_>) -> Result<(), RustError>;
    let cases: [(&str, Work); 6] = [
        ("COMMIT", |tx| Ok(tx.execute("COMMIT", &[]).map(drop)?)),
        ("ROLLBACK", |tx| Ok(tx.execute("ROLLBACK", &[]).map(drop)?)),
        ("BEGIN", |tx| Ok(tx.execute("BEGIN", &[]).map(drop)?)),
        ("COMMIT", |tx| Ok(tx.sqlite().unwrap().execute_batch("COMMIT; BEGIN")?)),
        ("COMMIT", |tx| Ok(tx.sqlite().unwrap().prepare_cached("COMMIT")?.execute([]).map(drop)?)),
        // Who does not look at the error learns it, too.
        ("COMMIT", |tx| {
            let _ = tx.sqlite().unwrap().execute_batch("COMMIT; BEGIN");
            Ok(tx.execute("INSERT INTO note VALUES (2)", &[]).map(drop)?)
        }),
    ];
    for (statement, work) in cases {
        let code = Code::new().up(1, "note", |tx| Ok(tx.execute("CREATE TABLE note (x)", &[]).map(drop)?)).up(
            2,
            "ends",
            move |tx| {
                tx.execute("INSERT INTO note VALUES (1)", &[])?;
                work(tx)
            },
        );
        let mut connection = Connection::open_in_memory().unwrap();
        let migrator = Migrator::builder().source(code).build().unwrap();
        let error = migrator.run_on(&mut connection, &Goal::LATEST).unwrap_err();
        let message = told(&error);
        let expected = format!("its code says {statement}, and its transaction is for the host to begin and to end");
        assert!(message.contains("2 ends") && message.contains(&expected), "{message}");
        assert_eq!(count(&connection, "SELECT count(*) FROM note"), 0, "{statement}");
        assert_eq!(migrator.on(&mut connection, Migrator::pending).unwrap().len(), 1);
        // The connection is the caller's again.
        connection.execute_batch("BEGIN; COMMIT; BEGIN; ROLLBACK").unwrap();
    }
    // So is a hook, and a dry run; a savepoint is let pass.
    let code = || {
        Code::new().up(1, "note", |tx| {
            tx.sqlite().unwrap().execute_batch("SAVEPOINT a; CREATE TABLE note (x); ROLLBACK TO a; RELEASE a")?;
            Ok(tx.execute("CREATE TABLE other (x)", &[]).map(drop)?)
        })
    };
    let hook = Hook::code(Moment::AfterEach, "ends", |tx: &mut Transaction<'_>, _: &HookContext<'_>| {
        Ok(tx.execute("COMMIT", &[]).map(drop)?)
    });
    let mut connection = Connection::open_in_memory().unwrap();
    let migrator = Migrator::builder().source(code()).hook(hook).build().unwrap();
    for error in [
        migrator.on(&mut connection, |migrator| migrator.up(Until::End)).unwrap_err(),
        migrator.on(&mut connection, |migrator| migrator.dry_run(&Goal::LATEST)).unwrap_err(),
    ] {
        let message = told(&error);
        assert!(message.contains("hook ends failed: its code says COMMIT"), "{message}");
    }
    let migrator = Migrator::builder().source(code()).build().unwrap();
    migrator.run_on(&mut connection, &Goal::LATEST).unwrap();
    assert_eq!(count(&connection, "SELECT count(*) FROM sqlite_schema WHERE name IN ('note', 'other')"), 1);
}

/// Hears what code logs.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Observer for Lines {
    fn event(&self, event: &Event<'_>) {
        let heard = match event {
            Event::Log { step, level, message } => format!("{} {level:?} {message}", step.migration.title()),
            Event::Progress { step, done, total } => format!("{} {done} of {total:?}", step.migration.title()),
            _ => return,
        };
        self.0.lock().unwrap().push(heard);
    }
}

#[test]
fn code_logs_and_tells_how_far_it_is() {
    let lines = Arc::new(Lines::default());
    let code = Code::new().up_down(
        1,
        "note",
        |tx| {
            tx.log(LogLevel::Info, "on my way");
            tx.progress(1, Some(2));
            Ok(())
        },
        |tx| {
            tx.progress(7, None);
            Ok(())
        },
    );
    let hook = Hook::code(Moment::AfterAll, "tells", |tx: &mut Transaction<'_>, _: &HookContext<'_>| {
        tx.log(LogLevel::Warn, "done");
        Ok(())
    });
    let mut connection = Connection::open_in_memory().unwrap();
    // An observer of one's own, or one that is shared.
    let migrator = Migrator::builder().source(code).hook(hook).observer(Arc::clone(&lines)).build().unwrap();
    migrator.run_on(&mut connection, &Goal::LATEST).unwrap();
    migrator.run_on(&mut connection, &Goal::UNDO_LAST).unwrap();
    let heard = lines.0.lock().unwrap().join("\n");
    insta::assert_snapshot!(heard, @r"
    1 note Info on my way
    1 note 1 of Some(2)
    tells Warn done
    1 note 7 of None
    tells Warn done
    ");
}

#[test]
fn an_interrupt_stops_the_next_run_until_it_is_reset() {
    let interrupt = Interrupt::new();
    let raised = interrupt.clone();
    let code = Code::new().up(1, "stops", move |_| {
        raised.raise();
        Ok(())
    });
    let migrator = Migrator::builder().source(code.up(2, "next", |_| Ok(()))).interrupt(interrupt.clone());
    let migrator = migrator.build().unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    for _ in 0..2 {
        assert!(migrator.run_on(&mut connection, &Goal::LATEST).unwrap_err().is_interruption());
    }
    let rest = Migrator::builder().source(Code::new().up(1, "stops", |_| Ok(()))).interrupt(interrupt.clone());
    let rest = rest.build().unwrap();
    assert!(rest.run_on(&mut connection, &Goal::LATEST).unwrap_err().is_interruption());
    interrupt.reset();
    assert_eq!(rest.run_on(&mut connection, &Goal::LATEST).unwrap().steps.len(), 1);
}

#[test]
fn a_migrator_and_its_errors_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Migrator>();
    crosses::<Error>();
    crosses::<whimbrel::exec::Report>();
    // A clone shares the database, so that each request of a server can have one.
    let folder = tempfile::tempdir().unwrap();
    let code = Code::new().up(1, "note", |tx| Ok(tx.execute("CREATE TABLE note (x)", &[]).map(drop)?));
    let migrator =
        Migrator::builder().source(code).database(Sqlite::file(folder.path().join("app.db"))).build().unwrap();
    let clones = [migrator.clone(), migrator.clone()];
    let steps = clones.map(|migrator| std::thread::spawn(move || migrator.up(Until::End).unwrap().steps.len()));
    let done: usize = steps.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!((1..=2).contains(&done), "{done}");
    assert_eq!(migrator.applied().unwrap().len(), 1);
    // What is shown for people has no values of placeholders.
    let secret = Migrator::builder().placeholder("password", "hunter2").database(Sqlite::file("app.db"));
    let shown = format!("{secret:?} {:?}", Migrator::builder().placeholder("password", "hunter2").build().unwrap());
    assert!(shown.contains("app.db") && shown.contains("main") && !shown.contains("hunter2"), "{shown}");
}
