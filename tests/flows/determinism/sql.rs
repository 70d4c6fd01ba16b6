//! Time and chance in the SQL of guests.

use std::sync::OnceLock;

use whimbrel::db::ErrorCode;
use whimbrel::exec::{Disagreement, Trial};
use whimbrel::plan::Goal;
use whimbrel::wasm::PluginError;

use super::House;
use crate::flows::guests::workspace;

/// Builds the guest that runs the statements of its parameter, once.
fn runner() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let manifest = workspace().join("tests/guests/wasi/rust/Cargo.toml");
    BYTES.get_or_init(|| xtask::component(&manifest).expect("the guest compiles"))
}

const SCHEMA: &str = "CREATE TABLE told (what TEXT PRIMARY KEY, answer TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);";

fn house(functions: &str, statements: &str) -> House {
    let manifest = format!(
        "[grants]\ninsert = ['told']\nread = ['told']\nfunctions = [{functions}]\n[params]\nsql = \"\"\"\n{statements}\"\"\"\n"
    );
    House::new(&[("1_told.sql", SCHEMA.as_bytes()), ("2_ask.wasm", runner()), ("2_ask.toml", manifest.as_bytes())])
}

fn told(house: &House, what: &str) -> String {
    house.query(&format!("SELECT answer FROM told WHERE what = '{what}'")).remove(0)
}

#[test]
fn is_refused_without_the_grant() {
    let cases = [
        ("INSERT INTO told VALUES ('x', random(), '')", "random"),
        ("INSERT INTO told VALUES ('x', hex(randomblob(4)), '')", "random"),
        ("INSERT INTO told VALUES ('x', CURRENT_TIMESTAMP, '')", "now"),
        ("INSERT INTO told VALUES ('x', date('now'), '')", "now"),
        ("INSERT INTO told VALUES ('x', strftime('%s'), '')", "now"),
        ("INSERT INTO told (what) VALUES ('x')", "now"),
        ("INSERT INTO told VALUES ('x', datetime('2026-01-01', 'localtime'), '')", "localtime"),
    ];
    for (statement, grant) in cases {
        let house = house("", statement);
        match house.fails_as_guest() {
            PluginError::Refused { statement: Some(failed), .. } => {
                let error = failed.error;
                assert_eq!(error.code, ErrorCode::Denied, "{statement}: {error}");
                assert!(error.details.contains(&("action".into(), "function".into())), "{statement}: {error:?}");
                let asked = error.details.iter().any(|(name, value)| name == "grant" && value.contains(grant));
                assert!(asked || error.message.contains(grant), "{statement}: {error:?}");
            }
            other => panic!("{statement}: {other:?}"),
        }
        assert_eq!(house.query("SELECT count(*) || '' FROM told"), ["0"]);
    }
}

#[test]
fn a_default_that_was_refused_is_named() {
    match house("", "INSERT INTO told (what) VALUES ('x')").fails_as_guest() {
        PluginError::Refused { statement: Some(failed), .. } => {
            assert!(failed.error.message.contains("the default of column at of table told"), "{}", failed.error);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_the_grant_it_is_the_start_of_the_run_and_the_sequence_of_the_component() {
    let statements = "INSERT INTO told (what, answer) VALUES ('time', strftime('%s %f', 'now'))
INSERT INTO told (what, answer) VALUES ('again', strftime('%s %f'))
INSERT INTO told (what, answer) VALUES ('random', random())
INSERT INTO told (what, answer) VALUES ('blob', hex(randomblob(20)))
";
    let first = house("'now', 'random'", statements);
    first.up().unwrap();
    assert_eq!(told(&first, "time"), told(&first, "again"));
    assert_eq!(first.query("SELECT DISTINCT at FROM told").len(), 1);
    let second = house("'random', 'now'", statements);
    std::thread::sleep(std::time::Duration::from_millis(2));
    second.up().unwrap();
    assert_ne!(told(&first, "time"), told(&second, "time"));
    for what in ["random", "blob"] {
        assert_eq!(told(&first, what), told(&second, what));
    }
    let third = house("'random', 'now'", statements);
    let trials = third.migrator().run_twice(&Goal::LATEST).unwrap();
    assert!(matches!(trials[..], [Trial { disagreement: None::<Disagreement>, .. }]), "{trials:?}");
}

#[test]
fn sql_migrations_keep_the_real_functions() {
    let house = house("'now', 'random'", "INSERT INTO told (what, answer) VALUES ('guest', random())\n");
    let after = "INSERT INTO told (what, answer) VALUES ('sql', random()), ('time', unixepoch('now'));
                 CREATE TABLE later (x, at DEFAULT CURRENT_TIMESTAMP, CHECK (date(at) IS NOT NULL));
                 INSERT INTO later (x) SELECT datetime('now', 'localtime');";
    house.write("3_after.sql", after.as_bytes());
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    house.up().unwrap();
    assert!(told(&house, "time").parse::<u64>().unwrap() >= before);
    assert_ne!(told(&house, "guest"), told(&house, "sql"));
    assert!(house.query("SELECT at FROM later")[0].starts_with("20"));
}

#[test]
fn rows_without_an_order_cannot_be_turned_round() {
    let cases = ["PRAGMA reverse_unordered_selects = 1", "PRAGMA automatic_index = 0", "PRAGMA threads = 4"];
    for statement in cases {
        match house("", statement).fails_as_guest() {
            PluginError::Refused { statement: Some(failed), .. } => {
                assert_eq!(failed.error.code, ErrorCode::Denied, "{}", failed.error);
            }
            other => panic!("{other:?}"),
        }
    }
}
