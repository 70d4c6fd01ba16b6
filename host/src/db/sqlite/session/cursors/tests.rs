use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::db::sqlite::with_connection;
use crate::db::{BatchBuilder, CursorId, DbError, ErrorCode, OpenOptions, Session, for_each_row};
use crate::grants::Restriction;
use crate::interrupt::Interrupt;

const SETUP: &str = "CREATE TABLE t (a, b, c); INSERT INTO t VALUES (1, 'x', NULL), (2, 'y', 2.5), (3, 'z', 7)";

fn with_session(work: impl FnOnce(&mut dyn Session)) {
    let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: true };
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SETUP).unwrap();
    with_connection(&mut connection, &options, |mut session| work(session.as_mut())).unwrap();
}

fn fetch(session: &mut dyn Session, cursor: CursorId, rows: u32) -> Result<Vec<Vec<String>>, DbError> {
    let mut builder = BatchBuilder::default();
    session.fetch(cursor, rows, 1 << 20, &mut builder)?;
    let batch = builder.finish_checked();
    let row = |row| (0..batch.columns().len()).map(|column| format!("{:?}", batch.cell(row, column))).collect();
    Ok((0..batch.rows()).map(row).collect())
}

#[test]
fn cells_stand_under_their_own_columns_whatever_becomes_of_the_table() {
    for (change, names, first) in [
        ("ALTER TABLE t DROP COLUMN b", vec!["a", "c"], vec!["Integer(1)", "Null"]),
        (
            "ALTER TABLE t ADD COLUMN d DEFAULT 9",
            vec!["a", "b", "c", "d"],
            vec!["Integer(1)", "Text(\"x\")", "Null", "Integer(9)"],
        ),
    ] {
        with_session(|session| {
            let before = session.open_cursor("SELECT * FROM t", &[]).unwrap();
            let half = session.open_cursor("SELECT * FROM t ", &[]).unwrap();
            fetch(session, half, 1).unwrap();
            session.close_cursor(half);
            session.execute(change, &[]).unwrap();
            let error = fetch(session, before, 9).unwrap_err();
            assert_eq!(error.message, "the columns of the query have changed since it was opened; open it again");
            session.close_cursor(before);
            let after = session.open_cursor("SELECT * FROM t", &[]).unwrap();
            assert_eq!(session.columns(after).unwrap(), names);
            assert_eq!(fetch(session, after, 9).unwrap()[0], first);
        });
    }
}

#[test]
fn a_query_that_is_read_again_tells_what_is_there_now() {
    with_session(|session| {
        for sql in ["SELECT count(*), sum(a * 2) FROM t", "SELECT a FROM t WHERE a > 2"] {
            for expected in ["Integer(3)", "Integer(4)"] {
                let cursor = session.open_cursor(sql, &[]).unwrap();
                let rows = fetch(session, cursor, 9).unwrap();
                assert_eq!(rows.last().unwrap()[0], expected, "{sql}");
                session.close_cursor(cursor);
                session.execute("INSERT INTO t (a) VALUES (4)", &[]).unwrap();
            }
            session.execute("DELETE FROM t WHERE a = 4", &[]).unwrap();
        }
    });
}

#[test]
fn blanks_of_every_kind_may_stand_around_a_query() {
    with_session(|session| {
        for sql in ["\u{a0}SELECT 1", "SELECT 1\u{a0}", "SELECT 1;\u{2003}", "\u{b} SELECT 1 -- one\n;\u{b}"] {
            for_each_row(session, sql, &[], &mut |_| Ok(())).unwrap_or_else(|error| panic!("{sql:?}: {error}"));
        }
        let place = |session: &mut dyn Session, sql: &str| session.open_cursor(sql, &[]).unwrap_err().offset;
        assert_eq!(place(session, "\u{a0} SELECT nothing"), Some(10));
        let error = session.open_cursor("SELECT 1; SELECT 2", &[]).unwrap_err();
        assert_eq!(error.message, "more than one statement in one call; run them one after the other");
        let error = session.open_cursor(" -- nothing", &[]).unwrap_err();
        assert_eq!(error.message, "there is no statement to run");
    });
}

#[test]
fn no_query_outlives_the_rules_it_was_prepared_under() {
    with_session(|session| {
        let rules = |grants: &str| {
            let manifest = crate::model::Manifest::parse("m.toml", &format!("[grants]\nread = [{grants}]")).unwrap();
            Some(Arc::new(Restriction {
                protected: Vec::new(),
                grants: manifest.grants,
                read_only: false,
                namespace: None,
            }))
        };
        session.begin().unwrap();
        session.restrict(rules("'t'"));
        let open = session.open_cursor("SELECT b FROM t", &[]).unwrap();
        session.restrict(rules("'u'"));
        session.close_cursor(open);
        assert_eq!(session.open_cursor("SELECT b FROM t", &[]).unwrap_err().code, ErrorCode::Denied);
        let seen = session.see_rows("SELECT b FROM t", &[], &mut |_| Ok(()));
        assert_eq!(seen.unwrap_err().code, ErrorCode::Denied);
        session.restrict(None);
    });
}

