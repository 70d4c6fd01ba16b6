//! `repl`: a prompt that looks at the database and changes nothing.

use std::io::{ErrorKind, Write};
use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{Outcome, Project};

/// Types these lines.
fn typed(project: &Project, arguments: &[&str], lines: &str) -> Outcome {
    let mut command = project.command(&[&["repl"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the program runs");
    // Who finds no database ends without reading.
    let written = running.stdin.take().expect("it is piped").write_all(lines.as_bytes());
    assert!(written.is_ok() || written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe));
    project.outcome(&running.wait_with_output().expect("the program ends"))
}

fn notes() -> Project {
    let project = Project::notes();
    project.ok(&["up"]);
    project
}

#[test]
fn it_answers_sql_and_javascript() {
    let lines = r#"
SELECT id, text, 1.5 AS real, NULL AS none, x'00ff' AS blob FROM note ORDER BY id DESC
select * from note where id = 7
SELECT name FROM sqlite_schema WHERE name LIKE '\_whimbrel\_history' ESCAPE '\'
PRAGMA table_info(note)
1 + 1
db.query("SELECT text FROM note WHERE id = ?", [2])
db.query("SELECT text FROM note").map((row) => row.text)
{ one: 1n, two: [null, "x"] }
const double = (n) => 2 * n
double(21)
const double = (n) => \
  3 * n
double(21)
log("said"), ctx.dryRun
Promise.resolve("later")
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 101) SELECT count(*) AS rows FROM n
.help
.exit
SELECT 'never'
"#;
    let project = notes();
    let outcome = project.unchanged(|| typed(&project, &[], lines));
    assert_snapshot!(outcome);
}

#[test]
fn nothing_can_be_changed_and_no_error_ends_it() {
    let lines = r#"
DELETE FROM note
insert into note (text) values ('three')
db.execute("UPDATE note SET text = 'changed'")
db.executeMany("INSERT INTO note (text) VALUES (?)", [["x"]])
CREATE TABLE other (id)
CREATE TEMP TABLE other (id)
PRAGMA user_version = 3
PRAGMA writable_schema = 1
ATTACH 'other.db' AS other
COMMIT
db.query("DELETE FROM note RETURNING id").all()
db.savepoint(() => 1)
SELECT nothing FROM note
nobody
1 +
throw new Error("mine")
Promise.reject(new TypeError("later"))
SELECT 1 AS still
"#;
    let project = notes();
    let outcome = project.unchanged(|| typed(&project, &[], lines));
    assert!(!project.path("other.db").exists());
    assert_snapshot!(outcome);
}

#[test]
fn values_are_told_apart_and_what_was_assigned_stays() {
    let lines = r#"
2n ** 64n
({ big: -1n, text: "1", not: NaN, none: undefined, bytes: new Uint8Array([1]), map: new Map([["a", 1]]), day: new Date(0) })
n = 7
n += 1
n
o = { p: 1 }
o.p = n
o
await Promise.resolve(n);
later = await Promise.resolve([n])
later.length
if (await later) log("after")
await (async () => { throw new Error("rejected") })()
undeclared += 1
circle = []; circle.push(circle); circle
"#;
    assert_snapshot!(typed(&notes(), &[], lines));
}

#[test]
fn many_rows_are_cut_and_endless_lines_end() {
    let project = notes();
    let lines = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 101) SELECT i FROM n\n\
                 'x'.repeat(3000000)\nfor (;;) {}\nSELECT 2 AS still\n";
    let outcome = typed(&project, &["--timeout", "5s"], lines);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout.contains("100\n  … the first 100 rows\n"), "{outcome}");
    assert!(outcome.stdout.ends_with("still\n      2\n"), "{outcome}");
    assert!(outcome.stderr.contains("the answer is too long to be shown"), "{outcome}");
    assert!(outcome.stderr.contains("the line took longer than its timeout of 5s"), "{outcome}");
    assert_eq!(typed(&project, &["--timeout", "1s"], "for (;;) {}\n").code, 124);
}

#[test]
fn it_writes_an_object_for_each_line() {
    let project = notes();
    let outcome = typed(&project, &["--json"], "SELECT id FROM note\nlog('a'), 'b'\nnobody\n");
    assert!(outcome.code == 1 && outcome.stderr.is_empty(), "{outcome}");
    let objects: Vec<Value> =
        serde_json::Deserializer::from_str(&outcome.stdout).into_iter().map(|object| object.expect("JSON")).collect();
    assert_eq!(objects.len(), 3, "{outcome}");
    assert_eq!(objects[0]["schema"], "whimbrel/repl/1");
    assert_eq!(objects[0]["rows"], serde_json::json!([[1], [2]]));
    assert_eq!((&objects[1]["value"], &objects[1]["logs"][0]), (&"\"b\"".into(), &"a".into()));
    assert_eq!(objects[2]["message"], "ReferenceError: nobody is not defined", "{outcome}");
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let project = Project::notes();
    assert_snapshot!(typed(&project, &[], "SELECT 1\nSELECT 2\n"), @"
    exit 1
    --- stderr
    error: there is no database app.db
    hint: check the path: a database is made by the first migration, and by nothing else
    ");
    assert!(!project.path("app.db").exists());
}
