//! Scripts that are wrong, or behave badly: each is stopped with a message, and nothing of it stays.

use insta::assert_snapshot;

use super::{fails, script};
use crate::cli::scripts::CUSTOMERS;
use crate::harness::Project;

/// The first lines of what the program said of a script that cannot be loaded.
fn told(text: &str) -> String {
    let outcome = script("0002_x.py", text).run(&["plan"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    outcome.stderr
}

#[test]
fn a_syntax_error_is_told_before_anything_runs() {
    let project = script("0002_x.py", "def up(db):\n    a = = 3\n");
    assert_snapshot!(project.run(&["plan"]), @r"
    exit 1
    --- stderr
    error: migration 2 x cannot be loaded (migrations/0002_x.py)
      caused by: SyntaxError: Expected an expression
     --> migrations/0002_x.py:2:9
      |
    2 |     a = = 3
      |         ^
    ");
    for verb in ["up", "verify"] {
        let outcome = project.run(&[verb]);
        assert!(outcome.code == 1 && outcome.stderr.contains("0002_x.py:2:9"), "{outcome}");
    }
    // Not even the first migration has run.
    assert!(!project.path("app.db").exists());
}

#[test]
fn a_script_needs_its_functions() {
    let missing = told("def down(db):\n    pass\n");
    assert!(missing.contains("the script exports no up: it exports down"), "{missing}");
    assert!(missing.contains("write `def up(db): …`"), "{missing}");
    let asynchronous = told("async def up(db):\n    pass\n");
    assert!(asynchronous.contains("up is async: write `def up(…):`"), "{asynchronous}");
    let project = script("0002_x.py", "def up(db):\n    pass\n");
    project.ok(&["up"]);
    let down = project.run(&["down"]);
    assert!(down.code == 1 && down.stderr.contains("its code exports no down"), "{down}");
}

#[test]
fn what_raises_says_where() {
    let text = "def up(db):\n    inner()\n\ndef inner():\n    raise IndexError('too far')\n";
    assert_snapshot!(fails(text), @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: IndexError: too far
      backtrace:
         0: inner (migrations/0002_x.py:5:11)
         1: up (migrations/0002_x.py:2:5)
     --> migrations/0002_x.py:5:11
      |
    5 |     raise IndexError('too far')
      |           ^^^^^^^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    ");
    let sql = fails("def up(db):\n    db.execute('UPDATE nobody SET a = 1')\n");
    assert_snapshot!(sql, @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: RuntimeError: no such table: nobody
      caused by: statement failed: no such table: nobody (SQLITE_ERROR): UPDATE nobody SET a = 1
     --> migrations/0002_x.py:2:5
      |
    2 |     db.execute('UPDATE nobody SET a = 1')
      |     ^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    hint: the database is not what the script expects: `whimbrel status` shows what is applied
    ");
    let escaped = fails("def up(db):\n    raise ValueError('\\x1b[2J')\n");
    assert!(!escaped.stderr.contains('\u{1b}'), "{escaped}");
    let name = fails("def helper():\n    db.execute('SELECT 1')\ndef up(db):\n    helper()\n");
    assert!(name.stderr.contains("take it as the first parameter: def up(db): …"), "{name}");
}

#[test]
fn what_is_not_in_the_subset_says_so() {
    for (text, words, place) in [
        ("def up(db):\n    yield 1\n", "yield expressions: not in the subset of Python that the engine runs", "2:5"),
        (
            "class E(Exception):\n    pass\ndef up(db):\n    pass\n",
            "class inheritance and metaclasses: not in the",
            "1:1",
        ),
        ("def up(db):\n    a = [1]\n    del a[0]\n", "the 'del' statement: not in the subset", "3:5"),
        ("def up(db):\n    import os\n", "No module named 'os': a migration has no files and no environment", "2:12"),
        ("import requests\ndef up(db):\n    pass\n", "'requests': a migration has no network", "1:8"),
        ("import names\ndef up(db):\n    pass\n", "'names': it is not in the subset", "1:8"),
        ("from .names import split\ndef up(db):\n    pass\n", "relative import", "1:1"),
    ] {
        let told = told(text);
        assert!(told.contains(words) && told.contains(&format!("0002_x.py:{place}")), "{told}");
    }
    let hint = told("import names\ndef up(db):\n    pass\n");
    assert!(hint.contains("there are base64, ") && hint.contains("other files cannot be imported"), "{hint}");
    for (body, words) in [
        ("open('/etc/passwd').read()", "a migration sees no files"),
        ("exec('import os; os.remove(\"x\")')", "a migration sees no files"),
        ("for row in db.cursor('SELECT 1'): pass", "while rows := cursor.fetch(1000)"),
        (
            "sorted([2, 1], key=lambda n: db.execute('SELECT 1'))",
            "execute cannot be called in a function that the interpreter",
        ),
        ("list(map(lambda n: db.first('SELECT 1'), [1]))", "call it before, in a loop or a comprehension"),
        ("exit()", "a migration ends when its function returns"),
        ("import sys; sys.exit(1)", "a migration ends when its function returns"),
        ("raise SystemExit", "a migration ends when its function returns"),
        ("input('Sure?')", "values come from `[params]`"),
    ] {
        let outcome = fails(&format!("def up(db):\n    {body}\n"));
        assert!(outcome.stderr.contains(words) && outcome.stderr.contains("0002_x.py:2:"), "{outcome}");
    }
}

#[test]
fn an_exception_with_something_else_than_a_text_says_what_to_write() {
    for raised in ["SystemExit(0)", "ValueError(17)", "ValueError('a', 'b')", "KeyError(None)"] {
        let outcome = fails(&format!("def up(db):\n    raise {raised}\n"));
        assert!(outcome.stderr.contains("raise ValueError(f\"…\")"), "{outcome}");
        // The interpreter does not know the line.
        assert!(outcome.stderr.contains("0002_x.py:1:5"), "{outcome}");
        assert!(outcome.stderr.contains("a migration ends when its function returns"), "{outcome}");
    }
}

#[test]
fn what_never_ends_ends_at_its_limit() {
    let head = "# whimbrel: limits = { fuel = 100_000_000 }\n";
    let outcome = fails(&format!("{head}def up(db):\n    db.execute('DELETE FROM customer')\n    while True: pass\n"));
    assert!(outcome.stderr.contains("fuel limit of 100000000"), "{outcome}");
    let top = fails(&format!("{head}while True: pass\ndef up(db):\n    pass\n"));
    assert!(top.stderr.contains("fuel limit"), "{top}");
    let timed = fails("# whimbrel: limits = { time = '1s' }\ndef up(db):\n    while True: pass\n");
    assert!(timed.stderr.contains("time limit of 1s"), "{timed}");
}

#[test]
fn infinite_recursion_is_an_error_of_the_script() {
    for body in [
        "    def deeper(n):\n        return deeper(n + 1) + 1\n    deeper(0)\n",
        "    def deeper(n):\n        return sorted([1, 2], key=deeper)\n    deeper(0)\n",
        "    class Deep:\n        def __repr__(self):\n            return repr(Deep())\n    repr(Deep())\n",
        "    deep = []\n    for _ in range(100000):\n        deep = [deep]\n    repr(deep) == repr(deep)\n    deep == [deep]\n    import json\n    json.dumps(deep)\n",
    ] {
        let outcome = fails(&format!("def up(db):\n{body}"));
        assert!(outcome.stderr.contains("RecursionError: maximum recursion depth exceeded"), "{outcome}");
        assert!(outcome.stderr.contains("migrations/0002_x.py:"), "{outcome}");
    }
    let project = script(
        "0002_x.py",
        "def up(db):\n    def deeper():\n        return deeper()\n    try:\n        deeper()\n    except RecursionError:\n        db.execute('DELETE FROM customer')\n",
    );
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer"), 0);
}

#[test]
fn too_much_memory_is_an_error_of_the_script_with_its_place() {
    let giant = fails("def up(db):\n    a = 'x' * (1 << 30)\n");
    assert!(giant.stderr.contains("MemoryError") && giant.stderr.contains("0002_x.py:2:"), "{giant}");
    let head = "# whimbrel: limits = { memory = '64MiB' }\n";
    for (body, line) in [
        ("    all = []\n    while True: all.append('x' * 100000)\n", 4),
        ("    all = []\n    while True: all.append([1, 2])\n", 4),
        ("    db.query('WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n')\n", 3),
    ] {
        let outcome = fails(&format!("{head}def up(db):\n{body}"));
        assert!(outcome.stderr.contains("MemoryError"), "{outcome}");
        assert!(outcome.stderr.contains(&format!("0002_x.py:{line}:")), "{outcome}");
        assert!(outcome.stderr.contains("raise `memory`"), "{outcome}");
    }
}

#[test]
fn deep_json_and_deep_source_are_errors_of_the_script() {
    let json = fails("import json\ndef up(db):\n    json.loads('[' * 1000000 + ']' * 1000000)\n");
    assert!(json.stderr.contains("recursion limit exceeded") && json.stderr.contains("0002_x.py:3:5"), "{json}");
    let (open, close) = ("(".repeat(100_000), ")".repeat(100_000));
    let source = told(&format!("def up(db):\n    a = {open}1{close}\n"));
    assert!(source.contains("Source is too deeply nested") && source.contains("0002_x.py:2:"), "{source}");
}

#[test]
fn what_is_no_text_is_told_with_its_file() {
    for (bytes, words) in [
        (&b"\x7fELF\x02\x01\xff\xfe"[..], "is not UTF-8"),
        (b"\xff\xfed\0e\0f\0", "it looks like UTF-16: save it as UTF-8"),
        (b"def up(db): pass\0", "NUL"),
        (b" \n", "the file is blank"),
    ] {
        let project = Project::with(&[("0001_customers.sql", CUSTOMERS)]);
        project.write("migrations/0002_x.py", bytes);
        let outcome = project.run(&["up"]);
        assert!(outcome.code == 1 && outcome.stderr.contains("0002_x.py"), "{outcome}");
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
}
