//! `whimbrel status`.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn shows_what_is_applied_and_pending() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db, which does not exist yet

      Version  Name         Kind  State    Applied at (UTC) Took
            1  create_note  sql   pending
            2  first_notes  sql   pending

    2 pending.
    ");
    assert!(!project.path("app.db").exists(), "a look creates nothing");
    project.ok(&["up", "--steps", "1"]);
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State    Applied at (UTC) Took
            1  create_note  sql   applied  [moment] [time]
            2  first_notes  sql   pending

    1 applied, 1 pending.
    ");
}

#[test]
fn shows_every_state_and_every_note() {
    let project = Project::notes();
    project.write("migrations/0003_three.sql", "CREATE TABLE three (id);");
    project.write("migrations/0005_five.sql", "CREATE TABLE five (id);");
    project.ok(&["up"]);
    project.write("migrations/0001_create_note.up.sql", "CREATE TABLE note (other);");
    project.write("migrations/0002_first_notes.up.sql", "-- words\nINSERT INTO note (text) VALUES ('one'), ('two');");
    project.remove("migrations/0003_three.sql");
    project.write("migrations/0004_late.sql", "SELECT 1;");
    project.write("migrations/0007_more.sql", "SELECT 1;");
    project.write("migrations/README.md", "words");
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State                  Applied at (UTC) Took
            1  create_note  sql   checksum mismatch      [moment] [time]
            2  first_notes  sql   applied (reformatted)  [moment] [time]
            3  three        sql   missing                [moment] [time]
            4  late         sql   out of order
            5  five         sql   applied                [moment] [time]
            7  more         sql   pending

    1 checksum mismatch, 1 applied (reformatted), 1 missing, 1 out of order, 1 applied, 1 pending.
    note: 4 late is out of order: `up` would refuse it, and with --allow-out-of-order apply it
    note: the sequence has no versions 3, 6
    note: migrations/README.md is ignored: neither .sql nor .wasm nor .toml nor a script
    ");
}

#[test]
fn check_tells_by_its_exit_code() {
    let project = Project::notes();
    assert_eq!(project.run(&["status", "--check"]).code, 3);
    project.ok(&["up"]);
    assert_eq!(project.run(&["status", "--check"]).code, 0);
    project.write("migrations/0002_first_notes.up.sql", "SELECT 2;");
    assert_eq!(project.run(&["status", "--check"]).code, 1);
}

#[test]
fn an_empty_folder_is_no_error() {
    let project = Project::with(&[]);
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db, which does not exist yet

    There are no migrations; `whimbrel new NAME` makes one.
    ");
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Nothing to do: nothing is pending.
    ");
    assert!(!project.path("app.db").exists());
}

#[test]
fn shows_hostile_names_safely() {
    let project = Project::notes();
    project.ok(&["up"]);
    let rename = "UPDATE _whimbrel_history SET name = char(27) || '[2J' || char(8238) || char(10) || 'x', version = 9 \
                  WHERE version = 2";
    project.database().execute(rename, []).expect("renamed");
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name                  Kind  State         Applied at (UTC) Took
            1  create_note           sql   applied       [moment] [time]
            2  first_notes           sql   out of order
            9  \u{1b}[2J\u{202e}\nx  sql   future        [moment] [time]

    1 applied, 1 out of order, 1 future.
    note: 2 first_notes is out of order: `up` would refuse it, and with --allow-out-of-order apply it
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 1
    --- stdout
    error: migration 2 first_notes is pending, but a later one is applied (migrations/0002_first_notes.up.sql)
    hint: give it a later version (`whimbrel renumber`), or use --allow-out-of-order
    error: migration 9 \u{1b}[2J\u{202e}\nx is applied, and newer than anything in the chain
    hint: the files are older than the database: take newer ones, or use --ignore-missing
    Verified 3 migrations: 2 problems.
    "#);
}

/// SQLite opens a file that may not be written for reading, and makes a log and its index beside it all the same.
#[cfg(unix)]
#[test]
fn who_may_not_write_leaves_nothing_in_the_way_of_who_may() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    project.database().pragma_update(None, "journal_mode", "wal").unwrap();
    let (folder, database) = (project.path("."), project.path("app.db"));
    let allow = |mode| set_permissions(&database, Permissions::from_mode(mode)).unwrap();
    allow(0o444);
    let mut status = project.command(&["status"]);
    if folder.metadata().unwrap().uid() == 0 {
        // Nothing is kept from root: somebody else looks, who must reach the program.
        let program = project.path("whimbrel");
        std::fs::copy(status.get_program(), &program).unwrap();
        set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        status = Command::new(program);
        status.arg("status").current_dir(&folder).env_clear().uid(65_534);
    }
    let outcome = project.outcome(&status.output().unwrap());
    assert!(outcome.code == 0 && outcome.stdout.contains("1 pending."), "{outcome}");
    let left: Vec<String> = project.list(".").into_iter().filter(|name| name.starts_with("app.db")).collect();
    assert_eq!(left, ["app.db"]);
    allow(0o644);
    project.ok(&["up"]);
}
