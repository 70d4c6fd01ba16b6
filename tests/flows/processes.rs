//! Many real processes on one database: started at once, killed in the middle, waiting for each other.
#![cfg(unix)]

mod holders;
mod neighbour;
mod overtaken;
mod race;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use super::guests::workspace;
use crate::harness::Project;
use race::{STEPS, chain};

/// Long enough for a busy machine; far below the minute that a lock is waited for.
const SOON: Duration = Duration::from_secs(20);

/// A statement that runs until it is stopped.
pub(super) const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;\n";
/// Statements that change so many pages that SQLite writes some of them to the files long before the commit.
pub(super) const BULKY: &str = "CREATE TABLE bulk (id INTEGER PRIMARY KEY, filler TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 6000)
INSERT INTO bulk SELECT i, printf('%1000d', i) FROM n;
";

/// How a database keeps what a transaction may have to undo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Journal {
    Rollback,
    Wal,
}

impl Journal {
    /// Makes the database's file, which only WAL needs beforehand.
    pub(super) fn create(self, database: &Path) {
        if self == Self::Wal {
            Connection::open(database).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
        }
    }
}

/// Builds the guest that behaves as its parameter says.
pub(super) fn guest() -> Vec<u8> {
    xtask::component(&workspace().join("tests/guests/rust/Cargo.toml")).expect("the guest compiles")
}

/// Starts processes that wait for one gate, opens it when all are there, and returns how they ended.
fn at_once(project: &Project, processes: usize, arguments: &[&str]) -> Vec<Output> {
    let (gate, opener) = std::io::pipe().unwrap();
    let command = project.command(arguments);
    let start = || -> Child {
        // Says that it is there, waits for the end of its input, and becomes the program.
        let mut waiting = Command::new("sh");
        waiting.args(["-c", "printf . >&2; read -r gate; exec \"$@\"", "sh"]).arg(command.get_program());
        waiting.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
        waiting.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        waiting.stdin(gate.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..processes).map(|_| start()).collect();
    for child in &mut children {
        child.stderr.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    }
    drop(opener);
    children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

/// Asserts that all ended well and that each of the steps was done by exactly one.
fn assert_each_step_once(outputs: &[Output], first: usize, last: usize) {
    let mut done = vec![0; last + 1];
    for output in outputs {
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{stderr}{stdout}");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        for step in report["steps"].as_array().unwrap() {
            let version: usize = step["version"].as_str().unwrap().parse().unwrap();
            match step["outcome"].as_str().unwrap() {
                "done" => done[version] += 1,
                "done-elsewhere" => {}
                other => panic!("{other}"),
            }
        }
    }
    let expected: Vec<usize> = (0..=last).map(|version| usize::from(version >= first)).collect();
    assert_eq!(done, expected);
}

fn numbers(connection: &Connection, sql: &str) -> Vec<usize> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    rows.map(|number| usize::try_from(number.unwrap()).unwrap()).collect()
}

