//! Guests that behave well and badly, run by the real host on real files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer, Report, StepError};
use whimbrel::limits::Limit;
use whimbrel::model::AppliedState;
use whimbrel::plan::{Goal, Until};
use whimbrel::source::Directory;
use whimbrel::wasm::{ComponentCache, PluginError};
use whimbrel::{Error, Interrupt, Migrator, MigratorBuilder};

pub(super) const PEOPLE: &str = "
CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT, last_name TEXT,
                     code TEXT UNIQUE, big INTEGER);
CREATE INDEX person_big ON person (big);
INSERT INTO person (full_name, big) VALUES ('Ada Lovelace', 1), ('Grace Hopper', 2), ('Plato', 3);
";

pub(super) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace is there")
}

/// Builds the guest that behaves as its parameter says, once.
pub(super) fn behaviours() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        xtask::component(&workspace().join("tests/guests/rust/Cargo.toml")).expect("the guest compiles")
    })
}

/// Hears what guests say.
#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Observer for Ears {
    fn event(&self, event: &Event<'_>) {
        let heard = match event {
            Event::Log { level, message, .. } => format!("{level:?} {message}"),
            Event::Progress { done, total, .. } => format!("{done} of {total:?}"),
            _ => return,
        };
        self.0.lock().unwrap().push(heard);
    }
}

/// A database of people and a chain whose second migration is the guest.
pub(super) struct Stage {
    folder: TempDir,
    ears: Arc<Ears>,
    interrupt: Interrupt,
}

impl Stage {
    pub(super) fn new(guest: &[u8], manifest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("migrations");
        std::fs::create_dir(&migrations).unwrap();
        std::fs::write(migrations.join("0001_people.sql"), PEOPLE).unwrap();
        std::fs::write(migrations.join("0002_guest.wasm"), guest).unwrap();
        std::fs::write(migrations.join("0002_guest.toml"), manifest).unwrap();
        let stage = Self { folder, ears: Arc::default(), interrupt: Interrupt::new() };
        stage.migrator().up(Until::Steps(1)).unwrap();
        stage
    }

