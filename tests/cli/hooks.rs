//! Hooks: what is run at the moments of a run, in which transaction, and what a failing one stops.

use insta::assert_snapshot;

use crate::harness::Project;

/// Two migrations, and hooks that each write a line into a table of their own.
fn project(hooks: &str) -> Project {
    let project = Project::notes();
    project.write("whimbrel.toml", format!("database = \"sqlite:app.db\"\n{hooks}"));
    for moment in ["before_all", "before_each", "after_each", "after_all", "on_error"] {
        let sql = format!("CREATE TABLE IF NOT EXISTS said (what TEXT);\nINSERT INTO said VALUES ('{moment}');\n");
        project.write(&format!("hooks/{moment}.sql"), sql);
    }
    project
}

const ALL: &str = r#"[hooks]
before_all = "hooks/before_all.sql"
before_each = ["hooks/before_each.sql"]
after_each = { file = "hooks/after_each.sql" }
after_all = ["hooks/after_all.sql", { name = "tidy", sql = "INSERT INTO said VALUES ('tidy ${who}')" }]
on_error = "hooks/on_error.sql"
[placeholders]
who = "up"
"#;

pub(super) fn said(project: &Project) -> String {
    let database = project.database();
    let mut statement = database.prepare("SELECT what FROM said ORDER BY rowid").expect("the table");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.collect::<Result<Vec<_>, _>>().expect("texts").join(", ")
}

#[test]
fn run_at_their_moments_and_not_when_nothing_is_pending() {
    let project = project(ALL);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["plan"]), @"
        exit 0
        --- stdout
        1. up 1 create_note  sql  migrations/0001_create_note.up.sql
        2. up 2 first_notes  sql  migrations/0002_first_notes.up.sql

        hooks
          before_all   before_all  sql  hooks/before_all.sql
          before_each  before_each  sql  hooks/before_each.sql
          after_each   after_each  sql  hooks/after_each.sql
          after_all    after_all  sql  hooks/after_all.sql
          after_all    tidy  sql
          on_error     on_error  sql  hooks/on_error.sql

        `whimbrel up` would apply 2 migrations.
        ");
        assert_snapshot!(project.run(&["up", "--dry-run"]), @"
        exit 0
        --- stdout
        up 1 create_note ([time])
            CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);

        up 2 first_notes ([time])
            INSERT INTO note (text) VALUES ('one'), ('two');  (2 rows)
            rows of note: 2 inserted

        Tried 2 migrations in [time] and rolled everything back: the database is as it was.

        --- stderr
        Ran before_all hook before_all ([time]).
        Ran after_all hook after_all ([time]).
        Ran after_all hook tidy ([time]).
        ");
    });
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 2 migrations in [time].

    --- stderr
    Ran before_all hook before_all ([time]).
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    Ran after_all hook after_all ([time]).
    Ran after_all hook tidy ([time]).
    ");
    let once = "before_all, before_each, after_each, before_each, after_each, after_all, tidy up";
    assert_eq!(said(&project), once);
    project.unchanged(|| project.ok(&["up"]));
    project.ok(&["down"]);
    assert_eq!(said(&project), format!("{once}, before_all, before_each, after_each, after_all, tidy up"));
}

#[test]
fn programs_are_told_which_ran() {
    let project = project(ALL);
    let json = project.ok(&["up", "--json"]).json("up");
    let ran = json["hooks"].as_array().expect("hooks").iter();
    let ran: Vec<String> = ran
        .map(|hook| {
            let text = |key: &str| hook[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("moment"), text("name"), text("migration"))
        })
        .collect();
    assert_eq!(
        ran,
        [
            "before_all before_all -",
            "before_each before_each 1 create_note",
            "after_each after_each 1 create_note",
            "before_each before_each 2 first_notes",
            "after_each after_each 2 first_notes",
            "after_all after_all -",
            "after_all tidy -",
        ]
    );
    assert_eq!(project.ok(&["up", "--json"]).json("up")["hooks"], serde_json::json!([]));
}

#[test]
fn a_step_that_a_precondition_leaves_out_has_none_of_its_own() {
    let project = project(ALL);
    project.write("migrations/0003_later.sql", "-- whimbrel: skip_unless = SELECT 0\nDROP TABLE note;");
    project.write("migrations/0004_marked.sql", "-- whimbrel: mark_applied_unless = SELECT 0\nDROP TABLE note;");
    project.ok(&["up"]);
    let once = "before_all, before_each, after_each, before_each, after_each, after_all, tidy up";
    assert_eq!(said(&project), once);
    project.ok(&["up", "--single-transaction"]);
    assert_eq!(said(&project), format!("{once}, before_all, after_all, tidy up"));
}

