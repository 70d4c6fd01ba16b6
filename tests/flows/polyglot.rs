//! The sample migration in every language, on the real host: the same bytes, no ambient power, clear failures.

mod bad;
mod behaves;
mod contract;
mod hints;
mod new;
mod pages;
mod units;
mod verifies;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::OnceLock;

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::plan::Until;
use whimbrel::source::Directory;
use whimbrel::wasm::{self, ComponentCache};
use whimbrel::{Error, Migrator};
use xtask::polyglot::{Absent, Form, Language, Sample, Workshop};

use super::guests::workspace;

fn workshop() -> &'static Workshop {
    static WORKSHOP: OnceLock<Workshop> = OnceLock::new();
    WORKSHOP.get_or_init(|| Workshop::open(&workspace()))
}

/// Unwraps what a tool made; a tool that is absent is a reason to skip, which only CI does not forgive.
fn made<T>(language: Language, made: anyhow::Result<Result<T, Absent>>) -> Option<T> {
    match made.unwrap_or_else(|error| panic!("{language}: {error:#}")) {
        Ok(made) => Some(made),
        Err(absent) => {
            assert!(std::env::var_os("CI").is_none(), "{language}: {absent}");
            eprintln!("skipped {language}: {absent}");
            None
        }
    }
}

fn sample(language: Language, form: Form) -> Option<Sample> {
    made(language, workshop().sample(language, form))
}

/// Builds the guest of this name that there is in every language.
fn guest(language: Language, name: &str) -> Option<Vec<u8>> {
    let folder = workspace().join("tests/guests/polyglot").join(language.folder());
    made(language, workshop().guest(language, &folder, name))
}

/// Customers: the cases that every language is tested with, and enough others for several batches.
fn customers() -> String {
    let mut sql = String::from(
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT, email TEXT, phone TEXT, balance TEXT,\n\
         first_name TEXT, last_name TEXT, email_key TEXT, phone_key TEXT, cents INTEGER);\n",
    );
    for line in include_str!("../../plugins/messy-customers/cases.tsv").split_terminator('\n') {
        let columns: Vec<String> = line.split('\t').take(4).map(literal).collect();
        writeln!(sql, "INSERT INTO customer (full_name, email, phone, balance) VALUES ({});", columns.join(", "))
            .unwrap();
    }
    sql.push_str(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)\n\
         INSERT INTO customer (full_name, email, phone, balance)\n\
         SELECT CASE i % 7 WHEN 0 THEN NULL ELSE ' Zoë  ' || i || ' O''Név ' END, 'U' || i || '@Example.ORG ',\n\
         '+44 (0) ' || (100000 + i), CASE i % 5 WHEN 0 THEN '' ELSE i || ',' || (i % 10) || '.' || (i % 10) END FROM n;\n",
    );
    sql
}

