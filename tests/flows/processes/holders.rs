//! Who is at work on a database, as other processes are told: while they wait, and after somebody was killed.

use std::process::Command;

use serde_json::{Value, json};
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{ErrorCode, Transaction};
use whimbrel::lock::Here;
use whimbrel::model::RustError;
use whimbrel::plan::Until;
use whimbrel::source::Code;
use whimbrel::{Error, Migrator, Startup};

use super::{ENDLESS, Running, start, wait_until};
use crate::harness::{Outcome, Project};

fn status(project: &Project) -> Value {
    // With its moments, which are to be compared.
    let output = project.command(&["lock", "status", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["schema"], "whimbrel/lock-status/1");
    found
}

fn words(project: &Project) -> String {
    project.ok(&["lock", "status"]).stdout
}

/// Starts a run and waits until others are told that it holds something.
fn started(project: &Project, arguments: &[&str], holds: &str) -> (Running, u32) {
    let mut running = start(project, arguments);
    let process = running.child().id();
    wait_until("others are told who is at work", || {
        let found = status(project);
        let mut holders = found["holders"].as_array().unwrap().iter();
        holders.any(|holder| holder["process"] == process && holder["holds"] == holds)
    });
    (running, process)
}

/// A chain whose second migration takes as long as it is let.
fn slow(head: &str) -> Project {
    let slow = format!("{head}INSERT INTO log VALUES (2);\n{ENDLESS}");
    let log = "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);";
    let project = Project::with(&[("0001_log.sql", log), ("0002_slow.sql", &slow)]);
    project.ok(&["up", "--steps", "1"]);
    project
}

fn fails_fast(project: &Project) -> Outcome {
    let since = std::time::Instant::now();
    let outcome = project.run(&["up", "--lock-timeout", "0"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(since.elapsed() < super::SOON, "it waited");
    let json = project.run(&["up", "--lock-timeout", "0", "--json"]);
    assert!(json.stdout.contains("\"busy\""), "{json}");
    outcome
}

#[test]
fn who_is_in_a_step_is_named_to_others_and_blocks_nobody_once_killed() {
    let here = Here::look();
    for head in ["", "-- whimbrel: transaction = none\n"] {
        let project = slow(head);
        assert_eq!(words(&project), "Nobody is at work on app.db.\n");
        let (running, process) = started(&project, &["up"], "lock");
        let user = here.user.map(|user| format!(" (user {user})")).unwrap_or_default();
        let named = format!("rocess {process} on {}", here.host);
        assert_eq!(
            words(&project),
            format!("P{named}{user} applies 2 slow since [moment] UTC, and holds the lock.\n"),
            "{head}"
        );
        let found = status(&project);
        assert_eq!((&found["held"], &found["other_writer"]), (&json!(true), &json!(false)));
        let holder = &found["holders"][0];
        for (key, value) in [
            ("holds", json!("lock")),
            ("alive", json!(true)),
            ("process", json!(process)),
            ("host", json!(here.host)),
            ("user", json!(here.user)),
            ("chain", json!("main")),
            ("migration", json!("2 slow")),
            ("doing", json!("applies")),
            ("heartbeat", Value::Null),
        ] {
            assert_eq!(holder[key], value, "{key}");
        }
        let shown = project.ok(&["status"]).stdout;
        // In a transaction nobody can see that it has begun.
        assert_eq!(shown.contains(&format!("note: P{named}")), !head.is_empty(), "{shown}");
        let refused = fails_fast(&project);
        assert!(refused.stderr.contains(&format!(": p{named} applies 2 slow since ")), "{refused}");
        assert!(refused.stderr.contains("`whimbrel lock status`"), "{refused}");
        running.kill();
        assert_eq!(
            words(&project),
            format!("P{named}{user} is gone. What it left of the lock blocks nobody.\nNobody is at work on app.db.\n")
        );
        let found = status(&project);
        assert_eq!((&found["held"], &found["holders"][0]["alive"]), (&json!(false), &json!(false)));
        project.write("migrations/0002_slow.sql", format!("{head}INSERT INTO log VALUES (2);\n"));
        project.ok(&["up", "--lock-timeout", "0"]);
        assert!(!project.path("app.db-whimbrel-lock").exists());
        assert_eq!(status(&project)["holders"], json!([]));
    }
}

#[test]
fn another_program_that_writes_is_told_from_nobody() {
    let project = slow("");
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(words(&project), "Another program is writing to the database: it has a transaction open.\n");
    assert_eq!(status(&project)["other_writer"], true);
    let refused = fails_fast(&project);
    assert!(refused.stderr.contains("database is locked (SQLITE_BUSY)"), "{refused}");
    other.execute_batch("ROLLBACK").unwrap();
    project.unchanged(|| assert_eq!(status(&project)["held"], false));
    let empty = Project::with(&[]);
    assert_eq!(words(&empty), "Nobody is at work on app.db.\n");
    assert!(!empty.path("app.db").exists());
}

/// A chain with a transform in chunks, which waits long after each of them.
fn chunks() -> (Project, Vec<&'static str>) {
    let head = "// whimbrel: transform = { table = 't', read = ['id'], write = ['n'], chunk = 100 }\n";
    let rows = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
        INSERT INTO t (id) WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000) SELECT i FROM c;";
    let script = format!("{head}export function transform({{ id }}) {{ return {{ n: id }}; }}\n");
    let project = Project::with(&[("0001_t.sql", rows), ("0002_fill.js", &script)]);
    project.ok(&["up", "--steps", "1"]);
    (project, vec!["up", "--throttle", "1000s"])
}

#[test]
fn a_lease_tells_who_is_at_work_on_chunks_and_others_share_them() {
    let here = Here::look();
    let (project, waiting) = chunks();
    let (killed, process) = started(&project, &waiting, "chunks");
    let (sharing, second) = started(&project, &waiting, "chunks");
    wait_until("both wait", || status(&project)["holders"].as_array().unwrap().len() == 2);
    let found = status(&project);
    for holder in found["holders"].as_array().unwrap() {
        assert_eq!((&holder["holds"], &holder["alive"]), (&json!("chunks"), &json!(true)), "{found}");
        assert_eq!((&holder["migration"], &holder["host"]), (&json!("2 fill"), &json!(here.host)));
        let text = |key: &str| holder[key].as_str().unwrap().to_owned();
        assert!(text("since") <= text("heartbeat") && text("heartbeat") < text("until"), "{holder}");
    }
    assert_eq!(words(&project).matches("chunk by chunk; its last one ended [moment] UTC.").count(), 2);
    killed.kill();
    let found = status(&project);
    let alive = |process: u32| {
        let holders = found["holders"].as_array().unwrap();
        holders.iter().find(|holder| holder["process"] == process).map(|holder| holder["alive"].clone()).unwrap()
    };
    assert_eq!((alive(process), alive(second)), (json!(false), json!(true)));
    let shown = project.ok(&["status", "--json"]).json("status")["at_work"].clone();
    assert_eq!((shown.as_array().unwrap().len(), &shown[0]["process"]), (1, &json!(second)), "{shown}");
    let gone = "is gone. It was at work on the chunks of 2 fill until [moment] UTC, and blocks nobody";
    assert!(words(&project).contains(gone), "{}", words(&project));
    // Somebody who does not wait at all does the rest, beside the one that is alive.
    project.ok(&["up", "--lock-timeout", "0"]);
    assert_eq!(project.number("SELECT count(n) FROM t"), 1000);
    assert_eq!(status(&project)["holders"], json!([]));
    assert!(!project.ok(&["status", "--json"]).stdout.contains("at_work"));
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE details LIKE '%leases%'"), 0);
    drop(sharing);
}

#[test]
fn nothing_is_repaired_beside_somebody_who_is_at_work_on_it() {
    let (project, waiting) = chunks();
    let (running, process) = started(&project, &waiting, "chunks");
    for verb in ["--restart", "--mark-applied", "--mark-failed"] {
        let refused = project.run(&["repair", "2", verb, "--yes"]);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(
            refused.stderr.contains("applies 2 fill since") && refused.stderr.contains("is still at work on it"),
            "{refused}"
        );
        assert!(refused.stderr.contains(&format!("`kill {process}`")), "{refused}");
    }
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE state = 'in-progress'"), 1);
    running.kill();
    project.ok(&["repair", "2", "--restart", "--yes"]);
    assert_eq!(status(&project)["holders"], json!([]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_container_of_the_same_name_is_another_place() {
    let (project, waiting) = chunks();
    started(&project, &waiting, "chunks").0.kill();
    let alive = || status(&project)["holders"][0]["alive"].clone();
    assert_eq!(alive(), json!(false));
    let elsewhere = "UPDATE _whimbrel_history SET details = replace(details, 'pid:[', 'pid:[1')";
    project.database().execute_batch(elsewhere).unwrap();
    assert_eq!(alive(), json!(true), "whether its process is there cannot be seen");
}

#[test]
fn a_lease_of_another_host_ends_with_its_time() {
    let (project, waiting) = chunks();
    started(&project, &waiting, "chunks").0.kill();
    for (until, alive) in [("2999-01-01T00:00:00.000Z", true), ("2026-01-01T00:00:00.000Z", false)] {
        let change = format!(
            "UPDATE _whimbrel_history SET details = json_set(details, '$.leases', json_object('r', json_object(
             'process', 1, 'host', 'elsewhere', 'since', '2026-01-01', 'heartbeat', '2026-01-01', 'until', '{until}')))
             WHERE state = 'in-progress'"
        );
        project.database().execute_batch(&change).unwrap();
        let found = status(&project);
        assert_eq!((&found["holders"][0]["alive"], &found["held"]), (&json!(alive), &json!(alive)), "{found}");
    }
    // What no run has written is no lease, and does not keep anybody from going on.
    let change =
        "UPDATE _whimbrel_history SET details = json_set(details, '$.leases', json_object('a', 1, 'b', 'x', 'c',
                  json_object('process', -1))) WHERE state = 'in-progress'";
    project.database().execute_batch(change).unwrap();
    assert_eq!(status(&project)["holders"], json!([]));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(n) FROM t"), 1000);
}

