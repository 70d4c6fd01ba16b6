//! What changes the schema, or outlives a change of it.

use super::*;

#[test]
fn triggers_and_views_are_looked_into_before_they_stay() {
    let base = "trigger = ['audit', 'names']\nview = ['*']\nread = ['names', 'customer(id, name)', 'v']\n";
    let cases = [
        ("CREATE TRIGGER g AFTER INSERT ON audit BEGIN DELETE FROM log; END", "delete = [\"log\"]"),
        (
            "CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT secret FROM customer; END",
            "read = [\"customer(secret)\"]",
        ),
        (
            "CREATE TRIGGER g AFTER DELETE ON audit WHEN old.line IN (SELECT secret FROM customer) BEGIN SELECT 1; END",
            "read = [\"customer(secret)\"]",
        ),
        ("CREATE TRIGGER g BEFORE UPDATE ON audit BEGIN UPDATE counted SET x = 1; END", "update = [\"counted(x)\"]"),
        (
            "CREATE TRIGGER g BEFORE UPDATE OF line ON audit BEGIN INSERT INTO counted (x) VALUES (1); END",
            "insert = [\"counted\"]",
        ),
        ("CREATE TRIGGER g INSTEAD OF INSERT ON names BEGIN DELETE FROM counted; END", "delete = [\"counted\"]"),
        (
            "CREATE TRIGGER g AFTER INSERT ON audit BEGIN SELECT 1 FROM (SELECT * FROM hidden); END",
            "read = [\"customer(secret)\"]",
        ),
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
fn a_full_text_table_shows_no_rows_but_those_that_a_view_could() {
    let base = "create = ['f', 'own']\nread = ['customer(id, name)', 'log']\n";
    let make = |content: &str| format!("CREATE VIRTUAL TABLE f USING fts5(name, content={content})");
    let cases = [
        (make("customer"), "read = [\"customer\"]"),
        (make("nowhere"), "read = [\"nowhere\"]"),
        (make("sqlite_schema"), "read = [\"sqlite_schema\"]"),
        (make("log").replace("content", "c"), "view = [\"f\"]"),
    ];
    for (sql, grant) in cases {
        let error = held(Some(base), |session| run(session, &sql)).expect_err(&sql);
        assert_eq!(wanted(&error), grant, "{sql}: {error}");
    }
    for never in [make("_whimbrel_history"), make("''/**/"), make("log").replace(')', ", cont=log)")] {
        let done = held(Some(&format!("{base}view = ['*']")), |session| run(session, &never));
        let error = done.expect_err(&never);
        assert!(matches!(error.code, ErrorCode::Denied | ErrorCode::Syntax), "{never}: {error}");
    }
    for fine in [make("own"), make("''"), make("log").replace(", content=log", "")] {
        held(Some(base), |session| run(session, &fine)).expect(&fine);
    }
    held(Some(&format!("{base}view = ['f']")), |session| run(session, &make("log"))).unwrap();
}

#[test]
fn a_definition_has_no_strings_in_double_quotes() {
    let grants = "create = ['own', 'own_x', 'own_y']\nalter = ['own']\nread = ['own']";
    held(Some(grants), |session| {
        run(session, "CREATE TABLE own (x)").unwrap();
        let error = run(session, "CREATE INDEX own_x ON own (\"zoo\")").unwrap_err();
        assert!(error.message.contains("no such column: \"zoo\""), "{error}");
        run(session, "CREATE INDEX own_y ON own (\"x\")").unwrap();
        for sql in ["ALTER TABLE own ADD COLUMN y CHECK (y <> \"zoo\")", "ALTER TABLE own ADD y AS (x || \"zoo\")"] {
            let error = run(session, sql).unwrap_err();
            assert!(error.message.contains("no such column: \"zoo\""), "{error}");
        }
        run(session, "ALTER TABLE own ADD COLUMN y DEFAULT \"zoo\" CHECK (\"y\" <> 'zoo')").unwrap();
    });
}

#[test]
fn strings_in_double_quotes_that_are_there_hold_nobody_up() {
    let grants = "read = ['a*']\ncreate = ['a', 'b']\nalter = ['a', 'b']";
    held(Some(grants), |session| {
        session.restrict(None);
        run(session, "CREATE TABLE odd (x CHECK (x IN (\"open\", \"closed\")))").unwrap();
        restrict(session, Some(grants));
        for sql in [
            "CREATE TABLE a (x, y)",
            "ALTER TABLE a ADD COLUMN z CHECK (z > 0)",
            "ALTER TABLE a RENAME TO b",
            "ALTER TABLE b RENAME COLUMN y TO w",
            "ALTER TABLE b DROP COLUMN x",
        ] {
            run(session, sql).expect(sql);
        }
        let error = run(session, "CREATE TABLE a (x CHECK (x <> \"zoo\"))").unwrap_err();
        assert!(error.message.contains("no such column: \"zoo\""), "{error}");
    });
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
