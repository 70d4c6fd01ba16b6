//! Chains that only the history knows.

use insta::assert_snapshot;

use super::chains::project;
use crate::harness::Project;

#[test]
fn a_chain_that_only_the_history_knows_is_told_and_is_no_error() {
    let project = project();
    project.ok(&["up"]);
    // The table of the other chain takes the place of the default one, which has no `dir` of its own.
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[chains.billing]\ndir = \"billing\"\n");
    project.write("billing/0001_invoice.up.sql", "CREATE TABLE invoice (note_id);\n");
    project.ok(&["repair", "--accept", "--yes"]);
    assert_snapshot!(project.run(&["status", "--check"]), @r#"
    exit 0
    --- stdout
    Chain billing in app.db

      Version  Name     Kind  State    Applied at (UTC) Took
            1  invoice  sql   applied  [moment] [time]

    1 applied.
    note: the history has 2 applied migrations of the chain main, which these settings do not name
    hint: if it was renamed or left out, name it in whimbrel.toml (`chain`, or `[chains.<name>]` with its `dir`); if other settings have it, say so: `other_chains = ["main"]`
    "#);
    assert_snapshot!(project.run(&["up"]), @r#"
    exit 0
    --- stdout
    Nothing to do: 1 migration is applied.

    --- stderr
    note: the history has 2 applied migrations of the chain main, which these settings do not name
    hint: if it was renamed or left out, name it in whimbrel.toml (`chain`, or `[chains.<name>]` with its `dir`); if other settings have it, say so: `other_chains = ["main"]`
    "#);
    assert_snapshot!(project.run(&["plan"]), @r#"
    exit 0
    --- stdout
    Nothing to do.

    --- stderr
    note: the history has 2 applied migrations of the chain main, which these settings do not name
    hint: if it was renamed or left out, name it in whimbrel.toml (`chain`, or `[chains.<name>]` with its `dir`); if other settings have it, say so: `other_chains = ["main"]`
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    note: the history has 2 applied migrations of the chain main, which these settings do not name
    hint: if it was renamed or left out, name it in whimbrel.toml (`chain`, or `[chains.<name>]` with its `dir`); if other settings have it, say so: `other_chains = ["main"]`
    Verified 1 migration: files and history agree.
    "#);
    let unnamed = serde_json::json!([{ "chain": "main", "rows": 2 }]);
    for verb in ["status", "up", "plan", "verify"] {
        assert_eq!(project.run(&[verb, "--json"]).json(verb)["unnamed_chains"], unnamed, "{verb}");
    }
    assert_eq!(project.run(&["up", "--quiet"]).stderr, "");
    let toml = project.read("whimbrel.toml");
    project.write("whimbrel.toml", format!("other_chains = [\"main\"]\n{toml}"));
    let silent = project.ok(&["up"]);
    assert_eq!(silent.stderr, "", "{silent}");
    assert_eq!(project.ok(&["status", "--json"]).json("status")["unnamed_chains"], serde_json::Value::Null);
}

#[test]
fn a_chain_that_got_another_name_says_under_which_it_was_applied() {
    let project = Project::notes();
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n");
    project.ok(&["up"]);
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\nchain = \"notes\"\n");
    assert_snapshot!(project.run(&["up"]), @r#"
    exit 1
    --- stderr
    note: the history has 2 applied migrations of the chain main, which these settings do not name
    hint: if it was renamed or left out, name it in whimbrel.toml (`chain`, or `[chains.<name>]` with its `dir`); if other settings have it, say so: `other_chains = ["main"]`
    error: migration 1 create_note failed on its way up
      caused by: table note already exists (SQLITE_ERROR)
     --> migrations/0001_create_note.up.sql:1:14
      |
    1 | CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
      |              ^^^^
    note: migration 1 create_note was rolled back
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    "#);
    let failed = project.run(&["up", "--json"]).json("error");
    assert_eq!(failed["unnamed_chains"], serde_json::json!([{ "chain": "main", "rows": 2 }]), "{failed}");
}
