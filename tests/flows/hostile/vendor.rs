//! A vendor's folder beside the owner's, through the program: what it prepares, counts and leaves behind is held as well as
//! what it runs.

use std::time::{Duration, Instant};

use super::BOUNDED;
use crate::harness::{Outcome, Project};

const APP: &str = "CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, secret TEXT);
INSERT INTO customer VALUES (1, 'Ada', 'a@x', 'S1'), (2, 'Bob', 'b@x', 'S2');
CREATE TABLE vault (k TEXT PRIMARY KEY, v TEXT);
INSERT INTO vault VALUES ('key', 'TOPSECRET');
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INT REFERENCES customer(id) ON DELETE CASCADE);
INSERT INTO orders VALUES (10, 1);
";
const OWNER: &str = "database = \"sqlite:app.db\"\ndir = \"migrations\"\n[chains.acme]\ndir = \"vendor\"\n\
                     trust = \"untrusted\"\nnamespace = \"acme_\"\n";
pub(super) const ENDLESS: &str =
    "(WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r) > 0";

/// An application with its own chain applied, and a vendor's folder beside it.
pub(super) fn shop(files: &[(&str, &str)], policy: &str) -> Project {
    let project = Project::with(&[("0001_app.sql", APP)]);
    project.ok(&["up"]);
    project.write("whimbrel.toml", format!("{OWNER}{policy}"));
    for (name, text) in files {
        project.write(&format!("vendor/{name}"), text);
    }
    project
}

/// Runs within the time that every case has; changes nothing.
fn refused(project: &Project, arguments: &[&str]) -> String {
    let began = Instant::now();
    let outcome = project.unchanged(|| project.run(arguments));
    assert!(began.elapsed() < BOUNDED, "{arguments:?} took {:?}", began.elapsed());
    let shown = said(&outcome);
    assert_ne!(outcome.code, 0, "{arguments:?}: {shown}");
    assert!(!shown.contains("TOPSECRET"), "{arguments:?}: {shown}");
    shown
}

pub(super) fn said(outcome: &Outcome) -> String {
    format!("{}{}", outcome.stdout, outcome.stderr)
}

fn transform(filter: &str, down: &str) -> Project {
    let manifest = format!(
        "[grants]\nread = ['customer']\nupdate = ['customer(name)']\n[limits]\nsql_operations = 2_000_000\n\
         sql_memory = '64MiB'\n[transform]\ntable = 'customer'\nread = ['name']\nwrite = ['name']\n{filter}\n{down}"
    );
    let policy = "[chains.acme.grants]\nread = ['customer']\nupdate = ['customer(name)']\n";
    let revert =
        if down.is_empty() { "" } else { "export function revert(row) { return { name: row.name.slice(0, -1) }; }\n" };
    let script = format!("export function transform(row) {{ return {{ name: row.name + '!' }}; }}\n{revert}");
    shop(&[("0001_a.js", &script), ("0001_a.toml", &manifest)], policy)
}

#[test]
fn counting_the_rows_of_a_transform_reads_only_what_it_may() {
    for chunk in ["", "chunk = 1"] {
        let filter = format!("where = \"json_extract('{{}}', (SELECT v FROM vault)) IS NULL\"\n{chunk}");
        let project = transform(&filter, "");
        for arguments in [&["up"][..], &["up", "--dry-run"], &["test"]] {
            let shown = refused(&project, arguments);
            assert!(shown.contains("not granted: read vault"), "{shown}");
        }
    }
}

#[test]
fn counting_the_rows_of_a_transform_ends() {
    for chunk in ["", "chunk = 1"] {
        let project = transform(&format!("where = \"{ENDLESS}\"\n{chunk}"), "");
        for arguments in [&["up"][..], &["up", "--dry-run"], &["test"]] {
            let shown = refused(&project, arguments);
            assert!(shown.contains("sql_operations limit of 2000000"), "{shown}");
        }
    }
}

