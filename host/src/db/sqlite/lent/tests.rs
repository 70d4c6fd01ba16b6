//! A lent connection comes back as it was.

use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::db::sqlite::tests::{options, within};
use crate::grants::{Grants, Restriction};
use crate::limits::Limit;

#[test]
fn puts_a_lent_connection_back_also_after_a_panic() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE mine (x)").unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        with_connection(&mut connection, &options(), |mut session| {
            session.begin().unwrap();
            session.execute("INSERT INTO mine VALUES (1)", &[]).unwrap();
            panic!("in the middle");
        })
    }));
    assert!(panicked.is_err());
    let rows: i64 = connection.query_row("SELECT count(*) FROM mine", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
    assert!(connection.is_autocommit());
}

#[test]
fn a_lent_connection_is_set_as_before_also_after_a_panic() {
    use rusqlite::config::DbConfig::{
        SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_ENABLE_QPSG, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
    };

    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON; CREATE TEMP TABLE mine (x)").unwrap();
    let settings = |connection: &Connection| -> (bool, bool, Vec<bool>, i64) {
        let pragma = |sql: &str| connection.query_row(sql, [], |row| row.get(0)).unwrap();
        let configs = [SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_ENABLE_QPSG, SQLITE_DBCONFIG_TRUSTED_SCHEMA];
        let configs = configs.into_iter().map(|config| connection.db_config(config).unwrap()).collect();
        let temporary = "SELECT count(*) FROM temp.sqlite_schema";
        let temporary = connection.query_row(temporary, [], |row| row.get(0)).unwrap();
        (pragma("PRAGMA foreign_keys"), pragma("PRAGMA recursive_triggers"), configs, temporary)
    };
    let before = settings(&connection);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        with_connection(&mut connection, &options(), |mut session| {
            session.connection_state().unwrap();
            session.set_foreign_keys(false).unwrap();
            let sql = "PRAGMA recursive_triggers = ON; CREATE TEMP TABLE theirs (x)";
            session.sqlite().unwrap().execute_batch(sql).unwrap();
            session.begin().unwrap();
            let grants = Some(Grants::default());
            session.restrict(Some(Arc::new(Restriction {
                protected: Vec::new(),
                grants,
                read_only: false,
                namespace: None,
            })));
            panic!("in the middle");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(settings(&connection), before);
}

#[test]
fn a_lent_connection_waits_afterwards_as_long_as_before() {
    for timeout in [0_u32, 1234] {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.busy_timeout(Duration::from_millis(timeout.into())).unwrap();
        with_connection(&mut connection, &options(), |mut session| session.begin()).unwrap().unwrap();
        let after: u32 = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0)).unwrap();
        assert_eq!(after, timeout);
    }
}

#[test]
fn refuses_a_lent_connection_in_a_transaction() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("BEGIN").unwrap();
    assert!(with_connection(&mut connection, &options(), |_| ()).is_err());
    assert!(!connection.is_autocommit());
}

#[test]
fn a_lent_connection_comes_back_with_its_own_limits() {
    let mut connection = Connection::open_in_memory().unwrap();
    let read = |connection: &Connection| {
        let pages: i64 = connection.query_row("PRAGMA max_page_count", [], |row| row.get(0)).unwrap();
        (connection.limit(rusqlite::limits::Limit::SQLITE_LIMIT_EXPR_DEPTH).unwrap(), pages)
    };
    let before = read(&connection);
    with_connection(&mut connection, &options(), |mut session| {
        session.set_limits(Some(&within(Limit::ExpressionDepth, 10))).unwrap();
        session.set_limits(Some(&within(Limit::DatabaseGrowth, 1 << 20))).unwrap();
        assert_ne!(read(session.sqlite().unwrap()), before);
    })
    .unwrap();
    assert_eq!(read(&connection), before);
}
