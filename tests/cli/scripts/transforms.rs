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
