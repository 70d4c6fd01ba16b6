//! Ctrl-C and `kill`: the step is rolled back, the exit code tells.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Outcome, Project};

/// Starts a run whose second step takes minutes.
fn started(project: &Project) -> Child {
    project.write(
        "migrations/0003_slow.sql",
        "INSERT INTO note (text) VALUES ('slow');\n\
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT max(i) FROM n;\n",
    );
    let mut command = project.command(&["up"]);
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

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn end(project: &Project, child: Child) -> Outcome {
    project.outcome(&child.wait_with_output().expect("it ends"))
}

#[test]
fn ctrl_c_rolls_the_step_back() {
    let project = Project::notes();
    let child = started(&project);
    signal(&child, "INT");
    let outcome = end(&project, child);
    assert_eq!(outcome.code, 130, "{outcome}");
    assert!(outcome.stderr.contains("error: interrupted; migration 3 slow was rolled back"), "{outcome}");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
    project.remove("migrations/0003_slow.sql");
    project.ok(&["up"]);
}

#[test]
fn kill_does_too() {
    let project = Project::notes();
    let child = started(&project);
    signal(&child, "TERM");
    let outcome = end(&project, child);
    assert_eq!(outcome.code, 143, "{outcome}");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
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
        let mut command = project.command(verb);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        while !opens(&child, "app.db") {
            std::thread::sleep(Duration::from_millis(20));
        }
        signal(&child, "TERM");
        let outcome = end(&project, child);
        assert_eq!(outcome.code, 143, "{verb:?}: {outcome}");
        assert_eq!(outcome.json("error")["code"], "interrupted", "{verb:?}: {outcome}");
    }
}

#[cfg(target_os = "linux")]
/// The process has this file open, and so has installed its handlers.
fn opens(child: &Child, file: &str) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("it runs");
    open.flatten().filter_map(|entry| entry.path().read_link().ok()).any(|path| path.ends_with(file))
}
