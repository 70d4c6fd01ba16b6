//! Every rule on a real SQLite: what a statement touches is refused unless it is granted, by whatever way it is reached.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::db::sqlite::with_connection;
use crate::db::{DbError, ErrorCode, OpenOptions, Session};
use crate::grants::{Grants, Restriction};
use crate::interrupt::Interrupt;

const SETUP: &str = "
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT, secret TEXT, age INTEGER,
    shout AS (upper(secret)), louder AS (shout || '!'), CHECK (age < length(secret) OR age IS NULL));
CREATE TABLE account (id INTEGER PRIMARY KEY, customer REFERENCES customer ON DELETE CASCADE, secret TEXT, note TEXT);
CREATE TABLE audit (line TEXT, made TEXT DEFAULT CURRENT_TIMESTAMP, chance DEFAULT (random()));
CREATE TABLE log (line TEXT);
CREATE TABLE keyed (k TEXT UNIQUE ON CONFLICT REPLACE, x);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x);
CREATE INDEX customer_secret ON customer (lower(secret));
CREATE INDEX account_note ON account (note) WHERE secret IS NOT NULL;
CREATE INDEX log_line ON log (line);
CREATE VIEW names AS SELECT id, name FROM customer;
CREATE VIEW hidden AS SELECT * FROM (SELECT secret FROM customer);
CREATE VIEW joined AS SELECT account.id FROM account JOIN customer USING (secret);
CREATE VIEW counts AS WITH c AS (SELECT id FROM customer) SELECT count(*) AS n FROM c;
CREATE TRIGGER log_inserted AFTER INSERT ON log BEGIN INSERT INTO audit (line, made, chance) VALUES (new.line, 1, 1); END;
CREATE TRIGGER account_updated AFTER UPDATE OF note ON account BEGIN INSERT OR REPLACE INTO keyed VALUES (new.note, 1); END;
CREATE VIRTUAL TABLE text USING fts5(body);
CREATE VIRTUAL TABLE place USING rtree(id, low, high);
CREATE TABLE _whimbrel_history (checksum TEXT);
INSERT INTO customer (id, name, email, secret) VALUES (1, 'Ada', 'a@x', 'sesame'), (2, 'Bob', 'b@x', 'open');
INSERT INTO account VALUES (1, 1, 'sesame', 'n'), (2, 2, 'z', 'm');
INSERT INTO text VALUES ('hello world');
INSERT INTO place VALUES (1, 1, 2);
";

fn options() -> OpenOptions {
    OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: true }
}

/// Runs in a transaction on a new database, held to the grants.
fn held<R>(grants: Option<&str>, work: impl FnOnce(&mut dyn Session) -> R) -> R {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SETUP).unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        restrict(session.as_mut(), grants);
        let result = work(session.as_mut());
        session.restrict(None);
        session.rollback().unwrap();
        result
    })
    .unwrap()
}

fn restrict(session: &mut dyn Session, grants: Option<&str>) {
    let grants = grants.map(|text| toml::from_str::<Grants>(text).expect(text));
    let restriction = Restriction { protected: vec!["_whimbrel_history".into(), "_whimbrel_history_schema".into()], grants };
    session.restrict(Some(Arc::new(restriction)));
}

fn run(session: &mut dyn Session, sql: &str) -> Result<u64, DbError> {
    session.execute(sql, &[])
}

/// Returns the grant that a refusal names; nothing when there is none to name.
fn wanted(error: &DbError) -> String {
    assert_eq!(error.code, ErrorCode::Denied, "{error}");
    let named = error.details.iter().find(|(key, _)| key == "grant");
    named.map(|(_, grant)| grant.clone()).unwrap_or_default()
}

/// Finds out, grant by grant, what a statement needs, and that it then runs.
fn needed(sql: &str) -> Vec<String> {
    let mut grants = Grants::default();
    let mut named = Vec::new();
    loop {
        let text = grants.to_toml();
        match held(Some(&text), |session| run(session, sql)) {
            Ok(_) => return named,
            Err(error) => {
                let grant = wanted(&error);
                assert!(!grant.is_empty() && !named.contains(&grant), "{sql}: {error} after {named:?}");
                grants.extend(&toml::from_str(&grant).expect("a line of TOML"));
                named.push(grant);
            }
        }
    }
}

