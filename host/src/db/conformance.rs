//! What every session has to do, whatever the database. Each backend runs all of it in its tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use whimbrel_packed::{Batch, BatchBuilder, Cell, CheckedBatch};

use super::{ErrorCode, Session, Value};
use crate::grants::{Restriction, Verb};
use crate::limits::{Limit, Limits, RunLimits};

/// Runs every check, each on a session on an empty database.
pub(crate) fn check_all(with_session: &dyn Fn(&dyn Fn(&mut dyn Session))) {
    let checks: [fn(&mut dyn Session); 17] = [
        returns_rows_changed,
        refuses_wrong_parameters_and_many_statements,
        reads_on_where_it_stopped,
        reads_while_it_writes,
        delivers_every_kind_exactly,
        runs_a_batch_for_all_rows_or_none,
        nests_savepoints,
        rolls_back_and_ends_handles,
        reads_in_a_transaction,
        runs_scripts_and_says_where_they_fail,
        tells_what_a_statement_touches,
        holds_guests_to_the_rules,
        notices_a_transaction_that_ended,
        keeps_a_transaction_from_being_ended,
        stops_at_the_deadline,
        counts_what_it_did,
        tells_limits_by_name_and_lifts_them,
    ];
    for check in checks {
        with_session(&check);
    }
}

fn rows(session: &mut dyn Session, sql: &str) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    super::for_each_row(session, sql, &[], &mut |row| {
        rows.push(row.to_vec());
        Ok(())
    })
    .unwrap();
    rows
}

fn integers(session: &mut dyn Session, sql: &str) -> Vec<i64> {
    let first = |row: Vec<Value>| match row[0] {
        Value::Integer(value) => value,
        ref other => panic!("{other:?}"),
    };
    rows(session, sql).into_iter().map(first).collect()
}

fn batch(values: &[(i64, Option<&str>)]) -> CheckedBatch {
    let mut builder = BatchBuilder::new(2);
    for (id, text) in values {
        builder.push_integer(0, *id);
        builder.push(1, text.map_or(Cell::Null, Cell::Text)).unwrap();
    }
    Batch::check(builder.finish()).unwrap()
}

fn returns_rows_changed(session: &mut dyn Session) {
    assert_eq!(session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", &[]).unwrap(), 0);
    assert_eq!(session.execute("INSERT INTO t (x) VALUES ('a'), ('b'), ('c')", &[]).unwrap(), 3);
    assert_eq!(session.execute("UPDATE t SET x = ? WHERE id > ?", &["z".into(), 1.into()]).unwrap(), 2);
    assert_eq!(session.execute("CREATE TABLE u (id INTEGER)", &[]).unwrap(), 0);
    assert_eq!(session.execute("DELETE FROM t WHERE x = 'nobody'", &[]).unwrap(), 0);
}

fn refuses_wrong_parameters_and_many_statements(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER)", &[]).unwrap();
    let code = |result: Result<u64, super::DbError>| result.unwrap_err().code;
    assert_eq!(code(session.execute("INSERT INTO t VALUES (?)", &[])), ErrorCode::Parameter);
    assert_eq!(code(session.execute("INSERT INTO t VALUES (1); DELETE FROM t", &[])), ErrorCode::Syntax);
    assert_eq!(code(session.execute("  -- nothing", &[])), ErrorCode::Syntax);
    assert_eq!(code(session.execute("SELEKT 1", &[])), ErrorCode::Syntax);
    assert_eq!(integers(session, "SELECT count(*) FROM t"), [0]);
}

fn reads_on_where_it_stopped(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)", &[]).unwrap();
    session.execute("INSERT INTO t VALUES (1), (2), (3), (4), (5)", &[]).unwrap();
    let cursor = session.open_cursor("SELECT id FROM t WHERE id < ? ORDER BY id", &[5.into()]).unwrap();
    assert_eq!(session.columns(cursor).unwrap(), ["id"]);
    let mut seen = Vec::new();
    let mut builder = BatchBuilder::new(1);
    for expected_more in [true, true, false, false] {
        assert_eq!(session.fetch(cursor, 2, usize::MAX, &mut builder).unwrap(), expected_more);
        let batch = builder.finish().check().unwrap();
        seen.extend((0..batch.rows()).map(|row| batch.cell(row, 0) == Cell::Null));
    }
    assert_eq!(seen.len(), 4);
    session.close_cursor(cursor);
    session.close_cursor(cursor);
    assert_eq!(session.fetch(cursor, 2, usize::MAX, &mut builder).unwrap_err().code, ErrorCode::Handle);
    // The same statement again begins at the beginning, even when it was left in the middle.
    let cursor = session.open_cursor("SELECT id FROM t", &[]).unwrap();
    session.fetch(cursor, 1, usize::MAX, &mut builder).unwrap();
    session.close_cursor(cursor);
    assert_eq!(integers(session, "SELECT id FROM t"), [1, 2, 3, 4, 5]);
}

