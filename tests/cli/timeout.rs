//! `--timeout`: a run that takes too long is stopped, its step is rolled back, the exit code tells.

use std::time::Duration;

use insta::assert_snapshot;
use whimbrel::Error;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::StepError;
use whimbrel::plan::Until;
use whimbrel::source::Directory;
use whimbrel::{Interrupt, Migrator};

use crate::harness::{Outcome, Project};

const SLOW: &str = "INSERT INTO note (text) VALUES ('slow');\n\
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;\n";
/// Far more than what is quick takes.
const SOON: Duration = Duration::from_secs(30);

/// Runs with more and more time, each time on a new project, until what is quick was done in it, however busy the machine is:
/// what is slow has no end.
fn stopped(make: impl Fn() -> Project, arguments: &[&str], at: &str) -> (Project, Outcome) {
    for seconds in [1_u32, 4, 16, 64] {
        let project = make();
        let timeout = format!("{seconds}s");
        let mut outcome = project.run(&[arguments, &["--timeout", &timeout]].concat());
        outcome.stderr = outcome.stderr.replace(&format!("timeout of {timeout}"), "timeout of [time]");
        if outcome.stderr.contains(at) {
            return (project, outcome);
        }
    }
    panic!("a minute was too short for what is quick");
}

fn project() -> Project {
    let project = Project::notes();
    project.write("migrations/0003_slow.sql", SLOW);
    project
}

#[test]
fn a_statement_is_stopped_and_its_step_rolled_back() {
    let (project, outcome) = stopped(project, &["up"], "migration 3 slow was rolled back");
    let error = outcome.stderr.split_once("error: ").expect("there is an error").1;
    assert_eq!(outcome.code, 124, "{outcome}");
    assert_snapshot!(error, @"
    the run took longer than its timeout of [time]; migration 3 slow was rolled back
    note: 2 migrations were applied before it and stay applied
    hint: give it more time with --timeout, or run fewer steps at once with --steps
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
    let json = project.run(&["up", "--timeout", "300ms", "--json"]);
    assert_eq!((json.code, json.json("error")["code"].as_str()), (124, Some("timeout")), "{json}");
    project.remove("migrations/0003_slow.sql");
    project.ok(&["up", "--timeout", "1h"]);
}

#[test]
fn a_hook_is_stopped_and_nothing_else_is_said_to_be_undone() {
    let with_hook = |moment: &str| {
        let project = Project::notes();
        project.write("hooks/slow.sql", SLOW);
        project
            .write("whimbrel.toml", format!("database = \"sqlite:app.db\"\n[hooks]\n{moment} = \"hooks/slow.sql\"\n"));
        project
    };
    let (_, outcome) = stopped(|| with_hook("after_all"), &["up"], "in the after_all hook slow");
    assert_eq!(outcome.code, 124, "{outcome}");
    assert_snapshot!(outcome.stderr.split_once("error: ").expect("there is an error").1, @"
    the run took longer than its timeout of [time] in the after_all hook slow
    note: 2 migrations were applied before it and stay applied
    hint: give it more time with --timeout, or run fewer steps at once with --steps
    ");
    let applied = || {
        let project = with_hook("after_each");
        let settings = project.read("whimbrel.toml");
        project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n");
        project.ok(&["up"]);
        project.write("whimbrel.toml", settings);
        project
    };
    let (_, outcome) = stopped(applied, &["down"], "in the after_each hook slow");
    assert_snapshot!(outcome.stderr.split_once("error: ").expect("there is an error").1, @"
    the run took longer than its timeout of [time] in the after_each hook slow
    note: migration 2 first_notes was rolled back
    hint: give it more time with --timeout, or run fewer steps at once with --steps
    ");
    let outside = || {
        let project = applied();
        project.write("migrations/0003_out.sql", "-- whimbrel: transaction = none\nCREATE TABLE out (x);\n");
        project
    };
    let (project, outcome) = stopped(outside, &["up"], "in the after_each hook slow");
    assert_snapshot!(outcome.stderr.split_once("error: ").expect("there is an error").1, @"
    the run took longer than its timeout of [time] in the after_each hook slow
    note: migration 3 out stays: it had committed on its own before the hook
    hint: give it more time with --timeout, or run fewer steps at once with --steps
    ");
    project.write("migrations/0003_out.verify.sql", SLOW.replace("INSERT INTO note (text) VALUES ('slow');\n", ""));
    let outcome = project.run(&["verify", "--deep", "--timeout", "1s"]);
    assert_eq!(outcome.code, 124, "{outcome}");
    assert!(!outcome.stderr.contains("rolled back"), "{outcome}");
}

#[test]
fn dry_runs_and_tests_are_stopped_too() {
    let project = project();
    project.ok(&["up", "--steps", "2"]);
    for verb in [&["up", "--dry-run"][..], &["test"]] {
        let arguments = [verb, &["--timeout", "300ms"]].concat();
        let outcome = project.unchanged(|| project.run(&arguments));
        assert_eq!(outcome.code, 124, "{verb:?}: {outcome}");
        assert!(outcome.stderr.contains("timeout of 300ms"), "{outcome}");
    }
}

#[test]
fn waiting_for_a_lock_counts() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\ntimeout = \"400ms\"\n");
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 124, "{outcome}");
    assert_snapshot!(outcome.stderr, @"
    error: the run took longer than its timeout of 400ms; migration 2 first_notes had not begun: it waited for another process that uses the database
    hint: `whimbrel lock status` shows who is at work; or give it more time with --timeout
    ");
    other.execute_batch("ROLLBACK").expect("the lock is free");
    // What is typed comes before the file.
    project.ok(&["up", "--timeout", "1m"]);
}

#[test]
fn waiting_for_a_lock_counts_for_verbs_that_run_nothing() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    let other = project.database();
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    let verbs: &[&[&str]] = &[
        &["status"],
        &["plan"],
        &["plan", "down"],
        &["history"],
        &["baseline", "2", "--yes"],
        &["squash"],
        &["verify"],
        &["rejects", "1"],
        &["repair", "1", "--restart", "--dry-run"],
        &["renumber", "--dry-run"],
        &["adopt", "--dry-run"],
    ];
    for verb in verbs {
        let arguments = [*verb, &["--timeout", "200ms", "--json"]].concat();
        let outcome = project.run(&arguments);
        assert_eq!(outcome.code, 124, "{verb:?}: {outcome}");
        assert_eq!(outcome.json("error")["code"], "timeout", "{verb:?}: {outcome}");
    }
}

/// A query without an end.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

#[test]
fn a_look_that_takes_too_long_is_no_answer() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0003_asks.sql", format!("-- whimbrel: require = {ENDLESS}\nSELECT 1;\n"));
    project.write("migrations/0002_first_notes.down.sql", format!("{ENDLESS};\n"));
    for verb in [&["status"][..], &["plan", "down"]] {
        let outcome = project.run(&[verb, &["--timeout", "300ms", "--json"]].concat());
        assert_eq!((outcome.code, outcome.json("error")["code"].as_str()), (124, Some("timeout")), "{outcome}");
    }
}