/// Checks what statements need, one short word for each grant: `read customer(id)`.
fn need(cases: &[(&str, &[&str])]) {
    for (sql, expected) in cases {
        let found: Vec<String> =
            needed(sql).iter().map(|grant| grant.replace(" = [\"", " ").replace("\"]", "")).collect();
        let (mut found, mut expected) = (found, expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{sql}");
    }
}

#[test]
fn reads_need_every_column_by_whatever_way() {
    need(&[
        ("SELECT 1", &[]),
        ("SELECT name FROM customer WHERE id = 1", &["read customer(name)", "read customer(id)"]),
        ("SELECT count(*) FROM customer", &["read customer"]),
        ("SELECT 'x' FROM customer, log", &["read customer", "read log"]),
        ("SELECT * FROM log", &["read log(line)"]),
        ("SELECT * FROM names", &["read names(id)", "read names(name)", "read customer(id)", "read customer(name)"]),
        ("SELECT * FROM hidden", &["read hidden(secret)", "read customer(secret)"]),
        ("SELECT n FROM counts", &["read counts(n)", "read customer(id)"]),
        ("WITH c AS (SELECT secret FROM customer) SELECT count(*) FROM c", &["read customer(secret)"]),
        ("WITH c(x) AS (SELECT 1) SELECT count(*) FROM c", &[]),
        ("SELECT (SELECT max(secret) FROM customer)", &["read customer(secret)"]),
        ("SELECT 1 WHERE 'x' IN log", &["read log(line)"]),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM customer WHERE secret = 'x')", &["read customer(secret)"]),
        ("SELECT row_number() OVER (ORDER BY email) FROM customer", &["read customer(email)"]),
        ("SELECT name FROM customer ORDER BY email", &["read customer(name)", "read customer(email)"]),
        ("SELECT rowid FROM log", &["read log(ROWID)"]),
        // The generated column and, through another one, what it is made from.
        ("SELECT shout FROM customer", &["read customer(shout)", "read customer(secret)"]),
        ("SELECT louder FROM customer", &["read customer(louder)", "read customer(shout)", "read customer(secret)"]),
        // SQLite reports nothing at all about these joins.
        ("SELECT 1 FROM account JOIN customer USING (secret)", &["read account(secret)", "read customer(secret)"]),
        (
            "SELECT 1 FROM account NATURAL JOIN customer",
            &["read account(id)", "read account(secret)", "read customer(id)", "read customer(secret)"],
        ),
        (
            "SELECT id FROM joined",
            &["read joined(id)", "read account(id)", "read account(secret)", "read customer(secret)"],
        ),
        ("SELECT lower(secret) FROM customer", &["read customer(secret)"]),
        ("SELECT value FROM json_each('[1, 2]')", &[]),
        ("EXPLAIN SELECT secret FROM customer", &["read customer(secret)"]),
        ("EXPLAIN QUERY PLAN SELECT secret FROM customer", &["read customer(secret)"]),
    ]);
}

