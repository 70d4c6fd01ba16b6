//! What each kind of statement needs.

use super::*;

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
            "SELECT 1 FROM account AS a NATURAL JOIN account AS b",
            &["read account(id)", "read account(customer)", "read account(secret)", "read account(note)"],
        ),
        (
            "SELECT account.id FROM account NATURAL JOIN (SELECT 'x' AS note)",
            &["read account(id)", "read account(customer)", "read account(secret)", "read account(note)"],
        ),
        (
            "WITH t(secret) AS (VALUES ('x')) SELECT account.id FROM t NATURAL JOIN account",
            &["read account(id)", "read account(customer)", "read account(secret)", "read account(note)"],
        ),
        (
            "SELECT note FROM account NATURAL JOIN json_each('[1]')",
            &["read account(id)", "read account(customer)", "read account(secret)", "read account(note)"],
        ),
        (
            "SELECT id FROM joined",
            // The way leads through an index on the notes of those that have a secret.
            &[
                "read joined(id)",
                "read account(id)",
                "read account(note)",
                "read account(secret)",
                "read customer(secret)",
            ],
        ),
        ("SELECT lower(secret) FROM customer", &["read customer(secret)"]),
        ("SELECT value FROM json_each('[1, 2]')", &[]),
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
        (
            "UPDATE audit SET line = c.secret FROM customer AS c",
            &["update audit(line)", "read customer(secret)", "read audit"],
        ),
        // Whether the CHECK holds tells something about the secret.
        ("UPDATE customer SET age = 3", &["update customer(age)", "read customer(secret)"]),
        ("UPDATE customer SET age = 3, secret = 'long enough'", &["update customer(age)", "update customer(secret)"]),
        // Every row may be in its index, or not, so that tells nothing of the secret.
        (
            "UPDATE account SET note = 'x'",
            &["update account(note)", "insert keyed", "read account(note)", "delete keyed"],
        ),
        ("DELETE FROM audit", &["delete audit"]),
        (
            "DELETE FROM customer WHERE name = 'x'",
            &[
                "delete customer",
                "read customer(name)",
                "read account(customer)",
                "delete account",
                "read customer(id)",
            ],
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
        ("EXPLAIN QUERY PLAN DELETE FROM audit", &["delete audit"]),
    ]);
}

#[test]
fn definitions_need_what_they_rest_on() {
    need(&[
        ("CREATE TABLE n (a PRIMARY KEY, b AS (a + 1), c UNIQUE, CHECK (a > 1))", &["create n"]),
        ("CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT)", &["create n"]),
        ("CREATE TABLE IF NOT EXISTS log (x)", &["create log"]),
        ("CREATE TABLE n (a DEFAULT (random()))", &["create n", "functions random"]),
        ("CREATE TABLE random (a DEFAULT 'random()')", &["create random"]),
        ("CREATE TABLE n (a REFERENCES customer)", &["create n", "read customer(id)", "reference customer(id)"]),
        (
            "CREATE TABLE n (a REFERENCES \"customer\"(ID))",
            &["create n", "read customer(id)", "reference customer(id)"],
        ),
        ("CREATE TABLE n (a REFERENCES n)", &["create n"]),
        ("CREATE TABLE n AS SELECT secret FROM customer", &["create n", "read customer(secret)"]),
        (
            "CREATE TABLE n AS SELECT sql FROM sqlite_schema",
            &["create n", "read sqlite_schema(sql)", "read sqlite_schema(ROWID)"],
        ),
        ("CREATE TABLE n AS SELECT * FROM hidden", &["create n", "read hidden(secret)", "read customer(secret)"]),
        ("CREATE INDEX i ON log (line)", &["create i", "alter log", "read log(line)"]),
        (
            "CREATE INDEX i ON customer (upper(secret)) WHERE age > 3",
            &["create i", "alter customer", "read customer(age)", "read customer(secret)"],
        ),
        ("DROP INDEX log_line", &["drop log_line"]),
        ("REINDEX log_line", &["alter log"]),
        ("ANALYZE log", &["alter log"]),
        ("ANALYZE names", &["alter *"]),
        ("ANALYZE main.text", &["alter *"]),
        ("ANALYZE sqlite_schema", &["alter *"]),
        ("ALTER TABLE audit ADD COLUMN more", &["alter audit"]),
        ("ALTER TABLE audit ADD COLUMN more CHECK (more > 3)", &["alter audit"]),
        (
            "ALTER TABLE customer ADD COLUMN more DEFAULT 5 CHECK (more > secret OR 1)",
            &["alter customer", "read customer(secret)"],
        ),
        (
            "ALTER TABLE audit ADD COLUMN more REFERENCES customer",
            &["alter audit", "read customer(id)", "reference customer(id)"],
        ),
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
        ("EXPLAIN QUERY PLAN CREATE TABLE n (x)", &["create n"]),
    ]);
}

