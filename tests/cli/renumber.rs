//! `whimbrel renumber`: new versions after a merge.

use insta::assert_snapshot;

use crate::harness::Project;

/// Two branches have both added version 3, and one of them what depends on it.
fn merged() -> Project {
    let project = Project::notes();
    project.write("migrations/0003_author.up.sql", "ALTER TABLE note ADD COLUMN author TEXT;\n");
    project.write("migrations/0003_author.down.sql", "ALTER TABLE note DROP COLUMN author;\n");
    project.write("migrations/0003_tag.sql", "CREATE TABLE tag (note REFERENCES note);\n");
    project
}

#[test]
fn two_branches_that_added_one_version() {
    let project = merged();
    assert_eq!(project.run(&["plan"]).code, 1);
    assert_snapshot!(project.run(&["renumber", "--dry-run"]), @"
    exit 0
    --- stdout
    3 tag becomes 4
      migrations/0003_tag.sql -> 0004_tag.sql
    Would renumber 1 migration. Nothing was changed.

    --- stderr
    note: there is no database app.db
    ");
    assert!(project.list("migrations").contains(&"0003_tag.sql".to_owned()));
    assert_snapshot!(project.run(&["renumber", "0003_author"]), @"
    exit 0
    --- stdout
    3 author becomes 4
      migrations/0003_author.down.sql -> 0004_author.down.sql
      migrations/0003_author.up.sql -> 0004_author.up.sql
    Renumbered 1 migration.

    --- stderr
    note: there is no database app.db
    ");
    assert_eq!(
        project.list("migrations")[4..],
        ["0003_tag.sql", "0004_author.down.sql", "0004_author.up.sql"].map(str::to_owned)
    );
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["renumber"]), @"
    exit 0
    --- stdout
    Every migration has a version of its own, and none was overtaken.
    ");
    assert_snapshot!(project.run(&["renumber", "0003_tag.sql"]), @"
    exit 1
    --- stderr
    error: migrations/0003_tag.sql: version 3 is applied
    hint: an applied migration keeps its version: `whimbrel down` first, or write a new one
    ");
}

#[test]
fn what_is_applied_keeps_its_version_and_the_rest_follows() {
    let project = merged();
    project.remove("migrations/0003_author.up.sql");
    project.remove("migrations/0003_author.down.sql");
    project.write("migrations/0005_last.sql", "CREATE TABLE last (x);\n");
    project.ok(&["up"]);
    project.write("migrations/0003_author.sql", "ALTER TABLE note ADD COLUMN author TEXT;\n");
    project.write("migrations/0004_late.sql", "CREATE TABLE late (x);\n");
    project.write("migrations/0004_late.toml", "description = \"late\"\ndepends_on = [\"1\"]\n");
    project.write("migrations/0006_next.sql", "-- whimbrel: depends_on = 4, 3\nCREATE TABLE next (x);\n");
    project.write(
        "whimbrel.toml",
        "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n",
    );
    project.write("billing/0001_a.sql", "-- whimbrel: depends_on = main:4\nCREATE TABLE a (x);\n");
    project.write("migrations/whimbrel.lock", "<<<<<<< a conflict\n");
    assert_snapshot!(project.run(&["renumber", "--chain", "main", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "schema": "whimbrel/renumber/1",
      "dry_run": false,
      "migrations": [
        {
          "chain": "main",
          "name": "author",
          "from": "3",
          "to": "7",
          "files": [
            {
              "from": "migrations/0003_author.sql",
              "to": "migrations/0007_author.sql"
            }
          ]
        },
        {
          "chain": "main",
          "name": "late",
          "from": "4",
          "to": "8",
          "files": [
            {
              "from": "migrations/0004_late.sql",
              "to": "migrations/0008_late.sql"
            },
            {
              "from": "migrations/0004_late.toml",
              "to": "migrations/0008_late.toml"
            }
          ]
        }
      ],
      "edited": [
        "migrations/0006_next.sql",
        "billing/0001_a.sql"
      ],
      "lock_file": true,
      "notes": [
        {
          "file": "migrations/0006_next.sql",
          "message": "migrations/0006_next.sql:1:30: depends on version 3, which one migration keeps and another leaves for 7"
        }
      ]
    }
    "#);
    assert_eq!(project.read("migrations/0006_next.sql"), "-- whimbrel: depends_on = 8, 3\nCREATE TABLE next (x);\n");
    assert_eq!(project.read("billing/0001_a.sql"), "-- whimbrel: depends_on = main:8\nCREATE TABLE a (x);\n");
    assert_eq!(project.read("migrations/0008_late.toml"), "description = \"late\"\ndepends_on = [\"1\"]\n");
    project.ok(&["lock", "--check", "--chain", "main"]);
}

#[test]
fn nothing_is_lost() {
    let project = merged();
    project.write("migrations/0004_tag.sql/kept", "");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["renumber"]), @"
        exit 1
        --- stderr
        note: there is no database app.db
        error: migrations/0004_tag.sql exists already
        hint: nothing was renamed
        ");
    });
    assert!(project.list("migrations").contains(&"0003_tag.sql".to_owned()));
    let bare = merged();
    bare.remove("whimbrel.toml");
    assert_snapshot!(bare.run(&["renumber"]), @"
    exit 0
    --- stdout
    3 tag becomes 4
      migrations/0003_tag.sql -> 0004_tag.sql
    Renumbered 1 migration.

    --- stderr
    note: no database is named, so nothing counts as applied
    ");
}

#[test]
fn every_chain_is_looked_at() {
    let project = merged();
    project.write(
        "whimbrel.toml",
        "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n",
    );
    project.write("billing/0001_a.sql", "CREATE TABLE a (x);\n");
    project.write("billing/0001_b.sql", "CREATE TABLE b (x);\n");
    project.write("billing/0003_tag.sql", "-- whimbrel: depends_on = main:3\nCREATE TABLE billing_tag (x);\n");
    project.write("migrations/0009_last.sql", "-- whimbrel: depends_on = billing:1\nCREATE TABLE last (x);\n");
    project.write("billing/whimbrel.lock", "<<<<<<< a conflict\n");
    assert_snapshot!(project.run(&["renumber", "--dry-run", "--chain", "billing"]), @"
    exit 0
    --- stdout
    1 b becomes 4
      billing/0001_b.sql -> 0004_b.sql
    billing/whimbrel.lock is written anew
    Would renumber 1 migration. Nothing was changed.

    --- stderr
    note: there is no database app.db
    note: migrations/0009_last.sql:1:27: depends on version 1, which one migration keeps and another leaves for 4 (write 4 if it is that one)
    ");
    assert_snapshot!(project.run(&["renumber", "0003_tag.sql"]), @"
    exit 1
    --- stderr
    note: there is no database app.db
    error: 0003_tag.sql is a file of several chains: main, billing
    hint: say which with --chain
    ");
    assert_snapshot!(project.run(&["renumber", "billing/0003_tag.sql", "--dry-run"]), @"
    exit 0
    --- stdout
    billing:3 tag becomes 4
      billing/0003_tag.sql -> 0004_tag.sql
    billing/whimbrel.lock is written anew
    Would renumber 1 migration. Nothing was changed.

    --- stderr
    note: there is no database app.db
    ");
    let nowhere = project.run(&["renumber", "0077_nowhere"]);
    assert!(nowhere.code == 1 && nowhere.stderr.contains("0077_nowhere: is no migration"), "{nowhere}");
    assert_snapshot!(project.run(&["renumber"]), @"
    exit 0
    --- stdout
    main:3 tag becomes 10
      migrations/0003_tag.sql -> 0010_tag.sql
    billing:1 b becomes 4
      billing/0001_b.sql -> 0004_b.sql
    billing/whimbrel.lock is written anew
    Renumbered 2 migrations.

    --- stderr
    note: there is no database app.db
    note: migrations/0009_last.sql:1:27: depends on version 1, which one migration keeps and another leaves for 4 (write 4 if it is that one)
    note: billing/0003_tag.sql:1:27: depends on version 3, which one migration keeps and another leaves for 10 (write 10 if it is that one)
    ");
    project.ok(&["lock", "--check", "--chain", "billing"]);
}

#[test]
fn a_lock_file_that_cannot_be_written_leaves_everything_as_it_was() {
    let project = merged();
    project.ok(&["renumber", "--dry-run"]);
    project.write("migrations/whimbrel.lock/file", "");
    let before = project.list("migrations");
    let refused = project.run(&["renumber"]);
    assert!(refused.code == 1 && refused.stderr.contains("cannot write migrations/whimbrel.lock"), "{refused}");
    assert_eq!(project.list("migrations"), before);
}

#[test]
fn an_applied_migration_is_not_made_to_depend_on_another_version() {
    let project = Project::notes();
    project.write("migrations/0003_p.sql", "CREATE TABLE p (x);\n");
    project.write("migrations/0004_q.sql", "-- whimbrel: depends_on = 3\nCREATE TABLE q (x);\n");
    project.ok(&["up"]);
    project.database().execute_batch("DROP TABLE p").expect("by hand");
    project.ok(&["repair", "3", "--mark-failed", "--yes"]);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["renumber"]), @"
        exit 1
        --- stderr
        error: migration 4 q is applied, and depends on a version that would become another one (migrations/0004_q.sql)
        hint: nothing was renamed: apply what it depends on under the version it has, with `whimbrel up --allow-out-of-order`; or take the applied one back first with `whimbrel down`
        ");
    });
    project.ok(&["up", "--allow-out-of-order"]);
}

#[test]
fn what_can_be_left_out_for_now_keeps_its_version() {
    let project = Project::notes();
    project.write("migrations/0003_b.sql", "-- whimbrel: skip_unless = SELECT 0\nCREATE TABLE b (x);\n");
    project.write("migrations/0004_c.toml", "[[preconditions]]\nsql = 'SELECT 0'\notherwise = 'skip'\n");
    project.write("migrations/0004_c.sql", "CREATE TABLE c (x);\n");
    project.write(
        "migrations/0005_d.js",
        "// whimbrel: preconditions = [{ sql = 'SELECT 0', otherwise = 'skip' }]\nexport function up(tx) {}\n",
    );
    project.write("migrations/0006_e.sql", "CREATE TABLE e (x);\n");
    project.ok(&["up"]);
    project.ok(&["renumber"]);
    assert!(project.list("migrations").contains(&"0003_b.sql".to_owned()), "{:?}", project.list("migrations"));
    assert!(project.list("migrations").contains(&"0004_c.sql".to_owned()), "{:?}", project.list("migrations"));
    assert!(project.list("migrations").contains(&"0005_d.js".to_owned()), "{:?}", project.list("migrations"));
}