#[test]
fn writes_need_what_they_set_off() {
    need(&[
        ("INSERT INTO audit VALUES ('x', 1, 1)", &["insert audit"]),
        ("INSERT INTO log VALUES ('x')", &["insert log", "insert audit", "read log(line)"]),
        ("INSERT INTO audit SELECT secret, 1, 1 FROM customer", &["insert audit", "read customer(secret)"]),
        // That of a default is decided on when it is called.
        ("INSERT INTO audit (line) VALUES ('x')", &["insert audit"]),
        ("UPDATE audit SET line = CURRENT_TIMESTAMP", &["update audit(line)", "functions now"]),
        ("INSERT INTO audit VALUES ('x', 1, 1) RETURNING line", &["insert audit", "read audit(line)"]),
        ("UPDATE customer SET name = 'x'", &["update customer(name)"]),
        ("UPDATE customer SET name = email", &["update customer(name)", "read customer(email)"]),
        ("UPDATE customer SET name = 'x' RETURNING secret", &["update customer(name)", "read customer(secret)"]),
        ("UPDATE audit SET line = c.secret FROM customer AS c", &["update audit(line)", "read customer(secret)", "read audit"]),
        // Whether the CHECK holds tells something about the secret.
        ("UPDATE customer SET age = 3", &["update customer(age)", "read customer(secret)"]),
        ("UPDATE customer SET age = 3, secret = 'long enough'", &["update customer(age)", "update customer(secret)"]),
        (
            "UPDATE account SET note = 'x'",
            &["update account(note)", "insert keyed", "read account(note)", "read account(secret)", "delete keyed"],
        ),
        ("DELETE FROM audit", &["delete audit"]),
        (
            "DELETE FROM customer WHERE name = 'x'",
            &["delete customer", "read customer(name)", "read account(customer)", "delete account", "read customer(id)"],
        ),
        ("INSERT INTO account VALUES (3, 1, 's', 'n')", &["insert account", "read customer(id)"]),
        ("INSERT OR REPLACE INTO audit VALUES (1, 1, 1)", &["insert audit", "delete audit"]),
        ("REPLACE INTO audit VALUES (1, 1, 1)", &["insert audit", "delete audit"]),
        ("UPDATE OR REPLACE audit SET line = 1", &["update audit(line)", "delete audit"]),
        // The table itself says ON CONFLICT REPLACE.
        ("INSERT INTO keyed VALUES ('a', 1)", &["insert keyed", "delete keyed"]),
        ("INSERT INTO audit (line, made, chance) VALUES (replace('x', 'y', 'z'), 1, 1)", &["insert audit"]),
        (
            "INSERT INTO counted VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET x = 2",
            &["insert counted", "read counted(id)", "update counted(x)"],
        ),
        ("INSERT INTO counted (x) VALUES (1)", &["insert counted"]),
        ("UPDATE sqlite_sequence SET seq = 9", &["update sqlite_sequence(seq)"]),
        ("EXPLAIN DELETE FROM audit", &["delete audit"]),
    ]);
}

#[test]
fn definitions_need_what_they_rest_on() {
    need(&[
        ("CREATE TABLE n (a PRIMARY KEY, b AS (a + 1), c UNIQUE, CHECK (a > 1))", &["create n"]),
        ("CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT)", &["create n"]),
        ("CREATE TABLE IF NOT EXISTS log (x)", &["create log"]),
        ("CREATE TABLE n (a DEFAULT (random()))", &["create n", "functions random"]),
        ("CREATE TABLE n (a REFERENCES customer)", &["create n", "read customer"]),
        ("CREATE TABLE n (a REFERENCES n)", &["create n"]),
        ("CREATE TABLE n AS SELECT secret FROM customer", &["create n", "read customer(secret)"]),
        ("CREATE TABLE n AS SELECT sql FROM sqlite_schema", &["create n", "read sqlite_schema(sql)", "read sqlite_schema(ROWID)"]),
        ("CREATE TABLE n AS SELECT * FROM hidden", &["create n", "read hidden(secret)", "read customer(secret)"]),
        ("CREATE INDEX i ON log (line)", &["create i", "alter log", "read log(line)"]),
        ("CREATE INDEX i ON customer (upper(secret)) WHERE age > 3",
            &["create i", "alter customer", "read customer(age)", "read customer(secret)"]),
        ("DROP INDEX log_line", &["drop log_line"]),
        ("REINDEX log_line", &["alter log"]),
        ("ANALYZE log", &["alter log"]),
        ("ALTER TABLE audit ADD COLUMN more", &["alter audit"]),
        ("ALTER TABLE audit ADD COLUMN more CHECK (more > 3)", &["alter audit"]),
        ("ALTER TABLE customer ADD COLUMN more DEFAULT 5 CHECK (more > secret OR 1)", &["alter customer", "read customer(secret)"]),
        ("ALTER TABLE audit ADD COLUMN more REFERENCES customer", &["alter audit", "read customer"]),
        ("ALTER TABLE counted RENAME TO numbered", &["alter counted", "create numbered"]),
        ("ALTER TABLE counted RENAME COLUMN x TO y", &["alter counted"]),
        ("ALTER TABLE counted DROP COLUMN x", &["alter counted"]),
        // What refers to it would be rewritten.
        ("ALTER TABLE customer RENAME COLUMN name TO title", &["alter customer", "view names"]),
        ("ALTER TABLE audit RENAME TO trail", &["alter audit", "create trail", "trigger log"]),
        ("DROP TABLE counted", &["drop counted"]),
        ("DROP TABLE log", &["drop log"]),
        ("DROP TABLE account", &["drop account"]),
        ("DROP TRIGGER log_inserted", &["trigger log"]),
        ("DROP VIEW names", &["view names"]),
        ("EXPLAIN CREATE TABLE n (x)", &["create n"]),
    ]);
}

