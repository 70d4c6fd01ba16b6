//! What a program could do to a run, and a run to what a program has.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use whimbrel::Migrator;
use whimbrel::db::Transaction;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer};
use whimbrel::model::{Hook, HookContext, Moment};
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

#[test]
fn connections_that_share_a_cache_wait_for_each_other() {
    let open = || Connection::open("file:shares_a_cache?mode=memory&cache=shared").unwrap();
    // What is in memory stays as long as somebody has it open.
    let kept = open();
    let script = |version: i32| format!("CREATE TABLE t{version} (x); INSERT INTO t{version} VALUES ({version});");
    let files =
        (1..=5).fold(Memory::new("m"), |files, version| files.file(format!("{version}_t.sql"), script(version)));
    let migrator = Migrator::builder().source(files).build().unwrap();
    let threads = [(); 4].map(|()| {
        let (migrator, mut connection) = (migrator.clone(), open());
        std::thread::spawn(move || migrator.run_on(&mut connection, &Goal::LATEST).unwrap().done().count())
    });
    assert_eq!(threads.map(|thread| thread.join().unwrap()).iter().sum::<usize>(), 5);
    assert_eq!(count(&kept, "SELECT count(*) FROM _whimbrel_history"), 5);
    assert_eq!(count(&kept, "SELECT count(*) FROM sqlite_schema WHERE name GLOB 't[0-9]'"), 5);
}

/// Something a hook does that it should not.
type Harm = fn(&mut Transaction<'_>);

fn panics(_: &mut Transaction<'_>) {
    panic!("on purpose");
}

fn commits(tx: &mut Transaction<'_>) {
    tx.sqlite().unwrap().execute_batch("INSERT INTO hooked VALUES (1); COMMIT; BEGIN").unwrap_err();
}

fn ends(tx: &mut Transaction<'_>) {
    let connection = tx.sqlite().unwrap();
    connection.execute_batch("CREATE TABLE u (x UNIQUE); INSERT INTO u VALUES (1)").unwrap();
    connection.execute("INSERT OR ROLLBACK INTO u VALUES (1)", []).unwrap_err();
}

fn ends_and_goes_on(tx: &mut Transaction<'_>) {
    ends(tx);
    let connection = tx.sqlite().unwrap();
    connection.execute("INSERT INTO hooked VALUES (1)", []).unwrap_err();
    connection.execute_batch("CREATE TABLE more (x)").unwrap_err();
}

/// Has a hook do harm, when it is about the second migration if it is about one, and returns how many of the two stay applied.
fn harmed(connection: &mut Connection, moment: Moment, single: bool, harm: Harm, own: bool) -> i64 {
    connection.execute_batch("CREATE TABLE hooked (x)").unwrap();
    let files = Memory::new("m").file("1_a.sql", "CREATE TABLE a (x);").file("2_b.sql", "INSERT INTO a VALUES (1);");
    let hook = Hook::code(moment, "harms", move |tx: &mut Transaction<'_>, context: &HookContext<'_>| {
        if context.step.is_none_or(|(_, migration)| migration.version == 2.into()) {
            harm(tx);
        }
        Ok(())
    });
    let migrator = Migrator::builder().source(files).hook(hook).single_transaction(single);
    let ended = match own {
        true => {
            let migrator = migrator.database(Sqlite::file(connection.path().unwrap())).build().unwrap();
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| migrator.up(Until::End).map(drop)))
        }
        false => {
            let migrator = migrator.build().unwrap();
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                migrator.run_on(connection, &Goal::LATEST).map(drop)
            }))
        }
    };
    assert!(!matches!(ended, Ok(Ok(()))), "it fails");
    // Nothing is open, nobody asks, and nothing of the hook is there.
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT; DELETE FROM hooked WHERE x = 7").unwrap();
    assert_eq!(count(connection, "SELECT count(*) FROM hooked"), 0);
    assert_eq!(count(connection, "SELECT count(*) FROM sqlite_schema WHERE name IN ('u', 'more')"), 0);
    let is_there = count(connection, "SELECT count(*) FROM sqlite_schema WHERE name = '_whimbrel_history'") == 1;
    let applied = if is_there { count(connection, "SELECT count(*) FROM _whimbrel_history") } else { 0 };
    let tables = count(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'a'");
    let rows = if tables == 1 { count(connection, "SELECT count(*) FROM a") } else { 0 };
    assert_eq!((tables, rows), (applied.min(1), (applied - 1).max(0)), "what is applied and what is there");
    applied
}

#[test]
fn a_hook_that_ends_its_transaction_or_panics_is_undone_with_all_that_this_one_held() {
    // How many migrations stay, where each has a transaction of its own.
    let moments = [(Moment::BeforeAll, 0), (Moment::BeforeEach, 1), (Moment::AfterEach, 1), (Moment::AfterAll, 2)];
    let harms: [Harm; 4] = [panics, commits, ends, ends_and_goes_on];
    for (moment, stay) in moments {
        for (number, harm) in harms.into_iter().enumerate() {
            for single in [false, true] {
                let expected = if single { 0 } else { stay };
                let folder = tempfile::tempdir().unwrap();
                let mut file = Connection::open(folder.path().join("app.db")).unwrap();
                let applied = harmed(&mut file, moment, single, harm, true);
                assert_eq!(applied, expected, "harm {number} {moment:?}, single: {single}");
                // On the caller's own connection single statements are the caller's after it.
                if number < 3 {
                    let mut lent = Connection::open_in_memory().unwrap();
                    let applied = harmed(&mut lent, moment, single, harm, false);
                    assert_eq!(applied, expected, "harm {number} {moment:?}, single: {single}, lent");
                }
            }
        }
    }
}

#[test]
fn one_transaction_that_sqlite_has_ended_leaves_nothing_of_any_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let first = Memory::new("m").file("1_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1);");
    let code = Code::new().up(2, "b", |tx| {
        ends(tx);
        assert!(tx.execute("INSERT INTO a VALUES (99)", &[]).is_err());
        Ok(())
    });
    let code = code.up(3, "c", |tx| Ok(tx.execute("CREATE TABLE c (x)", &[]).map(drop)?));
    let source = Combined::new().with(first).with(code);
    let migrator = Migrator::builder().source(source).database(Sqlite::file(&path)).single_transaction(true);
    let migrator = migrator.build().unwrap();
    for result in [migrator.dry_run(&Goal::LATEST), migrator.up(Until::End)] {
        assert!(told(&result.unwrap_err()).contains("ended the transaction"));
        let schema = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%whimbrel%' AND name NOT LIKE 'sqlite%'";
        assert_eq!(count(&Connection::open(&path).unwrap(), schema), 0);
        assert!(migrator.applied().unwrap().is_empty());
    }
}
