//! Holds the crate against the test vectors beside the WIT package.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use whimbrel_packed::{Batch, BatchBuilder, Cell, Column, RawCell};

const VECTORS: &str = include_str!("../../wit/packed-vectors.json");

fn list(name: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    vectors[name].as_array().unwrap().clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn batch(value: &Value) -> Batch {
    let column = |column: &Value| Column {
        kind: u8::try_from(column["kind"].as_u64().unwrap()).unwrap(),
        tags: hex(&column["tags"]),
        words: hex(&column["words"]),
        heap: hex(&column["heap"]),
    };
    Batch {
        rows: u32::try_from(value["rows"].as_u64().unwrap()).unwrap(),
        columns: value["columns"].as_array().unwrap().iter().map(column).collect(),
    }
}

/// Describes a cell as the vectors do; reals by their bits, so that NaN compares.
fn describe(cell: Cell<'_>) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match cell {
        Cell::Null => serde_json::json!({"null": true}),
        Cell::Boolean(value) => serde_json::json!({"boolean": value}),
        Cell::Integer(value) => serde_json::json!({"integer": value.to_string()}),
        Cell::Real(value) => serde_json::json!({"real": format!("{:016x}", value.to_bits())}),
        Cell::Text(value) => serde_json::json!({"text": value}),
        Cell::Blob(value) => serde_json::json!({"blob": hex(value)}),
    }
}

#[test]
fn reads_every_valid_vector() {
    for vector in list("valid") {
        let name = vector["name"].as_str().unwrap();
        let checked = batch(&vector["batch"]).check().unwrap_or_else(|error| panic!("{name}: {error}"));
        for (row, expected) in vector["rows"].as_array().unwrap().iter().enumerate() {
            let cells: Vec<Value> = (0..checked.columns().len()).map(|c| describe(checked.cell(row, c))).collect();
            assert_eq!(&Value::from(cells), expected, "{name}, row {row}");
        }
        assert_eq!(checked.rows(), vector["rows"].as_array().unwrap().len(), "{name}");
    }
}

#[test]
fn writes_every_canonical_vector() {
    for vector in list("valid").iter().filter(|vector| vector["canonical"] == true) {
        let expected = batch(&vector["batch"]);
        let checked = expected.clone().check().unwrap();
        let mut builder = BatchBuilder::new(expected.columns.len());
        for row in 0..checked.rows() {
            for column in 0..expected.columns.len() {
                builder.push(column, checked.cell(row, column)).unwrap();
            }
        }
        assert_eq!(builder.finish(), expected, "{}", vector["name"]);
    }
}

#[test]
fn refuses_every_malformed_vector_with_its_reason() {
    for vector in list("malformed") {
        let name = &vector["name"];
        let error = batch(&vector["batch"]).check().expect_err(name.as_str().unwrap());
        assert_eq!(error.reason.code(), vector["reason"], "{name}: {error}");
        assert_eq!(error.column.map(|column| column as u64), vector["column"].as_u64(), "{name}: {error}");
        assert_eq!(error.row.map(u64::from), vector["row"].as_u64(), "{name}: {error}");
    }
}

#[test]
fn refuses_too_many_columns() {
    let batch = Batch { rows: 0, columns: vec![Column::default(); 32_768] };
    assert_eq!(
        batch.check().unwrap_err().to_string(),
        "malformed batch: the batch has more columns than a batch may have"
    );
}

#[test]
fn says_where_a_batch_is_malformed() {
    let mut builder = BatchBuilder::new(2);
    for row in 0..18 {
        builder.push_integer(0, row);
        builder.push_text(1, "a").unwrap();
    }
    let mut batch = builder.finish();
    batch.columns[1].heap[17] = 0xff;
    assert_eq!(batch.check().unwrap_err().to_string(), "malformed batch, column 1, row 17: the text is not UTF-8");
}

#[test]
fn gives_text_as_bytes_for_binding() {
    let mut builder = BatchBuilder::new(1);
    builder.push_text(0, "é").unwrap();
    let batch = builder.finish().check().unwrap();
    assert_eq!(batch.raw(0, 0), RawCell::Text("é".as_bytes()));
}

#[test]
fn uses_the_buffers_of_a_batch_again() {
    let mut builder = BatchBuilder::new(1);
    builder.push_text(0, "some text").unwrap();
    builder.push_null(0);
    let first = builder.finish();
    let address = first.columns[0].words.as_ptr();
    builder.recycle(first);
    assert!(builder.is_empty());
    builder.push_integer(0, 1);
    let second = builder.finish();
    assert_eq!(second.columns[0].words.as_ptr(), address);
    assert_eq!(second.check().unwrap().cell(0, 0), Cell::Integer(1));
}
