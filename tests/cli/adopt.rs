//! `whimbrel adopt`.

use crate::harness::Project;

const SQLX: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
    execution_time BIGINT NOT NULL); \
    INSERT INTO _sqlx_migrations VALUES (1, 'initial', '2026-11-20 14:26:29', TRUE, \
    X'31c9c51c2fbe966702e47926c878cf83e5420e292fcbda37e8dc00658e0475998e904e629319554807ff3fa51b55e60b', 12345);";

fn sqlx() -> Project {
    let project = Project::with(&[
        ("1_initial.sql", "CREATE TABLE t (id INTEGER);\n"),
        ("2_more.sql", "DELETE FROM _sqlx_migrations WHERE version = 0;\n"),
        ("3_last.sql", "SELECT 1;\n"),
    ]);
    project.database().execute_batch("CREATE TABLE t (id INTEGER);").expect("a table");
    project.database().execute_batch(SQLX).expect("a history");
    project
}

#[test]
fn whoever_forgets_it_is_told() {
    let project = sqlx();
    let note = "note: sqlx has applied 1 migration of this chain (_sqlx_migrations): `whimbrel adopt` takes that over";
    let up = project.unchanged(|| project.run(&["up"]));
    assert!(up.code == 1 && up.stderr.starts_with(note) && up.stderr.contains("table t already exists"), "{up}");
    assert!(project.ok(&["status"]).stderr.contains(note) && project.ok(&["plan"]).stderr.contains(note));
    // What does nothing the second time does not tell by itself.
    let again = sqlx();
    again.write("migrations/1_initial.sql", "CREATE TABLE IF NOT EXISTS t (id INTEGER);\n");
    again.database().execute_batch("UPDATE _sqlx_migrations SET checksum = x'00'").unwrap();
    again.database().execute_batch("CREATE TABLE migrations (version uint64, dirty bool)").unwrap();
    assert!(again.run(&["up", "--steps", "1"]).stderr.starts_with("note: sqlx has applied"), "{}", again.run(&["up"]));
    project.ok(&["adopt"]);
    assert!(!project.ok(&["status"]).stderr.contains("adopt"));
    // What another tool did for another chain is nobody's business here.
    let beside = sqlx();
    for file in ["1_initial.sql", "2_more.sql", "3_last.sql"] {
        beside.remove(&format!("migrations/{file}"));
    }
    beside.write("migrations/100_own.sql", "CREATE TABLE t (id INTEGER);");
    assert!(!beside.run(&["up"]).stderr.contains("adopt") && !beside.ok(&["status"]).stderr.contains("adopt"));
}

#[test]
fn reads_the_folder_as_the_tool_lays_it_out() {
    let project = sqlx();
    project.write("migrations/4_more notes.sql", "COMMIT; PRAGMA foreign_keys = OFF; BEGIN;");
    let named = project.unchanged(|| project.run(&["adopt", "--layout", "whimbrel"]));
    assert!(named.code == 1 && named.stderr.contains("4_more notes.sql"), "{named}");
    assert_eq!(project.ok(&["adopt", "--dry-run", "--json"]).json("adopt")["assumed_layout"], "sqlx");
    assert!(project.ok(&["adopt"]).stdout.contains("write `layout = \"sqlx\"` into whimbrel.toml"));
    let config = project.path("whimbrel.toml");
    let settings = std::fs::read_to_string(&config).unwrap_or_default();
    std::fs::write(config, format!("layout = \"sqlx\"\n{settings}")).expect("settings");
    assert!(project.ok(&["plan"]).stdout.contains("more notes"));
    // One that was made a folder of ours since is read as that.
    let moved = sqlx();
    moved.write("migrations/4_more.sql", "-- whimbrel: rebuild\nSELECT 1;");
    assert_eq!(moved.ok(&["adopt", "--json"]).json("adopt")["assumed_layout"], serde_json::Value::Null);
}

