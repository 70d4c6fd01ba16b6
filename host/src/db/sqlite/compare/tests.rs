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
            Some("table k, row with b text 'p', a 1, column x: integer 2 and integer 3"),
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

fn meant(first: &str, second: &str) -> Vec<String> {
    let open = |own: &str| {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(own).unwrap();
        connection
    };
    let found = differences(&open(first), &open(second), &["left_out".to_owned()]).unwrap();
    let mut lines: Vec<String> = found.named.iter().map(|one| one.told("before", "now")).collect();
    if found.more > 0 {
        lines.push(format!("{} more", found.more));
    }
    lines
}

#[test]
fn what_means_the_same_is_no_difference() {
    let same = [
        ("CREATE TABLE t (a INTEGER PRIMARY KEY, b)", "CREATE TABLE \"t\" (\n  a INTEGER PRIMARY KEY, -- it\n  [b])"),
        ("CREATE TABLE t (a text not null)", "CREATE TABLE t (A TEXT NOT NULL)"),
        ("CREATE TABLE n (x); ALTER TABLE n RENAME TO t", "CREATE TABLE t (x)"),
        // A table that was built anew has other numbers where nobody gave any.
        (
            "CREATE TABLE t (x); INSERT INTO t VALUES ('a'), ('b'), ('b')",
            "CREATE TABLE t (x); INSERT INTO t (rowid, x) VALUES (7, 'b'), (8, 'a'), (9, 'b')",
        ),
        (
            "CREATE TABLE t (a TEXT PRIMARY KEY, x); INSERT INTO t VALUES ('p', 1), ('q', 2), (NULL, 3), (NULL, 4)",
            "CREATE TABLE t (a TEXT PRIMARY KEY, x); INSERT INTO t VALUES (NULL, 4), (NULL, 3), ('q', 2), ('p', 1)",
        ),
        // The largest number ever given is SQLite's own affair.
        (
            "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)",
            "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (9); DELETE FROM t",
        ),
        // And so is how a search index is kept.
        (
            "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('a')",
            "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('b'), ('a'); DELETE FROM f WHERE x = 'b'",
        ),
        ("CREATE TABLE left_out (x); CREATE INDEX i ON left_out (x)", ""),
        // Compared in one order, whatever order the key has.
        (
            "CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t VALUES ('b', 1), ('C', 2)",
            "CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t VALUES ('C', 2), ('b', 1)",
        ),
    ];
    for (first, second) in same {
        assert_eq!(meant(first, second), [""; 0], "{first} / {second}");
    }
}

#[test]
fn names_everything_that_means_something_else() {
    let rows = |values: &str| format!("CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES {values}");
    let cases: [(&str, &str, &[&str]); 9] = [
        (
            "CREATE TABLE t (ID INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a')",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, x)",
            &["table t: the row with ID 1 is there before and not now"],
        ),
        (
            "CREATE TABLE t (a, b TEXT, c INTEGER NOT NULL)",
            "CREATE TABLE t (a, c INTEGER, d TEXT DEFAULT 'x')",
            &[
                "table t: column b is there before and not now",
                "table t, column c: INTEGER NOT NULL before, INTEGER now",
                "table t: column d is there now and not before",
            ],
        ),
        (
            "CREATE TABLE t (a, b)",
            "CREATE TABLE t (b, a)",
            &["table t has its columns in another order: a, b before, b, a now"],
        ),
        (
            "CREATE TABLE t (a, b CHECK (b > 0))",
            "CREATE TABLE t (a, b CHECK (b > 1))",
            &["table t is not the same: …0)) before, …1)) now"],
        ),
        (
            "CREATE TABLE t (a); CREATE INDEX i ON t (a)",
            "CREATE TABLE t (a); CREATE VIEW v AS SELECT 'A'",
            &["index i is there before and not now", "view v is there now and not before"],
        ),
        (
            "CREATE VIEW v AS SELECT 'A'",
            "CREATE VIEW v AS SELECT 'a'",
            &["view v is not the same: …'A' before, …'a' now"],
        ),
        (
            &rows("(1, 'a'), (2, 'b'), (4, 'd')"),
            &rows("(1, 'a'), (3, 'c'), (4, 'D')"),
            &[
                "table t: the row with id 2 is there before and not now",
                "table t: the row with id 3 is there now and not before",
                "table t, row with id 4, column x: text 'd' before, text 'D' now",
            ],
        ),
        (
            &rows("(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)"),
            &rows("(1, 1.0), (2, 0), (3, 0), (4, 0), (5, 5)"),
            &[
                "table t, row with id 1, column x: integer 1 before, real 1.0 now",
                "table t, row with id 2, column x: integer 2 before, integer 0 now",
                "table t, row with id 3, column x: integer 3 before, integer 0 now",
                "1 more",
            ],
        ),
        // Of a table that is not the same, what both have is compared all the same.
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y); INSERT INTO t VALUES (1, 'a', 2)",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'b')",
            &[
                "table t: column y is there before and not now",
                "table t, row with id 1, column x: text 'a' before, text 'b' now",
            ],
        ),
    ];
    for (first, second, expected) in cases {
        assert_eq!(meant(first, second), expected, "{first} / {second}");
    }
}

#[test]
fn a_snapshot_does_not_depend_on_the_order_of_things() {
    let statements = [
        "CREATE TABLE zebra (a)",
        "CREATE TABLE Ant (b PRIMARY KEY, c)",
        "CREATE INDEX z ON Ant (c)",
        "CREATE TRIGGER a AFTER INSERT ON Ant BEGIN SELECT 1; END",
        "CREATE VIEW bee AS SELECT 1;",
        "CREATE TABLE left_out (x)",
        "CREATE VIRTUAL TABLE f USING fts5(x)",
    ];
    let written = |order: &[&str]| {
        let connection = Connection::open_in_memory().unwrap();
        order.iter().for_each(|statement| connection.execute_batch(statement).unwrap());
        snapshot(&connection, &["left_out".to_owned()]).unwrap()
    };
    let mut other = statements;
    other.swap(0, 1);
    other.swap(2, 3);
    other.swap(4, 6);
    assert_eq!(written(&statements), written(&other));
    insta::assert_snapshot!(written(&statements));
}
