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
    note: what it has committed before that statement stays: it runs outside a transaction; `whimbrel up` goes on there
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

/// As applications of sqlx write them: they leave the transaction that it has begun, and begin the one that it commits.
const STEPS_OUT: &str = "UPDATE note SET text = 'One' WHERE text = 'one';\n\
                         COMMIT;\n\
                         PRAGMA foreign_keys = OFF;\n\
                         BEGIN;\n\
                         CREATE TABLE new (id INTEGER PRIMARY KEY, text TEXT NOT NULL, author TEXT);\n\
                         INSERT INTO new (id, text) SELECT id, text FROM note;\n\
                         DROP TABLE note;\n\
                         ALTER TABLE new RENAME TO note;\n\
                         COMMIT;\n\
                         PRAGMA foreign_keys = ON;\n\
                         BEGIN;\n\
                         INSERT INTO note (text) VALUES ('three');\n";

fn stepping_out(up: &str) -> Project {
    let project = Project::notes();
    project.write(
        "migrations/0003_answer.sql",
        "CREATE TABLE answer (note REFERENCES note ON DELETE CASCADE);\nINSERT INTO answer SELECT id FROM note;\n",
    );
    project.write("migrations/0004_out.up.sql", up);
    project.write(
        "migrations/0004_out.down.sql",
        "COMMIT;\nPRAGMA foreign_keys = OFF;\nBEGIN;\nALTER TABLE note DROP COLUMN author;\nCOMMIT;\nBEGIN;\nDELETE FROM note WHERE text = 'three';\n",
    );
    project
}

#[test]
fn a_script_of_another_tool_steps_out_of_its_transaction() {
    let project = stepping_out(STEPS_OUT);
    project.ok(&["up", "--layout", "sqlx"]);
    assert_eq!(texts(&project), "One,two,three");
    assert_eq!(project.number("SELECT count(*) FROM answer"), 2, "foreign keys were off");
    assert_eq!(project.number("SELECT statements FROM _whimbrel_history WHERE version = '4'"), 12);
    project.ok(&["verify", "--layout", "sqlx"]);
    project.ok(&["down", "--layout", "sqlx"]);
    assert_eq!(texts(&project), "One,two");
    assert_eq!(project.number("SELECT count(*) FROM pragma_table_info('note') WHERE name = 'author'"), 0);
}

#[test]
fn a_script_that_steps_out_goes_on_at_the_transaction_that_failed() {
    for (place, done) in [(0, "one,two"), (5, "One,two"), (11, "One,two")] {
        let mut lines: Vec<&str> = STEPS_OUT.lines().collect();
        lines.insert(place, "INSERT INTO nowhere VALUES (1);");
        let project = stepping_out(&lines.join("\n"));
        assert_eq!(project.run(&["up", "--layout", "sqlx"]).code, 1, "{place}");
        assert_eq!(texts(&project), done, "{place}");
        let columns = project.number("SELECT count(*) FROM pragma_table_info('note')");
        assert_eq!(columns, if place < 9 { 2 } else { 3 }, "{place}");
        assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE version = '4'"), i64::from(place > 0));
        project.write("migrations/0004_out.up.sql", STEPS_OUT);
        project.ok(&["up", "--layout", "sqlx"]);
        assert_eq!(texts(&project), "One,two,three", "{place}");
        assert_eq!(project.number("SELECT count(*) FROM answer"), 2, "{place}");
    }
}

#[test]
fn what_steps_out_is_refused_in_the_own_layout_and_runs_when_it_says_so() {
    let project = Project::notes();
    project.write("migrations/0003_out.sql", STEPS_OUT);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 3 out: COMMIT of a transaction that the script has not begun
         --> migrations/0003_out.sql:2:1
          |
        2 | COMMIT;
          | ^^^^^^^
        hint: leave out what commits and begins: `-- whimbrel: rebuild` at the top has foreign keys off; or name the tool it was written for with `--layout`, or write `-- whimbrel: transaction = none` at the top, and it runs as it stands
        ");
    });
    project.write("migrations/0003_out.sql", format!("{HEAD}{STEPS_OUT}"));
    project.ok(&["up"]);
    assert_eq!(texts(&project), "One,two,three");
}

#[test]
fn what_was_changed_after_it_was_run_is_told_with_what_helps() {
    let project = project("INSERT INTO note (text) VALUES ('three');\nINSERT INTO nowhere VALUES ('four');\n");
    project.run(&["up"]);
    project
        .write("migrations/0003_outside.sql", format!("{HEAD}INSERT INTO note (text) VALUES ('other');\nSELECT 1;\n"));
    let status = project.ok(&["status"]);
    assert!(status.stdout.contains("changed in progress, 1 statement"), "{status}");
    assert_snapshot!(project.run(&["verify"]), @r"
    exit 1
    --- stdout
    error: migration 3 outside was changed while it is in progress (migrations/0003_outside.sql)
    hint: put back what is done of it as it was, so that the rest can follow; or begin anew with `whimbrel repair 3 --restart`
    Verified 3 migrations: 1 problem.
    ");
    assert_snapshot!(project.run(&["repair", "3", "--accept", "--yes"]), @r"
    exit 1
    --- stderr
    error: migration 3 outside cannot be accepted as it is now: it is changed while it is in progress
    hint: put it back as it was, so that `whimbrel up` goes on with it, or begin anew with --restart
    ");
    project.ok(&["repair", "3", "--restart", "--yes"]);
}

#[test]
fn nothing_is_said_to_stay_where_the_first_statement_fails() {
    let project = Project::notes();
    project
        .write("migrations/0003_x.sql", "-- whimbrel: transaction = none\nINSERT INTO nowhere VALUES (1);\nVACUUM;\n");
    project.ok(&["up", "--to", "2"]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 3 x failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_x.sql:2:13
      |
    2 | INSERT INTO nowhere VALUES (1);
      |             ^^^^^^^
    note: migration 3 x was rolled back
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 2);
}
