//! `new --kind`, `run-script`.

use super::{SPLIT, script};
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
