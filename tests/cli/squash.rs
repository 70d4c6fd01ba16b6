//! `squash`: one baseline in place of what is applied.

use insta::assert_snapshot;

use super::strategies::applied;
use crate::harness::Project;

#[test]
fn a_squash_of_nothing_is_one_too() {
    let project = Project::with(&[("0001_nothing.sql", "SELECT 1;\n")]);
    project.ok(&["up"]);
    project.ok(&["squash"]);
    project.ok(&["up", "-D", "fresh.db"]);
}

#[test]
fn a_squash_is_what_new_databases_start_from() {
    let project = applied();
    assert_snapshot!(project.run(&["squash", "--dry-run"]), @"
    exit 0
    --- stdout
    CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

    --- stderr
    note: note has 2 rows, which the baseline does not bring
    ");
    assert_snapshot!(project.run(&["squash"]), @"
    exit 0
    --- stdout
    Wrote migrations/0002_squashed.baseline.sql: new databases start from it, and this one ignores it.
    What it has in it can be removed once every database is at version 2.

    --- stderr
    note: note has 2 rows, which the baseline does not bring
    ");
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State    Applied at (UTC) Took
            1  create_note  sql   applied  [moment] [time]
            2  first_notes  sql   applied  [moment] [time]
            2  squashed     sql   ignored

    2 applied, 1 ignored.
    ");
    assert_snapshot!(project.run(&["up", "-D", "new.db"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 2 squashed ([time]).
    ");
    assert_snapshot!(project.run(&["status", "-D", "new.db"]), @"
    exit 0
    --- stdout
    Chain main in new.db

      Version  Name         Kind  State     Applied at (UTC) Took
            1  create_note  sql   baseline
            2  first_notes  sql   baseline
            2  squashed     sql   baseline  [moment] [time]

    3 baseline.
    ");
    project.write("migrations/0003_c.sql", "CREATE TABLE c (x);");
    project.ok(&["up"]);
    project.ok(&["up", "-D", "new.db"]);
    for file in ["0001_create_note.up.sql", "0001_create_note.down.sql", "0002_first_notes.up.sql"] {
        project.remove(&format!("migrations/{file}"));
    }
    project.remove("migrations/0002_first_notes.down.sql");
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State    Applied at (UTC) Took
            1  create_note  sql   applied  [moment] [time]
            2  first_notes  sql   applied  [moment] [time]
            2  squashed     sql   ignored
            3  c            sql   applied  [moment] [time]

    3 applied, 1 ignored.
    ");
    project.ok(&["up", "-D", "third.db"]);
}

#[test]
fn a_schema_with_marks_in_it_is_squashed_as_it_is() {
    let flyway = Project::with(&[("V1__a.sql", "CREATE TABLE a (x DEFAULT '$${other}');\n")]);
    flyway.write("whimbrel.toml", "database = \"sqlite:app.db\"\nlayout = \"flyway\"\n");
    flyway.write("migrations/V1__a.sql.conf", "placeholderReplacement=false\n");
    flyway.ok(&["up"]);
    assert_snapshot!(flyway.run(&["squash"]), @"
    exit 0
    --- stdout
    Wrote migrations/B1__squashed.sql and migrations/B1__squashed.sql.conf: new databases start from it, and this one ignores it.
    What it has in it can be removed once every database is at version 1.
    ");
    assert_eq!(flyway.read("migrations/B1__squashed.sql.conf"), "placeholderReplacement=false\n");
    assert_eq!(
        flyway.read("migrations/B1__squashed.sql"),
        "-- whimbrel: placeholders = off\nCREATE TABLE a (x DEFAULT '$${other}');\n"
    );
    flyway.ok(&["up", "-D", "new.db"]);
}

#[test]
fn a_statement_that_ends_in_a_comment_is_ended_after_it() {
    let project = Project::with(&[(
        "0001_t.sql",
        "CREATE TABLE t (a, b);\nCREATE VIEW v AS SELECT b FROM t -- only b;\n;\nCREATE INDEX i ON t (a) -- by a\n;\n\
         CREATE TABLE u (x /* y */);\nCREATE VIEW w AS SELECT a FROM t /* only a */;\n",
    )]);
    project.ok(&["up"]);
    project.ok(&["squash"]);
    project.remove("migrations/0001_t.sql");
    project.ok(&["up", "-D", "new.db"]);
}

#[test]
fn what_cannot_be_made_in_an_empty_database_is_named() {
    let project = Project::notes();
    project.ok(&["up"]);
    let foreign = "PRAGMA writable_schema = ON;
        INSERT INTO sqlite_schema VALUES ('table', 'places', 'places', 0, 'CREATE VIRTUAL TABLE places USING spatial(x)');
        PRAGMA writable_schema = OFF;";
    project.database().execute_batch(foreign).expect("a table of another's module");
    assert_snapshot!(project.run(&["squash"]), @"
    exit 1
    --- stderr
    error: cannot use the database app.db
      caused by: the table places cannot be made in an empty database: no such module: spatial; write the baseline by hand, and try it where it can be made (SQLITE_ERROR)
    ");
}