fn literal(column: &str) -> String {
    if column == "\\N" {
        return "NULL".to_owned();
    }
    let mut text = String::new();
    let mut characters = column.chars();
    while let Some(character) = characters.next() {
        text.push(match (character, character == '\\') {
            (_, true) => match characters.next().unwrap() {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                other => other,
            },
            (other, false) => other,
        });
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// A chain whose second migration is a sample.
struct Chain {
    folder: TempDir,
}

impl Chain {
    fn new(component: &[u8], form: Form, params: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("migrations");
        std::fs::create_dir(&migrations).unwrap();
        std::fs::write(migrations.join("0001_customers.sql"), customers()).unwrap();
        std::fs::write(migrations.join("0002_mend.wasm"), component).unwrap();
        let manifest = workspace().join(format!("plugins/messy-customers/{}.toml", form.name()));
        let manifest = std::fs::read_to_string(manifest).unwrap() + params;
        std::fs::write(migrations.join("0002_mend.toml"), manifest).unwrap();
        let chain = Self { folder };
        chain.migrator().up(Until::Steps(1)).unwrap();
        chain
    }

    fn migrator(&self) -> Migrator {
        Migrator::builder()
            .source(Directory::new(self.folder.path().join("migrations")))
            .database(Sqlite::file(self.folder.path().join("app.db")))
            .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
            .build()
            .unwrap()
    }

    fn up(&self) -> Result<(), Error> {
        self.migrator().up(Until::End).map(drop)
    }

    /// Returns every cell with its type and bytes.
    fn rows(&self) -> Vec<String> {
        let connection = Connection::open(self.folder.path().join("app.db")).unwrap();
        let columns = ["first_name", "last_name", "email_key", "phone_key", "cents", "full_name", "email"];
        let cells = columns.map(|column| format!("typeof({column}) || ':' || hex(cast({column} AS BLOB))"));
        let sql = format!("SELECT id || ' ' || {} FROM customer ORDER BY id", cells.join(" || ' ' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}

#[test]
fn every_language_leaves_the_same_bytes_and_takes_them_back() {
    let reference = sample(Language::Rust, Form::Rowwise).expect("Rust is here");
    let reference = Chain::new(&reference.bytes, Form::Rowwise, "");
    let before = reference.rows();
    reference.up().unwrap();
    let expected = reference.rows();
    let cases = include_str!("../../plugins/messy-customers/cases.tsv");
    assert!(expected.len() > 2500 && before != expected);
    let exact = cases.lines().position(|line| line.ends_with("\t9007199254740993")).unwrap();
    assert!(expected[exact].contains("integer:39303037313939323534373430393933"), "{}", expected[exact]);

    for language in Language::ALL {
        for form in Form::ALL {
            let Some(sample) = sample(language, form) else { continue };
            let chain = Chain::new(&sample.bytes, form, "");
            chain.up().unwrap_or_else(|error| panic!("{language}, {}: {error:?}", form.name()));
            let rows = chain.rows();
            let different = rows.iter().zip(&expected).find(|(found, expected)| found != expected);
            assert!(different.is_none() && rows.len() == expected.len(), "{language}, {}: {different:?}", form.name());
            if form == Form::Rowwise {
                chain.migrator().down(Until::Steps(1)).unwrap_or_else(|error| panic!("{language}, down: {error:?}"));
                assert!(chain.rows() == before, "{language} did not take it all back");
            }
        }
    }
}

#[test]
fn none_imports_anything_but_the_contract() {
    for language in Language::ALL {
        for form in Form::ALL {
            let Some(sample) = sample(language, form) else { continue };
            let inspection = wasm::inspect(&sample.bytes).unwrap();
            let imports: BTreeSet<&str> = inspection.imports.iter().map(String::as_str).collect();
            let allowed =
                ["log", "rows", "signatures", "sql", "types"].map(|name| format!("whimbrel:migration/{name}@0.1.0"));
            let more: Vec<_> = imports.iter().filter(|import| !allowed.iter().any(|name| name == *import)).collect();
            assert!(more.is_empty(), "{language}, {} imports {more:?}", form.name());
            let sql = imports.iter().any(|import| import.contains("/sql@"));
            // A transform too: for its `verify`, which only reads.
            assert!(sql, "{language}, {}: it needs SQL", form.name());
            let world = if form == Form::Rowwise { "verified-reversible" } else { "verified-transform" };
            assert_eq!(inspection.world(), Some(world), "{language}");
        }
    }
}

#[test]
fn every_language_says_the_same_about_a_row_it_refuses() {
    let strict = "\n[params]\nstrict = \"yes\"\n";
    for language in Language::ALL {
        for form in Form::ALL {
            let Some(sample) = sample(language, form) else { continue };
            let chain = Chain::new(&sample.bytes, form, strict);
            let before = chain.rows();
            let error = chain.up().unwrap_err();
            let mut text = format!("{error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                write!(text, ": {cause}").unwrap();
                source = cause.source();
            }
            assert!(text.contains("customer 5: not an e-mail address:"), "{language}, {}: {text}", form.name());
            assert!(chain.rows() == before, "{language}: something stayed");
        }
    }
}

#[test]
fn inspect_knows_the_language_of_each() {
    for language in Language::ALL {
        let Some(sample) = sample(language, Form::Rowwise) else { continue };
        let expected = match language {
            Language::Rust => "Rust",
            Language::C => "C",
            Language::Go => "Go",
            Language::JavaScript => "JavaScript",
            Language::TypeScript => "TypeScript",
            Language::Python => "Python",
            Language::Zig => "Zig",
            Language::AssemblyScript => "AssemblyScript",
        };
        let made_in = wasm::inspect(&sample.bytes).unwrap().made_in().expect("it is known");
        assert_eq!(made_in.language, expected);
        assert!(made_in.tool.is_some_and(|tool| tool.contains(|c: char| c.is_ascii_digit())), "{language}");
    }
}

#[test]
fn what_can_be_built_twice_gives_the_same_bytes() {
    // JavaScript and Python snapshot a heap: their bytes differ, so their components are kept as they were built.
    for language in [Language::C, Language::Go, Language::Zig, Language::AssemblyScript] {
        let Some(first) = sample(language, Form::Transform) else { continue };
        let again = made(language, workshop().rebuild(language, Form::Transform)).expect("the tools are there");
        assert!(first.bytes == again, "{language} gives other bytes the second time");
    }
}
