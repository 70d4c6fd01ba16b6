//! Ctrl-C and `kill`: the step is rolled back, the exit code tells.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{self, Outcome, Project};

/// Starts a run whose third step takes minutes.
fn started(project: &Project) -> Child {
    slow(project);
    started_as(project, &mut project.command(&["up"]))
}

fn slow(project: &Project) {
    project.write(
        "migrations/0003_slow.sql",
        "INSERT INTO note (text) VALUES ('slow');\n\
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT max(i) FROM n;\n",
    );
}

/// Starts it by another command.
fn started_as(project: &Project, command: &mut Command) -> Child {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let applied = || project.path("app.db").exists() && has_started(project);
    let patience = Instant::now() + Duration::from_secs(30);
    while !applied() {
        assert!(Instant::now() < patience, "the run does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// The slow step has the write lock.
fn has_started(project: &Project) -> bool {
    let database = project.database();
    database.busy_timeout(Duration::ZERO).expect("no waiting");
    let rows = database.query_row("SELECT count(*) FROM _whimbrel_history", [], |row| row.get::<_, i64>(0));
    rows == Ok(2) && database.execute_batch("BEGIN IMMEDIATE; ROLLBACK;").is_err()
}

/// Starts a run, sends it a signal in the middle of its third step, and asserts that this step is as if it had not been.
fn rolls_back(name: &str, code: i32) -> Project {
    let project = Project::notes();
    let child = started(&project);
    signal(&child, name);
    let outcome = end(&project, child);
    assert_eq!(outcome.code, code, "{outcome}");
    assert!(outcome.stderr.contains("error: interrupted; migration 3 slow was rolled back"), "{outcome}");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
    project
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn end(project: &Project, child: Child) -> Outcome {
    project.outcome(&child.wait_with_output().expect("it ends"))
}

#[test]
fn ctrl_c_rolls_the_step_back() {
    let project = rolls_back("INT", 130);
    project.remove("migrations/0003_slow.sql");
    project.ok(&["up"]);
}

#[test]
fn kill_does_too() {
    rolls_back("TERM", 143);
}

#[test]
fn a_closed_terminal_does_too() {
    if !hang_ups_are_ignored() {
        rolls_back("HUP", 129);
    }
}

/// These tests themselves may have been started with `nohup`, and what they start inherits that.
fn hang_ups_are_ignored() -> bool {
    let ended = Command::new("sh").args(["-c", "kill -s HUP $$"]).status().expect("sh runs");
    ended.success()
}

#[cfg(target_os = "linux")]
#[test]
fn under_nohup_a_run_outlives_its_terminal() {
    let project = Project::notes();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" up"]).arg(harness::program()).current_dir(project.path(""));
    slow(&project);
    let child = started_as(&project, shell.env("WHIMBREL_CACHE", harness::cache()));
    signal(&child, "HUP");
    signal(&child, "TERM");
    let outcome = end(&project, child);
    assert_eq!(outcome.code, 143, "{outcome}");
    // The second signal would have ended it without a word.
    assert!(outcome.stderr.contains("migration 3 slow was rolled back"), "{outcome}");
}

#[test]
fn ctrl_c_ends_the_wait_for_a_lock() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let child = project.command(&["up"]).stderr(Stdio::piped()).spawn().expect("it runs");
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    let outcome = end(&project, child);
    assert_eq!(outcome.code, 130, "{outcome}");
}

#[cfg(target_os = "linux")]
#[test]
fn verbs_that_run_nothing_tell_programs_that_they_were_stopped() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    let other = project.database();
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    let verbs: [&[&str]; 3] = [&["status", "--json"], &["plan", "down", "--json"], &["squash", "--json"]];
    for verb in verbs {
        tells_that_it_was_stopped(&project, verb);
    }
}

/// Starts a verb, stops it as soon as it has opened the database, and asserts that it says so.
#[cfg(target_os = "linux")]
fn tells_that_it_was_stopped(project: &Project, verb: &[&str]) {
    let mut command = project.command(verb);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    while !opens(&child, "app.db") {
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(&child, "TERM");
    let outcome = end(project, child);
    assert_eq!(outcome.code, 143, "{verb:?}: {outcome}");
    assert_eq!(outcome.json("error")["code"], "interrupted", "{verb:?}: {outcome}");
}

#[cfg(target_os = "linux")]
#[test]
fn verbs_that_only_look_are_stopped_in_what_they_run() {
    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0002_first_notes.down.sql", format!("{ENDLESS};\n"));
    project.write("migrations/0003_asks.sql", format!("-- whimbrel: require = {ENDLESS}\nSELECT 1;\n"));
    let endless = "// whimbrel: transform = { table = \"note\", read = [\"text\"], write = [\"text\"] }\n\
         export function transform() { for (;;); }\n";
    project.write("migrations/0004_endless.js", endless);
    for verb in [&["status", "--json"][..], &["plan", "down", "--json"], &["preview", "4", "--json"]] {
        tells_that_it_was_stopped(&project, verb);
    }
}

/// The process has this file open, and so has installed its handlers.
#[cfg(target_os = "linux")]
pub(super) fn opens(child: &Child, file: &str) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("it runs");
    open.flatten().filter_map(|entry| entry.path().read_link().ok()).any(|path| path.ends_with(file))
}
