//! Python, the second engine: what holds for every engine, and what its subset of the language carries.

mod bad_scripts;
mod transforms;
mod values;

use insta::assert_snapshot;

use super::script;
use crate::harness::{Outcome, Project};

const SPLIT: &str = r#"from whimbrel import Context, Database, log

def up(db: Database, ctx: Context):
    for row in db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL"):
        first, *rest = row["full_name"].split()
        db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", [first, " ".join(rest), row["id"]])
    log.info(ctx.name, "is done")

def down(db):
    db.execute("UPDATE customer SET first_name = NULL, last_name = NULL")
"#;

/// Runs the body of `up` and returns what it logs.
fn logs(body: &str) -> Vec<String> {
    let text: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let project = script("0002_x.py", &format!("def up(db, ctx):\n{text}"));
    let outcome = project.ok(&["up", "--json"]);
    let json = outcome.json("up");
    let lines = json["logs"].as_array().unwrap_or_else(|| panic!("{outcome}"));
    lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Applies a script of this text, which fails, and returns what the program said.
fn fails(text: &str) -> Outcome {
    let project = script("0002_x.py", text);
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    let applied =
        if project.path("app.db").exists() { "SELECT count(*) FROM _whimbrel_history" } else { return outcome };
    assert_eq!(project.number(applied), 1, "{outcome}");
    outcome
}

#[test]
fn a_script_runs_reverts_and_is_recorded() {
    let project = script("0002_split_names.py", SPLIT);
    let up = project.ok(&["up"]);
    assert!(up.stderr.contains("[2 split_names] split_names is done"), "{up}");
    assert_eq!(
        project.number("SELECT count(*) FROM customer WHERE first_name = 'Grace' AND last_name = 'Brewster Hopper'"),
        1
    );
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'Plato' AND last_name = ''"), 1);
    let engines = project.ok(&["engines", "--json"]).json("engines");
    let engine = engines["engines"].as_array().and_then(|all| all.iter().find(|one| one["engine"] == "monty"));
    let engine = engine.expect("the engine is there");
    let recorded: String = project
        .database()
        .query_row("SELECT engine FROM _whimbrel_history WHERE version = '2'", [], |row| row.get(0))
        .expect("row");
    let words: Vec<&str> = recorded.split(' ').collect();
    assert_eq!(words, ["engine", "version", "sha256"].map(|word| engine[word].as_str().expect("text")));
    assert!(project.ok(&["status"]).stdout.contains("monty "));
    project.ok(&["verify"]);
    project.ok(&["down"]);
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 0);
}

#[test]
fn a_script_is_tried_and_rolled_back() {
    let project = script("0002_other.sql", "SELECT 1;\n");
    project.ok(&["up"]);
    project.write("scratch/split.py", SPLIT);
    let tried = project.unchanged(|| project.ok(&["run-script", "scratch/split.py"]));
    assert!(tried.stdout.contains("rows of customer: 3 updated"), "{tried}");
}

#[test]
fn a_new_script_runs_and_brings_what_editors_read() {
    let project = Project::notes();
    let made = project.ok(&["new", "split names", "--kind", "py", "--reversible"]);
    assert!(made.stdout.contains("migrations/0003_split_names.py"), "{made}");
    assert!(project.read("migrations/whimbrel.pyi").contains("def executemany"), "{made}");
    let up = project.ok(&["up"]);
    assert!(up.stderr.contains("split_names: "), "{up}");
    project.ok(&["down"]);
    let status = project.ok(&["status"]);
    assert!(!status.stdout.contains("ignored"), "{status}");
    project.write("migrations/whimbrel.pyi", "# mine\n");
    project.ok(&["new", "other", "--kind", "py"]);
    assert_eq!(project.read("migrations/whimbrel.pyi"), "# mine\n");
}

