//! Guests that take too much of one thing: each limit stops the step by its own name, and leaves nothing behind.

mod compile;
mod engine;
mod program;
pub(super) mod wat;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::limits::Limit as Native;
use whimbrel::CodeEvents;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Backend, OpenOptions, Session};
use whimbrel::exec::StepError;
use whimbrel::limits::{Limit, LimitReached, Limits, RunLimits, SetBy};
use whimbrel::model::Policy;
use whimbrel::plan::Until;
use whimbrel::wasm::{Call, ComponentCache, Engine, PluginError};
use whimbrel::{Error, Interrupt, LogLevel};

use super::guests::{Stage, behaviours, workspace};

/// What no limit's error takes longer than, on a machine that is busy with other tests.
const BOUNDED: Duration = Duration::from_secs(30);

/// Runs a guest that must meet a limit, and then, with the same migrator, one that is well behaved.
fn meets(stage: &Stage) -> LimitReached {
    let migrator = stage.migrator();
    let before = std::fs::read(stage.database()).unwrap();
    let began = Instant::now();
    let error = match migrator.up(Until::End) {
        Err(Error::Run(error)) => error.source,
        other => panic!("expected the step to fail, got {other:?}"),
    };
    assert!(began.elapsed() < BOUNDED, "it took {:?}", began.elapsed());
    assert!(std::fs::read(stage.database()).unwrap() == before, "the database changed");
    assert_eq!(migrator.history().unwrap().len(), 1);
    let beside = std::fs::read_dir(stage.database().parent().unwrap()).unwrap().count();
    assert_eq!(beside, 2, "more is left than the database and the migrations");

    let migrations = stage.database().with_file_name("migrations");
    std::fs::write(migrations.join("0002_guest.wasm"), behaviours()).unwrap();
    std::fs::write(migrations.join("0002_guest.toml"), "[params]\ndo = \"split\"\n").unwrap();
    assert_eq!(migrator.up(Until::End).unwrap().steps.len(), 1);
    assert_eq!(stage.people()[0].1.as_deref(), Some("Ada"));
    match error {
        StepError::Guest(error) => match *error {
            PluginError::Limit(reached) => reached,
            other => panic!("expected a limit, got {other:?}"),
        },
        other => panic!("expected a limit, got {other:?}"),
    }
}

/// The guest's own check is that each error is typed and names the limit; it returns ok all the same.
#[test]
fn each_limit_is_told_by_its_name_and_cannot_be_swallowed() {
    let cases = [
        ("sql_operations", "sql_operations = 1_000_000"),
        ("sql_operations-writing", "sql_operations = 1_000_000"),
        ("sql_operations-little", "sql_operations = 100_000"),
        ("sql_operations-failing", "sql_operations = 100_000"),
        ("sql_operations-half", "sql_operations = 10_000"),
        ("sql_operations-batch", "sql_operations = 100_000"),
        ("statements", "statements = 500"),
        ("statements-batch", "statements = 5_000"),
        ("statements-preparing", "statements = 500"),
        ("rows_read", "rows_read = 5_000"),
        ("rows_written", "rows_written = 5_000"),
        ("open_cursors", "open_cursors = 50"),
        ("open_statements", "open_statements = 50"),
        ("open_savepoints", "open_savepoints = 10"),
        ("open_handles", "open_handles = 300"),
        ("bytes_per_call", "bytes_per_call = \"1MiB\""),
        ("bytes_per_call-far", "bytes_per_call = \"1MiB\""),
        ("bytes_per_call-answer", "bytes_per_call = \"1MiB\""),
        ("bytes", "bytes = \"1MiB\""),
        ("bytes-answer", "bytes = \"1MiB\""),
        ("statement_length", "statement_length = \"64KiB\""),
        ("value_length", "value_length = \"1MiB\""),
        ("expression_depth", "expression_depth = 100"),
        ("compound_select", "compound_select = 50"),
        ("program_length", "program_length = 500"),
        ("parameters", "parameters = 100"),
        ("trigger_depth", "trigger_depth = 50"),
        ("like_pattern", "like_pattern = \"1KiB\""),
        ("database_growth", "database_growth = \"1MiB\""),
    ];
    for (greed, limits) in cases {
        let reached = meets(&Stage::behaving(&format!("greedy-{greed}"), limits));
        let (key, amount) = limits.split_once(" = ").unwrap();
        assert_eq!(reached.limit.key(), key, "{greed}");
        assert_eq!(reached.limit.amount(reached.value).replace(' ', ""), amount.replace(['"', '_'], ""), "{greed}");
        assert_eq!(reached.set_by, SetBy::Manifest, "{greed}");
        assert!(reached.how_to_raise().contains("manifest"), "{greed}");
    }
}

fn policy(limits: &Limits) -> Policy {
    Policy { limits: limits.clone(), ..Policy::default() }
}

