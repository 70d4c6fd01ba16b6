//! Python scripts that are pure functions from rows to rows.

use super::fails;
use crate::cli::scripts::{CUSTOMERS, script};
use crate::harness::Project;

const HEAD: &str =
    "# whimbrel: transform = { table = 'customer', read = ['full_name'], write = ['first_name', 'last_name'] }\n";
const INTO: &str = "# whimbrel: transform = { table = 'customer', read = ['id', 'full_name'], write = ['customer', 'part'], into = 'part' }\n";

/// Makes a project whose script fills another table.
fn into_parts(text: &str) -> Project {
    let schema = format!("{CUSTOMERS}CREATE TABLE part (customer INTEGER, part TEXT);\n");
    Project::with(&[("0001_customers.sql", &schema), ("0002_x.py", &format!("{INTO}{text}"))])
}

#[test]
fn a_script_maps_rows_and_says_which_it_cannot() {
    let split = "def transform(row):\n    first, *rest = row['full_name'].split()\n    return {'first_name': first, 'last_name': ' '.join(rest)}\n";
    let project = script("0002_x.py", &format!("{HEAD}{split}"));
    project.ok(&["up", "--to", "1"]);
    let rows = "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 3009) INSERT INTO customer (id, full_name) SELECT i, 'First' || i || ' Last' FROM n";
    project.database().execute_batch(rows).expect("rows");
    let preview = project.ok(&["preview", "2"]);
    assert!(preview.stdout.contains("Brewster Hopper"), "{preview}");
    project.ok(&["up"]);
    assert_eq!(
        project.number("SELECT count(*) FROM customer WHERE last_name = 'Last' AND first_name = 'First' || id"),
        3000
    );
    for (returned, words) in [
        ("None", "transform returned nothing: return a dict of first_name, last_name"),
        ("7", "transform returned an int"),
        ("{'first_name': 'a'}", "transform returned no last_name"),
        ("('a',)", "transform returned 1 values"),
        ("('a', {})", "last_name of what transform returned is a dict"),
        ("row['nobody']", "with id 1 cannot be transformed: KeyError: nobody (0002_x.py:3:12)"),
    ] {
        let outcome = fails(&format!("{HEAD}def transform(row, ctx):\n    return {returned}\n"));
        assert!(outcome.stderr.contains(words), "{returned}: {outcome}");
    }
}

#[test]
fn rows_go_into_another_table_none_one_or_many() {
    let text = "def transform(row):\n    if row['id'] == 1:\n        return None\n    if row['id'] == 3:\n        return row['id'], row['full_name'].strip()\n    return [{'customer': row['id'], 'part': part} for part in row['full_name'].split()]\n";
    let project = into_parts(text);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM part"), 4);
    assert_eq!(project.number("SELECT count(*) FROM part WHERE customer = 3 AND part = 'Plato'"), 1);
}

/// Names that the script has for itself do not get in the way.
const SHADOWS: &str = "dict = list = isinstance = None\n";

#[test]
fn a_dict_or_list_that_is_returned_again_keeps_what_each_row_put_into_it() {
    for text in [
        "last = {}\ndef transform(row):\n    last['first_name'], *rest = row['full_name'].split()\n    last['last_name'] = ' '.join(rest)\n    return last\n",
        "last = [None, None]\ndef transform(row):\n    last[0], *rest = row['full_name'].split()\n    last[1] = ' '.join(rest)\n    return last\n",
        "from collections import defaultdict\nlast = defaultdict(str)\ndef transform(row):\n    last['first_name'], *rest = row['full_name'].split()\n    last['last_name'] = ' '.join(rest)\n    return last\n",
    ] {
        let project = script("0002_x.py", &format!("{HEAD}{SHADOWS}{text}"));
        project.ok(&["up"]);
        let kept = "SELECT count(*) FROM customer WHERE trim(first_name || ' ' || last_name) = trim(full_name)";
        assert_eq!(project.number(kept), 3, "{text}");
    }
    let constant = "none = {'first_name': 'a', 'last_name': None}\ndef transform(row):\n    return none\n";
    let project = script("0002_x.py", &format!("{HEAD}{constant}"));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'a' AND last_name IS NULL"), 3);
}

#[test]
fn rows_for_another_table_that_are_returned_again_keep_what_they_held() {
    for row in ["{'customer': 0, 'part': ''}", "[0, '']"] {
        let (id, name) = if row.starts_with('{') { ("'customer'", "'part'") } else { ("0", "1") };
        let text = format!(
            "row_out = {row}\nout = [row_out]\ndef transform(row):\n    row_out[{id}] = row['id']\n    row_out[{name}] = row['full_name']\n    return out\n"
        );
        let project = into_parts(&text);
        project.ok(&["up"]);
        assert_eq!(
            project.number("SELECT count(DISTINCT id) FROM part JOIN customer ON id = customer AND part = full_name"),
            3
        );
    }
}

#[test]
fn too_little_memory_is_no_fault_of_a_row() {
    let skipping = HEAD.replace(" }", ", on_error = 'skip' }");
    let head = format!("{skipping}# whimbrel: limits = {{ memory = '64MiB' }}\n");
    let body = "    all = []\n    while row['full_name'].startswith('Grace'):\n        all.append([1, 2])\n    return ('x', None)\n";
    let outcome = fails(&format!("{head}def transform(row):\n{body}"));
    assert!(outcome.stderr.contains("caused by: MemoryError"), "{outcome}");
    assert!(outcome.stderr.contains("0002_x.py:") && outcome.stderr.contains("raise `memory`"), "{outcome}");
    let deep = "def deeper():\n    return deeper() + 1\ndef transform(row):\n    if row['full_name'].startswith('Grace'):\n        deeper()\n    return ('x', None)\n";
    let project = script("0002_x.py", &format!("{skipping}{deep}"));
    assert_eq!(project.run(&["up"]).code, 5);
    assert!(project.ok(&["rejects", "2"]).stdout.contains("RecursionError"));
}