/// What the page says of its subset, in one migration as somebody would write it.
#[test]
fn a_real_migration_runs() {
    let text = r#"# whimbrel: description = "reads orders out of JSON"
import json, re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, ROUND_HALF_UP

PHONE = re.compile(r"^\+?(\d{2})[\s-]*(\d+)-?(\d*)$")

@dataclass
class Order:
    id: int
    total: Decimal
    tags: list

    def cents(self):
        return int(self.total * 100)

def parse(text: str) -> dict:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        print(f"skipped: {error}")
        return {}

def up(db):
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, body TEXT, cents INTEGER, at TEXT, phone TEXT, tags TEXT)")
    bodies = [
        {"total": "12.345", "at": "2024-02-29T23:30:00+02:00", "phone": "+49 301234", "tags": ["b", "a", "b"]},
        {"total": "7", "at": "2023-12-31T00:00:00", "phone": "none"},
        None,
    ]
    db.executemany("INSERT INTO orders (body) VALUES (?)", [[json.dumps(body) if body else "{oops"] for body in bodies])
    seen, years = Counter(), defaultdict(list)
    for row in db.query("SELECT id, body FROM orders ORDER BY id"):
        body = parse(row["body"])
        if not body:
            continue
        total = Decimal(body["total"]).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        order = Order(row["id"], total, sorted({tag.upper() for tag in body.get("tags", [])}))
        seen.update(body.get("tags", []))
        at = datetime.fromisoformat(body["at"])
        at = (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).astimezone(timezone.utc) + timedelta(days=1)
        match PHONE.match(body["phone"]):
            case None:
                phone = None
            case found:
                phone = "".join(found.groups()).lstrip("0")
        years[at.year].append(order.id)
        db.execute(
            "UPDATE orders SET cents = ?, at = ?, phone = ?, tags = ? WHERE id = ?",
            (order.cents(), at.strftime("%Y-%m-%d %H:%M"), phone, ",".join(order.tags) or None, order.id),
        )
    print(seen["b"], {year: len(ids) for year, ids in years.items()}, f"{1234567.891:,.2f}|{5:03d}|{'x':>3}")
    for row in db.query("SELECT cents, at, phone, tags FROM orders", rows="tuple"):
        print(*row, sep=" | ")
"#;
    let project = script("0002_orders.py", text);
    let up = project.ok(&["up", "--json"]);
    let json = up.json("up");
    let lines: Vec<&str> =
        json["logs"].as_array().expect("logs").iter().map(|line| line["message"].as_str().expect("text")).collect();
    assert_snapshot!(lines.join("\n"), @r"
    skipped: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
    2 {2024: 2} 1,234,567.89|005|  x
    1235 | 2024-03-01 21:30 | 49301234 | A,B
    700 | 2024-01-01 00:00 | None | None
    None | None | None | None
    ");
}

