//! `keep_bodies = true`: the history keeps what was applied, shows it, and reverts by it.

use insta::assert_snapshot;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::model::{Key, Version};
use whimbrel::plan::Until;
use whimbrel::source::{Code, Directory};
use whimbrel::{KeptPart, Migrator};

use crate::harness::Project;

const SETTINGS: &str = "database = \"sqlite:app.db\"\nkeep_bodies = true\n";

/// Makes a project that keeps what it applies.
fn keeping(migrations: &[(&str, &str)]) -> Project {
    let project = Project::with(migrations);
    project.write("whimbrel.toml", SETTINGS);
    project
}

/// Makes a project that has nothing but the database of another, and keeps what it applies as well.
fn restored(project: &Project) -> Project {
    let restored = keeping(&[]);
    restored.write("app.db", project.bytes("app.db"));
    restored
}

fn notes() -> Project {
    let project = Project::notes();
    project.write("whimbrel.toml", SETTINGS);
    project.ok(&["up"]);
    project
}

#[test]
fn a_restored_backup_with_an_empty_folder_explains_itself_and_goes_down() {
    let backup = restored(&notes());
    assert_snapshot!(backup.run(&["history", "--body", "2"]), @"
    exit 0
    --- stdout
    INSERT INTO note (text) VALUES ('one'), ('two');
    ");
    assert_snapshot!(backup.run(&["history", "--body", "1", "--part", "down"]), @"
    exit 0
    --- stdout
    DROP TABLE note;
    ");
    assert_snapshot!(backup.run(&["history", "--body", "1", "--part", "manifest"]), @"
    exit 1
    --- stderr
    error: the history has not kept the manifest of 1 create_note
    hint: `keep_bodies = true` in whimbrel.toml keeps what is applied from then on
    ");
    assert_snapshot!(backup.run(&["history", "--body", "3"]), @"
    exit 1
    --- stderr
    error: the history has no migration 3
    hint: `whimbrel history` shows those there are
    ");
    assert_snapshot!(backup.run(&["history", "--body", "2", "-o", "old.sql"]), @"
    exit 0
    --- stdout
    Wrote the body of 2 first_notes to old.sql: 49 bytes.
    ");
    assert_eq!(backup.read("old.sql"), "INSERT INTO note (text) VALUES ('one'), ('two');\n");
    backup.ok(&["history", "--body", "2", "-o", "old.sql"]);
    assert_snapshot!(backup.run(&["history", "--body", "1", "-o", "old.sql"]), @"
    exit 1
    --- stderr
    error: old.sql exists already and was not touched
    hint: choose another place with --output; --force overwrites it
    ");
    backup.ok(&["history", "--body", "1", "-o", "old.sql", "--force"]);
    backup.ok(&["history", "--body", "2", "-o", "old.sql", "--force"]);
    let json = backup.ok(&["history", "--body", "2", "--json"]).json("history-body");
    assert_eq!((&json["part"], &json["text"]), (&"body".into(), &backup.read("old.sql").into()));
    assert_snapshot!(backup.run(&["plan", "down", "--all"]), @"
    exit 0
    --- stdout
    1. down 2 first_notes  sql  _whimbrel_history/2_first_notes.down.sql
    2. down 1 create_note  sql  _whimbrel_history/1_create_note.down.sql

    warning: table note with 2 rows would be gone

    `whimbrel down` would revert 2 migrations.

    --- stderr
    warning: migration 2 first_notes: has no file any more
    hint: what the history has kept of it reverts it, as it was applied
    warning: migration 1 create_note: has no file any more
    hint: what the history has kept of it reverts it, as it was applied
    ");
    assert_snapshot!(backup.run(&["down"]), @"
    exit 0
    --- stdout
    Reverted 1 migration in [time].

    --- stderr
    Reverted 2 first_notes ([time]).
    warning: migration 2 first_notes: has no file any more
    hint: what the history has kept of it reverts it, as it was applied
    ");
    assert_eq!(backup.number("SELECT count(*) FROM note"), 0);
    backup.ok(&["down"]);
    assert_eq!(backup.number("SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
    // What was reverted is explained as well.
    assert!(backup.ok(&["history", "--body", "1"]).stdout.contains("CREATE TABLE note"));
}

#[test]
fn what_stands_in_a_database_is_run_only_where_it_is_to_be_kept() {
    let backup = restored(&notes());
    backup.write("whimbrel.toml", "database = \"sqlite:app.db\"\n");
    backup.unchanged(|| {
        let refused = backup.run(&["down", "--json"]);
        assert!(refused.code == 1 && refused.stdout.contains("\"missing\""), "{refused}");
        assert!(refused.stdout.contains("`keep_bodies = true`"), "{refused}");
    });
    assert!(backup.ok(&["history", "--body", "1"]).stdout.contains("CREATE TABLE note"));
    let chains = "[chains.main]\nkeep_bodies = true\n";
    backup.write("whimbrel.toml", format!("database = \"sqlite:app.db\"\n{chains}"));
    backup.ok(&["down", "--all"]);
}

#[test]
fn a_changed_migration_is_reverted_as_it_was_applied() {
    let project = notes();
    project.write("migrations/0002_first_notes.down.sql", "DROP TABLE note;\n");
    assert_snapshot!(project.run(&["down"]), @"
    exit 0
    --- stdout
    Reverted 1 migration in [time].

    --- stderr
    Reverted 2 first_notes ([time]).
    warning: migration 2 first_notes: was changed after it was applied
    hint: what the history has kept of it reverts it, as it was applied
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 0);
    // The next time the file is what was applied, so it needs nothing that was kept.
    project.ok(&["up"]);
    project.database().execute("DELETE FROM _whimbrel_history_bodies", []).expect("delete");
    project.ok(&["down"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
}

#[test]
fn a_redo_goes_down_as_it_was_and_up_as_it_is() {
    let project = notes();
    project.write("migrations/0002_first_notes.up.sql", "INSERT INTO note (text) VALUES ('three');\n");
    project.write("migrations/0002_first_notes.down.sql", "DROP TABLE note;\n");
    project.ok(&["redo"]);
    assert_eq!(project.number("SELECT count(*) FROM note WHERE text = 'three'"), 1);
    assert_eq!(project.number("SELECT count(*) FROM note"), 1);
    project.remove("migrations/0002_first_notes.up.sql");
    project.remove("migrations/0002_first_notes.down.sql");
    let refused = project.run(&["redo", "--json"]);
    assert!(refused.code == 1 && refused.stdout.contains("\"missing\""), "{refused}");
}

#[test]
fn what_was_tampered_with_is_refused() {
    let backup = restored(&notes());
    let change = "UPDATE _whimbrel_history_bodies SET encoding = 'plain', bytes = CAST('DROP TABLE note' AS BLOB)
                  WHERE digest = (SELECT down_checksum FROM _whimbrel_history WHERE version = '2')";
    assert_eq!(backup.database().execute(change, []).expect("update"), 1);
    backup.unchanged(|| {
        assert_snapshot!(backup.run(&["down"]), @"
        exit 1
        --- stderr
        error: migration 2 first_notes cannot be reverted by what the history has kept of it: its bytes have another SHA-256 (d74ccf0f7e92…)
        hint: bring the file back as it was applied
        ");
        assert_snapshot!(backup.run(&["history", "--body", "2", "--part", "down"]), @"
        exit 1
        --- stderr
        error: what _whimbrel_history_bodies keeps under d74ccf0f7e92dbd30d0a8e5afe65e0576731c95060a38eca09dbc7de98cc6330 cannot be used: its bytes have another SHA-256
        hint: it was changed after it was kept: take it from a backup
        ");
    });
    // One that was not is still shown.
    backup.ok(&["history", "--body", "2"]);
}

#[test]
fn bodies_are_kept_once_with_their_rows_and_only_where_it_is_wanted() {
    let project = keeping(&[
        ("0001_a.up.sql", "CREATE TABLE a (x);\n"),
        ("0001_a.down.sql", "SELECT 1;\n"),
        ("0002_b.up.sql", "CREATE TABLE b (x);\n"),
        ("0002_b.down.sql", "SELECT 1;\n"),
        ("0003_c.sql", "CREATE TABLE b (x);\n"),
    ]);
    let bodies = "SELECT count(*) FROM _whimbrel_history_bodies";
    assert_eq!(project.run(&["up"]).code, 1);
    // Two ways up and the way down of both; nothing of the third, which failed.
    assert_eq!(project.number(bodies), 3);
    project.write("migrations/0003_c.sql", format!("-- {}\nCREATE TABLE c (x);\n", "c".repeat(10_000)));
    project.ok(&["up"]);
    assert_eq!(project.number(bodies), 4);
    assert!(project.number("SELECT sum(length(bytes)) FROM _whimbrel_history_bodies") < 1000);
    let unkept = Project::notes();
    unkept.ok(&["up"]);
    assert_eq!(unkept.number(bodies), 0);
    assert_snapshot!(unkept.run(&["history", "--body", "1"]), @"
    exit 1
    --- stderr
    error: the history has not kept the body of 1 create_note
    hint: `keep_bodies = true` in whimbrel.toml keeps what is applied from then on
    ");
    let one = Project::notes();
    one.write("other/0001_x.sql", "CREATE TABLE x (y);\n");
    let chains = "[chains.main]\nkeep_bodies = false\n[chains.other]\ndir = \"other\"\n";
    one.write("whimbrel.toml", format!("dir = \"migrations\"\n{SETTINGS}{chains}"));
    one.ok(&["up"]);
    assert_eq!(one.number(bodies), 1);
}

#[test]
fn what_the_layout_says_of_a_script_is_kept_with_it() {
    let project = Project::with(&[
        ("20210101_a.up.sql", "CREATE TABLE a (x);"),
        ("20210101_a.down.sql", "-- no-transaction\nVACUUM;"),
    ]);
    project.write("whimbrel.toml", format!("{SETTINGS}layout = \"sqlx\"\n"));
    project.ok(&["up"]);
    let backup = restored(&project);
    // In a transaction it cannot run.
    backup.ok(&["down"]);
    let project =
        keeping(&[("0001_a.up.sql", "CREATE TABLE ${name} (x);\n"), ("0001_a.down.sql", "DROP TABLE ${name};\n")]);
    project.ok(&["up", "--set", "name=tenant"]);
    let backup = restored(&project);
    assert!(!String::from_utf8_lossy(&backup.bytes("app.db")).contains("DROP TABLE tenant"));
    let refused = backup.run(&["down", "--set", "other=x", "--json"]);
    assert!(refused.code == 1 && refused.stdout.contains("\"placeholder\""), "{refused}");
    backup.ok(&["down", "--set", "name=tenant"]);
    assert_eq!(backup.number("SELECT count(*) FROM sqlite_schema WHERE name = 'tenant'"), 0);
}

#[test]
fn scripts_with_what_they_import_and_components_with_their_manifests_go_down() {
    let helper = "export const VALUE = 7;\n";
    let script = "import { VALUE } from './values.ts';\nexport function up(db) { db.execute('INSERT INTO t VALUES (?)', [VALUE]); }
export function down(db) { db.execute('DELETE FROM t WHERE x = ?', [VALUE]); }\n";
    let manifest = "[params]\ndo = \"reversible\"\n[grants]\nread = [\"t\"]\ninsert = [\"t\"]\ndelete = [\"t\"]\n";
    let project = keeping(&[
        ("0001_t.sql", "CREATE TABLE t (x INTEGER);\n"),
        ("0002_script.ts", script),
        ("values.ts", helper),
        ("0002_script.toml", manifest),
    ]);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT x FROM t"), 7);
    let backup = restored(&project);
    assert!(backup.ok(&["history", "--body", "2"]).stdout.contains("VALUE = 7"));
    assert_eq!(backup.ok(&["history", "--body", "2", "--part", "manifest"]).stdout, manifest);
    backup.ok(&["down"]);
    assert_eq!(backup.number("SELECT count(*) FROM t"), 0);
    // Components, and transforms that say how they are reverted.
    let sample = Project::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let dir = folder.to_str().expect("a path");
    sample.write("whimbrel.toml", SETTINGS);
    sample.ok(&["up", "--dir", dir, "--to", "3"]);
    let backup = restored(&sample);
    assert_snapshot!(backup.run(&["history", "--body", "3"]), @"
    exit 1
    --- stderr
    error: its bytes are no text
    hint: write them into a file with --output FILE
    ");
    backup.ok(&["history", "--body", "3", "-o", "split.wasm"]);
    assert_eq!(backup.bytes("split.wasm"), std::fs::read(folder.join("0003_split_names.wasm")).expect("file"));
    let with_files = sample.run(&["down", "--dir", dir]);
    let without = backup.run(&["down"]);
    assert_eq!(with_files.code, without.code, "{with_files}{without}");
    assert_eq!(
        sample.number("SELECT count(first_name) FROM customer"),
        backup.number("SELECT count(first_name) FROM customer")
    );
}

#[test]
fn the_library_keeps_and_shows_and_reverts() {
    let project = Project::notes();
    let database = || Sqlite::file(project.path("app.db"));
    let builder = Migrator::builder().source(Directory::new(project.path("migrations"))).database(database());
    builder.keep_bodies(true).build().expect("migrator").up(Until::End).expect("up");
    let empty = Migrator::builder().source(Code::new()).database(database()).keep_bodies(true);
    let empty = empty.build().expect("migrator");
    let found = empty.kept(&Key::Version(Version::from(1)), KeptPart::Down).expect("kept");
    assert_eq!(found[0].bytes.as_deref(), Some(b"DROP TABLE note;\n".as_slice()));
    let report = empty.down(Until::End).expect("down");
    assert_eq!((report.steps.len(), report.warnings.len()), (2, 2));
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
}
