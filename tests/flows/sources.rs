//! One suite for all sources: `every` has what each must do, whatever it reads, and this what those of files must do.

mod archive;
mod every;
mod http;
mod makers;

use std::borrow::Cow;

use whimbrel::Interrupt;
use whimbrel::model::{Body, Kind, Reversibility};
use whimbrel::source::{Layout, Loaded, Source, SourceError};

use self::makers::{Files, MAKERS};

fn shown(loaded: &Loaded) -> Vec<String> {
    let mut migrations: Vec<_> = loaded.migrations.iter().collect();
    migrations.sort_by_key(|migration| (migration.role(), migration.version));
    migrations
        .iter()
        .map(|migration| {
            let down = if migration.reversibility() == Reversibility::Reversible { " and back" } else { "" };
            format!("{} {} {:.8}{down}", migration.title(), migration.kind(), migration.checksum())
        })
        .collect()
}

fn each(files: Files, layout: Layout, recursive: bool, check: impl Fn(&str, Result<Loaded, SourceError>)) {
    for maker in &MAKERS {
        let source = (maker.make)(files, layout, recursive);
        assert!(!source.describe().is_empty(), "{}", maker.name);
        check(maker.name, source.load(&Interrupt::new()));
        // Loading again gives the same.
        check(maker.name, source.load(&Interrupt::new()));
    }
}

const PLAIN: Files = &[
    ("0001_create.up.sql", b"CREATE TABLE t (a);"),
    ("0001_create.down.sql", b"DROP TABLE t;"),
    ("0002_code.wasm", b"\0asm"),
    ("0002_code.toml", b"description = 'Code'"),
    ("10_last.sql", b"\xef\xbb\xbfSELECT 1;\r\n"),
    ("R__views.sql", b"SELECT 2;"),
    ("README.md", b"words"),
];

#[test]
fn every_source_of_files_loads_the_same_migrations() {
    each(PLAIN, Layout::Auto, false, |name, loaded| {
        let loaded = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            shown(&loaded),
            [
                "1 create sql 58025c00 and back",
                "2 code component cd5d4935",
                "10 last sql 1ffc3c6a",
                "views sql 8e7003d6",
            ],
            "{name}"
        );
        assert_eq!(loaded.ignored.len(), 1, "{name}");
        // The bytes are those of the files, a byte order mark and carriage returns included.
        let last = loaded.migrations.iter().find(|migration| migration.name == "last").unwrap();
        let Body::Sql { up, .. } = &last.body else { panic!("{name}") };
        assert_eq!(up.text, Cow::Borrowed("\u{feff}SELECT 1;\r\n"), "{name}");
    });
}

#[test]
fn every_source_of_files_tells_all_problems_with_their_places() {
    const WRONG: Files = &[
        ("1_a.sql", b"SELECT 1;\n-- whimbrel: rebuild"),
        ("2_b.sql", b""),
        ("3_c.sql", b"SELECT '\xff'"),
        ("4create.sql", b"SELECT 1;"),
    ];
    each(WRONG, Layout::Whimbrel, false, |name, loaded| {
        let error = loaded.expect_err(name);
        let places: Vec<String> = error
            .problems
            .iter()
            .map(|problem| {
                let file = problem.file.rsplit('/').next().unwrap();
                format!("{file}:{}:{}", problem.line.unwrap_or(0), problem.column.unwrap_or(0))
            })
            .collect();
        let mut places = places;
        places.sort();
        assert_eq!(places, ["1_a.sql:2:4", "2_b.sql:0:0", "3_c.sql:1:9", "4create.sql:0:0"], "{name}");
    });
}

#[test]
fn every_source_of_files_goes_into_folders_when_it_is_told_to() {
    const DEEP: Files = &[
        ("1_a.sql", b"SELECT 1;"),
        ("2026/2_b.sql", b"SELECT 2;"),
        ("2026/q1/3_c.sql", b"SELECT 3;"),
        (".hidden/4_d.sql", b"SELECT 4;"),
    ];
    each(DEEP, Layout::Whimbrel, false, |name, loaded| assert_eq!(loaded.unwrap().migrations.len(), 1, "{name}"));
    each(DEEP, Layout::Whimbrel, true, |name, loaded| assert_eq!(loaded.unwrap().migrations.len(), 3, "{name}"));
}

