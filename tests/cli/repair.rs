//! `whimbrel repair`: every way to put the history right.

use insta::assert_snapshot;

use crate::harness::Project;

fn applied() -> Project {
    let project = Project::notes();
    project.ok(&["up"]);
    project
}

fn state(project: &Project, index: usize) -> String {
    let status = project.run(&["status", "--json"]).json("status");
    status["migrations"][index]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn accepts_a_change() {
    let project = applied();
    project.write("migrations/0002_first_notes.up.sql", "INSERT INTO note (text) VALUES ('uno');\n");
    project.write(
        "migrations/0001_create_note.up.sql",
        "-- words\nCREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n",
    );
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 2 first_notes was changed after it was applied (migrations/0002_first_notes.up.sql)
    hint: put the file back as it was and make the change in a new migration (recorded d129847a7916…, found 55e38e4365ee…); if nothing has to be run for it, `whimbrel repair 2 --accept`
    ");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["repair", "2", "--accept"]), @"
        exit 1
        --- stderr
        error: `repair` needs to be confirmed, and there is nobody to ask
        hint: look at it with --dry-run, then add --yes
        ");
        assert_snapshot!(project.run(&["repair", "--accept", "--dry-run"]), @"
        exit 0
        --- stdout
        Chain main
          take migration 1 create_note as it is now for what was applied (recorded 82023a05cbba…, now a028b10178a2…)
          take migration 2 first_notes as it is now for what was applied (recorded d129847a7916…, now 55e38e4365ee…)
        Nothing was written.
        ");
    });
    assert_snapshot!(project.run(&["repair", "--accept", "2", "--yes"]), @"
    exit 0
    --- stdout
    Chain main
      take migration 2 first_notes as it is now for what was applied (recorded d129847a7916…, now 55e38e4365ee…)
    The history is repaired.
    ");
    assert_eq!((state(&project, 0).as_str(), state(&project, 1).as_str()), ("checksum-mismatch-cosmetic", "applied"));
    project.ok(&["repair", "--accept", "--yes"]);
    assert_eq!(state(&project, 0), "applied");
    assert_snapshot!(project.run(&["repair", "--accept", "--yes"]), @"
    exit 0
    --- stdout
    There is nothing to repair.
    ");
    assert_snapshot!(project.run(&["repair", "2", "--accept", "--yes"]), @"
    exit 1
    --- stderr
    error: migration 2 first_notes cannot be accepted as it is now: it is applied
    hint: only one that was changed after it was applied can be accepted
    ");
    // When it was applied, and in which order, stays.
    project.ok(&["down"]);
    assert_eq!(state(&project, 1), "reverted");
}

#[test]
fn forgets_what_is_gone() {
    let project = applied();
    project.remove("migrations/0001_create_note.up.sql");
    project.remove("migrations/0001_create_note.down.sql");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 1 create_note is applied, but not in the chain
    hint: bring its file back, or go on without it with --ignore-missing; if it is gone for good, `whimbrel repair 1 --forget`
    ");
    assert_snapshot!(project.run(&["repair", "2", "--forget", "--yes"]), @"
    exit 1
    --- stderr
    error: migration 2 first_notes cannot be forgotten: it is applied
    hint: only one whose file is gone can be forgotten; `whimbrel down` reverts
    ");
    assert_snapshot!(project.run(&["repair", "--forget", "--yes", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "schema": "whimbrel/repair/1",
      "dry_run": false,
      "written": true,
      "changes": [
        {
          "change": "forget",
          "chain": "main",
          "version": "1",
          "migration": "1 create_note",
          "was": "applied",
          "rows": null
        }
      ],
      "warnings": []
    }
    "#);
    project.ok(&["up"]);
    project.ok(&["verify"]);
}

#[test]
fn forgets_not_everything_that_is_applied_at_once() {
    let project = applied();
    project.write("other/0001_x.sql", "CREATE TABLE x (y);\n");
    project.write("none/README", "");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["repair", "--forget", "--yes", "-d", "none"]), @"
        exit 1
        --- stderr
        error: nothing of the chain main is there as it was applied, and 2 migrations would be forgotten
        hint: see whether `dir` and --dir name the folder that was applied; what is gone for good is forgotten one by one: `whimbrel repair VERSION --forget`
        ");
        assert_snapshot!(project.run(&["repair", "--forget", "--yes", "-d", "other"]), @"
        exit 1
        --- stderr
        error: nothing of the chain main is there as it was applied, and 1 migration would be forgotten
        hint: see whether `dir` and --dir name the folder that was applied; what is gone for good is forgotten one by one: `whimbrel repair VERSION --forget`
        ");
    });
    let refused = project.run(&["repair", "--forget", "--dry-run", "-d", "none", "--json"]).json("error");
    assert_eq!(refused["code"], "nothing-would-stay");
    project.ok(&["repair", "2", "--forget", "--yes", "-d", "none"]);
}

#[test]
fn a_migration_can_be_named_behind_its_chain() {
    let project = Project::notes();
    project.write("billing/0001_x.sql", "CREATE TABLE x (y);\n");
    let toml =
        "database = \"sqlite:app.db\"\ndir = \"migrations\"\nkeep_bodies = true\n[chains.billing]\ndir = \"billing\"\n";
    project.write("whimbrel.toml", toml);
    project.ok(&["up", "--to", "billing:1"]);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 1);
    assert_eq!(project.ok(&["history", "--body", "billing:1"]).stdout, "CREATE TABLE x (y);\n");
    project.ok(&["repair", "billing:1", "--mark-failed", "--yes"]);
    project.ok(&["repair", "main:1", "--mark-applied", "--yes"]);
    assert_eq!((state(&project, 0).as_str(), state(&project, 2).as_str()), ("applied", "reverted"));
    assert_snapshot!(project.run(&["repair", "shop:1", "--accept", "--yes"]), @"
    exit 2
    --- stderr
    error: there is no chain shop
    hint: known are main, billing
    ");
    assert_snapshot!(project.run(&["repair", "billing:1", "--mark-applied", "--chain", "main"]), @"
    exit 2
    --- stderr
    error: the migration is one of the chain billing, and --chain names main

    Usage: whimbrel [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn warns_where_a_dependency_of_what_is_marked_is_pending() {
    let project = applied();
    project.write("migrations/0003_three.sql", "SELECT 1;\n");
    project.write("migrations/0004_four.sql", "-- whimbrel: depends_on = 3, 1\nSELECT 1;\n");
    assert_snapshot!(project.run(&["repair", "4", "--mark-applied", "--yes"]), @"
    exit 0
    --- stdout
    Chain main
      say that migration 4 four is applied, without running it
    The history is repaired.

    --- stderr
    warning: migration 4 four depends on 3 three, which is still to be applied
    ");
    let json = project.ok(&["repair", "4", "--mark-failed", "--yes", "--json"]).json("repair");
    assert_eq!(json["warnings"], serde_json::json!([]));
    let json = project.ok(&["repair", "4", "--mark-applied", "--dry-run", "--json"]).json("repair");
    assert_eq!(
        json["warnings"],
        serde_json::json!(["migration 4 four depends on 3 three, which is still to be applied"])
    );
}

#[test]
fn marks_as_applied_and_as_not() {
    let project = applied();
    project.write("migrations/0003_more.sql", "CREATE TABLE more (id);\n");
    project.database().execute_batch("CREATE TABLE more (id)").expect("by hand");
    assert_snapshot!(project.run(&["repair", "3", "--mark-applied", "--yes"]), @"
    exit 0
    --- stdout
    Chain main
      say that migration 3 more is applied, without running it
    The history is repaired.
    ");
    project.ok(&["status", "--check"]);
    assert_snapshot!(project.run(&["repair", "3", "--mark-applied", "--yes"]), @"
    exit 1
    --- stderr
    error: migration 3 more cannot be marked as applied: it is applied
    hint: `whimbrel status` shows where each migration stands
    ");
    project.database().execute_batch("DROP TABLE more").expect("by hand");
    assert_snapshot!(project.run(&["repair", "3", "--mark-failed", "--yes"]), @"
    exit 0
    --- stdout
    Chain main
      say that migration 3 more is not applied, without reverting it
    The history is repaired.
    ");
    assert_eq!(state(&project, 2), "reverted");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM more"), 0);
    assert_snapshot!(project.run(&["repair", "9", "--mark-applied"]), @"
    exit 1
    --- stderr
    error: there is no migration 9
    hint: `whimbrel status` shows the versions there are
    ");
    assert_snapshot!(project.run(&["repair", "9"]), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <--accept|--forget|--mark-applied|--mark-failed|--restart>

    Usage: whimbrel repair <--accept|--forget|--mark-applied|--mark-failed|--restart> <VERSION>

    For more information, try '--help'.
    ");
}

#[test]
fn a_dirty_step_has_two_ways_out() {
    let dirty = || {
        let project = applied();
        let script = "-- whimbrel: transaction = none\nCREATE TEMP TABLE t (x);\nCREATE TABLE kept (x);\nSELECT * FROM nowhere;\n";
        project.write("migrations/0003_outside.sql", script);
        assert_eq!(project.run(&["up"]).code, 1);
        project
    };
    let project = dirty();
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 3 outside runs outside a transaction and stopped half way
    hint: see what it has done, and finish that by hand, then `whimbrel repair 3 --mark-applied`; or undo it by hand, then `whimbrel repair 3 --mark-failed`
    ");
    project.ok(&["repair", "3", "--mark-applied", "--yes"]);
    project.ok(&["status", "--check"]);
    let project = dirty();
    project.database().execute_batch("DROP TABLE kept").expect("by hand");
    project.ok(&["repair", "3", "--mark-failed", "--yes"]);
    project.write("migrations/0003_outside.sql", "CREATE TABLE kept (x);\n");
    project.ok(&["up"]);
    let project = dirty();
    project.database().execute_batch("DROP TABLE kept").expect("by hand");
    assert_snapshot!(project.run(&["repair", "3", "--restart", "--yes"]), @"
    exit 0
    --- stdout
    Chain main
      delete the row of migration 3 outside, which is started
    The history is repaired.
    ");
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%statements'"), 0);
    assert_eq!(state(&project, 2), "pending");
}

#[test]
fn a_repeatable_one_is_named_and_a_chain_where_there_are_several() {
    let project = applied();
    project.write("migrations/R__recent.sql", "CREATE VIEW IF NOT EXISTS recent AS SELECT 1;\n");
    project.ok(&["up"]);
    project.write("migrations/R__recent.sql", "CREATE VIEW IF NOT EXISTS recent AS SELECT 2;\n");
    project.ok(&["repair", "recent", "--accept", "--yes"]);
    project.ok(&["status", "--check"]);
    project.write(
        "whimbrel.toml",
        "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n",
    );
    project.write("billing/0001_a.sql", "CREATE TABLE a (x);\n");
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["repair", "1", "--mark-failed", "--yes"]), @"
    exit 1
    --- stderr
    error: 1 can be that of several chains: main, billing
    hint: say which with --chain
    ");
    project.write("billing/0001_a.sql", "CREATE TABLE a (y);\n");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration billing:1 a was changed after it was applied (billing/0001_a.sql)
    hint: put the file back as it was and make the change in a new migration (recorded 7d862b9d7b68…, found 0159714f6bc6…); if nothing has to be run for it, `whimbrel repair --chain billing 1 --accept`
    ");
    project.ok(&["repair", "--chain", "billing", "1", "--accept", "--yes"]);
    project.ok(&["up"]);
}

#[test]
fn a_protected_environment_covers_it() {
    let project = applied();
    project.write("migrations/0003_more.sql", "CREATE TABLE more (id);\n");
    for (protected, said) in [("true", "needs to be confirmed"), ("\"refuse\"", "the environment prod is protected")] {
        project.write("whimbrel.toml", format!("[env.prod]\ndatabase = \"sqlite:app.db\"\nprotected = {protected}\n"));
        let asked = project.run_with("WHIMBREL_ENV", "prod", &["repair", "3", "--mark-applied"]);
        assert!(asked.stderr.contains(said), "{asked}");
    }
    let refused = project.run(&["repair", "3", "--mark-applied", "--yes", "--env", "prod"]);
    assert_eq!(refused.code, 1, "{refused}");
    project.ok(&["repair", "3", "--mark-applied", "--dry-run", "--env", "prod"]);
}

#[test]
fn a_dirty_step_that_was_going_down_is_told_as_that() {
    let project = Project::notes();
    project.write("migrations/0003_pair.up.sql", "CREATE TABLE p (x);\nCREATE TABLE q (x);\n");
    project.write(
        "migrations/0003_pair.down.sql",
        "-- whimbrel: transaction = none\nDROP TABLE q;\nDROP TABLE nowhere;\nDROP TABLE p;\n",
    );
    project.ok(&["up"]);
    let note = "see what its down has taken back, and take back the rest by hand, then `whimbrel repair 3 --mark-failed`; \
                or bring back by hand what is gone, then `whimbrel repair 3 --mark-applied`";
    let failed = project.run(&["down"]);
    assert!(failed.code == 1 && failed.stderr.contains(note), "{failed}");
    for verb in ["up", "down", "plan"] {
        let outcome = project.run(&[verb]);
        assert!(outcome.stderr.contains("migration 3 pair was being reverted outside a transaction"), "{outcome}");
        assert!(outcome.stderr.contains(&format!("hint: {note}")), "{outcome}");
    }
    let verified = project.run(&["verify"]);
    assert!(verified.stdout.contains(note) || verified.stderr.contains(note), "{verified}");
    for verb in ["status", "history"] {
        let told = project.run(&[verb]);
        assert!(told.stdout.contains("dirty, on its way down"), "{told}");
    }
    let row = &project.run(&["history", "--json"]).json("history")["rows"][2];
    assert_eq!((row["state"].as_str(), row["direction"].as_str()), (Some("started"), Some("down")));
    let applied = &project.run(&["status", "--json"]).json("status")["migrations"][2]["applied"];
    assert_eq!(applied["direction"], "down");
    // Its way up would come over what is left of it.
    let refused = project.unchanged(|| project.run(&["repair", "3", "--restart", "--yes"]));
    assert!(refused.code == 1 && refused.stderr.contains(&format!("hint: {note}")), "{refused}");
    project.database().execute_batch("DROP TABLE p").expect("by hand");
    project.ok(&["repair", "3", "--mark-failed", "--yes"]);
    assert_eq!(state(&project, 2), "reverted");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('p', 'q')"), 2);
}

#[test]
fn what_was_applied_as_another_migration_is_told_and_followed() {
    let project = Project::notes();
    project.write("migrations/0003_one.sql", "CREATE TABLE one (x);\n");
    project.ok(&["up"]);
    project.remove("migrations/0003_one.sql");
    project.write("migrations/0003_two.up.sql", "CREATE TABLE two (x);\n");
    project.write("migrations/0003_two.down.sql", "DROP TABLE IF EXISTS two;\n");
    project.write("migrations/0004_one.sql", "CREATE TABLE one (x);\n");
    project.unchanged(|| {
        let status = project.run(&["status"]);
        assert!(status.stdout.contains("note: 3 was applied as one, which is 4 one now"), "{status}");
        for verb in [&["up"][..], &["verify"], &["down"]] {
            let told = project.run(verb);
            assert!(told.code == 1 && told.to_string().contains("was applied as `one`, which is 4 one now"), "{told}");
            assert!(told.to_string().contains("`whimbrel repair 3 --accept`"), "{told}");
        }
    });
    project.ok(&["repair", "3", "--accept", "--yes"]);
    project.ok(&["up", "--allow-out-of-order"]);
    project.ok(&["status", "--check"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('one', 'two')"), 2);
}

#[test]
fn the_history_follows_files_that_were_renumbered() {
    let table = |name: &str| format!("CREATE TABLE {name} (x);\n");
    for (then, now, repair, left) in [
        // One came between.
        (&["3_b", "4_c"][..], &["3_n", "4_b", "5_c"][..], &["repair", "4", "--accept"][..], "3 n"),
        (&["3_b", "4_c"], &["3_n", "4_b", "5_c"], &["repair", "--accept"], "3 n"),
        // They changed places.
        (&["3_a", "4_b"], &["3_b", "4_a"], &["repair", "3", "--accept"], ""),
        (&["3_a", "4_b", "5_c"], &["3_c", "4_a", "5_b"], &["repair", "--accept"], ""),
    ] {
        let project = Project::notes();
        let write = |files: &[&str], text: &dyn Fn(&str) -> String| {
            for file in files {
                project.write(&format!("migrations/000{file}.sql"), text(&file[2..]));
            }
        };
        write(then, &table);
        project.ok(&["up"]);
        then.iter().for_each(|file| project.remove(&format!("migrations/000{file}.sql")));
        write(now, &table);
        assert_eq!(project.run(&["up"]).code, 1, "{now:?}");
        project.ok(&[repair, &["--yes"]].concat());
        let pending = project.run(&["status", "--json"]).json("status")["migrations"].clone();
        let pending = pending.as_array().expect("a list").iter().filter(|entry| entry["state"] != "applied");
        let pending: Vec<String> =
            pending.map(|entry| format!("{} {}", entry["version"], entry["name"]).replace('"', "")).collect();
        assert_eq!(pending.join(", "), left, "{now:?}");
        project.ok(&["up", "--allow-out-of-order"]);
        project.ok(&["verify"]);
    }
}

/// A text that two migrations have says nothing of which was applied where.
#[test]
fn a_changed_migration_is_not_taken_for_one_that_is_applied_itself() {
    let project = Project::notes();
    project.write("migrations/0003_analyze.sql", "ANALYZE;\n");
    project.write("migrations/0004_analyze.sql", "ANALYZE;\n");
    project.ok(&["up"]);
    project.remove("migrations/0003_analyze.sql");
    project.write("migrations/0003_reindex.sql", "REINDEX;\n");
    let told = project.run(&["up"]);
    assert!(told.code == 1 && told.stderr.contains("3 reindex was changed after it was applied"), "{told}");
    project.ok(&["repair", "3", "--accept", "--yes"]);
    project.ok(&["status", "--check"]);
}
