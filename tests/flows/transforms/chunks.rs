//! Transforms in chunks: stopped, killed, resumed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use whimbrel::model::AppliedState;
use whimbrel::plan::{Goal, State};

use super::{SPLIT, Stage, counts, people};
use crate::harness::Project;

const COUNT: &str = "[transform]\ntable = 'person'\nread = ['n']\nwrite = ['n']\nchunk = 500\n";

#[test]
fn goes_on_after_the_last_chunk() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 3017", people(5000));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}chunk = 1000"));
    let error = stage.up().unwrap_err();
    assert!(super::chain(&error).contains("id 3017"), "{error}");
    assert_eq!(
        stage.lines("SELECT count(first_name), max(id) FILTER (WHERE first_name NOT NULL) FROM person"),
        ["3000|3000"]
    );
    let status = stage.migrator().status().unwrap();
    assert_eq!(status.entries[1].state, State::InProgress);
    assert_eq!(status.entries[1].applied.as_ref().unwrap().rows_done, Some((3000, 5000)));
    let connection = Connection::open(stage.database()).unwrap();
    // What comes before the last chunk is done, what comes after it is still to do, whoever writes it.
    connection.execute_batch("UPDATE person SET full_name = 'Good Name' WHERE id = 3017").unwrap();
    connection.execute_batch("DELETE FROM person WHERE id IN (7, 4000); INSERT INTO person (id, full_name) VALUES (-1, 'x y'), (9000, 'Late Comer')").unwrap();
    assert_eq!(stage.counts(), counts(5000, 5000, 0, 0));
    assert_eq!(stage.lines("SELECT id FROM person WHERE first_name IS NULL"), ["-1"]);
    let row = &stage.migrator().history().unwrap()[1];
    assert_eq!((row.state, row.record().rows_changed), (AppliedState::Applied, 5000));
    assert!(row.record().fuel.unwrap() > 1000);
}

#[test]
fn refuses_to_go_on_with_something_else() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 3017", people(5000));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}chunk = 1000"));
    stage.up().unwrap_err();
    let before = std::fs::read(stage.database()).unwrap();
    stage.manifest("split", &format!("{SPLIT}chunk = 1000"));
    let error = stage.up().unwrap_err();
    assert!(error.to_string().contains("migration 2 transform was changed while it is in progress"), "{error}");
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}

#[test]
fn a_dry_run_tries_what_is_left() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 3017", people(5000));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}chunk = 1000"));
    stage.up().unwrap_err();
    Connection::open(stage.database())
        .unwrap()
        .execute_batch("UPDATE person SET full_name = 'x' WHERE id = 3017")
        .unwrap();
    let before = std::fs::read(stage.database()).unwrap();
    let report = stage.migrator().dry_run(&Goal::LATEST).unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(5000, 5000, 0, 0)));
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}

#[test]
fn several_processes_share_the_chunks() {
    let stage = Stage::new(&people(10_000), "count", COUNT);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| stage.up().unwrap());
        }
    });
    assert_eq!(stage.lines("SELECT min(n), max(n), count(n) FROM person"), ["1|1|10000"]);
    assert_eq!(stage.migrator().history().unwrap()[1].record().rows_changed, 10_000);
}

#[test]
fn killed_at_any_moment_every_row_is_transformed_once() {
    let program = crate::harness::program();
    let stage = Stage::new(&people(30_000), "count", COUNT);
    Connection::open(stage.database()).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    let mut kills = 0;
    loop {
        let mut child = Command::new(program)
            .args(["up", "--database", "app.db"])
            .current_dir(stage.database().parent().unwrap())
            .env("WHIMBREL_CACHE", super::workspace().join("target/test-component-cache"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        // A little later each time, until one run is left in peace.
        let patience = Duration::from_millis(20 + 17 * kills);
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if began.elapsed() > patience && kills < 15 {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let (transformed, most) = {
            let line = &stage.lines("SELECT count(n), coalesce(max(n), 1) FROM person")[0];
            let (transformed, most) = line.split_once('|').unwrap();
            (transformed.parse::<u64>().unwrap(), most.to_owned())
        };
        assert_eq!(most, "1", "a row was transformed twice");
        assert_eq!(transformed % 500, 0, "a chunk was torn");
        match ended {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => kills += 1,
        }
    }
    assert!(kills > 0);
    assert_eq!(stage.lines("SELECT min(n), max(n), count(n) FROM person"), ["1|1|30000"]);
    assert_eq!(stage.migrator().history().unwrap()[1].record().rows_changed, 30_000);
}

#[test]
fn a_baseline_in_chunks_has_all_before_it_in_it() {
    let project = Project::with(&[
        ("0001_first.sql", "CREATE TABLE first (x);"),
        ("0002_all.js", "export function transform(row) { return { y: row.x + 1 }; }\n"),
        ("0002_all.toml", "baseline = true\n[transform]\ntable = 't'\nread = ['x']\nwrite = ['y']\nchunk = 2\n"),
    ]);
    project.database().execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, x, y)").unwrap();
    project.database().execute_batch("INSERT INTO t (x) VALUES (1), (2), (3), (4), (5)").unwrap();
    project.ok(&["up"]);
    project.ok(&["status", "--check"]);
    assert_eq!(project.number("SELECT sum(y) FROM t"), 20);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE state = 'baseline'"), 1);
}
