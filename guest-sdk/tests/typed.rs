//! Rows as structs, run natively.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(feature = "testing")]

use std::borrow::Cow;

use whimbrel_guest::testing::{Database, Transforming};
use whimbrel_guest::{Result, RowIn, RowOut, Transform, params, row_in, row_out};

row_in! {
    /// What is read.
    #[derive(Debug, PartialEq)]
    struct Person<'r> {
        id: u64,
        full_name: &'r str,
        /// A word of Rust.
        r#type: Option<Cow<'r, str>>,
    }

    struct Count {
        count: i64,
    }
}

row_out! {
    struct Name<'r> {
        last: &'r str,
        r#type: Option<String>,
    }
}

struct LastName;

impl Transform for LastName {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let Person { full_name, r#type, .. } = row.read()?;
        let last = full_name.rsplit(' ').next().unwrap_or(full_name);
        out.write(&Name { last, r#type: r#type.map(|kind| kind.to_uppercase()) })
    }
}

#[test]
fn transforms_rows_that_are_structs() {
    let last_name = || Transforming::read(&["id", "TYPE", "full_name"]).write(&["type", "last"]);
    let rows = [params![1, "x", "Ada Lovelace"], params![2, None::<&str>, "Plato"]];
    let rows = last_name().rows::<LastName>(&rows).unwrap();
    assert_eq!(format!("{rows:?}"), r#"[[Text("X"), Text("Lovelace")], [Null, Text("Plato")]]"#);
    let error = last_name().rows::<LastName>(&[params![-1, "x", "Ada"]]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 0: column id: expected an integer of at least 0, found an integer that does not fit"
    );
    let error = Transforming::read(&["id"]).write(&["last"]).rows::<LastName>(&[params![1]]).unwrap_err();
    assert_eq!(error.to_string(), "row 0: the query has no column full_name, only id");
}

#[test]
fn reads_rows_of_queries() {
    let mut db = Database::new();
    db.execute_script("CREATE TABLE person (id INTEGER, full_name TEXT, type TEXT)").unwrap();
    db.execute_script("INSERT INTO person VALUES (1, 'Ada', NULL), (2, 'Grace', 'x')").unwrap();
    db.run(|tx, _| {
        let mut found = Vec::new();
        for row in tx.query("SELECT * FROM person ORDER BY id", params![])? {
            let row = row?;
            let person: Person<'_> = row.read()?;
            found.push(format!("{person:?}"));
        }
        assert_eq!(
            found,
            [
                "Person { id: 1, full_name: \"Ada\", type: None }",
                "Person { id: 2, full_name: \"Grace\", type: Some(\"x\") }"
            ]
        );
        for row in tx.query("SELECT count(*) AS count FROM person", params![])? {
            assert_eq!(row?.read::<Count>()?.count, 2);
        }
        Ok(())
    })
    .unwrap();
}
