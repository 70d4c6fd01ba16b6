//! Preconditions: what must hold before a migration runs, and what happens otherwise.

use insta::assert_snapshot;

use crate::harness::{Outcome, Project};

fn project(head: &str) -> Project {
    let project = Project::notes();
    project.write("migrations/0003_three.sql", format!("{head}INSERT INTO note (text) VALUES ('three');\n"));
    project.write("migrations/0004_four.sql", "INSERT INTO note (text) VALUES ('four');\n");
    project
}

fn texts(project: &Project) -> String {
    let texts = "SELECT group_concat(text) FROM (SELECT text FROM note ORDER BY id)";
    project.database().query_row(texts, [], |row| row.get(0)).expect("rows")
}

#[test]
fn runs_what_holds() {
    let project = project(
        "-- whimbrel: require = SELECT count(*) = 2 FROM note\n-- whimbrel: skip_unless = SELECT 1\n\
         -- whimbrel: require = SELECT 1 FROM note\n-- whimbrel: mark_applied_unless = VALUES (1)\n",
    );
    assert_snapshot!(project.run(&["plan"]).stdout, @"
    1. up 1 create_note  sql  migrations/0001_create_note.up.sql
    2. up 2 first_notes  sql  migrations/0002_first_notes.up.sql
    3. up 3 three  sql  migrations/0003_three.sql
       requires: SELECT count(*) = 2 FROM note
       skipped unless: SELECT 1
       requires: SELECT 1 FROM note
       marked as applied and not run unless: VALUES (1)
    4. up 4 four  sql  migrations/0004_four.sql

    `whimbrel up` would apply 4 migrations.
    ");
    project.ok(&["up"]);
    assert_eq!(texts(&project), "one,two,three,four");
}

#[test]
fn stops_where_something_is_required() {
    let project = project("");
    project.write(
        "migrations/0003_three.toml",
        "[[preconditions]]\nsql = \"SELECT count(*) > 5 FROM note\"\nmessage = \"write more notes first\"\n",
    );
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    error: migration 3 three failed on its way up
      caused by: it may not run: write more notes first
    note: 2 migrations were applied before it and stay applied
    hint: see to it that it holds; `whimbrel plan` shows what each migration requires
    ");
    assert_eq!(texts(&project), "one,two");
    let error = project.run(&["up", "--single-transaction", "--json"]).json("error");
    assert_eq!(error["code"], "precondition", "{error:#}");
    project.database().execute_batch("INSERT INTO note (text) VALUES ('a'), ('b'), ('c'), ('d')").expect("rows");
    project.ok(&["up"]);
}

#[test]
fn skips_and_asks_again() {
    let project = project("-- whimbrel: skip_unless = SELECT count(*) > 5 FROM note\n");
    project
        .write("migrations/0005_five.sql", "-- whimbrel: depends_on = 3\nINSERT INTO note (text) VALUES ('five');\n");
    assert_snapshot!(project.run(&["up", "--dry-run"]), @"
    exit 0
    --- stdout
    up 1 create_note ([time])
        CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

    up 2 first_notes ([time])
        INSERT INTO note (text) VALUES ('one'), ('two');  (2 rows)
        rows of note: 2 inserted

    Skipped 3 three, it stays pending: this does not hold: SELECT count(*) > 5 FROM note

    up 4 four ([time])
        INSERT INTO note (text) VALUES ('four');  (1 row)
        rows of note: 1 inserted

    Skipped 5 five, it stays pending: it depends on 3 three, which was skipped

    Tried 3 migrations in [time] and rolled everything back: the database is as it was.
    ");
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 3 migrations in [time]; 2 skipped.

    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    Skipped 3 three, it stays pending: this does not hold: SELECT count(*) > 5 FROM note.
    Applied 4 four ([time]).
    Skipped 5 five, it stays pending: it depends on 3 three, which was skipped.
    ");
    assert_eq!(texts(&project), "one,two,four");
    assert_eq!(project.run(&["status", "--check"]).code, 0, "they are pending, and `up` would skip both");
    project.write("migrations/0006_six.sql", "SELECT 1;\n");
    assert_eq!(project.run(&["status", "--check"]).code, 3, "one would be applied");
    project.remove("migrations/0006_six.sql");
    assert_snapshot!(project.run(&["status"]).stdout.split_once("\n\n3 ").expect("a sum").1, @"
    applied, 1 out of order, 1 pending.
    note: as the database is now, `up` would skip 3 three: this does not hold: SELECT count(*) > 5 FROM note
    note: as the database is now, `up` would skip 5 five: it depends on 3 three, which would be skipped
    ");
    let again = project.ok(&["up", "--json"]).json("up");
    let outcomes: Vec<_> = again["steps"].as_array().expect("steps").iter().map(|step| &step["outcome"]).collect();
    assert_eq!(outcomes, ["skipped", "skipped"], "{again:#}");
    project.database().execute_batch("INSERT INTO note (text) VALUES ('a'), ('b'), ('c')").expect("rows");
    project.ok(&["up"]);
    assert_eq!(texts(&project), "one,two,four,a,b,c,three,five");
}

#[test]
fn marks_as_applied_and_says_so() {
    let project = project("-- whimbrel: mark_applied_unless = SELECT count(*) = 0 FROM note WHERE text = 'three'\n");
    project.ok(&["up", "--steps", "2"]);
    project.database().execute("INSERT INTO note (text) VALUES ('three')", []).expect("row");
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time]; 1 marked as applied without running.

    --- stderr
    Not run 3 three, it counts as applied: this does not hold: SELECT count(*) = 0 FROM note WHERE text = 'three'.
    Applied 4 four ([time]).
    ");
    assert_eq!(texts(&project), "one,two,three,four");
    let history = project.ok(&["history"]).stdout;
    assert!(history.contains("three (not run)"), "{history}");
    let rows = project.ok(&["history", "--json"]).json("history");
    assert!(rows["rows"][2]["not_run"].as_str().is_some_and(|why| why.starts_with("this does not hold")), "{rows:#}");
    assert_eq!(project.run(&["status", "--check"]).code, 0);
    assert!(project.ok(&["up"]).stdout.starts_with("Nothing to do"));
}

#[test]
fn of_steps_that_commit_on_their_own() {
    for (otherwise, texts_after, rows) in
        [("skip_unless", "one,two,four", 3), ("mark_applied_unless", "one,two,four", 4), ("require", "one,two", 2)]
    {
        let project = project(&format!("-- whimbrel: transaction = none\n-- whimbrel: {otherwise} = SELECT 0\n"));
        let up = project.run(&["up"]);
        assert_eq!(up.code, i32::from(otherwise == "require"), "{up}");
        assert_eq!(texts(&project), texts_after, "{up}");
        assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE state = 'applied'"), rows, "{up}");
    }
}

#[test]
fn asks_and_changes_nothing() {
    for query in [
        "DELETE FROM note RETURNING 1",
        "COMMIT",
        "SELECT nothing FROM note",
        "SELECT 1; DELETE FROM note",
        "PRAGMA user_version = 3",
    ] {
        let project = project(&format!("-- whimbrel: skip_unless = {query}\n"));
        let refused = project.run(&["up", "--json"]).json("error");
        assert_eq!(refused["code"], "precondition-failed", "{query}: {refused:#}");
        assert_eq!(texts(&project), "one,two", "{query}");
    }
}

#[test]
fn tells_what_is_wrong_with_them() {
    let project = project("-- whimbrel: require\n");
    project.write("migrations/0004_four.toml", "[[preconditions]]\nsql = \"SELECT 1\"\notherwise = \"warn\"\n");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: the migrations cannot be read: 2 problems
      - migrations/0003_three.sql:1:4: `require` has no query
        hint: write `-- whimbrel: require = SELECT …`
      - migrations/0004_four.toml:3:13: unknown variant `warn`, expected one of `fail`, `skip`, `mark-applied`
    ");
}

#[test]
fn puts_values_into_queries() {
    let project = project("-- whimbrel: skip_unless = SELECT count(*) = ${wanted} FROM note\n");
    project.write("migrations/0004_four.toml", "[[preconditions]]\nsql = \"SELECT '${tenant}' = 'acme'\"\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up", "--set", "other=1"]), @r#"
        exit 1
        --- stderr
        error: there is no plan: 2 problems
          - migration 3 three: there is no value for wanted
         --> migrations/0003_three.sql:1:46
          |
        1 | -- whimbrel: skip_unless = SELECT count(*) = ${wanted} FROM note
          |                                              ^^^^^^^^^
            hint: say it with --set wanted=VALUE, or write `wanted = "…"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is
          - migration 4 four: there is no value for tenant
         --> migrations/0004_four.toml:2:16
          |
        2 | sql = "SELECT '${tenant}' = 'acme'"
          |                ^^^^^^^^^
            hint: say it with --set tenant=VALUE, or write `tenant = "…"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is
        "#);
    });
    project.ok(&["up", "--set", "wanted=7", "--set", "tenant=acme"]);
    assert_eq!(texts(&project), "one,two,four");
    project.ok(&["up", "--set", "wanted=3"]);
    assert_eq!(texts(&project), "one,two,four,three");
}

