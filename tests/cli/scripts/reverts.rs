//! Scripts that transform rows, and make of them what they were.

use super::script;
use crate::harness::Project;

const HEAD: &str = "whimbrel: transform = { table = 'customer', read = ['full_name'], write = ['first_name', 'last_name'], down = {} }\n";
const JS: &str = "export function transform({ full_name }) {\n  const [first_name, ...rest] = full_name.trim().split(/\\s+/u);\n  return { first_name, last_name: rest.join(' ') };\n}\n";
const JS_BACK: &str =
    "export function revert({ first_name, last_name }) {\n  return { full_name: `${first_name} ${last_name}` };\n}\n";
const PY: &str = "def transform(row):\n    first, *rest = row['full_name'].split()\n    return {'first_name': first, 'last_name': ' '.join(rest)}\n";
const PY_BACK: &str = "def revert(row, ctx):\n    return {'full_name': row['first_name'] + ' ' + row['last_name'], }\n";

/// Makes a project whose script was applied, and whose names are then lost.
fn applied(file: &str, text: &str) -> Project {
    let project = script(file, text);
    project.ok(&["up"]);
    project.database().execute_batch("UPDATE customer SET full_name = 'lost'").expect("names");
    project
}

#[test]
fn the_function_revert_makes_of_rows_what_they_were() {
    let typed = JS_BACK.replace("last_name })", "last_name }: Record<string, string>)");
    for (file, text) in [
        ("0002_x.js", format!("// {HEAD}{JS}{JS_BACK}")),
        ("0002_x.js", format!("// {HEAD}{JS}{}", JS_BACK.replace("function", "async function"))),
        ("0002_x.ts", format!("// {HEAD}{JS}{typed}")),
        ("0002_x.py", format!("# {HEAD}{PY}{PY_BACK}")),
    ] {
        let project = applied(file, &text);
        project.ok(&["down"]);
        let names =
            "SELECT count(*) FROM customer WHERE full_name IN ('Ada Lovelace', 'Grace Brewster Hopper', 'Plato ')";
        assert_eq!(project.number(names), 3, "{text}");
        assert_eq!(
            project.number("SELECT count(*) FROM _whimbrel_history WHERE kind = 'script' AND state = 'applied'"),
            0
        );
        project.ok(&["up"]);
    }
}

#[test]
fn the_manifest_may_say_which_rows_go_back() {
    let project = script("0002_x.js", &format!("{JS}{JS_BACK}"));
    project.write(
        "migrations/0002_x.toml",
        "[transform]\ntable = 'customer'\nread = ['full_name']\nwrite = ['first_name', 'last_name']\n[transform.down]\nwhere = 'id <> 2'\n",
    );
    project.ok(&["up"]);
    project.database().execute_batch("UPDATE customer SET full_name = 'lost'").expect("names");
    project.ok(&["down"]);
    assert_eq!(project.number("SELECT id FROM customer WHERE full_name = 'lost'"), 2);
}

#[test]
fn a_row_that_cannot_go_back_stops_it() {
    for (file, text, words) in [
        (
            "0002_x.js",
            format!("// {HEAD}{JS}export function revert() {{ return {{}}; }}\n"),
            "revert returned no full_name",
        ),
        ("0002_x.py", format!("# {HEAD}{PY}def revert(row):\n    return {{}}\n"), "revert returned no full_name"),
        (
            "0002_x.js",
            format!(
                "// {HEAD}{JS}export function revert(row) {{ if (row.last_name === '') throw new Error('unknown'); return {{ full_name: 'x' }}; }}\n"
            ),
            "with id 3 cannot be transformed: Error: unknown",
        ),
    ] {
        let project = applied(file, &text);
        let outcome = project.run(&["down"]);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stderr.contains(words), "{outcome}");
        assert_eq!(project.number("SELECT count(*) FROM customer WHERE full_name = 'lost'"), 3);
    }
}

#[test]
fn head_and_revert_have_to_agree() {
    for (file, text, words) in [
        ("0002_x.js", format!("// {HEAD}{JS}"), "its `[transform.down]` wants `export function revert(row) { … }`"),
        ("0002_x.py", format!("# {HEAD}{PY}"), "its `[transform.down]` wants `def revert(row): …`"),
    ] {
        let project = script(file, &text);
        let outcome = project.run(&["up"]);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stderr.contains("the script exports no revert: it exports transform"), "{outcome}");
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
    let silent = applied("0002_x.js", &format!("// {}{JS}", HEAD.replace(", down = {}", "")));
    let outcome = silent.run(&["down"]);
    assert!(outcome.stderr.contains("cannot be reverted: it has no down"), "{outcome}");
}
