//! SQL functions that migrations bring: components and functions of the program, called from SQL, from code and from
//! transforms.

mod held;
mod short;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::CodeEvents;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Cell, Function, Value, ValueType};
use whimbrel::exec::{Event, Observer, PrepareError};
use whimbrel::model::{ChainError, FunctionLibrary, Policy, Trust};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::Directory;
use whimbrel::wasm::{Compilation, ComponentCache, Engine, FunctionsCall, RunLimits, Used};
use whimbrel::{Error, Interrupt, LogLevel, Migrator, MigratorBuilder};

use super::guests::{behaviours, workspace};
use super::transforms::chain;
use crate::harness::Project;

const PEOPLE: &str = "
CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT, first TEXT, last TEXT, n INTEGER);
INSERT INTO person (email, first, last, n) VALUES
  (' Ada@Example.ORG', 'Ada', 'Lovelace', 1), ('grace@NAVY.mil', 'Grace', NULL, 2), (NULL, NULL, NULL, 3);
";
const USES: &str = "-- whimbrel: functions = text_tools\n";

fn library() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        xtask::component(&workspace().join("tests/guests/functions/Cargo.toml")).expect("the guest compiles")
    })
}

#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Observer for Ears {
    fn event(&self, event: &Event<'_>) {
        if let Event::Log { level, message, .. } = event {
            self.0.lock().unwrap().push(format!("{level:?} {message}"));
        }
    }
}

struct Stage {
    folder: TempDir,
    ears: Arc<Ears>,
    interrupt: Interrupt,
}

