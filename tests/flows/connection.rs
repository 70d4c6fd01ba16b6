//! What a step changes of its connection ends with it.

use rusqlite::Connection;
use whimbrel::Migrator;
use whimbrel::db::Transaction;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::model::{Hook, HookContext, Moment, RustError};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::{Code, Memory};

/// What a script may do to its connection, and whether only outside a transaction.
const CHANGES: [(&str, bool); 24] = [
    ("CREATE TEMP TABLE a (x)", false),
    ("CREATE TABLE temp.scratch AS SELECT 1; CREATE INDEX temp.i ON scratch (\"1\")", false),
    (
        "CREATE TEMP TABLE p (x PRIMARY KEY); CREATE TEMP TABLE c (x REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)",
        false,
    ),
    ("CREATE TEMP TRIGGER g AFTER INSERT ON a BEGIN DELETE FROM a; END", false),
    ("CREATE TEMP VIEW a AS SELECT 1 AS x", false),
    ("CREATE VIRTUAL TABLE temp.words USING fts5(word)", false),
    ("CREATE INDEX temp.mine_x ON mine (x)", false),
    ("PRAGMA legacy_alter_table = ON", false),
    ("PRAGMA ignore_check_constraints = ON", false),
    ("PRAGMA recursive_triggers = ON", false),
    ("PRAGMA case_sensitive_like = ON", false),
    ("PRAGMA reverse_unordered_selects = ON", false),
    ("PRAGMA defer_foreign_keys = ON", false),
    ("PRAGMA cell_size_check = ON", false),
    ("PRAGMA writable_schema = ON", false),
    ("PRAGMA secure_delete = FAST", false),
    ("PRAGMA cache_size = 77; PRAGMA cache_spill = 99", false),
    ("PRAGMA max_page_count = 1000; PRAGMA locking_mode = EXCLUSIVE", false),
    ("ATTACH ':memory:' AS other", true),
    ("ATTACH ':memory:' AS other; CREATE TABLE other.t (x); INSERT INTO other.t VALUES (1)", false),
    ("PRAGMA query_only = ON", false),
    ("PRAGMA synchronous = OFF; PRAGMA journal_mode = TRUNCATE", true),
    ("PRAGMA journal_mode = OFF", true),
    ("PRAGMA busy_timeout = 1", false),
];

fn all(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..columns).map(|column| row.get_ref(column).map(|cell| format!("{cell:?}")));
        Ok(cells.collect::<Result<Vec<_>, _>>()?.join(" "))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// What can be seen of a connection.
fn seen(connection: &Connection) -> Vec<String> {
    let settings = "legacy_alter_table ignore_check_constraints recursive_triggers reverse_unordered_selects defer_foreign_keys \
                    cell_size_check writable_schema secure_delete cache_size cache_spill max_page_count locking_mode query_only \
                    synchronous journal_mode busy_timeout foreign_keys temp_store";
    let mut seen: Vec<String> = settings
        .split_whitespace()
        .map(|name| format!("{name} {:?}", all(connection, &format!("PRAGMA {name}"))))
        .collect();
    for sql in [
        "SELECT type, name FROM temp.sqlite_schema",
        "SELECT name FROM pragma_database_list",
        "SELECT 'a' LIKE 'A'",
        "SELECT * FROM mine",
    ] {
        seen.extend(all(connection, sql));
    }
    seen
}

fn caller(path: &std::path::Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = ON; CREATE TEMP TABLE mine (x); INSERT INTO mine VALUES (7);")
        .unwrap();
    connection
}

#[test]
fn a_lent_connection_comes_back_as_it_was_set() {
    let folder = tempfile::tempdir().unwrap();
    for (index, (change, outside)) in CHANGES.iter().enumerate() {
        let head = if *outside { "-- whimbrel: transaction = none\n" } else { "" };
        for fails in ["", "; SELECT nothing"] {
            let mut connection = caller(&folder.path().join(format!("{index}{}.db", fails.len())));
            let before = seen(&connection);
            let source = Memory::new("memory")
                .file("1_a.sql", "CREATE TABLE a (x)")
                .file("2_change.sql", format!("{head}{change}{fails}"))
                .file("3_row.sql", "INSERT INTO a VALUES (1)");
            let migrator = Migrator::builder().source(source).build().unwrap();
            let ran = migrator.run_on(&mut connection, &Goal::LATEST);
            assert_eq!(ran.is_ok(), fails.is_empty(), "{change}: {ran:?}");
            assert_eq!(seen(&connection), before, "{change}{fails}");
            let rows: i64 = connection.query_row("SELECT count(*) FROM main.a", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, i64::from(fails.is_empty()), "{change}");
        }
    }
}

