//! Libraries that would do more than they may, or hand over more than they should.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use whimbrel::plan::Until;

use super::super::transforms::chain;
use super::Stage;

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
