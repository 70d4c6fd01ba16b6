//! Rows written at once leave what rows written one by one leave.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value as SqliteValue;

use super::FEW;
use crate::db::sqlite::with_connection;
use crate::db::{BatchBuilder, CheckedBatch, DbError, ErrorCode, OpenOptions, Value};
use crate::grants::{Grants, Restriction};
use crate::interrupt::Interrupt;
use crate::limits::{Limit, Limits, RunLimits};

/// More than are written one by one.
const ROWS: i64 = 40;

fn options() -> OpenOptions {
    OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: true }
}

fn batch(rows: impl IntoIterator<Item = Vec<Value>>) -> CheckedBatch {
    let rows: Vec<Vec<Value>> = rows.into_iter().collect();
    let mut builder = BatchBuilder::new(rows[0].len());
    for row in &rows {
        for (column, value) in row.iter().enumerate() {
            match value {
                Value::Null => builder.push_null(column),
                Value::Boolean(value) => builder.push(column, crate::db::Cell::Boolean(*value)).unwrap(),
                Value::Integer(value) => builder.push_integer(column, *value),
                Value::Real(value) => builder.push_real(column, *value),
                Value::Text(value) => builder.push_text(column, value).unwrap(),
                Value::Blob(value) => builder.push_blob(column, value).unwrap(),
            }
        }
    }
    builder.finish_checked()
}

/// What a run leaves: what the batches answered, every row of the tables, and what SQLite says of the last statement.
type Left = (Vec<Result<u64, (ErrorCode, Option<u32>)>>, Vec<Vec<SqliteValue>>, Vec<SqliteValue>);

/// Runs the statement for the batches, `at_once` of their rows together, and tells how often rows were written at once.
fn run(schema: &str, sql: &str, batches: &[Vec<Vec<Value>>], at_once: usize) -> (Left, bool) {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(schema).unwrap();
    let (answers, has_bulk) = with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        let statement = session.prepare(sql).unwrap();
        let mut answers = Vec::new();
        for rows in batches {
            let savepoint = session.savepoint().unwrap();
            let mut first = 0;
            let mut answer = Ok(0);
            for part in rows.chunks(at_once) {
                match session.execute_batch(statement, &batch(part.to_vec())) {
                    Ok(changed) => answer = answer.map(|sum: u64| sum + changed),
                    Err(error) => {
                        answer = Err((error.code, error.row.map(|row| row + first)));
                        break;
                    }
                }
                first += u32::try_from(part.len()).unwrap();
            }
            match answer {
                Ok(_) => session.release(savepoint).unwrap(),
                Err(_) => session.rollback_to(savepoint).unwrap(),
            }
            answers.push(answer);
        }
        let functions = "SELECT count(*) FROM pragma_function_list WHERE name LIKE '\\_whimbrel%' ESCAPE '\\'";
        let has_bulk = session.sqlite().unwrap().query_row(functions, [], |row| row.get::<_, i64>(0)).unwrap() > 0;
        session.commit().unwrap();
        (answers, has_bulk)
    })
    .unwrap();
    let read = |sql: &str| -> Vec<Vec<SqliteValue>> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let tables = read("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let mut rows = Vec::new();
    for table in tables {
        let [SqliteValue::Text(table)] = table.as_slice() else { panic!() };
        rows.extend(read(&format!("SELECT * FROM \"{table}\" ORDER BY 1")));
    }
    let last = read("SELECT changes(), last_insert_rowid(), total_changes()").remove(0);
    ((answers, rows, last), has_bulk)
}

/// Asserts that it makes no difference; tells whether rows were written at once.
fn same(schema: &str, sql: &str, batches: &[Vec<Vec<Value>>]) -> (Left, bool) {
    let (one_by_one, never) = run(schema, sql, batches, FEW - 1);
    assert!(!never);
    let (at_once, has_bulk) = run(schema, sql, batches, usize::MAX);
    // A batch that fails half way counts what it has written as often as it was written.
    let failed = one_by_one.0.iter().any(Result::is_err);
    assert_eq!((&at_once.0, &at_once.1), (&one_by_one.0, &one_by_one.1), "{sql} on {schema}");
    assert!(failed || at_once.2 == one_by_one.2, "{sql} on {schema}: {:?}, {:?}", at_once.2, one_by_one.2);
    (at_once, has_bulk)
}

fn text(row: i64) -> Value {
    Value::from(format!("row {row} ß"))
}

