//! Scripts: a file in the folder that runs in the sandbox, with no build step.

mod arrays;
mod bad_engines;
mod bad_scripts;
mod interface;
mod objects;
mod other_engine;
mod python;
mod reverts;
mod splitting;
mod strict;
mod templates;
mod transforms;
mod typescript;
mod unread;
mod values;

use insta::assert_snapshot;

use crate::harness::{Outcome, Project};

/// People whose names are to be split.
pub(super) const CUSTOMERS: &str = "
CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT, born INTEGER);
INSERT INTO customer (id, full_name, born) VALUES (1, 'Ada Lovelace', 1815), (2, 'Grace Brewster Hopper', 1906),
    (3, ' Plato ', -428);
";

pub(super) const SPLIT: &str = r#"export function up(db) {
  for (const row of db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL")) {
    const [first, ...rest] = row.full_name.trim().split(/\s+/u);
    db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", [first, rest.join(" "), row.id]);
  }
}
export function down(db) {
  db.execute("UPDATE customer SET first_name = NULL, last_name = NULL");
}
"#;

/// Makes a project whose second migration is a script.
pub(super) fn script(name: &str, text: &str) -> Project {
    Project::with(&[("0001_customers.sql", CUSTOMERS), (name, text)])
}

/// Applies a script of this text, which fails, and returns what the program said.
pub(super) fn fails(text: &str) -> Outcome {
    let project = script("0002_x.js", text);
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 1, "{outcome}");
    outcome
}

/// Runs the body of `up` and returns what it logs.
pub(super) fn logs(body: &str) -> Vec<String> {
    let project = script("0002_x.js", &format!("export function up(db, ctx) {{\n{body}\n}}\n"));
    let outcome = project.ok(&["up", "--json"]);
    let json = outcome.json("up");
    let lines = json["steps"][1]["logs"].as_array().or(json["logs"].as_array()).unwrap_or_else(|| panic!("{outcome}"));
    lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_script_runs_reverts_and_is_recorded() {
    let project = script("0002_split_names.js", SPLIT);
    project.ok(&["up"]);
    assert_eq!(
        project.number("SELECT count(*) FROM customer WHERE first_name = 'Grace' AND last_name = 'Brewster Hopper'"),
        1
    );
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'Plato' AND last_name = ''"), 1);
    let row = |column: &str| -> String {
        let sql = format!("SELECT {column} FROM _whimbrel_history WHERE version = '2'");
        project.database().query_row(&sql, [], |row| row.get(0)).expect("row")
    };
    assert_eq!(row("kind"), "script");
    assert_eq!(row("checksum"), whimbrel::model::Checksum::of(SPLIT.as_bytes()).to_string());
    let engines = project.ok(&["engines", "--json"]).json("engines");
    let engine = &engines["engines"][0];
    let recorded = row("engine");
    let words: Vec<&str> = recorded.split(' ').collect();
    assert_eq!(
        words,
        [&engine["engine"], &engine["version"], &engine["sha256"]].map(|word| word.as_str().expect("text"))
    );
    let status = project.ok(&["status"]);
    assert!(status.stdout.contains("Engine") && status.stdout.contains("quickjs "), "{status}");
    project.ok(&["down"]);
    assert_eq!(project.number("SELECT count(first_name) FROM customer"), 0);
}

#[test]
fn another_engine_does_not_make_an_applied_script_changed() {
    let project = script("0002_split_names.js", SPLIT);
    project.ok(&["up"]);
    project.database().execute("UPDATE _whimbrel_history SET engine = 'quickjs 0.0.1 00'", []).expect("update");
    assert!(project.ok(&["status"]).stdout.contains("quickjs 0.0.1 00"));
    project.ok(&["verify"]);
    project.ok(&["up"]);
    project.write("migrations/0002_split_names.js", SPLIT.replace('\n', "\r\n"));
    project.ok(&["verify"]);
    project.write("migrations/0002_split_names.js", SPLIT.replace("trim", "normalize"));
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("was changed after it was applied"), "{outcome}");
}

