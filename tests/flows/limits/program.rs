//! What the program says about limits, and that following its hints works.

use crate::flows::guests::behaviours;
use crate::harness::Project;

fn project(manifest: &str) -> Project {
    let people = "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT,
                                       last_name TEXT, code TEXT UNIQUE, big INTEGER);
                  INSERT INTO person (full_name) VALUES ('Ada Lovelace');";
    let project = Project::with(&[("0001_people.sql", people), ("0002_guest.toml", manifest)]);
    project.write("migrations/0002_guest.wasm", behaviours());
    project
}

#[test]
fn a_limit_of_the_policy_is_raised_there() {
    let project = project("[params]\ndo = \"loop\"\n");
    project.write("whimbrel.toml", "database = \"app.db\"\n[chains.main.limits]\nfuel = 1_000_000\n");
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    let expected = "  caused by: the guest reached its fuel limit of 1000000\n";
    assert!(outcome.stderr.contains(expected), "{outcome}");
    let (_, hint) =
        outcome.stderr.split_once("hint: let it do less, or give it more than this in whimbrel.toml:\n").unwrap();
    let hint: Vec<&str> = hint.lines().map(str::trim).collect();
    assert_eq!(hint, ["[chains.main.migrations.2.limits]", "fuel = 1000000"]);
}

#[test]
fn a_limit_of_the_manifest_is_raised_there() {
    let project = project("[limits]\nfuel = 1_000_000\n[params]\ndo = \"loop\"\n");
    let outcome = project.run(&["up"]);
    let expected = "hint: let it do less, or raise `fuel` under [limits] in migrations/0002_guest.toml\n";
    assert!(outcome.stderr.contains(expected), "{outcome}");
    let json = project.run(&["up", "--json"]).json("error");
    assert_eq!(json["code"], "guest-limit", "{json}");
}

#[test]
fn what_a_manifest_asks_beyond_what_there_is_can_be_given_as_the_hint_says() {
    let project = project("[limits]\nmemory = \"1GiB\"\ntime = \"2h\"\n[params]\ndo = \"split\"\n");
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(!project.path("app.db").exists(), "nothing was begun");
    let expected = "migration 2 guest asks for time 2h, more than the 1h it may have, asks for memory 1 GiB, \
                    more than the 512 MiB it may have (migrations/0002_guest.toml)\n";
    assert!(outcome.stderr.contains(expected), "{outcome}");
    let (_, policy) = outcome.stderr.split_once("write into whimbrel.toml:\n").expect("a hint");
    project.write("whimbrel.toml", format!("database = \"app.db\"\n{policy}"));
    project.ok(&["up"]);
}

#[test]
fn the_history_shows_what_code_has_used() {
    let project = project("[params]\ndo = \"split\"\n");
    let applied = project.ok(&["up"]);
    let line = applied.stderr.lines().find(|line| line.starts_with("Applied 2 guest ("));
    assert!(line.is_some_and(|line| line.ends_with(" SQL operations).")), "{applied}");
    let history = project.ok(&["history"]);
    assert!(history.stdout.lines().next().is_some_and(|head| head.ends_with("Used")), "{history}");
    assert!(history.stdout.contains(" fuel, ") && history.stdout.contains(" SQL operations"), "{history}");
}
