//! Components on the command line: the sample chain that the README runs.

use crate::harness::Project;

/// Makes a project with the sample chain.
fn sample() -> Project {
    let project = Project::with(&[]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    for entry in std::fs::read_dir(folder).expect("the sample chain") {
        let entry = entry.expect("entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        project.write(&format!("migrations/{name}"), std::fs::read(entry.path()).expect("file"));
    }
    project
}

#[test]
fn what_guests_say_is_shown() {
    let project = sample();
    let outcome = project.ok(&["up"]);
    assert!(outcome.stderr.contains("  [3 split_names] split "), "{outcome}");
    assert!(outcome.stderr.contains("  [5 phone_numbers] warning: "), "{outcome}");
    let line = outcome.stderr.lines().find(|line| line.starts_with("Applied 3 split_names ([time]; "));
    assert!(line.is_some_and(|line| line.contains(" fuel, ") && line.ends_with(" SQL operations).")), "{outcome}");
    assert_eq!(outcome.stdout, "Applied 9 migrations in [time].\n");
    assert_eq!(project.ok(&["up"]).stdout, "Nothing to do: 9 migrations are applied.\n");
}

#[test]
fn what_guests_say_is_in_the_json() {
    let project = sample();
    let outcome = project.ok(&["up", "--json"]);
    assert_eq!(outcome.stderr, "");
    let json = outcome.json("up");
    let first = &json["logs"][0];
    assert_eq!((&first["version"], &first["level"]), (&"3".into(), &"info".into()), "{outcome}");
    assert_eq!(first["chain"], "main", "{outcome}");
    assert!(json["steps"][2]["fuel"].as_u64().is_some_and(|fuel| fuel > 1000), "{outcome}");
}

#[test]
fn quiet_hides_what_guests_say() {
    let project = sample();
    assert_eq!(project.ok(&["up", "--quiet"]).stderr, "");
}

#[test]
fn a_dry_run_of_code_shows_its_statements_and_changes_nothing() {
    let project = sample();
    project.ok(&["up", "--to", "2"]);
    let outcome = project.unchanged(|| project.ok(&["up", "--dry-run"]));
    assert!(outcome.stdout.contains("    UPDATE customer SET "), "{outcome}");
    assert!(outcome.stdout.contains("    rows of customer: "), "{outcome}");
    assert!(outcome.stdout.ends_with("rolled everything back: the database is as it was.\n"), "{outcome}");
}

#[test]
fn a_component_goes_back_down() {
    let project = sample();
    project.ok(&["up", "--to", "3"]);
    let outcome = project.ok(&["down"]);
    assert!(outcome.stderr.contains("Reverted 3 split_names"), "{outcome}");
}

#[test]
fn inspect_and_plan_show_the_manifest() {
    let project = sample();
    let inspected = project.ok(&["inspect", "migrations/0003_split_names.wasm"]);
    let planned = project.ok(&["plan"]);
    for outcome in [inspected, planned] {
        assert!(outcome.stdout.contains("read      customer(id, full_name)"), "{outcome}");
        assert!(outcome.stdout.contains("limits   "), "{outcome}");
    }
}

#[test]
fn a_log_does_not_repeat_what_guests_say() {
    let project = sample();
    let outcome = project.ok(&["up", "-vv"]);
    assert_eq!(outcome.stderr.matches("split 40 names").count(), 1, "{outcome}");
    assert_eq!(outcome.stdout, "Applied 9 migrations in [time].\n");
}
