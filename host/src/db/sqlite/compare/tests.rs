use super::*;

fn difference(schema: &str, first: &str, second: &str) -> Option<String> {
    let open = |own: &str| {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("{schema};{own}")).unwrap();
        connection
    };
    let found = compare(&open(first), &open(second), &["left_out".to_owned()]).unwrap();
    found.map(|difference| difference.to_string())
}

#[test]
fn finds_the_first_difference() {
    let t = "CREATE TABLE t (id INTEGER PRIMARY KEY, x)";
    let k = "CREATE TABLE k (a, b, x, PRIMARY KEY (b, a)) WITHOUT ROWID";
    let cases = [
        (t, "", "", None),
        (t, "INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (1, 'a')", None),
        (
            t,
            "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO t VALUES (1, 'a'), (2, 'c')",
            Some("table t, row with rowid 2, column x: text 'b' and text 'c'"),
        ),
        (
            t,
            "INSERT INTO t VALUES (1, 1)",
            "INSERT INTO t VALUES (1, 1.0)",
            Some("table t, row with rowid 1, column x: integer 1 and real 1.0"),
        ),
        (
            t,
            "INSERT INTO t VALUES (1, -0.0 * 1)",
            "INSERT INTO t VALUES (1, 0.0)",
            Some("table t, row with rowid 1, column x: real -0.0 and real 0.0"),
        ),
        (
            t,
            "INSERT INTO t VALUES (1, 'a')",
            "INSERT INTO t VALUES (1, x'61')",
            Some("table t, row with rowid 1, column x: text 'a' and blob x'61' of 1 bytes"),
        ),
        (t, "INSERT INTO t VALUES (5, 1)", "", Some("table t: the row with rowid 5 is in the first only")),
        (
            t,
            "INSERT INTO t VALUES (5, 1)",
            "INSERT INTO t VALUES (4, 1)",
            Some("table t: the row with rowid 4 is in the second only"),
        ),
        (t, "", "INSERT INTO t VALUES (5, 1)", Some("table t: the row with rowid 5 is in the second only")),
        (
            k,
            "INSERT INTO k VALUES (1, 'p', 2)",
            "INSERT INTO k VALUES (1, 'p', 3)",
            Some("table k, row with \"b\" text 'p', \"a\" 1, column x: integer 2 and integer 3"),
        ),
        (t, "CREATE VIEW v AS SELECT 1", "", Some("view v is in the first only")),
        (t, "", "CREATE INDEX i ON t (x)", Some("index i is in the second only")),
        (
            t,
            "CREATE VIEW v AS SELECT 1",
            "CREATE VIEW v AS SELECT 2",
            Some("view v is not the same: CREATE VIEW v AS SELECT 1 and CREATE VIEW v AS SELECT 2"),
        ),
        ("CREATE TABLE left_out (x)", "INSERT INTO left_out VALUES (1)", "", None),
        (
            "CREATE TABLE r (rowid, oid, _rowid_)",
            "INSERT INTO r VALUES (1, 2, 3)",
            "INSERT INTO r VALUES (1, 2, 3)",
            None,
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5(x)",
            "INSERT INTO f VALUES ('a')",
            "INSERT INTO f VALUES ('b')",
            Some("table f_content, row with rowid 1, column c0: text 'a' and text 'b'"),
        ),
    ];
    for (schema, first, second, expected) in cases {
        assert_eq!(difference(schema, first, second).as_deref(), expected, "{schema}; {first}; {second}");
    }
}
