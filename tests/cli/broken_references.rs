//! Rows without parents, and views and triggers without their tables: refused, named, and told before as well.

use insta::assert_snapshot;

use crate::harness::Project;

const TABLES: &str = "CREATE TABLE p (id INTEGER PRIMARY KEY);\n\
                      CREATE TABLE c (p INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED);\n";

#[test]
fn a_row_without_a_parent_at_the_end_of_the_transaction_is_named_and_a_dry_run_tells() {
    let project = Project::with(&[
        ("0001_tables.sql", TABLES),
        ("0002_rows.sql", "INSERT INTO c VALUES (7);\n"),
        ("0003_parent.sql", "INSERT INTO p VALUES (7);\n"),
    ]);
    assert_snapshot!(project.run(&["up", "--dry-run"]), @"
    exit 1
    --- stderr
    error: migration 2 rows failed on its way up
      caused by: foreign keys are broken at the end of the transaction: a row of c with rowid 1 has no parent in p
    note: it was a dry run: everything was rolled back
    hint: each of these rows must have its parent when the transaction ends
    ");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 tables ([time]).
    error: migration 2 rows failed on its way up
      caused by: foreign keys are broken at the end of the transaction: a row of c with rowid 1 has no parent in p
    note: migration 2 rows was rolled back
    note: 1 migration was applied before it and stays applied
    hint: each of these rows must have its parent when the transaction ends
    ");
    // In one transaction only its end counts.
    project.ok(&["up", "--single-transaction", "--dry-run"]);
    project.ok(&["up", "--single-transaction"]);
}

#[test]
fn foreign_keys_that_a_script_defers_are_looked_at_in_one_transaction_too() {
    let project = Project::with(&[
        ("0001_tables.sql", "CREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p INTEGER REFERENCES p);\n"),
        ("0002_rows.sql", "PRAGMA defer_foreign_keys = ON;\nINSERT INTO c VALUES (7);\n"),
    ]);
    for arguments in [
        ["up", "--dry-run"].as_slice(),
        &["up", "--dry-run", "--single-transaction"],
        &["up", "--single-transaction"],
        &["up"],
    ] {
        let outcome = project.run(arguments);
        assert_eq!(outcome.code, 1, "{arguments:?}: {outcome}");
        let named = "a row of c with rowid 1 has no parent in p";
        assert!(outcome.stderr.contains(named), "{arguments:?}: {outcome}");
    }
}

#[test]
fn what_cannot_be_in_one_transaction_is_refused_by_a_dry_run_too() {
    let project = Project::with(&[("0001_a.sql", "-- whimbrel: transaction = none\nCREATE TABLE a (x);\n")]);
    let json = project.run(&["up", "--single-transaction", "--dry-run", "--json"]);
    assert_eq!(json.json("error")["code"], "not-in-one-transaction");
}

const SCHEMA: &str = "CREATE TABLE p (id INTEGER PRIMARY KEY, a, b);\n\
                      CREATE INDEX p_a ON p (a);\n\
                      CREATE TABLE c (p REFERENCES p);\n\
                      CREATE TABLE log (p);\n\
                      CREATE VIEW v AS SELECT a FROM p;\n\
                      CREATE TRIGGER of_p AFTER INSERT ON p BEGIN INSERT INTO log VALUES (new.id); END;\n\
                      CREATE TRIGGER of_c AFTER INSERT ON c BEGIN UPDATE p SET b = b + 1 WHERE id = new.p; END;\n\
                      INSERT INTO p VALUES (1, 2, 3);\n\
                      INSERT INTO c VALUES (1);\n";

fn rebuild(columns: &str, more: &str) -> String {
    format!(
        "-- whimbrel: rebuild\nCREATE TABLE new_p (id INTEGER PRIMARY KEY, {columns});\n\
         INSERT INTO new_p SELECT id, {columns} FROM p;\nDROP TABLE p;\nALTER TABLE new_p RENAME TO p;\n{more}"
    )
}

#[test]
fn a_table_that_views_and_triggers_mention_is_rebuilt() {
    let project = Project::with(&[("0001_schema.sql", SCHEMA), ("0002_rebuild.sql", &rebuild("a, b", ""))]);
    project.ok(&["up", "--to", "1"]);
    let tried = project.ok(&["up", "--dry-run"]);
    assert!(tried.stderr.contains("the index p_a of p, the trigger of_p of p"), "{tried}");
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 2 rebuild ([time]).
    warning: migration 2 rebuild: went with the table that was dropped: the index p_a of p, the trigger of_p of p
    hint: create it again at the end of the script, or drop it by name before the table
    ");
    let database = project.database();
    let texts = "SELECT group_concat(sql, '; ') FROM (SELECT sql FROM sqlite_schema WHERE name IN ('v', 'c', 'of_c'))";
    let texts: String = database.query_row(texts, [], |row| row.get(0)).unwrap();
    assert_snapshot!(texts, @"CREATE TABLE c (p REFERENCES p); CREATE VIEW v AS SELECT a FROM p; CREATE TRIGGER of_c AFTER INSERT ON c BEGIN UPDATE p SET b = b + 1 WHERE id = new.p; END");
    database.execute_batch("PRAGMA foreign_keys = ON; INSERT INTO c VALUES (1)").unwrap();
    assert_eq!(project.number("SELECT b FROM p"), 5);
}

#[test]
fn what_is_dropped_by_name_is_meant_to_go() {
    let script =
        rebuild("a, b", "CREATE INDEX p_a ON p (a);\n").replace("DROP TABLE p", "DROP TRIGGER of_p;\nDROP TABLE p");
    let project = Project::with(&[("0001_schema.sql", SCHEMA), ("0002_rebuild.sql", &script)]);
    let outcome = project.ok(&["up"]);
    assert!(!outcome.stderr.contains("warning"), "{outcome}");
}

#[test]
fn a_rebuild_that_leaves_a_view_or_a_reference_behind_is_refused() {
    let project = Project::with(&[("0001_schema.sql", SCHEMA), ("0002_rebuild.sql", &rebuild("b", ""))]);
    project.ok(&["up", "--to", "1"]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 2 rebuild failed on its way up
      caused by: the schema is broken afterwards: error in view v: no such column: a
    note: migration 2 rebuild was rolled back
    hint: drop a view or trigger that no longer fits before the table, and create it again after it; refer to the table by the name that it has in the end
    ");
    assert_eq!(project.run(&["up", "--dry-run", "--json"]).json("error")["code"], "schema-broken");
    // Whoever renames the old table takes references to it along.
    let other_way = "-- whimbrel: rebuild\nDROP VIEW v;\nDROP TRIGGER of_c;\nALTER TABLE p RENAME TO old_p;\n\
                     CREATE TABLE p (id INTEGER PRIMARY KEY, a, b);\nINSERT INTO p SELECT * FROM old_p;\nDROP TABLE old_p;\n";
    project.write("migrations/0002_rebuild.sql", other_way);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 2 rebuild failed on its way up
      caused by: the schema is broken afterwards: c refers to a table old_p that is not there
    note: migration 2 rebuild was rolled back
    hint: drop a view or trigger that no longer fits before the table, and create it again after it; refer to the table by the name that it has in the end
    ");
    assert_eq!(project.number("SELECT count(*) FROM p JOIN c ON c.p = p.id"), 1);
}

#[test]
fn warnings_are_told_when_a_later_step_fails() {
    let implied = "PRAGMA foreign_keys = OFF;\nCREATE TABLE b (x);\nPRAGMA foreign_keys = ON;\n";
    let project = Project::with(&[
        ("0001_a.sql", "CREATE TABLE a (x);\n"),
        ("0002_b.sql", implied),
        ("0003_c.sql", "SELECT nothing;\n"),
    ]);
    let warned = project.run(&["up", "--dry-run"]);
    assert!(warned.stderr.starts_with("warning: migration 2 b:") && warned.stderr.contains("\nerror: "), "{warned}");
    let json = project.run(&["up", "--json"]).json("error");
    assert_eq!(json["warnings"][0]["migration"], "2 b");
}

#[test]
fn a_view_that_a_rebuild_breaks_is_found_whatever_the_connection_was_told() {
    let rebuild = "CREATE TABLE n (a);\nDROP TABLE t;\nALTER TABLE n RENAME TO t;\n";
    for pragma in ["", "PRAGMA legacy_alter_table = ON;\n"] {
        let project = Project::with(&[
            ("0001_t.sql", "CREATE TABLE t (a, b);\nCREATE VIEW v AS SELECT b FROM t;\n"),
            ("0002_n.sql", &format!("-- whimbrel: rebuild\n{pragma}{rebuild}")),
        ]);
        let outcome = project.run(&["up"]);
        assert!(outcome.code == 1 && outcome.stderr.contains("error in view v"), "{pragma}: {outcome}");
        assert_eq!(project.number("SELECT count(b) FROM t"), 0);
    }
}

#[test]
fn a_rebuild_counts_and_shows_its_own_statements_only() {
    let project = Project::with(&[
        ("0001_t.sql", "CREATE TABLE t (a);\nCREATE VIEW v AS SELECT a FROM t;\n"),
        (
            "0002_n.sql",
            "-- whimbrel: rebuild\nCREATE TABLE n (a, b);\nINSERT INTO n (a) SELECT a FROM t;\nDROP TABLE t;\n\
             ALTER TABLE n RENAME TO t;\n",
        ),
    ]);
    project.ok(&["up", "--to", "1"]);
    let json = project.ok(&["up", "--dry-run", "--json"]).json("up");
    let shown = json["steps"][0]["recording"]["statements"].as_array().expect("statements");
    assert!(shown.len() == 4 && !json.to_string().contains("PRAGMA"), "{json}");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT statements FROM _whimbrel_history WHERE version = '2'"), 4);
}

#[test]
fn no_name_of_a_table_is_in_the_way_of_a_rebuild() {
    let project = Project::with(&[
        ("0001_t.sql", "CREATE TABLE t (a);\nCREATE TABLE _whimbrel_probe (x);\nCREATE TABLE _WHIMBREL_PROBED (x);\n"),
        ("0002_n.sql", "-- whimbrel: rebuild\nCREATE TABLE n (a, b);\nDROP TABLE t;\nALTER TABLE n RENAME TO t;\n"),
    ]);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_probe"), 0);
}

#[test]
fn what_was_broken_before_is_not_held_against_a_rebuild_that_renames() {
    let tables = "CREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p REFERENCES p);\n\
                  CREATE TABLE k (x REFERENCES nowhere (id));\n";
    for rename in
        ["ALTER TABLE p RENAME TO parent;\n", "ALTER TABLE k RENAME TO kk;\n", "ALTER TABLE c RENAME TO child;\n"]
    {
        let project =
            Project::with(&[("0001_t.sql", tables), ("0002_n.sql", &format!("-- whimbrel: rebuild\n{rename}"))]);
        project.ok(&["up", "--to", "1"]);
        project.database().execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (7)").expect("a row");
        project.ok(&["up"]);
    }
}
