//! `whimbrel new`.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn goes_on_with_the_sequence() {
    let project = Project::with(&[("007_bond.sql", "SELECT 1;")]);
    assert_snapshot!(project.run(&["new", "add email"]), @"
    exit 0
    --- stdout
    Created migrations/008_add_email.sql.
    Next:
      write the SQL into migrations/008_add_email.sql
      whimbrel up
    ");
    assert_eq!(project.read("migrations/008_add_email.sql"), "");
}

#[test]
fn begins_a_sequence() {
    let project = Project::new();
    project.ok(&["new", "first"]);
    assert_eq!(project.list("migrations"), ["0001_first.sql"]);
}

#[test]
fn makes_both_ways() {
    let project = Project::new();
    assert_snapshot!(project.run(&["new", "first", "--reversible"]), @"
    exit 0
    --- stdout
    Created migrations/0001_first.up.sql.
    Created migrations/0001_first.down.sql.
    Next:
      write the SQL into migrations/0001_first.up.sql
      write the SQL into migrations/0001_first.down.sql
      whimbrel up
    ");
}

#[test]
fn counts_files_for_one_kind_of_database() {
    let project = Project::with(&[("0001_a.sqlite.sql", "SELECT 1;"), ("0002_b.postgres.sql", "SELECT 1;")]);
    project.ok(&["new", "c"]);
    assert!(project.list("migrations").contains(&"0003_c.sql".to_owned()), "{:?}", project.list("migrations"));
}

/// A tool whose folder has pairs would leave out what is none.
#[test]
fn makes_a_pair_where_there_are_pairs_only() {
    let project = Project::notes();
    project.ok(&["new", "more"]);
    assert_eq!(project.list("migrations")[4..], ["0003_more.down.sql", "0003_more.up.sql"]);
    let named = Project::notes();
    named.ok(&["new", "more", "--layout", "whimbrel"]);
    assert_eq!(named.list("migrations")[4..], ["0003_more.sql"]);
}

#[test]
fn goes_on_with_timestamps() {
    let project = Project::with(&[("20990101000000_far.sql", "SELECT 1;")]);
    project.ok(&["new", "further"]);
    assert_eq!(project.list("migrations"), ["20990101000000_far.sql", "20990101000001_further.sql"]);
}

#[test]
fn begins_with_a_timestamp() {
    let project = Project::new();
    project.ok(&["new", "first", "--timestamp"]);
    let names = project.list("migrations");
    let (version, name) = names[0].split_once('_').expect("a version");
    assert_eq!((version.len(), &version[..2], name), (14, "20", "first.sql"));
}

#[test]
fn a_script_that_nobody_has_written_is_not_applied() {
    let project = Project::new();
    project.ok(&["new", "first"]);
    assert_snapshot!(project.run(&["up", "-D", "app.db"]), @"
    exit 1
    --- stderr
    error: migrations/0001_first.sql: the file is blank
    hint: write its statements, or a comment that says why there are none
    ");
}

/// Which builds with one command: `flows::polyglot::new` does that.
#[test]
fn the_kind_rust_is_the_language() {
    let drafted = |choice: &str| {
        let project = Project::with(&[("0001_create_note.sql", "SELECT 1;")]);
        let said = project.ok(&["new", "trim_notes", choice, "rust", "--reversible"]).stdout;
        assert_eq!(project.list("migrations"), ["0001_create_note.sql"], "the chain works until it is built");
        let files = ["Cargo.toml", "src/lib.rs", "build.sh", "whimbrel/guest/src/lib.rs", "0002_trim_notes.toml"];
        (said, files.map(|file| project.read(&format!("guests/trim_notes/{file}"))))
    };
    let by_kind = drafted("--kind");
    assert_eq!(by_kind, drafted("--lang"));
    let (said, [.., manifest]) = by_kind;
    assert!(said.contains("sh guests/trim_notes/build.sh"), "{said}");
    assert_snapshot!(manifest, @r#"
    description = "trim notes"

    [grants]
    read = ["note(id, text)"]
    update = ["note(text)"]
    "#);
}

#[test]
fn refuses_names_that_no_file_system_likes() {
    let project = Project::new();
    for name in ["", "../../etc/passwd", "größe", "a\u{1b}[2J", "a/b"] {
        let outcome = project.run(&["new", name]);
        assert_eq!(outcome.code, 2, "{name:?}: {outcome}");
    }
    assert_eq!(project.list("."), Vec::<String>::new());
    assert_snapshot!(project.run(&["new", "a/b"]), @"
    exit 2
    --- stderr
    error: `/` cannot stand in a name, which is made of the letters a to z, digits, `_` and `-`
    ");
}

#[test]
fn makes_all_its_files_or_none() {
    let project = Project::with(&[("0001_create_note.sql", "SELECT 1;")]);
    let files = |project: &Project| [project.list("."), project.list("migrations")].concat();
    let before = files(&project);
    // The file system takes the one name and not the other.
    let long = "x".repeat(243);
    assert_snapshot!(project.run(&["new", &long, "--reversible"]).stderr.replace(&long, "…"), @"
    error: cannot write migrations/0002_….down.sql
      caused by: File name too long (os error 36)
    hint: choose a shorter name
    ");
    assert_eq!(files(&project), before);
    project.write("migrations/whimbrel.lock", "<<<<<<< a conflict\n");
    let before = files(&project);
    for kind in [["--kind", "sql"], ["--kind", "py"], ["--kind", "rust"], ["--lang", "go"]] {
        let refused = project.run(&[&["new", "more"][..], &kind].concat());
        assert_eq!(refused.code, 2, "{refused}");
        assert!(refused.stderr.contains("migrations/whimbrel.lock"), "{refused}");
        assert_eq!(files(&project), before, "{kind:?}");
    }
    project.remove("migrations/whimbrel.lock");
    project.write("guests/more/build.sh", "mine");
    let refused = project.run(&["new", "more", "--lang", "go"]);
    assert!(refused.stderr.contains("guests/more/build.sh exists already"), "{refused}");
    assert_eq!(
        (project.list("guests/more"), project.read("guests/more/build.sh")),
        (vec!["build.sh".into()], "mine".into())
    );
}

#[test]
fn goes_into_the_chain_that_is_meant() {
    let project = Project::new();
    project.write("whimbrel.toml", "[chains.app]\ndir = \"app\"\n[chains.billing]\ndir = \"billing\"\n");
    assert_snapshot!(project.run(&["new", "first"]), @"
    exit 1
    --- stderr
    error: the migration can be one of several chains: app, billing
    hint: say which with --chain
    ");
    assert_snapshot!(project.run(&["new", "first", "--chain", "biling"]), @"
    exit 2
    --- stderr
    error: there is no chain biling
    hint: known are app, billing
    ");
    project.ok(&["new", "first", "--chain", "billing"]);
    assert_eq!(project.list("billing"), ["0001_first.sql"]);
    assert_eq!(project.list("."), ["billing", "whimbrel.toml"]);
}

#[test]
fn fits_the_folder_it_goes_into() {
    let cases = [
        ("sqlx", "1_a.sql", "-- no-transaction\nCREATE TABLE a (x);\n"),
        ("flyway", "V1__a.sql", "CREATE TABLE a (x);\n"),
        ("golang-migrate", "1_a..up.sql", "CREATE TABLE a (x);\n"),
        ("goose", "00001_a.sql", "-- +goose Up\nCREATE TABLE a (x);\n"),
        ("dbmate", "20240131120000_a.sql", "-- migrate:up\nCREATE TABLE a (x);\n"),
        ("diesel", "2024-01-31-120000-0000_a/up.sql", "CREATE TABLE a (x);\n"),
        ("prisma", "20240131120000_a/migration.sql", "CREATE TABLE a (x);\n"),
    ];
    for (layout, file, text) in cases {
        let project = Project::with(&[(file, text)]);
        let made = project.ok(&["new", "add email", "--json"]).json("new");
        for made in made["files"].as_array().unwrap() {
            let path = made["path"].as_str().unwrap();
            let draft = project.read(path);
            project.write(path, draft.replace("-- add email", "CREATE TABLE b (x);"));
        }
        let both = project.run(&["new", "both ways", "--reversible"]);
        assert_eq!(both.code, if layout == "prisma" { 2 } else { 0 }, "{layout}: {both}");
        project.ok(&["new", "look", "--kind", "js"]);
        let done = project.ok(&["up", "--json"]).json("up");
        let steps = if layout == "prisma" { 3 } else { 4 };
        assert_eq!(done["steps"].as_array().map(Vec::len), Some(steps), "{layout}: {done}");
        assert_eq!(project.number("SELECT count(*) FROM b"), 0, "{layout}");
        project.ok(&["verify"]);
        let squashed = project.run(&["squash"]);
        if layout == "flyway" {
            assert!(squashed.stdout.contains("Wrote migrations/B4__squashed.sql"), "{squashed}");
            project.ok(&["up", "-D", "fresh.db"]);
        } else {
            assert!(squashed.stderr.contains(&format!("the layout of {layout} has no baselines")), "{squashed}");
            project.ok(&["verify"]);
        }
    }
}

#[test]
fn projects_that_are_not_built_yet_have_their_versions() {
    let project = Project::with(&[("0001_create_note.sql", "CREATE TABLE note (x);\n")]);
    project.ok(&["new", "in rust", "--kind", "rust"]);
    project.ok(&["new", "in c", "--lang", "c"]);
    project.ok(&["new", "plain"]);
    assert_eq!(project.list("migrations"), ["0001_create_note.sql", "0004_plain.sql"]);
    assert!(project.list("guests/in_rust").contains(&"0002_in_rust.toml".to_owned()));
    assert!(project.list("guests/in_c").contains(&"0003_in_c.toml".to_owned()));
}

#[test]
fn a_script_is_made_where_another_chain_depends_on_this_one() {
    let project = Project::with(&[("0001_a.sql", "CREATE TABLE a (x);\n")]);
    project
        .write("whimbrel.toml", "database = \"app.db\"\ndir = \"migrations\"\n[chains.billing]\ndir = \"billing\"\n");
    project.write("billing/0001_b.sql", "-- whimbrel: depends_on = main:1\nCREATE TABLE b (x);\n");
    project.ok(&["new", "look", "--kind", "js"]);
    project.ok(&["new", "look", "--kind", "py", "--chain", "billing"]);
    project.ok(&["plan"]);
}
