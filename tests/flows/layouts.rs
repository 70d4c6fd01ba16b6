//! Folders of other tools, run as they are.

use std::fmt::Write as _;

use crate::harness::Project;

fn project(files: &[(&str, &str)]) -> Project {
    Project::with(files)
}

fn tables(project: &Project) -> String {
    let database = project.database();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%whimbrel%' \
               AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = database.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    names.map(|name| name.unwrap()).collect::<Vec<_>>().join(" ")
}

/// Runs everything up, then everything that can be reverted down.
fn up(project: &Project) -> String {
    project.ok(&["up"]);
    tables(project)
}

#[test]
fn runs_each_layout_up_and_down() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[
                ("00001_a.sql", "-- +goose Up\nCREATE TABLE a (x);\n-- +goose Down\nDROP TABLE a;\n"),
                (
                    "00002_b.sql",
                    "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE b (x);\nCREATE TRIGGER t AFTER INSERT ON b BEGIN\n  \
                     DELETE FROM a;\nEND;\n-- +goose StatementEnd\n-- +goose Down\nDROP TABLE b;\n",
                ),
            ],
            "a b",
        ),
        (&[("20210101_a.sql", "-- migrate:up\nCREATE TABLE a (x);\n\n-- migrate:down\nDROP TABLE a;\n")], "a"),
        (
            &[("2024-01-31-120000_a/up.sql", "CREATE TABLE a (x);"), ("2024-01-31-120000_a/down.sql", "DROP TABLE a;")],
            "a",
        ),
        (
            &[
                ("V1.10__b.sql", "CREATE TABLE b AS SELECT * FROM a;"),
                ("V1.9__a.sql", "CREATE TABLE a (x);"),
                ("U1.9__a.sql", "DROP TABLE a;"),
                ("undo/U1.10__b.sql", "DROP TABLE b;"),
            ],
            "a b",
        ),
        (
            &[
                (
                    "1_a..up.sql",
                    "PRAGMA foreign_keys=OFF;\nBEGIN;\nCREATE TABLE a (x);\nCOMMIT;\nPRAGMA foreign_keys=ON;",
                ),
                ("1_a.down.sql", "BEGIN;\nDROP TABLE a;\nCOMMIT;"),
            ],
            "a",
        ),
        (
            &[
                ("20210101_a.up.sql", "-- no-transaction\nCREATE TABLE a (x);"),
                ("20210101_a.down.sql", "DROP TABLE a;"),
            ],
            "a",
        ),
    ];
    for (files, expected) in cases {
        let project = project(files);
        assert_eq!(up(&project), expected);
        project.ok(&["down", "--all"]);
        assert_eq!(tables(&project), "");
        assert_eq!(up(&project), expected);
    }
}

