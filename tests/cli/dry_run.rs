//! `--dry-run`: does everything, shows it, and leaves nothing behind.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn shows_what_up_does_and_creates_no_database() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["up", "--dry-run"]), @"
    exit 0
    --- stdout
    up 1 create_note ([time])
        CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

    up 2 first_notes ([time])
        INSERT INTO note (text) VALUES ('one'), ('two');  (2 rows)
        rows of note: 2 inserted

    Tried 2 migrations in [time] and rolled everything back: the database is as it was.
    ");
    assert!(!project.path("app.db").exists());
}

#[test]
fn shows_what_down_does_and_changes_nothing() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["down", "--all", "--dry-run"]), @"
        exit 0
        --- stdout
        down 2 first_notes ([time])
            DELETE FROM note;  (2 rows)
            rows of note: 2 deleted

        down 1 create_note ([time])
            DROP TABLE note;

        warning: table note with 2 rows would be gone
        Tried 2 migrations in [time] and rolled everything back: the database is as it was.
        ");
    });
}

#[test]
fn shows_hostile_and_long_statements_on_one_line() {
    let text = "x".repeat(200);
    let project = Project::with(&[(
        "0001_odd.sql",
        &format!("CREATE TABLE t (\n    a, -- \u{1b}[2J\u{202e}\n    b\n);\nINSERT INTO t VALUES ('{text}', 2);\n"),
    )]);
    assert_snapshot!(project.run(&["up", "--dry-run"]), @r"
    exit 0
    --- stdout
    up 1 odd ([time])
        CREATE TABLE t ( a, -- \u{1b}[2J\u{202e} b );
        INSERT INTO t VALUES ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…  (1 row)
        rows of t: 1 inserted

    Tried 1 migration in [time] and rolled everything back: the database is as it was.
    ");
}

#[test]
fn says_what_it_cannot_try() {
    let project = Project::with(&[
        ("0001_a.sql", "CREATE TABLE a (id);"),
        ("0002_vacuum.sql", "-- whimbrel: transaction = none\nVACUUM;"),
    ]);
    assert_snapshot!(project.run(&["up", "--dry-run"]), @"
    exit 0
    --- stdout
    up 1 a ([time])
        CREATE TABLE a (id);

    up 2 vacuum: not tried, it cannot be undone outside a transaction

    Not tried: 1 migration.
    Tried 1 migration in [time] and rolled everything back: the database is as it was.
    ");
}

#[test]
fn what_fails_after_a_step_that_was_left_out_may_need_it() {
    let project = Project::with(&[
        ("0001_a.sql", "-- whimbrel: transaction = none\nCREATE TABLE a (id);"),
        ("0002_b.sql", "CREATE TABLE b (id);"),
        ("0003_c.sql", "ALTER TABLE a ADD COLUMN c;"),
        ("0004_d.sql", "CREATE TABLE d (id);"),
    ]);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up", "--dry-run"]), @"
        exit 0
        --- stdout
        up 1 a: not tried, it cannot be undone outside a transaction

        up 2 b ([time])
            CREATE TABLE b (id);

        up 3 c: not tried, it may need what was not tried: no such table: a (SQLITE_ERROR)

        up 4 d: not tried, it comes after one that was not tried

        Not tried: 3 migrations.
        Tried 1 migration in [time] and rolled everything back: the database is as it was.
        ");
    });
    project.ok(&["up"]);
}

#[test]
fn a_failure_changes_nothing_either() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write(
        "migrations/0003_bad.sql",
        "INSERT INTO note (text) VALUES ('x'); INSERT INTO note (text) VALUES (NULL);",
    );
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up", "--dry-run"]), @"
    exit 1
    --- stderr
    error: migration 3 bad failed on its way up
      caused by: NOT NULL constraint failed: note.text (SQLITE_CONSTRAINT_NOTNULL)
     --> migrations/0003_bad.sql:1:39
      |
    1 | INSERT INTO note (text) VALUES ('x'); INSERT INTO note (text) VALUES (NULL);
      |                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: it was a dry run: everything was rolled back
    ");
    });
}

