//! What JavaScript leaves undone without a word: generators, iterators and queries that nobody reads.

use insta::assert_snapshot;

use super::{fails, logs, script};

const DELETES: &str = "db.execute('DELETE FROM customer')";

#[test]
fn a_generator_is_refused_before_anything_runs() {
    let text = format!("// one\nexport async function* up(db) {{\n  {DELETES};\n}}\n");
    assert_snapshot!(script("0002_x.js", &text).run(&["plan"]), @r"
    exit 1
    --- stderr
    error: migration 2 x cannot be loaded (migrations/0002_x.js)
      caused by: the export up is a generator, and a call runs nothing of one: write `export function up(…)` without the star, and give a generator that it uses another name
     --> migrations/0002_x.js:2:8
      |
    2 | export async function* up(db) {
      |        ^^^^^
    ");
    let up = "export function up() {}\n";
    for (text, place) in [
        ("export const up = function* (db) {};".to_owned(), "0002_x.js:1:18"),
        ("function* gen(db) {}\nexport { gen as up };".to_owned(), "0002_x.js:1:1"),
        ("const one = 1, gen = async function* () {};\nexport { one, gen as up };".to_owned(), "0002_x.js:1:21"),
        (format!("{up}export function* verify() {{}}"), "0002_x.js:2:8"),
        (format!("{up}export function* down() {{}}"), "0002_x.js:2:8"),
        ("export { up } from './other.js';".to_owned(), "other.js:1:"),
    ] {
        let project = script("0002_x.js", &text);
        project.write("migrations/other.js", "export function* up() {}\n");
        let outcome = project.run(&["plan"]);
        assert!(outcome.code == 1 && outcome.stderr.contains("is a generator"), "{text}: {outcome}");
        assert!(outcome.stderr.contains(place), "{text}: {outcome}");
    }
    let transform = "// whimbrel: transform = { table = \"customer\", read = [\"full_name\"], write = [\"first_name\"] }\n\
                     export function* transform(row) {}\n";
    assert!(script("0002_x.js", transform).run(&["plan"]).stderr.contains("0002_x.js:2:8"));
    let taken = format!(
        "export function* names() {{ yield 'a' }}\nconst gen = function* () {{}};\nlet down = function* () {{}};\ndown = up;\n{up}export {{ gen as other, down }};\n"
    );
    script("0002_x.js", &taken).ok(&["up"]);
}

#[test]
fn a_generator_that_only_running_tells_is_refused_then() {
    let late = fails("let up;\nup = function* () {};\nexport { up };\n");
    assert!(late.stderr.contains("the export up is a generator") && late.stderr.contains("0002_x.js:2:6"), "{late}");
    for returned in [
        &format!("(function* () {{ {DELETES} }})()"),
        &format!("(async function* () {{ {DELETES} }})()"),
        &format!("[1].values().map(() => {DELETES})"),
        "Promise.resolve([].values())",
        "db.query('SELECT 1')",
    ] {
        let outcome = fails(&format!("export const up = (db) => {returned};\n"));
        assert!(outcome.stderr.contains("up returned an iterator, which nobody reads"), "{returned}: {outcome}");
    }
    let verify = fails("export function up() {}\nexport const verify = (db) => db.query('SELECT 1');\n");
    assert!(verify.stderr.contains("verify returned an iterator"), "{verify}");
    let savepoint = fails(&format!("export const up = (db) => db.savepoint(function* () {{ {DELETES} }});\n"));
    assert!(savepoint.stderr.contains("leave the star out"), "{savepoint}");
}

#[test]
fn what_has_a_method_then_is_awaited() {
    let project =
        script("0002_x.js", &format!("export const up = (db) => ({{ then(done) {{ {DELETES}; done() }} }});\n"));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer"), 0);
    let rejected = fails("export const up = () => ({ then(_, no) { no(new Error('late')) } });\n");
    assert!(rejected.stderr.contains("Error: late"), "{rejected}");
    let never = fails("export const up = () => ({ then() {} });\n");
    assert!(never.stderr.contains("never settles"), "{never}");
    let verify = fails("export function up() {}\nexport const verify = () => ({ then(done) { done(false) } });\n");
    assert!(verify.stderr.contains("verify returned false"), "{verify}");
    let transform = "// whimbrel: transform = { table = \"customer\", read = [\"id\"], write = [\"born\"] }\n\
                     export const transform = ({ id }) => ({ then(done) { done({ born: id }) } });\n";
    let project = script("0002_x.js", transform);
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE born = id"), 3);
    let inside =
        "db.savepoint(() => Object.assign(() => {}, { then(done) { db.execute('DELETE FROM customer'); done() } }));";
    assert!(logs(inside).is_empty());
}

#[test]
fn a_query_that_changes_something_runs_whoever_reads_it() {
    let body = "
const count = () => db.query('SELECT count(*) AS n FROM customer').first().n;
db.query(\"INSERT INTO customer (full_name) VALUES ('a')\");
log(count());
db.query(\"INSERT INTO customer (full_name) VALUES ('b'), ('c') returning id\").first();
log(count());
const insert = db.prepare(\"INSERT INTO customer (full_name) VALUES (?) RETURNING full_name AS name\");
log([...insert.query(['d'])][0].name, insert.first(['e']).name);
insert.query(['f']);
log(count());
return db.query('DELETE FROM customer');";
    assert_eq!(logs(body), ["4", "6", "d e", "9"]);
}

#[test]
fn rows_that_are_given_away_and_never_read_are_told() {
    assert_snapshot!(fails("export function up(db) {\n  db.query('SELECT id FROM customer')\n    .map(({ id }) => db.execute('DELETE FROM customer WHERE id = ?', [id]));\n}\n"), @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: Error: nobody reads what .map(…) of a query returns, so that it was never called for a row: write .all().map(…), or for (const row of db.query(…)) { … }
     --> migrations/0002_x.js:3:6
      |
    3 |     .map(({ id }) => db.execute('DELETE FROM customer WHERE id = ?', [id]));
      |      ^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    ");
    let read = "
const query = () => db.query('SELECT id FROM customer ORDER BY id');
log(query().map((row) => row.id).toArray().join(), [...query().filter((row) => row.id > 1).map((row) => row.id)].join());
log(query().map((row) => row.id).next().value, query().flatMap((row) => [row.id, 0]).take(2).toArray().join());
query().map(String).return();";
    assert_eq!(logs(read), ["1,2,3 2,3", "1 1,0"]);
}

#[test]
fn a_query_is_not_taken_for_an_array() {
    let body = "
for (const wrong of [(rows) => rows.length, (rows) => rows[0], (rows) => JSON.stringify({ rows })]) {
  try { wrong(db.query('SELECT 1')); log('taken') } catch (error) { log(String(error)) }
}";
    let told = "TypeError: the rows of a query are no array: db.query(…).all() makes one";
    assert_eq!(logs(body), [format!("{told} (length)"), format!("{told} (0)"), format!("{told} (toJSON)")]);
}
