use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::*;
use crate::db::{BatchBuilder, Orphans, Session, TableChanges, Value, conformance};
use crate::interrupt::Interrupt;
use crate::limits::{Limit, Limits, RunLimits};

pub(super) fn options() -> OpenOptions {
    OpenOptions { lock_timeout: Duration::from_millis(100), interrupt: Interrupt::new(), record: true }
}

fn with_session(work: impl FnOnce(&mut dyn Session)) {
    let mut connection = Connection::open_in_memory().unwrap();
    with_connection(&mut connection, &options(), |mut session| work(session.as_mut())).unwrap();
}

#[test]
fn conforms() {
    conformance::check_all(&|check| with_session(check));
}

#[test]
fn what_runs_to_its_end_still_does_so_after_a_commit() {
    let interrupt = Interrupt::new();
    let options = OpenOptions { interrupt: interrupt.clone(), ..options() };
    let mut connection = Connection::open_in_memory().unwrap();
    with_connection(&mut connection, &options, |mut session| {
        let state = session.connection_state().unwrap();
        interrupt.raise();
        session.hold_interrupt_until(Instant::now() + Duration::from_secs(60));
        for table in ["a", "b"] {
            session.begin().unwrap();
            session.execute(&format!("CREATE TABLE {table} (x)"), &[]).unwrap();
            session.put_back(&state).unwrap();
            session.commit().unwrap();
        }
        session.hold_interrupt(false);
        assert!(session.begin().is_err());
    })
    .unwrap();
}

#[test]
fn counts_changed_rows_of_every_kind_of_table() {
    with_session(|session| {
        let setup = "
            CREATE TABLE plain (id INTEGER PRIMARY KEY, x);
            CREATE TABLE keyed (k TEXT PRIMARY KEY, x) WITHOUT ROWID;
            CREATE TABLE log (x);
            CREATE TABLE old (x);
            INSERT INTO old VALUES (1), (2), (3);
            CREATE TRIGGER t AFTER UPDATE ON plain BEGIN INSERT INTO log VALUES (new.x); END;";
        session.execute_script(setup).unwrap();
        session.begin().unwrap();
        session.start_recording();
        session.execute_script("INSERT INTO plain (x) VALUES (1), (2); UPDATE plain SET x = 5;").unwrap();
        session.execute("INSERT INTO keyed VALUES (?, 1)", &["a".into()]).unwrap();
        session.execute("INSERT INTO keyed VALUES (?, 1)", &["b".into()]).unwrap();
        session.execute("DELETE FROM plain", &[]).unwrap();
        session.execute_script("DROP TABLE old; CREATE TABLE fresh AS SELECT 1 AS x;").unwrap();
        session.execute_script("INSERT INTO keyed VALUES ('c', 1), ('d', 1)").unwrap();
        let recording = session.take_recording();
        let changes =
            |table: &str, inserted, updated, deleted| TableChanges { table: table.into(), inserted, updated, deleted };
        assert!(recording.tables.contains(&changes("plain", 2, 2, 2)), "{:?}", recording.tables);
        assert!(recording.tables.contains(&changes("log", 2, 0, 0)), "{:?}", recording.tables);
        assert!(recording.tables.contains(&changes("keyed", 4, 0, 0)), "{:?}", recording.tables);
        assert!(recording.tables.contains(&changes("fresh", 1, 0, 0)), "{:?}", recording.tables);
        assert_eq!(
            recording.statements.iter().map(|statement| statement.times).collect::<Vec<_>>(),
            [1, 1, 2, 1, 1, 1, 1]
        );
        assert!(!session.table_exists("old").unwrap());
        session.rollback().unwrap();
        assert!(session.table_exists("old").unwrap());
    });
}

#[test]
fn counts_the_rows_with_which_a_table_is_made_and_no_others() {
    with_session(|session| {
        session.execute_script("CREATE TABLE old (x); INSERT INTO old VALUES (1), (2)").unwrap();
        session.start_recording();
        let make = "CREATE TABLE IF NOT EXISTS new AS SELECT x FROM old";
        for sql in [make, make, "CREATE TABLE IF NOT EXISTS old AS SELECT 1", "CREATE TABLE empty (x)"] {
            session.execute(sql, &[]).unwrap();
        }
        session
            .execute_script(
                "DROP TABLE new; CREATE TEMP TABLE t AS SELECT x FROM old; ATTACH ':memory:' AS aux; \
                 CREATE TABLE aux.old AS SELECT 1; ALTER TABLE old RENAME TO older",
            )
            .unwrap();
        session.execute(make.replace("old", "older").as_str(), &[]).unwrap();
        let recording = session.take_recording();
        let rows: Vec<u64> = recording.statements.iter().map(|statement| statement.rows_changed).collect();
        assert_eq!(rows, [2, 0, 0, 0, 0, 0, 0, 0, 2], "{:?}", recording.statements);
        let made = |table: &str, inserted| TableChanges { table: table.into(), inserted, ..TableChanges::default() };
        assert_eq!(recording.tables, [made("new", 4)]);
    });
}

