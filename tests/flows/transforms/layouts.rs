//! Tables and keys of every kind, and manifests that do not fit them.

use super::{PEOPLE, SPLIT, Stage, counts};

const COUNT: &str = "[transform]\ntable = 't'\nread = ['n']\nwrite = ['n']\n";

/// Rows of a table whose key takes two columns and whose other column is `n`.
fn rows(table: &str, rows: u32) -> String {
    format!(
        "{table};
         INSERT INTO t (a, b, n) WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < {rows} - 1)
         SELECT 'group' || (i % 7), i, 0 FROM c;"
    )
}

#[test]
fn every_row_is_transformed_once_whatever_the_key() {
    let tables = [
        "CREATE TABLE t (a TEXT, b INTEGER, n INTEGER)",
        "CREATE TABLE t (a TEXT, b INTEGER, n INTEGER, PRIMARY KEY (a, b))",
        "CREATE TABLE t (a TEXT, b INTEGER, n INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "CREATE TABLE t (a TEXT, b INTEGER, n INTEGER, PRIMARY KEY (a DESC, b)) WITHOUT ROWID",
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b TEXT, n INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "CREATE TABLE t (a TEXT, b TEXT PRIMARY KEY, n INTEGER)",
        "CREATE TABLE t (a, b INTEGER PRIMARY KEY DESC, n)",
        "CREATE TABLE t (a, b INTEGER, n, rowid, oid, _rowid_, PRIMARY KEY (b))",
        "CREATE TABLE t (a, b TEXT, n, rowid, oid, _rowid_, PRIMARY KEY (b))",
    ];
    for chunk in ["'whole'", "700"] {
        for table in tables {
            if chunk == "700" && !table.contains("PRIMARY KEY") {
                continue;
            }
            let stage = Stage::new(&rows(table, 3000), "count", &format!("{COUNT}chunk = {chunk}\n"));
            assert_eq!(stage.counts(), counts(3000, 3000, 0, 0), "{table} {chunk}");
            assert_eq!(stage.lines("SELECT min(n), max(n), count(n) FROM t"), ["1|1|3000"], "{table} {chunk}");
        }
    }
}

#[test]
fn keys_of_every_kind_are_ordered_as_the_table_orders_them() {
    // 1, 2.5, texts that differ in case, blobs and texts that look like numbers, in one column.
    let table = "CREATE TABLE t (k PRIMARY KEY, n INTEGER) WITHOUT ROWID;
        INSERT INTO t VALUES (-9223372036854775808, 0), (9223372036854775807, 0), (1, 0), (2.5, 0), ('1', 0), ('a', 0),
            ('A', 0), ('', 0), ('ä', 0), (x'', 0), (x'61', 0), (x'ff00', 0), (1e300, 0), (-1e-300, 0);";
    for chunk in ["'whole'", "1", "3"] {
        let stage = Stage::new(table, "count", &format!("{COUNT}chunk = {chunk}\n"));
        assert_eq!(stage.counts(), counts(14, 14, 0, 0), "{chunk}");
        assert_eq!(stage.lines("SELECT min(n), max(n) FROM t"), ["1|1"]);
    }
}

#[test]
fn a_query_gives_rows_of_several_tables() {
    let schema = format!(
        "{PEOPLE}CREATE TABLE title (person INTEGER, title TEXT); INSERT INTO title VALUES (1, 'Countess of'), (2, 'Rear Admiral');
         CREATE TABLE word (person INTEGER, position INTEGER, word TEXT);"
    );
    let query = "[transform]\nquery = \"SELECT p.id, t.title AS full_name FROM person p JOIN title t ON t.person = p.id -- all;\"
        key = ['id']\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']";
    let stage = Stage::new(&schema, "words", query);
    assert_eq!(stage.counts(), counts(2, 4, 0, 0));
    assert_eq!(stage.lines("SELECT * FROM word"), ["1|0|Countess", "1|1|of", "2|0|Rear", "2|1|Admiral"]);
}

#[test]
fn refuses_rows_that_no_key_tells_apart() {
    let into = "key = ['k']\nread = ['k']\ninto = 'u'\nwrite = ['x']";
    let query = format!("[transform]\nquery = 'SELECT k FROM t'\n{into}");
    let stage =
        Stage::new("CREATE TABLE t (k); INSERT INTO t VALUES (1), (2), (2); CREATE TABLE u (x)", "split", &query);
    assert_eq!(stage.fails(), "rows of the query have the same k, so they cannot be told apart");
    let stage = Stage::new(
        "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER); INSERT INTO t VALUES ('a', 0), (NULL, 0), (NULL, 0);",
        "count",
        &format!("{COUNT}chunk = 10"),
    );
    assert_eq!(stage.fails(), "a row of t has NULL in its key k, so it cannot be found again");
    // In one transaction the rowid tells them apart.
    stage.manifest("count", COUNT);
    assert_eq!(stage.counts(), counts(3, 3, 0, 0));
}

