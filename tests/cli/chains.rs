//! Several chains, dependencies, graphs.

use insta::assert_snapshot;

use crate::harness::Project;

const BILLING: &str = "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n";

pub(super) fn project() -> Project {
    let project = Project::notes();
    project.write("whimbrel.toml", BILLING);
    project.write("billing/0001_invoice.up.sql", "-- whimbrel: depends_on = main:1\nCREATE TABLE invoice (note_id);\n");
    project.write("billing/0001_invoice.down.sql", "DROP TABLE invoice;\n");
    project
}

#[test]
fn all_chains_unless_one_is_named() {
    let project = project();
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chains main, billing in app.db, which does not exist yet

      Version  Name         Kind  State    Applied at (UTC) Took  Chain
            1  create_note  sql   pending                          main
            2  first_notes  sql   pending                          main
            1  invoice      sql   pending                          billing

    3 pending.
    ");
    assert_snapshot!(project.run(&["up", "--chain", "billing"]), @"
    exit 1
    --- stderr
    error: migration billing:1 invoice depends on main:1 create_note, which would not be applied before it
    hint: go further, or run the chain main too
    ");
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 3 migrations in [time].

    --- stderr
    Applied main:1 create_note ([time]).
    Applied main:2 first_notes ([time]).
    Applied billing:1 invoice ([time]).
    ");
    assert_snapshot!(project.run(&["history", "--chain", "billing"]), @"
    exit 0
    --- stdout
      Version  Name     Kind  Applied at (UTC) Took  Statements  Rows  Checksum      Whimbrel
            1  invoice  sql   [moment] [time]           1     0  f66fc83b1aa1  0.1.0
    ");
    assert_snapshot!(project.run(&["down", "--chain", "main", "--all"]), @"
    exit 1
    --- stderr
    error: migration main:1 create_note cannot be reverted: billing:1 invoice depends on it and stays
    hint: revert what depends on it first, or with it
    ");
    assert_snapshot!(project.run(&["verify"]), @"
    exit 0
    --- stdout
    Verified 3 migrations: files and history agree.
    ");
    assert_snapshot!(project.run(&["up", "--to", "1"]), @"
    exit 1
    --- stderr
    error: version 1 can be that of several chains: main, billing
    hint: say which with --chain
    ");
    assert_snapshot!(project.run(&["status", "--chain", "shop"]), @"
    exit 2
    --- stderr
    error: there is no chain shop
    hint: known are main, billing
    ");
    assert_snapshot!(project.run(&["down", "--all"]), @"
    exit 0
    --- stdout
    Reverted 3 migrations in [time].

    --- stderr
    Reverted billing:1 invoice ([time]).
    Reverted main:2 first_notes ([time]).
    Reverted main:1 create_note ([time]).
    ");
}

#[test]
fn a_chain_can_be_one_of_folders_only() {
    let project = project();
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[chains.billing]\ndir = \"billing\"\n");
    project.write("billing/0001_invoice.up.sql", "CREATE TABLE invoice (note_id);\n");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 0
    --- stdout
    1. up 1 invoice  sql  billing/0001_invoice.up.sql

    `whimbrel up` would apply 1 migration.
    ");
}

#[test]
fn a_new_migration_goes_into_the_folder_of_its_chain() {
    let project = project();
    project.ok(&["new", "second", "--chain", "billing"]);
    // Where all are pairs, it is one.
    assert!(
        project.path("billing/0002_second.up.sql").exists() && project.path("billing/0002_second.down.sql").exists()
    );
    project.ok(&["new", "third"]);
    assert!(project.path("migrations/0003_third.up.sql").exists());
}

#[test]
fn an_untrusted_chain_beside_the_owners() {
    let project = project();
    let policy = format!("{BILLING}trust = \"untrusted\"\nnamespace = \"billing_\"\n");
    project.write("whimbrel.toml", &policy);
    project.write("billing/0001_invoice.up.sql", "CREATE TABLE note_copy AS SELECT * FROM note;\n");
    project.write("billing/0001_invoice.toml", "depends_on = [\"main:2\"]\n[grants]\ncreate = [\"billing_*\"]\n");
    let refused = project.run(&["up"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("billing:1 invoice failed"), "{refused}");
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 2);
}

#[test]
fn what_is_refused_to_others_is_no_hint_for_them() {
    let project = project();
    project.write("whimbrel.toml", format!("{BILLING}trust = \"untrusted\"\nnamespace = \"billing_\"\n"));
    project.write("billing/0001_invoice.up.sql", "CREATE TABLE billing_a (x);\nCOMMIT;\n");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: migration billing:1 invoice: COMMIT inside the transaction of the migration
     --> billing/0001_invoice.up.sql:2:1
      |
    2 | COMMIT;
      | ^^^^^^^
    hint: leave it out: the script runs in a transaction of its own, and one of a chain that is not trusted in no other way
    ");
    project.write("billing/0001_invoice.up.sql", "PRAGMA synchronous = OFF;\n");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: migration billing:1 invoice: PRAGMA synchronous does not work inside a transaction
     --> billing/0001_invoice.up.sql:1:1
      |
    1 | PRAGMA synchronous = OFF;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: leave it out: nothing of a chain that is not trusted runs outside a transaction
    ");
}

#[test]
fn draws_what_depends_on_what() {
    let project = project();
    project.ok(&["up", "--steps", "1"]);
    assert_snapshot!(project.run(&["plan", "--graph", "mermaid"]), @r#"
    exit 0
    --- stdout
    flowchart TD
      subgraph c0["main"]
        m0["1 create_note"]
        m1(["2 first_notes"]):::planned
      end
      subgraph c1["billing"]
        m2(["1 invoice"]):::planned
      end
      m0 -.-> m1
      m0 --> m2
      classDef planned stroke-width:3px
    "#);
    assert_snapshot!(project.run(&["plan", "--graph", "dot"]), @r#"
    exit 0
    --- stdout
    digraph migrations {
      node [shape=box];
      subgraph cluster_0 {
        label="main";
        m0 [label="1 create_note"];
        m1 [label="2 first_notes", style=bold];
      }
      subgraph cluster_1 {
        label="billing";
        m2 [label="1 invoice", style=bold];
      }
      m0 -> m1 [style=dashed];
      m0 -> m2;
    }
    "#);
}

#[test]
fn a_circle_and_what_is_missing_are_shown() {
    let project = project();
    project.write("migrations/0003_x.sql", "-- whimbrel: depends_on = 4\nSELECT 1;");
    project.write("migrations/0004_y.toml", "depends_on = ['3']");
    project.write("migrations/0004_y.sql", "SELECT 1;");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: migrations depend on each other: main:3 x -> main:4 y -> main:3 x
    hint: take one of the dependencies on this path away
    ");
    project.write("migrations/0004_y.toml", "depends_on = ['9', 'shop:1']");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: migrations depend on what is not there: 2 problems
      - migration main:4 y depends on 9, but the chain main has no version 9 (migrations/0004_y.sql)
        hint: name a version that is there, or one of another chain as `chain:version`
      - migration main:4 y depends on shop:1, but there is no chain shop (migrations/0004_y.sql)
        hint: name a version that is there, or one of another chain as `chain:version`
    ");
    // What else is wrong is told with it.
    project.write("migrations/0004_y.toml", "depends_on = ['9']\nfunctions = 'text'");
    project.write("billing/0002_z.sql", "-- whimbrel: functions = words\nSELECT 1;");
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: the migrations make no chain: 3 problems
      - migration 4 y uses functions of text, which is not there (migrations/0004_y.sql)
        hint: put text.functions.wasm into the folder of the migrations
      - migration 2 z uses functions of words, which is not there (billing/0002_z.sql)
        hint: put words.functions.wasm into the folder of the migrations
      - migration main:4 y depends on 9, but the chain main has no version 9 (migrations/0004_y.sql)
        hint: name a version that is there, or one of another chain as `chain:version`
    ");
    let error = project.run(&["plan", "--json"]).json("error");
    let codes: Vec<_> = error["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str()).collect();
    let expected = ["functions", "functions", "missing-dependency"].map(Some);
    assert_eq!((error["code"].as_str(), codes), (Some("chain"), expected.to_vec()));
    project.remove("billing/0002_z.sql");
    project.write("migrations/0004_y.toml", "depends_on = ['x']");
    assert_snapshot!(project.run(&["plan"]), @r#"
    exit 1
    --- stderr
    error: migrations/0004_y.toml:1:14: "x" names no migration: "x" is not a version: a version is made of digits
    "#);
}

#[test]
fn verify_names_the_chain() {
    let project = project();
    project.ok(&["up"]);
    project.write("billing/0001_invoice.up.sql", "-- whimbrel: depends_on = main:1\nCREATE TABLE invoice (id);\n");
    assert_snapshot!(project.run(&["verify"]), @"
    exit 1
    --- stdout
    error: migration billing:1 invoice was changed after it was applied (billing/0001_invoice.up.sql)
    hint: put the file back as it was and make the change in a new migration; if nothing has to be run for it, `whimbrel repair --chain billing 1 --accept`
    Verified 3 migrations: 1 problem.
    ");
    let found = project.run(&["verify", "--json"]).json("verify");
    assert_eq!(
        (found["problems"][0]["chain"].as_str(), found["problems"].as_array().map(Vec::len)),
        (Some("billing"), Some(1))
    );
    project.ok(&["verify", "--chain", "main"]);
}

#[test]
fn settings_of_a_chain_that_is_not_there_are_refused() {
    let project = Project::notes();
    project.write("billing/0001_invoice.sql", "CREATE TABLE invoice (x);\n");
    let base = "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n";
    project.write("whimbrel.toml", format!("{base}[chains.biling]\ntrust = \"untrusted\"\nnamespace = \"b_\"\n"));
    insta::assert_snapshot!(project.run(&["up"]), @"
    exit 2
    --- stderr
    error: whimbrel.toml:5:1: `[chains.biling]` is about the chain biling, which is not there
    hint: did you mean `billing`? A chain of its own has a `dir`
    ");
    for verb in ["status", "plan", "down"] {
        assert_eq!(project.run(&[verb]).code, 2, "{verb}");
    }
    assert!(!project.path("app.db").exists());
    project.write("whimbrel.toml", format!("{base}[chains.shop]\nkeep_bodies = true\n"));
    let refused = project.run(&["up"]);
    assert!(
        refused.stderr.contains("hint: give it a `dir`, or take the table away; known are main, billing"),
        "{refused}"
    );
    project.write("whimbrel.toml", format!("{base}[chains.main]\nkeep_bodies = true\n"));
    project.ok(&["up"]);
}

/// Two chains with a version 3 each.
fn with_threes(main: &[(&str, &str)], other: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.b]\ndir = \"b\"\n");
    for (folder, files) in [("migrations", main), ("b", other)] {
        for (file, text) in files {
            project.write(&format!("{folder}/{file}"), text);
        }
    }
    project
}

#[test]
fn a_transform_is_found_in_its_chain_or_asked_for() {
    let transform = |table: &str| {
        format!(
            "// whimbrel: transform = {{ table = \"{table}\", read = [\"a\"], write = [\"b\"], on_error = \"skip\" }}\n\
             export function transform({{ a }}) {{ if (a == 2) throw new Error(\"not two\"); return {{ b: a }}; }}\n"
        )
    };
    let rows = |table: &str| {
        format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY, a, b); INSERT INTO {table} (a) VALUES (1), (2);")
    };
    let (of_main, of_b) = (rows("m"), rows("n"));
    let project = with_threes(
        &[("0001_m.sql", &of_main), ("0003_sql.sql", "SELECT 1;")],
        &[("0001_n.sql", &of_b), ("0003_t.js", &transform("n"))],
    );
    let up = project.run(&["up"]);
    assert!(up.stdout.contains("`whimbrel rejects --chain b 3`"), "{up}");
    assert_snapshot!(project.run(&["rejects", "3"]), @"
    exit 0
    --- stdout
      Key   Reason
      id 2  Error: not two (0003_t.js:2:58)

    1 row was kept aside in chain b.
    ");
    let json = |arguments: &[&str], schema: &str| project.ok(arguments).json(schema)["chain"].clone();
    assert_eq!(json(&["rejects", "3", "--json"], "rejects"), "b");
    assert_eq!(json(&["preview", "3", "--json"], "preview"), "b");
    assert_eq!(
        project.run(&["rejects", "3", "--retry"]).stdout.lines().next(),
        Some("Tried once more in chain b: 1 row, 0 written, 1 rejected.")
    );

    let project = with_threes(
        &[("0001_m.sql", &of_main), ("0003_t.js", &transform("m"))],
        &[("0001_n.sql", &of_b), ("0003_t.js", &transform("n"))],
    );
    project.run(&["up"]);
    for arguments in [&["rejects", "3"][..], &["rejects", "3", "--retry"], &["preview", "3"]] {
        let refused = project.unchanged(|| project.run(arguments));
        assert!(
            refused.code == 1 && refused.stderr.contains("version 3 can be that of several chains: main, b"),
            "{refused}"
        );
    }
    assert_eq!(project.ok(&["rejects", "3", "--chain", "b", "--json"]).json("rejects")["chain"], "b");
}

#[test]
fn what_does_not_come_back_is_let_pass_in_one_chain() {
    let lost = [("0001_a.up.sql", "CREATE TABLE m (x); CREATE TABLE k (x);"), ("0001_a.down.sql", "DROP TABLE m;")];
    let also = [("0001_b.up.sql", "CREATE TABLE n (x); CREATE TABLE l (x);"), ("0001_b.down.sql", "DROP TABLE n;")];
    let project = with_threes(&lost, &also);
    let tested = |arguments: &[&str]| project.run(&[&["test", "--round-trip"], arguments].concat());
    assert_eq!(tested(&["--accept", "main:1", "--accept", "b:1"]).code, 0);
    assert_eq!(tested(&["--accept", "b:1"]).code, 1);
    assert_snapshot!(tested(&["--accept", "1"]), @"
    exit 1
    --- stderr
    error: version 1 can be that of several chains: main, b
    hint: say which with --chain
    ");
    assert_snapshot!(tested(&["--accept", "b:9"]), @"
    exit 1
    --- stderr
    error: there is no migration b:9
    hint: `whimbrel status` shows the versions there are
    ");
}

#[test]
fn each_chain_can_be_laid_out_in_its_own_way() {
    let project = with_threes(&[("0001_a.sql", "CREATE TABLE a (x);")], &[("V1__b.sql", "CREATE TABLE b (x);")]);
    let toml = project.read("whimbrel.toml").replacen("dir =", "layout = \"whimbrel\"\ndir =", 1);
    project.write("whimbrel.toml", format!("{toml}layout = \"flyway\"\n"));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')"), 2);
    project.ok(&["new", "more", "--chain", "b"]);
    assert_eq!(project.list("b"), ["V1__b.sql", "V2__more.sql"]);
}

#[test]
fn what_status_has_to_say_names_the_chain() {
    let project = project();
    project.write("migrations/0004_four.sql", "SELECT 1;\n");
    project.write("billing/0003_three.sql", "SELECT 1;\n");
    project.ok(&["up"]);
    project.write("billing/0002_late.sql", "SELECT 1;\n");
    project.write("migrations/0003_late.sql", "-- whimbrel: out_of_order = allow\nSELECT 1;\n");
    project.write("migrations/0006_asks.sql", "-- whimbrel: require = SELECT 0\nSELECT 1;\n");
    project.write("billing/0004_asks.sql", "-- whimbrel: skip_unless = SELECT 0\nSELECT 1;\n");
    project.write("billing/README.md", "");
    assert_snapshot!(project.run(&["status"]).stdout.split_once("\n\n5 ").expect("a sum").1, @"
    applied, 2 out of order, 2 pending.
    note: main:3 late is out of order and may be: `up` would apply it
    note: billing:2 late is out of order: `up` would refuse it, and with --allow-out-of-order apply it
    note: as the database is now, `up` would fail at main:6 asks: this does not hold: SELECT 0
    note: as the database is now, `up` would skip billing:4 asks: this does not hold: SELECT 0
    note: the sequence has no version main:5
    note: billing/README.md is ignored: neither .sql nor .wasm nor .toml nor a script
    ");
}

#[test]
fn a_squash_beside_another_chain_says_what_can_be_done() {
    let project = project();
    project.write("billing/0001_invoice.up.sql", "CREATE TABLE invoice (note_id);\n");
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["squash", "--chain", "billing"]), @"
    exit 1
    --- stderr
    error: the database has what the chain main has made too, which a baseline of billing would make again
    hint: squash a database of this chain alone: `whimbrel up --chain billing -D alone.db`, then `whimbrel squash --chain billing -D alone.db`
    ");
    project.write("billing/0001_invoice.up.sql", "-- whimbrel: depends_on = main:1\nCREATE TABLE invoice (note_id);\n");
    assert_snapshot!(project.run(&["squash", "--chain", "billing"]), @"
    exit 1
    --- stderr
    error: the database has what the chain main has made too, which a baseline of billing would make again
    hint: billing:1 invoice depends on main:1 create_note, so no database has this chain alone: it cannot be squashed, and its migrations stay
    ");
    let error = project.run(&["squash", "--chain", "billing", "--json"]).json("error");
    assert_eq!(error["code"], "not-alone", "{error}");
}