#[test]
fn says_where_rows_may_have_been_deleted_that_nobody_counts() {
    with_session(|session| {
        let setup = "CREATE TABLE plain (x UNIQUE); CREATE TABLE other (x UNIQUE ON CONFLICT REPLACE); INSERT INTO plain VALUES (1)";
        session.execute_script(setup).unwrap();
        for (sql, replaces) in [
            ("INSERT INTO plain VALUES (replace('2', '2', '3'))", false),
            ("INSERT OR REPLACE INTO plain VALUES (1)", true),
            ("REPLACE INTO plain SELECT 1 WHERE false", false),
            ("UPDATE OR REPLACE plain SET x = 7", true),
            ("INSERT INTO other VALUES (1)", true),
            ("DELETE FROM other", false),
        ] {
            session.start_recording();
            session.execute(sql, &[]).unwrap();
            assert_eq!(session.take_recording().replaces, replaces, "{sql}");
        }
    });
}

#[test]
fn leaves_the_hosts_own_statements_out() {
    with_session(|session| {
        session.execute_script("CREATE TABLE t (x); CREATE TABLE own (x)").unwrap();
        session.start_recording();
        session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        session.hold_recording(true);
        session.execute("INSERT INTO own VALUES (1)", &[]).unwrap();
        session.hold_recording(false);
        session.execute("INSERT INTO t VALUES (2)", &[]).unwrap();
        session.hold_recording(true);
        session.execute("DELETE FROM own", &[]).unwrap();
        let recording = session.take_recording();
        let made = TableChanges { table: "t".into(), inserted: 2, ..TableChanges::default() };
        assert_eq!(recording.tables, [made]);
        let texts: Vec<&str> = recording.statements.iter().map(|statement| statement.sql.as_str()).collect();
        assert_eq!(texts, ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"]);
    });
}

#[test]
fn keeps_triggers_whole_and_does_not_lose_a_statement() {
    with_session(|session| {
        let script = "
            CREATE TABLE t (x); CREATE TABLE l (x);
            CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN
                INSERT INTO l VALUES (CASE WHEN new.x > 1 THEN 'a;' ELSE 'end;' END);
                INSERT INTO l VALUES (2);
            END; INSERT INTO t VALUES (1)";
        session.execute_script(script).unwrap();
        let mut count = 0;
        crate::db::for_each_row(session, "SELECT x FROM l", &[], &mut |_| {
            count += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(count, 2);
    });
}

#[test]
fn says_which_cell_is_not_utf8() {
    with_session(|session| {
        session.execute_script("CREATE TABLE t (name TEXT); INSERT INTO t VALUES (CAST(x'ff' AS TEXT));").unwrap();
        let error = crate::db::for_each_row(session, "SELECT name FROM t", &[], &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.code, ErrorCode::Value);
        assert!(error.message.contains("column name of table t"), "{error}");
    });
}

#[test]
fn an_interrupt_stops_a_statement_and_the_wait_for_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Sqlite::file(folder.path().join("a.db"));
    let options = OpenOptions { lock_timeout: Duration::from_secs(60), interrupt: Interrupt::new(), record: false };
    let mut session = backend.open(&options).unwrap();
    let blocker = Connection::open(folder.path().join("a.db")).unwrap();
    blocker.execute_batch("CREATE TABLE t (x); BEGIN IMMEDIATE").unwrap();
    let raiser = options.interrupt.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        raiser.raise();
    });
    assert_eq!(session.begin().unwrap_err().code, ErrorCode::Interrupted);
    assert_eq!(session.execute("SELECT 1", &[]).unwrap_err().code, ErrorCode::Interrupted);
    thread.join().unwrap();
}