#[test]
fn one_transaction_has_them_in_it() {
    let project = project(ALL);
    project.ok(&["up", "--single-transaction"]);
    assert_eq!(said(&project), "before_all, before_each, after_each, before_each, after_each, after_all, tidy up");
    let project = self::project(ALL);
    project.write("hooks/after_all.sql", "SELECT * FROM nowhere;\n");
    assert_snapshot!(project.run(&["up", "--single-transaction"]), @"
    exit 1
    --- stderr
    Ran before_all hook before_all ([time]).
    Ran on_error hook on_error ([time]).
    error: the after_all hook after_all failed
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> hooks/after_all.sql:1:15
      |
    1 | SELECT * FROM nowhere;
      |               ^^^^^^^
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(said(&project), "on_error");
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
}

#[test]
fn one_before_all_that_fails_stops_the_run_before_anything_is_done() {
    let project = project(
        "[hooks]\nbefore_all = [\"hooks/before_all.sql\", \"hooks/bad.sql\"]\non_error = \"hooks/on_error.sql\"\n",
    );
    project.write("hooks/bad.sql", "INSERT INTO said VALUES ('half');\nSELECT * FROM nowhere;\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Ran before_all hook before_all ([time]).
    Ran on_error hook on_error ([time]).
    error: the before_all hook bad failed
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> hooks/bad.sql:2:15
      |
    2 | SELECT * FROM nowhere;
      |               ^^^^^^^
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    assert_eq!(said(&project), "before_all, on_error");
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
    project.unchanged(|| assert_eq!(project.run(&["up", "--dry-run"]).code, 1));
    assert_snapshot!(project.run(&["up", "--json"]), @r#"
    exit 1
    --- stdout
    {
      "schema": "whimbrel/error/1",
      "verb": "up",
      "exit_code": 1,
      "code": "statement-failed",
      "message": "the before_all hook bad failed",
      "causes": [
        "no such table: nowhere (SQLITE_ERROR)"
      ],
      "hint": "the database is not what the script expects: `whimbrel status` shows what is applied",
      "notes": [],
      "problems": [
        {
          "code": "syntax",
          "message": "no such table: nowhere (SQLITE_ERROR)",
          "hint": null,
          "migration": null,
          "file": "hooks/bad.sql",
          "line": 2,
          "column": 15
        }
      ],
      "backtrace": [],
      "done": [],
      "warnings": []
    }
    "#);
}

#[test]
fn one_after_each_that_fails_undoes_its_step() {
    let project = project("[hooks]\nafter_each = \"hooks/bad.sql\"\non_error = { sql = \"SELECT * FROM gone\" }\n");
    project.write("hooks/bad.sql", "INSERT INTO note (text) SELECT NULL FROM note;\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    error: migration 2 first_notes failed on its way up
      caused by: the after_each hook bad failed
      caused by: NOT NULL constraint failed: note.text (SQLITE_CONSTRAINT_NOTNULL)
     --> hooks/bad.sql:1:1
      |
    1 | INSERT INTO note (text) SELECT NULL FROM note;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: migration 2 first_notes was rolled back
    note: 1 migration was applied before it and stays applied
    note: the on_error hook on_error failed as well: no such table: gone (SQLITE_ERROR)
    ");
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 1);
    assert_eq!(project.number("SELECT count(*) FROM note"), 0);
}

#[test]
fn one_after_all_that_fails_leaves_what_is_applied() {
    let project = project("[hooks]\nafter_all = \"hooks/bad.sql\"\n");
    project.write("hooks/bad.sql", "DELETE FROM note;\nCOMMIT;\n");
    project.unchanged(|| assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration bad: COMMIT inside the transaction of the migration
     --> hooks/bad.sql:2:1
      |
    2 | COMMIT;
      | ^^^^^^^
    hint: leave it out: the script runs in a transaction of its own; or name the tool it was written for with `--layout`, or write `-- whimbrel: transaction = none` at the top
    "));
    project.write("hooks/bad.sql", "DELETE FROM note;\nINSERT INTO note (text) VALUES (NULL);\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    error: the after_all hook bad failed
      caused by: NOT NULL constraint failed: note.text (SQLITE_CONSTRAINT_NOTNULL)
     --> hooks/bad.sql:2:1
      |
    2 | INSERT INTO note (text) VALUES (NULL);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: 2 migrations were applied before it and stay applied
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
}

#[test]
fn a_step_that_commits_on_its_own_has_them_before_and_after_it() {
    let project = project("[hooks]\nbefore_each = \"hooks/before_each.sql\"\nafter_each = \"hooks/bad.sql\"\n");
    project.write("hooks/bad.sql", "INSERT INTO said SELECT 'after', 1 FROM note;\n");
    project.write("migrations/0001_create_note.up.sql", "-- whimbrel: transaction = none\nCREATE TABLE note (text);\n");
    assert_snapshot!(project.run(&["up", "--steps", "1"]), @"
    exit 1
    --- stderr
    error: migration 1 create_note failed on its way up
      caused by: the after_each hook bad failed
      caused by: table said has 1 columns but 2 values were supplied (SQLITE_ERROR)
     --> hooks/bad.sql:1:1
      |
    1 | INSERT INTO said SELECT 'after', 1 FROM note;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: migration 1 create_note stays: it had committed on its own before the hook
    ");
    assert_eq!(said(&project), "before_each");
    project.ok(&["status"]);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE state = 'applied'"), 1);
}

#[test]
fn they_go_one_way_only_where_they_say_so() {
    let hook = |way: &str| format!("{{ sql = \"INSERT INTO said VALUES ('{way}')\", direction = \"{way}\" }}");
    let project = project(&format!(
        "[hooks]\nbefore_all = \"hooks/before_all.sql\"\nafter-each = [{}, {}]\n",
        hook("up"),
        hook("down")
    ));
    project.ok(&["up"]);
    project.ok(&["redo"]);
    assert_eq!(said(&project), "before_all, up, up, before_all, down, up");
}

#[test]
fn a_script_can_be_a_hook() {
    let project = project("[hooks]\nafter_all = \"hooks/count.js\"\non_error = \"hooks/fail.js\"\n");
    project.write(
        "hooks/count.js",
        "import { table } from './names.js';\nexport function up(db) {\n  db.execute('CREATE TABLE counted AS SELECT count(*) AS n FROM ' + table);\n}\n",
    );
    project.write("hooks/names.js", "export const table = 'note';\n");
    project.write("hooks/fail.js", "export function up(db) {\n  db.nothing();\n}\n");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT n FROM counted"), 2);
    project.write("migrations/0003_bad.sql", "SELECT * FROM nowhere;\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 3 bad failed on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_bad.sql:1:15
      |
    1 | SELECT * FROM nowhere;
      |               ^^^^^^^
    note: migration 3 bad was rolled back
    note: the on_error hook fail failed as well: TypeError: not a function
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
}

#[test]
fn a_component_can_be_a_hook() {
    let sample = |name: &str| {
        let path = format!("{}/../migrations/0003_split_names.{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).expect("the sample component")
    };
    let project = Project::with(&[(
        "0001_customer.sql",
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT,\n    \
         name_suffix TEXT, name_key TEXT);\n\
         INSERT INTO customer (full_name) VALUES ('Ada Lovelace');\n",
    )]);
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[hooks]\nafter_each = \"hooks/split.wasm\"\n");
    project.write("hooks/split.wasm", sample("wasm"));
    project.write("hooks/split.toml", sample("toml"));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT first_name = 'Ada' AND last_name = 'Lovelace' FROM customer"), 1);
}

#[test]
fn what_cannot_be_a_hook_is_told() {
    let mut told = String::new();
    for (hooks, file, text) in [
        ("before_all = \"hooks/none.sql\"", "", ""),
        ("before_all = \"hooks/x.rb\"", "hooks/x.rb", "x = 1"),
        ("before_all = \"hooks/x.wasm\"", "hooks/x.wasm", "\0asm"),
        ("before_all = \"hooks/x.sql\"", "hooks/x.sql", "-- whimbrel: transaction = none\nVACUUM;\n"),
        ("before_all = { file = \"a.sql\", sql = \"SELECT 1\" }", "", ""),
        ("before_most = \"a.sql\"", "", ""),
        ("before_all = 3", "", ""),
        ("before_all = { sql = \"SELECT '${nobody}'\" }\n[placeholders]\nx = 1", "", ""),
    ] {
        let project = project(&format!("[hooks]\n{hooks}\n"));
        if !file.is_empty() {
            project.write(file, text);
        }
        let outcome = project.unchanged(|| project.run(&["up"]));
        let said = outcome.stderr.lines().next().unwrap_or_default();
        told.push_str(&format!("{}: {said}\n", outcome.code));
    }
    assert_snapshot!(told, @r#"
    1: error: hooks/none.sql: is not there (the before_all hook)
    1: error: hooks/x.rb: cannot be a hook (the before_all hook)
    1: error: hooks/x.wasm: a component needs its manifest beside it (the before_all hook)
    1: error: hooks/x.sql: a hook always runs in a transaction (the before_all hook)
    2: error: whimbrel.toml:3:14: a hook has either `file`, or `sql` with or without a `name`
    2: error: whimbrel.toml:3:1: unknown key `before_most`
    2: error: whimbrel.toml:3:14: a hook is a file, or a table such as { sql = "ANALYZE" }
    1: error: migration before_all: there is no value for nobody
    "#);
}

#[test]
fn broken_ones_stop_every_run_and_not_the_look_at_what_is_applied() {
    let project = project("");
    project.ok(&["up", "--steps", "1"]);
    project.write("hooks/x.sql", "-- whimbrel: transaction = none\nSELECT 1;\n");
    project.write(
        "whimbrel.toml",
        "database = \"sqlite:app.db\"\n[hooks]\nbefore_all = \"hooks/none.sql\"\non_error = [\"hooks/none.sql\", \"hooks/x.sql\"]\n",
    );
    assert_snapshot!(project.unchanged(|| project.run(&["status"])), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name         Kind  State    Applied at (UTC) Took
            1  create_note  sql   applied  [moment] [time]
            2  first_notes  sql   pending

    1 applied, 1 pending.
    error: hooks/none.sql: is not there (the before_all and on_error hooks); nothing can be run until it is mended
    hint: bring the file back, or take out what names it as a hook
    error: hooks/x.sql: a hook always runs in a transaction (the on_error hook); nothing can be run until it is mended
    hint: leave `transaction = none` out, or make it a migration
    ");
    assert_eq!(project.run(&["status", "--check"]).code, 1);
    let json = project.ok(&["status", "--json"]).json("status");
    assert_eq!(
        (json["applied"].as_u64(), json["hook_problems"].as_array().map(Vec::len)),
        (Some(1), Some(2)),
        "{json}"
    );
    for verb in ["verify", "plan", "up", "down"] {
        let run = project.unchanged(|| project.run(&[verb]));
        assert!(run.code == 1 && run.stderr.contains("hooks/none.sql: is not there"), "{verb}: {run}");
        assert!(run.stderr.contains("a hook always runs in a transaction"), "{verb}: {run}");
    }
    // What runs none is not stopped.
    for verb in [&["test"][..], &["repair", "--accept", "--yes"]] {
        let run = project.unchanged(|| project.run(verb));
        assert!(run.code == 0, "{verb:?}: {run}");
    }
    // With what is wrong with migrations.
    project.write("migrations/0003_.sql", "SELECT 1;\n");
    let run = project.run(&["status"]);
    assert!(run.code == 1 && run.stderr.contains("0003_.sql") && run.stderr.contains("hooks/x.sql"), "{run}");
}

#[test]
fn one_on_error_that_has_no_end_gets_one_after_an_interrupt() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;\n";
    let project = project("[hooks]\non_error = [\"hooks/quick.sql\", \"hooks/endless.sql\", \"hooks/late.sql\"]\n");
    project.write("migrations/0003_endless.sql", endless);
    project.write("hooks/quick.sql", "INSERT INTO note (text) VALUES ('quick');\n");
    project.write("hooks/endless.sql", endless);
    project.write("hooks/late.sql", "INSERT INTO note (text) VALUES ('late');\n");
    project.ok(&["up", "--steps", "2"]);
    let notes = project.number("SELECT count(*) FROM note");
    let stopped = project.run(&["up", "--timeout", "1s"]);
    assert_eq!(stopped.code, 124, "{stopped}");
    for hook in ["endless", "late"] {
        assert!(stopped.stderr.contains(&format!("the on_error hook {hook} failed as well: interrupted")), "{stopped}");
    }
    // There is time for what is quick.
    assert_eq!(project.number("SELECT count(*) FROM note"), notes + 1);
}
