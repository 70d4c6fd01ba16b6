//! Values for names in scripts: where they come from, who is given them, and that none is shown.

use insta::assert_snapshot;

use crate::harness::Project;

/// Two scripts with names, and the rest of `whimbrel.toml`.
fn project(settings: &str) -> Project {
    let project = Project::with(&[
        ("0001_create.sql", "-- ${not_here}\nCREATE TABLE ${tenant}_note (id INTEGER PRIMARY KEY, text TEXT);\n"),
        ("0002_fill.sql", "INSERT INTO ${tenant}_note (text)\nVALUES ('${greeting}');\n"),
    ]);
    project.write("whimbrel.toml", format!("database = \"sqlite:app.db\"\n{settings}"));
    project
}

fn greeting(project: &Project) -> String {
    project.database().query_row("SELECT text FROM acme_note", [], |row| row.get(0)).expect("the row")
}

#[test]
fn without_values_scripts_stay_as_they_are() {
    let project = Project::with(&[("0001_a.sql", "CREATE TABLE a AS SELECT '${name}' AS template;\n")]);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT template = '${name}' FROM a"), 1);
    project.write("migrations/0002_b.sql", "-- whimbrel: placeholders = off\nINSERT INTO a VALUES ('${other}');\n");
    project.ok(&["up", "--set", "x=1"]);
    assert_eq!(project.number("SELECT count(*) FROM a WHERE template = '${other}'"), 1);
}

#[test]
fn what_was_typed_comes_before_the_environment_and_that_before_the_rest() {
    let table =
        "[placeholders]\ntenant = \"acme\"\ngreeting = \"file\"\n[env.prod.placeholders]\ngreeting = \"prod\"\n";
    for (arguments, expected) in [
        (&["up"][..], "file"),
        (&["up", "--env", "prod"], "prod"),
        (&["up", "--env", "prod", "--set", "greeting=a=b"], "a=b"),
        (&["up", "--set", "GREETING=typed"], "typed"),
    ] {
        let project = project(table);
        project.ok(arguments);
        assert_eq!(greeting(&project), expected);
    }
    let project = project(table);
    assert_eq!(project.run_with("WHIMBREL_ENV", "prod", &["up"]).code, 0);
    assert_eq!(greeting(&project), "prod");
}

#[test]
fn the_environment_is_read_only_where_a_table_names_a_variable() {
    let asks = "[placeholders]\ntenant = \"acme\"\ngreeting = { env = \"GREETING\" }\n";
    let project = project(asks);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @"
        exit 1
        --- stderr
        error: migration 2 fill: there is no value for greeting: the variable GREETING is not set
         --> migrations/0002_fill.sql:2:10
          |
        2 | VALUES ('${greeting}');
          |          ^^^^^^^^^^^
        hint: set GREETING, or say it with --set greeting=VALUE
        ");
    });
    assert_eq!(project.run_with("GREETING", "hello", &["up"]).code, 0);
    assert_eq!(greeting(&project), "hello");
    let quiet = self::project("[placeholders]\ntenant = \"acme\"\n");
    assert_eq!(quiet.run_with("greeting", "hello", &["up"]).code, 1);
    let default = self::project(&asks.replace("\" }", "\", default = \"dear\" }"));
    default.ok(&["up"]);
    assert_eq!(greeting(&default), "dear");
}

#[test]
fn every_name_without_a_value_is_told_and_only_of_what_would_run() {
    let project = project("[placeholders]\nother = 1\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["up"]), @r#"
        exit 1
        --- stderr
        error: there is no plan: 3 problems
          - migration 1 create: there is no value for tenant
         --> migrations/0001_create.sql:2:14
          |
        2 | CREATE TABLE ${tenant}_note (id INTEGER PRIMARY KEY, text TEXT);
          |              ^^^^^^^^^
            hint: say it with --set tenant=VALUE, or write `tenant = "…"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is
          - migration 2 fill: there is no value for tenant
         --> migrations/0002_fill.sql:1:13
          |
        1 | INSERT INTO ${tenant}_note (text)
          |             ^^^^^^^^^
            hint: say it with --set tenant=VALUE, or write `tenant = "…"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is
          - migration 2 fill: there is no value for greeting
         --> migrations/0002_fill.sql:2:10
          |
        2 | VALUES ('${greeting}');
          |          ^^^^^^^^^^^
            hint: say it with --set greeting=VALUE, or write `greeting = "…"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is
        "#);
        assert_snapshot!(project.run(&["plan", "--json", "--set", "tenant=acme"]), @r#"
        exit 1
        --- stdout
        {
          "schema": "whimbrel/error/1",
          "verb": "plan",
          "exit_code": 1,
          "code": "placeholder",
          "message": "migration 2 fill: there is no value for greeting",
          "causes": [],
          "hint": "say it with --set greeting=VALUE, or write `greeting = \"…\"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is",
          "notes": [],
          "problems": [
            {
              "code": "placeholder",
              "message": "migration 2 fill: there is no value for greeting",
              "hint": "say it with --set greeting=VALUE, or write `greeting = \"…\"` into `[placeholders]` of whimbrel.toml; `-- whimbrel: placeholders = off` at the top leaves the file as it is",
              "migration": "2 fill",
              "file": "migrations/0002_fill.sql",
              "line": 2,
              "column": 10
            }
          ],
          "backtrace": [],
          "done": [],
          "warnings": []
        }
        "#);
    });
    project.ok(&["up", "--set", "tenant=acme", "--set", "greeting=hello"]);
    // What is applied needs no values any more.
    project.ok(&["verify"]);
    project.ok(&["up"]);
    project.ok(&["status", "--check"]);
}

