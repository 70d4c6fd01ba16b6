//! Scripts that are pure functions from rows to rows.

use super::{CUSTOMERS, script};
use crate::harness::Project;

const HEAD: &str =
    "// whimbrel: transform = { table = 'customer', read = ['full_name'], write = ['first_name', 'last_name'] }\n";
const SPLIT: &str = "export function transform(row) {\n  const [first, ...rest] = row.full_name.trim().split(/\\s+/u);\n  return { first_name: first, last_name: rest.join(' ') };\n}\n";

fn failing(head: &str, body: &str) -> crate::harness::Outcome {
    let project = script("0002_x.js", &format!("{head}{body}"));
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 0, "{outcome}");
    outcome
}

#[test]
fn a_script_maps_rows_in_place() {
    let project = script("0002_x.js", &format!("{HEAD}{SPLIT}"));
    project.ok(&["up", "--to", "1"]);
    let preview = project.ok(&["preview", "2"]);
    assert!(preview.stdout.contains("Brewster Hopper"), "{preview}");
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 0);
    project.ok(&["up"]);
    assert_eq!(
        project.number("SELECT count(*) FROM customer WHERE first_name = 'Grace' AND last_name = 'Brewster Hopper'"),
        1
    );
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE kind = 'script'"), 1);
}

#[test]
fn the_manifest_may_lie_beside_it_and_say_chunks_and_jobs() {
    let project = script("0002_x.ts", &SPLIT.replace("(row)", "(row: { full_name: string })"));
    project.write(
        "migrations/0002_x.toml",
        "[transform]\ntable = 'customer'\nread = ['full_name']\nwrite = ['first_name', 'last_name']\nchunk = 100\njobs = 2\n",
    );
    project.ok(&["up", "--to", "1"]);
    project.database().execute_batch("WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 5009) INSERT INTO customer (id, full_name) SELECT i, 'First' || i || ' Last' FROM n").expect("rows");
    project.ok(&["up"]);
    assert_eq!(
        project.number("SELECT count(*) FROM customer WHERE last_name = 'Last' AND first_name = 'First' || id"),
        5000
    );
}

