//! `whimbrel up`.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn applies_what_is_pending_and_nothing_twice() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 2 migrations in [time].

    --- stderr
    Applied 1 create_note ([time]).
    Applied 2 first_notes ([time]).
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 2);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Nothing to do: 2 migrations are applied.
    ");
    });
}

#[test]
fn stops_where_it_is_told() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["up", "--to", "1"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 1 create_note ([time]).
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 0);
    assert_snapshot!(project.run(&["up", "--steps", "5"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 2 first_notes ([time]).
    ");
}

#[test]
fn is_found_by_the_names_other_tools_use() {
    for alias in ["migrate", "run", "apply"] {
        let project = Project::notes();
        project.ok(&[alias]);
        assert_eq!(project.number("SELECT count(*) FROM note"), 2, "{alias}");
        project.ok(&["info"]);
        project.ok(&["list"]);
        for alias in ["create", "add", "generate"] {
            project.ok(&[alias, "more"]);
        }
        // Pairs, since there are only pairs.
        assert_eq!(project.list("migrations").len(), 10);
    }
}

#[test]
fn quiet_says_only_the_result() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["up", "--quiet"]), @"
    exit 0
    --- stdout
    Applied 2 migrations in [time].
    ");
}

#[test]
fn what_switches_foreign_keys_off_is_a_rebuild() {
    let project =
        Project::with(&[("0001_rebuild.sql", "CREATE TABLE a (id);\n\n  PRAGMA foreign_keys = OFF;\nDROP TABLE a;\n")]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 1 rebuild ([time]).
    warning: migration 1 rebuild: PRAGMA foreign_keys has no effect inside a transaction
     --> migrations/0001_rebuild.sql:3:3
      |
    3 |   PRAGMA foreign_keys = OFF;
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: the migration is run as a rebuild because of it: the host suspends foreign keys around the transaction and checks them before it commits; write `-- whimbrel: rebuild` at the top to say so
    ");
}

/// As other tools generate it: inside a transaction SQLite ignores the pragma, and `DROP TABLE` would delete the notes.
#[test]
fn dropping_a_table_with_foreign_keys_switched_off_deletes_no_rows_that_refer_to_it() {
    let project = Project::with(&[
        (
            "0001_people.sql",
            "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT);
             CREATE TABLE note (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person ON DELETE CASCADE);
             INSERT INTO person VALUES (1, 'Ann'); INSERT INTO note VALUES (1, 1);",
        ),
        (
            "0002_names.sql",
            "PRAGMA foreign_keys=OFF;
             CREATE TABLE __new_person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             INSERT INTO __new_person SELECT id, name FROM person;
             DROP TABLE person;
             ALTER TABLE __new_person RENAME TO person;
             PRAGMA foreign_keys=ON;",
        ),
    ]);
    let plan = project.ok(&["plan", "--json"]).json("plan");
    assert_eq!((&plan["steps"][0]["rebuild"], &plan["steps"][1]["rebuild"]), (&false.into(), &true.into()));
    assert_eq!(plan["warnings"].as_array().map(Vec::len), Some(1));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM note JOIN person ON person.id = note.person"), 1);
    project.write("migrations/0003_orphan.sql", "PRAGMA foreign_keys = 0;\nDELETE FROM person;\n");
    let run = project.run(&["up"]);
    assert!(run.code == 1 && run.stderr.contains("foreign keys are broken after the rebuild"), "{run}");
    assert_eq!(project.number("SELECT count(*) FROM person"), 1);
}

const FAMILY: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE note (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person ON DELETE CASCADE);
    INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob');
    INSERT INTO note VALUES (1, 1), (2, 2);";
const REBUILD: &str = "-- whimbrel: rebuild
    CREATE TABLE new_person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO new_person SELECT id, name FROM person;
    DROP TABLE person;
    ALTER TABLE new_person RENAME TO person;";

/// Databases whose programs never enforced them have such rows.
#[test]
fn rows_without_parents_that_were_there_before_keep_no_table_from_being_rebuilt() {
    let project = Project::with(&[("0001_family.sql", FAMILY)]);
    project.ok(&["up"]);
    project.database().execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO note VALUES (3, 9);").unwrap();
    project.write("migrations/0002_rebuild.sql", REBUILD);
    project.write("migrations/0003_worse.sql", format!("{REBUILD} DELETE FROM person WHERE id = 2;"));
    let run = project.run(&["up"]);
    assert_snapshot!(run, @"
    exit 1
    --- stderr
    Applied 2 rebuild ([time]).
    error: migration 3 worse failed on its way up
      caused by: foreign keys are broken after the rebuild: a row of note with rowid 2 has no parent in person
    note: migration 3 worse was rolled back
    note: 1 migration was applied before it and stays applied
    hint: the migration, and what its hooks do, must leave no row whose parent is gone
    ");
    assert_eq!(project.number("SELECT count(*) FROM person"), 2);
}

/// The table of the notes numbers its rows anew, and has another type for what they refer to.
#[test]
fn a_new_row_without_a_parent_in_the_place_of_an_old_one_is_new() {
    let family = FAMILY.replace("note (id INTEGER PRIMARY KEY,", "note (id INTEGER,");
    let project = Project::with(&[("0001_family.sql", &family)]);
    project.ok(&["up"]);
    project.database().execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO note VALUES (3, 9), (4, 8);").unwrap();
    let rebuild = "-- whimbrel: rebuild
        CREATE TABLE new_note (id INTEGER, person TEXT REFERENCES person);
        INSERT INTO new_note SELECT id, person FROM note ORDER BY id DESC;
        DROP TABLE note;
        ALTER TABLE new_note RENAME TO note;";
    project.write("migrations/0002_rebuild.sql", rebuild);
    project.write(
        "migrations/0003_worse.sql",
        "-- whimbrel: rebuild\nDELETE FROM note WHERE person = '9';\nINSERT INTO note VALUES (5, '7');\n",
    );
    let run = project.run(&["up"]);
    assert!(run.stderr.starts_with("Applied 2 rebuild"), "{run}");
    let named = "foreign keys are broken after the rebuild: a row of note with rowid 5 has no parent in person";
    assert!(run.code == 1 && run.stderr.contains(named), "{run}");
    assert_eq!(project.number("SELECT count(*) FROM note WHERE person IN ('8', '9')"), 2);
}

/// In one transaction foreign keys are off for all steps when one of them needs that.
#[test]
fn one_transaction_with_a_rebuild_lets_no_other_step_break_foreign_keys() {
    for harm in ["INSERT INTO note VALUES (3, 9);", "DELETE FROM person WHERE id = 2;", "DROP TABLE person;"] {
        let project =
            Project::with(&[("0001_family.sql", FAMILY), ("0002_rebuild.sql", REBUILD), ("0003_harm.sql", harm)]);
        let run = project.run(&["up", "--single-transaction"]);
        assert!(run.code == 1 && run.stderr.contains("migration 3 harm"), "{run}");
        assert!(run.stderr.contains("off here because another step needs them off"), "{run}");
        assert!(run.stderr.contains("of note"), "{run}");
        // Step by step they are enforced, so that a dry run cannot tell.
        let tried = project.ok(&["up", "--dry-run"]);
        assert!(
            tried.stdout.contains("up 3 harm: not tried, it needs the foreign keys that are off for another step"),
            "{tried}"
        );
        assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'person'"), 0);
        project.write("migrations/0003_harm.sql", "DELETE FROM note WHERE id = 2;");
        project.ok(&["up", "--single-transaction"]);
        assert_eq!(project.number("SELECT count(*) FROM note"), 1);
    }
}

#[test]
fn applies_older_ones_only_when_allowed() {
    let project = Project::notes();
    project.write("migrations/0003_three.sql", "CREATE TABLE three (id);");
    project.ok(&["up"]);
    project.write("migrations/0004_four.sql", "CREATE TABLE four (id);");
    project.ok(&["up"]);
    let late = "migrations/0000_late.sql";
    project.write(late, "CREATE TABLE late (id);");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 0 late is pending, but 4 is already applied
        hint: give it a version above 4, or apply it all the same with --allow-out-of-order; `-- whimbrel: out_of_order = allow` in its head says that it may always be
        ");
    });
    assert_snapshot!(project.run(&["up", "--allow-out-of-order"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 0 late ([time]).
    ");
}

#[test]
fn keeps_its_history_where_it_is_told() {
    let project = Project::notes();
    project.ok(&["up", "--table", "my_history"]);
    assert_eq!(project.number("SELECT count(*) FROM my_history"), 2);
    assert_snapshot!(project.run(&["up", "--table", "drop table"]), @r#"
    exit 2
    --- stderr
    error: "drop table" cannot be the history table's name; use letters, digits and underscores, at most 60, and begin with neither a digit nor `sqlite_`
    "#);
}

#[test]
fn with_verbose_a_run_tells_what_it_does() {
    let project = Project::notes();
    let said = project.ok(&["up", "-v"]).stderr;
    let mut rest = said.as_str();
    for word in
        ["sources read", "planned", "database opened", "step begins", "transaction begun", "committed", "step is over"]
    {
        rest = rest.split_once(word).unwrap_or_else(|| panic!("`{word}` comes no more: {said}")).1;
    }
    assert!(!project.ok(&["up"]).stderr.contains("sources read"));
    assert!(project.run_with("WHIMBREL_LOG", "whimbrel=debug", &["plan"]).stderr.contains("sources read"));
}