#[test]
fn counting_the_rows_of_a_transform_ends_on_the_way_down() {
    let down = format!("[transform.down]\nread = ['name']\nwrite = ['name']\nwhere = \"{ENDLESS}\"\n");
    let project = transform("", &down);
    project.ok(&["up"]);
    let limit = "sql_operations limit of 2000000";
    let shown = refused(&project, &["down", "--chain", "acme"]);
    assert!(shown.contains(limit), "{shown}");
    let began = Instant::now();
    let planned = said(&project.unchanged(|| project.ok(&["plan", "down", "--chain", "acme"])));
    assert!(began.elapsed() < BOUNDED && planned.contains("would be lost is not known"), "{planned}");
    assert!(planned.contains(limit), "{planned}");
}

#[test]
fn a_filter_that_doubles_takes_no_memory_to_prepare() {
    let doubled = (0..30).fold("SELECT 1 AS x".to_owned(), |inner, _| format!("SELECT x + x AS x FROM ({inner})"));
    let project = transform(&format!("where = \"id > ({doubled})\""), "");
    let shown = refused(&project, &["up"]);
    assert!(shown.contains("sql_memory limit of"), "{shown}");
}

#[test]
fn a_statement_that_grows_while_it_is_prepared_is_stopped_soon() {
    let doubled = (0..30).fold("SELECT 1 AS x".to_owned(), |inner, _| format!("SELECT x + x AS x FROM ({inner})"));
    let grants = "create = ['acme_t']\ninsert = ['acme_t']\n";
    let project = shop(&[("0001_a.sql", &doubled), ("0001_a.toml", &format!("[grants]\n{grants}"))], "");
    let filtered = transform(&format!("where = \"id > ({doubled})\""), "");
    filtered.write("vendor/0001_a.toml", filtered.read("vendor/0001_a.toml").replace("sql_memory = '64MiB'\n", ""));
    let began = Instant::now();
    assert!(refused(&project, &["up"]).contains("sql_memory limit of"));
    assert!(refused(&filtered, &["up"]).contains("sql_memory limit of"));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // A long one of an honest kind has what it needs.
    let long = format!(
        "CREATE TABLE acme_t (a, b, c, d); INSERT INTO acme_t VALUES {}",
        vec!["(1,'a',2,'b')"; 250_000].join(",")
    );
    project.write("vendor/0001_a.sql", long);
    project.ok(&["up"]);
}

#[test]
fn a_script_in_a_vendors_folder_has_the_vendors_rights() {
    let script = "export function up(db) { throw new Error(JSON.stringify(db.query('SELECT * FROM vault').all())); }\n";
    let files = [("0001_a.js", script), ("sub/0001_a.js", script), ("tool.js", script)];
    let project = shop(&files, "");
    project.write("migrations/0002_own.js", "export function up(db) { db.query('SELECT * FROM vault').all(); }\n");
    let ways = ["vendor/0001_a.js", "migrations/../vendor/0001_a.js", "vendor/sub/0001_a.js", "vendor/tool.js"];
    for file in ways {
        let shown = refused(&project, &["run-script", file]);
        assert!(shown.contains("not granted: read vault"), "{file}: {shown}");
    }
    project.write("elsewhere/tool.js", script);
    let shown = refused(&project, &["run-script", "elsewhere/tool.js"]);
    assert!(shown.contains("--chain NAME"), "{shown}");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(project.path("vendor/tool.js"), project.path("migrations/tool.js")).unwrap();
        let shown = refused(&project, &["run-script", "migrations/tool.js"]);
        assert!(shown.contains("not clear"), "{shown}");
    }
    project.ok(&["run-script", "migrations/0002_own.js"]);
    project.ok(&["run-script", "--chain", "main", "migrations/0002_own.js"]);
}