#[test]
fn says_which_layout_when_it_cannot_tell() {
    let project = project(&[("1_a.sql", "-- +goose Up\n"), ("2_b.sql", "-- migrate:up\n")]);
    let outcome = project.run(&["status"]);
    insta::assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    error: migrations: looks like the folder of goose (migrations/1_a.sql) and of dbmate (migrations/2_b.sql)
    hint: say which it is with --layout, or give each a folder of its own
    ");
    let outcome = project.run(&["status", "--layout", "dbmat"]);
    insta::assert_snapshot!(outcome, @r#"
    exit 2
    --- stderr
    error: invalid value 'dbmat' for '--layout <TOOL>': "dbmat" is no layout: did you mean `dbmate`?

    For more information, try '--help'.
    "#);
    project.write("whimbrel.toml", "database = \"app.db\"\nlayout = \"goos\"\n");
    insta::assert_snapshot!(project.run(&["status"]), @r#"
    exit 2
    --- stderr
    error: whimbrel.toml:2:10: "goos" is no layout: did you mean `goose`?
    "#);
}

/// These tools would run 10 before 9.
#[test]
fn names_that_are_in_another_order_as_text_are_refused() {
    let cases = [
        ("dbmate", ".sql", "-- migrate:up\nSELECT 1;\n"),
        ("atlas", ".sql", "SELECT 1;\n"),
        ("diesel", "/up.sql", "SELECT 1;\n"),
        ("prisma", "/migration.sql", "SELECT 1;\n"),
    ];
    for (layout, rest, text) in cases {
        let (nine, ten) = (format!("9_a{rest}"), format!("10_b{rest}"));
        let project = project(&[(&nine, text), (&ten, text)]);
        let run = project.run(&["plan", "--layout", layout]);
        let told = format!(
            "migrations/{nine}: comes after migrations/{ten} for {layout}, which compares names as text, but before it \
             as the number 9"
        );
        assert!(run.code == 1 && run.stderr.contains(&told), "{run}");
        project.remove(&format!("migrations/{nine}"));
        project.write(&format!("migrations/09_a{rest}"), text);
        project.ok(&["plan", "--layout", layout]);
    }
}

/// A slip of the pen that real folders have, and that their tools do not mind.
#[test]
fn dates_among_timestamps_keep_the_order_of_their_tools() {
    let cases = [
        ("diesel", ["2024-03-06-170000_a", "2024-03-13_170000_b", "2024-06-05-131359_c"], "/up.sql", ""),
        ("prisma", ["20240306170000_a", "20240313_b", "20240605131359_c"], "/migration.sql", ""),
        ("dbmate", ["20240306170000_a", "20240313_b", "20240605131359_c"], ".sql", "-- migrate:up\n"),
        ("atlas", ["20240306170000_a", "20240313_b", "20240605131359_c"], ".sql", ""),
    ];
    for (layout, names, rest, head) in cases {
        let scripts = ["CREATE TABLE a (x);", "ALTER TABLE a RENAME TO b;", "ALTER TABLE b RENAME TO c;"];
        let files: Vec<(String, String)> = names
            .iter()
            .zip(scripts)
            .map(|(name, script)| (format!("{name}{rest}"), format!("{head}{script}\n")))
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let project = project(&files);
        let done = project.ok(&["up", "--json", "--layout", layout]).json("up");
        let versions: Vec<&str> =
            done["steps"].as_array().unwrap().iter().map(|step| step["version"].as_str().unwrap()).collect();
        assert_eq!(versions, ["20240306170000", "20240313000000", "20240605131359"], "{layout}");
        assert_eq!(tables(&project), "c");
        project.ok(&["verify", "--layout", layout]);
    }
}

/// diesel writes four digits more than it did, and folders made by hand have fewer.
#[test]
fn timestamps_of_unequal_length_keep_the_order_of_diesel() {
    let files = [
        ("2026-02-09-120000_before/up.sql", "CREATE TABLE o (x);"),
        ("2026-02-10-064457-0000_a/up.sql", "CREATE TABLE a (x);"),
        ("2026-02-11-000000_b/up.sql", "ALTER TABLE a RENAME TO b;"),
        ("2026-02-11-080917-0000_c/up.sql", "ALTER TABLE b RENAME TO c;"),
        ("2026-02-13_d/up.sql", "ALTER TABLE c RENAME TO d;"),
    ];
    let project = project(&files);
    let done = project.ok(&["up", "--json"]).json("up");
    let versions: Vec<&str> =
        done["steps"].as_array().unwrap().iter().map(|step| step["version"].as_str().unwrap()).collect();
    let expected =
        ["20260209120000", "202602100644570000", "202602110000000000", "202602110809170000", "202602130000000000"];
    assert_eq!(versions, expected);
    assert_eq!(tables(&project), "d o");
    project.ok(&["verify"]);
}

#[test]
fn errors_name_the_line_and_column_of_the_file_that_was_cut() {
    let goose = "-- words\n\n-- +goose Up\nCREATE TABLE a (x);\n\n  SELEC 1;\n-- +goose Down\nDROP TABLE b;\n";
    let dbmate = "-- migrate:up\nCREATE TABLE a (x);\n-- migrate:down\n\n   DROP TABLE nothing;\n";
    let mut shown = String::new();
    let goose = project(&[("00001_a.sql", goose)]);
    writeln!(shown, "{}", goose.run(&["up"])).unwrap();
    let dbmate = project(&[("00001_a.sql", dbmate)]);
    dbmate.ok(&["up"]);
    writeln!(shown, "{}", dbmate.run(&["down"])).unwrap();
    insta::assert_snapshot!(shown, @r#"
    exit 1
    --- stderr
    error: migration 1 a failed on its way up
      caused by: near "SELEC": syntax error (SQLITE_ERROR)
     --> migrations/00001_a.sql:6:3
      |
    6 |   SELEC 1;
      |   ^^^^^
    note: migration 1 a was rolled back

    exit 1
    --- stderr
    error: migration 1 a failed on its way down
      caused by: near "nothing": syntax error (SQLITE_ERROR)
     --> migrations/00001_a.sql:5:15
      |
    5 |    DROP TABLE nothing;
      |               ^^^^^^^
    note: migration 1 a was rolled back
    "#);
}

#[test]
fn marks_of_other_tools_keep_a_script_out_of_a_transaction() {
    let vacuum: [(&str, &[(&str, &str)]); 5] = [
        ("sqlx", &[("1_a.sql", "-- no-transaction\nVACUUM;")]),
        ("goose", &[("1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;")]),
        ("dbmate", &[("1_a.sql", "-- migrate:up transaction:false\nVACUUM;")]),
        ("diesel", &[("1_a/up.sql", "VACUUM;"), ("1_a/metadata.toml", "run_in_transaction = false")]),
        ("flyway", &[("V1__a.sql", "VACUUM;"), ("V1__a.sql.conf", "executeInTransaction=false")]),
    ];
    for (layout, files) in vacuum {
        let project = project(files);
        let plan = project.ok(&["plan", "--json", "--layout", layout]).json("plan");
        assert_eq!(plan["steps"][0]["transaction"], false, "{layout}");
        project.ok(&["up", "--layout", layout]);
    }
    let atlas = project(&[("1_a.sql", "-- atlas:txmode none\n\nVACUUM;")]);
    atlas.ok(&["up", "--layout", "atlas"]);
    let without = project(&[("1_a/up.sql", "VACUUM;"), ("1_a/metadata.toml", "run_in_transaction = 3")]);
    assert_eq!(without.run(&["up"]).code, 1);
}

#[test]
fn checks_atlas_sum() {
    let project = project(&[
        ("1.sql", "SELECT 1;\n"),
        ("2.sql", "SELECT 2;\n"),
        (
            "atlas.sum",
            "h1:vEYRxJJ2yiQiQ9IOIE4KMMLI4US9tBMRTxsHN6BFs4M=\n\
             1.sql h1:/LIYEXNc34X4BgMCjkBOvNY/5Pgu0dgi84pBUYSOYN0=\n\
             2.sql h1:Q/IWZG2kB1wGzrhowFzZ4rk48BtG9ZOlrMNVl0F5izE=\n",
        ),
    ]);
    project.ok(&["up"]);
    project.write("migrations/2.sql", "SELECT 3;\n");
    insta::assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: migrations/atlas.sum:3:1: 2.sql is not what it was when its checksum was written
    hint: if the change is meant, write the checksums anew with `atlas migrate hash`
    ");
}

#[test]
fn components_lie_beside_the_scripts_of_other_tools() {
    let project = project(&[("00001_a.sql", "-- +goose Up\nCREATE TABLE a (x);\n")]);
    let sample = crate::flows::guests::workspace().join("migrations");
    let bytes = std::fs::read(sample.join("0003_split_names.wasm")).unwrap();
    project.write("migrations/00002_split_names.wasm", bytes);
    project.write("migrations/00002_split_names.toml", "description = 'Splits names'\n");
    let plan = project.ok(&["plan", "--json"]).json("plan");
    assert_eq!(plan["steps"][0]["kind"], "sql");
    assert_ne!(plan["steps"][1]["kind"], "sql");
}

#[test]
fn foreign_keys_that_a_script_switches_off_are_off_while_it_runs() {
    let project = project(&[
        (
            "1_a..up.sql",
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);\nCREATE TABLE child (parent REFERENCES parent ON DELETE CASCADE);\n\
             INSERT INTO parent VALUES (1);\nINSERT INTO child VALUES (1);",
        ),
        (
            "2_b.up.sql",
            "PRAGMA foreign_keys=OFF;\nCREATE TABLE new (id INTEGER PRIMARY KEY, more);\nINSERT INTO new (id) SELECT id FROM parent;\n\
             DROP TABLE parent;\nALTER TABLE new RENAME TO parent;\nPRAGMA foreign_keys=ON;",
        ),
    ]);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM child"), 1);
}

const PARENT_AND_CHILD: &str = "-- +goose Up\nCREATE TABLE parent (id INTEGER PRIMARY KEY);\n\
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent ON DELETE CASCADE);\n\
    INSERT INTO parent VALUES (1), (2);\nINSERT INTO child VALUES (1, 1), (2, 2);\n";
const PARENT_MADE_ANEW: &str = "-- +goose Up\nCREATE TABLE new (id INTEGER PRIMARY KEY, more);\n\
    INSERT INTO new (id) SELECT id FROM parent;\nDROP TABLE parent;\nALTER TABLE new RENAME TO parent;\n";

/// goose opens SQLite as it is, with foreign keys off.
#[test]
fn foreign_keys_are_off_where_the_tool_has_them_off() {
    let files = [("00001_a.sql", PARENT_AND_CHILD), ("00002_b.sql", PARENT_MADE_ANEW)];
    for arguments in [&["up"][..], &["up", "--single-transaction"]] {
        let project = project(&files);
        let tried = project.ok(&["up", "--dry-run"]);
        assert!(!tried.stdout.contains("not tried") && !tried.stderr.contains("warning"), "{tried}");
        project.ok(arguments);
        assert_eq!(project.number("SELECT count(*) FROM child"), 2);
        assert_eq!(project.number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    }
    let project = project(&files);
    project.write("whimbrel.toml", "database = \"app.db\"\nforeign_keys = true\n");
    let run = project.ok(&["up"]);
    let expected = "DROP TABLE parent deleted 2 rows of child, by foreign keys";
    assert!(run.stderr.contains(expected) && run.stderr.contains("-- whimbrel: rebuild"), "{run}");
    assert_eq!(project.number("SELECT count(*) FROM child"), 0);
}

#[test]
fn rows_that_lose_their_parents_while_foreign_keys_are_off_are_refused() {
    let harm = "-- +goose Up\nDELETE FROM parent WHERE id = 2;\n";
    let project = project(&[("00001_a.sql", PARENT_AND_CHILD), ("00002_b.sql", harm)]);
    for arguments in [&["up", "--dry-run"][..], &["up", "--single-transaction"], &["up"]] {
        let run = project.run(arguments);
        let expected =
            "which its tool has off and so had the host: a row of child with rowid 2 has no parent in parent";
        assert!(run.code == 1 && run.stderr.contains(expected), "{run}");
    }
    assert_eq!(project.number("SELECT count(*) FROM parent"), 2);
    project.write("whimbrel.toml", "database = \"app.db\"\nforeign_keys = false\n");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM child"), 2);
}

#[test]
fn what_goes_with_a_table_that_is_dropped_is_told() {
    let up = |text: &'static str| text.trim_start_matches("-- +goose Up\n");
    let project = project(&[("1_a.sql", up(PARENT_AND_CHILD)), ("2_b.sql", up(PARENT_MADE_ANEW))]);
    let expected = "DROP TABLE parent deleted 2 rows of child, by foreign keys";
    for arguments in [&["up", "--dry-run"][..], &["up"]] {
        let run = project.ok(arguments);
        assert!(run.stderr.contains(expected), "{run}");
    }
}

#[test]
fn what_only_the_program_of_goose_can_run_is_told_where_something_comes_after_it() {
    let project = project(&[
        ("00001_a.sql", "-- +goose Up\nCREATE TABLE a (x);"),
        ("00002_b.go", "package migrations"),
        ("00003_c.go", "package migrations"),
        ("00004_d.sql", "-- +goose Up\nCREATE TABLE d AS SELECT x FROM a;"),
    ]);
    let expected = "migration 2 b: is code that only the program which it is a part of can run (migrations/00002_b.go), as is another one; \
                    4 d comes after it";
    for arguments in [&["plan"][..], &["up", "--dry-run"]] {
        let run = project.ok(arguments);
        assert!(run.stderr.contains(expected), "{run}");
    }
    assert!(!project.ok(&["plan", "--to", "1"]).stderr.contains("warning"));
    // What goose has applied of it is applied.
    project
        .database()
        .execute_batch(
            "CREATE TABLE a (x); CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, \
             is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now'))); \
             INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1), (3, 1);",
        )
        .unwrap();
    project.ok(&["adopt"]);
    let status = project.ok(&["status"]);
    assert!(!status.stdout.contains("missing") && !status.stdout.contains("unnamed"), "{status}");
    assert!(!status.stderr.contains("the sequence has no"), "{status}");
    let up = project.ok(&["up"]);
    assert!(!up.stderr.contains("warning"), "{up}");
    project.ok(&["verify"]);
}
