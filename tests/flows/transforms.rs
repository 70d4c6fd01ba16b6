//! Transforms: whole tables through a pure function, on real files.

mod answers;
mod chunks;
mod down;
mod layouts;
mod moves;
mod preview;
mod rejects;
mod repeatable;
mod restart;
mod sample;
mod spans;
mod troubled;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer, Report, RowCounts, StepError};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::Directory;
use whimbrel::wasm::ComponentCache;
use whimbrel::{Error, Interrupt, Migrator, MigratorBuilder};

use super::guests::workspace;

pub(super) const PEOPLE: &str = "
CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT, n INTEGER);
INSERT INTO person (full_name) VALUES ('Ada Lovelace'), ('Grace Brewster Hopper'), ('Plato');
";

/// Fills `person` with this many rows.
pub(super) fn people(rows: u32) -> String {
    format!(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT, n INTEGER);
         INSERT INTO person (full_name) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {rows})
         SELECT 'Given' || i || ' Family' || i FROM c;"
    )
}

pub(super) const SPLIT: &str = "
[transform]
table = 'person'
read = ['full_name']
write = ['first_name', 'last_name']
";

/// Builds the transform that behaves as its parameter says, once.
pub(super) fn component() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        xtask::component(&workspace().join("tests/guests/transforms/Cargo.toml")).expect("the guest compiles")
    })
}

/// Hears what is told.
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

/// A database and a chain whose second migration is a transform.
pub(super) struct Stage {
    folder: TempDir,
    ears: Arc<Ears>,
    pub(super) interrupt: Interrupt,
}

impl Stage {
    pub(super) fn new(schema: &str, behaviour: &str, transform: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("migrations");
        std::fs::create_dir(&migrations).unwrap();
        std::fs::write(migrations.join("0001_schema.sql"), schema).unwrap();
        std::fs::write(migrations.join("0002_transform.wasm"), component()).unwrap();
        let stage = Self { folder, ears: Arc::default(), interrupt: Interrupt::new() };
        stage.manifest(behaviour, transform);
        stage.migrator().up(Until::Steps(1)).unwrap();
        stage
    }

    pub(super) fn manifest(&self, behaviour: &str, transform: &str) {
        let manifest = format!("[params]\ndo = '{behaviour}'\ncolour = 'blue'\n{transform}");
        std::fs::write(self.folder.path().join("migrations/0002_transform.toml"), manifest).unwrap();
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

    /// Runs, expects it to end well, and returns what became of the rows.
    pub(super) fn counts(&self) -> RowCounts {
        let report = self.up().unwrap_or_else(|error| panic!("{}", chain(&error)));
        report.steps[0].rows.expect("a transform counts rows")
    }

    /// Returns the rows of a query as lines.
    pub(super) fn lines(&self, sql: &str) -> Vec<String> {
        let connection = Connection::open(self.database()).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let line = |row: &rusqlite::Row<'_>| {
            let cells: Vec<String> = (0..columns)
                .map(|column| match row.get_ref_unwrap(column) {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Integer(value) => value.to_string(),
                    rusqlite::types::ValueRef::Real(value) => format!("{value:?}"),
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    rusqlite::types::ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
                })
                .collect();
            Ok(cells.join("|"))
        };
        statement.query_map([], line).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Runs, expects it to fail and to change nothing, and returns the whole message.
    pub(super) fn fails(&self) -> String {
        let before = std::fs::read(self.database()).unwrap();
        let error = match self.up() {
            Err(error) => error,
            Ok(report) => panic!("expected the step to fail, got {report:?}"),
        };
        assert_eq!(std::fs::read(self.database()).unwrap(), before, "the database changed");
        assert_eq!(self.migrator().history().unwrap().len(), 1);
        match error {
            Error::Run(error) => chain(&error.source),
            error => chain(&error),
        }
    }

    /// Runs the program on it.
    pub(super) fn program(&self, arguments: &[&str]) -> std::process::Output {
        self.command(arguments).output().unwrap()
    }

    /// Prepares a run of the program on it.
    pub(super) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(crate::harness::program());
        command.args(arguments).args(["--database", "app.db", "--color", "never"]);
        command.current_dir(self.folder.path());
        command.env("WHIMBREL_CACHE", workspace().join("target/test-component-cache"));
        command
    }

