//! Hooks in code of a program that brings its own database up to date.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use whimbrel::db::{Transaction, Value};
use whimbrel::model::{Hook, HookContext, Moment, RustError};
use whimbrel::plan::{Direction, Goal};
use whimbrel::source::Embedded;
use whimbrel::{Error, Migrator};

const FILES: Embedded = Embedded::new(
    "files",
    &[
        ("0001_note.up.sql", b"CREATE TABLE note (text TEXT NOT NULL);"),
        ("0001_note.down.sql", b"DROP TABLE note;"),
        ("0002_bad.sql", b"INSERT INTO note VALUES (NULL);"),
    ],
);

/// What hooks were told, one line a call.
type Told = Arc<Mutex<Vec<String>>>;

fn telling(
    told: &Told,
) -> impl Fn(&mut Transaction<'_>, &HookContext<'_>) -> Result<(), RustError> + Send + Sync + use<> {
    let told = Arc::clone(told);
    move |_, about| {
        let step = about.step.map(|(chain, migration)| format!(" {chain}:{}", migration.title())).unwrap_or_default();
        let way = about.direction.map(|direction| format!(" {direction}")).unwrap_or_default();
        let error = about.error.map(|error| format!(" because {error}")).unwrap_or_default();
        let dry = if about.dry_run { " dry" } else { "" };
        told.lock().unwrap().push(format!("{}{step}{way}{error}{dry}", about.moment));
        Ok(())
    }
}

#[test]
fn code_is_told_what_it_is_about() {
    let told = Told::default();
    let all = Moment::ALL.into_iter();
    let builder = all.fold(Migrator::builder().source(FILES), |builder, moment| {
        builder.hook(Hook::code(moment, "tell", telling(&told)))
    });
    let migrator = builder.build().unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    let error = migrator.run_on(&mut connection, &Goal::LATEST).unwrap_err();
    assert!(matches!(&error, Error::Run(error) if error.failed.title() == "2 bad"), "{error}");
    let heard = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!(
        heard,
        [
            "before_all",
            "before_each main:1 note up",
            "after_each main:1 note up",
            "before_each main:2 bad up",
            "on_error main:2 bad up because a statement failed at files/0002_bad.sql:1",
        ]
    );
    migrator.run_on(&mut connection, &Goal::UNDO_LAST).unwrap();
    let heard = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!(heard, ["before_all", "before_each main:1 note down", "after_each main:1 note down", "after_all"]);
}

#[test]
fn code_works_in_the_transaction_of_the_step() {
    let count = |transaction: &mut Transaction<'_>, _: &HookContext<'_>| -> Result<(), RustError> {
        transaction.execute("INSERT INTO note VALUES (?)", &[Value::Text("from the hook".to_owned())])?;
        Ok(())
    };
    let refuse = |_: &mut Transaction<'_>, _: &HookContext<'_>| -> Result<(), RustError> { Err("not today".into()) };
    let mut connection = Connection::open_in_memory().unwrap();
    let hooks = |last: Hook| {
        let first = Hook::code(Moment::AfterEach, "count", count).on(Direction::Up);
        let steps = whimbrel::plan::Until::Steps(1);
        (Migrator::builder().source(FILES).hook(first).hook(last).build().unwrap(), Goal::Up(steps))
    };
    let (migrator, goal) = hooks(Hook::code(Moment::AfterEach, "refuse", refuse));
    let error = migrator.run_on(&mut connection, &goal).unwrap_err();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        words.push_str(&format!("; {error}"));
        cause = error.source();
    }
    assert!(words.ends_with("the after_each hook refuse failed; the migration failed; not today"), "{words}");
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'note'";
    assert_eq!(connection.query_row(tables, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let (migrator, goal) = hooks(Hook::sql(Moment::AfterEach, "again", "INSERT INTO note SELECT text FROM note"));
    migrator.run_on(&mut connection, &goal).unwrap();
    assert_eq!(connection.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0)).unwrap(), 2);
}
