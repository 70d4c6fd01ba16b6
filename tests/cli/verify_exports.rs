//! Code that says itself whether it did what it should: `verify` of scripts and components, on the command line.

use insta::assert_snapshot;

use crate::harness::Project;

const CUSTOMERS: &str = "CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT);
INSERT INTO customer (full_name) VALUES ('Ada Lovelace'), ('Plato');
";

const UP: &str = "export function up(db) {
  db.execute(\"UPDATE customer SET first_name = full_name WHERE full_name LIKE '% %'\");
}
";

fn project(name: &str, text: &str) -> Project {
    Project::with(&[("0001_customers.sql", CUSTOMERS), (name, text)])
}

/// Applies a script with this `verify`, and returns what the program said.
fn javascript(verify: &str) -> (Project, crate::harness::Outcome) {
    let project = project("0002_x.js", &format!("{UP}{verify}\n"));
    let outcome = project.run(&["up"]);
    let applied = project.number("SELECT count(*) FROM _whimbrel_history");
    let named = project.number("SELECT count(first_name) FROM customer");
    assert_eq!((applied, named), if outcome.code == 0 { (2, 1) } else { (1, 0) }, "{outcome}");
    (project, outcome)
}

#[test]
fn a_script_that_throws_takes_the_step_back() {
    let (project, outcome) = javascript(
        "export function verify(db) {
  const { left } = db.query(\"SELECT count(*) AS left FROM customer WHERE first_name IS NULL\").first();
  if (left > 0) throw new Error(`${left} customers have no first name`);
  return true;
}",
    );
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: the migration did not do what it should: Error: 1 customers have no first name
     --> migrations/0002_x.js:6:36
      |
    6 |   if (left > 0) throw new Error(`${left} customers have no first name`);
      |                                    ^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    hint: its own `verify` says so: it has to answer with something true, or return without an error, where everything is as it should be
    ");
    let error = project.run(&["up", "--json"]).json("error");
    assert_eq!((&error["code"], &error["problems"][0]["line"]), (&"unverified".into(), &6.into()), "{error:#}");
    let tried = project.run(&["up", "--dry-run"]);
    assert!(tried.code == 1 && tried.stderr.contains("1 customers have no first name"), "{tried}");
    let tested = project.run(&["test"]);
    assert!(tested.code == 1 && tested.to_string().contains("1 customers have no first name"), "{tested}");
}

#[test]
fn an_answer_that_is_not_true_takes_the_step_back() {
    for (answer, shown) in [
        ("return false", "verify returned false"),
        ("", "verify returned nothing"),
        ("return db.query(\"SELECT 1 WHERE 0\").first()", "verify returned nothing"),
        ("return null", "verify returned null"),
        ("return db.query(\"SELECT 0 AS n\").first().n", "verify returned 0"),
        ("return ''", "verify returned an empty text"),
        ("return NaN", "verify returned NaN"),
    ] {
        let (_, outcome) = javascript(&format!("export function verify(db) {{ {answer} }}"));
        let expected = format!("the migration did not do what it should: {shown}\n");
        assert!(outcome.code == 1 && outcome.stderr.contains(&expected), "{answer}: {outcome}");
    }
    let (_, late) = javascript("export async function verify() { await null; return false }");
    assert!(late.code == 1 && late.stderr.contains("verify returned false"), "{late}");
    for answer in ["return true", "return 1", "return 'yes'", "return db.query('SELECT 1').first()"] {
        let (_, outcome) = javascript(&format!("export function verify(db) {{ {answer} }}"));
        assert_eq!(outcome.code, 0, "{answer}: {outcome}");
    }
    let (_, outcome) = javascript("export const verify = async (db, ctx) => ctx.version === '2' && !ctx.dryRun");
    assert_eq!(outcome.code, 0, "{outcome}");
}

