//! Repeatable transforms: their rows in the history, and the rows they keep aside, are found by their names.

use crate::harness::Project;

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y); INSERT INTO t (x) VALUES (1), (2), (3), (4), (5);";

const SKIPPING: &str = "on_error = \"skip\"";

/// Adds a letter and `x` to what is in `y`; refuses rows beyond a largest `x`.
fn script(letter: &str, most: u32) -> String {
    format!(
        "export function transform(row) {{\n  if (row.x > {most}) throw new Error('no');\n  \
         return {{ y: (row.y ?? '') + '{letter}' + row.x }};\n}}\n\
         export function revert(row) {{ return {{ y: null }}; }}\n"
    )
}

fn manifest(more: &str) -> String {
    format!(
        "[transform]\ntable = \"t\"\nread = [\"x\", \"y\"]\nwrite = [\"y\"]\n{more}\n\
         [transform.down]\nread = [\"y\"]\nwrite = [\"y\"]\n"
    )
}

fn project(scripts: &[(&str, &str, &str)]) -> Project {
    let project = Project::with(&[("0001_a.up.sql", TABLE), ("0001_a.down.sql", "DROP TABLE t;")]);
    for (name, script, options) in scripts {
        project.write(&format!("migrations/R__{name}.js"), script);
        project.write(&format!("migrations/R__{name}.toml"), manifest(options));
    }
    project
}

fn values(project: &Project) -> String {
    project.database().query_row("SELECT group_concat(y, ' ' ORDER BY id) FROM t", [], |row| row.get(0)).unwrap()
}

