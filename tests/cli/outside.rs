//! Scripts outside a transaction: what stays, and where they go on.

use insta::assert_snapshot;

use crate::harness::Project;

const HEAD: &str = "-- whimbrel: transaction = none\n";

fn project(script: &str) -> Project {
    let project = Project::notes();
    project.write("migrations/0003_outside.sql", format!("{HEAD}{script}"));
    project
}

fn texts(project: &Project) -> String {
    let texts = "SELECT group_concat(text) FROM (SELECT text FROM note ORDER BY id)";
    project.database().query_row(texts, [], |row| row.get(0)).expect("rows")
}

#[test]
fn goes_on_at_the_statement_that_failed() {
    let three = "INSERT INTO note (text) VALUES ('three');\n";
    let project = project(&format!("{three}VACUUM;\nINSERT INTO nowhere VALUES ('four');\n"));
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    error: migration 3 outside failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_outside.sql:4:13
      |
    4 | INSERT INTO nowhere VALUES ('four');
      |             ^^^^^^^
    note: what it did before that statement stays: it runs outside a transaction; `whimbrel up` goes on at it
    note: 2 migrations were applied before it and stay applied
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State                      Applied at (UTC) Took
            1  create_note  sql   applied                    [moment] [time]
            2  first_notes  sql   applied                    [moment] [time]
            3  outside      sql   in progress, 2 statements  [moment] [time]

    2 applied, 1 in progress.
    ");
    assert_eq!(project.ok(&["status", "--json"]).json("status")["migrations"][2]["applied"]["statements_done"], 2);
    let four = "INSERT INTO note (text) VALUES ('four');\n";
    // The statements that were run may only be reformatted, the others may be what they like.
    project
        .write("migrations/0003_outside.sql", format!("{HEAD}INSERT INTO note (text) VALUES ('3');\nVACUUM;\n{four}"));
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 3 outside: statement 1 was run, and has been changed since
         --> migrations/0003_outside.sql:2:1
          |
        2 | INSERT INTO note (text) VALUES ('3');
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: put it back as it was run: the statements after it may be changed; or begin anew with `whimbrel repair 3 --restart`, which leaves what was done as it is
        ");
        assert_eq!(project.run(&["status", "--check"]).code, 1);
    });
    project.write("migrations/0003_outside.sql", format!("{HEAD}-- better\n  {three}VACUUM;\n{four}"));
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 3 outside ([time]).
    ");
    assert_eq!(texts(&project), "one,two,three,four");
    project.ok(&["verify"]);
    assert_eq!(project.number("SELECT statements FROM _whimbrel_history WHERE version = '3'"), 3);
    let left = "SELECT count(*) FROM sqlite_schema WHERE name = '_whimbrel_history_statements'";
    assert_eq!(project.number(left), 0);
}

#[test]
fn what_the_connection_was_set_to_is_set_again() {
    let project = project(
        "PRAGMA foreign_keys = OFF;\nCREATE TABLE child (note REFERENCES note);\nINSERT INTO child SELECT missing FROM b;\n",
    );
    assert_eq!(project.run(&["up"]).code, 1);
    project.write(
        "migrations/0003_outside.sql",
        format!("{HEAD}PRAGMA foreign_keys = OFF;\nCREATE TABLE child (note REFERENCES note);\nINSERT INTO child VALUES (99);\n"),
    );
    project.write("migrations/0004_next.sql", "INSERT INTO child VALUES (98);\n");
    let next = project.run(&["up"]);
    assert!(next.stderr.contains("Applied 3 outside"), "{next}");
    assert!(next.stderr.contains("FOREIGN KEY constraint failed"), "the next step has them again: {next}");
}

#[test]
fn transactions_of_its_own_are_run_whole() {
    let text = "BEGIN;\nINSERT INTO note (text) VALUES ('three');\nCOMMIT;\nBEGIN;\n\
                INSERT INTO note (text) VALUES ('four');\nINSERT INTO nowhere VALUES (1);\nCOMMIT;\n";
    let project = project(text);
    assert_eq!(project.run(&["up"]).code, 1);
    assert_eq!(texts(&project), "one,two,three");
    project.write(
        "migrations/0003_outside.sql",
        format!("{HEAD}{}", text.replace("nowhere VALUES (1)", "note (text) VALUES ('five')")),
    );
    project.ok(&["up"]);
    assert_eq!(texts(&project), "one,two,three,four,five");
}

#[test]
fn nothing_goes_on_where_temporary_tables_are_gone() {
    let project = project("CREATE TEMP TABLE t AS SELECT 'three' AS text;\nINSERT INTO nowhere SELECT * FROM t;\n");
    assert_eq!(project.run(&["up"]).code, 1);
    let dirty = project.run(&["up"]);
    assert_eq!(dirty.code, 1);
    assert!(dirty.stderr.contains("migration 3 outside runs outside a transaction and stopped half way"), "{dirty}");
}

#[test]
fn nobody_can_tell_whether_a_copy_was_made_when_its_process_was_killed() {
    let project = project("VACUUM INTO 'copy.db';\nINSERT INTO nowhere VALUES (1);\n");
    assert_eq!(project.run(&["up"]).code, 1);
    let statements = "SELECT count(*) FROM _whimbrel_history_statements WHERE state = 'done'";
    assert_eq!(project.number(statements), 1);
    // What a process leaves that is killed in the middle of the statement.
    project
        .database()
        .execute_batch("UPDATE _whimbrel_history_statements SET state = 'running' WHERE statement = 1")
        .unwrap();
    let dirty = project.run(&["up"]);
    assert!(dirty.stderr.contains("stopped half way"), "{dirty}");
    // One that says itself that it failed was not run.
    let failing = self::project("INSERT INTO note (text) VALUES ('three');\nVACUUM INTO 'nowhere/copy.db';\n");
    assert_eq!(failing.run(&["up"]).code, 1);
    failing.write(
        "migrations/0003_outside.sql",
        format!("{HEAD}INSERT INTO note (text) VALUES ('three');\nVACUUM INTO 'copy.db';\n"),
    );
    failing.ok(&["up"]);
    assert_eq!(texts(&failing), "one,two,three");
}

#[test]
fn a_repeatable_one_goes_on_too() {
    let project = Project::notes();
    let script = |last: &str| {
        format!("-- whimbrel: repeat = on-change\n{HEAD}INSERT INTO note (text) VALUES ('three');\n{last}")
    };
    project.write("migrations/R__again.sql", script("SELECT * FROM nowhere;\n"));
    assert_eq!(project.run(&["up"]).code, 1);
    project.write("migrations/R__again.sql", script("SELECT * FROM note;\n"));
    project.ok(&["up"]);
    assert_eq!(texts(&project), "one,two,three");
    project.write("migrations/R__again.sql", script("SELECT text FROM note;\n"));
    project.ok(&["up"]);
    assert_eq!(texts(&project), "one,two,three,three");
    project.ok(&["status", "--check"]);
}