#[test]
fn shows_no_value_of_a_query() {
    let head = "-- whimbrel: require = SELECT * FROM note WHERE ${secret} = 1\n";
    let run = project(head).run(&["up", "--set", "secret=hush_hush"]);
    assert_eq!(run.code, 1);
    assert!(!run.stderr.contains("hush") && !run.stdout.contains("hush"), "{}", run.stderr);
    assert!(run.stderr.contains("${secret}"), "{}", run.stderr);
    let run = project("-- whimbrel: require = SELECT '${secret}' = 'x'\n").run(&["up", "--set", "secret=hush_hush"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("it may not run") && !run.stderr.contains("hush"), "{}", run.stderr);
}

#[test]
fn status_tells_what_would_become_of_them() {
    let project = project("-- whimbrel: require = SELECT count(*) = 2 FROM note\n");
    project.write("migrations/0004_four.toml", "[[preconditions]]\nsql = \"SELECT 0\"\nmessage = \"not\\u001byet\"\n");
    let heads = ["skip_unless = SELECT 1 WHERE 0", "mark_applied_unless = SELECT 0", "require = SELECT * FROM later"];
    for (version, head) in (5..).zip(heads) {
        let first = "-- whimbrel: require = SELECT 1\n";
        let text = format!("{first}-- whimbrel: {head}\nINSERT INTO note (text) VALUES ('{version}');\n");
        project.write(&format!("migrations/000{version}_more.sql"), text);
    }
    let run = project.unchanged(|| project.run(&["status"]));
    assert!(!run.stdout.contains("as the database is now"), "there is none: {}", run.stdout);
    project.ok(&["up", "--to", "2"]);
    assert_snapshot!(notes(&project.unchanged(|| project.run(&["status"]))), @r"
    note: as the database is now, the preconditions of 3 three hold
    note: as the database is now, `up` would fail at 4 four: not\u{1b}yet
    note: as the database is now, `up` would skip 5 more: this does not hold: SELECT 1 WHERE 0
    note: as the database is now, `up` would mark 6 more as applied and not run it: this does not hold: SELECT 0
    note: it cannot be told what `up` would do with 7 more: a precondition cannot be asked: SELECT * FROM later: no such table: later (SQLITE_ERROR)
    ");
    let json = project.unchanged(|| project.ok(&["status", "--json"])).json("status");
    let said: Vec<String> = json["migrations"]
        .as_array()
        .expect("migrations")
        .iter()
        .map(|migration| format!("{} {}", migration["version"], migration["preconditions"]))
        .collect();
    assert_snapshot!(said.join("\n"), @r#"
    "1" null
    "2" null
    "3" {"outcome":"met","reason":null}
    "4" {"outcome":"fail","reason":"not\u001byet"}
    "5" {"outcome":"skip","reason":"this does not hold: SELECT 1 WHERE 0"}
    "6" {"outcome":"mark-applied","reason":"this does not hold: SELECT 0"}
    "7" {"outcome":"unknown","reason":"a precondition cannot be asked: SELECT * FROM later: no such table: later (SQLITE_ERROR)"}
    "#);
    assert_eq!(project.run(&["status", "--check"]).code, 3, "an answer is nothing that is wrong");
    // What is applied is not asked.
    project.database().execute_batch("CREATE TABLE later AS SELECT 1").expect("table");
    project.write("migrations/0004_four.toml", "");
    project.ok(&["up"]);
    let left = notes(&project.run(&["status"]));
    assert_snapshot!(left, @"note: as the database is now, `up` would skip 5 more: this does not hold: SELECT 1 WHERE 0");
}

#[test]
fn status_asks_with_values_and_lets_no_query_write() {
    let project = project("-- whimbrel: require = DELETE FROM note RETURNING 1\n");
    project.write("migrations/0004_four.toml", "[[preconditions]]\nsql = \"SELECT '${tenant}' = 'acme'\"\n");
    project.ok(&["up", "--to", "2"]);
    assert_snapshot!(notes(&project.unchanged(|| project.run(&["status", "--set", "other=1"]))), @"
    note: it cannot be told what `up` would do with 3 three: a precondition cannot be asked: DELETE FROM note RETURNING 1: nothing may be changed here (SQLITE_AUTH)
    note: it cannot be told what `up` would do with 4 four: there is no value for tenant
    ");
    let filled = notes(&project.unchanged(|| project.run(&["status", "--set", "tenant=acme"])));
    assert!(filled.contains("the preconditions of 4 four hold"), "{filled}");
    assert_eq!(texts(&project), "one,two");
}

/// Returns the notes of a run that went well.
fn notes(run: &Outcome) -> String {
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout.lines().filter(|line| line.starts_with("note: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_repeatable_one_is_skipped_by_itself_and_with_what_it_depends_on() {
    let project = project("-- whimbrel: skip_unless = SELECT count(*) > 5 FROM note\n");
    let insert = |head: &str, text: &str| format!("{head}INSERT INTO note (text) VALUES ('{text}');\n");
    project.write(
        "migrations/R__a_asks.sql",
        insert("-- whimbrel: skip_unless = SELECT count(*) > 6 FROM note\n", "asks"),
    );
    project.write("migrations/R__b_needs.sql", insert("-- whimbrel: depends_on = 3\n", "needs"));
    project.write("migrations/R__c_free.sql", insert("", "free"));
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 4 migrations in [time]; 3 skipped.

    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    Skipped 3 three, it stays pending: this does not hold: SELECT count(*) > 5 FROM note.
    Applied 4 four ([time]).
    Skipped a_asks, it stays pending: this does not hold: SELECT count(*) > 6 FROM note.
    Skipped b_needs, it stays pending: it depends on 3 three, which was skipped.
    Applied c_free ([time]).
    ");
    assert_eq!(texts(&project), "one,two,four,free");
    // Both are asked again by each run.
    let again = project.ok(&["up"]);
    assert!(
        again.stdout.starts_with("Applied 0 migrations in ") && again.stderr.matches("Skipped").count() == 3,
        "{again}"
    );
    project.database().execute_batch("INSERT INTO note (text) VALUES ('x'), ('x')").expect("rows");
    let third = project.ok(&["up"]);
    assert!(third.stdout.starts_with("Applied 3 migrations in "), "{third}");
    assert_eq!(texts(&project), "one,two,four,free,x,x,three,asks,needs");
    let status = project.ok(&["status", "--json"]).json("status");
    assert_eq!((&status["pending"], &status["applied"]), (&0.into(), &7.into()));
}