#[test]
fn adds_rows_as_one_by_one() {
    let values = |row: i64| match row % 6 {
        0 => Value::Null,
        1 => Value::Boolean(true),
        2 => Value::Real(row as f64 / 4.0),
        3 => Value::from(row.to_string()),
        4 => Value::Blob(vec![0, 255]),
        _ => Value::from(String::new()),
    };
    let batches: Vec<Vec<Vec<Value>>> =
        (0..2).map(|turn| (0..ROWS).map(|row| vec![text(row + turn * ROWS), values(row)]).collect()).collect();
    for (schema, at_once) in [
        ("CREATE TABLE t (a TEXT NOT NULL, b INTEGER)", true),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b TEXT, c DEFAULT 7, d AS (a || c) STORED)", true),
        ("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT, b BLOB)", true),
        ("CREATE TABLE t (a TEXT PRIMARY KEY, b) WITHOUT ROWID", false),
        ("CREATE TABLE t (a TEXT UNIQUE, b)", false),
        ("CREATE TABLE t (a TEXT, b); CREATE INDEX by_b ON t (b, a)", false),
    ] {
        let (left, has_bulk) = same(schema, "INSERT INTO t (a, b) VALUES (?, ?)", &batches);
        assert_eq!(left.0, [Ok(ROWS as u64), Ok(ROWS as u64)]);
        assert_eq!(has_bulk, at_once, "{schema}");
    }
}

#[test]
fn updates_rows_as_one_by_one() {
    let schema = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
        INSERT INTO t (id, a) SELECT i, 'old' FROM n WHERE i % 7 <> 3";
    let rows =
        |step: i64| (0..ROWS).map(move |row| vec![text(row), Value::Integer(row % 2), Value::Integer(row * step)]);
    let dense = [rows(1).collect::<Vec<_>>(), rows(2).collect()];
    let sql = "UPDATE t SET a = ?, b = ? WHERE id = ?";
    for (table, at_once) in [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);", true),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL CHECK (a <> ''), b REAL, c AS (b + 1));", true),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b, c); CREATE INDEX by_c ON t (c);", true),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b UNIQUE ON CONFLICT REPLACE);", false),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b); CREATE INDEX by_a ON t (A);", false),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b, c); CREATE INDEX x ON t (c) WHERE b > 0;", false),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b); CREATE INDEX x ON t (upper(a));", false),
    ] {
        let (_, has_bulk) = same(&format!("{table} {schema}"), sql, &dense);
        assert_eq!(has_bulk, at_once, "{table}");
    }
    let by_rowid = "CREATE TABLE t (id, a, b); ";
    let (_, has_bulk) = same(&format!("{by_rowid} {schema}"), "UPDATE t SET a = ?, b = ? WHERE rowid = ?", &dense);
    assert!(has_bulk);
}

#[test]
fn names_the_row_that_cannot_be_written() {
    let rows = |wrong: Value| {
        (0..ROWS).map(move |row| vec![if row == 25 { wrong.clone() } else { text(row) }, Value::Integer(row)])
    };
    let insert = "INSERT INTO t (a, id) VALUES (?, ?)";
    let update = "UPDATE t SET a = ? WHERE id = ?";
    let fill = "INSERT INTO t (id, a) SELECT value, value FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,\
                18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39]')";
    let not_null = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL); ";
    let unique = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE); ";
    let strict = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT; ";
    for (schema, wrong, at_once) in
        [(not_null, Value::Null, true), (unique, text(3), false), (strict, Value::Blob(vec![1]), true)]
    {
        for (sql, schema) in [(insert, schema.to_owned()), (update, format!("{schema}{fill}"))] {
            let (left, has_bulk) = same(&schema, sql, &[rows(wrong.clone()).collect()]);
            assert!(matches!(left.0.as_slice(), [Err((_, Some(25)))]), "{:?} {sql} on {schema}", left.0);
            assert_eq!(has_bulk, at_once);
        }
    }
    // The last one is written by itself.
    let last = (0..ROWS).map(|row| vec![text(row), if row == ROWS - 1 { Value::Integer(0) } else { row.into() }]);
    let (left, _) = same(not_null, insert, &[last.collect()]);
    assert_eq!(left.0, [Err((ErrorCode::ConstraintUnique, Some(39)))]);
}

