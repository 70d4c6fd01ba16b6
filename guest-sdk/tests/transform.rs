//! Transforms, run natively.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(feature = "testing")]

use whimbrel_guest::testing::{Database, Transforming};
use whimbrel_guest::{
    BatchBuilder, BatchTransform, Cell, CheckedBatch, Columns, Context, Error, Failure, Result, ReversibleTransform,
    Reverted, RowIn, RowOut, Transform, params,
};

struct Split;

impl Transform for Split {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let name: &str = row.get("full_name")?;
        let (first, last) = name.rsplit_once(' ').ok_or("there is no blank in it")?;
        out.set("first_name", first)?;
        if row.context().param("last") != Some("keep") {
            out.set("last_name", last)?;
        }
        Ok(())
    }
}

fn split() -> Transforming {
    Transforming::read(&["full_name"]).write(&["first_name", "last_name"])
}

#[test]
fn transforms_rows() {
    let rows = split().rows::<Split>(&[params!["Ada Lovelace"], params!["Grace Brewster Hopper"]]).unwrap();
    assert_eq!(rows, [["Ada", "Lovelace"], ["Grace Brewster", "Hopper"]]);
}

impl ReversibleTransform for Split {
    fn revert(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let (first, last): (&str, &str) = (row.get("first_name")?, row.get("last_name")?);
        out.set("full_name", format!("{first} {last}"))
    }
}

whimbrel_guest::export_reversible_transform!(Split);

#[test]
fn reverts_rows() {
    let join = Transforming::read(&["first_name", "last_name"]).write(&["full_name"]);
    assert_eq!(join.rows::<Reverted<Split>>(&[params!["Ada", "Lovelace"]]).unwrap(), [["Ada Lovelace"]]);
}

#[test]
fn names_the_row_at_fault() {
    let error = split().rows::<Split>(&[params!["Ada Lovelace"], params!["Plato"]]).unwrap_err();
    assert_eq!(error.to_string(), "row 1: there is no blank in it");
    let error = split().rows::<Split>(&[params![17]]).unwrap_err();
    assert_eq!(error.to_string(), "row 0: column full_name: expected a text, found an integer that does not fit");
}

#[test]
fn keeps_a_column_that_is_not_set_only_if_it_is_read() {
    let error = split().param("last", "keep").rows::<Split>(&[params!["Ada Lovelace"]]).unwrap_err();
    assert!(error.to_string().contains("did not set last_name"), "{error}");
    let keeping = Transforming::read(&["full_name", "LAST_NAME"]).write(&["first_name", "last_name"]);
    let rows = keeping.param("last", "keep").rows::<Split>(&[params!["Ada Lovelace", "King"]]).unwrap();
    assert_eq!(rows, [["Ada", "King"]]);
}

#[test]
fn updates_a_table() {
    let mut db = Database::new();
    db.execute_script(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT);
         INSERT INTO person (full_name) VALUES ('Ada Lovelace'), ('Grace Hopper');",
    )
    .unwrap();
    split().table::<Split>(&mut db, "person", "id").unwrap();
    assert_eq!(
        db.lines("SELECT * FROM person").unwrap(),
        ["1|Ada Lovelace|Ada|Lovelace", "2|Grace Hopper|Grace|Hopper"]
    );
}

struct Words;

impl Transform for Words {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let id: i64 = row.get(0)?;
        for word in row.get::<&str>("text")?.split_whitespace() {
            out.row(params![id, word])?;
        }
        Ok(())
    }
}

#[test]
fn makes_none_one_or_many_rows_of_a_row() {
    let mut db = Database::new();
    db.execute_script(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); CREATE TABLE word (note INTEGER, word TEXT);
         INSERT INTO note (text) VALUES ('one'), (''), ('two three');",
    )
    .unwrap();
    let words = Transforming::read(&["id", "text"]).write(&["note", "word"]).into_table("word");
    words.table::<Words>(&mut db, "note", "id").unwrap();
    assert_eq!(db.lines("SELECT * FROM word").unwrap(), ["1|one", "3|two", "3|three"]);
}

struct Odd;

impl Transform for Odd {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        match row.get::<&str>(0)? {
            "two rows" => {
                out.row(params![1])?;
                out.row(params![2])
            }
            "too wide" => out.row(params![1, 2]),
            "twice" => {
                out.set(0, 1)?;
                out.set("a", 2)
            }
            "unknown" => out.set("b", 2),
            _ => Ok(()),
        }
    }
}

#[test]
fn refuses_rows_that_do_not_fit() {
    let cases = [
        ("two rows", "row 0: the transform gave more than one row for a row that is updated in place"),
        ("too wide", "row 0: the transform gave a row of 2 cells, and 1 are written: a"),
        ("twice", "row 0: the transform set a twice"),
        ("unknown", "row 0: the query has no column b, only a"),
        ("none", "row 0: the transform did not set a; to keep its value, it has to be read too"),
    ];
    for (behaviour, expected) in cases {
        let error = Transforming::read(&["do"]).write(&["a"]).rows::<Odd>(&[params![behaviour]]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

struct Doubled;

impl BatchTransform for Doubled {
    fn transform(
        batch: &CheckedBatch,
        _: &Columns,
        _: &Context,
        out: &mut BatchBuilder,
    ) -> std::result::Result<(), Failure> {
        for row in 0..batch.rows() {
            match batch.cell(row, 0) {
                Cell::Integer(value) => out.push_integer(0, value * 2),
                _ => return Err(Failure { row: Some(row as u32), error: Error::msg("no number") }),
            }
        }
        Ok(())
    }
}

#[test]
fn transforms_columns() {
    let doubled = Transforming::read(&["n"]).write(&["n"]);
    assert_eq!(doubled.rows_of_batch::<Doubled>(&[params![1], params![21]]).unwrap(), [[2], [42]]);
    let error = doubled.rows_of_batch::<Doubled>(&[params![1], params!["x"]]).unwrap_err();
    assert_eq!(error.to_string(), "row 1: no number");
}
