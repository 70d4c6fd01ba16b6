//! Files that cannot be migrations: one clear message, nothing changed.

use std::os::unix::fs::symlink;

use insta::assert_snapshot;

use crate::harness::{Outcome, Project};

/// Applies two good migrations, adds a bad one, and asserts that every verb refuses and changes nothing.
fn refused(file: &str, contents: impl AsRef<[u8]>) -> Outcome {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write(&format!("migrations/{file}"), contents);
    refused_by_all(&project)
}

fn refused_by_all(project: &Project) -> Outcome {
    project.unchanged(|| {
        for verb in ["status", "plan", "verify"] {
            assert_eq!(project.run(&[verb]).code, 1, "{verb}");
        }
        project.run(&["up"])
    })
}

#[test]
fn a_missing_folder() {
    let project = Project::new();
    let outcome = project.unchanged(|| project.run(&["up", "-D", "app.db"]));
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    error: migrations: there is no such folder
    hint: `whimbrel init` makes one; `--dir` names another
    ");
}

#[test]
fn a_link_to_nothing_and_a_link_that_leaves() {
    let project = Project::notes();
    project.ok(&["up"]);
    symlink("nothing", project.path("migrations/0003_nothing.sql")).expect("link");
    symlink("/etc/passwd", project.path("migrations/0004_passwd.sql")).expect("link");
    assert_snapshot!(refused_by_all(&project), @"
    exit 1
    --- stderr
    error: the migrations cannot be read: 2 problems
      - migrations/0003_nothing.sql: is a link to nothing, or has gone meanwhile
      - migrations/0004_passwd.sql: is a link that leads out of the folder, and is not followed
        hint: put the file itself into the folder
    ");
}

#[test]
fn blanks_that_are_none_to_sqlite() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0003_a.sql", "CREATE TABLE a (x);\n\u{3000}\u{a0}\n\u{b}");
    project.ok(&["up"]);
    project.write("migrations/0004_b.sql", "CREATE TABLE b\u{a0}(x);\n\u{a0}\u{a0}CREATE TABLE c (x);");
    let refused = project.unchanged(|| project.run(&["up"]));
    let (place, hint) =
        ("migrations/0004_b.sql:2:1", "hint: U+00A0 stands there, which looks like a blank and is none to SQLite");
    assert!(refused.code == 1 && refused.stderr.contains(place) && refused.stderr.contains(hint), "{refused}");
}

#[test]
fn a_folder_called_like_a_migration_is_ignored() {
    let project = Project::notes();
    std::fs::create_dir(project.path("migrations/0003_x.sql")).expect("folder");
    assert_snapshot!(project.run(&["verify"]), @"
    exit 0
    --- stdout
    note: migrations/0003_x.sql is ignored: a folder
    Verified 2 migrations: files and history agree.

    --- stderr
    note: there is no database app.db
    ");
}

/// Whoever points at the wrong folder is not to think that all is done.
#[test]
fn a_folder_in_which_nothing_is_called_like_a_migration() {
    let mut files: Vec<String> = (1..=7).map(|number| format!("V000{number}.step.up.sql")).collect();
    files.push("README.md".to_owned());
    let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), "SELECT 1;")).collect();
    let project = Project::with(&files);
    let up = project.run(&["up"]);
    assert_snapshot!(up, @"
    exit 0
    --- stdout
    Nothing to do: nothing is pending.

    --- stderr
    note: migrations/V0001.step.up.sql is ignored: does not begin with a version
    note: migrations/V0002.step.up.sql is ignored: does not begin with a version
    note: migrations/V0003.step.up.sql is ignored: does not begin with a version
    note: migrations/V0004.step.up.sql is ignored: does not begin with a version
    note: migrations/V0005.step.up.sql is ignored: does not begin with a version
    note: 2 more are ignored: `whimbrel status` names them
    ");
    let plan = project.ok(&["plan"]);
    assert_eq!((plan.stdout.as_str(), plan.stderr), ("Nothing to do.\n", up.stderr));
    let harmless = Project::with(&[("README.md", "")]);
    assert_eq!(harmless.ok(&["up"]).stderr, "");
}