    /// Returns the folder it is in.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.ears.0.lock().unwrap().clone()
    }
}

/// Writes an error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn counts(rows: u64, written: u64, unchanged: u64, rejected: u64) -> RowCounts {
    RowCounts { rows, written, unchanged, rejected }
}

#[test]
fn updates_rows_in_place() {
    let stage = Stage::new(PEOPLE, "split", SPLIT);
    let report = stage.up().unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(3, 3, 0, 0)));
    assert!(report.steps[0].fuel.unwrap() > 1000);
    assert_eq!(
        stage.lines("SELECT first_name, last_name FROM person ORDER BY id"),
        ["Ada|Lovelace", "Grace Brewster|Hopper", "Plato|"]
    );
    let row = &stage.migrator().history().unwrap()[1];
    assert_eq!((&*row.kind, row.record().rows_changed), ("transform", 3));
    assert!(stage.migrator().up(Until::End).unwrap().steps.is_empty());
}

#[test]
fn transforms_every_row_of_many_batches_once_whatever_the_jobs() {
    for jobs in [1, 2, 5] {
        let count = format!("[transform]\ntable = 'person'\nread = ['n']\nwrite = ['n']\njobs = {jobs}");
        let stage = Stage::new(&people(10_000), "count", &count);
        assert_eq!(stage.counts(), counts(10_000, 10_000, 0, 0));
        assert_eq!(stage.lines("SELECT min(n), max(n), count(n) FROM person"), ["1|1|10000"]);
        assert_eq!(stage.heard().last().map(String::as_str), Some("10000 of Some(10000)"));
    }
}

#[test]
fn whoever_runs_it_may_say_how_many_work() {
    let count = "[transform]\ntable = 'person'\nread = ['n']\nwrite = ['n']\njobs = 2";
    let stage = Stage::new(&people(5000), "same-thread", count);
    let report = stage.builder().jobs(std::num::NonZeroUsize::MIN).build().unwrap().up(Until::End).unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(5000, 5000, 0, 0)));
    // One instance counts all rows, two count half of the batches each.
    assert_eq!(stage.lines("SELECT min(n), max(n) FROM person"), ["1|5000"]);
    let stage = Stage::new(&people(5000), "same-thread", count);
    stage.counts();
    assert_eq!(stage.lines("SELECT max(n) < 5000 FROM person"), ["1"]);
    for wrong in ["0", "257", "many"] {
        assert_eq!(stage.program(&["up", "--jobs", wrong]).status.code(), Some(2));
    }
    assert!(stage.program(&["up", "--jobs", "3"]).status.success());
}

#[test]
fn an_empty_table_is_no_problem() {
    let stage =
        Stage::new("CREATE TABLE person (id INTEGER PRIMARY KEY, full_name, first_name, last_name)", "split", SPLIT);
    assert_eq!(stage.counts(), counts(0, 0, 0, 0));
}

#[test]
fn leaves_rows_alone_that_come_out_as_they_went_in() {
    let stage = Stage::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);
         INSERT INTO t (a, b) VALUES (1, 'x'), (2.5, NULL), ('text', x'00ff');
         CREATE TABLE touched (id); CREATE TRIGGER seen AFTER UPDATE ON t BEGIN INSERT INTO touched VALUES (new.id); END;",
        "same",
        "[transform]\ntable = 't'\nread = ['a', 'b']\nwrite = ['a', 'b']",
    );
    assert_eq!(stage.counts(), counts(3, 0, 3, 0));
    assert!(stage.lines("SELECT * FROM touched").is_empty());
}

