//! `whimbrel test`: whether pending migrations go back, told to people, programs and CI systems.

use insta::assert_snapshot;

use crate::harness::{Outcome, Project};

/// Migrations of which one loses something on its way back, and one fails there.
fn troubled() -> Project {
    let project = Project::notes();
    project.write("migrations/0003_shout.up.sql", "UPDATE note SET text = upper(text);\n");
    project.write("migrations/0003_shout.down.sql", "UPDATE note SET text = 'quiet <&>' WHERE id = 2;\n");
    project.write("migrations/0004_index.up.sql", "CREATE INDEX note_text ON note (text);\n");
    project.write("migrations/0004_index.down.sql", "-- the wrong name\nDROP INDEX note_by_text;\n");
    project.write("migrations/0005_one_way.sql", "DELETE FROM note;\n");
    project
}

#[test]
fn tells_which_migrations_go_back() {
    let project = troubled();
    assert_snapshot!(project.run(&["test", "--round-trip"]), @"
    exit 1
    --- stdout
      VERSION  NAME         UP, DOWN, UP    TIME
      1        create_note  passed [time]
      2        first_notes  passed [time]
      3        shout        failed: down [time]
      4        index        failed: down [time]
      5        one_way      not reversible [time]

    error: migration 3 shout does not go back to what was there before
      table note, row with id 1, column text: text 'one' before, text 'ONE' after up and down
      table note, row with id 2, column text: text 'two' before, text 'quiet <&>' after up and down
    hint: a down can bring back only what its up has kept; what cannot be brought back is better not given a down, or is let pass with --accept
    error: migration 4 index fails on its way down
      caused by: no such index: note_by_text (SQLITE_ERROR)
     --> migrations/0004_index.down.sql:2:12
      |
    2 | DROP INDEX note_by_text;
      |            ^^^^^^^^^^^^
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    Tested up, down, up: 2 failed, 2 passed, 1 not reversible.
    ");
    assert!(!project.path("app.db").exists());
    project.ok(&["up", "--to", "2"]);
    let outcome = project.unchanged(|| project.run(&["test", "--round-trip", "--accept", "3"]));
    assert_snapshot!(outcome, @"
    exit 1
    --- stdout
      VERSION  NAME     UP, DOWN, UP    TIME
      3        shout    accepted: down [time]
      4        index    failed: down [time]
      5        one_way  not reversible [time]

    error: migration 4 index fails on its way down
      caused by: no such index: note_by_text (SQLITE_ERROR)
     --> migrations/0004_index.down.sql:2:12
      |
    2 | DROP INDEX note_by_text;
      |            ^^^^^^^^^^^^
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    Tested up, down, up: 1 failed, 1 accepted, 1 not reversible.
    ");
}

#[test]
fn makes_every_check_unless_one_is_named() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["test"]), @"
    exit 0
    --- stdout
      VERSION  NAME         UP, DOWN, UP  TIME
      1        create_note  passed [time]
      2        first_notes  passed [time]

    Tested up, down, up: 2 passed.

    Nothing to test: no pending migration has code.
    ");
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["test"]), @"
    exit 0
    --- stdout
    Nothing to test: no migration is pending.

    Nothing to test: no pending migration has code.
    ");
    assert_snapshot!(project.run(&["test", "--json"]).stdout, @r#"
    {
      "schema": "whimbrel/test/1",
      "passed": true,
      "filled": [],
      "round_trip": {
        "passed": true,
        "migrations": []
      },
      "determinism": {
        "deterministic": true,
        "migrations": []
      }
    }
    "#);
}