fn reads_while_it_writes(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER)", &[]).unwrap();
    session.execute("INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i, 0 FROM n", &[]).unwrap();
    session.begin().unwrap();
    let cursor = session.open_cursor("SELECT id FROM t WHERE x = 0", &[]).unwrap();
    let update = session.prepare("UPDATE t SET x = x + 1 WHERE id = ?").unwrap();
    let mut builder = BatchBuilder::new(1);
    loop {
        let more = session.fetch(cursor, 7, usize::MAX, &mut builder).unwrap();
        let batch = builder.finish().check().unwrap();
        for row in 0..batch.rows() {
            let Cell::Integer(id) = batch.cell(row, 0) else { panic!() };
            session.execute_prepared(update, &[id.into()]).unwrap();
        }
        if !more {
            break;
        }
    }
    session.commit().unwrap();
    assert_eq!(integers(session, "SELECT count(*) FROM t WHERE x = 1"), [100]);
}

fn delivers_every_kind_exactly(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)", &[]).unwrap();
    let values = [
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Integer(9_007_199_254_740_993),
        Value::Real(0.1),
        Value::Text("Zoë 鈴木\0end".into()),
        Value::Text(String::new()),
        Value::Blob(vec![0, 255]),
        Value::Blob(Vec::new()),
    ];
    for value in &values {
        session.execute("INSERT INTO t (x) VALUES (?)", std::slice::from_ref(value)).unwrap();
    }
    let read: Vec<Value> = rows(session, "SELECT x FROM t ORDER BY id").into_iter().flatten().collect();
    assert_eq!(read, values);
}

fn runs_a_batch_for_all_rows_or_none(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", &[]).unwrap();
    session.begin().unwrap();
    let insert = session.prepare("INSERT INTO t VALUES (?, ?)").unwrap();
    assert_eq!(session.execute_batch(insert, &batch(&[(1, Some("a")), (2, None)])).unwrap(), 2);
    let error = session.execute_batch(insert, &batch(&[(3, None), (4, None), (2, None), (5, None)])).unwrap_err();
    assert_eq!((error.code, error.row), (ErrorCode::ConstraintUnique, Some(2)));
    assert_eq!(integers(session, "SELECT id FROM t ORDER BY id"), [1, 2]);
    let narrow = session.prepare("INSERT INTO t (id) VALUES (?)").unwrap();
    let error = session.execute_batch(narrow, &batch(&[(9, None)])).unwrap_err();
    assert_eq!(error.code, ErrorCode::Parameter);
    session.close_statement(insert);
    assert_eq!(session.execute_batch(insert, &batch(&[(9, None)])).unwrap_err().code, ErrorCode::Handle);
    session.commit().unwrap();
    assert_eq!(integers(session, "SELECT count(*) FROM t"), [2]);
}

fn nests_savepoints(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)", &[]).unwrap();
    session.begin().unwrap();
    let add = |session: &mut dyn Session, id: i64| session.execute("INSERT INTO t VALUES (?)", &[id.into()]).unwrap();
    add(session, 1);
    let outer = session.savepoint().unwrap();
    add(session, 2);
    let inner = session.savepoint().unwrap();
    add(session, 3);
    session.rollback_to(inner).unwrap();
    assert_eq!(session.release(inner).unwrap_err().code, ErrorCode::Handle);
    let inner = session.savepoint().unwrap();
    add(session, 4);
    session.release(inner).unwrap();
    add(session, 5);
    let inside = session.savepoint().unwrap();
    session.release(outer).unwrap();
    assert_eq!(session.rollback_to(inside).unwrap_err().code, ErrorCode::Handle);
    let last = session.savepoint().unwrap();
    add(session, 6);
    session.rollback_to(last).unwrap();
    session.commit().unwrap();
    assert_eq!(integers(session, "SELECT id FROM t ORDER BY id"), [1, 2, 4, 5]);
}

