//! A second engine, for a language of its own: what holds for scripts holds through the contract alone.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::CUSTOMERS;
use crate::harness::Project;

fn engine() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guests/engine/Cargo.toml");
        xtask::component(&manifest).expect("the engine compiles")
    })
}

fn project(script: &str) -> Project {
    let project = Project::with(&[("0001_customers.sql", CUSTOMERS), ("0002_x.steps", script)]);
    project.write("engines/steps.wasm", engine());
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[engines]\nsteps = \"engines/steps.wasm\"\n");
    project
}

#[test]
fn runs_reverts_checks_and_is_recorded() {
    let project = project(
        "# whimbrel: description = 'steps'\nup:\n  use lib/more.steps\n  UPDATE customer SET last_name = 'b'\ndown:\n  UPDATE customer SET last_name = NULL\n",
    );
    project.write("migrations/lib/more.steps", "up:\n  UPDATE customer SET first_name = 'a'\ndown:\n  not taken\n");
    let engines = project.ok(&["engines"]);
    assert!(engines.stdout.starts_with("steps  .steps  engines/steps.wasm\n  steps 1.0.0, "), "{engines}");
    let up = project.ok(&["up"]);
    assert!(up.stderr.contains("3 rows, memory 536870912"), "{up}");
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'a' AND last_name = 'b'"), 3);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE engine LIKE 'steps 1.0.0 %'"), 1);
    project.ok(&["down"]);
    assert_eq!(project.number("SELECT count(last_name) FROM customer"), 0);
    let plan = project.ok(&["plan"]);
    assert!(plan.stdout.contains("steps"), "{plan}");
}

#[test]
fn tells_where_it_failed() {
    let failed = project("up:\n  DELETE FROM customer\n  fail on purpose\n").run(&["up"]);
    assert!(failed.code == 1 && failed.stderr.contains("caused by: on purpose"), "{failed}");
    assert!(failed.stderr.contains("--> migrations/0002_x.steps:3:1"), "{failed}");
    assert!(failed.stderr.contains("hint: it is a very small language"), "{failed}");
    let syntax = project("UPDATE customer\nup:\n").run(&["plan"]);
    assert!(syntax.code == 1 && syntax.stderr.contains("a line stands before the first section"), "{syntax}");
    let missing = project("down:\n  DELETE FROM customer\n").run(&["plan"]);
    assert!(missing.stderr.contains("exports no up: it exports down\nhint: write the function up\n"), "{missing}");
    let sql = project("up:\n  UPDATE nobody SET a = 1\n").run(&["up"]);
    assert!(sql.stderr.contains("statement failed: no such table: nobody"), "{sql}");
}

#[test]
fn maps_rows() {
    let head =
        "# whimbrel: transform = { table = 'customer', read = ['full_name'], write = ['first_name', 'last_name'] }\n";
    let project = project(&format!("{head}transform:\n  first_name = upper full_name\n  last_name = full_name\n"));
    project.ok(&["up"]);
    assert_eq!(
        project.number("SELECT count(*) FROM customer WHERE first_name = upper(full_name) AND last_name = full_name"),
        3
    );
    let refused = self::project(&format!("{head}transform:\n  first_name = upper nobody\n  last_name = full_name\n"));
    let refused = refused.run(&["up"]);
    assert!(refused.stderr.contains("there is no such column (0002_x.steps:3:1)"), "{refused}");
}