#[test]
fn a_script_prints_its_error_as_sql_does() {
    let text = "import { first } from './names.js';\n\nexport function up(db) {\n  log.info(first(null));\n}\n";
    let project = script("0002_x.js", text);
    project.write("migrations/names.js", "export function first(name) {\n  return name.trim();\n}\n");
    assert_snapshot!(project.run(&["up"]), @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: TypeError: cannot read property 'trim' of null
      backtrace:
         0: first (migrations/names.js:2:10)
         1: up (migrations/0002_x.js:4:18)
     --> migrations/names.js:2:10
      |
    2 |   return name.trim();
      |          ^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    ");
}

#[test]
fn a_dry_run_shows_what_a_script_does() {
    let project = script("0002_split_names.js", SPLIT);
    project.ok(&["up", "--to", "1"]);
    project.unchanged(|| {
        let outcome = project.ok(&["up", "--dry-run"]);
        assert!(outcome.stdout.contains("rows of customer: 3 updated"), "{outcome}");
    });
}

#[test]
fn grants_and_limits_hold_scripts() {
    let head = "// whimbrel: grants = { read = [\"customer(id)\"] }\n";
    let refused = fails(&format!("{head}{SPLIT}"));
    assert!(refused.stderr.contains("not granted"), "{refused}");
    let asks = script("0002_x.js", &format!("{head}{SPLIT}")).ok(&["plan"]);
    assert!(asks.stdout.contains("customer(id)"), "{asks}");
    let limited = fails(
        "// whimbrel: limits = { statements = 10 }\nexport function up(db) { for (let i = 0; i < 20; i++) db.execute('SELECT 1'); }\n",
    );
    assert!(limited.stderr.contains("statements limit of 10"), "{limited}");
}

#[test]
fn scripts_are_deterministic() {
    let text = "export function up(db) {\n  for (let i = 0; i < 3; i++) db.execute('UPDATE customer SET born = ?', \
                [Math.floor(Math.random() * 1e9) + Date.now() + new Date().getTimezoneOffset()]);\n}\n";
    script("0002_x.js", text).ok(&["test"]);
    let [first, second] = [0, 1].map(|_| logs("log.info(Math.random(), Math.random());"));
    assert_eq!(first, second);
    let numbers: Vec<f64> = first[0].split(' ').map(|number| number.parse().expect("a number")).collect();
    assert!(numbers[0] != numbers[1] && numbers.iter().all(|number| (0.0..1.0).contains(number)), "{numbers:?}");
    assert_eq!(logs("log.info(Date.now() === ctx.startedAt, ctx.startedAt > 1.7e12);"), ["true true"]);
}

#[test]
fn nothing_is_left_over_from_one_run_to_the_next() {
    let text =
        "globalThis.count = (globalThis.count ?? 0) + 1;\nexport function up() { log.info(globalThis.count); }\n";
    let project = Project::with(&[("0001_a.js", text), ("0002_b.js", text)]);
    let json = project.ok(&["up", "--json"]).stdout;
    assert_eq!(json.matches("\"message\": \"1\"").count(), 2, "{json}");
}

#[test]
fn imports_are_files_of_the_folder_and_count_in_the_checksum() {
    let text = "import { split } from './lib/names.js';\nexport function up(db) {\n  db.execute('UPDATE customer SET first_name = ?', [split('a b')[0]]);\n}\n";
    let project = script("0002_x.js", text);
    project.write(
        "migrations/lib/names.js",
        "import { blank } from '../blank.js';\nexport const split = (name) => name.split(blank);\n",
    );
    project.write("migrations/blank.js", "export const blank = /\\s/;\n");
    project.write("migrations/unused.js", "syntax error");
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'a'"), 3);
    project.write("migrations/unused.js", "another syntax error");
    project.ok(&["verify"]);
    project.write("migrations/blank.js", "export const blank = / /;\n");
    assert_eq!(project.run(&["verify"]).code, 1);
}

#[test]
fn typescript_needs_no_build_step() {
    let text = r#"import { type Name, split } from "./names.ts";
interface Customer { id: number; full_name: string }
enum Kind { One = 1, Two }
export function up(db: Database): void {
  for (const row of db.query("SELECT id, full_name FROM customer") as Iterable<Customer>) {
    const { first, last }: Name = split(row.full_name!);
    db.execute("UPDATE customer SET first_name = ?, last_name = ?, born = ? WHERE id = ?", [first, last, Kind.Two, row.id]);
  }
}
"#;
    let project = script("0002_x.ts", text);
    let names = "export type Name = { first: string; last: string };\nexport function split(name: string): Name {\n  const [first, ...rest] = name.trim().split(/\\s+/u);\n  return { first, last: rest.join(' ') } satisfies Name;\n}\n";
    project.write("migrations/names.ts", names);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'Ada' AND born = 2"), 1);
    let broken = script("0002_x.ts", "export function up(db: any) {\n  const a: number = ;\n}\n").run(&["plan"]);
    assert!(broken.code == 1 && broken.stderr.contains("0002_x.ts:2:"), "{broken}");
    let throws =
        script("0002_x.ts", "type A = string;\n\nexport function up(db: any): void {\n  throw new Error('no');\n}\n")
            .run(&["up"]);
    assert!(throws.stderr.contains("0002_x.ts:4:"), "{throws}");
}
