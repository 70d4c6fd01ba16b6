//! `--timeout`: a run that takes too long is stopped, its step is rolled back, the exit code tells.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use whimbrel::Error;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::StepError;
use whimbrel::plan::Until;
use whimbrel::source::Directory;
use whimbrel::{Interrupt, Migrator};

use crate::harness::Project;

const SLOW: &str = "INSERT INTO note (text) VALUES ('slow');\n\
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;\n";
/// Far below what the slow statement would take; a busy machine gets all of it.
const SOON: Duration = Duration::from_secs(30);

fn project() -> Project {
    let project = Project::notes();
    project.write("migrations/0003_slow.sql", SLOW);
    project
}

#[test]
fn a_statement_is_stopped_and_its_step_rolled_back() {
    let project = project();
    let began = Instant::now();
    // Long enough for what is quick, even while other tests run.
    let outcome = project.run(&["up", "--timeout", "3s"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let error = outcome.stderr.split_once("error: ").expect("there is an error").1;
    assert_eq!(outcome.code, 124, "{outcome}");
    assert_snapshot!(error, @"
    the run took longer than its timeout of 3s; migration 3 slow was rolled back
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
    let project = Project::notes();
    let settings = |moment: &str| format!("database = \"sqlite:app.db\"\n[hooks]\n{moment} = \"hooks/slow.sql\"\n");
    project.write("hooks/slow.sql", SLOW);
    project.write("whimbrel.toml", settings("after_all"));
    let outcome = project.run(&["up", "--timeout", "3s"]);
    assert_eq!(outcome.code, 124, "{outcome}");
    assert_snapshot!(outcome.stderr.split_once("error: ").expect("there is an error").1, @"
    the run took longer than its timeout of 3s in the after_all hook slow
    note: 2 migrations were applied before it and stay applied
    hint: give it more time with --timeout, or run fewer steps at once with --steps
    ");
    project.write("whimbrel.toml", settings("after_each"));
    let outcome = project.run(&["down", "--timeout", "3s"]);
    assert_snapshot!(outcome.stderr.split_once("error: ").expect("there is an error").1, @"
    the run took longer than its timeout of 3s in the after_each hook slow
    note: migration 2 first_notes was rolled back
    hint: give it more time with --timeout, or run fewer steps at once with --steps
    ");
    project.write("migrations/0003_out.sql", "-- whimbrel: transaction = none\nCREATE TABLE out (x);\n");
    let outcome = project.run(&["up", "--timeout", "3s"]);
    assert_snapshot!(outcome.stderr.split_once("error: ").expect("there is an error").1, @"
    the run took longer than its timeout of 3s in the after_each hook slow
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
    let project = project();
    let interrupt = Interrupt::new();
    let migrator = Migrator::builder()
        .source(Directory::new(project.path("migrations")))
        .database(Sqlite::file(project.path("app.db")))
        .interrupt(interrupt.clone())
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let Err(Error::Timeout { timeout, source }) = migrator.up(Until::End) else { panic!("it was to be stopped") };
    let Error::Run(stopped) = *source else { panic!("{source:?}") };
    assert_eq!((timeout, stopped.done.steps.len()), (Duration::from_secs(3), 2));
    assert!(matches!(stopped.source, StepError::Interrupted));
    interrupt.raise();
    let error = migrator.up(Until::End).unwrap_err();
    assert!(!matches!(error, Error::Timeout { .. }) && error.is_interruption(), "{error:?}");
}