#[test]
fn a_real_without_a_fraction_says_so() {
    let head = "// whimbrel: transform = { table = 'far', read = ['r'], write = ['r'] }\n";
    let schema = "CREATE TABLE far (id INTEGER PRIMARY KEY, r REAL);\nINSERT INTO far (r) VALUES (1e300), (3.0);\n";
    for (export, value) in
        [("transform({ r })", "{ r: real(r * 2) }"), ("transformColumns({ r })", "{ r: r.map((r) => real(r * 2)) }")]
    {
        let text = format!("{head}export function {export} {{ return {value}; }}\n");
        let project = Project::with(&[("0001_far.sql", schema), ("0002_x.js", &text)]);
        project.ok(&["up"]);
        assert_eq!(project.number("SELECT count(*) FROM far WHERE r IN (2e300, 6.0)"), 2, "{export}");
    }
    let text = format!("{head}export function transform({{ r }}) {{ return {{ r }}; }}\n");
    let outcome = Project::with(&[("0001_far.sql", schema), ("0002_x.js", &text)]).run(&["up"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("or real(x) for a real"), "{outcome}");
}

#[test]
fn rows_go_into_another_table_none_one_or_many() {
    let into = "// whimbrel: transform = { table = 'customer', read = ['id', 'full_name'], write = ['customer', 'part'], into = 'part' }\n";
    let text = "export function transform({ id, full_name }) {\n  if (id === 1) return null;\n  if (id === 3) return { customer: id, part: full_name.trim() };\n  return full_name.split(' ').map((part) => ({ customer: id, part }));\n}\n";
    let schema = format!("{CUSTOMERS}CREATE TABLE part (customer INTEGER, part TEXT);\n");
    let project = Project::with(&[("0001_customers.sql", &schema), ("0002_x.js", &format!("{into}{text}"))]);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM part"), 4);
    assert_eq!(
        project.number("SELECT count(*) FROM part WHERE customer = 2 AND part IN ('Grace', 'Brewster', 'Hopper')"),
        3
    );
}

#[test]
fn a_row_that_throws_is_named_or_kept_aside() {
    let text = "export function transform(row, ctx) {\n  if (row.full_name.startsWith('Grace')) throw new Error('not her');\n  return { first_name: ctx.name, last_name: null };\n}\n";
    let outcome = failing(HEAD, text);
    assert!(outcome.stderr.contains("with id 2 cannot be transformed: Error: not her (0002_x.js:3:"), "{outcome}");
    let skipping = HEAD.replace(" }", ", on_error = 'skip' }");
    let project = script("0002_x.js", &format!("{skipping}{text}"));
    assert_eq!(project.run(&["up"]).code, 5);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'x'"), 2);
    assert!(project.ok(&["rejects", "2"]).stdout.contains("not her"));
}

#[test]
fn a_row_is_not_blamed_for_the_promise_of_another() {
    let bad = "if (row.full_name.startsWith('Grace')) ";
    for (function, throws) in [
        ("async function", "throw new Error('not her');"),
        ("function", "return Promise.reject(new Error('not her'));"),
        ("function", "{ Promise.reject(new Error('loose')); throw new Error('not her'); }"),
        ("function", "{ Promise.resolve().then(() => { throw new Error('loose'); }); throw new Error('not her'); }"),
    ] {
        let text = format!(
            "export {function} transform(row) {{\n  {bad}{throws}\n  return Promise.resolve({{ first_name: 'x', last_name: null }});\n}}\n"
        );
        let project = script("0002_x.js", &format!("{}{text}", HEAD.replace(" }", ", on_error = 'skip' }")));
        assert_eq!(project.run(&["up"]).code, 5);
        assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'x'"), 2, "{text}");
    }
}

#[test]
fn a_promise_that_nobody_awaits_is_blamed_on_its_own_row() {
    let text = "export function transform(row) {\n  if (row.full_name.startsWith('Grace')) Promise.reject(new Error('loose'));\n  return { first_name: 'x', last_name: null };\n}\n";
    let project = script("0002_x.js", &format!("{}{text}", HEAD.replace(" }", ", on_error = 'skip' }")));
    assert_eq!(project.run(&["up"]).code, 5);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'x' AND id <> 2"), 2);
    assert!(project.ok(&["rejects", "2"]).stdout.contains("loose"));
}

#[test]
fn what_transform_returns_is_checked() {
    for (returned, words) in [
        ("", "transform returned nothing: return { first_name, last_name }"),
        ("7", "transform returned no object"),
        ("{ first_name: 'a' }", "transform returned no last_name"),
        ("{ first_name: 'a', last_name: undefined }", "transform returned no last_name"),
        ("['a']", "transform returned an array of 1"),
        ("{ first_name: 'a', last_name: {} }", "last_name of what transform returned is an object"),
        ("new Promise(() => {})", "never settles"),
    ] {
        let outcome = failing(HEAD, &format!("export function transform(row) {{\n  return {returned};\n}}\n"));
        assert!(outcome.stderr.contains(words), "{returned}: {outcome}");
    }
    let constructor = HEAD.replace("'last_name'", "'constructor'");
    let project =
        script("0002_x.js", &format!("{constructor}export function transform() {{ return {{ first_name: 'a' }}; }}\n"));
    project.ok(&["up", "--to", "1"]);
    project.database().execute_batch("ALTER TABLE customer ADD COLUMN constructor").expect("column");
    let outcome = project.run(&["up"]);
    assert!(outcome.stderr.contains("transform returned no constructor"), "{outcome}");
}

#[test]
fn head_and_exports_have_to_agree() {
    let without = script("0002_x.js", SPLIT).run(&["plan"]);
    assert!(without.stderr.contains("nothing says which rows go through it"), "{without}");
    let other = script("0002_x.js", &format!("{HEAD}export function up() {{}}\n")).run(&["plan"]);
    assert!(other.stderr.contains("the script exports no transform: it exports up"), "{other}");
}

/// What would never be called is told before anything runs; what is applied already is left alone.
#[test]
fn functions_that_a_transform_never_calls_are_told() {
    let python = "def transform(row):\n    return {'first_name': 'a', 'last_name': 'b'}\n";
    let of_python = HEAD.replace("//", "#");
    for (file, text, words, hint) in [
        (
            "0002_x.js",
            format!("{HEAD}{SPLIT}export function up(db) {{}}\n"),
            "the script is a transform, which never calls its up\n",
            "a migration of its own",
        ),
        (
            "0002_x.js",
            format!("{HEAD}{SPLIT}export function up(db) {{}}\nexport function down(db) {{}}\n"),
            "which never calls its up and its down\n",
            "a migration of its own",
        ),
        (
            "0002_x.js",
            format!("{HEAD}{SPLIT}export function revert(row) {{ return {{}}; }}\n"),
            "the script exports revert, and its transform says no way back",
            "write `down = {}`",
        ),
        (
            "0002_x.py",
            format!("{of_python}{python}def down(db):\n    pass\n"),
            "which never calls its down\n",
            "a migration of its own",
        ),
        (
            "0002_x.py",
            format!("{of_python}{python}def revert(row):\n    return {{}}\n"),
            "its transform says no way back",
            "`[transform.down]`",
        ),
    ] {
        let project = script(file, &text);
        for verb in ["plan", "up"] {
            let outcome = project.run(&[verb]);
            assert_eq!(outcome.code, 1, "{verb} {text}: {outcome}");
            assert!(outcome.stderr.contains(words) && outcome.stderr.contains(hint), "{verb} {text}: {outcome}");
        }
    }
}

#[test]
fn a_transform_sees_no_database_and_its_options_shape_the_rows() {
    let text = "export const options = { rows: 'array', integers: 'bigint' };\nexport async function transform([name]) {\n  return [name.length.toString(), typeof db];\n}\n";
    let project = script("0002_x.js", &format!("{HEAD}{text}"));
    project.ok(&["up"]);
    assert_eq!(
        project
            .number("SELECT count(*) FROM customer WHERE last_name = 'undefined' AND first_name = length(full_name)"),
        3
    );
}

const COLUMNS: &str = "export function transformColumns({ full_name }, ctx) {\n  const names = full_name.map((name) => name.trim().split(' '));\n  return { first_name: names.map(([first]) => first), last_name: names.map(([, ...rest]) => rest.join(' ')) };\n}\n";

#[test]
fn a_script_maps_columns_as_it_maps_rows() {
    let rows = "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 3009) INSERT INTO customer (id, full_name) SELECT i, 'Zoë' || i || ' de la Last' FROM n";
    let names = |body: &str| {
        let project = script("0002_x.js", &format!("{HEAD}{body}"));
        project.ok(&["up", "--to", "1"]);
        project.database().execute_batch(rows).expect("rows");
        project.ok(&["up"]);
        let database = project.database();
        let mut statement =
            database.prepare("SELECT first_name || '|' || last_name FROM customer ORDER BY id").expect("names");
        let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        names.collect::<Result<Vec<_>, _>>().expect("texts")
    };
    let by_rows = names(SPLIT);
    assert_eq!(by_rows.len(), 3003);
    assert_eq!(by_rows[3002], "Zoë3009|de la Last");
    assert_eq!(names(COLUMNS), by_rows);
    // Of two functions the faster one is called.
    let both = format!("{COLUMNS}export function transform() {{ throw new Error('not me'); }}\n");
    assert_eq!(names(&both), by_rows);
}

#[test]
fn columns_go_into_another_table_none_one_or_many_for_a_row() {
    let into = "// whimbrel: transform = { table = 'customer', read = ['id', 'full_name'], write = ['customer', 'part'], into = 'part' }\n";
    let schema = format!("{CUSTOMERS}CREATE TABLE part (customer INTEGER, part TEXT);\n");
    let many = "export function transformColumns({ id, full_name }) {\n  const rows = [], part = [];\n  full_name.forEach((name, row) => { if (row > 0) name.split(' ').forEach((word) => { rows.push(row); part.push(word); }); });\n  return [{ customer: rows.map((row) => id[row]), part }, rows];\n}\n";
    let project = Project::with(&[("0001_customers.sql", &schema), ("0002_x.js", &format!("{into}{many}"))]);
    project.ok(&["up"]);
    let grace = "SELECT count(*) FROM part WHERE customer = 2 AND part IN ('Grace', 'Brewster', 'Hopper')";
    assert_eq!(project.number(grace), 3);
    assert_eq!(project.number("SELECT count(*) FROM part WHERE customer = 1"), 0);

    let one = "export const transformColumns = ({ id, full_name }) => ({ customer: Float64Array.from(id), part: full_name });\n";
    let project = Project::with(&[("0001_customers.sql", &schema), ("0002_x.js", &format!("{into}{one}"))]);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM part JOIN customer ON id = customer AND part = full_name"), 3);

    for numbers in ["Float64Array.from(rows)", "rows.map((row) => row * 2 * 0.5)"] {
        let floats = many.replace("rows];", &format!("{numbers}];"));
        let project = Project::with(&[("0001_customers.sql", &schema), ("0002_x.js", &format!("{into}{floats}"))]);
        project.ok(&["up"]);
        assert_eq!(project.number(grace), 3, "{numbers}");
    }

    let endless = "Object.assign([], { length: 4294967295 })";
    for numbers in ["rows.reverse()", "rows.map((row) => row + 0.5)", "rows.map((row) => -row)", "[NaN]", endless] {
        let wrong = many.replace("rows];", &format!("{numbers}];"));
        let project = Project::with(&[("0001_customers.sql", &schema), ("0002_x.js", &format!("{into}{wrong}"))]);
        let outcome = project.run(&["up"]);
        assert!(outcome.stderr.contains("no array of row numbers, from 0 to 2 and never descending"), "{outcome}");
    }
}

#[test]
fn what_transform_columns_returns_is_checked() {
    for (returned, words) in [
        ("", "transformColumns returned nothing: return { first_name, last_name }, each an array"),
        ("7", "transformColumns returned no object"),
        ("[{ first_name: full_name, last_name: full_name }, [0, 1, 2]]", "transformColumns returned an array"),
        ("{ first_name: full_name }", "transformColumns returned no array last_name"),
        ("{ first_name: full_name, last_name: 'abc' }", "transformColumns returned no array last_name"),
        ("{ first_name: full_name, last_name: ['a'] }", "returned 1 cells in last_name, and there are 3 rows"),
        (
            "{ first_name: full_name, last_name: ['a', {}, 'c'] }",
            "with id 2 cannot be transformed: TypeError: last_name[1] of what transformColumns returned is an object",
        ),
        ("new Promise(() => {})", "never settles"),
    ] {
        let text = format!("export function transformColumns({{ full_name }}) {{\n  return {returned};\n}}\n");
        let outcome = failing(HEAD, &text);
        assert!(outcome.stderr.contains(words), "{returned}: {outcome}");
    }
}

#[test]
fn an_error_says_which_row_of_the_columns_it_is_about() {
    let text = COLUMNS.replace(
        "  const names",
        "  full_name.forEach((name, row) => { if (name.startsWith('Grace')) throw Object.assign(new Error('not her'), { row }); });\n  const names",
    );
    let skipping = HEAD.replace(" }", ", on_error = 'skip' }");
    let float = text.replace("{ row })", "{ row: row * 2 * 0.5 })");
    for text in [&text, &text.replace("function transform", "async function transform"), &float] {
        let outcome = failing(HEAD, text);
        assert!(outcome.stderr.contains("with id 2 cannot be transformed: Error: not her (0002_x.js:3:"), "{outcome}");
        let project = script("0002_x.js", &format!("{skipping}{text}"));
        assert_eq!(project.run(&["up"]).code, 5);
        assert_eq!(project.number("SELECT count(first_name) FROM customer"), 2);
        assert!(project.ok(&["rejects", "2"]).stdout.contains("not her"));
    }
}

#[test]
fn too_little_memory_is_no_fault_of_a_row() {
    let head = HEAD.replace(" }", ", on_error = 'skip' }") + "// whimbrel: limits = { memory = '64MiB' }\n";
    for body in ["'x'.repeat(100)", "'x'.repeat(1 << 20)", "{}"] {
        let text = format!(
            "{head}export function transform(row) {{\n  const all = [];\n  while (row.full_name.startsWith('Grace')) all.push({body});\n  return {{ first_name: 'x', last_name: null }};\n}}\n"
        );
        let project = script("0002_x.js", &text);
        let outcome = project.run(&["up"]);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stderr.contains("caused by: InternalError: out of memory"), "{outcome}");
        assert!(outcome.stderr.contains("0002_x.js:5:") && outcome.stderr.contains("raise `memory`"), "{outcome}");
        assert_eq!(project.number("SELECT count(first_name) FROM customer"), 0, "{outcome}");
    }
    // A row that recurses too deeply may well be the only one.
    let deep = HEAD.replace(" }", ", on_error = 'skip' }")
        + "export function transform(row) {\n  const deeper = () => deeper() + 1;\n  if (row.full_name.startsWith('Grace')) deeper();\n  return { first_name: 'x', last_name: null };\n}\n";
    let project = script("0002_x.js", &deep);
    assert_eq!(project.run(&["up"]).code, 5);
    assert!(project.ok(&["rejects", "2"]).stdout.contains("call stack size exceeded"));
}

