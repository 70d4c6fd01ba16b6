//! Databases that the real tools have migrated half way: taken over and finished by whimbrel.
//!
//! sqlx, Alembic and Django come from PyPI, dbmate, Prisma and Drizzle from npm, by the lists in `tests/tools`. refinery and
//! diesel are the crates that their programs are made of, with a few lines around them. The others are in none of these
//! registries: their tables are made by hand in `adopt.rs`.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use xtask::polyglot::{Absent, Tools};

use super::guests::workspace;
use crate::harness::Project;

/// Returns the folder of a list's tools; `None` when they cannot be had and that is allowed.
fn installed(list: impl FnOnce(&'static Tools) -> Result<&'static Path, Absent>) -> Option<&'static Path> {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    let root = workspace();
    given(list(TOOLS.get_or_init(|| Tools::below(&root.join("target/test-tools"), &root.join("tests/tools")))))
}

/// Nothing may be skipped in CI.
#[expect(clippy::print_stdout, reason = "who runs the tests is to know that some were skipped")]
fn given<T>(tool: Result<T, impl Display>) -> Option<T> {
    match tool {
        Ok(tool) => Some(tool),
        Err(reason) if std::env::var_os("CI").is_none() => {
            println!("skipped: the tools cannot be installed: {reason}");
            None
        }
        Err(reason) => panic!("the tools cannot be installed: {reason}"),
    }
}

/// Returns a program of the tools from PyPI.
fn python(name: &str) -> Option<PathBuf> {
    Some(installed(Tools::python)?.join("bin").join(name))
}

/// Returns a program of the tools from npm.
fn node(name: &str) -> Option<PathBuf> {
    Some(installed(Tools::npm)?.join("node_modules/.bin").join(name))
}