    pub(super) fn behaving(behaviour: &str, limits: &str) -> Self {
        Self::new(behaviours(), &format!("[limits]\n{limits}\n[params]\ndo = \"{behaviour}\"\ncolour = \"blue\"\n"))
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    pub(super) fn migrator(&self) -> Migrator {
        self.builder().build().unwrap()
    }

    pub(super) fn builder(&self) -> MigratorBuilder {
        Migrator::builder()
            .source(Directory::new(self.folder.path().join("migrations")))
            .database(Sqlite::file(self.database()))
            .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
            .observer(Arc::clone(&self.ears) as Arc<dyn Observer>)
            .interrupt(self.interrupt.clone())
    }

    pub(super) fn up(&self) -> Result<Report, Error> {
        self.migrator().up(Until::End)
    }

    pub(super) fn people(&self) -> Vec<(String, Option<String>, Option<String>, Option<i64>)> {
        let connection = Connection::open(self.database()).unwrap();
        let mut statement =
            connection.prepare("SELECT full_name, first_name, last_name, big FROM person ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.ears.0.lock().unwrap().clone()
    }

    /// Runs, expects the guest to fail, and that the file is what it was, byte for byte.
    pub(super) fn fails(&self) -> StepError {
        let before = std::fs::read(self.database()).unwrap();
        let error = match self.up() {
            Err(Error::Run(error)) => error.source,
            other => panic!("expected the step to fail, got {other:?}"),
        };
        assert_eq!(std::fs::read(self.database()).unwrap(), before, "the database changed");
        assert_eq!(self.migrator().history().unwrap().len(), 1);
        error
    }

    pub(super) fn fails_as_guest(&self) -> PluginError {
        match self.fails() {
            StepError::Guest(error) => *error,
            other => panic!("expected the guest's own failure, got {other:?}"),
        }
    }
}

#[test]
fn splits_names_and_takes_it_back() {
    let stage = Stage::behaving("split", "");
    let report = stage.up().unwrap();
    assert_eq!(report.steps.len(), 1);
    assert!(report.steps[0].fuel.unwrap() > 1000);
    assert_eq!(report.steps[0].counters.rows_changed, 6);
    let some = |text: &str| Some(text.to_owned());
    let exact = Some(9_007_199_254_740_993);
    assert_eq!(
        stage.people(),
        [
            ("Ada Lovelace".to_owned(), some("Ada"), some("Lovelace"), exact),
            ("Grace Hopper".to_owned(), some("Grace"), some("Hopper"), exact),
            ("Plato".to_owned(), some("Plato"), some(""), exact),
        ]
    );
    let row = &stage.migrator().history().unwrap()[1];
    assert_eq!((&*row.kind, row.record().fuel), ("component", report.steps[0].fuel));
    assert_eq!(row.checksum, whimbrel::model::Checksum::of(behaviours()));
    assert!(row.manifest_checksum.is_some() && row.record().operations > 0);
    stage.migrator().down(Until::Steps(1)).unwrap();
    assert!(stage.people().iter().all(|(_, first, last, big)| first.is_none() && last.is_none() && big.is_none()));
    let states: Vec<_> = stage.migrator().history().unwrap().iter().map(|row| row.state).collect();
    assert_eq!(states, [AppliedState::Applied, AppliedState::Reverted]);
}

#[test]
fn burns_the_same_fuel_every_time() {
    let fuel = || Stage::behaving("split", "").up().unwrap().steps[0].fuel;
    assert_eq!(fuel(), fuel());
}

#[test]
fn savepoints_nest_and_are_undone_when_dropped() {
    let stage = Stage::behaving("savepoints", "");
    stage.up().unwrap();
    assert!(stage.people().iter().all(|(_, first, ..)| first.as_deref() == Some("outer")));
}

#[test]
fn knows_the_run_it_is_part_of() {
    let stage = Stage::behaving("context", "");
    stage.up().unwrap();
    let (_, first, last, _) = &stage.people()[0];
    assert_eq!(first.as_deref(), Some("main 2 guest dry=false params=blue started=true"));
    assert_eq!(last.as_deref(), Some("sqlite"));
}

#[test]
fn tells_kinds_of_errors_apart() {
    Stage::behaving("errors", "").up().unwrap();
}

#[test]
fn a_row_updated_through_the_index_being_read_is_not_read_twice() {
    let stage = Stage::behaving("halloween", "");
    stage.up().unwrap();
    assert_eq!(stage.people().iter().map(|(.., big)| *big).collect::<Vec<_>>(), [Some(2), Some(3), Some(4)]);
}

#[test]
fn hears_log_and_progress() {
    let stage = Stage::behaving("talk", "");
    stage.up().unwrap();
    let heard = stage.ears.0.lock().unwrap();
    assert_eq!(
        *heard,
        ["Info hello from the guest", "Warn a line with \u{1b}[31mcolour\u{1b}[0m in it", "1 of Some(2)"]
    );
}

#[test]
fn log_arrives_in_tracing_with_the_version() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&written);
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || Shared(Arc::clone(&writer))).finish();
    let stage = Stage::behaving("talk", "");
    crate::harness::listen(subscriber, || stage.up().unwrap());
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("hello from the guest")).expect("the line arrives");
    assert!(
        line.contains("whimbrel::guest") && line.contains("version=2") && line.contains("name=\"guest\""),
        "{line}"
    );
}

/// Writes where the test can read.
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flood_of_log_lines_is_cut_off() {
    let stage = Stage::behaving("log", "");
    stage.up().unwrap();
    let heard = stage.ears.0.lock().unwrap();
    assert_eq!(heard.len(), 10_001);
    assert!(heard[10_000].contains("logs too much"), "{}", heard[10_000]);
}

#[test]
fn a_dry_run_shows_what_it_would_do_and_undoes_it() {
    let stage = Stage::behaving("split", "");
    let before = std::fs::read(stage.database()).unwrap();
    let report = stage.migrator().dry_run(&Goal::LATEST).unwrap();
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    let recording = report.steps[0].recording.as_ref().unwrap();
    let person = recording.tables.iter().find(|changes| changes.table == "person").unwrap();
    assert_eq!((person.inserted, person.updated, person.deleted), (0, 6, 0));
    assert_eq!(recording.tables.len(), 1, "{:?}", recording.tables);
    assert!(recording.statements.iter().any(|statement| statement.sql.starts_with("UPDATE person SET first_name")));
}

