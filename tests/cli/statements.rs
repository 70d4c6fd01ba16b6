//! Statements of scripts that fail: with their file, their line and what to do.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn a_parameter_has_no_value_in_a_script() {
    for parameter in ["?", "?3", ":name", "@name", "$foo"] {
        let script = format!("CREATE TABLE a (x, y);\nINSERT INTO a\nVALUES ('?', {parameter});\n");
        let project = Project::with(&[("0001_a.sql", &script)]);
        for arguments in [["up", "--json"].as_slice(), &["up", "--dry-run", "--json"]] {
            let problem = project.run(arguments).json("error")["problems"][0].clone();
            let found = (&problem["code"], &problem["line"], &problem["column"]);
            assert_eq!(found, (&"parameter".into(), &3.into(), &14.into()), "{parameter}: {problem}");
        }
    }
    let project = Project::with(&[("0001_a.sql", "SELECT 1;\nSELECT :name;\n")]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 1 a failed on its way up
      caused by: a script has no value for its parameter :name
     --> migrations/0001_a.sql:2:8
      |
    2 | SELECT :name;
      |        ^^^^^
    note: migration 1 a was rolled back
    hint: write the value itself, or a name that is replaced before the script runs: `${name}`, with `-- whimbrel: placeholders = on` at the top
    ");
    // What only looks like one is none.
    project.write("migrations/0001_a.sql", "SELECT ':name', \"?\" FROM (SELECT 1 AS \"?\");\n");
    project.ok(&["up"]);
}

#[test]
fn what_sqlite_says_of_another_file_is_told_with_the_statement() {
    let attach = "CREATE TABLE a (x);\nATTACH '/nonexistent/folder/x.db' AS other;\n";
    let project = Project::with(&[("0001_a.sql", attach)]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    warning: migration 1 a: a database that is attached inside a transaction stays attached until that has ended
     --> migrations/0001_a.sql:2:1
      |
    2 | ATTACH '/nonexistent/folder/x.db' AS other;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: write `-- whimbrel: transaction = none` at the top of a migration of its own for it
    error: migration 1 a failed on its way up
      caused by: unable to open database: /nonexistent/folder/x.db (SQLITE_CANTOPEN)
     --> migrations/0001_a.sql:2:1
      |
    2 | ATTACH '/nonexistent/folder/x.db' AS other;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: migration 1 a was rolled back
    hint: check the path in the statement and its rights; a missing file is created by `up`, a missing folder is not
    ");
    let cases = [
        ("ATTACH 'whimbrel.toml' AS other;\nSELECT * FROM other.t;\n", "not-a-database"),
        ("PRAGMA query_only = ON;\nCREATE TABLE a (x);\n", "read-only"),
        ("PRAGMA max_page_count = 1;\nCREATE TABLE a (x);\nCREATE TABLE b (x);\nCREATE TABLE c (x);\n", "full"),
    ];
    for (script, code) in cases {
        project.write("migrations/0001_a.sql", script);
        let problem = project.run(&["up", "--json"]).json("error")["problems"][0].clone();
        assert_eq!((&problem["code"], &problem["file"]), (&code.into(), &"migrations/0001_a.sql".into()), "{problem}");
        assert!(problem["line"].as_u64().is_some(), "{problem}");
    }
}

#[test]
fn a_value_that_sqlite_does_not_hold() {
    let project =
        Project::with(&[("0001_a.sql", "CREATE TABLE a (x);\nINSERT INTO a VALUES (zeroblob(2000000000));\n")]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 1 a failed on its way up
      caused by: string or blob too big (SQLITE_TOOBIG)
     --> migrations/0001_a.sql:2:1
      |
    2 | INSERT INTO a VALUES (zeroblob(2000000000));
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: migration 1 a was rolled back
    hint: SQLite holds no more than 1,000,000,000 bytes in a value or a row: keep it in several rows, or in a file
    ");
    let error = project.run(&["up", "--json"]).json("error");
    assert_eq!(error["problems"][0]["code"], "limit", "{error}");
}

#[test]
fn a_file_that_is_attached_is_created_whether_the_database_is_new_or_not() {
    let attach = |name: &str| format!("ATTACH '{name}.db' AS other;\nCREATE TABLE other.t (x);\n");
    let project = Project::with(&[("0001_a.sql", &attach("one"))]);
    project.ok(&["up", "--dry-run"]);
    assert!(!project.path("one.db").exists());
    project.ok(&["up"]);
    project.write("migrations/0002_b.sql", attach("two"));
    // A trial creates no file.
    assert_eq!(project.run(&["up", "--dry-run"]).code, 1);
    assert!(!project.path("two.db").exists());
    project.ok(&["up"]);
    assert!(project.path("one.db").exists() && project.path("two.db").exists());
}

#[test]
fn lines_that_end_as_on_windows_are_shown_as_lines() {
    let project = Project::with(&[("0001_a.sql", "SELECT 1,\r\n  nothing;\r\n")]);
    assert_snapshot!(project.run(&["up"]), @r#"
    exit 1
    --- stderr
    error: migration 1 a failed on its way up
      caused by: near "nothing": syntax error (SQLITE_ERROR)
     --> migrations/0001_a.sql:2:3
      |
    1 | SELECT 1,
    2 |   nothing;
      |   ^^^^^^^
    note: migration 1 a was rolled back
"#);
}
