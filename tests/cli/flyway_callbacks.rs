//! Callbacks of Flyway: hooks by the names of their files.

use insta::assert_snapshot;

use super::hooks::said;
use crate::harness::Project;

/// A folder of Flyway with callbacks, two of which are run each time.
fn flyway() -> Project {
    let said = |what: &str| format!("INSERT INTO said VALUES ('{what} ${{flyway:defaultSchema}}');\n");
    Project::with(&[
        ("V1__note.sql", "CREATE TABLE note (text);\n"),
        ("V2__more.sql", "INSERT INTO note VALUES ('a');\n"),
        ("callbacks/beforeMigrate__b.sql", "INSERT INTO said VALUES ('b');\n"),
        ("callbacks/beforeMigrate__a.sql", "CREATE TABLE IF NOT EXISTS said (what TEXT);\n"),
        ("afterEachMigrate.sql", "INSERT INTO said VALUES ('each');\n"),
        ("afterMigrate.sql", "INSERT INTO said VALUES ('after ${flyway:table}');\n"),
        ("afterMigrateApplied.sql", "INSERT INTO said VALUES ('applied');\n"),
        ("afterMigrateError.sql", &said("error").replace(" ${flyway:defaultSchema}", "")),
        ("beforeClean.sql", "SELECT 1;\n"),
    ])
}

#[test]
fn callbacks_of_flyway_are_hooks() {
    let project = flyway();
    project.ok(&["up"]);
    let first = "b, each, each, applied, after _whimbrel_history";
    assert_eq!(said(&project), first);
    assert_snapshot!(project.run(&["plan"]), @"
    exit 0
    --- stdout
    Nothing to do.

    hooks
      before_all   beforeMigrate__a  sql, up only, chain main  migrations/callbacks/beforeMigrate__a.sql
      before_all   beforeMigrate__b  sql, up only, chain main  migrations/callbacks/beforeMigrate__b.sql
      after_all    afterMigrate  sql, up only, chain main  migrations/afterMigrate.sql
    ");
    // As with Flyway, these two are run although nothing is pending.
    project.ok(&["up"]);
    let second = format!("{first}, b, after _whimbrel_history");
    assert_eq!(said(&project), second);
    project.write("migrations/V3__bad.sql", "SELECT * FROM nowhere;\n");
    assert_eq!(project.run(&["up"]).code, 1);
    assert_eq!(said(&project), format!("{second}, b, error"));
}

#[test]
fn callbacks_of_an_untrusted_chain_are_not_run() {
    let project = flyway();
    project.write(
        "whimbrel.toml",
        "database = \"sqlite:app.db\"\n[chains.main]\ntrust = \"untrusted\"\nnamespace = \"note\"\n",
    );
    project.write("migrations/V1__note.toml", "[grants]\ncreate = [\"note\"]\n");
    project.remove("migrations/V2__more.sql");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'said'"), 0);
    assert_snapshot!(project.run(&["status"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name  Kind  State    Applied at (UTC) Took
            1  note  sql   applied  [moment] [time]

    1 applied.
    note: migrations/beforeClean.sql is ignored: a callback of Flyway, which is not run
    note: migrations/callbacks/beforeMigrate__a.sql is ignored: a hook of an untrusted chain, which is not run
    note: migrations/callbacks/beforeMigrate__b.sql is ignored: a hook of an untrusted chain, which is not run
    note: migrations/afterEachMigrate.sql is ignored: a hook of an untrusted chain, which is not run
    note: migrations/afterMigrateApplied.sql is ignored: a hook of an untrusted chain, which is not run
    note: migrations/afterMigrate.sql is ignored: a hook of an untrusted chain, which is not run
    note: migrations/afterMigrateError.sql is ignored: a hook of an untrusted chain, which is not run
    ");
}