#[test]
fn a_statement_that_is_not_read_to_its_end_counts_for_what_it_did() {
    with_session(|session| {
        let refuse = || DbError::new(ErrorCode::Value, "enough");
        for (sql, statements) in [("UPDATE t SET a = a + 1 RETURNING a", 1), ("SELECT a FROM t", 0)] {
            session.start_recording();
            let before = session.counters();
            let seen = session.see_rows(sql, &[], &mut |_| Err(refuse()));
            assert_eq!(seen.unwrap_err().message, "enough");
            assert_eq!(session.counters().since(before).statements, statements, "{sql}");
            assert_eq!(session.take_recording().statements.len() as u64, statements, "{sql}");
        }
    });
}

/// What is written where a query goes on reading: rows as they were when that began, each once.
#[test]
fn a_query_meets_nothing_of_what_is_written_while_it_is_read() {
    let table = "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT); CREATE INDEX t_a ON t (a);
        CREATE TABLE w (a INT PRIMARY KEY, id INT, b TEXT) WITHOUT ROWID; CREATE TABLE log (id);
        WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 3000)
        INSERT INTO t SELECT x, x % 7, 'x' FROM r; INSERT INTO w SELECT id, id, b FROM t;
        CREATE TRIGGER g AFTER INSERT ON log BEGIN INSERT INTO t (a, b) VALUES (new.id, 'log'); END;";
    for (read, write) in [
        ("SELECT id FROM t WHERE a < 1000", "UPDATE t SET a = a + 100, b = b || 'y' WHERE id = ?"),
        ("SELECT id FROM t", "UPDATE t SET id = id + 100000, b = b || 'y' WHERE id = ?"),
        ("SELECT id, b FROM t", "INSERT INTO t (a, b) SELECT a, b || 'y' FROM t WHERE id = ?"),
        ("SELECT id, b FROM t", "REPLACE INTO t (a, b) SELECT a, b || 'y' FROM t WHERE id = ?"),
        ("SELECT id FROM w WHERE a > 0", "UPDATE w SET a = a + 100000, b = b || 'y' WHERE id = ?"),
        ("SELECT id FROM t WHERE a >= 0 ORDER BY a", "INSERT INTO log VALUES (?)"),
        ("SELECT id FROM t ORDER BY b", "UPDATE t SET b = b || 'y' WHERE id = ?"),
        ("SELECT id FROM t", "UPDATE t SET b = b || 'y' WHERE id = ?"),
    ] {
        for prepared in [false, true] {
            with_session(|session| {
                session.execute_script(table).unwrap();
                let statement = session.prepare(write).unwrap();
                let cursor = session.open_cursor(read, &[]).unwrap();
                let mut seen = Vec::new();
                loop {
                    let mut rows = BatchBuilder::default();
                    let more = session.fetch(cursor, 100, 1 << 20, &mut rows).unwrap();
                    let batch = rows.finish_checked();
                    for row in 0..batch.rows() {
                        let id = super::Value::from(batch.cell(row, 0));
                        match prepared {
                            true => session.execute_prepared(statement, std::slice::from_ref(&id)).unwrap(),
                            false => session.execute(write, std::slice::from_ref(&id)).unwrap(),
                        };
                        seen.push(format!("{id:?}"));
                    }
                    assert!(seen.len() <= 3000, "{read}; {write}: rows come again");
                    if !more {
                        break;
                    }
                }
                let count = seen.len();
                seen.sort_unstable();
                seen.dedup();
                assert_eq!((count, seen.len()), (3000, 3000), "{read}; {write}");
            });
        }
    }
}

#[test]
fn a_query_that_is_kept_ends_as_it_would_have() {
    with_session(|session| {
        session.execute("INSERT INTO t VALUES (4, CAST(x'ff' AS TEXT), 1)", &[]).unwrap();
        let cursor = session.open_cursor("SELECT b FROM t", &[]).unwrap();
        let other = session.open_cursor("SELECT a FROM t", &[]).unwrap();
        assert_eq!(fetch(session, cursor, 1).unwrap(), [["Text(\"x\")"]]);
        session.execute("INSERT INTO t VALUES (5, 'new', 1)", &[]).unwrap();
        assert_eq!(session.columns(cursor).unwrap(), ["b"]);
        assert_eq!(fetch(session, other, 9).unwrap().len(), 4);
        assert!(fetch(session, other, 9).unwrap().is_empty());
        assert_eq!(fetch(session, cursor, 2).unwrap(), [["Text(\"y\")"], ["Text(\"z\")"]]);
        let error = fetch(session, cursor, 9).unwrap_err();
        assert!(error.message.contains("not valid UTF-8"), "{error}");
        assert_eq!(fetch(session, cursor, 9).unwrap().len(), 0);
    });
}