#[test]
fn shows_what_it_takes_over() {
    let project = sqlx();
    let planned = project.unchanged(|| project.ok(&["adopt", "--dry-run"]));
    insta::assert_snapshot!(planned, @r#"
    exit 0
    --- stdout
    Would take over 1 migration from sqlx (_sqlx_migrations); nothing was written.
      Version  Name     Applied at (UTC)     Checksum
            1  initial  [moment]  matched
    Pending: 2 migrations, from 2 more to 3 last.
    The files were read as sqlx lays them out: write `layout = "sqlx"` into whimbrel.toml, so that every run reads them so.

    --- stderr
    warning: 2 more mentions _sqlx_migrations, which is no longer written
    "#);
    insta::assert_snapshot!(project.ok(&["adopt", "--from", "sqlx"]), @r#"
    exit 0
    --- stdout
     Took over 1 migration from sqlx (_sqlx_migrations); its table stays as it is.
      Version  Name     Applied at (UTC)     Checksum
            1  initial  [moment]  matched
    Pending: 2 migrations, from 2 more to 3 last.
    The files were read as sqlx lays them out: write `layout = "sqlx"` into whimbrel.toml, so that every run reads them so.

    --- stderr
    warning: 2 more mentions _sqlx_migrations, which is no longer written
    "#);
    insta::assert_snapshot!(project.ok(&["history"]), @"
    exit 0
    --- stdout
      Version  Name     Kind  Applied at (UTC) Took  Statements  Rows  Checksum      Whimbrel  From
            1  initial  sql   [moment] [time]           0     0  cb7bba947351  0.1.0     sqlx
    ");
    insta::assert_snapshot!(project.ok(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name     Kind  State    Applied at (UTC) Took
            1  initial  sql   applied  [moment] [time]
            2  more     sql   pending
            3  last     sql   pending

    1 applied, 2 pending.
    ");
    let again = project.unchanged(|| project.run(&["adopt"]));
    insta::assert_snapshot!(again, @"
    exit 1
    --- stderr
    error: the history of chain main has 1 row already
    hint: `whimbrel history` shows them; another chain can be named with `chain` in whimbrel.toml
    ");
}

#[test]
fn stops_at_what_is_not_as_it_should_be() {
    let changed = sqlx();
    changed.write("migrations/1_initial.sql", "CREATE TABLE t (id TEXT);\n");
    insta::assert_snapshot!(changed.unchanged(|| changed.run(&["adopt"])), @"
    exit 1
    --- stderr
    error: 1 initial was changed after it was applied: migrations/1_initial.sql
    hint: bring the file back as sqlx applied it (sqlx has 31c9c51c2fbe9667, now it is f8d3e7a67ffde471), or take it over as it is now with --accept-changed
    ");
    let accepted = changed.ok(&["adopt", "--accept-changed", "--json"]).json("adopt");
    assert_eq!(accepted["migrations"][0]["verdict"], "differs");

    let failed = sqlx();
    failed.database().execute_batch("UPDATE _sqlx_migrations SET success = FALSE").unwrap();
    insta::assert_snapshot!(failed.unchanged(|| failed.run(&["adopt"])), @"
    exit 1
    --- stderr
    error: 1 initial is not finished: sqlx has marked it as not successful
    hint: see what it has done; then finish it by hand, or undo that, and tell sqlx so: set `success` in its row of _sqlx_migrations to true, or delete the row. Then run this again
    ");

    let dirty = Project::with(&[("1_a..up.sql", "SELECT 1;")]);
    dirty
        .database()
        .execute_batch(
            "CREATE TABLE schema_migrations (version uint64, dirty bool); INSERT INTO schema_migrations VALUES (1, 1);",
        )
        .unwrap();
    insta::assert_snapshot!(dirty.unchanged(|| dirty.run(&["adopt"])), @"
    exit 1
    --- stderr
    error: 1 is not finished: golang-migrate has marked it as dirty: it began and did not finish
    hint: see what it has done; then finish it by hand, or undo that, and tell golang-migrate so: `migrate force VERSION`. Then run this again
    ");
    dirty.database().execute_batch("UPDATE schema_migrations SET version = 7, dirty = 0").unwrap();
    insta::assert_snapshot!(dirty.unchanged(|| dirty.run(&["adopt"])), @"
    exit 1
    --- stderr
    error: the database is at version 7, and there is no such migration
    hint: check --dir and --layout: the folder must be the one that golang-migrate has applied
    ");
}

#[test]
fn asks_when_it_cannot_tell_and_says_when_there_is_nothing() {
    let nothing = Project::notes();
    insta::assert_snapshot!(nothing.run(&["adopt"]), @"
    exit 1
    --- stderr
    error: there is no database app.db
    hint: check the path: a database is made by the first migration, and by nothing else
    ");
    nothing.database().execute_batch("CREATE TABLE app (version TEXT, name TEXT)").unwrap();
    insta::assert_snapshot!(nothing.run(&["adopt"]), @"
    exit 1
    --- stderr
    error: no table looks like the history of another tool
    hint: check --database; `--from-table` names the table if it was changed by hand; what a tool that is not known has applied, `whimbrel baseline` counts as applied
    ");
    insta::assert_snapshot!(nothing.run(&["adopt", "--from", "flywai"]), @r#"
    exit 2
    --- stderr
    error: invalid value 'flywai' for '--from <TOOL>': "flywai" is no tool whose history can be taken over: did you mean `flyway`?

    For more information, try '--help'.
    "#);

    let two = sqlx();
    two.database().execute_batch("CREATE TABLE schema_migrations (version varchar(128) primary key)").unwrap();
    // In the one that is empty nobody has written anything.
    two.ok(&["adopt", "--dry-run"]);
    two.database().execute_batch("INSERT INTO schema_migrations VALUES ('1')").unwrap();
    insta::assert_snapshot!(two.unchanged(|| two.run(&["adopt"])), @"
    exit 1
    --- stderr
    error: several tables look like histories: _sqlx_migrations (sqlx), schema_migrations (dbmate)
    hint: say which it is with --from, or with --from-table
    ");
    let from = ["adopt", "--from-table", "_sqlx_migrations"];
    insta::assert_snapshot!(two.unchanged(|| two.run(&[&from[..], &["--baseline", "1"]].concat())), @"
    exit 1
    --- stderr
    error: the history of sqlx is taken over row by row, so it cannot be said where the chain begins
    hint: leave out --baseline: the rows tell what is applied; it is for tools whose migrations are no scripts of a chain, such as alembic
    ");
    two.ok(&from);
}

#[test]
fn waits_for_whoever_holds_the_lock_of_liquibase() {
    let project = Project::notes();
    project
        .database()
        .execute_batch(
            "CREATE TABLE DATABASECHANGELOG (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, EXECTYPE, MD5SUM); \
             CREATE TABLE DATABASECHANGELOGLOCK (ID INT PRIMARY KEY, LOCKED BOOLEAN, LOCKGRANTED, LOCKEDBY); \
             INSERT INTO DATABASECHANGELOGLOCK VALUES (1, TRUE, NULL, 'build-7');",
        )
        .unwrap();
    insta::assert_snapshot!(project.unchanged(|| project.run(&["adopt"])), @"
    exit 1
    --- stderr
    error: liquibase is migrating this database: build-7 holds its lock
    hint: wait until it has ended; if it was killed, release its lock
    ");
}
