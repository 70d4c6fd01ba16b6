//! Ctrl-C and `kill` reach the real program in the middle of its work.
#![cfg(unix)]

use std::fs::File;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Backend, OpenOptions};

use super::processes::{BULKY, ENDLESS, Journal, Running, bytes_written, guest, start, wait_until};
use crate::harness::Project;

/// The signals and the codes they end the program with.
const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];
/// A second is promised; a busy machine gets more.
const AT_ONCE: Duration = Duration::from_secs(5);
const PEOPLE: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT,
    last_name TEXT, code TEXT UNIQUE, big INTEGER);
INSERT INTO person (full_name) VALUES ('Ada Lovelace'), ('Grace Hopper');
";
/// A statement that is, for minutes, a single operation of SQLite's: nothing stops it but the end of the process.
const STUBBORN: &str = "SELECT instr(zeroblob(4000000), CAST(zeroblob(2000000) || 'b' AS BLOB));\n";

/// Makes a project with people in its database.
fn people(journal: Journal) -> Project {
    let project = Project::with(&[("0001_people.sql", PEOPLE)]);
    journal.create(&project.path("app.db"));
    project.ok(&["up"]);
    project
}

fn signal(running: &mut Running, name: &str) {
    let id = running.child().id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

/// Sends a signal and expects the program to end at once, with the right code.
fn stop(mut running: Running, (name, code): (&str, i32)) -> Output {
    let since = Instant::now();
    signal(&mut running, name);
    while !running.has_ended() {
        assert!(since.elapsed() < AT_ONCE, "SIG{name} has not ended the program after {AT_ONCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = running.output();
    assert_eq!(output.status.code(), Some(code), "{}: {}", output.status, stderr(&output));
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_statement_stops_and_its_step_is_undone() {
    for journal in [Journal::Rollback, Journal::Wal] {
        for how in SIGNALS {
            let project = people(journal);
            project.write("migrations/0002_slow.sql", format!("{BULKY}{ENDLESS}"));
            project.unchanged(|| {
                let running = start(&project, &["up"]);
                wait_until("pages are written", || bytes_written(&project) > 4_000_000);
                let said = stderr(&stop(running, how));
                assert!(said.contains("interrupted; migration 2 slow was rolled back"), "{said}");
            });
            project.write("migrations/0002_slow.sql", BULKY);
            project.ok(&["up"]);
            assert_eq!(project.number("SELECT count(*) FROM bulk"), 6000);
        }
    }
}

#[test]
fn a_guest_stops_and_its_step_is_undone() {
    let guest = guest();
    for behaviour in ["loop", "slow-sql"] {
        for how in SIGNALS {
            let project = people(Journal::Rollback);
            project.write("migrations/0002_guest.wasm", &guest);
            project.write("migrations/0002_guest.toml", format!("[params]\ndo = \"{behaviour}\"\n"));
            project.unchanged(|| {
                let running = start(&project, &["up"]);
                // The guest has changed a row by then, and goes on.
                wait_until("the guest runs", || project.path("app.db-journal").exists());
                std::thread::sleep(Duration::from_millis(200));
                stop(running, how);
            });
            project.write("migrations/0002_guest.toml", "[params]\ndo = \"split\"\n");
            project.ok(&["up"]);
            assert_eq!(project.number("SELECT count(*) FROM person WHERE last_name = 'Hopper'"), 1);
        }
    }
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let project = people(journal);
        project.write("migrations/0002_stubborn.sql", format!("{BULKY}{STUBBORN}"));
        let mut running = start(&project, &["up"]);
        wait_until("pages are written", || bytes_written(&project) > 4_000_000);
        std::thread::sleep(Duration::from_millis(200));
        signal(&mut running, "INT");
        std::thread::sleep(Duration::from_secs(1));
        assert!(!running.has_ended(), "the statement was to be stubborn");
        stop(running, ("INT", 130));
        // As after a kill, the next one cleans up.
        let status = project.ok(&["status", "--json"]).json("status");
        assert_eq!(status["migrations"][1]["state"], "pending");
        project.write("migrations/0002_stubborn.sql", BULKY);
        project.ok(&["up"]);
        assert_eq!(project.number("SELECT count(*) FROM bulk"), 6000);
    }
}

#[test]
fn a_timeout_ends_what_cannot_be_stopped() {
    let project = people(Journal::Rollback);
    project.write("migrations/0002_stubborn.sql", format!("{BULKY}{STUBBORN}"));
    let outcome = project.run(&["up", "--timeout", "2s"]);
    assert_eq!(outcome.code, 124, "{outcome}");
    assert!(outcome.stderr.contains("timeout of 2s and did not stop; the program ends"), "{outcome}");
    project.write("migrations/0002_stubborn.sql", BULKY);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM bulk"), 6000);
}

#[test]
fn waiting_for_the_write_lock_stops() {
    for journal in [Journal::Rollback, Journal::Wal] {
        for how in SIGNALS {
            let project = people(journal);
            project.write("migrations/0002_bulk.sql", BULKY);
            let other = project.database();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            let mut running = start(&project, &["up"]);
            std::thread::sleep(Duration::from_millis(500));
            assert!(!running.has_ended(), "it was to wait");
            stop(running, how);
            drop(other);
            project.ok(&["up"]);
        }
    }
}

#[test]
fn waiting_for_a_step_outside_a_transaction_stops() {
    let project = people(Journal::Rollback);
    project.write("migrations/0002_bulk.sql", format!("-- whimbrel: transaction = none\n{BULKY}"));
    let lock = File::create(project.path("app.db-whimbrel-lock")).unwrap();
    lock.lock().unwrap();
    for how in SIGNALS {
        let mut running = start(&project, &["up"]);
        std::thread::sleep(Duration::from_millis(500));
        assert!(!running.has_ended(), "it was to wait");
        stop(running, how);
    }
    drop(lock);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM bulk"), 6000);
}

#[test]
fn a_step_outside_a_transaction_stays_marked_if_it_has_done_something() {
    for how in SIGNALS {
        let project = people(Journal::Rollback);
        project.write("migrations/0002_slow.sql", format!("-- whimbrel: transaction = none\n{BULKY}{ENDLESS}"));
        let running = start(&project, &["up"]);
        wait_until("the first statements have ended", || bytes_written(&project) > 4_000_000);
        wait_until("the journal is gone", || !project.path("app.db-journal").exists());
        let said = stderr(&stop(running, how));
        assert!(said.contains("stopped after the last statement that was run to its end"), "{said}");
        assert!(!project.path("app.db-whimbrel-lock").exists());
        project.write("migrations/0002_slow.sql", BULKY);
        let refused = project.run(&["up"]);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stderr.contains("was run, and has been changed since"), "{refused}");
        // The statements that were not run may be others now.
        project.write("migrations/0002_slow.sql", format!("-- whimbrel: transaction = none\n{BULKY}"));
        project.ok(&["up"]);
        assert_eq!(project.number("SELECT count(*) FROM bulk"), 6000);
    }
}

#[test]
fn a_step_outside_a_transaction_that_has_done_nothing_is_pending_again() {
    for how in SIGNALS {
        let project = people(Journal::Rollback);
        project.write("migrations/0002_slow.sql", format!("-- whimbrel: transaction = none\n{ENDLESS}"));
        let running = start(&project, &["up"]);
        let started = "SELECT count(*) FROM _whimbrel_history WHERE state = 'started'";
        wait_until("the step has started", || project.number(started) == 1);
        std::thread::sleep(Duration::from_millis(200));
        stop(running, how);
        project.write("migrations/0002_slow.sql", format!("-- whimbrel: transaction = none\n{BULKY}"));
        project.ok(&["up"]);
    }
}

#[test]
fn a_way_down_outside_a_transaction_that_has_done_nothing_leaves_the_step_applied() {
    for how in SIGNALS {
        let project = people(Journal::Rollback);
        project.write("migrations/0002_slow.up.sql", "CREATE TABLE slow (x);");
        project.write("migrations/0002_slow.down.sql", format!("-- whimbrel: transaction = none\n{ENDLESS}"));
        project.ok(&["up"]);
        let history = project.ok(&["history", "--json"]).stdout;
        let running = start(&project, &["down"]);
        let started = "SELECT count(*) FROM _whimbrel_history WHERE state = 'started'";
        wait_until("the step has started", || project.number(started) == 1);
        std::thread::sleep(Duration::from_millis(200));
        stop(running, how);
        assert_eq!(project.ok(&["history", "--json"]).stdout, history);
        project.ok(&["verify"]);
    }
}

/// SQLite looks at the flag every thousand operations, and counts those of all commits together.
#[test]
fn a_commit_is_done_or_not_done_but_not_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let flag = Arc::new(AtomicBool::new(false));
    let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Arc::clone(&flag).into(), record: false };
    let mut session = Sqlite::file(folder.path().join("app.db")).open(&options).unwrap();
    session.execute_script("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; CREATE TABLE t (x);").unwrap();
    for number in 0..1500 {
        session.begin().unwrap();
        session.execute("INSERT INTO t VALUES (?)", &[number.into()]).unwrap();
        flag.store(true, Ordering::SeqCst);
        assert_eq!(session.commit(), Ok(()), "commit {number}");
        flag.store(false, Ordering::SeqCst);
    }
}