fn rolls_back_and_ends_handles(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)", &[]).unwrap();
    session.begin().unwrap();
    assert!(session.in_transaction());
    session.execute("INSERT INTO t VALUES (1), (2)", &[]).unwrap();
    let cursor = session.open_cursor("SELECT id FROM t", &[]).unwrap();
    session.fetch(cursor, 1, usize::MAX, &mut BatchBuilder::new(1)).unwrap();
    let statement = session.prepare("INSERT INTO t VALUES (?)").unwrap();
    let savepoint = session.savepoint().unwrap();
    session.rollback().unwrap();
    session.rollback().unwrap();
    assert!(!session.in_transaction());
    assert_eq!(session.execute_prepared(statement, &[9.into()]).unwrap_err().code, ErrorCode::Handle);
    assert_eq!(session.release(savepoint).unwrap_err().code, ErrorCode::Handle);
    assert_eq!(integers(session, "SELECT count(*) FROM t"), [0]);
}

fn reads_in_a_transaction(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)", &[]).unwrap();
    for commit in [true, false] {
        session.begin_reading().unwrap();
        assert!(session.in_transaction());
        assert_eq!(integers(session, "SELECT count(*) FROM t"), [0]);
        assert!(session.begin_reading().is_err());
        let ended = if commit { session.commit() } else { session.rollback() };
        ended.unwrap();
        assert!(!session.in_transaction());
    }
}

fn runs_scripts_and_says_where_they_fail(session: &mut dyn Session) {
    session.execute_script("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); -- a; comment\n\nSELECT 'a;b';").unwrap();
    session.execute_script("").unwrap();
    session.execute_script("/* only */ -- comments").unwrap();
    let script = "INSERT INTO t VALUES (1, 'a');\n  INSERT INTO t VALUES (1, 'b') ;\nINSERT INTO t VALUES (2, 'c');";
    let failed = session.execute_script(script).unwrap_err();
    assert_eq!(&script[failed.start..failed.end], "INSERT INTO t VALUES (1, 'b') ;");
    assert_eq!(failed.error.code, ErrorCode::ConstraintUnique);
    let script = "DELETE FROM t;\nINSERT INTO nowhere VALUES (1);";
    let failed = session.execute_script(script).unwrap_err();
    assert_eq!((failed.start, failed.error.code), (15, ErrorCode::Syntax));
    assert!(failed.error.message.contains("nowhere"));
}

fn holds_guests_to_the_rules(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER)", &[]).unwrap();
    session.execute("CREATE TABLE own (id INTEGER)", &[]).unwrap();
    session.begin().unwrap();
    assert_eq!(session.execute("INSERT INTO own VALUES (1)", &[]).unwrap(), 1);
    session.restrict(Some(Arc::new(Restriction {
        protected: vec!["own".into()],
        grants: None,
        read_only: false,
        namespace: None,
    })));
    for sql in ["COMMIT", "ROLLBACK", "INSERT INTO own VALUES (1)", "SELECT * FROM own", "DROP TABLE own"] {
        assert_eq!(session.execute(sql, &[]).unwrap_err().code, ErrorCode::Denied, "{sql}");
    }
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    let savepoint = session.savepoint().unwrap();
    session.release(savepoint).unwrap();
    assert!(session.in_transaction());
    session.restrict(None);
    assert_eq!(session.execute("INSERT INTO own VALUES (1)", &[]).unwrap(), 1);
    session.commit().unwrap();
}

fn notices_a_transaction_that_ended(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)", &[]).unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    session.execute("ROLLBACK", &[]).unwrap();
    session.execute("INSERT INTO t VALUES (2)", &[]).unwrap_err();
    session.commit().unwrap_err();
    session.rollback().unwrap();
    assert_eq!(integers(session, "SELECT count(*) FROM t"), [0]);
}

fn keeps_a_transaction_from_being_ended(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER)", &[]).unwrap();
    // Which leaves a COMMIT prepared.
    session.begin().unwrap();
    session.commit().unwrap();
    session.begin().unwrap();
    assert_eq!(session.keep_transaction(true), None);
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    for end in ["COMMIT", "END", "ROLLBACK", "BEGIN"] {
        let error = session.execute(end, &[]).unwrap_err();
        assert_eq!(error.code, ErrorCode::Denied, "{error}");
    }
    session.execute_script("COMMIT; BEGIN;").unwrap_err();
    let savepoint = session.savepoint().unwrap();
    session.execute("INSERT INTO t VALUES (2)", &[]).unwrap();
    session.rollback_to(savepoint).unwrap();
    assert_eq!(session.keep_transaction(false).as_deref(), Some("COMMIT"));
    assert_eq!(session.keep_transaction(false), None);
    assert!(session.in_transaction());
    session.commit().unwrap();
    assert_eq!(integers(session, "SELECT id FROM t"), [1]);
}

