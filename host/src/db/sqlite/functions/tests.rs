use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::date::DATE_FUNCTIONS;
use crate::db::sqlite::with_connection;
use crate::db::{Ambient, DbError, ErrorCode, OpenOptions, Session, Value, for_each_row};
use crate::grants::FunctionGrant;
use crate::interrupt::Interrupt;

/// 2026-03-04 05:06:07.089 UTC.
const STARTED: u64 = 1_772_600_767_089;

fn with_session(work: impl FnOnce(&mut dyn Session)) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let options =
        OpenOptions { lock_timeout: std::time::Duration::from_millis(100), interrupt: Interrupt::new(), record: false };
    with_connection(&mut connection, &options, |mut session| work(session.as_mut())).unwrap();
    connection
}

fn granted(granted: &[FunctionGrant]) -> Option<Ambient> {
    Some(Ambient { started_at: STARTED, seed: 7, granted: granted.to_vec() })
}

fn rows(session: &mut dyn Session, sql: &str) -> Result<Vec<Value>, DbError> {
    let mut values = Vec::new();
    for_each_row(session, sql, &[], &mut |row| {
        values.extend(row.to_vec());
        Ok(())
    })?;
    Ok(values)
}

fn text(session: &mut dyn Session, sql: &str) -> String {
    match rows(session, sql).unwrap().remove(0) {
        Value::Text(text) => text,
        other => format!("{other:?}"),
    }
}

#[test]
fn refuses_time_zone_and_chance_without_their_grants() {
    with_session(|session| {
        session.execute("CREATE TABLE t (x)", &[]).unwrap();
        session.execute("INSERT INTO t VALUES ('now')", &[]).unwrap();
        session.set_ambient(granted(&[])).unwrap();
        let cases = [
            ("random()", "random()", "random"),
            ("RANDOMBLOB(4)", "randomblob()", "random"),
            ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", "now"),
            ("current_date", "CURRENT_DATE", "now"),
            ("CURRENT_TIME", "CURRENT_TIME", "now"),
            ("date()", "date('now')", "now"),
            ("strftime('%Y')", "strftime('now')", "now"),
            ("datetime('NOW', '+1 day')", "datetime('now')", "now"),
            ("unixepoch('subsec')", "unixepoch('now')", "now"),
            ("time('now' || char(0) || 'x')", "time('now')", "now"),
            ("julianday(x'6e6f77')", "julianday('now')", "now"),
            ("timediff('2026-01-01', 'now')", "timediff('now')", "now"),
            ("date(x)", "date('now')", "now"),
            ("datetime(0, 'unixepoch', 'localtime')", "datetime(…, 'localtime')", "localtime"),
            ("datetime('2026-01-01', 'UTC')", "datetime(…, 'utc')", "localtime"),
        ];
        for (call, object, grant) in cases {
            let error = rows(session, &format!("SELECT {call} FROM t")).unwrap_err();
            assert_eq!(error.code, ErrorCode::Denied, "{call}: {error}");
            assert!(error.details.contains(&("action".into(), "function".into())), "{call}: {error:?}");
            assert!(error.details.contains(&("object".into(), object.into())), "{call}: {error:?}");
            assert!(error.message.contains(&format!("functions = [\"{grant}\"]")), "{call}: {error}");
        }
    });
}

#[test]
fn what_needs_no_clock_stays_as_it_is() {
    let calls = [
        "date('2026-02-30')",
        "datetime(1772600767, 'unixepoch')",
        "strftime('%J %f %%', '2026-03-04 05:06:07.089', '+1 month', 'weekday 0')",
        "strftime(NULL, '2026-01-01')",
        "strftime()",
        "strftime('%Y', NULL)",
        "julianday('2026-01-01')",
        "unixepoch('2026-01-01', 'subsec')",
        "time('12:00', 'nonsense')",
        "date(NULL)",
        "date(x'00')",
        "timediff('2026-01-01', '2025-01-01')",
        "date('2026-01-01', 'start of month', '-1 day')",
        "typeof(date(2460000.5))",
    ];
    let plain = Connection::open_in_memory().unwrap();
    with_session(|session| {
        session.set_ambient(granted(&[])).unwrap();
        for call in calls {
            let builtin: rusqlite::types::Value =
                plain.query_row(&format!("SELECT {call}"), [], |row| row.get(0)).unwrap();
            let expected = match builtin {
                rusqlite::types::Value::Null => Value::Null,
                rusqlite::types::Value::Integer(value) => Value::Integer(value),
                rusqlite::types::Value::Real(value) => Value::Real(value),
                rusqlite::types::Value::Text(value) => Value::Text(value),
                rusqlite::types::Value::Blob(value) => Value::Blob(value),
            };
            assert_eq!(rows(session, &format!("SELECT {call}")).unwrap(), [expected], "{call}");
        }
    });
}

