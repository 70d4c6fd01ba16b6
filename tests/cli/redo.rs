//! `redo` where it is more than a step back and forth: baselines, what repeatable migrations have made, failures.

use crate::harness::Project;

const TRIGGER: &str = "DROP TRIGGER IF EXISTS g; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;\n";

fn project(repeatables: &[(&str, &str)]) -> Project {
    let project = Project::with(&[("0001_a.up.sql", "CREATE TABLE t (x);\n"), ("0001_a.down.sql", "DROP TABLE t;\n")]);
    for (name, script) in repeatables {
        project.write(&format!("migrations/R__{name}.sql"), script);
    }
    project.ok(&["up"]);
    project
}

fn triggers(project: &Project) -> i64 {
    project.number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'")
}

#[test]
fn goes_back_over_the_baseline_that_the_database_started_from() {
    let project = Project::with(&[
        ("0002_all.up.sql", "-- whimbrel: baseline\nCREATE TABLE t (x);\n"),
        ("0002_all.down.sql", "DROP TABLE t;\n"),
        ("0003_u.up.sql", "CREATE TABLE u (x);\n"),
        ("0003_u.down.sql", "DROP TABLE u;\n"),
    ]);
    project.ok(&["up"]);
    for way in ["--dry-run", "--single-transaction", "--yes"] {
        let arguments: Vec<&str> =
            ["redo", "--steps", "2"].into_iter().chain((way != "--yes").then_some(way)).collect();
        project.ok(&arguments);
        project.ok(&["status", "--check"]);
        assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('t', 'u')"), 2);
    }
}

#[test]
fn what_repeatable_ones_had_made_comes_back_although_the_way_up_fails() {
    let project = project(&[("g", TRIGGER)]);
    project.write("migrations/0001_a.up.sql", "SELEC 1;\n");
    let failed = project.run(&["redo"]);
    let note =
        "note: 1 migration was reverted before it and stays reverted: `whimbrel up` applies again what was reverted";
    assert!(failed.stderr.contains(note), "{failed}");
    assert_eq!(project.run(&["status", "--check"]).code, 3);
    project.write("migrations/0001_a.up.sql", "CREATE TABLE t (x);\n");
    project.ok(&["up"]);
    project.ok(&["status", "--check"]);
    assert_eq!(triggers(&project), 1);
    project.ok(&["redo"]);
    project.ok(&["status", "--check"]);
    assert_eq!(triggers(&project), 1);
}

#[test]
fn a_repeatable_one_that_fails_is_pending_and_what_was_applied_again_is_not_told_as_reverted() {
    let project = project(&[("g", TRIGGER), ("n", "CREATE VIEW n AS SELECT x FROM t;\n"), ("z", "SELECT 1;\n")]);
    let failed = project.run(&["redo"]);
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.stderr.contains("migration n was rolled back"), "{failed}");
    assert!(failed.stderr.contains("note: 2 migrations were applied before it and stay applied\n"), "{failed}");
    assert!(!failed.stderr.contains("stays reverted"), "{failed}");
    project.write("migrations/R__n.sql", "DROP VIEW IF EXISTS n; CREATE VIEW n AS SELECT x FROM t;\n");
    let up = project.ok(&["up"]);
    assert!(
        up.stderr.contains("Applied n (") && up.stderr.contains("Applied z (") && !up.stderr.contains(" g "),
        "{up}"
    );
    assert_eq!(triggers(&project), 1);
}
