//! Histories that do not fit the files: one clear message, nothing changed.

use insta::assert_snapshot;

use crate::harness::Project;

fn applied() -> Project {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0003_three.sql", "CREATE TABLE three (id);");
    project
}

#[test]
fn a_later_version_of_the_program_wrote_it() {
    let project = applied();
    project.database().execute("UPDATE _whimbrel_history_schema SET version = 99", []).expect("set");
    project.unchanged(|| {
        for verb in ["status", "plan", "verify", "history", "down"] {
            assert_eq!(project.run(&[verb]).code, 1, "{verb}");
        }
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: the history table _whimbrel_history has schema version 99, and this program knows versions up to 2
        hint: use the whimbrel that wrote it, or a later one
        ");
    });
}

#[test]
fn a_row_that_the_program_cannot_have_written() {
    let project = applied();
    project.database().execute("UPDATE _whimbrel_history SET checksum = 'x' || char(27)", []).expect("set");
    project.unchanged(|| assert_snapshot!(project.run(&["up"]), @r#"
    exit 1
    --- stderr
    error: row 1 of the history table _whimbrel_history has an unusable checksum: "x\u{1b}" is not a checksum: it has 64 hexadecimal digits
    hint: the row was not written by whimbrel, or changed later: look at it with the SQLite shell
    "#));
}

#[test]
fn an_applied_migration_was_changed() {
    let project = applied();
    project.write("migrations/0002_first_notes.up.sql", "INSERT INTO note (text) VALUES ('three');\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 2 first_notes was changed after it was applied (migrations/0002_first_notes.up.sql)
        hint: put the file back as it was and make the change in a new migration (recorded d129847a7916…, found b268ff52fe79…); if nothing has to be run for it, `whimbrel repair 2 --accept`
        ");
        assert_eq!(project.run(&["verify"]).code, 1);
        project.ok(&["status"]);
    });
}

#[test]
fn an_applied_migration_was_only_reformatted() {
    let project = applied();
    project.write(
        "migrations/0002_first_notes.up.sql",
        "\u{feff}-- Two notes.\r\nINSERT INTO note (text)\r\n  VALUES ('one'), ('two');  \r\n",
    );
    project.unchanged(|| {
        assert_snapshot!(project.run(&["plan"]), @"
    exit 0
    --- stdout
    1. up 3 three  sql  migrations/0003_three.sql

    `whimbrel up` would apply 1 migration.

    --- stderr
    warning: migration 2 first_notes: was reformatted after it was applied
    hint: the statements are the same, so this is accepted
    ");
    });
    project.ok(&["verify"]);
    project.ok(&["up"]);
}

#[test]
fn a_literal_counts_to_the_last_blank() {
    let project = applied();
    project.write("migrations/0002_first_notes.up.sql", "INSERT INTO note (text) VALUES ('one'), ('two ');\n");
    assert_eq!(project.run(&["verify"]).code, 1);
}

#[test]
fn an_applied_migration_is_missing() {
    let project = applied();
    project.remove("migrations/0002_first_notes.up.sql");
    project.remove("migrations/0002_first_notes.down.sql");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 2 first_notes is applied, but not in the chain
        hint: bring its file back, or go on without it with --ignore-missing; if it is gone for good, `whimbrel repair 2 --forget`
        ");
    });
    assert_snapshot!(project.run(&["up", "--ignore-missing"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 3 three ([time]).
    ");
}

#[test]
fn several_problems_are_told_together() {
    let project = applied();
    project.write("migrations/0001_create_note.up.sql", "CREATE TABLE note (id);\n");
    project.remove("migrations/0002_first_notes.up.sql");
    project.remove("migrations/0002_first_notes.down.sql");
    project.write("migrations/0000_zero.sql", "SELECT 0;");
    project.unchanged(|| assert_snapshot!(project.run(&["up", "--to", "99"]), @"
    exit 1
    --- stderr
    error: there is no plan: 4 problems
      - migration 1 create_note was changed after it was applied (migrations/0001_create_note.up.sql)
        hint: put the file back as it was and make the change in a new migration (recorded 82023a05cbba…, found 1082c68fd563…); if nothing has to be run for it, `whimbrel repair 1 --accept`
      - migration 2 first_notes is applied, but not in the chain
        hint: bring its file back, or go on without it with --ignore-missing; if it is gone for good, `whimbrel repair 2 --forget`
      - the chain has no version 99
        hint: `whimbrel status` shows the versions there are
      - migration 0 zero is pending, but 2 is already applied
        hint: give it a version above 2, or apply it all the same with --allow-out-of-order; `-- whimbrel: out_of_order = allow` in its head says that it may always be
    "));
}

#[test]
fn tables_that_are_no_history_or_no_longer_are_told_as_that_by_every_verb() {
    let other = "--table=note";
    let cases: [(&str, &[&str], &str); 7] = [
        ("DELETE FROM _whimbrel_history_schema", &[], "does not say which version it has"),
        ("UPDATE _whimbrel_history_schema SET version = 0", &[], "does not say which version it has"),
        ("UPDATE _whimbrel_history_schema SET version = 'abc'", &[], "does not say which version it has"),
        ("DROP TABLE _whimbrel_history_schema", &[], "no table _whimbrel_history_schema that says"),
        ("DROP TABLE _whimbrel_history", &[], "_whimbrel_history_schema says that it should be"),
        ("SELECT 1", &[other], "there is a table of this name"),
        ("CREATE TABLE note_schema (x); INSERT INTO note_schema VALUES (1)", &[other], "no such column: version"),
    ];
    for (change, more, reason) in cases {
        let project = applied();
        project.database().execute_batch(change).expect(change);
        project.unchanged(|| {
            for verb in ["status", "plan", "verify", "history", "up", "down"] {
                let outcome = project.run(&[&[verb, "--json"], more].concat());
                assert_eq!(outcome.code, 1, "{change}: {verb}: {outcome}");
                let json = outcome.json("error");
                assert_eq!(json["code"], "history", "{change}: {verb}: {json}");
                assert!(json["message"].as_str().unwrap().contains(reason), "{change}: {verb}: {json}");
                assert!(json["hint"].is_string(), "{change}: {verb}: {json}");
            }
        });
    }
    let project = applied();
    project.database().execute_batch("DROP TABLE _whimbrel_history_schema").expect("drop");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: the history table _whimbrel_history cannot be used: there is a table of this name, and no table _whimbrel_history_schema that says that it is a history
    hint: take it from a backup; or, if nothing else is wrong with it, say which version it has in the SQLite shell: CREATE TABLE IF NOT EXISTS _whimbrel_history_schema (version INTEGER NOT NULL); DELETE FROM _whimbrel_history_schema; INSERT INTO _whimbrel_history_schema VALUES (2);
    ");
    // The way out that it tells.
    let repaired = "CREATE TABLE IF NOT EXISTS _whimbrel_history_schema (version INTEGER NOT NULL); \
                    DELETE FROM _whimbrel_history_schema; INSERT INTO _whimbrel_history_schema VALUES (2);";
    assert!(project.run(&["up"]).stderr.contains(repaired));
    project.database().execute_batch(repaired).expect("repaired");
    project.ok(&["up"]);
}

#[test]
fn a_row_that_the_database_leaves_out_is_an_error() {
    let project = applied();
    let ignore = "CREATE TRIGGER deaf BEFORE INSERT ON _whimbrel_history BEGIN SELECT RAISE(IGNORE); END";
    project.database().execute_batch(ignore).expect("trigger");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 3 three failed on its way up
          caused by: cannot use the history table _whimbrel_history
          caused by: the database left the row out: is there a trigger on the table?
        ");
    });
}