#[test]
fn the_operator_may_raise_a_limit_and_a_manifest_may_not() {
    let stage = Stage::behaving("greedy-rows_read", "rows_read = 20_000");
    let low = Limits::default().with(Limit::RowsRead, 5_000);
    let error = stage.builder().policy(policy(&low)).build().unwrap().up(Until::End).unwrap_err();
    let Error::Prepare(refused) = error else { panic!("{error:?}") };
    let expected = "migration 2 guest asks for rows_read 20000, more than the 5000 it may have";
    assert!(refused.to_string().starts_with(expected), "{refused}");

    let stage = Stage::behaving("greedy-rows_read", "");
    let error = stage.builder().policy(policy(&low)).build().unwrap().up(Until::End).unwrap_err();
    let Error::Run(failed) = error else { panic!("{error:?}") };
    let StepError::Guest(guest) = failed.source else { panic!("{failed:?}") };
    let PluginError::Limit(reached) = *guest else { panic!("{guest:?}") };
    assert_eq!((reached.value, reached.set_by), (5_000, SetBy::Policy));

    // More than the host gives by itself.
    let fuel = Limit::Fuel.default_amount() * 2;
    let stage = Stage::behaving("split", &format!("fuel = {fuel}"));
    assert!(matches!(stage.up(), Err(Error::Prepare(_))));
    stage.builder().policy(policy(&Limits::default().with(Limit::Fuel, fuel))).build().unwrap().up(Until::End).unwrap();
}

#[test]
fn log_beyond_its_limits_is_dropped() {
    for limits in ["log_lines = 5", "log_bytes = 100"] {
        let stage = Stage::behaving("log", limits);
        stage.up().unwrap();
        let heard = stage.heard();
        assert_eq!(heard.len(), 6, "{heard:?}");
        assert!(heard[5].contains(limits.split(' ').next().unwrap()), "{}", heard[5]);
    }
}

#[test]
fn the_same_work_uses_the_same_fuel_and_operations() {
    let used = || {
        let stage = Stage::behaving("measured", "");
        let report = stage.up().unwrap();
        let step = &report.steps[0];
        let row = &stage.migrator().history().unwrap()[1];
        assert_eq!((row.record().fuel, row.record().operations), (step.fuel, step.counters.operations));
        (step.fuel.unwrap(), step.counters)
    };
    let first = used();
    assert_eq!(first, used());
    // 500 rows made, sorted once, updated until the second, read and updated: what failed or was left half read counts.
    assert!(first.1.operations > 15_000, "{first:?}");
}

struct Deaf;

impl CodeEvents for Deaf {
    fn log(&self, _: LogLevel, _: &str) {}
    fn progress(&self, _: u64, _: Option<u64>) {}
}

/// Calls the guest of behaviours on a session whose transaction is open.
fn call(
    engine: &Engine,
    session: Box<dyn Session>,
    behaviour: &str,
    limits: RunLimits,
) -> (Box<dyn Session>, Result<(), PluginError>) {
    let call = Call {
        export: "up",
        chain: "main",
        version: "2".into(),
        name: "guest",
        dry_run: false,
        started_at: 0,
        seed: 0,
        script: None,
        params: vec![("do".into(), behaviour.into())],
        limits,
        interrupt: Interrupt::new(),
        events: Arc::new(Deaf),
    };
    let (session, result) = engine.compile(behaviours()).unwrap().call(session, &call);
    (session, result.map(drop))
}

const NATIVE: [Native; 10] = [
    Native::SQLITE_LIMIT_LENGTH,
    Native::SQLITE_LIMIT_SQL_LENGTH,
    Native::SQLITE_LIMIT_EXPR_DEPTH,
    Native::SQLITE_LIMIT_COMPOUND_SELECT,
    Native::SQLITE_LIMIT_VDBE_OP,
    Native::SQLITE_LIMIT_VARIABLE_NUMBER,
    Native::SQLITE_LIMIT_TRIGGER_DEPTH,
    Native::SQLITE_LIMIT_LIKE_PATTERN_LENGTH,
    Native::SQLITE_LIMIT_ATTACHED,
    Native::SQLITE_LIMIT_WORKER_THREADS,
];

#[test]
fn a_session_is_as_it_was_after_a_limit() {
    let stage = Stage::behaving("split", "");
    let engine = Engine::new(&ComponentCache::Folder(workspace().join("target/test-component-cache"))).unwrap();
    let options = OpenOptions { lock_timeout: Duration::from_secs(5), interrupt: Interrupt::new(), record: false };
    let mut session = Sqlite::file(stage.database()).open(&options).unwrap();
    let read = |session: &mut Box<dyn Session>| -> Vec<i64> {
        let connection = session.sqlite().unwrap();
        let pages = connection.query_row("PRAGMA max_page_count", [], |row| row.get(0)).unwrap();
        let natives = NATIVE.iter().map(|limit| i64::from(connection.limit(*limit).unwrap()));
        natives.chain([pages]).collect()
    };
    let before = read(&mut session);
    let cases = [
        ("sql_operations-writing", Limit::SqlOperations, 1_000_000),
        ("database_growth", Limit::DatabaseGrowth, 1 << 20),
        ("value_length", Limit::ValueLength, 1 << 20),
        ("rows_read", Limit::RowsRead, 10),
    ];
    for (greed, limit, amount) in cases {
        let limits = RunLimits::decide(None, &Limits::default().with(limit, amount)).unwrap();
        session.begin().unwrap();
        let (returned, result) = call(&engine, session, &format!("greedy-{greed}"), limits);
        session = returned;
        assert!(matches!(result, Err(PluginError::Limit(reached)) if reached.limit == limit), "{greed}: {result:?}");
        session.rollback().unwrap();
        assert_eq!(read(&mut session), before, "{greed}");

        session.begin().unwrap();
        let (returned, result) = call(&engine, session, "split", RunLimits::default());
        session = returned;
        result.unwrap();
        session.rollback().unwrap();
    }
}
