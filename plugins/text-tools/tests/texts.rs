//! The functions as Rust functions, and on a real SQLite.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use text_tools::{functions, normalise_email, slug};
use whimbrel_guest::testing::Database;

#[test]
fn makes_slugs() {
    let cases = [
        ("Field guide", Some("field-guide")),
        ("  tea; black ", Some("tea-black")),
        ("Crème Brûlée à l’orange", Some("creme-brulee-a-lorange")),
        ("Straße ½", Some("strasse-1-2")),
        ("双眼鏡 8×42", Some("双眼鏡-8-42")),
        ("binóculos", Some("binoculos")),
        ("—", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(slug(text).as_deref(), expected, "{text:?}");
    }
    let long = "가".repeat(100);
    assert!(slug(&long).unwrap().len() <= 81);
}

#[test]
fn normalises_addresses() {
    assert_eq!(normalise_email(" Ada.Lovelace@Example.ORG ").as_deref(), Ok("Ada.Lovelace@example.org"));
    assert_eq!(normalise_email("\"a@b\"@C.d").as_deref(), Ok("\"a@b\"@c.d"));
    for wrong in ["", "nobody", "@", "a@", "@b"] {
        assert!(normalise_email(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn are_called_from_sql() {
    let mut db = Database::new();
    db.functions(functions()).unwrap();
    assert_eq!(db.lines("SELECT slug('Field guide'), slug(NULL), slug('!')").unwrap(), ["field-guide|NULL|NULL"]);
    let error = db.query("SELECT normalise_email('nobody')").unwrap_err();
    assert!(error.to_string().contains("the function normalise_email: there is no @ in it"), "{error}");
}
