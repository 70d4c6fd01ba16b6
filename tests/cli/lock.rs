//! `whimbrel lock`: two branches that both add a migration.

use std::path::Path;
use std::process::Command;

use crate::harness::Project;

#[test]
fn writes_and_checks_the_lock_file() {
    let project = Project::notes();
    insta::assert_snapshot!(project.run(&["lock", "--check"]), @"
    exit 2
    --- stderr
    error: there is no migrations/whimbrel.lock
    hint: write it with `whimbrel lock` and commit it
    ");
    insta::assert_snapshot!(project.ok(&["lock"]), @"
    exit 0
    --- stdout
    Wrote migrations/whimbrel.lock: 2 migrations.
    ");
    insta::assert_snapshot!(project.ok(&["lock", "--check"]), @"
    exit 0
    --- stdout
    migrations/whimbrel.lock describes the folder: 2 migrations.
    ");
    project.ok(&["up"]);
    project.write("migrations/0002_first_notes.up.sql", "INSERT INTO note (text) VALUES ('three');\n");
    project.write("migrations/0003_more.sql", "SELECT 1;\n");
    project.remove("migrations/0001_create_note.down.sql");
    insta::assert_snapshot!(project.run(&["lock", "--check"]), @"
    exit 1
    --- stdout
    migrations/whimbrel.lock does not describe the folder:
      1 create_note has another way down than the lock file says
      2 first_notes is not what the lock file says
      3 more is not in the lock file
    Write it anew: `whimbrel lock`
    ");
    let json = project.run(&["lock", "--check", "--json"]).json("lock");
    assert_eq!(json["differences"][2]["kind"], "added");
    project.ok(&["lock"]);
    project.ok(&["lock", "--check"]);
    // What makes no difference for the database makes none here.
    project.write("migrations/0003_more.sql", "-- words\r\nSELECT 1;\r\n");
    project.ok(&["lock", "--check"]);
    let torn = project.read("migrations/whimbrel.lock").replace("name = \"more\"", "name = \"less\"");
    project.write("migrations/whimbrel.lock", torn);
    insta::assert_snapshot!(project.run(&["lock", "--check"]), @"
    exit 2
    --- stderr
    error: migrations/whimbrel.lock: its head does not cover its migrations
    hint: write it anew: `whimbrel lock`
    ");
}

#[test]
fn every_chain_has_its_own() {
    let project = Project::notes();
    let settings = "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n\
                    [chains.packed]\ndir = \"packed.zip\"\n";
    project.write("whimbrel.toml", settings);
    project.write("billing/0001_invoice.sql", "CREATE TABLE invoice (x);\n");
    insta::assert_snapshot!(project.ok(&["lock"]), @"
    exit 0
    --- stdout
    Wrote migrations/whimbrel.lock: 2 migrations.
    Wrote billing/whimbrel.lock: 1 migration.
    ");
    project.ok(&["new", "more", "--chain", "billing"]);
    project.write("billing/0002_more.sql", "CREATE TABLE more (x);\n");
    project.ok(&["lock", "--check", "--chain", "main"]);
    insta::assert_snapshot!(project.run(&["lock", "--check"]), @"
    exit 1
    --- stdout
    migrations/whimbrel.lock describes the folder: 2 migrations.
    billing/whimbrel.lock does not describe the folder:
      2 more is not what the lock file says
    Write it anew: `whimbrel lock`
    ");
    let json = project.run(&["lock", "--check", "--json"]).json("lock");
    assert_eq!(json["differences"], serde_json::json!([{ "migration": "billing:2 more", "kind": "changed" }]));
    assert_eq!((&json["file"], &json["files"][1]["chain"]), (&serde_json::Value::Null, &"billing".into()));
    project.ok(&["lock", "--chain", "billing"]);
    project.ok(&["lock", "--check"]);
    for (chain, code) in [("nowhere", 2), ("packed", 2)] {
        assert_eq!(project.run(&["lock", "--chain", chain]).code, code, "{chain}");
    }
}

#[test]
fn a_lock_file_that_cannot_be_written_is_no_wrong_setting() {
    let project = Project::notes();
    project.write("migrations/whimbrel.lock/file", "");
    insta::assert_snapshot!(project.run(&["lock"]), @"
    exit 1
    --- stderr
    error: cannot write migrations/whimbrel.lock
      caused by: Is a directory (os error 21)
    hint: check the path
    ");
}

fn git(folder: &Path, arguments: &[&str]) -> bool {
    let identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").current_dir(folder).args(identity).args(arguments).output().expect("git runs");
    output.status.success()
}

#[test]
fn two_branches_that_add_a_migration_conflict_in_git() {
    let project = Project::notes();
    project.ok(&["lock"]);
    let folder = project.path("");
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "."], &["commit", "-qm", "notes"]] {
        assert!(git(&folder, arguments), "{arguments:?}");
    }
    for (branch, name) in [("ours", "add_email"), ("theirs", "add_phone")] {
        assert!(git(&folder, &["checkout", "-qb", branch, "main"]));
        project.ok(&["new", name]);
        for arguments in [&["add", "."][..], &["commit", "-qm", name]] {
            assert!(git(&folder, arguments), "{arguments:?}");
        }
    }
    // Without the lock file the two files `0003_…` would lie beside each other without a word.
    assert!(!git(&folder, &["merge", "-q", "ours"]), "the merge conflicts");
    assert!(project.read("migrations/whimbrel.lock").contains("<<<<<<<"));
    let check = project.run(&["lock", "--check"]);
    assert_eq!(check.code, 2, "{check}");
    assert!(check.stderr.contains("a merge has left its marks here"), "{check}");
}
