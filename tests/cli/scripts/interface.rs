//! What a script finds: `db`, `log`, `ctx`, and what it does not find.

use insta::assert_snapshot;

use super::{fails, logs, script};

#[test]
fn queries_are_iterable_lazy_and_have_all_and_first() {
    let lines = logs(
        r#"
  for (const row of db.query("SELECT id, full_name FROM customer ORDER BY id")) { log(row.id, row.full_name.trim()); break; }
  log(JSON.stringify(db.query("SELECT id FROM customer ORDER BY id").all()));
  log(JSON.stringify(db.query("SELECT id FROM customer WHERE id > ? ORDER BY id", [1]).first()));
  log(db.query("SELECT id FROM customer WHERE id > 9").first() === undefined);
  log(db.query("SELECT id AS a, born AS b FROM customer").columns());
  log(JSON.stringify(db.query("SELECT id FROM customer ORDER BY id", [], { rows: "array" }).map((row) => row[0]).toArray()));
  let count = 0;
  for (const row of db.query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")) { if (++count === 5000) break; }
  log(count);
"#,
    );
    assert_eq!(
        lines,
        ["1 Ada Lovelace", r#"[{"id":1},{"id":2},{"id":3}]"#, r#"{"id":2}"#, "true", r#"["a","b"]"#, "[1,2,3]", "5000"]
    );
}

#[test]
fn statements_are_executed_prepared_and_run_for_many_rows() {
    let lines = logs(
        r#"
  log(db.execute("UPDATE customer SET born = 1"));
  const update = db.prepare("UPDATE customer SET born = ? WHERE id = ?");
  log(update.execute([7, 1]), update.execute([8, 99]));
  const read = db.prepare("SELECT born FROM customer WHERE id = ?");
  log(read.first([1]).born, read.all([1]).length, read.query([2]).first().born);
  function* rows() { for (let i = 0; i < 3000; i++) yield [`n${i}`, i]; }
  log(db.executeMany("INSERT INTO customer (full_name, born) VALUES (?, ?)", rows()));
  log(update.executeMany([[5, 1], [6, 2]]));
  log(db.query("SELECT count(*) AS n, sum(born) AS s FROM customer").first().n, db.dialect);
  for (const born of [1, 2, 3]) db.execute("UPDATE customer SET born = ? WHERE id = 3", [born]);
  log(read.first([3]).born);
"#,
    );
    assert_eq!(lines, ["3", "1 0", "7 1 1", "3000", "2", "3003 sqlite", "3"]);
}

#[test]
fn a_savepoint_undoes_what_threw_and_returns_what_came_back() {
    let lines = logs(
        r#"
  log(db.savepoint(() => db.execute("UPDATE customer SET born = 5")));
  try {
    db.savepoint(() => { db.execute("DELETE FROM customer"); db.savepoint(() => db.execute("SELECT 1")); throw new Error("no"); });
  } catch (error) { log(error.message, db.query("SELECT count(*) AS n FROM customer").first().n); }
  const work = async () => { db.execute("DELETE FROM customer"); await null; throw new Error("later"); };
  return db.savepoint(work).catch((error) => log(error.message, db.query("SELECT sum(born) AS s FROM customer").first().s));
"#,
    );
    assert_eq!(lines, ["3", "no 3", "later 15"]);
}

#[test]
fn sql_errors_can_be_told_apart_and_caught() {
    let lines = logs(
        r#"
  try { db.execute("INSERT INTO customer (id) VALUES (1)"); } catch (error) {
    log(error instanceof SqlError, error instanceof Error, error.name, error.code, error.native);
  }
  try { db.executeMany("INSERT INTO customer (id) VALUES (?)", [[10], [11], [1]]); } catch (error) { log(error.row, error.message.includes("row 2")); }
  log(db.query("SELECT count(*) AS n FROM customer").first().n);
"#,
    );
    assert_eq!(lines, ["true true SqlError constraint-unique SQLITE_CONSTRAINT_PRIMARYKEY", "2 true", "3"]);
}

#[test]
fn the_context_says_what_the_run_is() {
    let text = "// whimbrel: params = { locale = \"de\" }\nexport function up(db, ctx) {\n  log(ctx.chain, ctx.version, ctx.name, ctx.tenant, \
                ctx.dryRun, ctx.params.locale, Object.isFrozen(ctx));\n  log.warn('w', { a: 1n }, new Error('e'));\n  log.progress(1, 2);\n}\n";
    let json = script("0002_x.js", text).ok(&["up", "--json"]).stdout;
    assert!(json.contains("main 2 x null false de true"), "{json}");
    assert!(json.contains(r#"w {\"a\":\"1\"} Error: e"#), "{json}");
}

#[test]
fn promises_and_async_functions_work_where_they_settle() {
    let text = "const value = await Promise.resolve(7);\nexport async function up(db) {\n  await null;\n  const all = await Promise.all([1, 2].map(async (n) => n * value));\n  db.execute('UPDATE customer SET born = ?', [all[1]]);\n}\n";
    let project = script("0002_x.js", text);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT sum(born) FROM customer"), 42);
}

#[test]
fn what_is_absent_has_a_helpful_message() {
    for (code, hint) in [
        ("fetch('http://x')", "no network"),
        ("setTimeout(() => {}, 1)", "no timers"),
        ("require('fs')", "import { name } from"),
        ("process.env.HOME", "ctx.params"),
        ("Buffer.from('x')", "Uint8Array"),
        ("ctx.name", "second parameter"),
    ] {
        let outcome = fails(&format!("export function up(db) {{\n  {code};\n}}\n"));
        assert!(outcome.stderr.contains("is not defined") && outcome.stderr.contains(hint), "{code}: {outcome}");
        assert!(outcome.stderr.contains("0002_x.js:2:3"), "{code}: {outcome}");
    }
}

#[test]
fn text_and_bytes_turn_into_each_other() {
    let lines = logs(
        r#"
  const bytes = new TextEncoder().encode("ä€😀");
  log(bytes.length, new TextDecoder().decode(bytes) === "ä€😀");
  try { new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(255)); } catch (error) { log(error.name); }
"#,
    );
    assert_eq!(lines, ["9 true", "TypeError"]);
}

#[test]
fn each_execute_many_has_rows_of_its_own() {
    let lines = logs(
        r#"
  const insert = db.prepare("INSERT INTO customer (id, full_name) VALUES (?, ?)");
  function* rows() {
    yield [30, "outer"];
    log("inner", insert.executeMany([[31, "inner"]]));
    try { insert.executeMany([[32, "inner"], [31, "again"]]); } catch (error) { log(error.message); }
    yield [33, "outer"];
  }
  log("outer", insert.executeMany(rows()));
  const asking = Object.defineProperty([34, null], 1, { get: () => `asked ${insert.executeMany([[35, "inner"]])}` });
  log("getter", insert.executeMany([[36, "outer"], asking, [37, "outer"]]));
  const failing = Object.defineProperty([38, null], 1, { get: () => insert.executeMany([[35, "again"]]) });
  try { insert.executeMany([[39, "outer"], failing]); } catch (error) { log(error.message); }
  log(db.query("SELECT group_concat(id || ' ' || full_name, ', ') AS l FROM customer WHERE id >= 30 ORDER BY id").first().l);
"#,
    );
    assert_snapshot!(lines.join("\n"), @"
    inner 1
    row 1 of executeMany: UNIQUE constraint failed: customer.id
    outer 2
    getter 3
    row 0 of executeMany: UNIQUE constraint failed: customer.id
    30 outer, 31 inner, 33 outer, 34 asked 1, 35 inner, 36 outer, 37 outer
    ");
}

#[test]
fn execute_many_writes_all_rows_or_none() {
    let lines = logs(
        r#"
  const insert = "INSERT INTO customer (id, full_name) VALUES (?, ?)";
  const numbers = Array.from({ length: 2500 }, (_, index) => [10 + index, "x"]);
  const count = () => db.query("SELECT count(*) AS n FROM customer").first().n;
  const tried = (rows) => { try { log(db.executeMany(insert, rows)); } catch (error) { log(error.message); } log(count()); };
  tried([...numbers, [10, "twice"]]);
  tried([...numbers, [{}, "no number"]]);
  tried((function* () { db.execute("DELETE FROM customer"); yield* numbers; throw new Error("the rows end"); })());
  tried((function* () { yield [1, "there already"]; })());
  tried(numbers);
  const sparse = [];
  sparse.length = 2 ** 32 - 1;
  tried([sparse]);
"#,
    );
    assert_snapshot!(lines.join("\n"), @"
    row 2500 of executeMany: UNIQUE constraint failed: customer.id
    3
    parameter 1 of row 2500 is an object: JSON.stringify makes a text of it
    3
    the rows end
    3
    row 0 of executeMany: UNIQUE constraint failed: customer.id
    3
    2500
    2503
    row 0 of executeMany has 4294967295 parameters, more than any statement takes
    2503
    ");
}

#[test]
fn a_savepoint_does_not_end_while_a_later_one_is_open() {
    let head = "export async function up(db) {\n  const rename = (name, turns, fails) => db.savepoint(async () => {\n    db.execute(\"UPDATE customer SET \
                full_name = full_name || ?\", [name]);\n    for (let i = 0; i < turns; i++) await null;\n    if (fails) throw new Error(name);\n  });\n";
    for fails_first in [false, true] {
        let body = format!("  await Promise.all([rename('a', 1, {fails_first}), rename('b', 9, true)]);\n}}\n");
        let outcome = fails(&format!("{head}{body}"));
        assert!(outcome.stderr.contains("await one db.savepoint(…) before the next begins"), "{outcome}");
        let caught = fails(&format!("{head}{}", body.replace(".all(", ".allSettled(")));
        assert!(caught.stderr.contains("left a savepoint open"), "{caught}");
    }
    let inside =
        "  await Promise.all([rename('a', 9), rename('b', 1, true).catch(() => {})]);\n  await rename('c', 2);\n}\n";
    let project = script("0002_x.js", &format!("{head}{inside}"));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE full_name LIKE '%ac'"), 3);
    let odd = logs(
        r#"
  const odd = { get then() { throw new Error("asked"); } }, rejecting = { then() { throw new Error("called"); } };
  try { db.savepoint(() => { db.execute("DELETE FROM customer"); return odd; }); } catch (error) { log(error.message); }
  return db.savepoint(() => { db.execute("DELETE FROM customer"); return rejecting; }).catch((error) => {
    log(error.message, db.query("SELECT count(*) AS n FROM customer").first().n);
  });
"#,
    );
    assert_eq!(odd, ["asked", "called 3"]);
}