impl Stage {
    /// A database of people, the library, and these files as migrations after the first.
    fn new(files: &[(&str, &str)]) -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap(), ears: Arc::default(), interrupt: Interrupt::new() };
        std::fs::create_dir(stage.folder.path().join("migrations")).unwrap();
        stage.write("0001_people.sql", PEOPLE);
        stage.write("text_tools.functions.wasm", library());
        for (name, text) in files {
            stage.write(name, text);
        }
        stage
    }

    /// The same with one migration of this SQL that calls the library.
    fn calling(sql: &str) -> Self {
        Self::new(&[("0002_call.sql", &format!("{USES}{sql}"))])
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join("migrations").join(name), bytes).unwrap();
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    fn builder(&self) -> MigratorBuilder {
        Migrator::builder()
            .source(Directory::new(self.folder.path().join("migrations")))
            .database(Sqlite::file(self.database()))
            .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
            .observer(Arc::clone(&self.ears) as Arc<dyn Observer>)
            .interrupt(self.interrupt.clone())
    }

    fn migrator(&self) -> Migrator {
        self.builder().build().unwrap()
    }

    fn up(&self) -> Result<whimbrel::exec::Report, Error> {
        self.migrator().up(Until::End)
    }

    /// Runs, expects the second migration to fail and to leave the database as the first one left it.
    fn fails(&self) -> String {
        self.migrator().up(Until::Steps(1)).unwrap();
        let before = std::fs::read(self.database()).unwrap();
        let error = self.up().expect_err("it fails");
        assert_eq!(std::fs::read(self.database()).unwrap(), before, "the database changed");
        match error {
            Error::Run(error) => match &error.source {
                whimbrel::exec::StepError::Statement { failed, .. } => failed.error.to_string(),
                source => chain(source),
            },
            error => chain(&error),
        }
    }

    fn emails(&self) -> Vec<Option<String>> {
        let connection = Connection::open(self.database()).unwrap();
        let mut statement = connection.prepare("SELECT email FROM person ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn first(&self) -> Vec<Option<String>> {
        let connection = Connection::open(self.database()).unwrap();
        let mut statement = connection.prepare("SELECT first FROM person ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

fn texts(texts: &[Option<&str>]) -> Vec<Option<String>> {
    texts.iter().map(|text| text.map(str::to_owned)).collect()
}

const NORMALISED: [Option<&str>; 3] = [Some("Ada@example.org"), Some("grace@navy.mil"), None];

#[test]
fn an_sql_migration_calls_them() {
    let stage = Stage::calling(
        "UPDATE person SET email = normalise_email(email), first = full_name(first, last), n = many(1, 2, 3, 4, 5, n);",
    );
    let report = stage.up().unwrap();
    assert_eq!(stage.emails(), texts(&NORMALISED));
    assert_eq!(stage.first(), texts(&[Some("Ada Lovelace"), Some("Grace"), None]));
    assert!(report.steps[1].fuel.unwrap() > 0 && report.steps[0].fuel.is_none());
    let row = &stage.migrator().history().unwrap()[1];
    let checksum = whimbrel::model::Checksum::of(library());
    assert_eq!(row.functions.iter().collect::<Vec<_>>(), [(&"text_tools".to_owned(), &checksum)]);
}

#[test]
fn values_of_every_kind_pass_unchanged() {
    let stage = Stage::calling(
        "CREATE TABLE v (was, is_now);
         INSERT INTO v (was) VALUES (4611686018427387904), (-1.5), ('é\u{1f40e}'), (x'00ff'), (NULL), ('');
         UPDATE v SET is_now = twice(was);
         CREATE TABLE odd AS SELECT is_odd(n) AS odd FROM person;",
    );
    stage.up().unwrap();
    let connection = Connection::open(stage.database()).unwrap();
    let is: String = connection.query_row("SELECT group_concat(quote(is_now)) FROM v", [], |row| row.get(0)).unwrap();
    assert_eq!(is, "-9223372036854775808,-3.0,'é\u{1f40e}é\u{1f40e}',X'00FF00FF',NULL,''");
    let odd: String = connection.query_row("SELECT group_concat(odd) FROM odd", [], |row| row.get(0)).unwrap();
    assert_eq!(odd, "1,0,1");
}

#[test]
fn a_component_calls_them_without_being_entered_again() {
    let manifest =
        "functions = 'text_tools'\n[params]\ndo = 'sql'\nsql = 'UPDATE person SET email = normalise_email(email)'\n";
    let stage = Stage::new(&[("0002_guest.toml", manifest)]);
    stage.write("0002_guest.wasm", behaviours());
    stage.up().unwrap();
    assert_eq!(stage.emails(), texts(&NORMALISED));
}

#[test]
fn a_transform_calls_them_to_choose_its_rows() {
    for chunk in ["'whole'", "1"] {
        let manifest = format!(
            "functions = ['text_tools']\n[params]\ndo = 'wrong-type'\n[transform]\ntable = 'person'\nread = ['n']\n\
             write = ['first']\nwhere = 'is_odd(n)'\nchunk = {chunk}"
        );
        let stage = Stage::new(&[("0002_odd.toml", &manifest)]);
        stage.write("0002_odd.wasm", super::transforms::component());
        let report = stage.up().unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!(report.steps[1].rows.unwrap().rows, 2);
        let not = Some("not a number");
        assert_eq!(stage.first(), texts(&[not, Some("Grace"), not]));
        assert_eq!(stage.migrator().history().unwrap()[1].functions.len(), 1);
    }
}

#[test]
fn they_are_there_for_the_migration_that_names_them_only() {
    let call = "UPDATE person SET email = normalise_email(email);";
    let stage = Stage::new(&[("0002_call.sql", &format!("{USES}{call}")), ("0003_again.sql", call)]);
    let error = match stage.up() {
        Err(Error::Run(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error.done.steps.len(), 2);
    let whimbrel::exec::StepError::Statement { failed, .. } = &error.source else { panic!("{error:?}") };
    assert!(failed.error.message.contains("no such function: normalise_email"), "{failed:?}");
    // A connection that is lent comes back without them.
    let stage = Stage::calling(call);
    let mut connection = Connection::open(stage.database()).unwrap();
    stage.migrator().run_on(&mut connection, &Goal::LATEST).unwrap();
    let left = connection.query_row("SELECT normalise_email('x@y')", [], |_| Ok(())).unwrap_err();
    assert!(left.to_string().contains("no such function"), "{left}");
}

#[test]
fn nothing_that_stays_may_call_them() {
    let cases = [
        ("CREATE VIEW v AS SELECT normalise_email(email) AS e FROM person;", "the view v calls normalise_email"),
        (
            "CREATE TRIGGER g AFTER INSERT ON person BEGIN UPDATE person SET email = normalise_email(email); END;",
            "the trigger g calls normalise_email",
        ),
        ("CREATE TABLE t (e DEFAULT (normalise_email('a@b')));", "a DEFAULT of the table t calls normalise_email"),
    ];
    for (sql, expected) in cases {
        let message = Stage::calling(sql).fails();
        assert!(message.contains(&format!("{expected}, which is there only while the migration runs")), "{message}");
    }
    // What was there before is none of the migration's making, and what it makes for a time does not stay.
    let stage = Stage::new(&[
        ("0002_before.sql", "CREATE VIEW v AS SELECT normalise_email(email) AS e FROM person;"),
        (
            "0003_call.sql",
            &format!("{USES}CREATE VIEW w AS SELECT normalise_email(1); DROP VIEW w; SELECT normalise_email('a@b');"),
        ),
    ]);
    stage.up().unwrap();
}

#[test]
fn an_instance_begins_anew_for_each_migration() {
    let count = format!("{USES}UPDATE person SET n = count_calls();");
    let stage = Stage::new(&[("0002_a.sql", &count), ("0003_b.sql", &count)]);
    stage.up().unwrap();
    let connection = Connection::open(stage.database()).unwrap();
    let most: i64 = connection.query_row("SELECT max(n) FROM person", [], |row| row.get(0)).unwrap();
    assert_eq!(most, 3);
}

#[test]
fn what_goes_wrong_ends_the_statement_with_clear_words() {
    let cases = [
        ("normalise_email('nobody')", "the function normalise_email: there is no @ in it"),
        ("normalise_email(n)", "the function normalise_email: argument 1 (email) is integer, and text is wanted"),
        ("normalise_email(CAST(x'ff' AS TEXT))", "the function normalise_email: argument 1 is text that is not UTF-8"),
        ("normalise_email(email, n)", "wrong number of arguments to function normalise_email()"),
        ("panics('mud')", "the function panics: it trapped: panicked at"),
        ("recurses(1)", "the function recurses: it trapped: "),
    ];
    for (call, expected) in cases {
        let message = Stage::calling(&format!("UPDATE person SET last = 'x'; SELECT {call} FROM person;")).fails();
        assert!(message.starts_with(expected), "{call}: {message}");
    }
    let message = Stage::calling("SELECT panics('mud') FROM person").fails();
    assert!(message.contains("the parser met mud"), "{message}");
}

#[test]
fn limits_and_interrupts_stop_them() {
    let manifest = "functions = 'text_tools'\n[limits]\nfuel = 1_000_000";
    let stage = Stage::new(&[("0002_loop.sql", "SELECT loops();"), ("0002_loop.toml", manifest)]);
    let message = stage.fails();
    assert!(message.contains("the function loops: ") && message.contains("fuel"), "{message}");
    let stage = Stage::calling("SELECT loops();");
    stage.migrator().up(Until::Steps(1)).unwrap();
    let interrupt = stage.interrupt.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        interrupt.raise();
    });
    match stage.up() {
        Err(Error::Run(error)) => assert!(matches!(error.source, whimbrel::exec::StepError::Interrupted), "{error:?}"),
        other => panic!("{other:?}"),
    }
    thread.join().unwrap();
}

#[test]
fn the_program_says_where_a_limit_met_inside_of_one_is_raised() {
    let project = Project::with(&[
        ("0002_loop.sql", "SELECT loops();"),
        ("0002_loop.toml", "functions = 'text_tools'\n[limits]\nfuel = 1_000_000\n"),
    ]);
    project.write("migrations/text_tools.functions.wasm", library());
    let failed = project.run(&["up"]);
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.stderr.contains("the function loops: "), "{failed}");
    assert!(failed.stderr.contains("raise `fuel` under [limits] in migrations/0002_loop.toml"), "{failed}");
}

#[test]
fn a_script_that_is_run_by_itself_calls_the_library_beside_it() {
    let project = Project::notes();
    let script = "// whimbrel: functions = 'text_tools'\nexport function up(db) {\n  \
                  db.execute(\"CREATE TABLE mail AS SELECT normalise_email(' A@B.example ') AS e\");\n}\n";
    project.ok(&["up"]);
    project.write("scratch/1_mail.js", script);
    let missing = project.run(&["run-script", "scratch/1_mail.js"]);
    assert!(missing.code == 1 && missing.stderr.contains("text_tools.functions.wasm"), "{missing}");
    project.write("scratch/text_tools.functions.wasm", library());
    project.ok(&["run-script", "scratch/1_mail.js", "--commit"]);
    assert_eq!(project.number("SELECT count(*) FROM mail WHERE e <> ' A@B.example '"), 1);
}

#[test]
fn what_they_log_is_heard() {
    let stage = Stage::calling("SELECT say('here');");
    stage.up().unwrap();
    assert_eq!(*stage.ears.0.lock().unwrap(), ["Info here"]);
}

#[test]
fn a_library_that_changes_later_is_told_and_accepted() {
    let stage = Stage::calling("UPDATE person SET email = normalise_email(email);");
    stage.up().unwrap();
    let mut other = library().to_vec();
    // An empty custom section: other bytes, the same component.
    other.extend([0, 2, 1, b'x']);
    stage.write("text_tools.functions.wasm", other);
    let status = stage.migrator().status().unwrap();
    assert_eq!(status.entries[1].state.as_str(), "checksum-mismatch-functions");
    let report = stage.up().unwrap();
    assert!(report.steps.is_empty());
    let plan = stage.migrator().plan(&Goal::LATEST).unwrap();
    assert!(plan.warnings[0].message.contains("functions of a library that was changed"), "{:?}", plan.warnings);
}

#[test]
fn refuses_libraries_that_cannot_be_meant() {
    let stage = Stage::new(&[("0002_call.sql", "-- whimbrel: functions = text_tool\nSELECT 1;")]);
    match stage.up() {
        Err(Error::Chain(ChainError::UnknownLibrary { name, known, .. })) => {
            assert_eq!((name.as_str(), known), ("text_tool", vec!["text_tools".to_owned()]));
        }
        other => panic!("{other:?}"),
    }
    let stage = Stage::new(&[("0002_call.sql", "-- whimbrel: functions = text_tools, other\nSELECT 1;")]);
    stage.write("other.functions.wasm", library());
    match stage.up() {
        Err(Error::Prepare(PrepareError::FunctionName { function, reason, .. })) => {
            assert_eq!(
                (function.as_str(), reason.as_str()),
                ("normalise_email", "other brings one, and text_tools too")
            );
        }
        other => panic!("{other:?}"),
    }
    let stage = Stage::calling("SELECT 1;");
    stage.write("text_tools.functions.wasm", behaviours());
    let error = stage.up().unwrap_err();
    assert!(chain(&error).contains("no library of functions: it exports up, down"), "{}", chain(&error));
    assert!(!stage.database().exists());
}

#[test]
fn a_program_brings_functions_of_its_own() {
    let shout = Function::new("shout", |arguments: &[Cell<'_>]| match arguments {
        [Cell::Text(text)] if text.len() < 100 => Ok(Value::from(text.to_uppercase())),
        _ => Err("that is too much".to_owned()),
    });
    let shout = shout.takes("text", ValueType::Text).returns(ValueType::Text);
    let stage =
        Stage::new(&[("0002_call.sql", "-- whimbrel: functions = app\nUPDATE person SET first = shout(first);")]);
    let migrator =
        |fingerprint: &str| stage.builder().functions(FunctionLibrary::native("app", fingerprint, [shout.clone()]));
    migrator("v1").build().unwrap().up(Until::End).unwrap();
    assert_eq!(stage.first(), texts(&[Some("ADA"), Some("GRACE"), None]));
    let state = |fingerprint: &str| migrator(fingerprint).build().unwrap().status().unwrap().entries[1].state.as_str();
    assert_eq!((state("v1"), state("v2")), ("applied", "checksum-mismatch-functions"));
    let upper = Function::new("upper", |_: &[Cell<'_>]| Ok(Value::Null));
    let stage = Stage::new(&[("0002_call.sql", "-- whimbrel: functions = app\nSELECT 1;")]);
    let covering = stage.builder().functions(FunctionLibrary::native("app", "v1", [upper])).build().unwrap();
    let error = covering.up(Until::End).unwrap_err();
    assert!(chain(&error).contains("SQLite has one, and app brings one"), "{}", chain(&error));
}

#[test]
fn an_answer_that_no_column_holds_fails_the_statement() {
    let root = Function::new("root", |_: &[Cell<'_>]| Ok(Value::Real((-1.0_f64).sqrt())));
    let root = root.takes("value", ValueType::Real).returns(ValueType::Real);
    let stage = Stage::new(&[("0002_call.sql", "-- whimbrel: functions = app\nUPDATE person SET first = root(-1.0);")]);
    let migrator = stage.builder().functions(FunctionLibrary::native("app", "v1", [root])).build().unwrap();
    let error = migrator.up(Until::End).unwrap_err();
    let expected = "the answer of the function root is NaN, which no column holds: write NULL for nothing";
    assert!(chain(&error).contains(expected), "{}", chain(&error));
}

struct Deaf;

impl CodeEvents for Deaf {
    fn log(&self, _: LogLevel, _: &str) {}
    fn progress(&self, _: u64, _: Option<u64>) {}
}

#[test]
fn a_function_works_on_every_thread_until_its_instance_is_gone() {
    let plugin = Engine::for_functions(&Compilation::default()).unwrap().compile(library()).unwrap();
    let call = FunctionsCall {
        started_at: 0,
        limits: RunLimits::default(),
        used: Used::default(),
        interrupt: Interrupt::new(),
        events: Arc::new(Deaf),
    };
    let instance = plugin.functions(&call).unwrap();
    let normalise = instance.functions().iter().find(|f| f.signature().name == "normalise_email").unwrap().clone();
    let normalised = || normalise.call(&mut [Cell::Text(" A@B ")]);
    assert_eq!(normalised().unwrap(), Value::from("A@b"));
    let used = instance.fuel();
    assert_eq!(std::thread::scope(|scope| scope.spawn(normalised).join().unwrap()).unwrap(), Value::from("A@b"));
    assert!(instance.fuel() > used);
    drop(instance);
    let gone = normalised().unwrap_err();
    assert_eq!(gone.message, "the function normalise_email: it is called after its instance is gone");
}

#[test]
fn a_chain_that_is_not_trusted_calls_its_own_without_a_grant() {
    let sql = format!("{USES}CREATE TABLE acme_x (a); INSERT INTO acme_x VALUES (normalise_email('A@B'));");
    let stage = Stage::new(&[
        ("0002_call.sql", &sql),
        ("0002_call.toml", "[grants]\ncreate = ['acme_x']\ninsert = ['acme_x']"),
    ]);
    stage.migrator().up(Until::Steps(1)).unwrap();
    let trust = Trust::Untrusted { namespace: "acme_".into() };
    let policy = Policy { trust, ..Policy::default() };
    stage.builder().policy(policy).build().unwrap().up(Until::End).unwrap_or_else(|error| panic!("{}", chain(&error)));
}

#[test]
fn dry_runs_and_trials_call_them_too() {
    let stage = Stage::calling("UPDATE person SET email = normalise_email(email);");
    stage.migrator().up(Until::Steps(1)).unwrap();
    let before = std::fs::read(stage.database()).unwrap();
    let report = stage.migrator().dry_run(&Goal::LATEST).unwrap();
    assert_eq!(report.steps[0].recording.as_ref().unwrap().tables[0].updated, 3);
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}