#[test]
fn virtual_tables_stand_for_the_tables_behind_them() {
    need(&[
        ("SELECT body FROM text WHERE text MATCH 'hello'", &["read text(body)", "read text(text)"]),
        ("INSERT INTO text VALUES ('x')", &["insert text"]),
        ("DELETE FROM text", &["delete text"]),
        ("SELECT id FROM place WHERE low > 0", &["read place(id)", "read place(low)"]),
        ("INSERT INTO place VALUES (2, 3, 4)", &["insert place"]),
        ("CREATE VIRTUAL TABLE f USING fts5(body)", &["create f"]),
        ("CREATE VIRTUAL TABLE f USING fts5(name, content = 'customer', content_rowid = 'id')", &["create f"]),
        ("CREATE VIRTUAL TABLE r USING rtree(id, a, b)", &["create r"]),
        ("DROP TABLE text", &["drop text"]),
        ("ALTER TABLE text RENAME TO words", &["alter text", "create words"]),
        ("SELECT block FROM text_data", &["read text"]),
        ("SELECT name FROM dbstat", &["read dbstat(name)", "read sqlite_schema(name)", "read sqlite_schema(rootpage)", "read sqlite_schema(type)"]),
    ]);
    for grants in ["insert = ['text']", "read = ['text']\ninsert = ['text', 'text_data']\nupdate = ['text_data']"] {
        for sql in ["INSERT INTO text_data VALUES (1, 1)", "UPDATE text_data SET block = 1", "DROP TABLE text_data"] {
            let error = held(Some(grants), |session| run(session, sql)).unwrap_err();
            assert!(error.code == ErrorCode::Denied || error.message.contains("may not be"), "{sql}: {error}");
        }
    }
    let error = held(Some("insert = ['text']"), |session| run(session, "SELECT block FROM text_data")).unwrap_err();
    assert_eq!(wanted(&error), "read = [\"text\"]");
    let content = "CREATE VIRTUAL TABLE f USING fts5(secret, content = 'customer', content_rowid = 'id')";
    held(Some("create = ['f']\nread = ['f']\ninsert = ['f']"), |session| {
        run(session, content).unwrap();
        let error = run(session, "INSERT INTO f (f) VALUES ('rebuild')").unwrap_err();
        assert_eq!(error.code, ErrorCode::Denied, "{error}");
        assert!(wanted(&error).starts_with("read = [\"customer("), "{error}");
    });
}

#[test]
fn the_schema_is_told_only_with_a_grant() {
    need(&[
        ("SELECT name FROM sqlite_schema", &["read sqlite_schema(name)"]),
        ("SELECT sql FROM main.sqlite_master", &["read sqlite_schema(sql)"]),
        ("PRAGMA table_info(customer)", &["read customer"]),
        ("PRAGMA index_info(log_line)", &["read log"]),
        ("PRAGMA table_list", &["read sqlite_schema(name)"]),
        ("PRAGMA foreign_key_check", &["read *"]),
        ("PRAGMA user_version", &[]),
        ("SELECT name FROM pragma_table_info('customer')", &["read customer"]),
        ("SELECT name FROM pragma_function_list", &[]),
    ]);
    held(Some("delete = ['customer']"), |session| run(session, "PRAGMA table_info(customer)").map(drop)).unwrap();
}

