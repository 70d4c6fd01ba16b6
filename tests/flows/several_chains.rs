//! Several chains in one database, run by one migrator; baselines, repeatable migrations, redo, single transactions.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::Loss;
use whimbrel::model::{AppliedState, Policy, Version};
use whimbrel::plan::{Goal, PlanProblem, Rules, State, Until};
use whimbrel::source::{Code, Directory, Embedded};
use whimbrel::{Error, Migrator, Startup};

const APP: &[(&str, &[u8])] = &[
    ("0001_customer.up.sql", b"CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, phone TEXT);"),
    ("0001_customer.down.sql", b"DROP TABLE customer;"),
    ("0002_invoice_count.up.sql", b"ALTER TABLE customer ADD COLUMN invoices INTEGER;"),
    ("0002_invoice_count.down.sql", b"ALTER TABLE customer DROP COLUMN invoices;"),
];

const BILLING: &[(&str, &[u8])] = &[
    ("0001_invoice.up.sql", b"CREATE TABLE invoice (id INTEGER PRIMARY KEY, total INTEGER);"),
    ("0001_invoice.down.sql", b"DROP TABLE invoice;"),
];

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn builder(&self) -> whimbrel::MigratorBuilder {
        Migrator::builder()
            .source(Directory::new(self.folder.path().join("migrations")))
            .database(Sqlite::file(self.folder.path().join("app.db")))
    }

    fn migrator(&self) -> Migrator {
        self.builder().build().unwrap()
    }

    fn both(&self) -> whimbrel::MigratorBuilder {
        Migrator::builder()
            .source(Embedded::new("app", APP))
            .chain("app")
            .and_chain("billing", Embedded::new("billing", BILLING), Policy::default())
            .database(Sqlite::file(self.folder.path().join("app.db")))
    }

    fn connection(&self) -> Connection {
        Connection::open(self.folder.path().join("app.db")).unwrap()
    }

    fn number(&self, sql: &str) -> i64 {
        self.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn titles(report: &whimbrel::exec::Report) -> Vec<String> {
    report.steps.iter().map(|step| format!("{} {}", step.step.direction, step.step.title())).collect()
}

#[test]
fn every_chain_has_its_own_versions_and_can_be_run_alone() {
    let stage = Stage::new();
    let billing = stage.both().only(["billing"]).build().unwrap();
    assert_eq!(titles(&billing.up(Until::End).unwrap()), ["up billing:1 invoice"]);
    let both = stage.both().build().unwrap();
    assert_eq!(both.pending().unwrap().len(), 2);
    assert_eq!(titles(&both.up(Until::End).unwrap()), ["up app:1 customer", "up app:2 invoice_count"]);
    assert!(both.up(Until::End).unwrap().steps.is_empty());
    assert_eq!(both.status().unwrap().entries.len(), 3);
    assert_eq!(billing.status().unwrap().entries.len(), 1);
    assert_eq!(billing.applied().unwrap().len(), 1);
    // What was applied last goes first, across chains.
    let down = both.down(Until::End).unwrap();
    assert_eq!(titles(&down), ["down app:2 invoice_count", "down app:1 customer", "down billing:1 invoice"]);
    assert_eq!(both.history().unwrap().iter().filter(|row| row.state == AppliedState::Reverted).count(), 3);
    let unknown = stage.both().only(["shop"]).build().unwrap_err();
    assert_eq!(unknown.to_string(), "there is no chain shop");
}

#[test]
fn can_be_asked_without_running_anything() {
    let stage = Stage::new();
    let migrator = stage.both().only(["app"]).build().unwrap();
    assert!(!migrator.is_applied(Version::from(1)).unwrap());
    assert!(!stage.folder.path().join("app.db").exists());
    migrator.up(Until::Steps(1)).unwrap();
    assert!(migrator.is_applied(Version::from(1)).unwrap());
    assert!(!migrator.is_applied(Version::from(2)).unwrap());
    let pending: Vec<String> = migrator.pending().unwrap().iter().map(whimbrel::plan::Entry::title).collect();
    assert_eq!(pending, ["2 invoice_count"]);
    assert_eq!(migrator.history().unwrap().len(), 1);
    assert!(migrator.validate().unwrap().is_empty());
    let change = "UPDATE _whimbrel_history SET checksum = replace(checksum, 'a', 'b'), normalised_checksum = NULL";
    stage.connection().execute(change, []).unwrap();
    assert!(matches!(migrator.validate(), Err(Error::Plan(_))));
}

#[test]
fn redo_takes_the_last_ones_back_and_applies_them_again() {
    let stage = Stage::new();
    let migrator = stage.both().build().unwrap();
    migrator.up(Until::End).unwrap();
    stage.connection().execute("INSERT INTO invoice (total) VALUES (7)", []).unwrap();
    let redone = migrator.redo(1).unwrap();
    assert_eq!(titles(&redone), ["down billing:1 invoice", "up billing:1 invoice"]);
    assert_eq!(stage.number("SELECT count(*) FROM invoice"), 0);
    assert!(migrator.pending().unwrap().is_empty());
}

#[test]
fn redo_brings_back_what_repeatable_ones_had_made() {
    let stage = Stage::new();
    let trigger = |name: &str, on: &str| {
        format!("DROP TRIGGER IF EXISTS {name}; CREATE TRIGGER {name} AFTER {on} ON note BEGIN SELECT 1; END;")
    };
    stage.write("other/1_other.sql", "CREATE TABLE other (x);");
    stage.write("other/R__a_view.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT x FROM other;");
    stage.write("other/R__b_needs.sql", &format!("-- whimbrel: depends_on = app:1\n{}", trigger("d", "DELETE")));
    stage.write("app/1_note.up.sql", "CREATE TABLE note (x);");
    stage.write("app/1_note.down.sql", "DROP TABLE note;");
    stage.write("app/R__insert.sql", &trigger("i", "INSERT"));
    let folder = |name: &str| Directory::new(stage.folder.path().join(name));
    let builder = || {
        let builder = Migrator::builder().source(folder("other")).chain("other");
        let database = Sqlite::file(stage.folder.path().join("app.db"));
        builder.and_chain("app", folder("app"), Policy::default()).database(database)
    };
    let migrator = builder().build().unwrap();
    migrator.up(Until::End).unwrap();
    let steps = ["down app:1 note", "up app:1 note", "up other:b_needs", "up app:insert"];
    assert_eq!(titles(&migrator.dry_run(&Goal::Redo(1)).unwrap()), steps);
    for migrator in [migrator, builder().single_transaction(true).build().unwrap()] {
        assert_eq!(titles(&migrator.redo(1).unwrap()), steps);
        assert_eq!(stage.number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"), 2);
        assert!(migrator.pending().unwrap().is_empty());
        assert_eq!(migrator.applied().unwrap().len(), 5);
    }
}

#[test]
fn a_dry_run_tells_what_would_be_lost_and_loses_nothing() {
    let stage = Stage::new();
    let migrator = stage.both().build().unwrap();
    migrator.up(Until::End).unwrap();
    stage
        .connection()
        .execute_batch(
            "INSERT INTO customer (name, invoices) VALUES ('a', 1), ('b', NULL); INSERT INTO invoice (total) VALUES (7);",
        )
        .unwrap();
    let loss = |table: &str, column: Option<&str>, rows| Loss {
        table: table.into(),
        column: column.map(str::to_owned),
        rows: Some(rows),
    };
    let losses = |until| migrator.dry_run(&Goal::Down(until)).unwrap().losses;
    assert_eq!(losses(Until::Steps(1)), [loss("invoice", None, 1)]);
    assert_eq!(losses(Until::Steps(2)), [loss("customer", Some("invoices"), 1), loss("invoice", None, 1)]);
    assert_eq!(losses(Until::End), [loss("customer", None, 2), loss("invoice", None, 1)]);
    assert_eq!(stage.number("SELECT count(*) FROM customer"), 2);
}

#[test]
fn a_single_transaction_leaves_everything_or_nothing() {
    let stage = Stage::new();
    stage.write("migrations/0001_a.sql", "CREATE TABLE a (x);");
    stage.write("migrations/0002_b.sql", "CREATE TABLE b (x);\nINSERT INTO nowhere VALUES (1);");
    let single = stage.builder().single_transaction(true).build().unwrap();
    let Err(Error::Run(error)) = single.up(Until::End) else { panic!("it fails") };
    assert_eq!((error.failed.title().as_str(), error.done.steps.len()), ("2 b", 0));
    assert_eq!(stage.number("SELECT count(*) FROM sqlite_schema"), 0);
    stage.write("migrations/0002_b.sql", "CREATE TABLE b (x);");
    assert_eq!(single.up(Until::End).unwrap().steps.len(), 2);
    stage.write("migrations/0003_c.sql", "-- whimbrel: transaction = none\nVACUUM;");
    let refused = single.up(Until::End).unwrap_err().to_string();
    assert!(refused.contains("3 c runs outside a transaction"), "{refused}");
}

#[test]
fn repeatable_ones_run_again_when_they_change() {
    let stage = Stage::new();
    stage.write("migrations/0001_note.sql", "CREATE TABLE note (text TEXT);");
    let view = |sql: &str| stage.write("migrations/R__shown.sql", &format!("DROP VIEW IF EXISTS shown;\n{sql}"));
    view("CREATE VIEW shown AS SELECT text FROM note;");
    let migrator = stage.migrator();
    assert_eq!(titles(&migrator.up(Until::End).unwrap()), ["up 1 note", "up shown"]);
    assert!(migrator.up(Until::End).unwrap().steps.is_empty());
    view("-- in capitals\nCREATE VIEW shown AS SELECT upper(text) AS text FROM note;");
    let state = migrator.status().unwrap().entries.last().unwrap().state;
    assert_eq!(state, State::Outdated);
    assert_eq!(titles(&migrator.up(Until::End).unwrap()), ["up shown"]);
    assert!(migrator.up(Until::End).unwrap().steps.is_empty());
    let rows = migrator.history().unwrap();
    let states: Vec<AppliedState> = rows.iter().filter(|row| row.repeatable).map(|row| row.state).collect();
    assert_eq!(states, [AppliedState::Replaced, AppliedState::Applied]);
    assert_eq!(stage.number("SELECT count(*) FROM _whimbrel_history WHERE version IS NULL AND ended_at IS NULL"), 1);
}

#[test]
fn a_squash_brings_what_the_migrations_brought() {
    let old = Stage::new();
    old.write("migrations/0001_note.sql", "CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT);");
    old.write(
        "migrations/0002_more.sql",
        "ALTER TABLE note ADD COLUMN at TEXT;\nCREATE INDEX note_at ON note (at);\n\
         CREATE TABLE log (text TEXT);\nCREATE VIEW recent AS SELECT * FROM note;\n\
         CREATE TRIGGER logs AFTER INSERT ON note BEGIN INSERT INTO log VALUES (new.text); END;\n\
         CREATE VIRTUAL TABLE found USING fts5 (text);\nINSERT INTO log VALUES ('one');",
    );
    let migrator = old.migrator();
    assert!(matches!(migrator.squash(), Err(Error::Missing { .. })));
    migrator.up(Until::End).unwrap();
    let squashed = migrator.squash().unwrap();
    assert_eq!((squashed.version, squashed.rows.as_slice()), (Version::from(2), &[("log".to_owned(), 1)][..]));
    assert!(!squashed.script.contains("_whimbrel"), "{}", squashed.script);
    let new = Stage::new();
    for stage in [&old, &new] {
        stage.write("migrations/B2__squashed.sql", &squashed.script);
        stage.write("migrations/0003_last.sql", "CREATE TABLE last (x);");
    }
    assert_eq!(titles(&old.migrator().up(Until::End).unwrap()), ["up 3 last"]);
    assert_eq!(titles(&new.migrator().up(Until::End).unwrap()), ["up 2 squashed", "up 3 last"]);
    let schema = |stage: &Stage| -> Vec<String> {
        let connection = stage.connection();
        let mut statement = connection
            .prepare(
                "SELECT type || name || coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE '%found_%' ORDER BY 1",
            )
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(schema(&old), schema(&new));
    assert!(new.migrator().is_applied(Version::from(1)).unwrap());
    assert!(new.migrator().up(Until::End).unwrap().steps.is_empty());
}

#[test]
fn a_baseline_is_declared_once_and_nothing_is_run() {
    let stage = Stage::new();
    stage.connection().execute_batch("CREATE TABLE customer (id, name, phone)").unwrap();
    let migrator = stage.both().only(["app"]).build().unwrap();
    let would = migrator.plan_baseline(Version::from(1)).unwrap();
    assert_eq!((would.state, migrator.history().unwrap().len()), (AppliedState::Baseline, 0));
    migrator.baseline(Version::from(1)).unwrap();
    assert_eq!(titles(&migrator.up(Until::End).unwrap()), ["up app:2 invoice_count"]);
    let Err(Error::Plan(error)) = migrator.baseline(Version::from(2)) else { panic!("it is begun") };
    assert!(matches!(error.problems[..], [PlanProblem::AlreadyBegun { .. }]));
    assert_eq!(stage.number("SELECT count(*) FROM _whimbrel_history"), 2);
}

#[test]
fn consent_lets_a_late_one_pass() {
    let stage = Stage::new();
    stage.write("migrations/0001_a.sql", "CREATE TABLE a (x);");
    stage.write("migrations/0003_c.sql", "CREATE TABLE c (x);");
    let migrator = stage.migrator();
    migrator.up(Until::End).unwrap();
    stage.write("migrations/0002_b.sql", "CREATE TABLE b (x);");
    assert!(matches!(migrator.up(Until::End), Err(Error::Plan(_))));
    let rules = Rules { allow_out_of_order: true, ..Rules::default() };
    let allowing = stage.builder().rules(rules).build().unwrap();
    assert_eq!(titles(&allowing.dry_run(&Goal::LATEST).unwrap()), ["up 2 b"]);
    stage.write("migrations/0002_b.sql", "-- whimbrel: out_of_order = allow\nCREATE TABLE b (x);");
    assert_eq!(titles(&migrator.up(Until::End).unwrap()), ["up 2 b"]);
}

fn counting() -> Code {
    let wait = |_: &mut whimbrel::db::Transaction<'_>| {
        std::thread::sleep(Duration::from_millis(20));
        Ok(())
    };
    let table = |tx: &mut whimbrel::db::Transaction<'_>| Ok(tx.execute("CREATE TABLE ran (x)", &[]).map(drop)?);
    Code::new().up(1, "table", table).up(2, "slow", wait).up(3, "slower", wait)
}

#[test]
fn many_instances_start_under_tokio_and_each_migration_is_applied_once() {
    let stage = Stage::new();
    let database = stage.folder.path().join("app.db");
    let migrator = || Migrator::builder().source(counting()).database(Sqlite::file(&database)).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let applied: usize = runtime.block_on(async {
        let instances: Vec<_> = (0..6)
            .map(|_| {
                let migrator = Arc::new(migrator());
                tokio::task::spawn_blocking(move || migrator.run_on_startup(Startup::Wait(Duration::from_secs(60))))
            })
            .collect();
        let mut applied = 0;
        for instance in instances {
            let report = instance.await.unwrap().unwrap();
            let done = report.steps.iter().filter(|step| step.outcome == whimbrel::exec::StepOutcome::Done);
            applied += done.count();
        }
        applied
    });
    assert_eq!(applied, 3);
    assert_eq!(stage.number("SELECT count(*) FROM _whimbrel_history"), 3);
}

#[test]
fn an_instance_that_fails_fast_does_not_wait_for_another() {
    let stage = Stage::new();
    let database = stage.folder.path().join("app.db");
    let migrator = Migrator::builder().source(counting()).database(Sqlite::file(&database)).build().unwrap();
    let connection = stage.connection();
    connection.execute_batch("CREATE TABLE other (x); BEGIN IMMEDIATE; INSERT INTO other VALUES (1);").unwrap();
    let error = migrator.run_on_startup(Startup::FailFast).unwrap_err();
    let Error::Run(error) = error else { panic!("{error}") };
    let whimbrel::exec::StepError::Database { source, .. } = &error.source else { panic!("{error:?}") };
    assert_eq!(source.code, whimbrel::db::ErrorCode::Busy);
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(migrator.run_on_startup(Startup::FailFast).unwrap().steps.len(), 3);
    // With nothing to do there is nothing to wait for.
    connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO other VALUES (1);").unwrap();
    assert!(migrator.run_on_startup(Startup::FailFast).unwrap().steps.is_empty());
}
