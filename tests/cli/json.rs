//! `--json`: one object on stdout, whatever happens.

use insta::assert_snapshot;

use crate::harness::Project;

/// What runs, so that it is taken for a migration.
const COMPONENT: &[u8] = include_bytes!("../fixtures/contract/0.1.0.wasm");

#[test]
fn every_verb_writes_one_object() {
    let project = Project::new();
    let cases = [
        (["init"].as_slice(), "init"),
        (&["new", "second"], "new"),
        (&["status"], "status"),
        (&["plan"], "plan"),
        (&["up", "--dry-run"], "up"),
        (&["up"], "up"),
        (&["verify"], "verify"),
        (&["history"], "history"),
        (&["plan", "down"], "plan"),
        (&["down", "--dry-run"], "down"),
        (&["down"], "down"),
        (&["completions", "bash"], "completions"),
    ];
    for (arguments, schema) in cases {
        if arguments == ["status"] {
            project.remove("migrations/0001_create_note.sql");
            project.write("migrations/0001_create_note.up.sql", "CREATE TABLE note (id);");
            project.write("migrations/0001_create_note.down.sql", "DROP TABLE note;");
            project.write("migrations/0002_second.sql", "SELECT 1;");
            project.remove("migrations/0002_second.sql");
        }
        let outcome = project.ok(&[arguments, &["--json"]].concat());
        assert_eq!(outcome.stderr, "", "{arguments:?}");
        outcome.json(schema);
    }
}