#[test]
fn every_source_of_files_takes_the_files_for_its_database() {
    const VARIANTS: Files = &[
        ("1_a.sql", b"SELECT 1;"),
        ("2_b.sqlite.sql", b"SELECT 'sqlite';"),
        ("2_b.postgres.sql", b"SELECT 'postgres';"),
        ("3_c.sql", b"SELECT 'any';"),
        ("3_c.sqlite3.sql", b"SELECT 'sqlite';"),
        ("sqlite/4_d.up.sql", b"SELECT 4;"),
        ("sqlite/4_d.down.sql", b"SELECT -4;"),
        ("mysql/4_d.sql", b"not even UTF-8 \xff"),
    ];
    each(VARIANTS, Layout::Auto, false, |name, loaded| {
        let loaded = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut migrations: Vec<_> = loaded.migrations.iter().collect();
        migrations.sort_by_key(|migration| migration.version);
        let texts: Vec<String> = migrations
            .iter()
            .map(|migration| match &migration.body {
                Body::Sql { up, .. } => up.text.to_string(),
                _ => panic!("{name}"),
            })
            .collect();
        assert_eq!(texts, ["SELECT 1;", "SELECT 'sqlite';", "SELECT 'sqlite';", "SELECT 4;"], "{name}");
    });
    const LACKING: Files = &[("1_a.postgres.sql", b"SELECT 1;"), ("1_a.mysql.sql", b"SELECT 1;")];
    each(LACKING, Layout::Auto, false, |name, loaded| {
        let problems = loaded.expect_err(name).problems;
        assert!(problems.iter().all(|problem| problem.message == "has no counterpart for sqlite"), "{name}");
    });
}

#[test]
fn every_source_of_files_reads_every_layout() {
    let cases: [(Layout, Files, &[&str]); 10] = [
        (
            Layout::Sqlx,
            &[("20210101_a b.up.sql", b"SELECT 1;"), ("20210101_a b.down.sql", b"SELECT 2;")],
            &["20210101 a b sql and back"],
        ),
        (Layout::Refinery, &[("V1__a.sql", b"SELECT 1;"), ("sub/U2__b.sql", b"SELECT 2;")], &["1 a sql", "2 b sql"]),
        (
            Layout::Flyway,
            &[
                ("V1.2__a.sql", b"SELECT 1;"),
                ("V1.10__b.sql", b"SELECT 2;"),
                ("deep/er/U1.10__undo.sql", b"SELECT 3;"),
                ("R__v.sql", b"SELECT 4;"),
                ("B1__s.sql", b"SELECT 5;"),
            ],
            &["1.2 a sql", "1.10 b sql and back", "1 s sql", "v sql"],
        ),
        (
            Layout::GolangMigrate,
            &[("1_a..up.sql", b"SELECT 1;"), ("1_b.down.sql", b"SELECT 2;"), ("3_c.down.sql", b"SELECT 3;")],
            &["1 a sql and back"],
        ),
        (
            Layout::Goose,
            &[("00001_a.sql", b"-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"), ("2_b.sql", b"-- +goose Up\n")],
            &["1 a sql and back", "2 b sql"],
        ),
        (
            Layout::Dbmate,
            &[("1_a.sql", b"-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n")],
            &["1 a sql and back"],
        ),
        (
            Layout::Diesel,
            &[("2024-01-31-120000_a/up.sql", b"SELECT 1;"), ("2024-01-31-120000_a/down.sql", b"SELECT 2;")],
            &["20240131120000 a sql and back"],
        ),
        (Layout::Atlas, &[("1.sql", b"SELECT 1;"), ("2_b.sql", b"SELECT 2;")], &["1 unnamed sql", "2 b sql"]),
        (
            Layout::Prisma,
            &[("0_init/migration.sql", b"SELECT 1;"), ("1_b/migration.sql", b"")],
            &["0 init sql", "1 b sql"],
        ),
        (Layout::Whimbrel, &[("1_a.sql", b"SELECT 1;")], &["1 a sql"]),
    ];
    for (layout, files, expected) in cases {
        each(files, layout, false, |name, loaded| {
            let loaded = loaded.unwrap_or_else(|error| panic!("{name}, {layout}: {error}"));
            let found: Vec<String> = shown(&loaded)
                .iter()
                .map(|line| {
                    let (title, rest) = line.split_once(" sql ").expect("all are SQL");
                    format!("{title} sql{}", if rest.ends_with(" and back") { " and back" } else { "" })
                })
                .collect();
            assert_eq!(found, expected, "{name}, {layout}");
            assert!(loaded.migrations.iter().all(|migration| migration.kind() == Kind::Sql));
        });
    }
}

#[test]
fn every_source_of_files_asks_when_a_folder_could_be_two() {
    const BOTH: Files = &[
        ("1_a.sql", b"-- +goose Up\n"),
        ("2_b.sql", b"-- migrate:up\n"),
        ("3_c.sql", b"-- +goose Up\n"),
        ("4_d.sql", b"-- migrate:up\n"),
    ];
    each(BOTH, Layout::Auto, false, |name, loaded| {
        if name == "several directories" {
            // One folder has those of goose and the other those of dbmate, which is clear.
            return assert_eq!(loaded.unwrap().migrations.len(), 4);
        }
        let error = loaded.expect_err(name);
        assert!(error.problems[0].message.starts_with("looks like the folder of goose ("), "{name}: {error}");
    });
}