const SKIPPING: &str = "// whimbrel: transform = { table = 'customer', read = ['full_name'], write = ['first_name'], on_error = 'skip' }\n";

#[test]
fn a_script_that_kept_nothing_aside_is_a_transform_all_the_same() {
    let project = script(
        "0002_x.js",
        &format!("{SKIPPING}export function transform(row) {{ return {{ first_name: row.full_name }}; }}\n"),
    );
    project.ok(&["up"]);
    let rejects = project.ok(&["rejects", "2", "--json"]);
    assert!(rejects.stdout.contains("\"main\""), "{rejects}");
    // Other scripts keep nothing aside.
    let project = script("0002_x.js", "export function up(db) {}\n");
    project.ok(&["up"]);
    let rejects = project.run(&["rejects", "2", "--json"]);
    assert!(!rejects.stdout.contains("\"main\""), "{rejects}");
}

#[test]
fn what_an_applied_transform_never_calls_is_no_reason_to_verify_nothing() {
    let text = format!("{SKIPPING}export function transform(row) {{ return {{ first_name: row.full_name }}; }}\n");
    let project = script("0002_x.js", &text);
    project.ok(&["up"]);
    for unused in ["up", "revert"] {
        project.write("migrations/0002_x.js", format!("{text}export function {unused}(row) {{}}\n"));
        let verified = project.run(&["verify"]);
        assert!(verified.code == 1 && verified.stdout.contains("2 x"), "{verified}");
        assert!(!verified.stderr.contains("cannot be loaded"), "{verified}");
        project.ok(&["repair", "2", "--accept", "--yes"]);
        project.ok(&["verify"]);
        project.ok(&["verify", "--deep"]);
        project.ok(&["rejects", "2", "--retry"]);
        let pending = project.run(&["plan", "-D", "new.db"]);
        assert!(pending.code != 0 && pending.stderr.contains(unused), "{pending}");
    }
}