#[test]
fn a_script_that_writes_or_goes_on_for_ever_does_not_come_to_an_end() {
    let (_, written) = javascript("export function verify(db) { db.execute(\"DELETE FROM customer\"); return true }");
    assert_snapshot!(written, @r#"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: its verify did not come to an end
      caused by: SqlError: nothing may be changed here
      caused by: statement failed: nothing may be changed here (SQLITE_AUTH): DELETE FROM customer
     --> migrations/0002_x.js:4:33
      |
    4 | export function verify(db) { db.execute("DELETE FROM customer"); return true }
      |                                 ^^^^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    hint: `verify` only reads: change what has to be changed in `up`
    "#);
    let endless = project("0002_x.js", &format!("{UP}export function verify() {{ for (;;); }}\n"));
    endless.write("migrations/0002_x.toml", "[limits]\nfuel = 50_000_000\n");
    assert_snapshot!(endless.run(&["up"]), @"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: its verify did not come to an end
      caused by: the guest reached its fuel limit of 50000000
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    hint: let it do less, or raise `fuel` under [limits] in migrations/0002_x.toml
    ");
    let (_, no_function) = javascript("export const verify = 7;");
    assert!(no_function.stderr.contains("the export verify is no function"), "{no_function}");
    // What it caught has changed nothing.
    let (project, _) =
        javascript("export function verify(db) { try { db.execute(\"DELETE FROM customer\") } catch { return true } }");
    assert_eq!(project.number("SELECT count(*) FROM customer"), 2);
}

#[test]
fn typescript_and_python_are_asked_too() {
    let typescript = "export function up(db: Database): void {}
export function verify(db: Database): boolean {
  return db.query(\"SELECT 1 FROM customer WHERE first_name IS NULL\").first() === undefined;
}
";
    let outcome = project("0002_x.ts", typescript).run(&["up"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("verify returned false"), "{outcome}");

    let python = |verify: &str| {
        let up = "def up(db):\n    db.execute(\"UPDATE customer SET first_name = full_name WHERE id = 1\")\n\n";
        let project = project("0002_x.py", &format!("{up}{verify}\n"));
        let outcome = project.run(&["up"]);
        assert_eq!(project.number("SELECT count(first_name) FROM customer"), i64::from(outcome.code == 0), "{outcome}");
        outcome
    };
    assert_snapshot!(
        python("def verify(db, ctx):\n    return db.first(\"SELECT 1 FROM customer WHERE first_name IS NULL AND id = 1\")"),
        @"
        exit 1
        --- stderr
        Applied 1 customers ([time]).
        error: migration 2 x failed on its way up
          caused by: the migration did not do what it should: verify returned None
         --> migrations/0002_x.py:4:5
          |
        4 | def verify(db, ctx):
          |     ^^^^^^
        note: migration 2 x was rolled back
        note: 1 migration was applied before it and stays applied
        hint: its own `verify` says so: it has to answer with something true, or return without an error, where everything is as it should be
        "
    );
    assert_snapshot!(
        python("def verify(db):\n    for row in db.query(\"SELECT full_name FROM customer WHERE first_name IS NULL\"):\n        raise ValueError(f\"{row['full_name']} has no first name\")\n    return True"),
        @r#"
        exit 1
        --- stderr
        Applied 1 customers ([time]).
        error: migration 2 x failed on its way up
          caused by: the migration did not do what it should: ValueError: Plato has no first name
         --> migrations/0002_x.py:6:15
          |
        6 |         raise ValueError(f"{row['full_name']} has no first name")
          |               ^^^^^^^^^^
        note: migration 2 x was rolled back
        note: 1 migration was applied before it and stays applied
        hint: its own `verify` says so: it has to answer with something true, or return without an error, where everything is as it should be
        "#
    );
    for (verify, expected) in [
        ("def verify(db):\n    return 0", "verify returned 0"),
        ("def verify(db):\n    return []", "verify returned []"),
        ("def verify(db):\n    pass", "verify returned None"),
        ("def verify(db):\n    return db.execute(\"DELETE FROM customer\")", "nothing may be changed here"),
    ] {
        let outcome = python(verify);
        assert!(outcome.code == 1 && outcome.stderr.contains(expected), "{verify}: {outcome}");
    }
    let holds =
        python("def verify(db, ctx):\n    return ctx.version == \"2\" and db.first(\"SELECT 1 FROM customer\")");
    assert_eq!(holds.code, 0, "{holds}");
    // What is known without running it is told before anything is applied.
    let project = project("0002_x.py", "def up(db):\n    pass\n\nasync def verify(db):\n    return True\n");
    let refused = project.run(&["up"]);
    assert!(refused.code == 1 && refused.stderr.contains("verify is async"), "{refused}");
    assert!(!project.path("app.db").exists(), "{refused}");
}

#[test]
fn a_script_that_transforms_is_asked_after_its_last_row() {
    let head = "// whimbrel: transform = { table = \"customer\", read = [\"full_name\"], write = [\"first_name\"], chunk = 1 }\n";
    let text = |name: &str| {
        format!(
            "{head}export function transform(row) {{ return {{ first_name: {name} }} }}
export function verify(db) {{ return db.query(\"SELECT count(*) FROM customer WHERE first_name = 'x'\", [], {{ rows: \"array\" }}).first()[0] === 2 }}
"
        )
    };
    let project = project("0002_x.js", &text("row.full_name === 'Plato' ? 'y' : 'x'"));
    let refused = project.run(&["up"]);
    assert_snapshot!(refused, @"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: the migration did not do what it should: verify returned false
    note: the chunks of migration 2 x before it stay done; `whimbrel up` goes on after them
    note: 1 migration was applied before it and stays applied
    hint: its own `verify` says so: it has to answer with something true, or return without an error, where everything is as it should be
    ");
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 2, "the chunks stay");
    let whole = Project::with(&[("0001_customers.sql", CUSTOMERS), ("0002_x.js", &text("'x'"))]);
    whole.ok(&["up"]);
    whole.ok(&["verify", "--deep"]);
}

#[test]
fn verify_deep_asks_again() {
    let project = project(
        "0002_x.js",
        &format!(
            "{UP}export function verify(db) {{ return db.query(\"SELECT 1 FROM customer WHERE id = 2\").first() }}\n"
        ),
    );
    project.write("migrations/0001_customers.verify.sql", "SELECT count(*) > 0 FROM customer;\n");
    project.ok(&["up"]);
    project.unchanged(|| {
        assert_snapshot!(project.ok(&["verify", "--deep"]).stdout, @"
        Ran 1 verify script and the verify of 1 migration.
        Verified 2 migrations: files and history agree.
        ");
    });
    project.remove("migrations/0001_customers.verify.sql");
    project.database().execute("DELETE FROM customer WHERE id = 2", []).expect("change");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["verify", "--deep"]), @"
        exit 1
        --- stdout
        error: migration 2 x: the migration did not do what it should: verify returned nothing (migrations/0002_x.js)
        hint: its own `verify` says so: it has to answer with something true, or return without an error, where everything is as it should be
        Ran the verify of 1 migration.
        Verified 2 migrations: 1 problem.
        ");
    });
    assert_eq!(project.run(&["verify"]).code, 0, "only --deep asks");
    let json = project.run(&["verify", "--deep", "--json"]).json("verify");
    assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"), @r#"
    {
      "accepted": [],
      "gaps": [],
      "ignored": [],
      "migrations": 2,
      "ok": false,
      "problems": [
        {
          "chain": "main",
          "code": "unverified",
          "column": null,
          "file": "migrations/0002_x.js",
          "hint": "its own `verify` says so: it has to answer with something true, or return without an error, where everything is as it should be",
          "line": null,
          "message": "the migration did not do what it should: verify returned nothing",
          "migration": "2 x"
        }
      ],
      "schema": "whimbrel/verify/1",
      "verify_exports": 1,
      "verify_scripts": 0
    }
    "#);
}

#[test]
fn run_script_asks_too() {
    let project = project("0002_x.js", &format!("{UP}export function verify(db) {{ return false }}\n"));
    project.ok(&["up", "--to", "1"]);
    let tried = project.run(&["run-script", "migrations/0002_x.js"]);
    assert!(tried.code == 1 && tried.stderr.contains("verify returned false"), "{tried}");
}

#[test]
fn one_that_cannot_be_asked_any_more_does_not_keep_the_others_from_it() {
    let asks = "// whimbrel: grants = { read = [\"customer\"], update = [\"customer(first_name)\"] }\n";
    let verify = "export function verify(db) { return db.query(\"SELECT 1 FROM customer WHERE first_name IS NOT NULL\").first() }\n";
    let project = project("0002_x.js", &format!("{asks}{UP}{verify}"));
    project.write("migrations/0003_y.js", format!("export function up() {{}}\n{verify}"));
    assert_eq!(project.run(&["up"]).code, 0);
    let given = "[chains.main.migrations.2.grants]\nread = [\"customer\"]\n";
    project.write("whimbrel.toml", format!("{}\n{given}", project.read("whimbrel.toml")));
    let found = project.run(&["verify", "--deep", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&found.stdout).expect("JSON");
    let problems = json["problems"].as_array().unwrap_or_else(|| panic!("{found}"));
    let told: Vec<_> = problems.iter().map(|finding| (&finding["migration"], &finding["code"])).collect();
    assert_eq!(told, [(&"2 x".into(), &"not-granted".into())], "{found}");
    assert_eq!(found.code, 1, "{found}");
}