#[test]
fn refuses_what_the_database_does_not_have() {
    let schema = format!(
        "{PEOPLE}CREATE VIEW names AS SELECT full_name FROM person; CREATE TABLE other (x INTEGER PRIMARY KEY, y UNIQUE,
         z AS (x + 1)); CREATE TABLE heap (a, b);
         CREATE TABLE moving (id INTEGER PRIMARY KEY, a REAL, b, half AS (a / 2), key AS (half) UNIQUE)"
    );
    let transform = |lines: &str| format!("[transform]\n{lines}");
    let cases = [
        (
            transform("table = 'persons'\nread = ['a']\nwrite = ['b']"),
            "there is no table persons (did you mean `person`?)",
        ),
        (
            transform("table = 'person'\nread = ['fullname']\nwrite = ['first_name', 'lastname']"),
            "person has no column fullname (did you mean `full_name`?); person has no column lastname (did you mean `last_name`?)",
        ),
        (
            transform("table = 'person'\nread = ['n']\nwrite = ['id']"),
            "the transform writes id, which is the key of person (-)",
        ),
        (
            transform("table = 'moving'\nkey = ['key']\nread = ['a', 'b']\nwrite = ['b', 'A']\nchunk = 2"),
            "the transform writes A, from which key is computed, the key of moving (-)",
        ),
        (
            transform("table = 'person'\nkey = ['full_name']\nread = ['n']\nwrite = ['n']"),
            "full_name is no key of person: no PRIMARY KEY or UNIQUE index is on it (keys are id)",
        ),
        (
            transform("table = 'names'\nread = ['full_name']\nwrite = ['full_name']"),
            "names is a view, not a table (write `query = \"SELECT … FROM names\"` with a `key`, and `into`)",
        ),
        (
            transform("table = 'other'\nread = ['x']\nwrite = ['z']"),
            "column z of other is computed, so it cannot be written (-)",
        ),
        (
            transform("table = 'person'\nread = ['n']\nwrite = ['x']\ninto = 'othre'"),
            "there is no table othre (did you mean `other`?)",
        ),
        (
            transform("table = 'person'\nread = ['n']\nwrite = ['quantity']\ninto = 'other'"),
            "other has no column quantity (its columns are x, y, z)",
        ),
        (
            transform("table = 'person'\nread = ['n']\nwrite = ['b']\ninto = 'heap'\nmode = 'upsert'"),
            "an upsert into heap must write all columns of one of its keys (-)",
        ),
        (
            transform("table = 'heap'\nread = ['a']\nwrite = ['b']\nchunk = 10"),
            "heap has no key by which a run that was stopped can go on (give it a PRIMARY KEY or a UNIQUE index, or write `chunk = \"whole\"`)",
        ),
        (
            transform(
                "query = 'SELECT id FROM person, other'\nkey = ['id']\nread = ['id']\nwrite = ['x']\ninto = 'other'",
            ),
            "the query reads other, into which rows are written (-)",
        ),
        (
            transform("query = 'SELECT id FROM person'\nkey = ['di']\nread = ['id']\nwrite = ['x']\ninto = 'other'"),
            "the query has no column di (did you mean `id`?)",
        ),
    ];
    for (manifest, expected) in cases {
        let stage = Stage::new(&schema, "split", &manifest);
        let before = std::fs::read(stage.database()).unwrap();
        let problems = match stage.up() {
            Err(whimbrel::Error::Prepare(whimbrel::exec::PrepareError::Transform { problems, .. })) => problems,
            other => panic!("{manifest}: {other:?}"),
        };
        let shown: Vec<String> = problems
            .iter()
            .map(|problem| format!("{} ({})", problem.message, problem.hint.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(shown.join("; "), expected, "{manifest}");
        assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    }
    for (line, expected) in [("where = 'nowhere = 1'", "no such column: nowhere"), ("where = '1 +'", "cannot be read")]
    {
        let message = Stage::new(&schema, "split", &format!("{SPLIT}{line}")).fails();
        assert!(message.contains(expected), "{message}");
    }
}
