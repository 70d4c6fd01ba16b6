//! What every source must do, whatever it reads: one suite, run on files of all kinds and on Rust code.

use tempfile::TempDir;
use whimbrel::db::Transaction;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{StepError, StepOutcome};
use whimbrel::model::{Chain, Migration, Reversibility, Role, RustError};
use whimbrel::plan::Until;
use whimbrel::source::{Code, Layout, Source};
use whimbrel::{Error, Interrupt, Migrator};

use super::makers::{Files, MAKERS};

/// A migration in words that fit files and Rust code.
#[derive(Clone, Copy, Default)]
struct Told {
    version: u64,
    name: &'static str,
    up: &'static str,
    down: Option<&'static str>,
    manifest: Option<&'static str>,
    verify: Option<&'static str>,
}

const fn told(version: u64, name: &'static str, up: &'static str) -> Told {
    Told { version, name, up, down: None, manifest: None, verify: None }
}

impl Told {
    const fn down(self, down: &'static str) -> Self {
        Self { down: Some(down), ..self }
    }

    const fn manifest(self, manifest: &'static str) -> Self {
        Self { manifest: Some(manifest), ..self }
    }

    const fn verify(self, verify: &'static str) -> Self {
        Self { verify: Some(verify), ..self }
    }
}

fn files(all: &[Told]) -> Files {
    let mut files: Vec<(&'static str, &'static [u8])> = Vec::new();
    for told in all {
        let up = if told.down.is_some() { ".up.sql" } else { ".sql" };
        let parts =
            [(up, Some(told.up)), (".down.sql", told.down), (".toml", told.manifest), (".verify.sql", told.verify)];
        for (ending, text) in parts {
            let path = format!("{}_{}{ending}", told.version, told.name);
            files.extend(text.map(|text| (&*path.leak(), text.as_bytes())));
        }
    }
    // What is embedded is there for ever.
    files.leak()
}

fn code(all: &[Told]) -> Code {
    let run = |sql: &'static str| {
        move |tx: &mut Transaction<'_>| -> Result<(), RustError> { Ok(tx.execute(sql, &[]).map(drop)?) }
    };
    all.iter().fold(Code::new(), |mut code, told| {
        code = match told.down {
            Some(down) => code.up_down(told.version, told.name, run(told.up), run(down)),
            None => code.up(told.version, told.name, run(told.up)),
        };
        code = told.manifest.into_iter().fold(code, Code::manifest);
        told.verify.into_iter().fold(code, Code::verify)
    })
}

/// Makes each source of the same migrations.
fn sources(all: &[Told]) -> Vec<(&'static str, Box<dyn Source>)> {
    let of_files = MAKERS.iter().map(|maker| (maker.name, (maker.make)(files(all), Layout::Whimbrel, false)));
    of_files.chain([("code", Box::new(code(all)) as Box<dyn Source>)]).collect()
}

const REPEAT: &str = "repeat = 'on-change'";

/// Not in their order.
const NOTES: [Told; 4] = [
    told(3, "notes_seen", "CREATE VIEW notes_seen AS SELECT text FROM note").manifest(REPEAT),
    told(10, "late", "INSERT INTO note VALUES ('late')").manifest(
        "description = 'Only where many are'\n\
         [[preconditions]]\nsql = 'SELECT count(*) > 5 FROM note'\notherwise = 'skip'",
    ),
    told(2, "first_note", "INSERT INTO note VALUES ('first')")
        .down("DELETE FROM note")
        .manifest("depends_on = ['1']")
        .verify("SELECT count(*) = 1 FROM note"),
    told(1, "notes", "CREATE TABLE note (text)").down("DROP TABLE note"),
];

fn shown(migration: &Migration) -> String {
    let back = if migration.reversibility() == Reversibility::Reversible { ", and back" } else { "" };
    let after: Vec<String> = migration.placement.depends_on.iter().map(ToString::to_string).collect();
    format!(
        "{} ({:?}{back}) after {after:?}, {} conditions, verify {}, {:?}",
        migration.title(),
        migration.role(),
        migration.preconditions().count(),
        migration.verify.is_some(),
        migration.description(),
    )
}

