//! Where settings come from, and which comes first.

use insta::assert_snapshot;

use crate::harness::Project;

/// Applies and tells which file became the database.
fn database_of(project: &Project, environment: Option<&str>, arguments: &[&str]) -> String {
    let mut command = project.command(&[&["up", "--quiet"], arguments].concat());
    if let Some(url) = environment {
        command.env("DATABASE_URL", url);
    }
    let outcome = project.outcome(&command.output().expect("it runs"));
    assert_eq!(outcome.code, 0, "{outcome}");
    let files = project.list(".").into_iter().filter(|name| name.ends_with(".db")).collect::<Vec<_>>();
    for file in &files {
        project.remove(file);
    }
    files.join(" ")
}

#[test]
fn the_database_is_found_in_this_order() {
    let project = Project::notes();
    assert_eq!(database_of(&project, None, &[]), "app.db");
    project.write(".env", "OTHER=1\nexport DATABASE_URL=\"sqlite://dotenv.db\"\n");
    assert_eq!(database_of(&project, None, &[]), "dotenv.db");
    assert_eq!(database_of(&project, Some(""), &[]), "dotenv.db", "an empty variable is none");
    project.write(".env", "DATABASE_URL=sqlite:${DATA_FOLDER}/dotenv.db\n");
    assert_snapshot!(project.run(&["status"]), @r"
    exit 2
    --- stderr
    error: .env:1:21: DATABASE_URL is made of the variable DATA_FOLDER, which is not set
    hint: set DATA_FOLDER, here above it or in the environment; a `$` that is meant stands in single quotes
    ");
    assert_eq!(project.run_with("DATA_FOLDER", "data", &["status"]).code, 0);
    project.write(".env", "OTHER=1\nexport DATABASE_URL=\"sqlite://dotenv.db\"\n");
    assert_eq!(database_of(&project, Some("  "), &[]), "dotenv.db", "a blank one is none");
    assert_eq!(database_of(&project, Some("sqlite:environment.db?mode=rwc"), &[]), "environment.db");
    assert_eq!(database_of(&project, Some("sqlite:environment.db"), &["-D", "typed.db"]), "typed.db");
    let absolute = format!("sqlite://{}", project.path("absolute.db").display());
    assert_eq!(database_of(&project, None, &["--database", &absolute]), "absolute.db");
}

#[test]
fn global_options_may_stand_on_either_side() {
    let project = Project::notes();
    project.ok(&["--database", "before.db", "up"]);
    project.ok(&["up", "--database", "after.db"]);
    assert!(project.path("before.db").exists() && project.path("after.db").exists());
}

#[test]
fn the_file_says_where_things_are_from_its_own_place() {
    let project = Project::new();
    project.write(
        "etc/whimbrel.toml",
        "database = \"sqlite:data.db\"\ndir = \"../db/changes\"\nchain = \"shop\"\nhistory_table = \"h\"\n\
         lock_timeout = \"5s\"\nforeign_keys = false\ncache = \"off\"\n",
    );
    project.write("db/changes/1_a.sql", "CREATE TABLE a (id);");
    project.ok(&["up", "--config", "etc/whimbrel.toml"]);
    assert_eq!(project.list("etc"), ["data.db", "whimbrel.toml"]);
    assert_snapshot!(project.run(&["status", "--config", "etc/whimbrel.toml"]), @"
    exit 0
    --- stdout
    Chain shop in etc/data.db

      Version  Name  Kind  State    Applied at (UTC) Took
            1  a     sql   applied  [moment] [time]

    1 applied.
    ");
    let outcome = project.run(&["status", "--config", "etc/whimbrel.toml", "--dir", "nowhere"]);
    assert_eq!(outcome.code, 1, "what is typed comes first: {outcome}");
}

#[test]
fn migrations_are_beside_the_file_that_does_not_say_where() {
    let project = Project::new();
    project.write("prod/whimbrel.toml", "database = \"app.db\"\n");
    project.write("prod/migrations/1_right.sql", "CREATE TABLE right_one (x);\n");
    project.write("migrations/1_wrong.sql", "CREATE TABLE wrong_one (x);\n");
    let outcome = project.run(&["status", "--config", "prod/whimbrel.toml"]);
    assert!(outcome.stdout.contains("right") && !outcome.stdout.contains("wrong"), "{outcome}");
    project.ok(&["new", "more", "--config", "prod/whimbrel.toml"]);
    assert_eq!(project.list("migrations"), ["1_wrong.sql"]);
}

#[test]
fn no_database_is_an_error_with_a_way_out() {
    let project = Project::notes();
    project.remove("whimbrel.toml");
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 2
    --- stderr
    error: no database is named
    hint: add `--database sqlite:app.db`, set DATABASE_URL, or write `database = "sqlite:app.db"` into whimbrel.toml
    "#);
    project.ok(&["new", "needs_none"]);
}

#[test]
fn a_typo_in_the_file_is_found() {
    let project = Project::notes();
    project.write("whimbrel.toml", "# settings\ndatabse = \"app.db\"\n");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: whimbrel.toml:2:1: unknown key `databse`
    hint: did you mean `database`?
    ");
    project.write("whimbrel.toml", "lock_timeout = 5\n");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: whimbrel.toml:1:16: invalid type: integer `5`, expected a string
    ");
    project.write("whimbrel.toml", "lock_timeout = \"5\"\n");
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 2
    --- stderr
    error: whimbrel.toml:1:16: "5" is not a time: write 500ms, 5s, 2m or 1h
    "#);
    project.write("whimbrel.toml", "dir = \n");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: whimbrel.toml:1:7: string values must be quoted, expected literal string
    ");
    project.write("whimbrel.toml", b"dir = \"\xff\"");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: whimbrel.toml: is not UTF-8
    ");
    assert_snapshot!(project.run(&["status", "--config", "nowhere.toml"]), @"
    exit 2
    --- stderr
    error: cannot read nowhere.toml: No such file or directory (os error 2)
    hint: check the path
    ");
}

#[test]
fn credentials_are_never_shown() {
    let project = Project::notes();
    let secret = "postgres://ann:s3cret@db.example.com/app?password=s3cret";
    assert_snapshot!(project.run(&["status", "-D", secret]), @"
    exit 2
    --- stderr
    error: this build opens SQLite databases only, not postgres: (from --database)
    hint: write sqlite:app.db, sqlite:///var/lib/app.db or a path
    ");
    assert_snapshot!(project.run_with("DATABASE_URL", secret, &["up"]), @"
    exit 2
    --- stderr
    error: this build opens SQLite databases only, not postgres: (from DATABASE_URL)
    hint: write sqlite:app.db, sqlite:///var/lib/app.db or a path
    ");
    project.write(".env", format!("DATABASE_URL={secret}\n"));
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: this build opens SQLite databases only, not postgres: (from .env)
    hint: write sqlite:app.db, sqlite:///var/lib/app.db or a path
    ");
    project.write(".env", "DATABASE_URL = 's3cret\n");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: .env:1:1: this is not NAME=value
    hint: correct it, or name the database with --database
    ");
    project.remove(".env");
    project.write("whimbrel.toml", format!("database = \"{secret}\"\n"));
    assert_snapshot!(project.run(&["status", "-v"]), @"
    exit 2
    --- stderr
    error: this build opens SQLite databases only, not postgres: (from whimbrel.toml)
    hint: write sqlite:app.db, sqlite:///var/lib/app.db or a path
    ");
    for arguments in [["status", "--json"].as_slice(), &["status", "-vv"]] {
        let outcome = project.run(arguments);
        assert!(!outcome.stdout.contains("s3cret") && !outcome.stderr.contains("s3cret"), "{outcome}");
    }
}

#[test]
fn the_users_environment_does_not_reach_the_program() {
    let project = Project::notes();
    project.write(".env", "DATABASE_URL=x.db\nNO_SUCH=${HOME\n");
    project.ok(&["status", "--database", "app.db"]);
}

#[test]
fn foreign_keys_can_be_left_unenforced() {
    let orphan = "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a); INSERT INTO b VALUES (7);";
    let project = Project::with(&[("1_orphan.sql", orphan)]);
    assert_eq!(project.run(&["up"]).code, 1);
    project.write("whimbrel.toml", "database = \"app.db\"\nforeign_keys = false\n");
    project.ok(&["up"]);
}

#[test]
fn the_variable_names_the_environment() {
    let project = Project::notes();
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[env.prod]\ndatabase = \"sqlite:prod.db\"\n");
    assert_eq!(project.run_with("WHIMBREL_ENV", "prod", &["up"]).code, 0);
    assert!(project.path("prod.db").exists() && !project.path("app.db").exists());
    // Nothing in it is nothing said.
    assert_eq!(project.run_with("WHIMBREL_ENV", "", &["up"]).code, 0);
    assert!(project.path("app.db").exists());
    let unknown = project.run_with("WHIMBREL_ENV", "stage\u{1b}", &["status"]);
    assert_eq!(unknown.code, 2, "{unknown}");
    assert!(unknown.stderr.contains("there is no environment stage\\u{1b}"), "{unknown}");
    assert!(unknown.stderr.contains("hint: known are prod"), "{unknown}");
    let typed = project.run_with("WHIMBREL_ENV", "nothing", &["status", "--env", "prod"]);
    assert_eq!(typed.code, 0, "what was typed comes first: {typed}");
}

#[test]
fn the_mode_of_a_database_means_what_it_means_to_sqlite() {
    let project = Project::notes();
    for mode in ["rw", "ro"] {
        let url = format!("sqlite:missing.db?mode={mode}");
        for verb in ["up", "status"] {
            let outcome = project.run(&[verb, "--database", &url]);
            assert_eq!(outcome.code, 1, "{outcome}");
            assert!(outcome.stderr.contains("there is no such file, and its mode creates none"), "{outcome}");
            assert!(!project.path("missing.db").exists());
        }
    }
    project.ok(&["up", "--steps", "1", "--database", "sqlite:app.db?mode=rwc"]);
    project.ok(&["status", "--database", "sqlite:app.db?mode=ro"]);
    let refused = project.unchanged(|| project.run(&["up", "--database", "sqlite:app.db?mode=ro"]));
    assert_eq!(refused.code, 1, "{refused}");
    project.ok(&["up", "--database", "sqlite:app.db?mode=rw"]);
}

/// The name is relative to where the program runs: only then it begins so.
#[cfg(unix)]
#[test]
fn a_file_whose_name_looks_like_a_uri_is_a_file() {
    let project = Project::notes();
    project.ok(&["up", "--database", "sqlite:file:app.db"]);
    assert!(project.path("file:app.db").exists() && !project.path("app.db").exists());
    let status = project.ok(&["status", "--json", "--database", "sqlite:file:app.db"]).json("status");
    assert_eq!(status["applied"], 2);
}

#[test]
fn a_mode_that_is_not_known_is_named_with_those_that_are() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["status", "--database", "sqlite:app.db?mode=read"]), @"
    exit 2
    --- stderr
    error: the mode `read` of the database's URL is not known: it is `rwc`, `rw` or `ro` (from --database)
    hint: write sqlite:app.db, sqlite:///var/lib/app.db or a path
    ");
}

#[test]
fn a_default_chain_has_one_place() {
    let project = Project::notes();
    for (toml, name) in
        [("dir = 'migrations'\n[chains.main]\n", "main"), ("dir = 'migrations'\nchain = 'x'\n[chains.x]\n", "x")]
    {
        project.write("whimbrel.toml", format!("{toml}dir = 'm2'\n"));
        let refused = project.run(&["status", "--json"]).json("error");
        assert_eq!(refused["code"], "chain", "{refused}");
        let message = format!("two chains have the name {name}: that of `dir`, and that of `[chains.{name}]`");
        assert_eq!(refused["message"].as_str(), Some(message.as_str()));
    }
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[chains.main]\ndir = \"migrations\"\n");
    project.ok(&["up"]);
}

#[test]
fn a_blank_variable_names_no_environment() {
    let project = Project::notes();
    let run = project.run_with("WHIMBREL_ENV", " ", &["up"]);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn a_folder_and_a_chain_without_a_name_are_refused_with_their_line() {
    let project = Project::notes();
    let refused = |toml: &str| {
        project.write("whimbrel.toml", format!("database = \"sqlite:app.db\"\n{toml}"));
        let outcome = project.run(&["status"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{toml}: {outcome}");
        outcome.stderr
    };
    let nowhere = "`dir` names no folder: write one such as \"migrations\", or leave it out";
    let cases = [
        ("dir = ''", format!("error: whimbrel.toml:2:7: {nowhere}\n")),
        ("dir = []", format!("error: whimbrel.toml:2:7: {nowhere}\n")),
        ("dir = ['migrations', '']", format!("error: whimbrel.toml:2:22: {nowhere}\n")),
        ("[chains.a]\ndir = ''", format!("error: whimbrel.toml:3:7: {nowhere}\n")),
        ("chain = ''", "error: whimbrel.toml:2:9: the name of a chain is empty\n".to_owned()),
        ("chain = 'a:1, b'", "error: whimbrel.toml:2:9: `:` cannot stand in the name of a chain\n".to_owned()),
        ("[chains.'a b']\ndir = 'a'", "error: whimbrel.toml:2:1: ` ` cannot stand in the name of a chain\n".to_owned()),
    ];
    for (toml, expected) in cases {
        assert_eq!(refused(toml), expected, "{toml}");
    }
}