/// Asserts that the history and the effects are those of each step once, in order.
fn assert_complete(project: &Project, steps: usize) {
    let connection = project.database();
    let all: Vec<usize> = (1..=steps).collect();
    assert_eq!(numbers(&connection, "SELECT step FROM log ORDER BY rowid"), all);
    let applied = "SELECT CAST(version AS INTEGER) FROM _whimbrel_history WHERE state = 'applied' ORDER BY id";
    assert_eq!(numbers(&connection, applied), all);
    assert_eq!(numbers(&connection, "SELECT count(*) FROM _whimbrel_history"), [steps]);
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// Waits until something is the case.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < SOON, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns how many bytes the database and the files beside it have.
pub(super) fn bytes_written(project: &Project) -> u64 {
    let length = |name| std::fs::metadata(project.path(name)).map_or(0, |file| file.len());
    ["app.db", "app.db-journal", "app.db-wal"].into_iter().map(length).sum()
}

/// The program in the background. It is killed with the test that started it.
pub(super) struct Running(Option<Child>);

impl Running {
    pub(super) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it is there until its output is taken")
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.child().try_wait().unwrap().is_some()
    }

    /// Ends it by SIGKILL.
    pub(super) fn kill(mut self) {
        self.child().kill().unwrap();
        self.child().wait().unwrap();
    }

    /// Waits for its end.
    pub(super) fn output(mut self) -> Output {
        self.0.take().expect("it is there").wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // One that has ended already is no worse.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts the program in the background.
pub(super) fn start(project: &Project, arguments: &[&str]) -> Running {
    let mut command = project.command(arguments);
    Running(Some(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
}

#[test]
fn a_process_killed_in_a_step_leaves_nothing_that_blocks_the_next() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let project = Project::with(&[
            ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
            ("0002_slow.sql", &format!("{BULKY}{ENDLESS}")),
        ]);
        journal.create(&project.path("app.db"));
        let killed = start(&project, &["up"]);
        wait_until("the step has written pages", || bytes_written(&project) > 4_000_000);
        killed.kill();
        let since = Instant::now();
        assert_eq!(project.ok(&["status", "--json"]).json("status")["migrations"][1]["state"], "pending");
        project.write("migrations/0002_slow.sql", "INSERT INTO log VALUES (2);");
        project.ok(&["up"]);
        assert!(since.elapsed() < SOON);
        assert_complete(&project, 2);
        assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'bulk'"), 0);
    }
}

#[test]
fn a_step_outside_a_transaction_whose_process_was_killed_goes_on() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let slow = format!("-- whimbrel: transaction = none\nINSERT INTO log VALUES (2);\n{ENDLESS}");
        let project = Project::with(&[
            ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
            ("0002_slow.sql", &slow),
        ]);
        journal.create(&project.path("app.db"));
        project.ok(&["up", "--steps", "1"]);
        let killed = start(&project, &["up"]);
        wait_until("the first statement has ended", || project.number("SELECT count(*) FROM log") == 2);
        killed.kill();
        assert!(project.path("app.db-whimbrel-lock").exists());
        let since = Instant::now();
        assert_eq!(project.run(&["status", "--check"]).code, 3);
        project.write("migrations/0002_slow.sql", "-- whimbrel: transaction = none\nINSERT INTO log VALUES (3);");
        let refused = project.run(&["up", "--json"]);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stdout.contains("\"changed-in-progress\""), "{refused}");
        project.write("migrations/0002_slow.sql", "-- whimbrel: transaction = none\nINSERT INTO log VALUES (2);");
        project.ok(&["up"]);
        assert!(since.elapsed() < SOON);
        assert_complete(&project, 2);
        assert!(!project.path("app.db-whimbrel-lock").exists());
    }
}

#[test]
fn a_step_outside_a_transaction_is_waited_for() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let slow = "-- whimbrel: transaction = none
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT count(*) FROM n;";
        let project = Project::with(&[
            ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
            ("0002_slow.sql", &format!("{slow}INSERT INTO log VALUES (2);")),
            ("0003_slow_again.sql", &format!("{slow}INSERT INTO log VALUES (3);")),
            ("0004_last.sql", "INSERT INTO log VALUES (4);"),
        ]);
        journal.create(&project.path("app.db"));
        project.ok(&["up", "--steps", "1"]);
        let first = start(&project, &["up", "--json"]);
        let started = "SELECT count(*) FROM _whimbrel_history WHERE state = 'started'";
        wait_until("the step has started", || project.number(started) == 1);
        let mut outputs = at_once(&project, 3, &["up", "--json"]);
        outputs.push(first.output());
        assert_each_step_once(&outputs, 2, 4);
        assert_complete(&project, 4);
    }
}

#[test]
fn nothing_pending_needs_no_write_lock() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let project = chain();
        journal.create(&project.path("app.db"));
        project.ok(&["up"]);
        let other = project.database();
        other.execute_batch("BEGIN IMMEDIATE; INSERT INTO log VALUES (99);").unwrap();
        let since = Instant::now();
        for verb in ["up", "status", "plan", "verify", "history"] {
            project.ok(&[verb]);
        }
        assert!(since.elapsed() < SOON, "it waited for the lock");
        // The lock does hold up who has something to do.
        project.write("migrations/0013_pending.sql", "INSERT INTO log VALUES (13);");
        let busy = project.run(&["up", "--lock-timeout", "100ms", "--json"]);
        assert_eq!(busy.code, 1, "{busy}");
        assert!(busy.stdout.contains("\"busy\""), "{busy}");
        other.execute_batch("ROLLBACK").unwrap();
        project.ok(&["up"]);
        assert_complete(&project, STEPS + 1);
    }
}

/// SQLite does not wait by itself for the lock that this statement takes.
#[test]
fn a_change_of_the_journal_waits_for_the_write_lock() {
    let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000) SELECT count(*) FROM n;";
    let project = Project::with(&[
        ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
        (
            "0002_journal.sql",
            &format!(
                "-- whimbrel: transaction = none
                 {slow} PRAGMA journal_mode = WAL; INSERT INTO log VALUES (2);"
            ),
        ),
    ]);
    project.ok(&["up", "--steps", "1"]);
    let running = start(&project, &["up"]);
    let other = project.database();
    let started = "SELECT count(*) FROM _whimbrel_history WHERE state = 'started'";
    wait_until("the step has started", || numbers(&other, started) == [1]);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    other.execute_batch("ROLLBACK").unwrap();
    let output = running.output();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_complete(&project, 2);
}
