//! `whimbrel verify`.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn is_content_when_files_and_history_agree() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    project.write("migrations/notes.txt", "x");
    project.write("migrations/0004_four.sql", "SELECT 4;");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["verify"]), @"
    exit 0
    --- stdout
    note: the sequence has no version 3
    note: migrations/notes.txt is ignored: neither .sql nor .wasm nor .toml nor a script
    Verified 3 migrations: files and history agree.
    ");
    });
}

#[test]
fn finds_everything_that_is_wrong() {
    let project = Project::notes();
    project.write("migrations/0003_three.sql", "SELECT 3;");
    project.write("migrations/0005_five.sql", "SELECT 5;");
    project.ok(&["up"]);
    project.write("migrations/0001_create_note.up.sql", "SELECT 'changed';");
    project.remove("migrations/0003_three.sql");
    project.write("migrations/0004_late.sql", "SELECT 4;");
    project.write("migrations/0005_five.sql", "SELECT   5; -- five");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["verify"]), @"
        exit 1
        --- stdout
        error: migration 1 create_note was changed after it was applied (migrations/0001_create_note.up.sql)
        hint: put the file back as it was and make the change in a new migration; if nothing has to be run for it, `whimbrel repair 1 --accept`
        error: migration 3 three is applied, but its file is missing
        hint: bring its file back, or use --ignore-missing; if it is gone for good, `whimbrel repair 3 --forget`
        error: migration 4 late is pending, but a later one is applied (migrations/0004_late.sql)
        hint: give it a later version (`whimbrel renumber`), or use --allow-out-of-order
        note: migration 5 five was reformatted after it was applied
        note: the sequence has no version 3
        Verified 5 migrations: 3 problems.
        ");
    });
    let found = project.run(&["verify", "--allow-out-of-order", "--ignore-missing", "--json"]);
    let json = found.json("verify");
    assert_eq!((found.code, json["problems"].as_array().map(Vec::len)), (1, Some(1)));
}
