//! Verify scripts: whether a migration did what it should, asked inside its transaction and afterwards.

use insta::assert_snapshot;

use crate::harness::Project;

const VERIFY: &str = "migrations/0002_first_notes.verify.sql";

fn project(verify: &str) -> Project {
    let project = Project::notes();
    project.write(VERIFY, verify);
    project
}

fn applied(project: &Project) -> i64 {
    project.number("SELECT count(*) FROM _whimbrel_history")
}

#[test]
fn every_statement_must_hold() {
    let project = project(
        "-- what must be there afterwards\nSELECT count(*) = 2 FROM note;\n\
         SELECT 1 FROM note\n WHERE text = 'two';\nSELECT count(*) FROM pragma_table_info('note');\n",
    );
    let up = project.ok(&["up"]);
    assert!(up.stdout.starts_with("Applied 2 migrations"), "{up}");
    assert_eq!(applied(&project), 2);
}

#[test]
fn one_that_does_not_hold_takes_the_step_back() {
    let project = project("SELECT 1;\nSELECT count(*) = 3\n  FROM note;\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    error: migration 2 first_notes failed on its way up
      caused by: the migration did not do what it should: its first value is 0
     --> migrations/0002_first_notes.verify.sql:2:1
      |
    2 | SELECT count(*) = 3
      | ^^^^^^^^^^^^^^^^^^^
    note: migration 2 first_notes was rolled back
    note: 1 migration was applied before it and stays applied
    hint: each statement of a verify script must return a row whose first value is true, as in `SELECT count(*) = 0 FROM …`
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 0, "the rows of the step are gone");
    assert_eq!(applied(&project), 1);
    let error = project.run(&["up", "--json"]).json("error");
    assert_eq!((&error["code"], &error["problems"][0]["line"]), (&"unverified".into(), &2.into()), "{error:#}");

    project.write(VERIFY, "SELECT id FROM note WHERE text = 'three';\n");
    let none = project.run(&["up", "--dry-run"]);
    assert!(none.stderr.contains("the migration did not do what it should: it returned no row"), "{none}");

    project.write(VERIFY, "SELECT subject FROM note;\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 2 first_notes failed on its way up
      caused by: no such column: subject (SQLITE_ERROR)
     --> migrations/0002_first_notes.verify.sql:1:8
      |
    1 | SELECT subject FROM note;
      |        ^^^^^^^
    note: migration 2 first_notes was rolled back
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(applied(&project), 1);
}

#[test]
fn it_can_change_nothing() {
    let project = project("");
    for statement in [
        "DELETE FROM note RETURNING 1",
        "UPDATE _whimbrel_history SET checksum = 'x' RETURNING 1",
        "CREATE TABLE more (id)",
        "DROP TABLE note",
        "COMMIT",
        "PRAGMA query_only = 0",
        "PRAGMA user_version = 7",
        "ATTACH 'other.db' AS other",
    ] {
        project.write(VERIFY, format!("SELECT 1;\n{statement};\n"));
        let refused = project.run(&["up"]);
        assert_eq!(refused.code, 1, "{statement}: {refused}");
        assert!(refused.stderr.contains("0002_first_notes.verify.sql:2:1"), "{statement}: {refused}");
        assert_eq!(project.number("SELECT count(*) FROM note"), 0, "{statement}");
        assert_eq!(applied(&project), 1, "{statement}");
    }
    assert!(!project.path("other.db").exists());
}

#[test]
fn a_changed_one_is_no_changed_migration() {
    let project = project("SELECT count(*) = 2 FROM note;\n");
    project.ok(&["up"]);
    project.write(VERIFY, "SELECT count(*) >= 2 FROM note;\n");
    project.ok(&["verify"]);
    project.ok(&["verify", "--deep"]);
    project.remove(VERIFY);
    project.ok(&["up"]);
}

#[test]
fn verify_deep_asks_them_again() {
    let project = project("SELECT count(*) = 2 FROM note;\n");
    assert_snapshot!(project.ok(&["verify", "--deep"]).stdout, @"
    Ran 0 verify scripts.
    Verified 2 migrations: files and history agree.
    ");
    project.ok(&["up"]);
    project.unchanged(|| {
        assert_snapshot!(project.ok(&["verify", "--deep"]).stdout, @"
        Ran 1 verify script.
        Verified 2 migrations: files and history agree.
        ");
    });
    project.database().execute("DELETE FROM note WHERE text = 'two'", []).expect("change");
    project.write("migrations/0001_create_note.verify.sql", "SELECT subject FROM note;\n");
    assert_snapshot!(project.run(&["verify", "--deep"]), @"
    exit 1
    --- stdout
    error: migration 1 create_note: no such column: subject (SQLITE_ERROR)
     --> migrations/0001_create_note.verify.sql:1:8
      |
    1 | SELECT subject FROM note;
      |        ^^^^^^^
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    error: migration 2 first_notes: the migration did not do what it should: its first value is 0
     --> migrations/0002_first_notes.verify.sql:1:1
      |
    1 | SELECT count(*) = 2 FROM note;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: each statement of a verify script must return a row whose first value is true, as in `SELECT count(*) = 0 FROM …`
    Ran 2 verify scripts.
    Verified 2 migrations: 2 problems.
    ");
    assert_eq!(project.run(&["verify"]).code, 0, "only --deep runs them");
    let json = project.run(&["verify", "--deep", "--json"]).json("verify");
    assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"), @r#"
    {
      "accepted": [],
      "gaps": [],
      "ignored": [],
      "migrations": 2,
      "ok": false,
      "problems": [
        {
          "chain": "main",
          "code": "statement-failed",
          "column": 8,
          "file": "migrations/0001_create_note.verify.sql",
          "hint": "the database is not what the script expects: `whimbrel status` shows what is applied",
          "line": 1,
          "message": "no such column: subject (SQLITE_ERROR)",
          "migration": "1 create_note"
        },
        {
          "chain": "main",
          "code": "unverified",
          "column": 1,
          "file": "migrations/0002_first_notes.verify.sql",
          "hint": "each statement of a verify script must return a row whose first value is true, as in `SELECT count(*) = 0 FROM …`",
          "line": 1,
          "message": "the migration did not do what it should: its first value is 0",
          "migration": "2 first_notes"
        }
      ],
      "schema": "whimbrel/verify/1",
      "verify_exports": 0,
      "verify_scripts": 2
    }
    "#);
}

#[test]
fn of_a_step_outside_a_transaction_what_it_did_stays_until_it_holds() {
    let project = Project::notes();
    project.write(
        "migrations/0003_more.sql",
        "-- whimbrel: transaction = none\nINSERT INTO note (text) VALUES ('three');\n",
    );
    project.write("migrations/0003_more.verify.sql", "SELECT count(*) = 4 FROM note;\n");
    assert_snapshot!(project.run(&["up"]).stderr, @"
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    error: migration 3 more failed on its way up
      caused by: the migration did not do what it should: its first value is 0
     --> migrations/0003_more.verify.sql:1:1
      |
    1 | SELECT count(*) = 4 FROM note;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: what it did stays: it runs outside a transaction
    note: 2 migrations were applied before it and stay applied
    hint: each statement of a verify script must return a row whose first value is true, as in `SELECT count(*) = 0 FROM …`
    ");
    project.write("migrations/0003_more.verify.sql", "SELECT count(*) = 3 FROM note;\n");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM note"), 3, "the script has run once");
}

#[test]
fn that_of_an_untrusted_chain_reads_what_its_migration_may_read() {
    let project = Project::notes();
    project.write(
        "whimbrel.toml",
        "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.st]\ndir = \"st\"\ntrust = \"untrusted\"\nnamespace = \"st_\"\n",
    );
    project.write("st/1_make.sql", "CREATE TABLE st_thing (id INTEGER PRIMARY KEY);\n");
    project.write("st/1_make.toml", "[grants]\ncreate = [\"st_thing\"]\nread = [\"st_thing\"]\n");
    project.write("st/1_make.verify.sql", "SELECT count(*) = 0 FROM st_thing;\nSELECT count(*) FROM note;\n");
    let refused = project.run(&["up"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("not granted: read note"), "{refused}");
    project.write("st/1_make.verify.sql", "SELECT count(*) = 0 FROM st_thing;\n");
    project.ok(&["up"]);
}

#[test]
fn one_that_belongs_to_nothing_is_refused() {
    let project = project("-- whimbrel: transaction = none\nSELECT 1;\n");
    project.write("migrations/0003_x.verify.sql", "SELECT 1;\n");
    project.write("migrations/0001_create_note.verify.sql", "SELECT ${missing};\n");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: the migrations cannot be read: 2 problems
      - migrations/0002_first_notes.verify.sql: a verify script cannot say how its migration runs: it is no migration itself
        hint: leave all directives but `description` and `placeholders` out
      - migrations/0003_x.verify.sql: there is no migration for this verify script
        hint: add migrations/0003_x.sql or migrations/0003_x.wasm
    ");
}