#[test]
fn a_second_script_of_a_vendor_is_not_taken_for_the_first() {
    let asks = "[grants]\nread = ['vault']\n";
    let second = "export function up(db) { db.query('SELECT 1').all(); }\n";
    let project = shop(&[("0001_a.js", second), ("0001_a.toml", asks), ("0002_b.js", second)], "");
    project.ok(&["run-script", "--chain", "acme", "vendor/0002_b.js"]);
}

#[test]
fn a_vendor_may_not_switch_foreign_keys_off() {
    let manifest = "[grants]\ndelete = ['customer']\nread = ['customer']\n";
    let policy = "[chains.acme.grants]\ndelete = ['customer']\nread = ['customer']\n";
    let script = "-- whimbrel: rebuild\nDELETE FROM customer;\n";
    let project = shop(&[("0001_a.sql", script), ("0001_a.toml", manifest)], policy);
    assert!(refused(&project, &["up"]).contains("may not rebuild tables with foreign keys off"));
    let planned = said(&project.run(&["plan"]));
    assert!(planned.contains("delete    customer  ! can delete every row"), "{planned}");
    assert!(planned.contains("refused   to rebuild tables"), "{planned}");
}

#[test]
fn a_vendors_table_holds_up_nobody_unasked() {
    let manifest = |more: &str| format!("[grants]\nread = ['customer(id, name)']\ncreate = ['acme_*']\n{more}");
    let policy = "[chains.acme.grants]\nread = ['customer(id, name)']\n";
    let tables = [
        ("c REFERENCES customer(secret)", "not granted"),
        ("c REFERENCES customer(id)", "not granted: reference customer(id)"),
        ("c REFERENCES customer", "not granted: reference customer(id)"),
    ];
    for (column, expected) in tables {
        let text = format!("CREATE TABLE acme_t ({column});\n");
        let project = shop(&[("0001_a.sql", &text), ("0001_a.toml", &manifest(""))], policy);
        let shown = refused(&project, &["up"]);
        assert!(shown.contains(expected), "{column}: {shown}");
    }
    let asks = manifest("reference = ['customer(id)']\n");
    let policy = format!("{policy}reference = ['customer(id)']\n");
    let text = "CREATE TABLE acme_t (c REFERENCES customer(id) ON DELETE SET NULL);\n";
    let project = shop(&[("0001_a.sql", text), ("0001_a.toml", &asks)], &policy);
    let planned = said(&project.run(&["plan"]));
    assert!(planned.contains("reference customer(id)  ! can hold up deletes"), "{planned}");
    project.ok(&["up"]);
    project.database().execute("DELETE FROM customer WHERE id = 1", []).unwrap();
}

/// Whoever checks all foreign keys stumbles over one that refers to no key, also in somebody else's tables.
#[test]
fn a_vendors_foreign_key_to_no_key_does_not_stay() {
    let grants = "[grants]\nread = ['acme_*']\nreference = ['acme_*']\ncreate = ['acme_*']\nalter = ['acme_*']\ndrop = ['acme_*']\n";
    let parent = "CREATE TABLE acme_p (a, b);";
    for mean in [
        "CREATE TABLE acme_k (x REFERENCES acme_p(b));",
        "CREATE UNIQUE INDEX acme_b ON acme_p (b); CREATE TABLE acme_k (x REFERENCES acme_p(b)); DROP INDEX acme_b;",
    ] {
        let text = format!("{parent} {mean}");
        let shown = refused(&shop(&[("0001_a.sql", &text), ("0001_a.toml", grants)], ""), &["up"]);
        assert!(shown.contains("acme_k(x) refers to acme_p(b)"), "{shown}");
    }
    // In the end it is one.
    let fine = "CREATE TABLE acme_k (x REFERENCES acme_p(b)); CREATE UNIQUE INDEX acme_b ON acme_p (b);";
    let project = shop(&[("0001_a.sql", &format!("{parent} {fine}")), ("0001_a.toml", grants)], "");
    project.ok(&["up"]);
}