#[test]
fn a_time_that_leaves_none_is_refused() {
    let project = Project::notes();
    let outcome = project.run(&["up", "--timeout", "0"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("0 leaves no time for anything"), "{outcome}");
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\ntimeout = \"soon\"\n");
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("whimbrel.toml:2:11") && outcome.stderr.contains("is not a time"), "{outcome}");
}

#[test]
fn a_program_tells_its_timeout_from_its_interrupt() {
    let interrupt = Interrupt::new();
    let migrator = |project: &Project, timeout| {
        Migrator::builder()
            .source(Directory::new(project.path("migrations")))
            .database(Sqlite::file(project.path("app.db")))
            .interrupt(interrupt.clone())
            .timeout(timeout)
            .build()
            .unwrap()
    };
    let (mut time, project) = (Duration::from_secs(1), project());
    migrator(&project, Duration::MAX).up(Until::Steps(2)).unwrap();
    let stopped = loop {
        let Err(Error::Timeout { timeout, source }) = migrator(&project, time).up(Until::End) else {
            panic!("it was to be stopped")
        };
        assert_eq!(timeout, time);
        match *source {
            Error::Run(stopped) if matches!(stopped.source, StepError::Interrupted) => break stopped,
            // The machine is busy, and it had not begun.
            source => assert!(time < SOON, "{source:?}"),
        }
        time *= 4;
    };
    assert_eq!(stopped.failed.migration.version, 3.into());
    let migrator = migrator(&project, time);
    assert!(matches!(stopped.source, StepError::Interrupted));
    interrupt.raise();
    let error = migrator.up(Until::End).unwrap_err();
    assert!(!matches!(error, Error::Timeout { .. }) && error.is_interruption(), "{error:?}");
}

#[test]
fn who_had_not_begun_did_not_wait_where_nobody_was_there() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("s.js", "export function up(db) {}\n");
    for _ in 0..3 {
        let stopped = project.run(&["run-script", "s.js", "--timeout", "1ms"]);
        assert!(stopped.code == 124 && !stopped.stderr.contains("another process"), "{stopped}");
    }
}