#[test]
fn what_does_not_go_up_is_a_result_beside_the_others() {
    let project = Project::notes();
    project.write("migrations/0003_wrong.sql", "INSERT INTO nowhere VALUES (1);\n");
    project.write("migrations/0004_later.sql", "SELECT 1;\n");
    assert_snapshot!(project.run(&["test"]), @"
    exit 1
    --- stdout
      VERSION  NAME         UP, DOWN, UP  TIME
      1        create_note  passed [time]
      2        first_notes  passed [time]
      3        wrong        failed: up [time]
      4        later        not tried [time]

    error: migration 3 wrong fails on its way up
      caused by: no such table: nowhere (SQLITE_ERROR)
     --> migrations/0003_wrong.sql:1:13
      |
    1 | INSERT INTO nowhere VALUES (1);
      |             ^^^^^^^
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    Tested up, down, up: 1 failed, 2 passed, 1 not tried.
    ");
    let json = project.run(&["test", "--json"]).json("test");
    assert_eq!((&json["passed"], &json["determinism"]), (&false.into(), &serde_json::Value::Null));
    // Without the other check it is an error as in `up`.
    assert_eq!(project.run(&["test", "--deterministic", "--json"]).json("error")["code"], "statement-failed");
}

#[test]
fn programs_are_told_the_same() {
    let project = troubled();
    let outcome = project.run(&["test", "--round-trip", "--json"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    let json = outcome.json("test");
    assert_eq!((&json["passed"], &json["round_trip"]["passed"]), (&false.into(), &false.into()));
    assert!(json["determinism"].is_null());
    let migrations = json["round_trip"]["migrations"].as_array().unwrap();
    let results: Vec<_> = migrations.iter().map(|one| one["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["passed", "passed", "failed", "failed", "not-reversible"]);
    assert_snapshot!(serde_json::to_string_pretty(&migrations[2]["differences"]).unwrap(), @r#"
    [
      {
        "column": "text",
        "expected": "text 'one'",
        "found": "text 'ONE'",
        "kind": "value",
        "message": "table note, row with id 1, column text: text 'one' before, text 'ONE' after up and down",
        "object": null,
        "row": "id 1",
        "table": "note"
      },
      {
        "column": "text",
        "expected": "text 'two'",
        "found": "text 'quiet <&>'",
        "kind": "value",
        "message": "table note, row with id 2, column text: text 'two' before, text 'quiet <&>' after up and down",
        "object": null,
        "row": "id 2",
        "table": "note"
      }
    ]
    "#);
    assert_eq!((&migrations[3]["leg"], &migrations[3]["differences"]), (&"down".into(), &serde_json::json!([])));
    assert_snapshot!(migrations[3]["message"].as_str().unwrap(), @"migration 4 index fails on its way down: no such index: note_by_text (SQLITE_ERROR) (migrations/0004_index.down.sql:2:12)");
}

#[test]
fn writes_a_report_for_ci() {
    let project = troubled();
    assert_eq!(project.run(&["test", "--junit", "report.xml"]).code, 1);
    let times = |xml: String| -> String {
        let parts = xml.split(" time=\"").map(|part| {
            part.split_once('"').map_or(part, |(time, rest)| if time.parse::<f64>().is_ok() { rest } else { part })
        });
        parts.collect::<Vec<_>>().join(" time=\"…\"")
    };
    assert_snapshot!(times(project.read("report.xml")), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="whimbrel test" tests="5" failures="2" errors="0" skipped="1" time="…">
      <testsuite name="up, down, up" tests="5" failures="2" errors="0" skipped="1" time="…">
        <testcase name="1 create_note" classname="main" file="migrations/0001_create_note.up.sql" time="…"/>
        <testcase name="2 first_notes" classname="main" file="migrations/0002_first_notes.up.sql" time="…"/>
        <testcase name="3 shout" classname="main" file="migrations/0003_shout.up.sql" time="…">
          <failure type="down" message="migration 3 shout does not go back to what was there before">table note, row with id 1, column text: text &apos;one&apos; before, text &apos;ONE&apos; after up and down
    table note, row with id 2, column text: text &apos;two&apos; before, text &apos;quiet &lt;&amp;&gt;&apos; after up and down</failure>
        </testcase>
        <testcase name="4 index" classname="main" file="migrations/0004_index.up.sql" time="…">
          <failure type="down" message="migration 4 index fails on its way down: no such index: note_by_text (SQLITE_ERROR) (migrations/0004_index.down.sql:2:12)">migration 4 index fails on its way down: no such index: note_by_text (SQLITE_ERROR) (migrations/0004_index.down.sql:2:12)</failure>
        </testcase>
        <testcase name="5 one_way" classname="main" file="migrations/0005_one_way.sql" time="…">
          <skipped message="it does not say how to go down"/>
        </testcase>
      </testsuite>
      <testsuite name="deterministic" tests="0" failures="0" errors="0" skipped="0" time="…">
      </testsuite>
    </testsuites>
    "#);
    // What cannot be tested is an error of the suite, so that no older report is taken for this one.
    project.write("migrations/0006_wrong.sql", "BEGIN;\n");
    assert_eq!(project.run(&["test", "--junit", "report.xml"]).code, 1);
    assert_snapshot!(project.read("report.xml"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="whimbrel test" tests="1" failures="0" errors="1" skipped="0" time="0.000">
      <testsuite name="whimbrel test" tests="1" failures="0" errors="1" skipped="0" time="0.000">
        <testcase name="whimbrel test" classname="whimbrel test">
          <error message="migration 6 wrong: BEGIN inside the transaction of the migration"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
    project.remove("migrations/0006_wrong.sql");
    let settings = project.read("whimbrel.toml");
    project.write("whimbrel.toml", "bad = 1\n");
    assert_eq!(project.run(&["test", "--junit", "report.xml"]).code, 2);
    assert!(project.read("report.xml").contains("unknown key `bad`"), "{}", project.read("report.xml"));
    project.write("whimbrel.toml", settings);
    assert_eq!(project.run(&["test", "--junit", "new/folder/report.xml"]).code, 1);
    assert!(project.read("new/folder/report.xml").contains("name=\"3 shout\""));
    // Nothing is tried where the report cannot be kept.
    assert_snapshot!(project.run(&["test", "--junit", "migrations"]), @"
    exit 1
    --- stderr
    error: cannot write migrations
      caused by: Is a directory (os error 21)
    hint: check the path
    ");
}

#[test]
fn rows_are_added_as_soon_as_a_table_is_there() {
    let project = Project::notes();
    project.write("migrations/0003_trim.up.sql", "UPDATE note SET text = trim(text);\n");
    project.write("migrations/0003_trim.down.sql", "SELECT 1;\n");
    project.write(
        "migrations/0004_tag.up.sql",
        "CREATE TABLE tag (note_id INTEGER NOT NULL REFERENCES note, name TEXT);\n",
    );
    project.write("migrations/0004_tag.down.sql", "DROP TABLE tag;\n");
    project.write("migrations/0005_tags.sql", "DELETE FROM tag;\n");
    project.write("migrations/0006_none.up.sql", "INSERT INTO tag SELECT id, 'x' FROM note LIMIT 1;\n");
    project.write("migrations/0006_none.down.sql", "DELETE FROM tag;\n");
    // Few rows find nothing.
    assert_eq!(project.run(&["test", "--round-trip"]).code, 0);
    let fills = ["test", "--round-trip", "--fill", "tag=1_500", "--fill", "note=400", "--seed", "7"];
    let outcome = project.run(&fills);
    assert_snapshot!(outcome.stdout.lines().filter(|line| !line.contains("row with id")).collect::<Vec<_>>().join("\n"), @"
    Rows added to the copies: 1,500 to tag, 400 to note (seed 7).

      VERSION  NAME         UP, DOWN, UP    TIME
      1        create_note  passed [time]
      2        first_notes  failed: down [time]
      3        trim         failed: down [time]
      4        tag          passed [time]
      5        tags         not reversible [time]
      6        none         passed [time]

    error: migration 2 first_notes does not go back to what was there before
      and 397 more
    hint: a down can bring back only what its up has kept; what cannot be brought back is better not given a down, or is let pass with --accept
    error: migration 3 trim does not go back to what was there before
      and 5 more
    hint: a down can bring back only what its up has kept; what cannot be brought back is better not given a down, or is let pass with --accept
    Tested up, down, up: 2 failed, 3 passed, 1 not reversible.
    ");
    let rows = |outcome: &Outcome| -> Vec<String> {
        outcome.stdout.lines().filter(|line| line.contains("row with id")).map(str::to_owned).collect()
    };
    assert_eq!(rows(&outcome), rows(&project.run(&fills)), "the seed decides");
    assert_ne!(rows(&outcome), rows(&project.run(&["test", "--round-trip", "--fill", "note=400"])));
    let json = project.run(&["test", "--fill", "note=3", "--json"]).json("test");
    assert_eq!(json["filled"], serde_json::json!([{ "table": "note", "rows": 3, "seed": 1 }]));
    project.ok(&["up", "--to", "1"]);
    project.unchanged(|| project.run(&["test", "--fill", "note=10"]));
}

#[test]
fn a_table_that_was_never_there_is_not_said_to_be_filled() {
    let project = Project::notes();
    project.write("migrations/0003_broken.sql", "nonsense;\n");
    let fills = ["test", "--fill", "note=2", "--fill", "zz=3"];
    assert_eq!(
        project.run(&fills).stdout.lines().next(),
        Some("Rows added to the copies: 2 to note (seed 1); there was no table zz when a migration failed.")
    );
    let json = project.run(&[&fills[..], &["--json"]].concat()).json("test");
    assert_eq!(json["filled"], serde_json::json!([{ "table": "note", "rows": 2, "seed": 1 }]));
    assert_eq!(
        project.run(&["test", "--fill", "zz=3"]).stdout.lines().next(),
        Some("No rows were added to the copies; there was no table zz when a migration failed.")
    );
}

#[test]
fn what_cannot_be_filled_is_an_error() {
    let project = Project::notes();
    project.write(
        "migrations/0003_tag.sql",
        "CREATE TABLE tag (note_id INTEGER NOT NULL REFERENCES note);\nDELETE FROM note;\n",
    );
    assert_snapshot!(project.run(&["test", "--fill", "notes=10"]), @"
    exit 1
    --- stderr
    error: there is no table notes; is note meant?
    hint: a table can be filled that is there before what is pending, or that one of these migrations makes
    ");
    assert_snapshot!(project.run(&["test", "--fill", "tag=10"]), @"
    exit 1
    --- stderr
    error: table tag cannot be filled: note_id must refer to a row of note, which has none
    hint: fill that first: --fill note=100 before it
    ");
    assert_snapshot!(project.run(&["test", "--fill", "note"]), @"
    exit 2
    --- stderr
    error: invalid value 'note' for '--fill <TABLE=ROWS>': write a table and a number of rows, such as customer=1000

    For more information, try '--help'.
    ");
    assert_eq!(project.run(&["test", "--fill", "tag=10", "--json"]).json("error")["code"], "fill");
}