#[test]
fn a_link_in_place_of_the_lock_leads_nowhere() {
    let victim = "somebody else's";
    for hard in [false, true] {
        let log = "CREATE TABLE log (step INTEGER NOT NULL);";
        let outside = "-- whimbrel: transaction = none\nINSERT INTO log VALUES (2);";
        let project = Project::with(&[("0001_log.sql", log), ("0002_outside.sql", outside)]);
        project.write("victim", victim);
        let (to, link) = (project.path("victim"), project.path("app.db-whimbrel-lock"));
        match hard {
            true => std::fs::hard_link(to, link).unwrap(),
            false => std::os::unix::fs::symlink(to, link).unwrap(),
        }
        project.ok(&["up", "--steps", "1"]);
        let outcome = project.run(&["up"]);
        assert_eq!(outcome.code, i32::from(!hard), "{outcome}");
        assert!(hard || outcome.stderr.contains("app.db-whimbrel-lock"), "{outcome}");
        assert_eq!(project.read("victim"), victim);
    }
}

#[test]
fn a_run_that_is_stopped_takes_its_lease_with_it() {
    let (project, waiting) = chunks();
    let (mut running, process) = started(&project, &waiting, "chunks");
    let sent = Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
    assert!(sent.success());
    running.child().wait().unwrap();
    let found = status(&project);
    assert_eq!(found["holders"], json!([]), "{found}");
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE state = 'in-progress'"), 1);
}

