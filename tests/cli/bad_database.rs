//! Databases that cannot be used: one clear message, the file untouched.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use super::signals::opens;
use crate::harness::Project;

#[test]
fn a_file_that_is_no_database() {
    let project = Project::notes();
    project.write("app.db", "This is a letter, not a database. ".repeat(100));
    project.unchanged(|| {
        for verb in ["status", "plan", "verify", "history", "down"] {
            assert_eq!(project.run(&[verb]).code, 1, "{verb}");
        }
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: cannot use the database app.db
          caused by: file is not a database (SQLITE_NOTADB)
        hint: check the path: the file holds something else, is encrypted, or is damaged
        ");
    });
}

#[test]
fn a_database_that_is_cut_off() {
    let project = Project::notes();
    project.ok(&["up"]);
    let bytes = project.bytes("app.db");
    project.write("app.db", &bytes[..bytes.len() / 2]);
    let outcome = project.unchanged(|| project.run(&["status"]));
    assert_eq!(outcome.code, 1, "{outcome}");
}

#[test]
fn a_folder_in_place_of_a_database() {
    let project = Project::notes();
    fs::create_dir(project.path("app.db")).expect("folder");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: cannot use the database app.db
      caused by: cannot open the database app.db: it is a folder
    hint: check the path and its rights; a missing file is created (not with `?mode=rw`), a missing folder is not
    ");
}

#[test]
fn a_database_in_a_folder_that_is_not_there() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["up", "-D", "no/such/app.db"]), @"
    exit 1
    --- stderr
    error: cannot use the database no/such/app.db
      caused by: cannot open the database no/such/app.db: its folder does not exist
    hint: check the path and its rights; a missing file is created (not with `?mode=rw`), a missing folder is not
    ");
    let outcome = project.run(&["status", "-D", "no/such/app.db"]);
    assert_eq!(outcome.code, 0, "a look needs no folder: {outcome}");
    assert!(!project.path("no").exists());
}

#[test]
fn a_file_that_may_only_be_read() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    fs::set_permissions(project.path("app.db"), Permissions::from_mode(0o444)).expect("mode");
    project.unchanged(|| {
        for verb in ["status", "plan", "verify", "history"] {
            project.ok(&[verb]);
        }
    });
    // Whoever runs the tests as root may write such a file all the same.
    let writable = fs::OpenOptions::new().append(true).open(project.path("app.db")).is_ok();
    if !writable {
        project.unchanged(|| assert_eq!(project.run(&["up"]).code, 1));
    }
}

/// Runs the program where the database, `disk/app.db`, is on a file system mounted for reading only, on which even root
/// cannot write; `None` where there is no right to mount anything.
#[cfg(target_os = "linux")]
fn on_a_disk_for_reading(project: &Project, arguments: &[&str]) -> Option<crate::harness::Outcome> {
    use std::process::Command;

    fs::create_dir(project.path("disk")).expect("folder");
    fs::rename(project.path("app.db"), project.path("disk/app.db")).expect("moved");
    let script = "mount --bind disk disk && mount -o remount,bind,ro disk && exec \"$0\" \"$@\"";
    let program = project.command(arguments);
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .arg(program.get_program())
        .args(program.get_args());
    command.current_dir(project.path("")).env("HOME", project.path(""));
    let outcome = project.outcome(&command.output().ok()?);
    let refused = outcome.stderr.contains("unshare:") || outcome.stderr.contains("mount:");
    (!refused).then_some(outcome)
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_on_a_disk_that_may_only_be_read_and_preconditions() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    project.write("migrations/0002_first_notes.toml", "[[preconditions]]\nsql = \"SELECT count(*) > 0 FROM note\"\n");
    let Some(outcome) = on_a_disk_for_reading(&project, &["status", "-D", "disk/app.db"]) else { return };
    let told = "`up` would fail at 2 first_notes: this does not hold: SELECT count(*) > 0 FROM note";
    assert!(outcome.code == 0 && outcome.stdout.contains(told), "{outcome}");
}

