//! `whimbrel init`.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn makes_a_project_that_works() {
    let project = Project::new();
    assert_snapshot!(project.run(&["init"]), @"
    exit 0
    --- stdout
    Created whimbrel.toml.
    Created migrations/0001_create_note.sql.
    Next: write your first migration, then run `whimbrel up`.
    ");
    assert_snapshot!(project.read("whimbrel.toml"), @r#"
    # Settings of whimbrel. Paths are relative to this file; the command line, DATABASE_URL and .env come first.
    database = "sqlite:app.db"
    dir = "migrations"
    # lock_timeout = "60s"
    # foreign_keys = true
    # chain = "main"
    # history_table = "_whimbrel_history"
    "#);
    assert_snapshot!(project.run(&["up"]), @"
    exit 0
    --- stdout
    Applied 1 migration in [time].

    --- stderr
    Applied 1 create_note ([time]).
    ");
    assert_eq!(project.number("SELECT count(*) FROM note"), 0);
}

#[test]
fn a_dry_run_makes_nothing() {
    let project = Project::new();
    assert_snapshot!(project.run(&["init", "--dry-run"]), @"
    exit 0
    --- stdout
    Would create whimbrel.toml.
    Would create migrations/0001_create_note.sql.
    It was a dry run: nothing was made.
    ");
    assert_eq!(project.list("."), Vec::<String>::new());
}

#[test]
fn overwrites_only_when_forced() {
    let project = Project::with(&[("0001_mine.sql", "SELECT 1;")]);
    assert_snapshot!(project.run(&["init"]), @"
    exit 0
    --- stdout
    Kept whimbrel.toml: it exists (--force overwrites it).
    Next: write your first migration, then run `whimbrel up`.
    ");
    assert_eq!(project.read("whimbrel.toml"), "database = \"sqlite:app.db\"\n");
    assert_snapshot!(project.run(&["init", "--force", "-D", "other.db"]), @"
    exit 0
    --- stdout
    Overwrote whimbrel.toml.
    Next: write your first migration, then run `whimbrel up`.
    ");
    assert!(project.read("whimbrel.toml").contains("database = \"other.db\""));
    assert_eq!(project.list("migrations"), ["0001_mine.sql"]);
}

#[test]
fn takes_other_places() {
    let project = Project::new();
    project.ok(&["init", "--dir", "db/changes", "--config", "etc/whimbrel.toml", "--database", "sqlite:app.db"]);
    let settings = project.read("etc/whimbrel.toml").replace(&project.path("").display().to_string(), "[folder]/");
    assert!(settings.contains("dir = \"[folder]/db/changes\""), "{settings}");
    project.ok(&["up", "--config", "etc/whimbrel.toml"]);
    assert_eq!(project.list("etc"), ["app.db", "whimbrel.toml"]);
}

#[test]
fn refuses_a_database_it_cannot_open() {
    let project = Project::new();
    assert_snapshot!(project.run(&["init", "-D", "postgres://ann:s3cret@host/app"]), @"
    exit 2
    --- stderr
    error: this build opens SQLite databases only, not postgres: (from --database)
    hint: write sqlite:app.db, sqlite:///var/lib/app.db or a path
    ");
    assert_eq!(project.list("."), Vec::<String>::new());
}
