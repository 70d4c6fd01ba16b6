//! The test kit of the library, used as programs use it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use rusqlite::Connection;
use whimbrel::Migrator;
use whimbrel::db::Value;
use whimbrel::exec::TripOutcome;
use whimbrel::plan::{Goal, Until};
use whimbrel::source::{Directory, Embedded};
use whimbrel::testing::{
    FillError, TestDatabase, assert_deterministic, assert_passed, assert_passed_but, assert_same, assert_schema_eq,
};
use whimbrel::wasm::ComponentCache;

use crate::flows::guests::workspace;

fn sample() -> Migrator {
    Migrator::builder()
        .source(Directory::new(workspace().join("migrations")))
        .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
        .build()
        .unwrap()
}

const NOTES: Embedded = Embedded::new(
    "notes",
    &[
        ("1_note.up.sql", b"CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"),
        ("1_note.down.sql", b"DROP TABLE note;"),
        ("2_length.up.sql", b"ALTER TABLE note ADD COLUMN length INTEGER; UPDATE note SET length = length(text);"),
        ("2_length.down.sql", b"ALTER TABLE note DROP COLUMN length;"),
        ("3_trim.up.sql", b"UPDATE note SET text = trim(text);"),
        ("3_trim.down.sql", b"SELECT 1;"),
    ],
);

fn notes() -> Migrator {
    Migrator::builder().source(NOTES).build().unwrap()
}

/// Runs what is to panic and returns what it says.
fn panics(action: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(action)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

#[test]
fn a_database_is_at_a_version_and_goes_up_and_down() {
    let mut database = TestDatabase::at(notes(), 1).unwrap();
    insta::assert_snapshot!(database.schema_snapshot(), @"CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);");
    database.up().unwrap();
    assert_schema_eq(&database, &TestDatabase::latest(notes()).unwrap());
    database.down_to(1).unwrap();
    assert_same(&database, &TestDatabase::at(notes(), 1).unwrap());
    assert_eq!(TestDatabase::empty(notes()).unwrap().schema_snapshot(), "");
}

#[test]
fn rows_that_are_made_find_what_few_rows_do_not() {
    let mut database = TestDatabase::at(notes(), 1).unwrap();
    assert_passed(&database.round_trip().unwrap());
    database.fill("note", 200, 1).unwrap();
    let trips = database.round_trip().unwrap();
    let said = panics(|| assert_passed(&trips));
    assert!(said.starts_with("migration 3 trim, down:\n  table note, row with id "), "{said}");
    assert_passed_but(&trips, &[3.into()]);
    let said = panics(|| assert_passed_but(&trips, &[2.into(), 3.into()]));
    assert_eq!(said, "migration 2 length comes back by now");
    assert_deterministic(&database.determinism().unwrap());
}

#[test]
fn what_is_not_as_expected_is_told() {
    let one = TestDatabase::at(notes(), 1).unwrap();
    one.connection().execute_batch("INSERT INTO note VALUES (1, 'a'), (2, 'b')").unwrap();
    one.assert_rows(
        "SELECT text, 1.5, NULL FROM note",
        &[["a".into(), 1.5.into(), Value::Null], ["b".into(), 1.5.into(), Value::Null]],
    );
    let said = panics(|| one.assert_rows("SELECT id FROM note", &[[Value::Integer(1)]]));
    insta::assert_snapshot!(said, @"
    SELECT id FROM note returns other rows; expected
      [Integer(1)]
    found
      [Integer(1)]
      [Integer(2)]
    ");
    let other = TestDatabase::at(notes(), 2).unwrap();
    let said = panics(|| assert_same(&one, &other));
    insta::assert_snapshot!(said, @"
    the databases differ:
      table note: column length is there in the second and not in the first
      table note: the row with id 1 is there in the first and not in the second
      table note: the row with id 2 is there in the first and not in the second
    ");
    let said = panics(|| assert_schema_eq(&one, &other));
    insta::assert_snapshot!(said, @"
    the schemas differ:
      table note: column length is there in the second and not in the first
    ");
}

#[test]
fn a_copy_of_a_real_database_is_tried_and_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let mut connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    notes().run_on(&mut connection, &Goal::Up(Until::Version(1.into()))).unwrap();
    connection.execute_batch("INSERT INTO note (text) VALUES (' a ')").unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut copy = TestDatabase::copy_of(notes(), &path).unwrap();
    let trips = copy.round_trip().unwrap();
    assert!(matches!(trips[1].outcome, TripOutcome::Differs { .. }), "{trips:?}");
    copy.up().unwrap();
    copy.assert_rows("SELECT text, length FROM note", &[["a".into(), Value::Integer(3)]]);
    assert!(std::fs::read(&path).unwrap() == before);
    let missing = TestDatabase::copy_of(notes(), folder.path().join("other.db")).err().unwrap();
    assert!(missing.to_string().contains("other.db"), "{missing}");
    connection.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").unwrap();
    assert!(TestDatabase::copy_of(notes(), &path).is_err(), "it is locked");
}

#[test]
fn a_table_that_is_not_there_is_an_error_of_filling() {
    let database = TestDatabase::at(notes(), 1).unwrap();
    match database.fill("nota", 1, 1) {
        Err(FillError::NoTable { nearest, .. }) => assert_eq!(nearest.as_deref(), Some("note")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_schema_of_the_sample_chain() {
    insta::assert_snapshot!(TestDatabase::latest(sample()).unwrap().schema_snapshot());
}

const CUSTOMERS: &str = "SELECT id, full_name, last_name, country, phone, settings FROM customer ORDER BY id";
const PURCHASES: &str = "SELECT id, customer_id, item, cents FROM purchase ORDER BY id";
/// Phone numbers and settings of which nothing is known any more: neither what was read of them, nor why it was not.
const LOST: &str = "
    SELECT id FROM customer WHERE trim(phone) <> '' AND id NOT IN (SELECT customer_id FROM customer_phone)
                              AND id NOT IN (SELECT customer_id FROM customer_phone_reject)
    UNION ALL
    SELECT id FROM customer WHERE length(settings) > 0 AND id NOT IN (SELECT customer_id FROM customer_setting)
                              AND id NOT IN (SELECT customer_id FROM customer_setting_reject)";

proptest! {
    // Each of them runs the components of the chain four times.
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn data_survives_the_sample_chain(seed: u64, customers in 1_u64..40) {
        let mut database = TestDatabase::at(sample(), 4).unwrap();
        database.fill("customer", customers, seed).unwrap();
        database.fill("purchase", customers * 2, seed).unwrap();
        let before = [database.rows(CUSTOMERS), database.rows(PURCHASES)];
        assert_passed(&database.round_trip().unwrap());
        database.up().unwrap();
        database.assert_rows(CUSTOMERS, &before[0]);
        database.assert_rows(PURCHASES, &before[1]);
        database.assert_rows::<Vec<Value>>(LOST, &[]);
    }
}