#[test]
fn a_filter_chooses_rows_and_the_work_may_take_them_out_of_it() {
    let filtered = format!("{SPLIT}where = \"first_name IS NULL -- not yet\"");
    let schema = format!(
        "{}; UPDATE person SET first_name = 'kept' WHERE id % 2 = 0; CREATE INDEX by_first ON person (first_name);",
        people(5000)
    );
    let stage = Stage::new(&schema, "split", &filtered);
    assert_eq!(stage.counts(), counts(2500, 2500, 0, 0));
    assert_eq!(stage.lines("SELECT count(*) FROM person WHERE first_name = 'kept' AND last_name IS NULL"), ["2500"]);
}

#[test]
fn puts_none_one_or_many_rows_into_another_table() {
    let schema = format!(
        "{PEOPLE}CREATE TABLE word (person INTEGER, position INTEGER, word TEXT); INSERT INTO person (full_name) VALUES ('')"
    );
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']";
    let stage = Stage::new(&schema, "words", words);
    assert_eq!(stage.counts(), counts(4, 6, 0, 0));
    assert_eq!(
        stage.lines("SELECT * FROM word"),
        ["1|0|Ada", "1|1|Lovelace", "2|0|Grace", "2|1|Brewster", "2|2|Hopper", "3|0|Plato"]
    );
}

#[test]
fn an_upsert_updates_what_is_there() {
    let schema = format!(
        "{PEOPLE}CREATE TABLE word (person INTEGER, position INTEGER, word TEXT, PRIMARY KEY (person, position));
         INSERT INTO word VALUES (1, 0, 'old'), (9, 9, 'kept');"
    );
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nmode = 'upsert'\nwrite = ['person', 'position', 'word']";
    let stage = Stage::new(&schema, "words", words);
    stage.counts();
    assert_eq!(
        stage.lines("SELECT word FROM word WHERE position = 0 OR person = 9 ORDER BY person"),
        ["Ada", "Grace", "Plato", "kept"]
    );
}

#[test]
fn knows_the_run_it_is_part_of() {
    let context = "[transform]\ntable = 'person'\nread = ['full_name']\nwrite = ['first_name']";
    let stage = Stage::new(PEOPLE, "context", context);
    stage.counts();
    assert_eq!(
        stage.lines("SELECT first_name FROM person WHERE id = 1"),
        ["main 2 transform dry=false params=blue into=[\"full_name\"]"]
    );
    assert_eq!(stage.heard()[0], "Info main 2 transform dry=false params=blue into=[\"full_name\"]");
}

#[test]
fn a_dry_run_counts_and_undoes() {
    let stage = Stage::new(PEOPLE, "split", SPLIT);
    let before = std::fs::read(stage.database()).unwrap();
    let report = stage.migrator().dry_run(&Goal::LATEST).unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(3, 3, 0, 0)));
    // What the host looks up for it is not what it does.
    let recording = report.steps[0].recording.as_ref().unwrap();
    let texts: Vec<&str> = recording.statements.iter().map(|statement| statement.sql.as_str()).collect();
    let tables: Vec<&str> = recording.tables.iter().map(|table| table.table.as_str()).collect();
    assert!(texts.iter().all(|text| text.starts_with("UPDATE \"person\" SET")), "{texts:?}");
    assert_eq!((texts.is_empty(), tables), (false, vec!["person"]));
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}

#[test]
fn an_interrupt_stops_the_guest_and_undoes() {
    for jobs in [1, 2] {
        let stage = Stage::new(PEOPLE, "loop", &format!("{SPLIT}jobs = {jobs}"));
        let interrupt = stage.interrupt.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            interrupt.raise();
        });
        match stage.up() {
            Err(Error::Run(error)) => assert!(matches!(error.source, StepError::Interrupted), "{error:?}"),
            other => panic!("{other:?}"),
        }
        thread.join().unwrap();
        assert_eq!(stage.lines("SELECT count(first_name) FROM person"), ["0"]);
    }
}
