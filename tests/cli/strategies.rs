//! Redo, reset, baselines, repeatable migrations, single transactions, protected environments.

use insta::assert_snapshot;

use crate::harness::Project;

pub(super) fn applied() -> Project {
    let project = Project::notes();
    project.ok(&["up"]);
    project
}

#[test]
fn redo_goes_back_and_forth() {
    let project = applied();
    assert_snapshot!(project.run(&["redo"]), @"
    exit 0
    --- stdout
    Reverted 1 migration and applied 1 again in [time].

    --- stderr
    Reverted 2 first_notes ([time]).
    Applied 2 first_notes ([time]).
    ");
    assert_snapshot!(project.run(&["redo", "--steps", "2", "--dry-run"]), @"
    exit 0
    --- stdout
    down 2 first_notes ([time])
        DELETE FROM note;  (2 rows)
        rows of note: 2 deleted

    down 1 create_note ([time])
        DROP TABLE note;

    up 1 create_note ([time])
        CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

    up 2 first_notes ([time])
        INSERT INTO note (text) VALUES ('one'), ('two');  (2 rows)
        rows of note: 2 inserted

    Tried 4 migrations in [time] and rolled everything back: the database is as it was.
    ");
}

#[test]
fn a_redo_that_fails_on_its_way_up_says_what_is_gone() {
    let project = applied();
    project.write("migrations/0002_first_notes.up.sql", "SELEC 1;\n");
    assert_snapshot!(project.run(&["redo"]), @r#"
    exit 1
    --- stderr
    Reverted 2 first_notes ([time]).
    warning: migration 2 first_notes: was changed after it was applied
    hint: its down may not fit what was applied
    error: migration 2 first_notes failed on its way up
      caused by: near "SELEC": syntax error (SQLITE_ERROR)
     --> migrations/0002_first_notes.up.sql:1:1
      |
    1 | SELEC 1;
      | ^^^^^
    note: migration 2 first_notes was rolled back
    note: 1 migration was reverted before it and stays reverted: `whimbrel up` applies again what was reverted
    "#);
}

#[test]
fn reset_asks_first() {
    let project = applied();
    project.unchanged(|| {
        assert_snapshot!(project.run(&["reset"]), @"
    exit 1
    --- stderr
    error: `reset` needs to be confirmed, and there is nobody to ask
    hint: look at it with --dry-run, then add --yes
    ");
    });
    assert_snapshot!(project.run(&["reset", "--yes"]), @"
    exit 0
    --- stdout
    Reverted 2 migrations in [time].

    --- stderr
    Reverted 2 first_notes ([time]).
    Reverted 1 create_note ([time]).
    ");
}

#[test]
fn a_plan_that_reverts_says_what_would_be_lost() {
    let project = applied();
    project.unchanged(|| {
        assert_snapshot!(project.run(&["plan", "down", "--all"]), @"
    exit 0
    --- stdout
    1. down 2 first_notes  sql  migrations/0002_first_notes.down.sql
    2. down 1 create_note  sql  migrations/0001_create_note.down.sql

    warning: table note with 2 rows would be gone

    `whimbrel down` would revert 2 migrations.
    ");
    });
    let json = project.run(&["plan", "down", "--all", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["losses"], serde_json::json!([{ "table": "note", "column": null, "rows": 2 }]));
}

#[test]
fn a_late_migration_is_refused_unless_it_consents() {
    let project = applied();
    project.write("migrations/0004_d.sql", "CREATE TABLE d (x);");
    project.ok(&["up"]);
    project.write("migrations/0003_c.sql", "-- whimbrel: out_of_order = allow\nCREATE TABLE c (x);");
    let status = project.run(&["status"]).stdout;
    assert!(status.contains("note: 3 c is out of order and may be: `up` would apply it"), "{status}");
    project.ok(&["up"]);
}

#[test]
fn a_baseline_is_declared() {
    let project = Project::notes();
    project.database().execute_batch("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)").expect("table");
    assert_snapshot!(project.run(&["baseline", "1", "--dry-run"]), @"
    exit 0
    --- stdout
    The history would say that chain main begins after 1 create_note. Nothing was written.
    ");
    assert_snapshot!(project.run(&["baseline", "1"]), @"
    exit 0
    --- stdout
    Declared: chain main begins after 1 create_note; nothing was run.
    ");
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State     Applied at (UTC) Took
            1  create_note  sql   baseline  [moment] [time]
            2  first_notes  sql   pending

    1 baseline, 1 pending.
    ");
    assert_snapshot!(project.run(&["baseline", "2"]), @"
    exit 1
    --- stderr
    error: the history has migrations of the chain main already, such as 1 create_note
    hint: a baseline is for a database that has nothing of the chain in its history yet
    ");
    assert_snapshot!(project.run(&["down", "--all"]), @"
    exit 1
    --- stderr
    error: migration 1 create_note cannot be reverted: it was declared to be there, not run
    hint: stop at it with --to
    ");
}

#[test]
fn a_baseline_needs_a_database_and_a_version_that_can_be_meant() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["baseline", "1", "-D", "wrong.db"]), @"
    exit 1
    --- stderr
    error: there is no database wrong.db
    hint: check the path: a database is made by the first migration, and by nothing else
    ");
    let squashed = project.run(&["squash", "-D", "wrong.db"]);
    assert!(squashed.code == 1 && squashed.stderr.contains("there is no database wrong.db"), "{squashed}");
    assert!(!project.path("wrong.db").exists());
    project.database().execute_batch("CREATE TABLE note (x)").expect("table");
    project.write("migrations/0010_later.sql", "CREATE TABLE later (x);\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["baseline", "22"]), @"
        exit 1
        --- stderr
        error: the chain has no version 22
        hint: `whimbrel status` shows the versions there are
        ");
    });
    // The chain may begin after what is there.
    assert_snapshot!(project.run(&["baseline", "9"]), @"
    exit 0
    --- stdout
    Declared: chain main begins after 9 baseline; nothing was run.

    --- stderr
    note: no migration of the chain has version 9
    ");
}

#[test]
fn nobody_is_asked_where_there_is_nothing_to_do() {
    let project = Project::notes();
    project.database().execute_batch("CREATE TABLE other (x)").expect("table");
    assert_snapshot!(project.run(&["reset"]), @"
    exit 0
    --- stdout
    Nothing to do: nothing is applied that far.
    ");
    let refused = project.run(&["baseline", "22"]);
    assert!(refused.stderr.contains("the chain has no version 22"), "{refused}");
}

#[test]
fn repeatable_ones_run_after_the_others_and_again() {
    let project = Project::notes();
    let view = |sql: &str| {
        let head = "-- whimbrel: repeat = on-change\nDROP VIEW IF EXISTS shown;\n";
        project.write("migrations/0001_shown.sql", format!("{head}{sql}"));
    };
    project.remove("migrations/0001_create_note.up.sql");
    project.remove("migrations/0001_create_note.down.sql");
    project.remove("migrations/0002_first_notes.up.sql");
    project.remove("migrations/0002_first_notes.down.sql");
    project.write("migrations/0002_note.sql", "CREATE TABLE note (text);");
    view("CREATE VIEW shown AS SELECT text FROM note;");
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 2 migrations in [time].

    --- stderr
    Applied 2 note ([time]).
    Applied shown ([time]).
    ");
    view("CREATE VIEW shown AS SELECT upper(text) FROM note;");
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name   Kind  State     Applied at (UTC) Took
            2  note   sql   applied   [moment] [time]
               shown  sql   outdated  [moment] [time]

    1 applied, 1 outdated.
    ");
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["history"]), @"
    exit 0
    --- stdout
      Version  Name              Kind  Applied at (UTC) Took  Statements  Rows  Checksum      Whimbrel  Until (UTC)
            2  note              sql   [moment] [time]           1     0  5a5861bec52b  0.1.0
               shown (replaced)  sql   [moment] [time]           2     0  163dec5a5841  0.1.0     [moment]
               shown             sql   [moment] [time]           2     0  da582e8310d0  0.1.0
    ");
}

#[test]
fn a_single_transaction_is_all_or_nothing() {
    let project = Project::notes();
    project.write("migrations/0003_c.sql", "CREATE TABLE c (x);\nINSERT INTO nowhere VALUES (1);");
    assert_snapshot!(project.run(&["up", "--single-transaction"]), @"
    exit 1
    --- stderr
    error: migration 3 c failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_c.sql:2:13
      |
    2 | INSERT INTO nowhere VALUES (1);
      |             ^^^^^^^
    note: migration 3 c was rolled back, and what was done before it in the same transaction
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema"), 0);
    project.remove("migrations/0003_c.sql");
    assert_snapshot!(project.run(&["up", "--single-transaction"]), @"
    exit 0
    --- stdout
    Applied 2 migrations in [time].

    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    ");
}

#[test]
fn protected_environments_refuse_or_ask() {
    let project = applied();
    let settings = "database = \"sqlite:other.db\"\n[env.production]\ndatabase = \"sqlite:app.db\"\nprotected = true\n\
                    [env.archive]\ndatabase = \"sqlite:old.db\"\nprotected = \"refuse\"\n[env.test]\n";
    project.write("whimbrel.toml", settings);
    std::fs::hard_link(project.path("app.db"), project.path("hard.db")).expect("a link");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["reset", "--yes", "--env", "production"]), @"
        exit 1
        --- stderr
        error: `reset` is refused: the environment production is protected
        hint: `[env.production]` in whimbrel.toml says so
        ");
        assert_snapshot!(project.run(&["redo", "--env", "production"]), @"
        exit 1
        --- stderr
        error: `redo` is refused: the environment production is protected
        hint: `[env.production]` in whimbrel.toml says so
        ");
        assert_snapshot!(project.run(&["down", "--env", "production"]), @"
        exit 1
        --- stderr
        error: `down` needs to be confirmed, and there is nobody to ask
        hint: look at it with --dry-run, then add --yes
        ");
        assert_snapshot!(project.run(&["down", "--yes", "--env", "archive"]), @"
        exit 1
        --- stderr
        error: `down` is refused: the environment archive is protected
        hint: `[env.archive]` in whimbrel.toml says so
        ");
        assert_snapshot!(project.run(&["status", "--env", "staging"]), @"
        exit 2
        --- stderr
        error: there is no environment staging
        hint: known are archive, production, test
        ");
        // Reached in another way it is protected all the same.
        assert_eq!(project.run(&["reset", "--yes", "-D", "app.db"]).code, 1);
        assert_eq!(project.run(&["reset", "--yes", "-D", "hard.db"]).code, 1);
        project.ok(&["reset", "--dry-run", "--env", "production"]);
    });
    project.ok(&["down", "--yes", "--env", "production"]);
    project.ok(&["up", "--env", "test"]);
    assert!(project.path("other.db").exists());
    project.write("whimbrel.toml", "[env.production]\nprotected = \"perhaps\"\n");
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 2
    --- stderr
    error: whimbrel.toml:2:13: `protected` is true, false, "confirm" or "refuse"
    "#);
}

#[test]
fn a_database_behind_a_baseline_fails_every_check() {
    let project = applied();
    project.remove("migrations/0001_create_note.up.sql");
    project.remove("migrations/0001_create_note.down.sql");
    project.remove("migrations/0002_first_notes.up.sql");
    project.remove("migrations/0002_first_notes.down.sql");
    project.write("migrations/0003_all.baseline.sql", "CREATE TABLE note (id INTEGER PRIMARY KEY);\n");
    assert_snapshot!(project.run(&["status", "--check"]), @"
    exit 1
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State    Applied at (UTC) Took
            1  create_note  sql   applied  [moment] [time]
            2  first_notes  sql   applied  [moment] [time]
            3  all          sql   ignored

    2 applied, 1 ignored.
    error: the database is at 2, and what leads to the baseline 3 all is not in the chain
    hint: bring the older files back until every database is past them
    ");
    assert_snapshot!(project.run(&["verify"]), @"
    exit 1
    --- stdout
    error: migration 3 all is a baseline that the database, at 2, cannot get to: what leads to it is not in the chain
    hint: bring the older files back until every database is past them
    Verified 3 migrations: 1 problem.
    ");
    assert!(project.run(&["up"]).stderr.contains("what leads to the baseline 3 all is not in the chain"));
}

#[test]
fn a_script_that_is_to_be_kept_is_asked_for_in_a_protected_environment() {
    let project = applied();
    let settings = "database = \"sqlite:app.db\"\n[env.production]\ndatabase = \"sqlite:app.db\"\nprotected = true\n";
    project.write("whimbrel.toml", settings);
    project.write("more.js", "export function up(db) { db.execute('CREATE TABLE more (x)'); }");
    project.unchanged(|| {
        project.ok(&["run-script", "more.js"]);
        assert_snapshot!(project.run(&["run-script", "more.js", "--commit"]), @"
        exit 1
        --- stderr
        error: `run-script` needs to be confirmed, and there is nobody to ask
        hint: look at it without --commit, then add --yes
        ");
    });
    project.write("whimbrel.toml", settings.replace("true", "\"refuse\""));
    project.unchanged(|| {
        assert_snapshot!(project.run(&["run-script", "more.js", "--commit", "--yes"]), @"
        exit 1
        --- stderr
        error: `run-script` is refused: the environment production is protected
        hint: `[env.production]` in whimbrel.toml says so
        ");
    });
    project.write("whimbrel.toml", settings);
    project.ok(&["run-script", "more.js", "--commit", "--yes"]);
    assert_eq!(project.number("SELECT count(*) FROM more"), 0);
}

#[test]
fn of_environments_with_one_database_the_strictest_protects_it() {
    let project = applied();
    let settings = "[env.app]\ndatabase = \"sqlite:app.db\"\n[env.production]\ndatabase = \"sqlite:app.db\"\n\
                    protected = \"refuse\"\n[env.staging]\ndatabase = \"sqlite:app.db\"\nprotected = true\n";
    project.write("whimbrel.toml", settings);
    project.unchanged(|| {
        for arguments in [["-D", "sqlite:app.db"], ["--env", "app"], ["--env", "staging"], ["--env", "production"]] {
            let outcome = project.run(&[&["down", "--yes"], arguments.as_slice()].concat());
            assert_eq!(outcome.code, 1, "{outcome}");
            assert!(outcome.stderr.contains("`down` is refused: the environment production is protected"), "{outcome}");
        }
    });
}