#[test]
fn a_file_has_its_own_name() {
    let project = Project::notes();
    let names = ["it's \"mine\".txt", "back\\slash.txt", "e\u{301}.txt", "a\u{1b}b.txt"];
    for name in names {
        project.write(&format!("migrations/{name}"), "");
    }
    let status = project.ok(&["status", "--json"]);
    assert!(!status.stdout.contains('\u{1b}'), "{status}");
    let status = status.json("status");
    let ignored: Vec<&str> =
        status["ignored"].as_array().expect("a list").iter().filter_map(|file| file["file"].as_str()).collect();
    for name in names {
        assert!(ignored.contains(&format!("migrations/{name}").as_str()), "{name:?} in {ignored:?}");
    }
    let text = project.ok(&["status"]).stdout;
    assert!(text.contains("migrations/a\\u{1b}b.txt is ignored") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn status_has_this_shape() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    assert_snapshot!(project.run(&["status", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "schema": "whimbrel/status/1",
      "chain": "main",
      "chains": [
        "main"
      ],
      "database": "app.db",
      "database_exists": true,
      "pending": 1,
      "applied": 1,
      "migrations": [
        {
          "chain": "main",
          "version": "1",
          "name": "create_note",
          "role": "versioned",
          "kind": "sql",
          "out_of_order_allowed": false,
          "depends_on": [],
          "state": "applied",
          "file": "migrations/0001_create_note.up.sql",
          "description": null,
          "reversible": true,
          "applied": {
            "applied_at": "[moment]",
            "duration_us": 0,
            "rows_changed": 0,
            "checksum": "82023a05cbbab0ce5c9e4823c897bbe64ccb2ff201ac6501fac092a01f011810"
          }
        },
        {
          "chain": "main",
          "version": "2",
          "name": "first_notes",
          "role": "versioned",
          "kind": "sql",
          "out_of_order_allowed": false,
          "depends_on": [],
          "state": "pending",
          "file": "migrations/0002_first_notes.up.sql",
          "description": null,
          "reversible": true,
          "applied": null
        }
      ],
      "gaps": [],
      "ignored": []
    }
    "#);
}

#[test]
fn a_plan_has_this_shape() {
    let project = Project::with(&[
        ("0001_a.wasm", "\0asm"),
        ("0001_a.toml", "[grants]\nread = [\"t\"]\n[limits]\ntime = \"2s\""),
        ("0002_b.sql", "PRAGMA foreign_keys = 0;"),
    ]);
    project.write("migrations/0001_a.wasm", COMPONENT);
    assert_snapshot!(project.run(&["plan", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "schema": "whimbrel/plan/1",
      "chain": "main",
      "chains": [
        "main"
      ],
      "direction": "up",
      "steps": [
        {
          "direction": "up",
          "chain": "main",
          "version": "1",
          "name": "a",
          "role": "versioned",
          "kind": "component",
          "file": "migrations/0001_a.wasm",
          "description": null,
          "transaction": true,
          "rebuild": false,
          "reversible": null,
          "asks": {
            "grants": {
              "read": [
                "t"
              ]
            },
            "limits": {
              "fuel": 1000000000000,
              "memory_bytes": 536870912,
              "time_us": 2000000
            }
          }
        },
        {
          "direction": "up",
          "chain": "main",
          "version": "2",
          "name": "b",
          "role": "versioned",
          "kind": "sql",
          "file": "migrations/0002_b.sql",
          "description": null,
          "transaction": true,
          "rebuild": true,
          "reversible": false
        }
      ],
      "hooks": [],
      "losses": [],
      "losses_unknown": null,
      "warnings": [
        {
          "migration": "2 b",
          "message": "PRAGMA foreign_keys has no effect inside a transaction",
          "hint": "the migration is run as a rebuild because of it: the host suspends foreign keys around the transaction and checks them before it commits; write `-- whimbrel: rebuild` at the top to say so",
          "file": "migrations/0002_b.sql",
          "line": 1,
          "column": 1
        }
      ]
    }
    "#);
}

#[test]
fn a_dry_run_has_this_shape() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["up", "--dry-run", "--steps", "1", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "schema": "whimbrel/up/1",
      "dry_run": true,
      "steps": [
        {
          "direction": "up",
          "chain": "main",
          "version": "1",
          "name": "create_note",
          "role": "versioned",
          "kind": "sql",
          "file": "migrations/0001_create_note.up.sql",
          "description": null,
          "transaction": true,
          "rebuild": false,
          "reversible": true,
          "outcome": "tried",
          "duration_us": 0,
          "statements": 1,
          "rows_changed": 0,
          "operations": 0,
          "fuel": null,
          "recording": {
            "statements": [
              {
                "sql": "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);",
                "times": 1,
                "rows_changed": 0
              }
            ],
            "statements_left_out": 0,
            "tables": []
          }
        }
      ],
      "hooks": [],
      "losses": [],
      "duration_us": 0,
      "warnings": [],
      "logs": []
    }
    "#);
}

#[test]
fn errors_are_objects_too() {
    let project = Project::notes();
    project.write("migrations/0003_bad.sql", "SELECT 1;\nSELECT hidden FROM note;");
    let outcome = project.run(&["up", "--json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (1, ""));
    assert_snapshot!(outcome, @r#"
    exit 1
    --- stdout
    {
      "schema": "whimbrel/error/1",
      "verb": "up",
      "exit_code": 1,
      "code": "statement-failed",
      "message": "migration 3 bad failed on its way up",
      "causes": [
        "no such column: hidden (SQLITE_ERROR)"
      ],
      "hint": "the database is not what the script expects: `whimbrel status` shows what is applied",
      "notes": [
        "migration 3 bad was rolled back",
        "2 migrations were applied before it and stay applied"
      ],
      "problems": [
        {
          "code": "syntax",
          "message": "no such column: hidden (SQLITE_ERROR)",
          "hint": null,
          "migration": "3 bad",
          "file": "migrations/0003_bad.sql",
          "line": 2,
          "column": 8
        }
      ],
      "backtrace": [],
      "done": [
        {
          "direction": "up",
          "chain": "main",
          "version": "1",
          "name": "create_note",
          "role": "versioned",
          "kind": "sql",
          "file": "migrations/0001_create_note.up.sql",
          "description": null,
          "transaction": true,
          "rebuild": false,
          "reversible": true,
          "outcome": "done",
          "duration_us": 0,
          "statements": 1,
          "rows_changed": 0,
          "operations": 0,
          "fuel": null
        },
        {
          "direction": "up",
          "chain": "main",
          "version": "2",
          "name": "first_notes",
          "role": "versioned",
          "kind": "sql",
          "file": "migrations/0002_first_notes.up.sql",
          "description": null,
          "transaction": true,
          "rebuild": false,
          "reversible": true,
          "outcome": "done",
          "duration_us": 0,
          "statements": 1,
          "rows_changed": 2,
          "operations": 0,
          "fuel": null
        }
      ],
      "warnings": []
    }
    "#);
}

#[test]
fn every_problem_has_its_place() {
    let project = Project::notes();
    project.write("migrations/0003_bad.sql", "-- whimbrel: transacton = none\nSELECT 1;");
    project.write("migrations/0004_bad.toml", "x = 1");
    let json = project.run(&["status", "--json"]).json("error");
    let problems = json["problems"].as_array().expect("problems");
    assert_eq!(problems.len(), 3);
    assert_eq!((&problems[0]["line"], &problems[0]["column"]), (&1.into(), &4.into()));
    assert_eq!(problems[0]["file"], "migrations/0003_bad.sql");
    assert_eq!(problems[0]["hint"], "did you mean `transaction`?");
}

#[test]
fn a_wrong_command_line_is_an_object() {
    let project = Project::new();
    let outcome = project.run(&["nonsense", "--json"]);
    let json = outcome.json("error");
    assert_eq!((outcome.code, &json["code"], &json["exit_code"]), (2, &"usage".into(), &2.into()));
}
