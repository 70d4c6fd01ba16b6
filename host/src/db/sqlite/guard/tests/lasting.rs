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

/// Ends the work of a guest, and holds it to the grants again.
fn check(session: &mut dyn Session, grants: &str) -> Result<(), DbError> {
    session.restrict(None);
    let restriction = Restriction { grants: Some(toml::from_str(grants).unwrap()), ..Restriction::default() };
    let checked = session.check_definitions(Arc::new(restriction));
    restrict(session, Some(grants));
    checked
}

#[test]
fn a_view_or_trigger_means_the_same_when_what_it_names_has_changed() {
    let grants = "read = ['customer(id)', 'd', 'd2', 'v', 'w']\ncreate = ['t', 'd', 'd2']\ninsert = ['d', 't']\nalter = ['d']\n\
                  drop = ['d']\ntrigger = ['t']\nview = ['v', 'w']";
    let made = [
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO t SELECT (SELECT secret FROM d LIMIT 1) FROM customer; END",
        "CREATE VIEW v AS SELECT id, (SELECT secret FROM d LIMIT 1) FROM customer",
        "CREATE VIEW v AS SELECT * FROM d; CREATE VIEW w AS SELECT (SELECT secret FROM v) FROM customer",
    ];
    let changes = ["DROP TABLE d; CREATE TABLE d (y)", "ALTER TABLE d DROP COLUMN secret"];
    let fine = [
        "ALTER TABLE d ADD COLUMN more",
        "DROP TABLE d; CREATE TABLE d (y, secret)",
        "CREATE TABLE d2 (secret, y); DROP TABLE d; CREATE TABLE d (secret); INSERT INTO d SELECT secret FROM d2",
    ];
    let script = |made: &str, change: &str| {
        held(Some(grants), |session| {
            session.execute_script("CREATE TABLE t (x); CREATE TABLE d (secret, y)").unwrap();
            session.execute_script(made).expect(made);
            session.execute_script(change).map_err(|failed| failed.error)?;
            // Whether this makes one or not.
            let _ = run(session, "CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS secret");
            check(session, grants)
        })
    };
    for made in made {
        for change in changes {
            let error = script(made, change).expect_err(change);
            assert_eq!(wanted(&error), "read = [\"customer(secret)\"]", "{made}: {change}: {error}");
            assert!(error.message.contains("would mean something else than before: not granted"), "{error}");
        }
        for change in fine {
            script(made, change).expect(change);
        }
        let error = script(made, "DROP TABLE d").expect_err(made);
        assert!(
            error.code == ErrorCode::Syntax && error.message.contains("makes no sense any more"),
            "{made}: {error}"
        );
    }
}

#[test]
fn what_one_reaches_is_noted_before_others_may_have_changed_it() {
    let grants = "read = ['customer(id)', 'd', 'x', 't']\ncreate = ['t', 'u', 'd', 'x']\ninsert = ['t', 'u']\n\
                  drop = ['d', 'x']\ntrigger = ['t', 'u']";
    let outer =
        "CREATE TRIGGER outer AFTER INSERT ON t BEGIN INSERT INTO u SELECT (SELECT secret FROM d) FROM customer; END;";
    let inner = "CREATE TRIGGER inner AFTER INSERT ON u BEGIN SELECT (SELECT secret FROM x) FROM customer; END;";
    let anew = |table: &str| format!("DROP TABLE {table}; CREATE TABLE {table} (y);");
    // The inner one reaches too far, or fails, just while the outer one is changed.
    let (further, fails) = (anew("x"), "DROP TABLE x;");
    for inner_is in [further.as_str(), fails] {
        held(Some(grants), |session| {
            let tables = "CREATE TABLE t (x); CREATE TABLE u (x); CREATE TABLE d (secret); CREATE TABLE x (secret);";
            let script = format!("{tables}{outer}{inner}{inner_is}{}DROP TRIGGER inner", anew("d"));
            session.execute_script(&script).unwrap();
            assert_eq!(wanted(&check(session, grants).unwrap_err()), "read = [\"customer(secret)\"]");
        });
    }
}

#[test]
fn the_triggers_of_a_stranger_have_names_of_its_own() {
    held(None, |session| {
        let held_to = Restriction {
            grants: Some(toml::from_str("trigger = ['log', 'audit']").unwrap()),
            namespace: Some("acme_".into()),
            ..Restriction::default()
        };
        session.restrict(Some(Arc::new(held_to)));
        let make = |name: &str| format!("CREATE TRIGGER {name} AFTER DELETE ON log BEGIN SELECT 1; END");
        for name in ["orders_audit", "_whimbrel_x", "main.\"acme\""] {
            let error = run(session, &make(name)).expect_err(name);
            assert!(wanted(&error).is_empty() && error.message.contains("begin with acme_"), "{name}: {error}");
        }
        run(session, &make("IF NOT EXISTS main.ACME_x")).unwrap();
        run(session, "DROP TRIGGER acme_x").unwrap();
    });
}

#[test]
fn what_views_and_triggers_reached_before_is_nobodys_fault() {
    let grants = "read = ['log']\nalter = ['log']\ncreate = ['other']\ndrop = ['log']";
    held(Some(grants), |session| {
        session.restrict(None);
        let script = "CREATE VIEW v AS SELECT log.line, customer.secret FROM log, customer;
                      CREATE TRIGGER g AFTER INSERT ON customer BEGIN INSERT INTO log (line) SELECT secret FROM account; END;
                      CREATE VIEW odd AS SELECT x FROM log, nowhere;
                      CREATE VIEW by_index AS SELECT line FROM log INDEXED BY log_line";
        session.execute_script(script).unwrap();
        restrict(session, Some(grants));
        run(session, "ALTER TABLE log ADD COLUMN more").unwrap();
        check(session, grants).unwrap();
        // It names the table of none, and what makes no sense makes none.
        run(session, "CREATE TABLE other (x)").unwrap();
        check(session, grants).unwrap();
        run(session, "ALTER TABLE log ADD COLUMN secret").unwrap();
        check(session, grants).unwrap();
        run(session, "DROP INDEX log_line").unwrap();
        let error = check(session, grants).unwrap_err();
        assert!(error.message.contains("the view by_index makes no sense any more: no such index"), "{error}");
        run(session, "DROP TABLE log").unwrap();
        let error = check(session, grants).unwrap_err();
        assert!(error.message.contains("makes no sense any more: no such table"), "{error}");
    });
}