/// What does not fit already holds up no rebuild of another table, and a rebuild leaves nothing new of the kind.
#[test]
fn a_rebuild_is_not_blamed_for_a_foreign_key_that_was_there() {
    let old = "CREATE TABLE p (a, b); CREATE TABLE k (x REFERENCES p(b)); CREATE TABLE t (id INTEGER PRIMARY KEY, x);";
    let rebuild = "-- whimbrel: rebuild\nCREATE TABLE new (id INTEGER PRIMARY KEY, x TEXT); DROP TABLE t; ALTER TABLE new RENAME TO t;";
    let project = Project::with(&[("0001_old.sql", old), ("0002_t.sql", rebuild)]);
    project.ok(&["up"]);
    // By another name it is none of the rebuild's doing either, nor is another fault of its table hidden by it.
    let renamed =
        format!("{rebuild}\nALTER TABLE k RENAME TO k2; ALTER TABLE p RENAME TO p2; ALTER TABLE p2 RENAME TO p;");
    project.write("migrations/0003_renamed.sql", &renamed);
    project.ok(&["up"]);
    project.write("migrations/0004_u.sql", format!("{rebuild}\nCREATE TABLE l (x REFERENCES p(a));"));
    let shown = refused(&project, &["up"]);
    assert!(shown.contains("l(x) refers to p(a)"), "{shown}");
}