#[test]
fn one_run_makes_what_two_runs_make() {
    let folder = tempfile::tempdir().unwrap();
    for (index, (change, outside)) in CHANGES.iter().enumerate().filter(|(_, (change, _))| !change.contains("mine")) {
        let head = if *outside { "-- whimbrel: transaction = none\n" } else { "" };
        let source = Memory::new("memory")
            .file("1_a.sql", "CREATE TABLE a (x CHECK (x < 9))")
            .file("2_change.sql", format!("{head}{change}"))
            .file("3_again.sql", format!("{head}{change}"))
            .file("4_row.sql", "INSERT INTO a VALUES (1)");
        let database = |name: &str| folder.path().join(format!("{index}{name}.db"));
        let migrator = |name: &str| {
            let builder = Migrator::builder().source(source.clone()).database(Sqlite::file(database(name)));
            builder.build().unwrap()
        };
        migrator("one").run(&Goal::LATEST).unwrap_or_else(|error| panic!("{change}: {error:?}"));
        for version in 1..=4 {
            migrator("many").up(Until::Version(version.into())).unwrap();
        }
        let made = |name: &str| {
            let connection = Connection::open(database(name)).unwrap();
            (all(&connection, "SELECT name, sql FROM sqlite_schema"), all(&connection, "SELECT * FROM a"))
        };
        assert_eq!(made("one"), made("many"), "{change}");
        if !outside {
            migrator("trial").dry_run(&Goal::LATEST).map(drop).unwrap_or_else(|error| {
                // What is attached stays so as long as the transaction.
                assert!(change.contains("ATTACH"), "{change}: {error:?}");
            });
        }
    }
}

#[test]
fn what_a_hook_sets_holds_for_its_step_or_its_run_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = caller(&folder.path().join("app.db"));
    let before = seen(&connection);
    let set = |sql: &'static str| {
        move |transaction: &mut Transaction<'_>, _: &HookContext<'_>| -> Result<(), RustError> {
            Ok(transaction.execute(sql, &[]).map(drop)?)
        }
    };
    let code = Code::new().up(1, "scratch", |transaction: &mut Transaction<'_>| {
        transaction.execute("CREATE TABLE t (x INTEGER CHECK (x < 9))", &[])?;
        transaction.execute("INSERT INTO t VALUES (10)", &[])?;
        transaction.execute("INSERT INTO heard SELECT count(*) FROM t", &[])?;
        Ok(transaction.execute("PRAGMA recursive_triggers = ON", &[]).map(drop)?)
    });
    let migrator = Migrator::builder()
        .source(code)
        .hook(Hook::code(Moment::BeforeAll, "heard", set("CREATE TEMP TABLE heard (x)")))
        .hook(Hook::code(Moment::BeforeEach, "loose", set("PRAGMA ignore_check_constraints = ON")))
        .hook(Hook::code(Moment::AfterAll, "kept", set("CREATE TABLE heard_for_good AS SELECT * FROM heard")))
        .build()
        .unwrap();
    migrator.run_on(&mut connection, &Goal::LATEST).unwrap();
    assert_eq!(seen(&connection), before);
    assert_eq!(all(&connection, "SELECT * FROM heard_for_good"), ["Integer(1)"]);
}

#[test]
fn a_dry_run_that_does_not_begin_leaves_foreign_keys_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let mut connection = caller(&path);
    let before = seen(&connection);
    let source = Memory::new("memory").file("1_a.sql", "-- whimbrel: rebuild\nCREATE TABLE a (x);");
    let migrator = Migrator::builder().source(source).lock_timeout(std::time::Duration::ZERO).build().unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    migrator.on(&mut connection, |migrator| migrator.dry_run(&Goal::LATEST)).unwrap_err();
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(seen(&connection), before);
    let enforced: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).unwrap();
    assert!(enforced && connection.is_autocommit());
}
