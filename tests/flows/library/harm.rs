//! What a program could do to a run, and a run to what a program has.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use whimbrel::Migrator;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer};
use whimbrel::plan::{Goal, State, Until};
use whimbrel::source::{Code, Combined, Memory};

use super::{cache, count, told};

#[test]
fn an_observer_that_panics_in_a_guest_leaves_nothing_of_the_step_on_a_lent_connection() {
    struct Panics;
    impl Observer for Panics {
        fn event(&self, event: &Event<'_>) {
            if let Event::Log { .. } = event {
                panic!("on purpose");
            }
        }
    }
    let script = "export function up(db) { db.execute('INSERT INTO a VALUES (1)'); console.log('here'); }";
    let files = Memory::new("m").file("1_a.sql", "CREATE TABLE a (x);").file("2_b.js", script);
    let migrator = Migrator::builder().source(files).component_cache(cache()).observer(Panics).build().unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        migrator.run_on(&mut connection, &Goal::LATEST).map(drop)
    }));
    assert!(panics.is_err());
    assert!(connection.is_autocommit());
    assert_eq!(count(&connection, "SELECT count(*) FROM a"), 0);
    // Nothing of the guest's rules is left.
    connection.execute_batch("SELECT random(), datetime('now'); BEGIN; DELETE FROM a; COMMIT").unwrap();
}

/// A chain whose second migration goes on after SQLite has ended its transaction, and does not tell.
fn goes_on(then: fn(&Connection)) -> Combined {
    let first = Memory::new("m").file("1_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1);");
    let code = Code::new().up(2, "b", move |tx| {
        let connection = tx.sqlite().ok_or("no connection")?;
        let mut insert = connection.prepare("INSERT INTO a VALUES (?)")?;
        connection.execute_batch("CREATE TABLE u (x UNIQUE); INSERT INTO u VALUES (1)")?;
        assert!(connection.execute("INSERT OR ROLLBACK INTO u VALUES (1)", []).is_err());
        then(connection);
        // By a statement that was prepared before, too.
        let _ = insert.execute([99]);
        Ok(())
    });
    Combined::new().with(first).with(code)
}

fn writes_on_its_own(connection: &Connection) {
    assert!(connection.execute("DELETE FROM a", []).is_err());
    assert!(connection.execute_batch("CREATE TABLE more (x)").is_err());
}

fn opens_a_savepoint(connection: &Connection) {
    connection.execute_batch("SAVEPOINT again; DELETE FROM a; CREATE TABLE more (x)").unwrap();
}

fn releases_a_savepoint(connection: &Connection) {
    let released = connection.execute_batch("SAVEPOINT again; DELETE FROM a; CREATE TABLE more (x); RELEASE again");
    assert!(released.is_err());
}

#[test]
fn code_whose_transaction_sqlite_has_ended_writes_nothing_more() {
    let left = |connection: &Connection| {
        assert!(connection.is_autocommit());
        assert_eq!(count(connection, "SELECT sum(x) FROM a"), 1);
        assert_eq!(count(connection, "SELECT count(*) FROM sqlite_schema WHERE name IN ('u', 'more')"), 0);
    };
    for then in [writes_on_its_own, opens_a_savepoint, releases_a_savepoint] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let migrator = Migrator::builder().source(goes_on(then)).database(Sqlite::file(&path)).build().unwrap();
        migrator.up(Until::Steps(1)).unwrap();
        for result in [migrator.dry_run(&Goal::LATEST).map(drop), migrator.up(Until::End).map(drop)] {
            assert!(told(&result.unwrap_err()).contains("ended the transaction"));
            left(&Connection::open(&path).unwrap());
        }
        let mut lent = Connection::open_in_memory().unwrap();
        let migrator = Migrator::builder().source(goes_on(then)).build().unwrap();
        let error = migrator.run_on(&mut lent, &Goal::LATEST).unwrap_err();
        assert!(told(&error).contains("ended the transaction"));
        left(&lent);
        // The next code may commit, and whoever has the connection again.
        lent.execute_batch("BEGIN; INSERT INTO a VALUES (2); COMMIT").unwrap();
        let code = Code::new().up(2, "b", |tx| Ok(tx.execute("CREATE TABLE b (x)", &[]).map(drop)?));
        let first = Memory::new("m").file("1_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1);");
        let migrator = Migrator::builder().source(Combined::new().with(first).with(code)).build().unwrap();
        assert_eq!(migrator.run_on(&mut lent, &Goal::LATEST).unwrap().steps.len(), 1);
        assert_eq!(count(&lent, "SELECT count(*) FROM a, b"), 0);
        assert_eq!(count(&lent, "SELECT count(*) FROM a"), 2);
    }
}

#[test]
fn a_file_whose_name_looks_like_a_uri_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    // Relative, since only then it begins so.
    let name = format!("file:{}?mode=memory", folder.path().file_name().unwrap().to_str().unwrap());
    let path = std::path::Path::new(&name);
    let migrator = Migrator::builder().source(Memory::new("m").file("1_a.sql", "CREATE TABLE a (x);"));
    let migrator = migrator.database(Sqlite::file(path)).build().unwrap();
    let report = migrator.up(Until::End);
    let (is_there, applied) = (path.exists(), migrator.status().map(|status| status.entries[0].state));
    std::fs::remove_file(path).unwrap();
    assert_eq!((report.unwrap().steps.len(), is_there), (1, true));
    assert!(matches!(applied, Ok(State::Applied)), "{applied:?}");
}

#[test]
fn who_asks_on_a_lent_connection_is_not_asked_about_the_run() {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE user (id, secret); INSERT INTO user VALUES (1, 'kept')").unwrap();
    let ignore = |context: AuthContext<'_>| match context.action {
        AuthAction::Read { column_name: "secret", .. } => Authorization::Ignore,
        _ => Authorization::Allow,
    };
    connection.authorizer(Some(ignore)).unwrap();
    let heard = Arc::new(Mutex::new(0));
    let rows = Arc::clone(&heard);
    connection.update_hook(Some(move |_, _: &str, _: &str, _| *rows.lock().unwrap() += 1)).unwrap();
    let files = Memory::new("m").file("1_move.sql", "CREATE TABLE moved AS SELECT * FROM user; DROP TABLE user;");
    let migrator = Migrator::builder().source(files).build().unwrap();
    migrator.run_on(&mut connection, &Goal::LATEST).unwrap();
    assert_eq!(count(&connection, "SELECT count(*) FROM moved WHERE secret = 'kept'"), 1);
    assert_eq!(*heard.lock().unwrap(), 0);
}