#[test]
fn a_look_at_a_database_with_a_log_leaves_nothing_beside_it() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    project.database().pragma_update(None, "journal_mode", "WAL").expect("the mode");
    project.unchanged(|| {
        for verb in ["status", "plan", "verify", "history", "rejects 1", "lock status"] {
            let arguments: Vec<&str> = verb.split(' ').collect();
            project.ok(&arguments);
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_database_with_a_log_on_a_disk_that_may_only_be_read() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    project.database().pragma_update(None, "journal_mode", "WAL").expect("the mode");
    let Some(outcome) = on_a_disk_for_reading(&project, &["status", "--json", "-D", "disk/app.db"]) else { return };
    assert_eq!(outcome.json("status")["migrations"][0]["state"], "applied");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_on_a_disk_that_may_only_be_read() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    let Some(outcome) = on_a_disk_for_reading(&project, &["up", "-D", "disk/app.db"]) else { return };
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    error: migration 2 first_notes failed on its way up
      caused by: attempt to write a readonly database (SQLITE_READONLY)
     --> migrations/0002_first_notes.up.sql:1:1
      |
    1 | INSERT INTO note (text) VALUES ('one'), ('two');
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: migration 2 first_notes was rolled back
    hint: the database that it writes cannot be written, which is the one that is migrated or one that was attached: check who owns the file and its folder, and how they are mounted
    ");
}

#[test]
fn a_database_that_another_process_holds() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    let before = project.bytes("app.db");
    // The test must not open the file by itself meanwhile: closing it would give up this process's lock.
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let began = Instant::now();
    let outcome = project.run(&["up", "--lock-timeout", "200ms"]);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(200) && waited < Duration::from_secs(10), "{waited:?}");
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    error: migration 2 first_notes failed on its way up
      caused by: cannot begin a transaction
      caused by: database is locked (SQLITE_BUSY)
    hint: another process is using the database; try again, wait longer with --lock-timeout, or see `whimbrel lock status`
    ");
    project.ok(&["status"]);
    project.ok(&["plan"]);
    other.execute_batch("COMMIT").expect("let go");
    drop(other);
    assert!(project.bytes("app.db") == before, "the database has changed");
    project.ok(&["up"]);
}

#[test]
fn a_lock_is_no_matter_when_nothing_is_pending() {
    let project = Project::notes();
    project.ok(&["up"]);
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    project.ok(&["up", "--lock-timeout", "0"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_replaced_while_it_is_migrated() {
    for mode in ["DELETE", "WAL"] {
        let project = Project::notes();
        project.ok(&["up", "--steps", "1"]);
        let holder = project.database();
        holder.pragma_update(None, "journal_mode", mode).expect("the mode");
        fs::copy(project.path("app.db"), project.path("backup.db")).expect("a copy");
        holder.execute_batch("BEGIN IMMEDIATE").expect("the lock");
        let mut command = project.command(&["up"]);
        let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        while !opens(&waiting, "app.db") {
            assert!(waiting.try_wait().expect("a child").is_none(), "it waits for the lock");
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::rename(project.path("backup.db"), project.path("app.db")).expect("it is replaced");
        holder.execute_batch("ROLLBACK").expect("the lock is free");
        let outcome = project.outcome(&waiting.wait_with_output().expect("it ends"));
        assert_eq!(outcome.code, 1, "{mode}: {outcome}");
        let said = "the database's file was replaced, moved or removed while it was open (SQLITE_READONLY_DBMOVED)";
        assert!(outcome.stderr.contains(said), "{mode}: {outcome}");
        assert!(outcome.stderr.contains("hint: another file may be at its path now"), "{mode}: {outcome}");
    }
}

#[test]
fn a_transaction_that_was_left_in_the_middle_is_rolled_back_by_who_may_write() {
    let project = Project::notes();
    project.ok(&["up"]);
    let writer = project.database();
    // With so few pages in memory the first of them are written before the end.
    let many = "PRAGMA cache_size = 2; BEGIN IMMEDIATE; CREATE TABLE many (x);
        INSERT INTO many WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT hex(zeroblob(1000)) FROM n;";
    writer.execute_batch(many).expect("a transaction");
    for file in ["app.db", "app.db-journal"] {
        fs::copy(project.path(file), project.path(&file.replace("app", "left"))).expect("a copy");
    }
    assert_snapshot!(project.run(&["status", "-D", "sqlite:left.db?mode=ro"]), @"
    exit 1
    --- stderr
    error: cannot use the database left.db
      caused by: a transaction was left in the middle of it, and to roll that back the database must be written (SQLITE_READONLY_ROLLBACK)
    hint: have it opened once by somebody who may write it and its folder, such as by `whimbrel status` without `?mode=ro`; leave the files beside it where they are: what is to be put back is in them
    ");
    let json = project.ok(&["status", "--json", "-D", "left.db"]).json("status");
    assert_eq!(json["migrations"][1]["state"], "applied");
    project.ok(&["status", "-D", "sqlite:left.db?mode=ro"]);
}