#[test]
fn some_things_are_never_granted() {
    let all = "read = ['*']\ninsert = ['*']\nupdate = ['*']\ndelete = ['*']\ncreate = ['*']\nalter = ['*']\ndrop = ['*']\n\
               trigger = ['*']\nview = ['*']\nfunctions = ['now', 'random', 'load_extension']";
    let never = [
        "BEGIN",
        ";COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT x",
        "RELEASE x",
        "ROLLBACK TO x",
        "EXPLAIN COMMIT",
        "ATTACH ':memory:' AS other",
        "ATTACH 'a' || 'b' AS other",
        "DETACH 'other'",
        "VACUUM",
        "VACUUM INTO 'x'",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode",
        "PRAGMA foreign_keys = 0",
        "PRAGMA user_version = 3",
        "PRAGMA trusted_schema = 1",
        "PRAGMA optimize",
        "PRAGMA quick_check",
        "SELECT * FROM pragma_quick_check('customer')",
        "PRAGMA table_info(_whimbrel_history)",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM _whimbrel_history",
        "SELECT 1 FROM _whimbrel_history AS a JOIN _whimbrel_history AS b USING (checksum)",
        "UPDATE _whimbrel_history SET checksum = ''",
        "DROP TABLE _whimbrel_history",
        "ALTER TABLE log RENAME TO _WHIMBREL_history_schema",
        "CREATE TABLE n (a REFERENCES _whimbrel_history)",
        "CREATE VIEW v AS SELECT * FROM _whimbrel_history",
        "CREATE TRIGGER g AFTER INSERT ON _whimbrel_history BEGIN SELECT 1; END",
        "CREATE TRIGGER g AFTER INSERT ON audit BEGIN DELETE FROM _whimbrel_history; END",
        "CREATE INDEX i ON _whimbrel_history (checksum)",
        "CREATE TEMP TABLE t (x)",
        "CREATE TABLE temp.t (x)",
        "CREATE TEMP VIEW t AS SELECT 1",
        "CREATE TEMP TRIGGER g AFTER INSERT ON log BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE v USING fts4(x)",
        "CREATE VIRTUAL TABLE v USING dbstat",
        "CREATE VIRTUAL TABLE temp.v USING fts5(x)",
    ];
    for grants in [Some(all), None] {
        for sql in never {
            let error = held(grants, |session| run(session, sql)).expect_err(sql);
            assert_eq!((error.code, wanted(&error).as_str()), (ErrorCode::Denied, ""), "{sql}: {error}");
        }
    }
    for sql in ["UPDATE sqlite_schema SET sql = ''", "DELETE FROM sqlite_master", "INSERT INTO sqlite_schema VALUES (1, 1, 1, 1, 1)"] {
        held(Some(all), |session| run(session, sql)).expect_err(sql);
    }
}

#[test]
fn the_hosts_own_savepoints_do_not_open_the_door() {
    held(None, |session| {
        let savepoint = session.savepoint().unwrap();
        // The very text that the host has just run, and that now stands prepared in the cache.
        assert_eq!(run(session, "SAVEPOINT \"whimbrel_0\"").unwrap_err().code, ErrorCode::Denied);
        session.release(savepoint).unwrap();
        assert_eq!(run(session, "RELEASE \"whimbrel_0\"").unwrap_err().code, ErrorCode::Denied);
    });
}

#[test]
fn attaching_with_a_parameter_is_refused_too() {
    held(None, |session| {
        let error = session.execute("ATTACH ? AS other", &["x.db".into()]).unwrap_err();
        assert_eq!(error.code, ErrorCode::Denied, "{error}");
    });
}

