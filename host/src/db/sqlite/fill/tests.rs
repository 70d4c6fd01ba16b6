use super::*;

fn database(schema: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = ON; {schema}")).unwrap();
    connection
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Fills one table and returns how many rows of it there are.
fn filled(schema: &str, table: &str) -> i64 {
    let connection = database(schema);
    for seed in 0..3 {
        fill(&connection, table, 100, seed).unwrap();
    }
    number(&connection, &format!("SELECT count(*) FROM {table}"))
}

#[test]
fn follows_what_the_schema_says() {
    let schemas = [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE, b INTEGER NOT NULL, c REAL, d BLOB NOT NULL, e) STRICT"
            .replace(", e)", ", e ANY)"),
        "CREATE TABLE t (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID".to_owned(),
        "CREATE TABLE t (a VARCHAR(3) NOT NULL CHECK (length(a) <= 3), b BOOLEAN NOT NULL CHECK (b IN (0, 1)))".to_owned(),
        "CREATE TABLE t (state TEXT NOT NULL CHECK (state IN ('new', 'paid', 'sent')), n INTEGER CHECK (n > 0))".to_owned(),
        "CREATE TABLE t (c TEXT NOT NULL CHECK (c = upper(c) AND length(c) = 2), z TEXT CHECK (z GLOB 'A[0-9]-*'))".to_owned(),
        "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER NOT NULL, CHECK (a < b), CHECK (b % 2 = 0))".to_owned(),
        "CREATE TABLE t (j TEXT NOT NULL CHECK (json_valid(j)), g AS (j || 'x') STORED, p REAL NOT NULL CHECK (p BETWEEN 0.25 AND 0.75))"
            .to_owned(),
        "CREATE TABLE t (d DATE NOT NULL CHECK (date(d) = d), m DATETIME NOT NULL CHECK (datetime(m) = m), \"odd \"\"name\" X)"
            .to_owned(),
        "CREATE TABLE t (id INTEGER PRIMARY KEY)".to_owned(),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t, n TEXT)".to_owned(),
    ];
    for schema in schemas {
        assert_eq!(filled(&schema, "t"), 300, "{schema}");
    }
}

#[test]
fn refers_to_rows_that_are_there() {
    let connection = database(
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE shelf (room TEXT, number INTEGER, PRIMARY KEY (room, number));
         CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author, editor INTEGER REFERENCES author (id),
                            room TEXT NOT NULL, number INTEGER NOT NULL, FOREIGN KEY (room, number) REFERENCES shelf);
         CREATE TABLE prize (book_id INTEGER PRIMARY KEY REFERENCES book, name TEXT NOT NULL);",
    );
    let error = fill(&connection, "book", 1, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table book cannot be filled: author_id must refer to a row of author, which has none"
    );
    fill(&connection, "author", 5, 1).unwrap();
    fill(&connection, "shelf", 5, 1).unwrap();
    fill(&connection, "book", 200, 1).unwrap();
    fill(&connection, "prize", 20, 1).unwrap();
    assert_eq!(number(&connection, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(number(&connection, "SELECT count(DISTINCT author_id) FROM book"), 5);
    assert!(number(&connection, "SELECT count(*) FROM book WHERE editor IS NULL") > 5);
    assert!(number(&connection, "SELECT count(*) FROM book WHERE editor IS NOT NULL") > 100);
}

#[test]
fn a_tree_grows_deeper_than_its_first_row() {
    let connection = database("CREATE TABLE t (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t (id))");
    fill(&connection, "t", 50, 3).unwrap();
    assert!(number(&connection, "SELECT count(*) FROM t a JOIN t b ON a.parent = b.id WHERE b.parent IS NOT NULL") > 5);
}

#[test]
fn the_seed_decides() {
    let rows = |seed| {
        let connection = database("CREATE TABLE t (a, b TEXT, c REAL, d BLOB)");
        fill(&connection, "t", 20, seed).unwrap();
        connection
            .query_row("SELECT json_group_array(quote(a) || quote(b) || c || quote(d)) FROM t", [], |row| {
                row.get::<_, String>(0)
            })
            .unwrap()
    };
    assert_eq!(rows(7), rows(7));
    assert_ne!(rows(7), rows(8));
}

#[test]
fn what_cannot_be_done_is_said_and_nothing_stays() {
    let cases = [
        ("CREATE TABLE customer (a)", "custmer", "there is no table custmer; is customer meant?"),
        ("CREATE VIEW v AS SELECT 1", "v", "v is a view, and only tables can be filled"),
        ("CREATE VIRTUAL TABLE f USING fts5(x)", "f", "f is a virtual table, and only tables can be filled"),
        (
            "CREATE TABLE t (b BOOLEAN NOT NULL UNIQUE)",
            "t",
            "table t takes 2 of 10 rows; the next one is refused 500 times, the last time with: UNIQUE constraint failed: t.b",
        ),
        (
            "CREATE TABLE t (x TEXT NOT NULL CHECK (hex(x) = '00FF00FF'))",
            "t",
            "table t takes 0 of 10 rows; the next one is refused 500 times, the last time with: \
             CHECK constraint failed: hex(x) = '00FF00FF'",
        ),
        (
            "CREATE TABLE t (x); CREATE TRIGGER never BEFORE INSERT ON t BEGIN SELECT raise(ABORT, 'not here'); END",
            "t",
            "table t takes 0 of 10 rows; the next one is refused 500 times, the last time with: not here",
        ),
        (
            "CREATE TABLE t (b BOOLEAN NOT NULL UNIQUE ON CONFLICT REPLACE)",
            "t",
            "table t takes 2 of 10 rows; the next one is refused 500 times, the last time with: UNIQUE constraint failed: t.b",
        ),
        (
            "CREATE TABLE t (b BOOLEAN NOT NULL UNIQUE ON CONFLICT ROLLBACK)",
            "t",
            "table t takes 2 of 10 rows; the next one is refused 500 times, the last time with: UNIQUE constraint failed: t.b",
        ),
        (
            "CREATE TABLE t (x); CREATE TRIGGER never BEFORE INSERT ON t BEGIN SELECT raise(IGNORE); END",
            "t",
            "table t takes 0 of 10 rows; the next one is refused 500 times, the last time with: a trigger leaves the rows out",
        ),
        (
            "CREATE TABLE t (x); CREATE TRIGGER never BEFORE INSERT ON t WHEN (SELECT count(*) FROM t) = 3
             BEGIN SELECT raise(ROLLBACK, 'no more'); END",
            "t",
            "table t cannot be filled",
        ),
    ];
    for (schema, table, expected) in cases {
        let connection = database(schema);
        assert_eq!(fill(&connection, table, 10, 1).unwrap_err().to_string(), expected);
        assert!(connection.is_autocommit(), "{schema}");
        if table == "t" {
            assert_eq!(number(&connection, "SELECT count(*) FROM t"), 0, "{schema}");
        }
    }
}
