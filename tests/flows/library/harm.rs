//! What a program could do to a run, and a run to what a program has.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use whimbrel::Migrator;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer};
use whimbrel::plan::{Goal, Until};
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

#[test]
fn code_whose_transaction_sqlite_has_ended_writes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let first = Memory::new("m").file("1_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1);");
    let code = Code::new().up(2, "b", |tx| {
        let connection = tx.sqlite().ok_or("no connection")?;
        let mut insert = connection.prepare("INSERT INTO a VALUES (?)")?;
        connection.execute_batch("CREATE TABLE u (x UNIQUE); INSERT INTO u VALUES (1)")?;
        assert!(connection.execute("INSERT OR ROLLBACK INTO u VALUES (1)", []).is_err());
        // What goes on over mistakes goes on here: by a statement that was prepared before, and by new ones.
        assert!(insert.execute([99]).is_err());
        assert!(connection.execute("DELETE FROM a", []).is_err());
        assert!(connection.execute_batch("CREATE TABLE more (x)").is_err());
        Ok(())
    });
    let migrator = Migrator::builder().source(Combined::new().with(first).with(code)).database(Sqlite::file(&path));
    let migrator = migrator.build().unwrap();
    migrator.up(Until::Steps(1)).unwrap();
    for result in [migrator.dry_run(&Goal::LATEST).map(drop), migrator.up(Until::End).map(drop)] {
        assert!(told(&result.unwrap_err()).contains("ended the transaction"));
        let connection = Connection::open(&path).unwrap();
        assert_eq!(count(&connection, "SELECT sum(x) FROM a"), 1);
        assert_eq!(count(&connection, "SELECT count(*) FROM sqlite_schema WHERE name IN ('u', 'more')"), 0);
    }
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