/// Returns a program that is built from `tests/tools/rust`, once.
fn rust(name: &str) -> Option<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let (folder, target) = (workspace().join("tests/tools/rust"), workspace().join("target/test-tools/rust"));
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&target).current_dir(folder);
        run(&mut cargo).map(|_| target.join("debug"))
    });
    Some(given(built.as_ref())?.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
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
    let Some(sqlx) = python("sqlx") else { return };
    let project = Project::with(&[
        ("20260101000000_person.sql", FIRST),
        ("20260102000000_people.sql", SECOND),
        ("20260103000000_email.sql", THIRD),
    ]);
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
    let Some(sqlx) = python("sqlx") else { return };
    let project = Project::with(&[
        ("20260101000000_person.up.sql", FIRST),
        ("20260101000000_person.down.sql", "DROP TABLE person;\n"),
        ("20260102000000_people.up.sql", SECOND),
        ("20260102000000_people.down.sql", "DELETE FROM person;\n"),
        ("20260103000000_email.up.sql", THIRD),
        ("20260103000000_email.down.sql", "ALTER TABLE person DROP COLUMN email;\n"),
    ]);
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
    let Some(dbmate) = node("dbmate") else { return };
    let both = |up: &str, down: &str| format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n");
    let project = Project::with(&[("20260101000000_person.sql", &both(FIRST, "DROP TABLE person;"))]);
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
    let Some(dbmate) = node("dbmate") else { return };
    let both = |up: &str, down: &str| format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n");
    let project = Project::with(&[
        ("20260101000000_person.sql", &both(FIRST, "DROP TABLE person;")),
        ("20260102000000_people.sql", &both(SECOND, "DELETE FROM person;")),
    ]);
    let up = ["--url", "sqlite:app.db", "-d", "migrations", "--no-dump-schema", "up"];
    tool(&project, &dbmate, &up);
    project.write("migrations/20260103000000_email.sql", both(THIRD, "ALTER TABLE person DROP COLUMN email;"));
    finish(&project, "dbmate", 2, "unverifiable");
    project.ok(&["down", "--all"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'person'"), 0);
}

#[test]
fn takes_over_from_the_real_alembic() {
    let Some(alembic) = python("alembic") else { return };
    let project = Project::with(&[("0001_email.sql", THIRD)]);
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
    let (Some(admin), Some(python)) = (python("django-admin"), python("python")) else { return };
    let project = Project::with(&[("0001_email.sql", "ALTER TABLE auth_user ADD COLUMN phone TEXT;\n")]);
    tool(&project, &admin, &["startproject", "shop", "."]);
    let settings = project.read("shop/settings.py").replace("db.sqlite3", "app.db");
    project.write("shop/settings.py", settings);
    tool(&project, &python, &["manage.py", "migrate", "--verbosity", "0"]);
    finish(&project, "django", 1, "unverifiable");
    assert_eq!(project.number("SELECT count(phone) FROM auth_user"), 0);
}

#[test]
fn takes_over_from_the_real_refinery() {
    let Some(refinery) = rust("refinery") else { return };
    let project = Project::with(&[("V1__person.sql", FIRST), ("V2__people.sql", SECOND), ("V3__email.sql", THIRD)]);
    let applied = tool(&project, &refinery, &["app.db", "migrations", "2"]);
    assert_eq!(applied, "V1__person\nV2__people\n");
    finish(&project, "refinery", 2, "matched");
    // For refinery nothing has changed.
    assert_eq!(tool(&project, &refinery, &["app.db", "migrations", "2"]), "");
}

#[test]
fn the_real_refinery_goes_on_where_whimbrel_has_been() {
    let Some(refinery) = rust("refinery") else { return };
    let project = Project::with(&[("V1__person.sql", FIRST), ("V2__people.sql", SECOND)]);
    tool(&project, &refinery, &["app.db", "migrations", "1"]);
    project.ok(&["adopt", "--keep-writing"]);
    project.ok(&["up"]);
    // It compares checksums, and would refuse one that it does not know.
    assert_eq!(tool(&project, &refinery, &["app.db", "migrations"]), "");
    project.write("migrations/V3__email.sql", THIRD);
    assert_eq!(tool(&project, &refinery, &["app.db", "migrations"]), "V3__email\n");
}

/// The migrations of diesel, each in its folder.
fn of_diesel() -> Project {
    Project::with(&[
        ("2026-01-01-000000_person/up.sql", FIRST),
        ("2026-01-01-000000_person/down.sql", "DROP TABLE person;\n"),
        ("2026-01-02-000000_people/up.sql", SECOND),
        ("2026-01-02-000000_people/down.sql", "DELETE FROM person;\n"),
        ("2026-01-03-000000_email/up.sql", THIRD),
        ("2026-01-03-000000_email/down.sql", "ALTER TABLE person DROP COLUMN email;\n"),
    ])
}

#[test]
fn takes_over_from_the_real_diesel() {
    let Some(diesel) = rust("diesel") else { return };
    let project = of_diesel();
    tool(&project, &diesel, &["run", "app.db", "migrations", "2"]);
    finish(&project, "diesel", 2, "unverifiable");
    let applied = tool(&project, &diesel, &["list", "app.db", "migrations"]);
    assert_eq!(applied, "20260102000000\n20260101000000\n", "for diesel nothing has changed");
    project.ok(&["down", "--all"]);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name = 'person'"), 0);
}

#[test]
fn the_real_diesel_goes_on_where_whimbrel_has_been() {
    let Some(diesel) = rust("diesel") else { return };
    let project = of_diesel();
    let run = |verb: &str| tool(&project, &diesel, &[verb, "app.db", "migrations"]);
    tool(&project, &diesel, &["run", "app.db", "migrations", "1"]);
    project.ok(&["adopt", "--keep-writing"]);
    project.ok(&["up"]);
    assert_eq!(run("list"), "20260103000000\n20260102000000\n20260101000000\n");
    project.ok(&["down"]);
    assert_eq!(run("run"), "20260103000000\n");
    assert_eq!((run("revert"), run("revert")), ("20260103000000\n".into(), "20260102000000\n".into()));
    assert_eq!(project.number("SELECT count(*) FROM person"), 0);
}

/// diesel compares versions as text, so that a date is in its place among timestamps.
#[test]
fn a_date_among_timestamps_is_the_same_to_the_real_diesel() {
    let Some(diesel) = rust("diesel") else { return };
    let project = Project::with(&[
        ("2026-01-01-120000_person/up.sql", FIRST),
        ("2026-01-02_120000_people/up.sql", SECOND),
        ("2026-01-02_120000_people/down.sql", "DELETE FROM person;\n"),
        ("2026-01-03-120000_email/up.sql", THIRD),
        ("2026-01-03-120000_email/down.sql", "ALTER TABLE person DROP COLUMN email;\n"),
    ]);
    let run = |verb: &str| tool(&project, &diesel, &[verb, "app.db", "migrations"]);
    assert_eq!(
        tool(&project, &diesel, &["run", "app.db", "migrations", "2"]),
        "20260101120000\n20260102\n",
        "this is the order of diesel"
    );
    let done = project.ok(&["adopt", "--keep-writing", "--json"]).json("adopt");
    assert_eq!(done["migrations"][1]["file"], "migrations/2026-01-02_120000_people/up.sql", "{done}");
    project.ok(&["verify"]);
    project.ok(&["up"]);
    assert_eq!(run("list"), "20260103120000\n20260102\n20260101120000\n");
    project.ok(&["down", "--to", "20260101120000", "--yes"]);
    assert_eq!(run("list"), "20260101120000\n");
    project.ok(&["up"]);
    assert_eq!(
        (run("list"), project.number("SELECT count(*) FROM person")),
        ("20260103120000\n20260102\n20260101120000\n".into(), 2)
    );
}

/// Two migrations of Prisma, and what its program needs beside them.
///
/// The engine that migrates is in its package as a component and goes through a driver of npm's. It looks for two others
/// that would have to be fetched, and asks them nothing.
fn of_prisma() -> Option<(Project, impl Fn(&Project) -> Result<String, String>)> {
    let prisma = node("prisma")?;
    let project = Project::with(&[
        ("20260101000000_person/migration.sql", FIRST),
        ("20260102000000_people/migration.sql", SECOND),
        ("migration_lock.toml", "provider = \"sqlite\"\n"),
    ]);
    project.write("schema.prisma", "datasource db {\n  provider = \"sqlite\"\n  url = \"file:./app.db\"\n}\n");
    project.write("no-engine", "");
    let packages = prisma.ancestors().nth(2).expect("it is in node_modules/.bin").to_owned();
    let config = format!(
        "import {{ PrismaLibSQL }} from '{}/@prisma/adapter-libsql/dist/index-node.mjs';\n\
         export default {{ experimental: {{ adapter: true }}, engine: 'js', schema: 'schema.prisma', \
         migrations: {{ path: 'migrations' }}, adapter: async () => new PrismaLibSQL({{ url: 'file:app.db' }}) }};\n",
        packages.display()
    );
    project.write("prisma.config.mjs", config);
    let deploy = move |project: &Project| {
        let engine = project.path("no-engine");
        let mut command = Command::new(&prisma);
        command.args(["migrate", "deploy", "--config", "prisma.config.mjs"]).current_dir(project.path(""));
        command.env("CHECKPOINT_DISABLE", "1").env("PRISMA_HIDE_UPDATE_MESSAGE", "1").env_remove("DATABASE_URL");
        run(command.env("PRISMA_QUERY_ENGINE_LIBRARY", &engine).env("PRISMA_SCHEMA_ENGINE_BINARY", &engine))
    };
    Some((project, deploy))
}

#[test]
fn takes_over_from_the_real_prisma() {
    let Some((project, deploy)) = of_prisma() else { return };
    deploy(&project).unwrap();
    project.write("migrations/20260103000000_email/migration.sql", THIRD);
    finish(&project, "prisma", 2, "matched");
    assert_eq!(project.number("SELECT count(*) FROM person WHERE email IS NULL"), 2);
}

#[test]
fn a_migration_that_failed_under_the_real_prisma_stops_it() {
    let Some((project, deploy)) = of_prisma() else { return };
    project.write("migrations/20260103000000_wrong/migration.sql", "INSERT INTO nowhere VALUES (1);\n");
    assert!(deploy(&project).unwrap_err().contains("no such table: nowhere"));
    let run = project.unchanged(|| project.run(&["adopt"]));
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("20260103000000_wrong"), "{run}");
}

/// Drizzle is a library: a program of a few lines runs what is in its folder.
fn of_drizzle() -> Option<(Project, impl Fn(&Project))> {
    let packages = node("prisma")?.ancestors().nth(2).expect("it is in node_modules/.bin").to_owned();
    let project = Project::with(&[("0000_person.sql", FIRST), ("0001_people.sql", SECOND)]);
    project.write(
        "migrations/meta/_journal.json",
        r#"{"version": "7", "dialect": "sqlite", "entries": [
            {"idx": 0, "version": "6", "when": 1795184789123, "tag": "0000_person", "breakpoints": true},
            {"idx": 1, "version": "6", "when": 1795184799123, "tag": "0001_people", "breakpoints": true}]}"#,
    );
    let of = |module: &str| packages.join(module).display().to_string();
    let program = format!(
        "import fs from 'node:fs';\nimport initialise from '{}';\nimport {{ drizzle }} from '{}';\n\
         import {{ migrate }} from '{}';\n\
         const sqlite = new (await initialise()).Database();\n\
         migrate(drizzle(sqlite), {{ migrationsFolder: 'migrations' }});\n\
         fs.writeFileSync('app.db', sqlite.export());\n",
        of("sql.js/dist/sql-wasm.js"),
        of("drizzle-orm/sql-js/index.js"),
        of("drizzle-orm/sql-js/migrator.js"),
    );
    project.write("migrate.mjs", program);
    Some((project, |project: &Project| {
        run(Command::new("node").arg("migrate.mjs").current_dir(project.path(""))).unwrap();
    }))
}

#[test]
fn takes_over_from_the_real_drizzle() {
    let Some((project, migrate)) = of_drizzle() else { return };
    migrate(&project);
    project.write("migrations/0002_email.sql", THIRD);
    finish(&project, "drizzle", 2, "matched");
    assert_eq!(project.number("SELECT count(*) FROM person WHERE email IS NULL"), 2);
}

#[test]
fn what_was_changed_or_removed_under_the_real_drizzle_stops_it() {
    let Some((project, migrate)) = of_drizzle() else { return };
    migrate(&project);
    project.write("migrations/0000_person.sql", format!("-- changed\n{FIRST}"));
    let run = project.unchanged(|| project.run(&["adopt"]));
    assert!(run.stderr.contains("0 person was changed after it was applied"), "{run}");
    project.remove("migrations/0001_people.sql");
    let run = project.unchanged(|| project.run(&["adopt", "--accept-changed"]));
    assert!(run.stderr.contains(" is applied, and there is no such file"), "{run}");
}