#[test]
fn declines_where_it_could_make_a_difference() {
    let rising: Vec<Vec<Value>> = (0..ROWS).map(|row| vec![Value::Integer(row % 3), Value::Integer(row)]).collect();
    let falling: Vec<Vec<Value>> = rising.iter().rev().cloned().collect();
    let sparse: Vec<Vec<Value>> = (0..ROWS).map(|row| vec![Value::Integer(1), Value::Integer(row * 9)]).collect();
    let plain = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO t (id, a) VALUES (0, 1), (9, 1);";
    let update = "UPDATE t SET a = ? WHERE id = ?";
    let insert = "INSERT INTO t (a, id) VALUES (?, ? )";
    let never: &[(&str, &str, &[Vec<Value>])] = &[
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a NOT NULL ON CONFLICT ROLLBACK);", insert, &rising),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE l (x);
          CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO l SELECT count(*) FROM t; END;",
            insert,
            &rising,
        ),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a REFERENCES t); ", insert, &rising),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE); CREATE TABLE c (a REFERENCES t (a));", update, &rising),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, a); INSERT INTO t VALUES ('1', 2)", update, &rising),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a) WITHOUT ROWID; INSERT INTO t VALUES (1, 2)", update, &rising),
        (
            "CREATE TABLE x (id INTEGER PRIMARY KEY, a); CREATE VIEW t AS SELECT * FROM x;
          CREATE TRIGGER g INSTEAD OF INSERT ON t BEGIN INSERT INTO x VALUES (new.id, new.a); END;",
            insert,
            &rising,
        ),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, a, n DEFAULT (total_changes()));", insert, &rising),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY DESC, a); INSERT INTO t VALUES (0, 0), (1, 1), (2, 2);",
            update,
            &rising,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, g AS (a)); CREATE UNIQUE INDEX i ON t (g); INSERT INTO t VALUES (0, 0)",
            update,
            &rising,
        ),
    ];
    for (schema, sql, rows) in never {
        let (_, has_bulk) = same(schema, sql, &[rows.to_vec()]);
        assert!(!has_bulk, "{sql} on {schema}");
    }
    for rows in [falling, sparse] {
        same(plain, update, &[rows]);
    }
}

#[test]
fn sees_a_trigger_that_came_between_two_batches() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a); CREATE TABLE l (x)").unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        let rows = || batch((0..ROWS).map(|row| vec![Value::Integer(row)]));
        let insert = session.prepare("INSERT INTO t VALUES (?)").unwrap();
        session.execute_batch(insert, &rows()).unwrap();
        let trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO l SELECT count(*) FROM t; END";
        session.execute(trigger, &[]).unwrap();
        session.execute_batch(insert, &rows()).unwrap();
        session.commit().unwrap();
    })
    .unwrap();
    let seen: (i64, i64) = connection
        .query_row("SELECT count(*), count(DISTINCT x) FROM l", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(seen, (ROWS, ROWS));
}

#[test]
fn sees_a_trigger_of_a_schema_that_has_the_version_of_one_undone() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'old')").unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        let rows = || batch((1..=ROWS).map(|row| vec![Value::from("new"), Value::Integer(row)]));
        let update = session.prepare("UPDATE t SET a = ? WHERE id = ?").unwrap();
        let savepoint = session.savepoint().unwrap();
        session.execute("CREATE TABLE x (a)", &[]).unwrap();
        session.execute_batch(update, &rows()).unwrap();
        session.rollback_to(savepoint).unwrap();
        let trigger =
            "CREATE TRIGGER g AFTER UPDATE ON t BEGIN INSERT OR IGNORE INTO t VALUES (new.id + 1, 'old'); END";
        session.execute(trigger, &[]).unwrap();
        session.execute_batch(update, &rows()).unwrap();
        session.commit().unwrap();
    })
    .unwrap();
    // Each row makes the one that the next statement changes.
    let counts = "SELECT count(*) FILTER (WHERE a = 'new'), count(*) FILTER (WHERE a = 'old') FROM t";
    let counted: (i64, i64) = connection.query_row(counts, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(counted, (ROWS, 1));
}

#[test]
fn counts_each_row_of_a_batch_that_is_undone_once() {
    let mut connection = Connection::open_in_memory().unwrap();
    let schema = format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a CHECK (a <> 25));
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) INSERT INTO t SELECT i, 0 FROM n"
    );
    connection.execute_batch(&schema).unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        let update = session.prepare("UPDATE t SET a = ? WHERE id = ?").unwrap();
        let rows = batch((1..=ROWS).map(|row| vec![Value::Integer(row), Value::Integer(row)]));
        assert_eq!(session.execute_batch(update, &rows).unwrap_err().row, Some(24));
        assert_eq!(session.take_recording().tables[0].updated, 24);
        session.rollback().unwrap();
    })
    .unwrap();
}