#[test]
fn with_the_grant_the_time_is_the_start_of_the_run() {
    with_session(|session| {
        session.set_ambient(granted(&[FunctionGrant::Now])).unwrap();
        let cases = [
            ("CURRENT_TIMESTAMP", "2026-03-04 05:06:07"),
            ("CURRENT_DATE", "2026-03-04"),
            ("CURRENT_TIME", "05:06:07"),
            ("datetime()", "2026-03-04 05:06:07"),
            ("datetime('now', 'subsec')", "2026-03-04 05:06:07.089"),
            ("datetime('subsecond')", "2026-03-04 05:06:07.089"),
            ("strftime('%f')", "07.089"),
            ("date('now', 'start of month', '+1 month', '-1 day')", "2026-03-31"),
            ("timediff('now', '2026-03-04')", "+0000-00-00 05:06:07.089"),
            ("timediff('subsec', 'now')", "+0000-00-00 00:00:00.000"),
            ("unixepoch()", "Integer(1772600767)"),
            ("unixepoch('now', 'subsec')", "Real(1772600767.089)"),
        ];
        for (call, expected) in cases {
            assert_eq!(text(session, &format!("SELECT {call}")), expected, "{call}");
        }
        let error = rows(session, "SELECT datetime('now', 'localtime')").unwrap_err();
        assert!(error.message.contains("time zone"), "{error}");
        session.set_ambient(granted(&[FunctionGrant::Now, FunctionGrant::LocalTime])).unwrap();
        rows(session, "SELECT datetime('now', 'localtime')").unwrap();
    });
}

#[test]
fn with_the_grant_chance_is_a_sequence_of_the_seed() {
    let drawn = |seed| {
        let mut drawn = Vec::new();
        with_session(|session| {
            for _ in 0..2 {
                let granted = vec![FunctionGrant::Random];
                session.set_ambient(Some(Ambient { started_at: STARTED, seed, granted })).unwrap();
                let query = "SELECT random(), hex(randomblob(9)), abs(random()), length(randomblob(NULL)),
                             length(randomblob('3'))";
                drawn.push(rows(session, query).unwrap());
            }
            let error = rows(session, "SELECT length(randomblob(1000000000))").unwrap_err();
            assert_eq!(error.code, ErrorCode::Limit, "{error}");
        });
        assert_eq!(drawn[0], drawn[1]);
        drawn.remove(0)
    };
    let first = drawn(7);
    assert_ne!(first[0], first[2]);
    assert_eq!(first[3..], [Value::Integer(1), Value::Integer(3)]);
    assert_eq!(first, drawn(7));
    assert_ne!(first, drawn(8));
}

#[test]
fn names_the_column_whose_default_was_refused() {
    with_session(|session| {
        let schema = "CREATE TABLE \"a b\" (id INTEGER PRIMARY KEY, made TEXT DEFAULT CURRENT_TIMESTAMP,
                                            changed TEXT DEFAULT (datetime('now')));
                      CREATE TABLE t (x);
                      CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET x = random(); END;";
        session.execute_script(schema).unwrap();
        session.set_ambient(granted(&[])).unwrap();
        let cases = [
            ("INSERT INTO \"a b\" (id, changed) VALUES (1, 'x')", "default of column made of table a b"),
            ("INSERT INTO main.[a b] (id, made) VALUES (1, 'x')", "default of column changed of table a b"),
            ("INSERT INTO t VALUES (1)", "a trigger, a view or the table itself calls it"),
        ];
        for (sql, expected) in cases {
            let error = session.execute(sql, &[]).unwrap_err();
            assert!(error.code == ErrorCode::Denied && error.message.contains(expected), "{sql}: {error}");
            let statement = session.prepare(sql).unwrap();
            let error = session.execute_prepared(statement, &[]).unwrap_err();
            assert!(error.code == ErrorCode::Denied && error.message.contains(expected), "{sql}: {error}");
            session.close_statement(statement);
        }
        session.execute("INSERT INTO \"a b\" VALUES (1, 'x', 'y')", &[]).unwrap();
        session.set_ambient(granted(&[FunctionGrant::Now])).unwrap();
        session.execute("INSERT INTO \"a b\" (id) VALUES (2)", &[]).unwrap();
        assert_eq!(
            rows(session, "SELECT made, changed FROM \"a b\" WHERE id = 2").unwrap(),
            [Value::from("2026-03-04 05:06:07"), Value::from("2026-03-04 05:06:07")]
        );
    });
}