#[test]
fn the_library_tells_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    let looking = database.clone();
    let look = move |_: &mut Transaction<'_>| -> Result<(), RustError> {
        let other = Migrator::builder().source(Code::new().up(1, "x", |_: &mut Transaction<'_>| Ok(())));
        let other = other.database(Sqlite::file(&looking)).build()?;
        let status = other.lock_status()?;
        let holder = status.holdings[0].holder.clone().ok_or("nobody said who")?;
        assert_eq!((holder.process, holder.migration.as_str()), (std::process::id(), "1 look"));
        match other.run_on_startup(Startup::FailFast) {
            Err(Error::Database { source, .. }) => assert_eq!(source.code, ErrorCode::Busy),
            Err(Error::Run(error)) => {
                let cause = std::error::Error::source(&error.source).unwrap().to_string();
                assert!(cause.contains("1 look"), "{cause}");
            }
            other => panic!("{other:?}"),
        }
        Ok(())
    };
    let migrator = Migrator::builder().source(Code::new().up(1, "look", look)).database(Sqlite::file(&database));
    let migrator = migrator.build().unwrap();
    migrator.up(Until::End).unwrap();
    let status = migrator.lock_status().unwrap();
    assert!(!status.is_held() && status.holdings.is_empty(), "{status:?}");
}