#[test]
fn triggers_and_views_are_looked_into_before_they_stay() {
    let base = "trigger = ['audit', 'names']\nview = ['*']\nread = ['names', 'customer(id, name)', 'v']\n";
    let cases = [
        ("CREATE TRIGGER g AFTER INSERT ON audit BEGIN DELETE FROM log; END", "delete = [\"log\"]"),
        ("CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT secret FROM customer; END", "read = [\"customer(secret)\"]"),
        ("CREATE TRIGGER g AFTER DELETE ON audit WHEN old.line IN (SELECT secret FROM customer) BEGIN SELECT 1; END", "read = [\"customer(secret)\"]"),
        ("CREATE TRIGGER g BEFORE UPDATE ON audit BEGIN UPDATE counted SET x = 1; END", "update = [\"counted(x)\"]"),
        ("CREATE TRIGGER g BEFORE UPDATE OF line ON audit BEGIN INSERT INTO counted (x) VALUES (1); END", "insert = [\"counted\"]"),
        ("CREATE TRIGGER g INSTEAD OF INSERT ON names BEGIN DELETE FROM counted; END", "delete = [\"counted\"]"),
        ("CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT 1 FROM (SELECT * FROM hidden); END", "read = [\"customer(secret)\"]"),
        ("CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT block FROM text_data; END", "read = [\"text\"]"),
        ("CREATE TRIGGER g AFTER INSERT ON log BEGIN SELECT 1; END", "trigger = [\"log\"]"),
        ("CREATE VIEW v AS SELECT id, secret FROM customer", "read = [\"customer(secret)\"]"),
        ("CREATE VIEW v AS SELECT 1 FROM customer NATURAL JOIN account", "read = [\"account(id)\"]"),
        ("CREATE VIEW v AS SELECT sql FROM sqlite_schema", "read = [\"sqlite_schema(sql)\"]"),
        ("CREATE VIEW v AS SELECT * FROM hidden", "read = [\"customer(secret)\"]"),
    ];
    for (sql, grant) in cases {
        held(Some(base), |session| {
            let error = run(session, sql).expect_err(sql);
            assert_eq!(wanted(&error), grant, "{sql}: {error}");
            session.restrict(None);
            let left = "SELECT count(*) FROM sqlite_schema WHERE name IN ('g', 'v')";
            let mut count = None;
            crate::db::for_each_row(session, left, &[], &mut |row| {
                count = Some(row[0].clone());
                Ok(())
            })
            .unwrap();
            assert_eq!(count, Some(0_i64.into()), "{sql} is still there");
        });
    }
    let fine = [
        "CREATE VIEW v AS SELECT id, name FROM customer",
        "CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT name FROM customer; END",
        "CREATE TRIGGER g AFTER UPDATE ON audit BEGIN SELECT 1; END",
        "CREATE TRIGGER g INSTEAD OF UPDATE OF name ON names BEGIN SELECT 1; END",
    ];
    for sql in fine {
        held(Some(base), |session| run(session, sql)).expect(sql);
    }
    // What cannot be compiled now would mean something later that nobody has looked at.
    for sql in [
        "CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT x FROM later; END",
        "CREATE VIEW v AS SELECT x FROM later",
    ] {
        let error = held(Some(base), |session| run(session, sql)).expect_err(sql);
        assert!(error.message.contains("is not made: no such table"), "{error}");
    }
}

#[test]
fn a_prepared_statement_is_checked_again_when_the_schema_has_changed() {
    let grants = "read = ['n', 'm']\ncreate = ['n', 'm']\ndrop = ['n']\nview = ['n']\nalter = ['m']";
    held(Some(grants), |session| {
        run(session, "CREATE TABLE n (secret)").unwrap();
        run(session, "CREATE TABLE m (secret)").unwrap();
        let prepared = session.prepare("SELECT 1 FROM n JOIN m USING (secret)").unwrap();
        session.execute_prepared(prepared, &[]).unwrap();
        let savepoint = session.savepoint().unwrap();
        run(session, "DROP TABLE n").unwrap();
        assert_eq!(session.execute_prepared(prepared, &[]).unwrap_err().code, ErrorCode::Syntax);
        session.rollback_to(savepoint).unwrap();
        session.execute_prepared(prepared, &[]).unwrap();
    });
}