fn state(project: &Project, name: &str) -> String {
    let status = project.run(&["status", "--json"]).json("status");
    let rows = status["migrations"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{status}"));
    row["state"].as_str().unwrap().to_owned()
}

#[test]
fn in_chunks_it_ends_and_runs_again_only_when_it_has_changed() {
    for chunk in ["chunk = 100", "chunk = 2", "chunk = 5"] {
        let project = project(&[("b", &script("n", 9), chunk)]);
        project.write("migrations/0000_first.sql", "CREATE TABLE first (id INTEGER PRIMARY KEY);");
        for _ in 0..2 {
            project.ok(&["up"]);
            assert_eq!((values(&project).as_str(), state(&project, "b").as_str()), ("n1 n2 n3 n4 n5", "applied"));
        }
        project.write("migrations/R__b.js", script("m", 9));
        assert_eq!(state(&project, "b"), "outdated");
        for _ in 0..2 {
            project.ok(&["up"]);
            assert_eq!(values(&project), "n1m1 n2m2 n3m3 n4m4 n5m5", "{chunk}");
        }
        let ended = "SELECT group_concat(state, ' ' ORDER BY id) FROM _whimbrel_history WHERE name = 'b'";
        let states: String = project.database().query_row(ended, [], |row| row.get(0)).unwrap();
        assert_eq!(states, "replaced applied");
        // What is taken back may have taken along what it made: it runs once more, and to its end.
        project.write("migrations/0001_a.down.sql", "UPDATE t SET y = NULL; ALTER TABLE t RENAME TO old;");
        project.write("migrations/0001_a.up.sql", format!("DROP TABLE IF EXISTS old; {TABLE}"));
        project.ok(&["repair", "1", "--accept", "--yes"]);
        project.ok(&["redo"]);
        assert_eq!((values(&project).as_str(), state(&project, "b").as_str()), ("m1 m2 m3 m4 m5", "applied"));
    }
}

#[test]
fn in_chunks_it_goes_on_where_it_stopped_or_begins_anew() {
    let project = project(&[("b", &script("n", 4), "chunk = 2")]);
    let failed = project.run(&["up"]);
    assert!(failed.stderr.contains("`whimbrel preview 'b' --key VALUE` shows one row"), "{failed}");
    assert_eq!((values(&project).as_str(), state(&project, "b").as_str()), ("n1 n2 n3 n4", "in-progress"));
    assert!(project.run(&["preview", "b", "--key", "4"]).stdout.contains("n4n4"));
    project.database().execute_batch("UPDATE t SET x = 0 WHERE id = 5").unwrap();
    project.ok(&["up", "--dry-run"]);
    project.ok(&["up"]);
    assert_eq!((values(&project).as_str(), state(&project, "b").as_str()), ("n1 n2 n3 n4 n0", "applied"));

    project.database().execute_batch("UPDATE t SET x = 5 WHERE id = 5").unwrap();
    project.write("migrations/R__b.js", script("m", 4));
    project.run(&["up"]);
    project.write("migrations/R__b.js", script("o", 5));
    assert_eq!(state(&project, "b"), "changed-in-progress");
    let refused = project.run(&["up"]);
    assert!(refused.stderr.contains("or begin anew with `whimbrel repair 'b' --restart`"), "{refused}");
    project.ok(&["repair", "b", "--restart", "--yes"]);
    project.ok(&["up"]);
    assert_eq!(values(&project), "n1m1o1 n2m2o2 n3m3o3 n4m4o4 n0o5");
}

#[test]
fn rows_kept_aside_are_those_of_its_name() {
    let in_chunks = format!("{SKIPPING}\nchunk = 2");
    let project = project(&[("b", &script("n", 4), &in_chunks), ("d", &script("m", 3), SKIPPING)]);
    let up = project.run(&["up"]);
    assert_eq!(up.code, 5, "{up}");
    assert!(up.stdout.contains("1 row was kept aside: `whimbrel rejects 'b'` shows it"), "{up}");
    let kept = |name: &str| project.ok(&["rejects", name, "--json"]).json("rejects")["rows"].as_array().unwrap().len();
    assert_eq!((kept("b"), kept("d")), (1, 2));
    let unknown = project.run(&["rejects", "c"]);
    assert!(unknown.stderr.contains("there is no migration c"), "{unknown}");

    project.database().execute_batch("UPDATE t SET x = 4 WHERE id = 5").unwrap();
    project.ok(&["rejects", "b", "--retry"]);
    assert_eq!((kept("b"), kept("d")), (0, 2));

    // What it kept aside last time is nothing that this time says.
    project.write("migrations/R__d.js", script("o", 3));
    let refused = project.run(&["rejects", "d", "--retry"]);
    assert!(refused.stderr.contains("migration d was changed after it was applied"), "{refused}");
    assert_eq!(project.run(&["up"]).code, 5);
    assert_eq!(kept("d"), 2);
    project.write("migrations/R__b.js", script("p", 3));
    project.run(&["up"]);
    assert_eq!(kept("b"), 2);

    let decided = project.ok(&["repair", "b", "--mark-failed", "--yes"]);
    assert!(decided.stdout.contains("2 rows that migration b kept aside"), "{decided}");
    assert_eq!((kept("b"), kept("d")), (0, 2));
    project.ok(&["up", "--to", "1"]);
    project.ok(&["down", "--all"]);
    let left = project.number("SELECT count(*) FROM _whimbrel_history_rejects");
    assert_eq!(left, 0);
}

#[test]
fn what_is_forgotten_takes_the_rows_along_that_it_kept_aside() {
    for target in [&["repair", "--forget", "--yes"][..], &["repair", "d", "--forget", "--yes"]] {
        let project = project(&[("b", &script("n", 4), SKIPPING), ("d", &script("m", 3), SKIPPING)]);
        project.run(&["up"]);
        project.remove("migrations/R__d.js");
        project.remove("migrations/R__d.toml");
        let forgotten = project.ok(target);
        assert!(forgotten.stdout.contains("forget 2 rows that migration d kept aside"), "{forgotten}");
        assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history_rejects"), 1);
    }
}

#[test]
fn a_version_may_be_written_in_several_ways() {
    let project = Project::with(&[("V1.0__a.sql", TABLE), ("V2.0__b.js", &script("n", 3))]);
    project.write("migrations/V2.0__b.toml", manifest(SKIPPING));
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\nlayout = \"flyway\"\n");
    assert_eq!(project.run(&["up"]).code, 5);
    project.database().execute_batch("UPDATE t SET x = 0 WHERE id = 4").unwrap();
    assert_eq!(project.run(&["rejects", "2.0", "--retry"]).code, 5);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history_rejects"), 1);
    project.database().execute_batch("UPDATE t SET x = 0 WHERE id = 5").unwrap();
    project.ok(&["rejects", "2", "--retry"]);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history_rejects"), 0);
}
