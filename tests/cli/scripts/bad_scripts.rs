//! Scripts that are wrong, or behave badly: each is stopped with a message, and nothing of it stays.

use insta::assert_snapshot;

use super::{CUSTOMERS, fails, script};
use crate::harness::Project;

const UP: &str = "export function up(db) {\n";

fn body_fails(limits: &str, body: &str) -> crate::harness::Outcome {
    let head = if limits.is_empty() { String::new() } else { format!("// whimbrel: limits = {{ {limits} }}\n") };
    fails(&format!("{head}{UP}  db.execute('DELETE FROM customer');\n{body}\n}}\n"))
}

#[test]
fn a_syntax_error_is_told_before_anything_runs() {
    let project = script("0002_x.js", "export function up(db) {\n  const a = ;\n}\n");
    assert_snapshot!(project.run(&["plan"]), @r"
    exit 1
    --- stderr
    error: migration 2 x cannot be loaded (migrations/0002_x.js)
      caused by: SyntaxError: unexpected token in expression: ';'
     --> migrations/0002_x.js:2:13
      |
    2 |   const a = ;
      |             ^
    ");
    for verb in ["up", "verify"] {
        let outcome = project.run(&[verb]);
        assert!(outcome.code == 1 && outcome.stderr.contains("0002_x.js:2:"), "{outcome}");
    }
    // Not even the first migration has run.
    assert!(!project.path("app.db").exists());
}

#[test]
fn a_statement_that_fails_in_a_script_has_the_code_of_the_database() {
    for (body, code) in [
        ("db.execute('INSERT INTO customer (id) SELECT id FROM customer');", "constraint-unique"),
        ("db.execute('DELETE FROM customer WHERE id = ?');", "parameter"),
        ("try { db.execute('DELETE FROM nothing'); } catch {}\n throw new Error('no');", "script-failed"),
    ] {
        let project = script("0002_x.js", &format!("{UP}{body}\n}}\n"));
        let error = project.run(&["up", "--json"]).json("error");
        assert_eq!(error["code"], "script-failed", "{error}");
        assert_eq!(error["problems"][0]["code"], code, "{error}");
    }
}

/// sucrase takes all of it for a type, and the code in it would be gone.
#[test]
fn a_namespace_with_code_is_refused_and_one_that_is_declared_is_not() {
    let body = "export function up(db: any) {\n  db.execute('DELETE FROM customer');\n}\n";
    assert_snapshot!(script("0002_x.ts", &format!("{body}namespace Names {{\n  export const first = 1;\n}}\n")).run(&["plan"]), @r"
    exit 1
    --- stderr
    error: migration 2 x cannot be loaded (migrations/0002_x.ts)
      caused by: SyntaxError: a namespace is not run: write what is in it into a file of its own, or `declare` it where it has types only
     --> migrations/0002_x.ts:4:1
      |
    4 | namespace Names {
      | ^^^^^^^^^
    ");
    for refused in [
        "export namespace A.B { run(); }",
        "module Old { run(); }",
        "interface A {} namespace A { run(); }",
        "declare module 'x'\nnamespace A { run(); }",
        "declare namespace A { namespace B { type C = `a${string}`; } }\nnamespace D { run(); }",
    ] {
        let outcome = script("0002_x.ts", &format!("{body}{refused}\n")).run(&["plan"]);
        assert!(outcome.code == 1 && outcome.stderr.contains("a namespace is not run"), "{refused}: {outcome}");
    }
    for taken in [
        "declare namespace A.B { namespace C { const d: 1; } }",
        "declare module 'x' { module Y {} }",
        "declare global { namespace A { interface B {} } }",
        "let namespace = 1; namespace = 2; type N = { module: string; namespace(): void };",
    ] {
        script("0002_x.ts", &format!("{body}{taken}\n")).ok(&["up"]);
    }
}

#[test]
fn a_script_needs_its_functions() {
    let outcome = script("0002_x.js", "export function down(db) {}\n").run(&["plan"]);
    assert!(outcome.stderr.contains("the script exports no up: it exports down"), "{outcome}");
    let constant = fails("export const up = 7;\n");
    assert!(constant.stderr.contains("the export up is no function"), "{constant}");
    let project = script("0002_x.js", "export function up(db) {}\n");
    project.ok(&["up"]);
    let down = project.run(&["down"]);
    assert!(down.code == 1 && down.stderr.contains("its code exports no down"), "{down}");
}

#[test]
fn what_throws_says_where() {
    assert_snapshot!(fails("export function up(db) {\n  inner();\n}\n\nfunction inner() {\n  throw new RangeError('too far');\n}\n"), @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: RangeError: too far
      backtrace:
         0: inner (migrations/0002_x.js:6:13)
         1: up (migrations/0002_x.js:2:3)
     --> migrations/0002_x.js:6:13
      |
    6 |   throw new RangeError('too far');
      |             ^^^^^^^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    ");
    let text = fails("export function up() {\n  throw 'just a text';\n}\n");
    assert!(text.stderr.contains("threw just a text, which is no Error"), "{text}");
    let hostile = fails("export function up() {\n  throw { get message() { throw 1 }, toString() { throw 2 } };\n}\n");
    assert!(hostile.stderr.contains("something that has no text"), "{hostile}");
    let escaped = fails("export function up() {\n  throw new Error('\\u001b[2J');\n}\n");
    assert!(!escaped.stderr.contains('\u{1b}'), "{escaped}");
}

#[test]
fn a_statement_that_fails_is_shown_with_the_script() {
    assert_snapshot!(fails("export function up(db) {\n  db.execute('UPDATE nobody SET a = 1');\n}\n"), @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: SqlError: no such table: nobody
      caused by: statement failed: no such table: nobody (SQLITE_ERROR): UPDATE nobody SET a = 1
     --> migrations/0002_x.js:2:6
      |
    2 |   db.execute('UPDATE nobody SET a = 1');
      |      ^^^^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
}

#[test]
fn a_rejected_promise_fails_the_step() {
    let outcome = fails("export async function up(db) {\n  await null;\n  throw new Error('late');\n}\n");
    assert!(outcome.stderr.contains("Error: late") && outcome.stderr.contains("0002_x.js:3:13"), "{outcome}");
    let unhandled = fails("export function up(db) {\n  Promise.reject(new Error('nobody looked'));\n}\n");
    assert!(unhandled.stderr.contains("nobody looked"), "{unhandled}");
}

#[test]
fn a_rejected_promise_is_not_forgotten_for_another_in_its_place() {
    let outcome = fails(
        "export async function up() {\n  (() => { Promise.reject(new Error('loose')); })();\n  for (let i = 0; i < 100; i++) {\n    try { await Promise.reject(new Error('caught')); } catch {}\n  }\n}\n",
    );
    assert!(outcome.stderr.contains("Error: loose") && outcome.stderr.contains("0002_x.js:2:"), "{outcome}");
}

#[test]
fn a_promise_that_never_settles_fails_the_step() {
    let outcome = fails("export function up(db) {\n  return new Promise(() => {});\n}\n");
    assert!(outcome.stderr.contains("the promise that up returned never settles"), "{outcome}");
}

#[test]
fn a_virtual_table_that_was_undone_is_named_where_nothing_can_be_committed() {
    let outcome = fails(
        "export function up(db) {\n  try {\n    db.savepoint(() => {\n      db.execute('CREATE VIRTUAL TABLE found USING fts5(text)');\n      db.execute(\"INSERT INTO found VALUES ('a b')\");\n      throw new Error('no');\n    });\n  } catch {}\n}\n",
    );
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: cannot commit
      caused by: SQL logic error (SQLITE_ERROR)
    note: 1 migration was applied before it and stays applied
    hint: was a virtual table, such as one of fts5, made and written inside a savepoint that was undone? SQLite cannot commit after it: make the table outside of the savepoint. The step was rolled back
    ");
}

#[test]
fn an_infinite_loop_ends_at_its_limit() {
    let outcome = body_fails("fuel = 50_000_000", "  for (;;) {}");
    assert!(outcome.stderr.contains("fuel limit of 50000000"), "{outcome}");
    let awaiting = body_fails("fuel = 50_000_000", "  return (async () => { for (;;) await null; })();");
    assert!(awaiting.stderr.contains("fuel limit"), "{awaiting}");
    let top = fails("// whimbrel: limits = { fuel = 50_000_000 }\nfor (;;) {}\nexport function up() {}\n");
    assert!(top.stderr.contains("fuel limit"), "{top}");
}

#[test]
fn infinite_recursion_is_an_error_of_the_script() {
    let outcome = body_fails("", "  const deeper = (n) => deeper(n + 1) + 1;\n  deeper(0);");
    assert!(outcome.stderr.contains("call stack size exceeded"), "{outcome}");
    assert!(outcome.stderr.contains("deeper (migrations/0002_x.js:3:"), "{outcome}");
    let project = script(
        "0002_x.js",
        "export function up(db) {\n  const deeper = () => deeper();\n  try { deeper(); } catch { db.execute('DELETE FROM customer'); }\n}\n",
    );
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer"), 0);
}

#[test]
fn a_catastrophic_regular_expression_ends_at_its_limit() {
    let outcome = body_fails("fuel = 200_000_000", "  /^(a+)+$/.test('a'.repeat(40) + 'b');");
    assert!(outcome.stderr.contains("fuel limit"), "{outcome}");
}

#[test]
fn too_much_memory_is_an_error_of_the_script_with_its_place() {
    let giant = body_fails("", "  'x'.repeat(2 ** 30);");
    assert!(giant.stderr.contains("0002_x.js:3:"), "{giant}");
    let array = body_fails("memory = '64MiB'", "  const all = [];\n  for (;;) all.push('x'.repeat(1 << 20));");
    assert!(array.stderr.contains("out of memory") && array.stderr.contains("0002_x.js:5:"), "{array}");
    assert!(array.stderr.contains("raise `memory`"), "{array}");
    // Where not even the error would have room.
    let full = body_fails("memory = '64MiB'", "  let all = {};\n  for (;;) all = { all };");
    assert!(full.stderr.contains("InternalError: out of memory"), "{full}");
    assert!(full.stderr.contains("0002_x.js:5:") && full.stderr.contains("raise `memory`"), "{full}");
}

#[test]
fn deep_json_is_an_error_of_the_script() {
    let outcome = body_fails("", "  JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));");
    assert!(outcome.stderr.contains("0002_x.js:3:"), "{outcome}");
}

#[test]
fn imports_in_a_circle_work_or_fail_cleanly() {
    let project = script("0002_x.js", "import { even } from './a.js';\nexport function up(db) { log(even(4)); }\n");
    project.write(
        "migrations/a.js",
        "import { odd } from './b.js';\nexport function even(n) { return n === 0 || odd(n - 1); }\n",
    );
    project.write(
        "migrations/b.js",
        "import { even } from './a.js';\nexport function odd(n) { return n !== 0 && even(n - 1); }\n",
    );
    project.ok(&["up"]);
    let circle = script("0002_x.js", "import './a.js';\nexport function up() {}\n");
    circle.write("migrations/a.js", "import { b } from './b.js';\nexport const a = b + 1;\n");
    circle.write("migrations/b.js", "import { a } from './a.js';\nexport const b = a + 1;\n");
    let outcome = circle.run(&["up"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("is not initialized"), "{outcome}");
}

#[test]
fn imports_stay_inside_the_folder() {
    for (import, words) in [
        ("../secret.js", "leads out of the migrations folder"),
        ("/etc/passwd", "lies outside the migrations folder"),
        ("https://example.com/x.js", "lies outside the migrations folder"),
        ("node:fs", "lies outside the migrations folder"),
        ("lodash", "is a package"),
        ("./missing.js", "there is no such file"),
        ("./0001_customers.sql", "there is no such file"),
    ] {
        let project = script("0002_x.js", &format!("import '{import}';\nexport function up() {{}}\n"));
        project.write("secret.js", "export const secret = 1;\n");
        let outcome = project.run(&["plan"]);
        assert!(outcome.code == 1 && outcome.stderr.contains(words), "{import}: {outcome}");
    }
    let name = script("0002_x.js", "import { nobody } from './names.js';\nexport function up() {}\n");
    name.write("migrations/names.js", "export const somebody = 1;\n");
    let outcome = name.run(&["plan"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("nobody"), "{outcome}");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_not_imported() {
    let project = script("0002_x.js", "import './secret.js';\nexport function up() {}\n");
    project.write("secret.js", "export const secret = 1;\n");
    std::os::unix::fs::symlink(project.path("secret.js"), project.path("migrations/secret.js")).expect("link");
    let outcome = project.run(&["plan"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("there is no such file"), "{outcome}");
}

#[test]
fn what_is_no_text_is_told_with_its_file() {
    for (bytes, words) in [
        (&b"\x7fELF\x02\x01\xff\xfe"[..], "is not UTF-8"),
        (b"\xff\xfeu\0p\0", "it looks like UTF-16: save it as UTF-8"),
        (b"export function up() {}\0", "NUL"),
        (b" \n", "the file is blank"),
    ] {
        let project = Project::with(&[("0001_customers.sql", CUSTOMERS)]);
        project.write("migrations/0002_x.js", bytes);
        let outcome = project.run(&["up"]);
        assert!(outcome.code == 1 && outcome.stderr.contains("0002_x.js"), "{outcome}");
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
}

#[test]
fn a_head_is_read_strictly() {
    let typo = script("0002_x.js", "// whimbrel: descriptoin = 'x'\nexport function up() {}\n").run(&["plan"]);
    assert!(typo.stderr.contains("0002_x.js:1:14: unknown key `descriptoin`"), "{typo}");
    let late = script("0002_x.js", "export function up() {}\n// whimbrel: description = 'x'\n").run(&["plan"]);
    assert!(late.stderr.contains("must stand at the top"), "{late}");
    let both = script("0002_x.js", "// whimbrel: description = 'x'\nexport function up() {}\n");
    both.write("migrations/0002_x.toml", "description = 'y'\n");
    let both = both.run(&["plan"]);
    assert!(both.stderr.contains("its head says what migrations/0002_x.toml is there to say"), "{both}");
}

#[test]
fn a_plan_shows_a_script_that_wants_more_than_its_policy_gives() {
    let project = Project::with(&[(
        "0001_a.js",
        "// whimbrel: [limits]\n// whimbrel: time = \"5s\"\nexport function up(db) {}\n",
    )]);
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[chains.main.limits]\ntime = \"1s\"\n");
    let planned = project.run(&["plan"]);
    assert!(planned.stdout.contains("1 a"), "{planned}");
}