#[test]
fn the_guest_may_refuse() {
    match Stage::behaving("refuse", "").fails_as_guest() {
        PluginError::Refused { message, statement: None } => {
            assert_eq!(message, "the guest says no: row 3 has no name");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unhandled_sql_error_names_the_statement() {
    match Stage::behaving("sql-error", "").fails_as_guest() {
        PluginError::Refused { message, statement: Some(failed) } => {
            assert!(message.contains("nowhere"), "{message}");
            assert_eq!(failed.sql, "INSERT INTO nowhere VALUES (1)");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_shows_its_message_and_the_functions() {
    match Stage::behaving("panic", "").fails_as_guest() {
        PluginError::Trapped { reason, backtrace, .. } => {
            assert!(reason.contains("index out of bounds: the len is 0 but the index is 7"), "{reason}");
            assert!(backtrace.iter().any(|frame| frame.contains("bad::explode")), "{backtrace:#?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn limits_stop_the_guest() {
    let cases = [
        ("loop", "fuel = 1_000_000", "fuel", "1000000"),
        ("loop", "time = \"200ms\"", "time", "200ms"),
        ("memory", "memory = \"16MiB\"", "memory", "16 MiB"),
        ("slow-sql", "time = \"200ms\"", "time", "200ms"),
    ];
    for (behaviour, limits, name, number) in cases {
        let began = Instant::now();
        match Stage::behaving(behaviour, limits).fails_as_guest() {
            PluginError::Limit(reached) => {
                assert_eq!((reached.limit.key(), reached.limit.amount(reached.value).as_str()), (name, number));
            }
            other => panic!("{behaviour}: {other:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{behaviour} took {:?}", began.elapsed());
    }
}

#[test]
fn deep_recursion_traps() {
    match Stage::behaving("recurse", "").fails_as_guest() {
        PluginError::Trapped { reason, .. } => assert!(reason.contains("call stack exhausted"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn leaked_handles_are_bounded() {
    match Stage::behaving("cursors", "").fails_as_guest() {
        PluginError::Limit(reached) => assert_eq!(reached.limit, Limit::OpenCursors),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_forbidden_is_denied() {
    Stage::behaving("denied", "").up().unwrap();
}

#[test]
fn a_savepoint_left_open_fails_the_step() {
    assert!(matches!(Stage::behaving("leave-savepoint", "").fails_as_guest(), PluginError::SavepointOpen));
}

#[test]
fn a_transaction_the_guest_ended_fails_the_step_and_nothing_escapes() {
    assert!(matches!(Stage::behaving("end-transaction", "").fails(), StepError::TransactionEnded));
}

/// Stands for a mistake in a host function: it is called in the middle of one.
struct Panics;

impl Observer for Panics {
    fn event(&self, event: &Event<'_>) {
        assert!(!matches!(event, Event::Log { .. }), "the host panics");
    }
}

#[test]
fn a_panic_in_a_host_function_closes_the_session_and_undoes_the_step() {
    let stage = Stage::behaving("talk", "");
    let before = std::fs::read(stage.database()).unwrap();
    let migrator = stage.builder().observer(Arc::new(Panics)).build().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| migrator.up(Until::End)));
    assert!(panicked.is_err());
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    assert!(!stage.database().with_file_name("app.db-journal").exists(), "the connection is still open");
    assert_eq!(stage.up().unwrap().steps.len(), 1);
}

#[test]
fn an_interrupt_stops_guest_and_statement() {
    for behaviour in ["loop", "slow-sql"] {
        let stage = Stage::behaving(behaviour, "");
        let interrupt = stage.interrupt.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            interrupt.raise();
        });
        let before = std::fs::read(stage.database()).unwrap();
        let began = Instant::now();
        match stage.up() {
            Err(Error::Run(error)) => assert!(matches!(error.source, StepError::Interrupted), "{error:?}"),
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_eq!(std::fs::read(stage.database()).unwrap(), before);
        thread.join().unwrap();
    }
}
