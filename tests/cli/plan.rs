//! `whimbrel plan`.

use insta::assert_snapshot;

use crate::harness::Project;

/// What runs, so that it is taken for a migration.
const COMPONENT: &[u8] = include_bytes!("../fixtures/contract/0.1.0.wasm");

/// Why it is not known what would be gone, as `plan down` says it.
fn unknown(project: &Project) -> String {
    let json = project.ok(&["plan", "down", "--json"]).json("plan");
    assert_eq!(json["losses"], serde_json::json!([]));
    json["losses_unknown"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_would_be_lost_and_is_not_known_is_said_to_be_so() {
    let project = Project::notes();
    project.ok(&["up", "--steps", "1"]);
    assert_eq!(project.ok(&["plan", "down", "--json"]).json("plan")["losses_unknown"], serde_json::Value::Null);
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    assert_eq!(unknown(&project), "another process is writing to the database");
    drop(other);
    project.write("migrations/0001_create_note.down.sql", "DROP TABLE note;\nSELECT x FROM gone;\n");
    let reason = "migration 1 create_note failed on its way down: no such table: gone (SQLITE_ERROR)";
    assert_eq!(unknown(&project), reason);
    let text = project.ok(&["plan", "down"]);
    assert_eq!(text.stderr, format!("note: what would be lost is not known: {reason}\n"));
    project.write("migrations/0001_create_note.down.sql", "-- whimbrel: transaction = none\nDROP TABLE note;\n");
    assert!(unknown(&project).starts_with("migration 1 create_note was not tried: "), "{}", unknown(&project));
}

#[test]
fn shows_the_way_up_and_down() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["plan"]), @"
    exit 0
    --- stdout
    1. up 1 create_note  sql  migrations/0001_create_note.up.sql
    2. up 2 first_notes  sql  migrations/0002_first_notes.up.sql

    `whimbrel up` would apply 2 migrations.
    ");
    assert_snapshot!(project.run(&["plan", "up", "--to", "1"]), @"
    exit 0
    --- stdout
    1. up 1 create_note  sql  migrations/0001_create_note.up.sql

    `whimbrel up` would apply 1 migration.
    ");
    assert_snapshot!(project.run(&["plan", "down"]), @"
    exit 0
    --- stdout
    Nothing to do.
    ");
    project.ok(&["up"]);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["plan"]), @"
        exit 0
        --- stdout
        Nothing to do.
        ");
        assert_snapshot!(project.run(&["plan", "down", "--all"]), @"
        exit 0
        --- stdout
        1. down 2 first_notes  sql  migrations/0002_first_notes.down.sql
        2. down 1 create_note  sql  migrations/0001_create_note.down.sql

        warning: table note with 2 rows would be gone

        `whimbrel down` would revert 2 migrations.
        ");
    });
}

#[test]
fn shows_what_a_component_asks_for() {
    let project = Project::with(&[
        ("0001_table.sql", "-- whimbrel: description = A table.\nCREATE TABLE person (id, name);"),
        ("0002_split.wasm", "\0asm"),
        (
            "0002_split.toml",
            "description = \"Splits names\"\n[grants]\nread = [\"person(id, name)\"]\nupdate = [\"person(name)\"]\n\
             [limits]\nmemory = \"64MiB\"\ntime = \"60s\"\nfuel = 1000000\n",
        ),
        ("0003_rebuild.sql", "-- whimbrel: rebuild\nSELECT 1;"),
        ("0004_vacuum.sql", "-- whimbrel: transaction = none\nVACUUM;"),
    ]);
    project.write("migrations/0002_split.wasm", COMPONENT);
    assert_snapshot!(project.run(&["plan"]), @"
    exit 0
    --- stdout
    1. up 1 table  sql  migrations/0001_table.sql
       A table.
    2. up 2 split  component  migrations/0002_split.wasm
       Splits names
       read      person(id, name)
       update    person(name)
       limits    1,000,000 fuel, 64 MiB memory, 1 min time
    3. up 3 rebuild  sql, rebuild  migrations/0003_rebuild.sql
    4. up 4 vacuum  sql, outside a transaction  migrations/0004_vacuum.sql

    `whimbrel up` would apply 4 migrations.
    ");
}

#[test]
fn refuses_scripts_with_their_own_transaction() {
    let project = Project::with(&[("0001_own.sql", "CREATE TABLE a (id);\nBEGIN;\nSELECT 1;\nCOMMIT;\n")]);
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: there is no plan: 2 problems
      - migration 1 own: BEGIN inside the transaction of the migration
     --> migrations/0001_own.sql:2:1
      |
    2 | BEGIN;
      | ^^^^^^
        hint: leave it out: the script runs in a transaction of its own; or name the tool it was written for with `--layout`, or write `-- whimbrel: transaction = none` at the top
      - migration 1 own: COMMIT inside the transaction of the migration
     --> migrations/0001_own.sql:4:1
      |
    4 | COMMIT;
      | ^^^^^^^
        hint: leave it out: the script runs in a transaction of its own; or name the tool it was written for with `--layout`, or write `-- whimbrel: transaction = none` at the top
    ");
}
