//! SQL functions, run natively.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(feature = "testing")]

use std::sync::atomic::{AtomicI64, Ordering};

use whimbrel_guest::Cell;
use whimbrel_guest::testing::Database;

static CALLS: AtomicI64 = AtomicI64::new(0);

fn normalise_email(email: &str) -> Result<String, &'static str> {
    let (name, domain) = email.trim().rsplit_once('@').ok_or("there is no @ in it")?;
    Ok(format!("{name}@{}", domain.to_lowercase()))
}

fn initials(first: Option<&str>, last: &str) -> String {
    first.into_iter().chain([last]).filter_map(|word| word.chars().next()).collect()
}

fn half(number: f64) -> f64 {
    number / 2.0
}

fn kind(cell: Cell<'_>) -> String {
    format!("{cell:?}")
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b' ')
}

fn next() -> i64 {
    CALLS.fetch_add(1, Ordering::Relaxed)
}

whimbrel_guest::export_functions! {
    /// Puts an address into the form in which addresses are compared.
    normalise_email(email: &str) -> Result<String, &'static str>;
    initials(first: Option<&str>, last: &str) -> String;
    half(number: f64) -> f64;
    kind(cell: Cell<'_>) -> String;
    is_blank(bytes: &[u8]) -> bool;
    next() -> i64, not_deterministic;
}

fn database() -> Database {
    let mut db = Database::new();
    db.functions(functions()).unwrap();
    db
}

#[test]
fn are_typed_and_know_null() {
    let cases = [
        ("normalise_email(' Ada@EXAMPLE.org')", "Ada@example.org"),
        ("normalise_email(NULL)", "NULL"),
        ("initials('Ada', 'Lovelace')", "AL"),
        ("initials(NULL, 'Plato')", "P"),
        ("initials('Ada', NULL)", "NULL"),
        ("half(3)", "1.5"),
        ("kind(NULL)", "Null"),
        ("kind(x'00')", "Blob([0])"),
        ("is_blank(x'2020')", "1"),
    ];
    for (call, expected) in cases {
        assert_eq!(database().lines(&format!("SELECT {call}")).unwrap(), [expected], "{call}");
    }
}

#[test]
fn say_what_is_wrong() {
    let cases = [
        ("normalise_email('nobody')", "the function normalise_email: there is no @ in it"),
        ("normalise_email(17)", "the function normalise_email: argument 1 (email) is integer, and text is wanted"),
        ("half('x')", "the function half: argument 1 (number) is text, and real is wanted"),
        ("half(1, 2)", "wrong number of arguments to function half()"),
    ];
    for (call, expected) in cases {
        let error = database().query(&format!("SELECT {call}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{call}: {error}");
    }
}

#[test]
fn describe_themselves() {
    let email = &functions()[0];
    assert_eq!((email.parameters, email.returns), (&[("email", "text")][..], "text"));
    assert!(email.deterministic && email.null_if_any_null);
    assert_eq!(email.description.trim(), "Puts an address into the form in which addresses are compared.");
    assert!(!functions()[1].null_if_any_null && !functions()[5].deterministic);
}

#[test]
fn stay_out_of_the_schema() {
    let mut db = database();
    for definition in [
        "CREATE TABLE t (a, b AS (half(a)))",
        "CREATE TABLE t (a CHECK (half(a) > 1))",
        "CREATE INDEX i ON u (half(a))",
    ] {
        db.execute_script("CREATE TABLE IF NOT EXISTS u (a)").unwrap();
        let error = db.execute_script(definition).unwrap_err().to_string();
        assert!(error.contains("unsafe use of half()"), "{definition}: {error}");
    }
}

#[test]
fn never_cover_what_sqlite_has() {
    mod covering {
        fn upper(text: &str) -> String {
            text.to_owned()
        }
        whimbrel_guest::export_functions!(upper(text: &str) -> String);
    }
    let error = Database::new().functions(covering::functions()).unwrap_err().to_string();
    assert!(error.contains("the connection has a function upper already"), "{error}");
}