#[test]
fn every_source_gives_the_same_migrations_in_one_order() {
    for (name, source) in sources(&NOTES) {
        assert!(!source.describe().is_empty(), "{name}");
        // Loading again gives the same.
        for _ in 0..2 {
            let loaded = source.load(&Interrupt::new()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((loaded.libraries.len(), loaded.hooks.len(), loaded.ignored.len()), (0, 0, 0), "{name}");
            let chain = Chain::new("main", loaded.migrations).unwrap_or_else(|error| panic!("{name}: {error}"));
            let all: Vec<_> = chain.migrations().iter().chain(chain.repeatables()).collect();
            assert_eq!(
                all.iter().map(|migration| shown(migration)).collect::<Vec<_>>(),
                [
                    "1 notes (Versioned, and back) after [], 0 conditions, verify false, None",
                    "2 first_note (Versioned, and back) after [\"1\"], 0 conditions, verify true, None",
                    "10 late (Versioned) after [], 1 conditions, verify false, Some(\"Only where many are\")",
                    "notes_seen (Repeatable) after [], 0 conditions, verify false, None",
                ],
                "{name}"
            );
            // One that may be skipped may be overtaken.
            assert!(all[2].placement.out_of_order && !all[1].placement.out_of_order, "{name}");
            assert!(all.iter().all(|migration| !migration.file.is_empty()), "{name}");
        }
    }
}

#[test]
fn every_source_may_be_empty() {
    for (name, source) in sources(&[]) {
        let loaded = source.load(&Interrupt::new()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(loaded.migrations.is_empty() && loaded.ignored.is_empty(), "{name}");
    }
}

#[test]
fn every_source_takes_from_the_manifest_when_a_migration_runs() {
    let cases = [("", Role::Versioned, 7), ("baseline = true", Role::Baseline, 7), (REPEAT, Role::Repeatable, 0)];
    for (manifest, role, version) in cases {
        for (name, source) in sources(&[told(7, "a", "SELECT 1").manifest(manifest)]) {
            let loaded = source.load(&Interrupt::new()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = loaded.migrations.iter().map(|migration| (migration.role(), migration.version));
            assert_eq!(found.collect::<Vec<_>>(), [(role, version.into())], "{name}");
        }
    }
}

#[test]
fn every_source_tells_all_problems_together() {
    let all = [
        told(1, "a", "SELECT 1"),
        told(1, "b", "SELECT 1"),
        told(2, "c", "SELECT 1").manifest("description = 'C'\ndepend_on = ['1']\nfoo = 1"),
        told(3, "d", "SELECT 1").manifest("depends_on = ['one']"),
        told(4, "e", "SELECT 1").verify("-- whimbrel: rebuild\nSELECT 1"),
        told(5, "f", "SELECT 1").manifest("baseline = true\nrepeat = 'on-change'"),
        told(6, "g", "SELECT 1").verify(" \n"),
        told(7, "a", "SELECT 1").down("SELECT 2").verify("SELECT '\0'"),
    ];
    // What is said of a migration names it, its part, the place in it, and what is wrong.
    let expected = [
        ("1_b", None, "version 1 is already that of "),
        ("2_c.toml", Some((2, 1)), "unknown key `depend_on`"),
        ("2_c.toml", Some((3, 1)), "unknown key `foo`"),
        ("3_d.toml", Some((1, 14)), "\"one\" names no migration: "),
        ("4_e.verify.sql", None, "a verify script cannot say how its migration runs: it is no migration itself"),
        ("5_f.toml", Some((1, 1)), "a baseline cannot be repeated"),
        ("6_g.verify.sql", None, "the file is blank"),
        ("7_a.verify.sql", Some((1, 9)), "there is a NUL character, at which a database would stop reading"),
    ];
    for (name, source) in sources(&all) {
        let error = source.load(&Interrupt::new()).expect_err(name);
        assert!(!error.interrupted && error.problems.is_sorted(), "{name}: {error}");
        assert_eq!(error.problems.len(), expected.len(), "{name}: {error}");
        let mut found: Vec<_> = error
            .problems
            .iter()
            .map(|problem| (part(&problem.file), problem.line.zip(problem.column), problem.message.as_str()))
            .collect();
        found.sort_unstable();
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1), (expected.0, expected.1), "{name}: {error}");
            assert!(found.2.starts_with(expected.2), "{name}: {error}");
        }
        assert!(found[0].2.contains("1_a"), "{name} does not say whose the version is: {error}");
    }
}

