//! `new --kind`, `run-script`.

use insta::assert_snapshot;

use super::{CUSTOMERS, SPLIT, script};
use crate::harness::Project;

#[test]
fn a_new_script_runs() {
    for kind in ["js", "ts"] {
        let project = Project::notes();
        let made = project.ok(&["new", "split names", "--kind", kind, "--reversible"]);
        let file = format!("migrations/0003_split_names.{kind}");
        assert!(made.stdout.contains(&file), "{made}");
        let declarations = project.read("migrations/whimbrel.d.ts");
        assert!(declarations.contains("executeMany"), "{declarations}");
        let plan = project.ok(&["plan"]);
        assert!(plan.stdout.contains("split names"), "{plan}");
        let up = project.ok(&["up"]);
        assert!(
            up.stderr.contains("split_names: 2 tables")
                || up.stdout.contains("split_names: 3 tables")
                || up.stderr.contains("tables"),
            "{up}"
        );
        project.ok(&["down"]);
        let status = project.ok(&["status"]);
        assert!(!status.stdout.contains("ignored"), "{status}");
        // The declarations are written once, and an author's changes stay.
        project.write("migrations/whimbrel.d.ts", "// mine\n");
        project.ok(&["new", "other", "--kind", kind]);
        assert_eq!(project.read("migrations/whimbrel.d.ts"), "// mine\n");
    }
}

#[test]
fn a_script_is_tried_and_rolled_back_unless_told_otherwise() {
    let project = script("0001_other.js", "export function up() {}\n");
    project.remove("migrations/0001_other.js");
    project.ok(&["up"]);
    project.write("scratch/try it.js", SPLIT);
    let tried = project.unchanged(|| project.ok(&["run-script", "scratch/try it.js"]));
    assert!(
        tried.stdout.contains("rows of customer: 3 updated") && tried.stdout.contains("rolled everything back"),
        "{tried}"
    );
    insta::assert_snapshot!(project.ok(&["run-script", "scratch/try it.js", "--commit"]), @"
    exit 0
    --- stdout
    Ran scratch/try it.js in [time]; what it did stays, and the history has no row of it.
    ");
    let nowhere = project.run(&["run-script", "scratch/try it.js", "--commit", "-D", "nowhere.db"]);
    assert!(nowhere.code == 1 && nowhere.stderr.contains("there is no database nowhere.db"), "{nowhere}");
    assert!(!project.path("nowhere.db").exists());
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 3);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 1);
    project.ok(&["run-script", "scratch/try it.js", "--commit", "--down"]);
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 0);
    let wrong = project.run(&["run-script", "migrations/0001_customers.sql"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("is no script"), "{wrong}");
    let missing = project.run(&["run-script", "nobody.js"]);
    assert!(missing.code == 1 && missing.stderr.contains("nobody.js"), "{missing}");
    project.write(
        "scratch/bad.js",
        "export function up(db) {\n  db.execute('DELETE FROM customer');\n  throw new Error('no');\n}\n",
    );
    let failed = project.unchanged(|| project.run(&["run-script", "scratch/bad.js", "--commit"]));
    assert!(failed.code == 1 && failed.stderr.contains("scratch/bad.js:3:"), "{failed}");
}

/// A transform that cannot do one of the rows, and leaves it aside.
const PARTS: &str = "// whimbrel: transform = { table = 'customer', read = ['full_name'], write = ['first_name', 'last_name'], on_error = 'skip' }\nexport function transform({ full_name }) {\n  const parts = full_name.trim().split(' ');\n  if (parts.length > 2) throw new Error('too many parts');\n  return { first_name: parts[0], last_name: parts[1] ?? '' };\n}\n";

#[test]
fn a_transform_is_tried_on_a_database_that_was_never_migrated() {
    let project = script("0002_x.js", PARTS);
    project.database().execute_batch(CUSTOMERS).expect("tables");
    let tried = project.unchanged(|| project.run(&["run-script", "migrations/0002_x.js"]));
    assert_eq!(tried.code, 5, "{tried}");
    assert!(tried.stdout.contains("1 row was rejected; no migration is recorded"), "{tried}");
    assert!(tried.stdout.contains("rows of customer: 2 updated"), "{tried}");
    let kept = project.run(&["run-script", "migrations/0002_x.js", "--commit"]);
    assert_snapshot!(kept, @r"
    exit 5
    --- stdout
      Key   Reason
      id 2  Error: too many parts (0002_x.js:4:35)

    1 row was rejected; no migration is recorded, so nothing keeps it aside.

    Ran migrations/0002_x.js in [time]; what it did stays, and the history has no row of it.
    ");
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 2);
    assert_eq!(project.number("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%whimbrel%'"), 0);
}

#[test]
fn rows_that_a_tried_transform_rejects_are_shown_and_nowhere_kept() {
    let project = script("0002_x.js", PARTS);
    project.ok(&["up", "--to", "1"]);
    let kept = project.run(&["run-script", "migrations/0002_x.js", "--commit", "--json"]);
    assert_eq!(kept.code, 5, "{kept}");
    let rejects = &kept.json("run-script")["steps"][0]["rejects"];
    assert_eq!(rejects[0]["key"], "id 2");
    assert_eq!(rejects[0]["values"]["read"]["full_name"]["text"], "Grace Brewster Hopper", "{rejects}");
    assert_eq!(project.ok(&["rejects", "2"]).stdout, "No rows were kept aside.\n");
    assert_eq!(project.run(&["up"]).code, 5);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history_rejects"), 1);
}

#[test]
fn a_tried_transform_leaves_one_that_is_under_way_alone() {
    let project = script("0002_x.js", &PARTS.replace(", on_error = 'skip'", ", chunk = 1"));
    assert_eq!(project.run(&["up"]).code, 1);
    let state = "SELECT count(*) FROM _whimbrel_history WHERE version = 2 AND state = 'in-progress'";
    assert_eq!(project.number(state), 1);
    let text = PARTS.replace("if (parts", "if (false && parts").replace(", on_error = 'skip'", "");
    project.write("scratch/0002_x.js", &text);
    let tried = project.ok(&["run-script", "scratch/0002_x.js", "--commit", "--json"]);
    assert_eq!(tried.json("run-script")["steps"][0]["rows"]["read"], 3, "all rows, whatever is done already");
    assert_eq!(project.number(state), 1);
}

#[test]
fn a_script_is_tried_by_itself_whatever_chains_depend_on_each_other() {
    let project = script("0002_x.js", "export function up(db) { db.execute('DELETE FROM customer'); }\n");
    project.write("migrations/0002_x.toml", "depends_on = [\"1\", \"billing:1\"]\n[grants]\ndelete = [\"customer\"]\n");
    project.write("billing/0001_b.sql", "CREATE TABLE b (x);\n");
    project.write("billing/0002_c.sql", "-- whimbrel: depends_on = main:1\nCREATE TABLE c (x);\n");
    let toml = project.read("whimbrel.toml");
    project.write("whimbrel.toml", format!("dir = \"migrations\"\n{toml}\n[chains.billing]\ndir = \"billing\"\n"));
    project.ok(&["up", "--chain", "main", "--to", "1"]);
    project.ok(&["run-script", "migrations/0002_x.js"]);
}