#[test]
fn rows_come_at_once_or_in_pieces() {
    let lines = logs(
        r#"log.info(db.query("SELECT id FROM customer ORDER BY id"))
log.info(db.first("SELECT id FROM customer WHERE id > ? ORDER BY id", (1,)), db.first("SELECT 1 WHERE 0"))
log.info(db.query("SELECT id, born FROM customer WHERE id < 3", rows="tuple"), db.dialect)
cursor = db.cursor("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", rows="tuple")
count = 0
while count < 5000 and (rows := cursor.fetch(2000)):
    count += len(rows)
log.info(cursor.columns, count, rows[-1])
cursor.close()
log.info(db.executemany("INSERT INTO customer (full_name, born) VALUES (?, ?)", [(f"n{i}", i) for i in range(3000)]))
log.info(db.execute("UPDATE customer SET born = 1"), db.query(params=[7], sql="SELECT ? AS a"))"#,
    );
    assert_snapshot!(lines.join("\n"), @r"
    [{'id': 1}, {'id': 2}, {'id': 3}]
    {'id': 2} None
    [(1, 1815), (2, 1906)] sqlite
    ['i'] 6000 (6000,)
    3000
    3003 [{'a': 7}]
    ");
}

#[test]
fn a_cursor_that_fails_is_closed() {
    let lines = logs(
        r#"numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
cursor = db.cursor(numbers + "SELECT CASE i WHEN 1500 THEN abs(-9223372036854775808) ELSE i END FROM n", rows="tuple")
for count in [10, 2000, 2000]:
    try:
        log.info(len(cursor.fetch(count)))
    except RuntimeError as error:
        log.info(error)"#,
    );
    assert_eq!(lines, ["10", "integer overflow", "the cursor is closed"]);
}

#[test]
fn the_context_goes_to_whoever_asks_for_it() {
    for (parameters, shown, expected) in [
        ("db", "db.dialect", "sqlite"),
        ("db, about", "about.name", "x"),
        ("db, ctx=None", "ctx.name", "x"),
        ("db, batch=7", "batch", "7"),
        ("db, batch=7, ctx=None", "(batch, ctx.name)", "(7, 'x')"),
        ("db, batch=7, /, *, ctx", "(batch, ctx.name)", "(7, 'x')"),
        ("db, *rest", "rest[0].name", "x"),
        ("db, batch=7, *rest", "(batch, rest)", "(7, ())"),
        ("ctx", "ctx.dialect", "sqlite"),
    ] {
        let project = script("0002_x.py", &format!("def up({parameters}):\n    print({shown})\n"));
        let up = project.ok(&["up"]);
        assert!(up.stderr.contains(&format!("[2 x] {expected}\n")), "{parameters}: {up}");
    }
}

#[test]
fn a_long_line_is_printed_in_pieces_and_none_is_empty() {
    const LONGEST: usize = 16 << 10;
    let lines = logs(&format!(
        r#"print("x" * {LONGEST})
print("x" * {LONGEST} + "y")
print("aü" + "ü" * 20000, "end")
for _ in range({LONGEST}):
    print("é", end="")
print()
print()
print("last")"#
    ));
    let lengths: Vec<usize> = lines.iter().map(String::len).collect();
    let text = format!("a{} end", "ü".repeat(20_001));
    let rest = text.len() - (LONGEST - 1) - LONGEST;
    assert_eq!(lengths, [LONGEST, LONGEST, 1, LONGEST - 1, LONGEST, rest, LONGEST, LONGEST, 0, 4]);
    assert_eq!(lines[3..6].concat(), text);
}

#[test]
fn a_savepoint_is_a_context_manager() {
    let lines = logs(
        r#"with db.savepoint():
    db.execute("UPDATE customer SET born = 5")
try:
    with db.savepoint():
        db.execute("DELETE FROM customer")
        with db.savepoint():
            db.execute("SELECT 1")
        raise KeyError("no")
except KeyError as error:
    log.info(error, db.first("SELECT count(*) AS n, sum(born) AS s FROM customer"))"#,
    );
    assert_eq!(lines, ["no {'n': 3, 's': 15}"]);
}

#[test]
fn savepoints_end_in_the_reverse_of_their_order() {
    let lines = logs(
        r#"savepoint = db.savepoint()
with savepoint:
    db.execute("UPDATE customer SET born = 5")
    try:
        with savepoint:
            db.execute("DELETE FROM customer")
            raise KeyError("no")
    except KeyError as error:
        log.info(error, db.first("SELECT count(*) AS n, sum(born) AS s FROM customer"))"#,
    );
    assert_eq!(lines, ["no {'n': 3, 's': 15}"]);
    let crossed = fails(
        "def up(db):\n    first, second = db.savepoint(), db.savepoint()\n    first.__enter__()\n    second.__enter__()\n    first.__exit__(None, None, None)\n",
    );
    assert!(crossed.stderr.contains("a savepoint cannot end while one that was opened after it is open"), "{crossed}");
}

#[test]
fn executemany_writes_all_rows_or_none() {
    let lines = logs(
        r#"insert = "INSERT INTO customer (id, full_name) VALUES (?, ?)"
numbers = [[10 + number, "x"] for number in range(2500)]
for rows in [numbers + [[10, "twice"]], numbers + [[{}, "no number"]], [[1] * 70000], numbers]:
    try:
        log.info(db.executemany(insert, rows))
    except Exception as error:
        log.info(type(error).__name__, error)
    log.info(db.first("SELECT count(*) AS n FROM customer"))"#,
    );
    assert_snapshot!(lines.join("\n"), @"
    ValueError row 2500 of executemany: UNIQUE constraint failed: customer.id
    {'n': 3}
    TypeError parameter 1 of row 2500 is a dict: json.dumps(x) makes a text of it
    {'n': 3}
    ValueError row 0 of executemany has 70000 parameters, more than any statement takes
    {'n': 3}
    2500
    {'n': 2503}
    ");
}

#[test]
fn what_a_statement_raises_can_be_told_apart_and_caught() {
    let lines = logs(
        r#"db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE)")
db.execute("INSERT INTO t VALUES (1, 'x')")
for sql in ["INSERT INTO t VALUES (1, 'y')", "INSERT INTO t VALUES (2, NULL)", "SELECT * FROM nobody", "COMMIT"]:
    try:
        db.execute(sql)
    except (ValueError, PermissionError, RuntimeError) as error:
        log.info(type(error).__name__, error, db.error()["code"])
try:
    db.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"n{i}") for i in range(10, 2000)] + [(3, "x")])
except ValueError as error:
    log.info(error, db.error()["row"])"#,
    );
    assert_snapshot!(lines.join("\n"), @r"
    ValueError UNIQUE constraint failed: t.id constraint-unique
    ValueError NOT NULL constraint failed: t.a constraint-not-null
    RuntimeError no such table: nobody syntax
    PermissionError a code migration may not begin, commit or roll back; return from it instead denied
    row 1990 of executemany: UNIQUE constraint failed: t.a 1990
    ");
}

