//! Libraries that would do more than they may, or hand over more than they should.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use whimbrel::Interrupt;
use whimbrel::db::Cell;
use whimbrel::limits::{Limit, Limits};
use whimbrel::plan::Until;
use whimbrel::wasm::{Compilation, Engine, FunctionsCall, FunctionsInstance, RunLimits, Used};

use super::super::transforms::chain;
use super::{Deaf, Stage, library};

#[test]
fn a_library_does_not_answer_what_the_owners_tables_ask() {
    let cases = [
        "CREATE TABLE odd (n CHECK (is_odd(n)));",
        "CREATE TABLE odd (n, CONSTRAINT k CHECK (\"Is_Odd\" (n) OR n IS NULL));",
        "CREATE TABLE odd (n, m AS (is_odd(n)));",
        "CREATE TABLE odd (n DEFAULT (is_odd(1)));",
        "CREATE TABLE odd (n); CREATE INDEX i ON odd (n) WHERE is_odd(n);",
    ];
    for table in cases {
        let stage = Stage::calling("INSERT INTO odd (n) VALUES (3);");
        stage.migrator().up(Until::Steps(1)).unwrap();
        let connection = Connection::open(stage.database()).unwrap();
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        // The application's own, by which the table was made.
        connection.create_scalar_function("is_odd", 1, flags, |call| Ok(call.get::<i64>(0)? % 2 != 0)).unwrap();
        connection.execute_batch(table).unwrap();
        let said = chain(&stage.up().expect_err("it fails"));
        assert!(said.contains("calls is_odd, for which no function of a migration may answer"), "{table}: {said}");
    }
}

#[test]
fn libraries_have_one_budget_together() {
    let plugin = Engine::for_functions(&Compilation::default()).unwrap().compile(library()).unwrap();
    let start = |limits: Limits, used: &Used| {
        plugin.functions(&FunctionsCall {
            started_at: 0,
            limits: RunLimits::decide(None, &limits).unwrap(),
            used: used.clone(),
            interrupt: Interrupt::new(),
            events: Arc::new(Deaf),
        })
    };
    let work = |instance: &FunctionsInstance| {
        let twice = instance.functions().iter().find(|f| f.signature().name == "twice").unwrap();
        twice.call(&mut [Cell::Text(&"x".repeat(10_000))])
    };
    let one = start(Limits::default(), &Used::default()).unwrap();
    work(&one).unwrap();
    let enough = one.fuel();

    let limits = Limits::default().with(Limit::Fuel, enough * 2);
    let used = Used::default();
    let both = [start(limits.clone(), &used).unwrap(), start(limits, &used).unwrap()];
    both.iter().for_each(|instance| drop(work(instance).unwrap()));
    assert_eq!(both.iter().map(FunctionsInstance::fuel).sum::<u64>(), enough * 2);
    let error = work(&both[0]).unwrap_err();
    assert_eq!(error.limit_reached().map(|reached| reached.limit), Some(Limit::Fuel), "{error}");

    let memory = Limits::default().with(Limit::Memory, 2 << 20);
    let used = Used::default();
    let first = start(memory.clone(), &used).unwrap();
    work(&first).unwrap();
    let error = start(memory, &used).expect_err("the first has taken more than half");
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn a_script_makes_no_success_of_a_limit_that_a_function_met() {
    let script = "// whimbrel: functions = \"text_tools\"\n// whimbrel: limits = { bytes_per_call = \"1MiB\" }\n\
                  export function up(db) {\n\
                  try { db.query(\"SELECT length(twice(zeroblob(600000)))\").all(); } catch (e) { log(e.code); }\n}\n";
    let said = Stage::new(&[("0002_call.js", script)]).fails();
    assert!(said.contains("bytes_per_call limit of 1 MiB"), "{said}");
}

#[test]
fn a_call_carries_no_more_bytes_than_it_may() {
    let calls = |sql: &str| {
        let manifest = "functions = 'text_tools'\n[limits]\nbytes_per_call = '1MiB'\n";
        Stage::new(&[("0002_call.sql", sql), ("0002_call.toml", manifest)])
    };
    calls("SELECT length(twice(zeroblob(400000)));").up().unwrap();
    for sql in [
        "SELECT length(twice(zeroblob(600000)));",
        "SELECT length(twice(hex(zeroblob(400000))));",
        "SELECT length(twice(zeroblob(1100000)));",
    ] {
        let said = calls(sql).fails();
        assert!(said.contains("bytes_per_call"), "{sql}: {said}");
    }
    // Whatever the statement makes of it.
    let said = calls("INSERT OR IGNORE INTO person (n) SELECT length(twice(zeroblob(600000)));").fails();
    assert!(said.contains("bytes_per_call"), "{said}");
}
