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