fn tells_what_a_statement_touches(session: &mut dyn Session) {
    session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", &[]).unwrap();
    session.execute("INSERT INTO t VALUES (1, 'a')", &[]).unwrap();
    let what = |session: &mut dyn Session| -> Vec<(Verb, String, String)> {
        let touched = session.touched_by("UPDATE t SET x = ? WHERE id = ?").unwrap();
        touched.into_iter().filter_map(|touched| touched.what).collect()
    };
    let named = |verb, column: &str| (verb, "t".to_owned(), column.to_owned());
    // Twice, though it stands prepared.
    for _ in 0..2 {
        session.execute("UPDATE t SET x = ? WHERE id = ?", &["b".into(), 2.into()]).unwrap();
        let mut touched = what(session);
        touched.sort();
        assert_eq!(touched, [named(Verb::Read, "id"), named(Verb::Update, "x")]);
    }
    session.touched_by("UPDATE nothing SET x = 1").unwrap_err();
    // Under rules it tells as much, and they are in force as before.
    session.restrict(Some(Arc::new(Restriction::default())));
    assert_eq!(what(session).len(), 2);
    session.execute("COMMIT", &[]).unwrap_err();
    session.restrict(None);
    assert_eq!(integers(session, "SELECT count(*) FROM t WHERE x = 'a'"), [1]);
}

fn stops_at_the_deadline(session: &mut dyn Session) {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    session.set_deadline(Some(Instant::now() + Duration::from_millis(50)));
    let error = session.execute(endless, &[]).unwrap_err();
    assert_eq!(error.code, ErrorCode::Limit);
    assert_eq!(session.execute("SELECT 1", &[]).unwrap_err().code, ErrorCode::Limit);
    session.set_deadline(None);
    session.execute("SELECT 1", &[]).unwrap();
}

fn counts_what_it_did(session: &mut dyn Session) {
    let before = session.counters();
    session.execute_script("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2); UPDATE t SET id = 3;").unwrap();
    let done = session.counters().since(before);
    assert_eq!((done.statements, done.rows_changed), (3, 4));
    assert!(done.operations > 0);
    assert!(session.table_exists("t").unwrap() && !session.table_exists("u").unwrap());
}

fn tells_limits_by_name_and_lifts_them(session: &mut dyn Session) {
    session.execute_script("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2), (3);").unwrap();
    let given = Limits::default().with(Limit::RowsRead, 2).with(Limit::RowsWritten, 1).with(Limit::OpenCursors, 2);
    let limits = RunLimits::decide(None, &given).unwrap();
    session.begin().unwrap();
    let name = |error: &super::DbError| {
        assert_eq!(error.code, ErrorCode::Limit);
        error.details.iter().find(|(key, _)| key == "name").map(|(_, name)| name.clone())
    };
    session.set_limits(Some(&limits)).unwrap();
    let cursors: Vec<_> = (0..2).map(|_| session.open_cursor("SELECT id FROM t", &[]).unwrap()).collect();
    let error = session.open_cursor("SELECT id FROM t", &[]).unwrap_err();
    assert_eq!(name(&error).as_deref(), Some("open_cursors"));
    assert!(session.fetch(cursors[0], 2, 1000, &mut BatchBuilder::default()).unwrap());
    let error = session.fetch(cursors[1], 1, 1000, &mut BatchBuilder::default()).unwrap_err();
    assert_eq!(name(&error).as_deref(), Some("rows_read"));
    assert_eq!(session.limit_reached().map(|reached| reached.limit), Some(Limit::OpenCursors), "the first one");

    session.set_limits(Some(&limits)).unwrap();
    assert_eq!(session.limit_reached(), None);
    let error = session.execute("UPDATE t SET id = id + 1", &[]).unwrap_err();
    assert_eq!(name(&error).as_deref(), Some("rows_written"));
    session.set_limits(None).unwrap();
    session.close_handles();
    assert_eq!(session.execute("UPDATE t SET id = id + 1", &[]).unwrap(), 3);
    session.rollback().unwrap();
}