#[test]
fn goes_with_the_session_although_rules_came_and_went() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    let options = OpenOptions { record: false, ..options() };
    with_connection(&mut connection, &options, |mut session| {
        session.begin().unwrap();
        session.restrict(Some(Arc::new(Restriction::default())));
        let insert = session.prepare("INSERT INTO t VALUES (?)").unwrap();
        session.execute_batch(insert, &batch((0..ROWS).map(|row| vec![Value::Integer(row)]))).unwrap();
        session.restrict(None);
        session.commit().unwrap();
    })
    .unwrap();
    let error = connection.prepare("SELECT _whimbrel_cell(1, 0, 1)").map(drop).unwrap_err();
    assert!(error.to_string().contains("no such"), "{error}");
}

#[test]
fn is_of_no_use_to_others_and_goes_with_the_session() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        let insert = session.prepare("INSERT INTO t VALUES (?)").unwrap();
        session.execute_batch(insert, &batch((0..ROWS).map(|row| vec![Value::Integer(row)]))).unwrap();
        let mut fails = |sql: &str| -> DbError { session.execute(sql, &[]).unwrap_err() };
        for sql in ["SELECT _whimbrel_cell(1, 0, 1)", "SELECT _whimbrel_row('whimbrel:batch', 1)"] {
            assert!(fails(sql).message.contains("the host's own"), "{sql}");
        }
        assert!(fails("CREATE VIRTUAL TABLE x USING _whimbrel_rows").message.contains("no such module"));
        let count = session.sqlite().unwrap().query_row("SELECT count(*) FROM _whimbrel_rows(1)", [], |row| row.get(0));
        assert_eq!(count, Ok(0));
        session.commit().unwrap();
    })
    .unwrap();
    for sql in ["SELECT _whimbrel_cell(1, 0, 1)", "SELECT * FROM _whimbrel_rows(1)"] {
        let error = connection.prepare(sql).map(drop).unwrap_err();
        assert!(error.to_string().contains("no such"), "{error}");
    }
}

#[test]
fn needs_no_grants_of_its_own() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, a)").unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        let asked = "insert = [\"t\"]\nupdate = [\"t(a)\"]\nread = [\"t(id)\"]\n";
        let grants = Some(toml::from_str::<Grants>(asked).unwrap());
        let restriction =
            Restriction { protected: Vec::new(), grants: grants.clone(), read_only: false, namespace: None };
        session.restrict(Some(Arc::new(restriction)));
        session.start_recording();
        let insert = session.prepare("INSERT INTO t (a) VALUES (?)").unwrap();
        session.execute_batch(insert, &batch((0..ROWS).map(|row| vec![Value::Integer(row)]))).unwrap();
        let update = session.prepare("UPDATE t SET a = ? WHERE id = ?").unwrap();
        let changed = session.execute_batch(update, &batch((1..=ROWS).map(|row| vec![text(row), Value::Integer(row)])));
        assert_eq!(changed, Ok(ROWS as u64));
        for sql in ["SELECT c0 FROM _whimbrel_rows(1)", "SAVEPOINT whimbrel_bulk"] {
            assert_eq!(session.execute(sql, &[]).unwrap_err().code, ErrorCode::Denied, "{sql}");
        }
        let recording = session.take_recording();
        assert_eq!(recording.statements.iter().map(|statement| statement.times).collect::<Vec<_>>(), [1, 1]);
        assert_eq!((recording.tables[0].inserted, recording.tables[0].updated), (ROWS as u64, ROWS as u64));
        assert_eq!(Some(recording.observed.unwrap().least()), grants);
        session.restrict(None);
        session.rollback().unwrap();
    })
    .unwrap();
}

#[test]
fn is_held_to_limits() {
    let within = |limit, amount| RunLimits::decide(None, &Limits::default().with(limit, amount)).unwrap();
    for (limit, amount, row) in
        [(Limit::SqlOperations, 300, None), (Limit::ValueLength, 2000, Some(30)), (Limit::RowsWritten, 20, None)]
    {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        with_connection(&mut connection, &options(), |mut session| {
            session.begin().unwrap();
            session.set_limits(Some(&within(limit, amount))).unwrap();
            let insert = session.prepare("INSERT INTO t VALUES (?)").unwrap();
            let long = |row: i64| Value::from("x".repeat(if row == 30 { 3000 } else { 300 }));
            let error = session.execute_batch(insert, &batch((0..ROWS * 10).map(|row| vec![long(row)]))).unwrap_err();
            assert_eq!((error.code, error.row), (ErrorCode::Limit, row), "{error}");
            assert_eq!(session.limit_reached().map(|reached| reached.limit), Some(limit));
            session.set_limits(None).unwrap();
            let left = session.sqlite().unwrap().query_row("SELECT count(*) FROM t", [], |row| row.get(0));
            session.rollback().unwrap();
            // Rows beyond the limit are noticed after the batch.
            assert_eq!(left, Ok(0), "{limit:?}");
        })
        .unwrap();
    }
}