#[test]
fn refuses_a_locked_database_after_the_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let blocker = Connection::open(&path).unwrap();
    blocker.execute_batch("CREATE TABLE t (x); BEGIN IMMEDIATE").unwrap();
    let mut session = Sqlite::file(&path).open(&options()).unwrap();
    assert_eq!(session.begin().unwrap_err().code, ErrorCode::Busy);
    blocker.execute_batch("COMMIT").unwrap();
    session.begin().unwrap();
}

#[test]
fn looks_without_leaving_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    assert!(Sqlite::file(&path).open_existing(Access::Read, &options()).unwrap().is_none());
    assert!(!path.exists());
    std::fs::write(&path, "this is no database, but it is long enough to be looked at").unwrap();
    let error = Sqlite::file(&path).open_existing(Access::Read, &options()).err().unwrap();
    assert_eq!(error.code, ErrorCode::NotADatabase);
    let error = Sqlite::file(folder.path()).open(&options()).err().unwrap();
    assert!(error.message.contains("it is a folder"), "{error}");
    let error = Sqlite::file(folder.path().join("no/a.db")).open(&options()).err().unwrap();
    assert!(error.message.contains("folder does not exist"), "{error}");
}

#[test]
fn a_look_at_a_database_with_a_log_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for opening in [Opening::Create, Opening::Existing, Opening::ReadOnly] {
        let backend = Sqlite::file(&path).opening(opening);
        let mut session = backend.open_existing(Access::Read, &options()).unwrap().unwrap();
        assert!(session.table_exists("t").unwrap());
        drop(session);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{opening:?}");
        assert!(std::fs::read(&path).unwrap() == bytes, "{opening:?}");
    }
}

#[test]
fn a_look_beside_somebody_who_writes_sees_what_is_committed_and_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); BEGIN IMMEDIATE; CREATE TABLE u (x)").unwrap();
    let mut session = Sqlite::file(&path).open_existing(Access::Read, &options()).unwrap().unwrap();
    assert!(session.table_exists("t").unwrap() && !session.table_exists("u").unwrap());
    drop(session);
    assert!(folder.path().join("a.db-wal").exists());
    writer.execute_batch("COMMIT").unwrap();
}

#[test]
fn a_lock_on_the_run_is_exclusive_and_vanishes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let backend = Sqlite::file(&path);
    let mut first = backend.open(&options()).unwrap();
    let mut second = backend.open(&options()).unwrap();
    first.execute("CREATE TABLE t (x)", &[]).unwrap();
    let lock = first.lock_run(Some("who\nx")).unwrap();
    let busy = second.lock_run(None).err().unwrap();
    assert_eq!(
        (busy.code, busy.message.as_str()),
        (ErrorCode::Busy, "another process is at work on the database: who")
    );
    drop(lock);
    drop(second.lock_run(None).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn finds_rows_without_parents() {
    with_session(|session| {
        session.set_foreign_keys(true).unwrap();
        session.execute_script("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p);").unwrap();
        let error = session.execute("INSERT INTO c VALUES (7)", &[]).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConstraintForeignKey);
        assert!(session.set_foreign_keys(false).unwrap());
        session.execute("INSERT INTO c VALUES (7)", &[]).unwrap();
        let keys = Some([(vec!["7".to_owned()], vec![1])].into());
        let orphans = Orphans { table: "c".into(), parent: "p".into(), rows: 1, rowid: Some(1), keys };
        assert_eq!(session.orphans().unwrap(), [orphans]);
        assert!(!session.set_foreign_keys(true).unwrap());
        session.execute("DELETE FROM c", &[Value::Null]).unwrap_err();
    });
}

pub(super) fn within(limit: Limit, amount: u64) -> RunLimits {
    RunLimits::decide(None, &Limits::default().with(limit, amount)).unwrap()
}

#[test]
fn counts_operations_of_what_fails_and_of_what_is_left_half_read() {
    with_session(|session| {
        session.execute_script("CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1), (2), (3);").unwrap();
        let used = |session: &dyn Session| session.counters().operations;
        let before = used(session);
        session.execute("UPDATE t SET x = 7", &[]).unwrap_err();
        let failed = used(session);
        assert!(failed > before + 10, "{before} {failed}");
        let cursor = session.open_cursor("SELECT x FROM t ORDER BY x DESC", &[]).unwrap();
        session.fetch(cursor, 1, 1000, &mut BatchBuilder::default()).unwrap();
        let half = used(session);
        session.close_cursor(cursor);
        assert!(half > failed + 5, "{failed} {half}");
        assert_eq!(used(session), half);
    });
}