#[test]
fn schema_changes_through_prepared_statements_and_queries_are_looked_into_too() {
    let sql = "CREATE VIEW v AS SELECT secret FROM customer";
    held(Some("view = ['v']\nread = ['v']"), |session| {
        let prepared = session.prepare(sql).unwrap();
        assert_eq!(session.execute_prepared(prepared, &[]).unwrap_err().code, ErrorCode::Denied);
        assert_eq!(session.open_cursor(sql, &[]).unwrap_err().code, ErrorCode::Denied);
        assert_eq!(session.open_cursor_prepared(prepared, &[]).unwrap_err().code, ErrorCode::Denied);
    });
    held(None, |session| {
        let cursor = session.open_cursor("CREATE TABLE fresh (x)", &[]).unwrap();
        assert!(session.columns(cursor).unwrap().is_empty());
        run(session, "INSERT INTO fresh VALUES (1)").unwrap();
    });
}

#[test]
fn scripts_are_held_statement_by_statement() {
    held(Some("insert = ['audit']"), |session| {
        let script = "INSERT INTO audit VALUES (1, 1, 1);\nDELETE FROM audit;";
        let failed = session.execute_script(script).unwrap_err();
        assert_eq!((&script[failed.start..failed.end], failed.error.code), ("DELETE FROM audit;", ErrorCode::Denied));
    });
    held(Some("create = ['n']\ntrigger = ['n']\ninsert = ['n']"), |session| {
        let script = "CREATE TABLE n (x); CREATE TRIGGER g AFTER INSERT ON n BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT ';'; END; \
                      INSERT INTO n VALUES (1)";
        session.execute_script(script).unwrap();
    });
}

#[test]
fn without_grants_in_particular_everything_but_the_basics_is_allowed() {
    held(None, |session| {
        for sql in [
            "SELECT * FROM hidden",
            "UPDATE customer SET age = NULL",
            "CREATE VIEW v AS SELECT x FROM later",
            "CREATE TRIGGER g AFTER INSERT ON log BEGIN DELETE FROM later; END",
            "DROP TABLE counted",
            "ANALYZE",
            "PRAGMA table_info(customer)",
        ] {
            run(session, sql).expect(sql);
        }
    });
}

#[test]
fn what_a_program_brings_along_is_not_the_guests() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SETUP).unwrap();
    connection
        .execute_batch("ATTACH ':memory:' AS other; CREATE TABLE other.apart (x); CREATE TEMP TABLE passing (x);")
        .unwrap();
    let before = connection.db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        restrict(session.as_mut(), Some("read = ['*']\ninsert = ['*']"));
        for sql in ["SELECT x FROM other.apart", "SELECT count(*) FROM apart", "INSERT INTO apart VALUES (1)", "SELECT x FROM passing"] {
            let result = run(session.as_mut(), sql);
            assert!(sql.contains("count") || result.unwrap_err().code == ErrorCode::Denied, "{sql}");
        }
        session.restrict(None);
        session.rollback().unwrap();
    })
    .unwrap();
    assert_eq!(connection.db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap(), before);
    assert!(connection.db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA).unwrap());
}

#[test]
fn the_least_manifest_would_do() {
    let statements = [
        "SELECT count(*) FROM log",
        "SELECT name FROM customer WHERE id = 1",
        "UPDATE customer SET age = 3",
        "INSERT INTO text VALUES ('x')",
        "CREATE TABLE n (a)",
        "CREATE INDEX n_a ON n (a)",
        "CREATE VIEW v AS SELECT email FROM customer",
    ];
    let least = held(None, |session| {
        session.restrict(None);
        session.start_recording();
        restrict(session, None);
        for sql in statements {
            run(session, sql).unwrap();
        }
        session.restrict(None);
        session.take_recording().observed.unwrap().least()
    });
    assert_eq!(
        least.to_toml(),
        "read = [\"customer(email, id, name, secret)\", \"log(rowid)\", \"n(a)\"]\ninsert = [\"text\"]\n\
         update = [\"customer(age)\"]\ncreate = [\"n\", \"n_a\"]\nview = [\"v\"]\n"
    );
    held(Some(&least.to_toml()), |session| {
        for sql in statements {
            run(session, sql).expect(sql);
        }
    });
}