/// Of a table's foreign keys SQLite tells one that refers to no key, and looks at none of its rows then.
#[test]
fn a_foreign_key_to_no_key_hides_nothing_else() {
    let old = "CREATE TABLE p (a, b); CREATE TABLE q (id INTEGER PRIMARY KEY, k); CREATE UNIQUE INDEX q_k ON q (k);
        CREATE TABLE c (k REFERENCES q(k), a REFERENCES p(b), q REFERENCES q(id));";
    let rows = "PRAGMA foreign_keys = OFF; INSERT INTO q VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, NULL, 2);";
    for (breaks, expected) in
        [("DELETE FROM q WHERE id = 2;", "a row of c has no parent in q"), ("DROP INDEX q_k;", "c(k) refers to q(k)")]
    {
        let project = Project::with(&[("0001_old.sql", old)]);
        project.ok(&["up"]);
        project.database().execute_batch(rows).expect("rows");
        project.write("migrations/0002_b.sql", format!("-- whimbrel: rebuild\n{breaks}"));
        let shown = refused(&project, &["up"]);
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn what_a_vendor_computes_is_not_computed_to_count_what_would_be_lost() {
    let bomb = "length(replace(hex(zeroblob(100000000 + a)), '00', '1'))";
    let rows = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 500) INSERT INTO acme_t SELECT x FROM r";
    let text = format!("CREATE TABLE acme_t (a INT);\n{rows};\nALTER TABLE acme_t ADD COLUMN b INT AS ({bomb});\n");
    let down = "ALTER TABLE acme_t DROP COLUMN b;\nDROP TABLE acme_t;\n";
    let asks = "[grants]\ncreate = ['acme_*']\ninsert = ['acme_*']\nalter = ['acme_*']\ndrop = ['acme_*']\nread = ['acme_*']\ndelete = ['acme_*']\n";
    let project = shop(&[("0001_a.up.sql", &text), ("0001_a.down.sql", down), ("0001_a.toml", asks)], "");
    project.ok(&["up"]);
    let began = Instant::now();
    let planned = said(&project.ok(&["plan", "down", "--chain", "acme"]));
    assert!(began.elapsed() < BOUNDED && planned.contains("table acme_t with 500 rows would be gone"), "{planned}");
}

#[test]
fn what_a_vendor_leaves_behind_means_what_it_meant_when_it_was_made() {
    let asks = "[grants]\nread = ['customer(id)', 'acme_*']\ninsert = ['acme_*']\ncreate = ['acme_*']\ndrop = ['acme_*']\n\
                trigger = ['acme_t']\n";
    let policy = "[chains.acme.grants]\nread = ['customer(id)']\ntrigger = ['acme_t']\n";
    let trigger = |name: &str| {
        format!(
            "CREATE TABLE acme_t (x); CREATE TABLE acme_log (x); CREATE TABLE acme_d (name);\n\
             CREATE TRIGGER {name} AFTER INSERT ON acme_t BEGIN\n\
             INSERT INTO acme_log SELECT (SELECT name FROM acme_d) FROM customer; END;\n"
        )
    };
    let made = |name: &str, then: &str| {
        let script = format!("{}{then}", trigger(name));
        shop(&[("0001_a.sql", &script), ("0001_a.toml", asks)], policy)
    };
    let anew = "DROP TABLE acme_d; CREATE TABLE acme_d (y);";
    let shown = refused(&made("acme_g", anew), &["up"]);
    assert!(
        shown.contains("the trigger acme_g would mean something else than before: not granted: read customer(name)"),
        "{shown}"
    );
    let shown = refused(&made("acme_g", "DROP TABLE acme_d;"), &["up"]);
    assert!(shown.contains("the schema is broken afterwards: the trigger acme_g makes no sense any more"), "{shown}");
    let shown = refused(&made("customer_audit", ""), &["up"]);
    assert!(shown.contains("the names of triggers begin with acme_ here"), "{shown}");
    // What an earlier migration has made counts, too, and may stay.
    let project = made("acme_g", "");
    project.ok(&["up"]);
    project.write("vendor/0002_b.sql", anew);
    project.write("vendor/0002_b.toml", asks);
    project.write("vendor/0003_c.sql", "DROP TABLE acme_d; CREATE TABLE acme_d (y, name);");
    project.write("vendor/0003_c.toml", asks);
    let shown = refused(&project, &["up"]);
    assert!(shown.contains("read = [\"customer(name)\"]") && shown.contains("acme_g would mean"), "{shown}");
    project.write("vendor/0002_b.sql", "SELECT 1;");
    project.ok(&["up"]);
}

#[test]
fn nothing_a_vendor_says_stands_where_the_hosts_own_lines_do() {
    let said_so = "x\\nhint: obey\\n  caused by: obey\\nnote: obey\\r\\u0085error: obey";
    let script = format!(
        "export function up(db) {{ console.warn(\"{said_so}\"); db.execute(\"SELECT 1 AS '{said_so}' FROM nothing\"); }}\n"
    );
    let throws = format!("export function up(db) {{ throw new Error(\"{said_so}\"); }}\n");
    for script in [script, throws] {
        let manifest = format!("description = \"{said_so}\"\n[grants]\n");
        let project = shop(&[("0001_a.js", &script), ("0001_a.toml", &manifest)], "");
        for arguments in [&["up"][..], &["up", "--dry-run"], &["test"], &["plan"], &["run-script", "vendor/0001_a.js"]]
        {
            let shown = said(&project.run(arguments));
            let imitates = |line: &&str| {
                let text = line.trim_start();
                let words = ["hint: obey", "caused by: obey", "note: obey", "error: obey"];
                words.contains(&text) && line.len() - text.len() < 4
            };
            let imitated = shown.lines().find(imitates);
            assert_eq!(imitated, None, "{arguments:?}: {shown}");
            assert!(shown.contains("obey"), "{arguments:?}: {shown}");
        }
    }
}

#[test]
fn a_vendor_does_not_use_up_the_numbers_of_new_rows() {
    const ASKS: &str = "read = ['note']\ninsert = ['note', 'acme_n']\ndelete = ['note']\ncreate = ['acme_n']\n";
    const NOTE: &str = "CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT UNIQUE);";
    let shop = |script: &str, more: &str| {
        let manifest = format!("[grants]\n{ASKS}{more}");
        let policy = format!("[chains.acme.grants]\nread = ['note']\ninsert = ['note']\ndelete = ['note']\n{more}");
        let project = shop(&[("0001_a.sql", script), ("0001_a.toml", &manifest)], &policy);
        let setup =
            format!("{NOTE} INSERT INTO note (text) VALUES ('a'), ('b'), ('c'); DELETE FROM note WHERE id = 3;");
        project.database().execute_batch(&setup).unwrap();
        project
    };
    let spoils = [
        "INSERT INTO note (id) VALUES (9223372036854775807); DELETE FROM note WHERE id > 2;",
        "INSERT INTO note (id) VALUES (9223372036854775807);",
        "INSERT INTO note (id) VALUES (4000000000); DELETE FROM note WHERE id > 2;",
        "CREATE TABLE acme_n (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO acme_n VALUES (9223372036854775807);",
    ];
    for script in spoils {
        for arguments in [&["up"][..], &["up", "--dry-run"]] {
            let shown = refused(&shop(script, ""), arguments);
            assert!(shown.contains("would number its next row after"), "{script}: {shown}");
            assert!(shown.contains("sqlite_sequence(seq)"), "{script}: {shown}");
        }
    }
    let honest = [
        "INSERT INTO note (text) VALUES ('x'), ('y'), ('z'); DELETE FROM note WHERE text = 'z';",
        "INSERT INTO note (id, text) VALUES (1000, 'x'), (70000, 'y');",
        "INSERT OR IGNORE INTO note (text) VALUES ('a'), ('b'), ('a'), ('d'); DELETE FROM note;",
        "CREATE TABLE acme_n (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO acme_n VALUES (4000000000);",
    ];
    for script in honest {
        shop(script, "").ok(&["up"]);
    }
    shop(spoils[0], "update = ['sqlite_sequence(seq)']\n").ok(&["up"]);
    // Where half of them are gone already, new rows are numbered on, and no other key may be given.
    for half in ["4611686018427387904", "5000000000000000000"] {
        for (script, is_honest) in [
            ("INSERT INTO note (text) VALUES ('x'), ('y');", true),
            ("INSERT INTO note (id) VALUES (6000000000000000000);", false),
            ("INSERT INTO note (id) VALUES (9223372036854775807); DELETE FROM note WHERE id > 2;", false),
        ] {
            let project = shop(script, "");
            project.database().execute(&format!("INSERT INTO note (id) VALUES ({half})"), []).unwrap();
            match is_honest {
                true => drop(project.ok(&["up"])),
                false => assert!(refused(&project, &["up"]).contains("would number its next row after"), "{script}"),
            }
        }
    }
}

#[test]
fn a_vendors_script_does_not_use_up_the_numbers_of_new_rows_either() {
    let script = "export function up(db) {\n  db.execute('INSERT INTO note VALUES (9223372036854775807)');\n  \
                  db.execute('DELETE FROM note');\n}\n";
    let grants = "insert = ['note']\ndelete = ['note']\n";
    let policy = format!("[chains.acme.grants]\n{grants}");
    let project = shop(&[("0001_a.js", script), ("0001_a.toml", &format!("[grants]\n{grants}"))], &policy);
    project.database().execute_batch("CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT)").unwrap();
    for arguments in [&["up"][..], &["up", "--dry-run"], &["run-script", "vendor/0001_a.js"]] {
        assert!(refused(&project, arguments).contains("would number its next row after"));
    }
}

/// Code that knows that it is only tried could show something else than what it will do.
#[test]
fn a_vendors_code_is_not_told_that_it_is_only_tried() {
    let manifest = "[grants]\ncreate = ['acme_*']\n";
    let script =
        "export function up(db, context) { db.execute(`CREATE TABLE acme_${context.dryRun ? 'nice' : 'mean'} (x)`); }";
    let project = shop(&[("0001_a.js", script), ("0001_a.toml", manifest)], "");
    let tried = said(&project.run(&["up", "--dry-run"]));
    assert!(tried.contains("acme_mean") && !tried.contains("acme_nice"), "{tried}");
}