#[test]
fn operations_stop_at_the_same_point_in_one_long_statement_and_in_many_short_ones() {
    const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    with_session(|session| {
        session.set_limits(Some(&within(Limit::SqlOperations, 50_000))).unwrap();
        let error = session.execute(LONG, &[]).unwrap_err();
        assert_eq!((error.code, error.native.as_str()), (ErrorCode::Limit, "SQLITE_INTERRUPT"));
        let operations = session.counters().operations;
        assert!((50_000..52_000).contains(&operations), "{operations}");
        // Nothing more runs until other limits are set.
        assert_eq!(session.execute("SELECT 1", &[]).unwrap_err().code, ErrorCode::Limit);
        assert_eq!(session.limit_reached().map(|reached| reached.limit), Some(Limit::SqlOperations));
        session.set_limits(None).unwrap();
        assert_eq!(session.limit_reached(), None);

        session.set_limits(Some(&within(Limit::SqlOperations, 5_000))).unwrap();
        let began = session.counters().operations;
        while session.execute("SELECT 1 + 1", &[]).is_ok() {}
        let used = session.counters().operations - began;
        assert!((5_001..5_020).contains(&used), "{used}");
    });
}

#[test]
fn time_that_is_over_between_two_statements_is_a_limit_that_was_met() {
    with_session(|session| {
        session.set_limits(Some(&within(Limit::Time, 1))).unwrap();
        session.set_deadline(Some(Instant::now()));
        let failed = session.execute_script("SELECT 1; SELECT 2").unwrap_err();
        assert_eq!((failed.start, failed.error.code), (0, ErrorCode::Limit));
        assert_eq!(session.limit_reached().map(|reached| reached.limit), Some(Limit::Time));
    });
}

#[test]
fn a_full_disk_is_not_a_full_budget() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("a.db")).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(disk::could_hold(&connection, 1));
    #[cfg(unix)]
    assert!(!disk::could_hold(&connection, u64::MAX));
}

#[test]
fn has_the_functions_that_scripts_for_other_builds_call() {
    let sql = "SELECT ceil(1.2) + floor(pow(2, 3.5)) + trunc(ln(exp(2.5))) + mod(7, 4) + sqrt(16) + log2(8) = 25 \
               AND median(column1) = 2 AND percentile(column1, 100) = 4 AND soundex('a') = 'A000' FROM (VALUES (1), (2), (4))";
    let right: bool = Connection::open_in_memory().unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(right);
}

#[test]
fn a_limit_that_is_met_by_what_is_only_looked_into_is_told_as_one() {
    with_session(|session| {
        session.execute("CREATE TABLE t (x)", &[]).unwrap();
        session.set_limits(Some(&within(Limit::ExpressionDepth, 5))).unwrap();
        let error = session.touched_by("UPDATE t SET x = 1 + 1 + 1 + 1 + 1 + 1 + 1").unwrap_err();
        assert_eq!(error.code, ErrorCode::Limit, "{error}");
        assert_eq!(session.limit_reached().map(|reached| reached.limit), Some(Limit::ExpressionDepth));
    });
}

#[test]
fn a_table_without_numbers_is_no_full_disk() {
    with_session(|session| {
        let setup = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE u (x);
                     INSERT INTO t VALUES (9223372036854775807, 1); DELETE FROM t;";
        session.execute_script(setup).unwrap();
        for limits in [None, Some(RunLimits::default())] {
            session.set_limits(limits.as_ref()).unwrap();
            let by_script = |session: &mut dyn Session, sql: &str| session.execute_script(sql).unwrap_err().error;
            let by_text = |session: &mut dyn Session, sql: &str| session.execute(sql, &[]).unwrap_err();
            let by_query = |session: &mut dyn Session, sql: &str| {
                let cursor = session.open_cursor(sql, &[]).unwrap();
                session.fetch(cursor, 9, 1000, &mut BatchBuilder::default()).unwrap_err()
            };
            let ways: [&dyn Fn(&mut dyn Session, &str) -> DbError; 3] = [&by_script, &by_text, &by_query];
            for way in ways {
                let error = way(session, "INSERT INTO \"T\" (x) VALUES (2) RETURNING x");
                assert!(error.message.starts_with("the table t has no numbers left for new rows"), "{error}");
                assert_eq!((error.code, error.native.as_str()), (ErrorCode::Database, "SQLITE_FULL"));
            }
            assert_eq!(session.limit_reached(), None);
        }
    });
}