#[test]
fn schemas_that_use_dates_keep_working() {
    with_session(|session| {
        let schema = "CREATE TABLE t (d TEXT CHECK (date(d) IS NOT NULL), y AS (strftime('%Y', d)) STORED);
                      CREATE INDEX i ON t (date(d));
                      CREATE VIEW v AS SELECT date(d) AS day FROM t;
                      INSERT INTO t (d) VALUES ('2025-05-05 10:00');
                      PRAGMA trusted_schema = 0;";
        session.execute_script(schema).unwrap();
        session.set_ambient(granted(&[])).unwrap();
        session.execute("INSERT INTO t (d) VALUES ('2026-01-02 03:04')", &[]).unwrap();
        let error = session.execute("INSERT INTO t (d) VALUES ('no date')", &[]).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConstraintCheck);
        session.execute("CREATE INDEX j ON t (unixepoch(d))", &[]).unwrap();
        assert_eq!(text(session, "SELECT d FROM t WHERE date(d) = '2026-01-02'"), "2026-01-02 03:04");
        assert_eq!(rows(session, "SELECT count(*) FROM v").unwrap(), [Value::Integer(2)]);
        session.set_ambient(None).unwrap();
        assert_eq!(text(session, "PRAGMA integrity_check"), "ok");
        assert_eq!(text(session, "SELECT y FROM t WHERE date(d) = '2026-01-02'"), "2026");
    });
}

#[test]
fn afterwards_the_functions_are_real_again() {
    let connection = with_session(|session| {
        session.execute("CREATE TABLE t (x, at TEXT DEFAULT CURRENT_TIMESTAMP)", &[]).unwrap();
        session.set_ambient(granted(&[])).unwrap();
        rows(session, "SELECT random()").unwrap_err();
        session.set_ambient(None).unwrap();
        let Value::Integer(now) = rows(session, "SELECT unixepoch()").unwrap()[0] else { panic!() };
        assert!(now > 1_772_600_767);
        assert_ne!(rows(session, "SELECT random()").unwrap(), rows(session, "SELECT random()").unwrap());
        // One statement has one time, however long it takes.
        let slow = "WITH RECURSIVE n(i, at) AS (SELECT 1, strftime('%f') UNION ALL
                    SELECT i + 1, strftime('%f', 'now') FROM n WHERE i < 20000)
                    SELECT count(DISTINCT at) + count(DISTINCT CURRENT_TIMESTAMP) FROM n";
        assert_eq!(rows(session, slow).unwrap(), [Value::Integer(2)]);
    });
    connection.execute("INSERT INTO t (x) VALUES (datetime('now', 'localtime'))", []).unwrap();
    let (random, at): (i64, String) =
        connection.query_row("SELECT random(), at FROM t", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert!(random != 0 && at.as_str() > "2026-03-05", "{at}");
}

/// SQLite itself tells which calls look outside: it refuses them in a generated column.
#[test]
fn knows_every_call_that_sqlite_holds_for_impure() {
    let values = [
        "'now'",
        "'NOW'",
        "'now '",
        "' now'",
        "'nowx'",
        "'subsec'",
        "'SubSecond'",
        "'localtime'",
        "'LOCALTIME'",
        "'utc'",
        "'utc '",
        "'auto'",
        "'unixepoch'",
        "'+1 day'",
        "'subsec '",
        "'2026-01-01'",
        "'12:00Z'",
        "NULL",
        "0",
        "2460000.5",
        "x'6e6f77'",
        "'now' || char(0)",
        "'%Y'",
        "''",
    ];
    let connection = Connection::open_in_memory().unwrap();
    let mut impure = 0;
    for function in DATE_FUNCTIONS {
        let mut calls = vec![vec![]];
        for first in values {
            calls.push(vec![first]);
            for second in values {
                calls.push(vec![first, second]);
                calls.extend(values.iter().step_by(3).map(|third| vec![first, second, *third]));
            }
        }
        calls.retain(|call| function.arguments < 0 || call.len() == usize::try_from(function.arguments).unwrap());
        for call in calls {
            let listed = call.join(", ");
            connection
                .execute_batch(&format!(
                    "DROP TABLE IF EXISTS p; CREATE TABLE p (x, y AS ({}({listed})) STORED);",
                    function.name
                ))
                .unwrap();
            let refused = connection.execute("INSERT INTO p (x) VALUES (1)", []);
            let looks_outside = refused.is_err_and(|error| error.to_string().contains("non-deterministic use"));
            let arguments: Vec<rusqlite::types::Value> = match call.len() {
                0 => Vec::new(),
                _ => connection
                    .query_row(&format!("SELECT {listed}"), [], |row| (0..call.len()).map(|i| row.get(i)).collect())
                    .unwrap(),
            };
            let arguments: Vec<ValueRef<'_>> = arguments.iter().map(ValueRef::from).collect();
            let found = function.needs_now(&arguments) || function.needs_zone(&arguments).is_some();
            assert!(found || !looks_outside, "{}({listed})", function.name);
            impure += usize::from(looks_outside);
        }
    }
    assert!(impure > 1000, "{impure}");
}