#[test]
fn a_version_used_twice() {
    let project = Project::with(&[("0001_a.sql", "CREATE TABLE a (id);"), ("0002_b.sql", "CREATE TABLE b (id);")]);
    project.ok(&["up"]);
    project.write("migrations/2_again.sql", "SELECT 1;");
    project.write("migrations/001_too.wasm", "\0asm");
    project.write("migrations/001_too.toml", "");
    assert_snapshot!(refused_by_all(&project), @"
    exit 1
    --- stderr
    error: the migrations cannot be read: 2 problems
      - migrations/001_too.wasm: version 1 is already that of migrations/0001_a.sql
        hint: give one of them another version: `whimbrel renumber`
      - migrations/2_again.sql: version 2 is already that of migrations/0002_b.sql
        hint: give one of them another version: `whimbrel renumber`
    ");
    let code = |project: &Project| {
        let error = project.run(&["plan", "--json"]).json("error");
        let codes: Vec<String> =
            error["problems"].as_array().unwrap().iter().map(|one| one["code"].to_string()).collect();
        (error["code"].to_string(), codes.join(" "))
    };
    let duplicate = "\"duplicate-version\"";
    assert_eq!(code(&project), (duplicate.to_owned(), format!("{duplicate} {duplicate}")));
    project.write("migrations/0003_.sql", "SELECT 1;");
    assert_eq!(code(&project), ("\"source\"".to_owned(), format!("\"source\" {duplicate} {duplicate}")));
}

#[test]
fn a_version_too_large() {
    assert_snapshot!(refused("18446744073709551616_huge.sql", "SELECT 1;"), @"
    exit 1
    --- stderr
    error: migrations/18446744073709551616_huge.sql: version 18446744073709551616 is too large: the largest is 18446744073709551615
    hint: call it like `0001_create.sql`, `0001_create.up.sql` and `0001_create.down.sql`, or `0001_create.wasm` and `0001_create.toml`
    ");
}

#[test]
fn a_name_that_is_almost_right() {
    assert_snapshot!(refused("0003-add-email.sql", "SELECT 1;"), @"
    exit 1
    --- stderr
    error: migrations/0003-add-email.sql: after the version must come `_`, not `-`
    hint: call it like `0001_create.sql`, `0001_create.up.sql` and `0001_create.down.sql`, or `0001_create.wasm` and `0001_create.toml`
    ");
}

#[test]
fn sql_that_is_not_utf_8() {
    assert_snapshot!(refused("0003_latin.sql", b"SELECT 1;\nSELECT 'gr\xf6\xdfe';"), @"
    exit 1
    --- stderr
    error: migrations/0003_latin.sql:2:11: byte 0xf6 is not UTF-8
    hint: save it as UTF-8
    ");
}

#[test]
fn a_directive_with_a_typo() {
    assert_snapshot!(refused("0003_typo.sql", "-- whimbrel: rebuilt\nSELECT 1;"), @"
    exit 1
    --- stderr
    error: migrations/0003_typo.sql:1:4: unknown directive `rebuilt`
    hint: did you mean `rebuild`?
    ");
}

#[test]
fn a_manifest_with_typos() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0003_x.wasm", "\0asm");
    project
        .write("migrations/0003_x.toml", "descripton = \"x\"\n[grants]\nreed = [\"a\"]\n[limits]\nmemory = \"64MB\"\n");
    assert_snapshot!(refused_by_all(&project), @r#"
    exit 1
    --- stderr
    error: the migrations cannot be read: 3 problems
      - migrations/0003_x.toml:1:1: unknown key `descripton`
        hint: did you mean `description`?
      - migrations/0003_x.toml:3:1: unknown key `reed`
        hint: did you mean `read`?
      - migrations/0003_x.toml:5:10: "64MB" is not an amount of memory: write "64MiB", "1GiB"
    "#);
}

#[test]
fn a_component_without_a_manifest() {
    assert_snapshot!(refused("0003_x.wasm", "\0asm"), @r#"
    exit 1
    --- stderr
    error: migrations/0003_x.wasm: a component needs its manifest beside it
    hint: write migrations/0003_x.toml with what it does and may do, such as:
        description = "x"
        
        [grants]
        read = ["table(column)"]
        update = ["table(column)"]
    "#);
}

#[test]
fn a_down_script_without_an_up_script() {
    assert_snapshot!(refused("0003_x.down.sql", "SELECT 1;"), @"
    exit 1
    --- stderr
    error: migrations/0003_x.down.sql: there is no up script for this down script
    hint: add migrations/0003_x.up.sql
    ");
}

#[test]
fn all_problems_of_all_files_at_once() {
    let project = Project::notes();
    project.write("migrations/0003_x.sql", "");
    project.write("migrations/0004 x.sql", "SELECT 1;");
    project.write("migrations/0005_x.sql", b"\xff\xfeS\0");
    assert_snapshot!(refused_by_all(&project), @"
    exit 1
    --- stderr
    error: the migrations cannot be read: 3 problems
      - migrations/0003_x.sql: the file is blank
        hint: write its statements, or a comment that says why there are none
      - migrations/0004 x.sql: after the version must come `_`, not ` `
        hint: call it like `0001_create.sql`, `0001_create.up.sql` and `0001_create.down.sql`, or `0001_create.wasm` and `0001_create.toml`
      - migrations/0005_x.sql:1:1: byte 0xff is not UTF-8
        hint: it looks like UTF-16: save it as UTF-8
    ");
}

#[test]
fn a_gap_is_worth_a_note_only() {
    let project = Project::notes();
    project.write("migrations/0005_five.sql", "SELECT 5;");
    assert_snapshot!(project.run(&["verify"]), @"
    exit 0
    --- stdout
    note: the sequence has no versions 3, 4
    Verified 3 migrations: files and history agree.

    --- stderr
    note: there is no database app.db
    ");
    project.ok(&["up"]);
}

#[test]
fn an_error_in_the_third_statement() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write(
        "migrations/0003_three.sql",
        "INSERT INTO note (text) VALUES ('three');\nCREATE TABLE more (id);\n\nUPDATE note\n   SET txt = 'x'\n WHERE id = 1;\nSELECT 1;\n",
    );
    let outcome = project.unchanged(|| project.run(&["up"]));
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    error: migration 3 three failed on its way up
      caused by: no such column: txt (SQLITE_ERROR)
     --> migrations/0003_three.sql:5:8
      |
    4 | UPDATE note
    5 |    SET txt = 'x'
      |        ^^^
    note: migration 3 three was rolled back
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
}

#[test]
fn errors_with_and_without_a_place() {
    let project = Project::notes();
    project.ok(&["up"]);
    let cases = [
        ("INSERT INTO note (id, text) VALUES (1, 'again');", "UNIQUE constraint failed: note.id"),
        ("SELEC 1;", "near \"SELEC\": syntax error"),
        ("SELECT (1;", "near \";\": syntax error"),
        ("SELECT * FROM \"nö\u{1b}\";", "no such table: nö\\u{1b}"),
        ("CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT 1;", "incomplete input"),
    ];
    for (sql, message) in cases {
        project.write("migrations/0003_bad.sql", sql);
        let outcome = project.unchanged(|| project.run(&["up"]));
        assert_eq!(outcome.code, 1, "{sql}");
        assert!(outcome.stderr.contains(message), "{sql}: {outcome}");
        assert!(outcome.stderr.contains("--> migrations/0003_bad.sql:1:"), "{sql}: {outcome}");
        assert!(!outcome.stderr.contains('\u{1b}'), "{sql}");
    }
}

#[test]
fn earlier_migrations_stay_when_a_later_one_fails() {
    let project = Project::notes();
    project.write("migrations/0003_bad.sql", "DROP TABLE nowhere;");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    error: migration 3 bad failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_bad.sql:1:12
      |
    1 | DROP TABLE nowhere;
      |            ^^^^^^^
    note: migration 3 bad was rolled back
    note: 2 migrations were applied before it and stay applied
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 2);
}

#[test]
fn what_ran_outside_a_transaction_stays() {
    let project = Project::notes();
    project.write(
        "migrations/0003_outside.sql",
        "-- whimbrel: transaction = none\nCREATE TABLE kept (id);\nSELECT * FROM nowhere;\n",
    );
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    error: migration 3 outside failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_outside.sql:3:15
      |
    3 | SELECT * FROM nowhere;
      |               ^^^^^^^
    note: what it has committed before that statement stays: it runs outside a transaction; `whimbrel up` goes on there
    note: 2 migrations were applied before it and stay applied
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(project.number("SELECT count(*) FROM kept"), 0);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 3 outside failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_outside.sql:3:15
      |
    3 | SELECT * FROM nowhere;
      |               ^^^^^^^
    note: what it has committed before that statement stays: it runs outside a transaction; `whimbrel up` goes on there
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
}