#[test]
fn scripts_are_deterministic() {
    let text = "import random, time, datetime\ndef up(db):\n    for _ in range(3):\n        db.execute('UPDATE customer SET born = ?', \
                [random.randint(1, 10**9) + int(time.time()) + datetime.datetime.now().microsecond])\n";
    script("0002_x.py", text).ok(&["test"]);
    let body = "import random, time, datetime\nlog.info(random.random(), random.Random().random(), hash('a'), {'b', 'a', 'c'})\n\
                log.info(int(time.time() * 1000) == ctx.started_at, time.time() == time.time(), ctx.started_at > 1.7e12)\n\
                log.info(datetime.datetime.now().timestamp() * 1000 == ctx.started_at)";
    let [first, second] = [0, 1].map(|_| logs(body));
    assert_eq!(first, second);
    assert_eq!(first[1..], ["True True True", "True"]);
}

#[test]
fn nothing_is_left_over_from_one_run_to_the_next() {
    let text = "seen = []\nseen.append(1)\ndef up(db):\n    seen.append(1)\n    print(len(seen))\n";
    let project = Project::with(&[("0001_a.py", text), ("0002_b.py", text)]);
    let json = project.ok(&["up", "--json"]).stdout;
    assert_eq!(json.matches("\"message\": \"2\"").count(), 2, "{json}");
}

#[test]
fn grants_and_limits_hold_scripts() {
    let head = "# whimbrel: grants = { read = [\"customer(id)\"] }\n";
    let refused = fails(&format!("{head}{SPLIT}"));
    assert!(refused.stderr.contains("not granted"), "{refused}");
    let limited = fails(
        "# whimbrel: limits = { statements = 10 }\ndef up(db):\n    for i in range(20):\n        db.execute('SELECT 1')\n",
    );
    assert!(limited.stderr.contains("statements limit of 10"), "{limited}");
}