/// Returns which part of a migration something is called in messages, wherever it is; the body is called as the migration.
fn part(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = name.strip_suffix(" (Rust)").unwrap_or(name);
    name.strip_suffix(".sql").filter(|stem| !stem.contains('.')).unwrap_or(name)
}

#[test]
fn every_source_gives_everything_or_says_that_it_was_interrupted() {
    let interrupt = Interrupt::new();
    interrupt.raise();
    for (name, source) in sources(&NOTES) {
        match source.load(&interrupt) {
            Ok(loaded) => assert_eq!(loaded.migrations.len(), NOTES.len(), "{name}"),
            Err(error) => assert!(error.interrupted, "{name}: {error}"),
        }
    }
}

/// A database that a source's migrations go into.
struct Home {
    folder: TempDir,
    migrator: Migrator,
}

impl Home {
    fn of(source: Box<dyn Source>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Sqlite::file(folder.path().join("app.db"));
        let migrator = Migrator::builder().source(source).database(database).build().unwrap();
        Self { folder, migrator }
    }

    fn number(&self, sql: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.folder.path().join("app.db")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn up(&self) -> Result<Vec<(String, StepOutcome)>, Error> {
        let report = self.migrator.up(Until::End)?;
        Ok(report.steps.iter().map(|step| (step.step.migration.title(), step.outcome)).collect())
    }
}

#[test]
fn what_every_source_gives_runs_alike() {
    for (name, source) in sources(&NOTES) {
        let home = Home::of(source);
        let ran = home.up().unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let ran: Vec<(&str, StepOutcome)> = ran.iter().map(|(title, outcome)| (title.as_str(), *outcome)).collect();
        let done = StepOutcome::Done;
        let all = [("1 notes", done), ("2 first_note", done), ("10 late", StepOutcome::Skipped), ("notes_seen", done)];
        assert_eq!(ran, all, "{name}");
        assert_eq!(home.number("SELECT count(*) FROM notes_seen"), 1, "{name}");
        assert_eq!(home.up().unwrap(), [("10 late".to_owned(), StepOutcome::Skipped)], "{name}");
        let answers = home.migrator.verify_deep().unwrap();
        assert!(answers.len() == 1 && answers[0].result.is_ok(), "{name}: {answers:?}");
        home.migrator.down(Until::Steps(2)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(home.number("SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0, "{name}");
    }
}

#[test]
fn what_every_source_gives_is_verified() {
    let [.., first, notes] = NOTES;
    for (name, source) in sources(&[notes, first.verify("SELECT count(*) = 2 FROM note")]) {
        let home = Home::of(source);
        match home.up() {
            Err(Error::Run(failed)) => assert!(matches!(failed.source, StepError::Unverified { .. }), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(home.number("SELECT count(*) FROM note"), 0, "{name}");
    }
}

#[test]
fn what_a_migration_of_every_source_depends_on_must_be_there() {
    for (name, source) in sources(&[told(2, "b", "SELECT 1").manifest("depends_on = ['1']")]) {
        let error = Home::of(source).up().expect_err(name);
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            text += &cause.to_string();
        }
        assert!(text.contains("migration 2 b depends on 1, but "), "{name}: {text}");
    }
}