#[test]
fn virtual_tables_stand_for_the_tables_behind_them() {
    need(&[
        ("SELECT body FROM text WHERE text MATCH 'hello'", &["read text(body)", "read text(text)"]),
        // What is asked for as an argument may name any column.
        ("SELECT rowid FROM text('hello')", &["read text", "read text(ROWID)"]),
        ("SELECT rowid FROM \"text\" ('hello') AS t", &["read text", "read text(ROWID)"]),
        ("INSERT INTO text VALUES ('x')", &["insert text"]),
        ("INSERT INTO text (body) VALUES ('x')", &["insert text"]),
        ("INSERT INTO text (text) VALUES ('optimize')", &["alter text", "delete text", "insert text"]),
        ("INSERT INTO text AS t (text, rank) VALUES ('rank', 'f()')", &["alter text", "delete text", "insert text"]),
        ("DELETE FROM text", &["delete text"]),
        ("SELECT id FROM place WHERE low > 0", &["read place(id)", "read place(low)"]),
        ("INSERT INTO place VALUES (2, 3, 4)", &["insert place"]),
        ("CREATE VIRTUAL TABLE f USING fts5(body)", &["create f"]),
        (
            "CREATE VIRTUAL TABLE f USING fts5(name, content = 'customer', content_rowid = 'id')",
            &["create f", "read customer", "view f"],
        ),
        ("CREATE VIRTUAL TABLE r USING rtree(id, a, b)", &["create r"]),
        ("DROP TABLE text", &["drop text"]),
        ("ALTER TABLE text RENAME TO words", &["alter text", "create words"]),
        ("SELECT block FROM text_data", &["read text"]),
        (
            "SELECT name FROM dbstat",
            &[
                "read dbstat(name)",
                "read sqlite_schema(name)",
                "read sqlite_schema(rootpage)",
                "read sqlite_schema(type)",
            ],
        ),
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
    let all = "create = ['f']\nread = ['f']\ninsert = ['f']\ndelete = ['f']\nalter = ['f']";
    held(Some(all), |session| {
        session.restrict(None);
        run(session, content).unwrap();
        restrict(session, Some(all));
        let error = run(session, "INSERT INTO f (f) VALUES ('rebuild')").unwrap_err();
        assert_eq!(error.code, ErrorCode::Denied, "{error}");
        assert!(wanted(&error).starts_with("read = [\"customer("), "{error}");
    });
}

#[test]
fn what_full_text_tables_compute_rests_on_all_they_hold() {
    need(&[
        ("SELECT bm25(text) FROM text WHERE text MATCH 'x'", &["read text", "read text(text)"]),
        ("SELECT highlight(text, 0, '', '') FROM text", &["read text", "read text(text)"]),
        ("SELECT rank FROM text", &["read text"]),
    ]);
    // A number may mean the row of a table that the same code is reading.
    let number = "SELECT body, highlight(body, 0, '', '') FROM own";
    let grants = "create = ['own']\nread = ['own'";
    for (more, lacking) in
        [(", 'text(rowid)']", true), ("]\ninsert = ['text']", true), (", 'text']", false), ("]", false)]
    {
        held(Some(&format!("{grants}{more}")), |session| {
            run(session, "CREATE VIRTUAL TABLE own USING fts5(body)").unwrap();
            match run(session, number) {
                Err(error) if lacking => assert_eq!(wanted(&error), "read = [\"text\"]", "{more}: {error}"),
                done => assert!(!lacking, "{more}: {done:?}"),
            }
        });
    }
}

#[test]
fn an_upsert_by_any_key_reads_all_of_them() {
    let keyed = "CREATE TABLE main.k (id INTEGER PRIMARY KEY, email TEXT UNIQUE, tok TEXT, x, g AS (tok || 1));
                 CREATE UNIQUE INDEX k_tok ON k (lower(tok)) WHERE g IS NULL; CREATE INDEX k_x ON k (x)";
    let granted = "insert = ['k']\nupdate = ['k(x)']\nread = ['k(id)']";
    held(Some(granted), |session| {
        session.restrict(None);
        session.execute_script(keyed).unwrap();
        restrict(session, Some(granted));
        let upsert = |on: &str| format!("INSERT INTO k (id, email) VALUES (1, 'a') {on} RETURNING id");
        run(session, &upsert("ON CONFLICT (id) DO UPDATE SET x = 1")).unwrap();
        run(session, &upsert("ON CONFLICT (id) DO UPDATE SET x = 1 ON CONFLICT DO NOTHING")).unwrap();
        let mut more = String::from(granted);
        let any = upsert("ON CONFLICT (id) DO NOTHING ON CONFLICT\nDO UPDATE SET x = 1");
        for column in ["email", "g", "tok"] {
            restrict(session, Some(&more));
            assert_eq!(wanted(&run(session, &any).unwrap_err()), format!("read = [\"k({column})\"]"));
            more.truncate(more.len() - 2);
            more.push_str(&format!("', 'k({column})']"));
        }
        restrict(session, Some(&more));
        run(session, &any).unwrap();
    });
}

#[test]
fn a_search_is_looked_at_although_its_accesses_were_allowed_before() {
    held(Some("read = ['text(rowid, body)']\ninsert = ['text']"), |session| {
        run(session, "SELECT body FROM text").unwrap();
        let error = run(session, "SELECT body FROM text('hello')").unwrap_err();
        assert_eq!(wanted(&error), "read = [\"text\"]");
        run(session, "INSERT INTO text VALUES ('x')").unwrap();
        let error = run(session, "INSERT INTO text (text) VALUES ('delete-all')").unwrap_err();
        assert_eq!(wanted(&error), "delete = [\"text\"]");
    });
}

#[test]
fn a_new_name_brings_nothing_under_a_grant() {
    let column = "read = ['counted(id)']\nalter = ['counted']";
    for (grants, needed) in [(column, "read"), ("update = ['counted(id)']\nalter = ['counted']", "update")] {
        held(Some(grants), |session| {
            run(session, "ALTER TABLE counted RENAME COLUMN id TO number").unwrap();
            let error = run(session, "ALTER TABLE counted RENAME x TO id").unwrap_err();
            assert_eq!(wanted(&error), format!("{needed} = [\"counted(x)\"]"));
            run(session, "ALTER TABLE counted RENAME x TO y").unwrap();
        });
    }
    let pattern = "alter = ['log']\ncreate = ['acme_*']\nread = ['acme_x(line)']\ndelete = ['acme_*']";
    held(Some(pattern), |session| {
        let error = run(session, "ALTER TABLE log RENAME TO acme_x").unwrap_err();
        assert_eq!(wanted(&error), "read = [\"log(line)\"]");
    });
    let readable = pattern.replace("'acme_x(line)'", "'acme_x(line)', 'log(line)'");
    held(Some(&readable), |session| {
        let error = run(session, "ALTER TABLE log RENAME TO acme_x").unwrap_err();
        assert_eq!(wanted(&error), "delete = [\"log\"]");
    });
    held(Some("alter = ['log']\ncreate = ['line']"), |session| run(session, "ALTER TABLE log RENAME TO line")).unwrap();
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