#[test]
fn an_error_names_the_place_in_the_file_and_shows_no_value() {
    let project = Project::with(&[(
        "0001_a.sql",
        "CREATE TABLE a (x);\nINSERT INTO a VALUES ('${secret}'); INSERT INTO ${table} VALUES (1); -- é\n",
    )]);
    let set = ["--set", "secret=hunter2 is long", "--set", "table=customers"];
    assert_snapshot!(project.run(&[&["up"], &set[..]].concat()), @"
    exit 1
    --- stderr
    error: migration 1 a failed on its way up
      caused by: no such table: ${table} (SQLITE_ERROR)
     --> migrations/0001_a.sql:2:37
      |
    2 | INSERT INTO a VALUES ('${secret}'); INSERT INTO ${table} VALUES (1); -- é
      |                                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: migration 1 a was rolled back
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    let syntax = project.run(&["up", "--set", "secret=' hunter2", "--set", "table=a"]);
    assert!(!syntax.to_string().contains("hunter2"), "{syntax}");
    assert_snapshot!(syntax, @r#"
    exit 1
    --- stderr
    error: migration 1 a failed on its way up
      caused by: near "${secret}": syntax error (SQLITE_ERROR)
     --> migrations/0001_a.sql:2:24
      |
    2 | INSERT INTO a VALUES ('${secret}'); INSERT INTO ${table} VALUES (1); -- é
      |                        ^
    note: migration 1 a was rolled back
    "#);
    let dry = ["up", "--dry-run", "--set", "secret=hunter2", "--set", "table=a"];
    assert_snapshot!(project.run(&dry), @"
    exit 0
    --- stdout
    up 1 a ([time])
        CREATE TABLE a (x);
        INSERT INTO a VALUES ('${secret}');  (1 row)
        INSERT INTO ${table} VALUES (1);  (1 row)
        rows of a: 2 inserted

    Tried 1 migration in [time] and rolled everything back: the database is as it was.
    ");
    let json = project.run(&[&dry[..], &["--json"]].concat());
    assert!(!json.stdout.contains("hunter2"), "{json}");
    project.ok(&["up", "--set", "secret=hunter2", "--set", "table=a"]);
    let history = project.ok(&["history", "--json"]);
    assert!(!history.stdout.contains("hunter2"), "{history}");
}

#[test]
fn another_value_changes_only_repeatable_migrations() {
    let project = project("[placeholders]\ntenant = \"acme\"\n");
    project.write(
        "migrations/R__recent.sql",
        "DROP VIEW IF EXISTS recent;\nCREATE VIEW recent AS SELECT '${greeting}' AS x;\n",
    );
    project.ok(&["up", "--set", "greeting=one"]);
    project.ok(&["status", "--check", "--set", "greeting=one"]);
    assert_snapshot!(project.run(&["status", "--set", "greeting=two"]), @"
    exit 0
    --- stdout
    Chain main in app.db

      Version  Name    Kind  State     Applied at (UTC) Took
            1  create  sql   applied   [moment] [time]
            2  fill    sql   applied   [moment] [time]
               recent  sql   outdated  [moment] [time]

    2 applied, 1 outdated.
    ");
    project.ok(&["up", "--set", "greeting=two"]);
    let view: String = project.database().query_row("SELECT x FROM recent", [], |row| row.get(0)).expect("row");
    assert_eq!((view.as_str(), greeting(&project).as_str()), ("two", "one"));
}

#[test]
fn a_chain_that_is_not_trusted_has_only_its_own_values() {
    let stranger = "[placeholders]\ntenant = \"acme\"\ngreeting = \"secret\"\n\
                    [chains.stranger]\ndir = \"stranger\"\ntrust = \"untrusted\"\nnamespace = \"st_\"\n\
                    [chains.stranger.placeholders]\nplain = \"fine\"\n";
    let project = project(&format!("dir = \"migrations\"\n{stranger}"));
    project.write("stranger/0001_a.sql", "CREATE TABLE st_a AS SELECT '${plain}' AS x;\n");
    project.write("stranger/0001_a.toml", "[grants]\ncreate = [\"st_a\"]\n");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT x = 'fine' FROM st_a"), 1);
    project.write("stranger/0002_b.sql", "INSERT INTO st_a VALUES ('${greeting}');\n");
    assert_snapshot!(project.run(&["up", "--set", "typed=secret"]), @"
    exit 1
    --- stderr
    error: migration stranger:2 b: there is no value for greeting among those of its chain
     --> stranger/0002_b.sql:1:27
      |
    1 | INSERT INTO st_a VALUES ('${greeting}');
      |                           ^^^^^^^^^^^
    hint: an untrusted chain is given only what `[chains.stranger.placeholders]` in whimbrel.toml has
    ");
    let goose = Project::new();
    goose.write("whimbrel.toml", stranger.replace("[placeholders]", "database = \"sqlite:app.db\"\n[placeholders]"));
    goose.write("stranger/1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE st_a AS SELECT '$HOME';\n");
    let asks = goose.run(&["up"]);
    assert!(asks.stderr.contains("asks for the variable HOME of the environment, which it is not given"), "{asks}");
}

#[test]
fn flyways_scripts_run_as_flyway_runs_them() {
    let project = Project::with(&[
        (
            "V1__a.sql",
            "CREATE TABLE ${flyway:defaultSchema}.a AS SELECT '${flyway:filename}' AS x, '${flyway:table}' AS y;\n",
        ),
        ("V2__b.sql", "INSERT INTO a VALUES ('${kept}', '');\n"),
        ("V2__b.sql.conf", "placeholderReplacement=false\n"),
        ("R__now.sql", "-- ${flyway:timestamp}\nINSERT INTO a VALUES ('again', '');\n"),
    ]);
    project.ok(&["up"]);
    let row = |x: &str| project.number(&format!("SELECT count(*) FROM a WHERE x = '{x}'"));
    assert_eq!((row("V1__a.sql"), row("${kept}"), row("again")), (1, 1, 1));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    project.ok(&["up"]);
    assert_eq!(row("again"), 2, "a repeatable migration with the time in it runs every time");
    project.write("migrations/V3__c.sql", "INSERT INTO a VALUES (${x}, '');\n");
    assert!(project.run(&["up"]).stderr.contains("there is no value for x"));
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\nplaceholder_replacement = false\n");
    assert!(project.run(&["up"]).stderr.contains("unrecognized token"));
    let marks = "database = \"sqlite:app.db\"\nplaceholder_prefix = \"#[\"\nplaceholder_suffix = \"]\"\n";
    project.write("whimbrel.toml", marks);
    project.write("migrations/V3__c.sql", "INSERT INTO a VALUES ('#[x]${y}', '');\n");
    project.ok(&["up", "--set", "x=1"]);
    assert_eq!(row("1${y}"), 1);
}

#[test]
fn goose_scripts_are_given_the_environment_that_they_ask_for() {
    let script = "-- +goose Up\nCREATE TABLE a AS SELECT '$X' AS x;\n-- +goose ENVSUB ON\n\
                  INSERT INTO a VALUES ('$X ${Y:-none}');\n-- +goose ENVSUB OFF\nINSERT INTO a VALUES ('${Y}');\n\
                  -- +goose Down\nDROP TABLE a;\n";
    let project = Project::with(&[("00001_a.sql", script)]);
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 1 a: there is no value for X: the variable X is not set
     --> migrations/00001_a.sql:4:24
      |
    4 | INSERT INTO a VALUES ('$X ${Y:-none}');
      |                        ^^
    hint: set X; or write `${X:-}`, which has a value after `:-` for when it is not set
    ");
    assert_eq!(project.run_with("X", "hello", &["up"]).code, 0);
    assert_eq!(project.number("SELECT group_concat(x, '|') = '$X|hello none|${Y}' FROM a"), 1);
    project.ok(&["down"]);
}

#[test]
fn names_that_cannot_be_meant_are_refused() {
    assert_snapshot!(project("[placeholders]\n\"a b\" = 1\n").run(&["up"]), @r#"
    exit 2
    --- stderr
    error: whimbrel.toml:3:1: "a b" cannot be a placeholder: write letters, digits and `_ - . :`
    "#);
    assert_snapshot!(project("[placeholders]\na = [1]\n").run(&["up"]), @r#"
    exit 2
    --- stderr
    error: whimbrel.toml:3:5: a text, a number, true or false, or `{ env = "VARIABLE" }`
    "#);
    let typed = project("").run(&["up", "--set", "a b=hunter2"]);
    assert_eq!(typed.code, 2, "{typed}");
    assert_snapshot!(project("").run(&["up", "--set", "hunter2"]), @"
    exit 2
    --- stderr
    error: invalid value 'hunter2' for '--set <NAME=VALUE>': write it as NAME=VALUE

    For more information, try '--help'.
    ");
}