#[test]
fn what_is_held_to_nothing_has_no_least_manifest() {
    let project = Project::with(&[
        ("0001_a.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);\nINSERT INTO a VALUES (1);\n"),
        ("0001_a.verify.sql", "SELECT count(*) = 1 FROM a;\n"),
    ]);
    let json = project.ok(&["up", "--dry-run", "--json"]).json("up");
    let recording = &json["steps"][0]["recording"];
    assert_eq!((&recording["grants"], recording["statements"].is_array()), (&serde_json::Value::Null, true), "{json}");
    assert!(!project.ok(&["up", "--dry-run"]).stdout.contains("[grants]"));
}

#[test]
fn says_that_rows_which_are_replaced_are_not_counted() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0003_replace.sql", "INSERT OR REPLACE INTO note VALUES (1, 'new'), (2, 'newer');\n");
    assert_snapshot!(project.run(&["up", "--dry-run"]), @"
    exit 0
    --- stdout
    up 3 replace ([time])
        INSERT OR REPLACE INTO note VALUES (1, 'new'), (2, 'newer');  (2 rows)
        rows of note: 2 inserted
        rows that REPLACE deleted in the place of new ones are in no count

    Tried 1 migration in [time] and rolled everything back: the database is as it was.
    ");
    let json = project.ok(&["up", "--dry-run", "--json"]).json("up");
    assert_eq!(json["steps"][0]["recording"]["replaces"], true);
}

/// A trigger is a definition, too, and what it writes in the place of a view SQLite counts as no change.
#[test]
fn says_so_of_rows_which_a_trigger_replaces() {
    let schema = "CREATE TABLE t (x);\nCREATE TABLE u (k UNIQUE, v);\nCREATE VIEW w AS SELECT x FROM t;\n\
                  CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO u VALUES (1, new.x); END;\n\
                  CREATE TRIGGER h INSTEAD OF INSERT ON w BEGIN REPLACE INTO u VALUES (1, new.x); END;\n\
                  CREATE TRIGGER i AFTER DELETE ON t BEGIN INSERT INTO u VALUES (old.x, replace('a', 'a', 'b')); END;\n\
                  INSERT INTO u VALUES (1, 'precious');\nINSERT INTO t VALUES (2);\n";
    let cases = [
        ("INSERT INTO t VALUES (3)", true),
        ("INSERT INTO w VALUES (3)", true),
        ("INSERT INTO t SELECT 3 WHERE 0", false),
        ("DELETE FROM t", false),
    ];
    for (text, replaces) in cases {
        let project = Project::with(&[("0001_schema.sql", schema)]);
        project.ok(&["up"]);
        project.write("migrations/0002_x.sql", text);
        let json = project.ok(&["up", "--dry-run", "--json"]).json("up");
        assert_eq!(json["steps"][0]["recording"]["replaces"] == true, replaces, "{text}: {json}");
    }
}

#[test]
fn a_virtual_table_without_its_module_is_passed_over() {
    let project = Project::notes();
    project.ok(&["up", "--to", "1"]);
    let foreign = "PRAGMA writable_schema = ON;
        INSERT INTO sqlite_schema VALUES ('table', 'words', 'words', 0, 'CREATE VIRTUAL TABLE words USING nothere(x)');
        PRAGMA writable_schema = OFF;";
    project.database().execute_batch(foreign).expect("a table of somebody else");
    let tried = project.ok(&["up", "--dry-run"]);
    assert!(tried.stdout.contains("rows of note: 2 inserted"), "{tried}");
    project.ok(&["up"]);
}

#[test]
fn in_one_transaction_a_row_without_a_parent_beside_a_rebuild_is_an_error_as_in_the_run() {
    let project = Project::with(&[
        ("0001_p.sql", "CREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p INTEGER REFERENCES p);\n"),
        (
            "0002_rebuild.sql",
            "-- whimbrel: rebuild\nCREATE TABLE n (id INTEGER PRIMARY KEY);\nDROP TABLE p;\nALTER TABLE n RENAME TO p;\n",
        ),
        ("0003_harm.sql", "INSERT INTO c VALUES (7);\n"),
    ]);
    let tried = project.run(&["up", "--single-transaction", "--dry-run"]);
    let ran = project.run(&["up", "--single-transaction"]);
    assert_eq!((tried.code, ran.code), (1, 1), "{tried}{ran}");
    let cause = ran.stderr.lines().find(|line| line.contains("caused by")).expect("a cause");
    assert!(tried.stderr.contains(cause), "{tried}{ran}");
}
