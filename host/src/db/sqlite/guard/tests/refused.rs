//! What no grant allows, and what is not the guest's.

use super::*;

/// The order in which rows come is as good as their values to whoever may add one.
#[test]
fn no_order_shows_what_may_not_be_read() {
    let orders =
        "CREATE TABLE ordered (id INTEGER PRIMARY KEY, name TEXT, iban TEXT UNIQUE, code TEXT, up AS (upper(code)));
                  CREATE INDEX ordered_name ON ordered (name, code); CREATE INDEX ordered_up ON ordered (up);
                  CREATE TABLE lines (line); CREATE TABLE vault (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
                  CREATE TABLE sorted (k TEXT PRIMARY KEY, v, id) WITHOUT ROWID; CREATE INDEX sorted_v ON sorted (v);
                  CREATE TABLE unsure (id, tag UNIQUE ON CONFLICT IGNORE, iban UNIQUE);
                  CREATE TABLE states (id, state, code);
                  CREATE INDEX states_some ON states (id) WHERE state = 'code';
                  CREATE TABLE folded (k, v, PRIMARY KEY (k COLLATE NOCASE DESC)) WITHOUT ROWID;
                  CREATE TABLE person (id INTEGER PRIMARY KEY, a NOT NULL, b NOT NULL, code UNIQUE, salary);
                  CREATE INDEX person_salary ON person (salary); CREATE INDEX person_code ON person (code, salary);
                  CREATE TABLE visit (person REFERENCES person ON DELETE CASCADE, place);
                  CREATE INDEX visit_person ON visit (person, place);
                  CREATE TABLE bound (person REFERENCES person (code) ON UPDATE CASCADE, place);
                  CREATE INDEX bound_person ON bound (person, place);
                  CREATE TABLE team (id INTEGER PRIMARY KEY, rank, secret); CREATE INDEX team_rank ON team (rank, secret);
                  CREATE TABLE fan (team REFERENCES team ON DELETE SET NULL CHECK (team > 0));
                  CREATE TABLE child (k PRIMARY KEY, team REFERENCES team) WITHOUT ROWID;
                  CREATE VIEW lined AS SELECT id FROM ordered INDEXED BY sqlite_autoindex_ordered_1;
                  INSERT INTO ordered (id, name, iban, code) VALUES (1, 'a', 'z', 'n'), (2, 'a', 'y', 'm');";
    let grants = "read = ['ordered(id, name)', 'vault(v)', 'lined', 'lines', 'sorted(v, id)', 'unsure(id, tag)', 'states(id, state)', 'folded(k, v)', 'person(id, a, code)', 'visit(person)', 'bound(person)', 'team(id, rank)', 'fan', 'child(team)']\n\
                  update = ['ordered(name)', 'lines(line)', 'unsure(tag)', 'person(a, b, code)', 'bound(person)', 'vault(v)', 'fan']\n\
                  insert = ['ordered', 'lines']\ndelete = ['ordered', 'person', 'visit', 'vault', 'team', 'child']\ncreate = ['n']";
    let with = |work: &dyn Fn(&mut dyn Session)| {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SETUP).unwrap();
        connection.execute_batch(orders).unwrap();
        let options = OpenOptions { record: false, ..options() };
        with_connection(&mut connection, &options, |mut session| {
            restrict(session.as_mut(), Some(grants));
            work(session.as_mut());
            session.restrict(None);
        })
        .unwrap();
    };
    let refused = [
        ("SELECT id FROM ordered INDEXED BY sqlite_autoindex_ordered_1", "read = [\"ordered(iban)\"]"),
        ("SELECT row_number() OVER () FROM ordered INDEXED BY ordered_name", "read = [\"ordered(code)\"]"),
        ("SELECT id FROM ordered INDEXED BY ordered_up", "read = [\"ordered(code)\"]"),
        ("SELECT id FROM ordered WHERE name = 'a'", "read = [\"ordered(code)\"]"),
        ("SELECT name FROM ordered GROUP BY name", "read = [\"ordered(code)\"]"),
        (
            "INSERT INTO lines SELECT id FROM ordered INDEXED BY sqlite_autoindex_ordered_1",
            "read = [\"ordered(iban)\"]",
        ),
        (
            "UPDATE lines SET line = (SELECT id FROM ordered INDEXED BY sqlite_autoindex_ordered_1)",
            "read = [\"ordered(iban)\"]",
        ),
        (
            "UPDATE ordered INDEXED BY ordered_name SET name = name WHERE name = 'a' RETURNING id",
            "read = [\"ordered(code)\"]",
        ),
        (
            "CREATE TABLE n AS SELECT id FROM ordered INDEXED BY sqlite_autoindex_ordered_1",
            "read = [\"ordered(iban)\"]",
        ),
        ("SELECT id FROM lined", "read = [\"ordered(iban)\"]"),
        ("SELECT v FROM vault", "read = [\"vault(k)\"]"),
        ("SELECT id FROM sorted WHERE v = 'a'", "read = [\"sorted(k)\"]"),
        // Which row comes first shows where one can fail.
        (
            "UPDATE person INDEXED BY person_salary SET a = CASE id WHEN 1 THEN NULL ELSE 'q' END, \
             b = CASE id WHEN 2 THEN NULL ELSE 'q' END",
            "read = [\"person(salary)\"]",
        ),
        ("UPDATE person INDEXED BY person_code SET code = id WHERE code > 'a'", "read = [\"person(salary)\"]"),
        (
            "UPDATE person INDEXED BY person_code SET a = 'q' WHERE code = 'x' AND json(id)",
            "read = [\"person(salary)\"]",
        ),
        ("DELETE FROM team INDEXED BY team_rank WHERE rank > 1", "read = [\"team(secret)\"]"),
        ("DELETE FROM ordered WHERE name = 'a' AND abs(id)", "read = [\"ordered(code)\"]"),
        ("DELETE FROM ordered WHERE name = 'a' AND id || name <> 'x'", "read = [\"ordered(code)\"]"),
        ("DELETE FROM ordered WHERE name = 'a' RETURNING id", "read = [\"ordered(code)\"]"),
        // What a foreign key writes can fail as well.
        ("UPDATE person SET code = 'y' WHERE id = 1", "read = [\"bound(place)\"]"),
        ("UPDATE vault SET v = 1", "read = [\"vault(k)\"]"),
        (
            "UPDATE OR IGNORE ordered INDEXED BY sqlite_autoindex_ordered_1 SET name = 'a' WHERE iban IS NOT NULL",
            "read = [\"ordered(iban)\"]",
        ),
        (
            "UPDATE OR FAIL ordered INDEXED BY ordered_name SET name = 'b' WHERE name = 'a'",
            "read = [\"ordered(code)\"]",
        ),
        ("UPDATE unsure INDEXED BY sqlite_autoindex_unsure_2 SET tag = 'a'", "read = [\"unsure(iban)\"]"),
        ("UPDATE ordered SET name = zeroblob(1) WHERE name = 'a'", "read = [\"ordered(code)\"]"),
        ("DELETE FROM ordered WHERE name = 'a' AND zeroblob(1)", "read = [\"ordered(code)\"]"),
        // The path of the first row is in the error.
        ("UPDATE ordered SET name = json_extract('{}', 'p' || id) WHERE name = 'a'", "read = [\"ordered(code)\"]"),
    ];
    let fine = [
        "SELECT id FROM ordered",
        "SELECT count(*) FROM ordered",
        "SELECT id FROM ordered NOT INDEXED WHERE name = 'a'",
        "SELECT name FROM ordered WHERE id = 1",
        "INSERT INTO ordered (id, name, iban) VALUES (9, 'n', 'x')",
        "INSERT INTO ordered (id, name) VALUES (9, 'n') ON CONFLICT (id) DO NOTHING",
        "UPDATE ordered NOT INDEXED SET name = 'b' WHERE name = 'a'",
        "UPDATE ordered SET name = upper(trim(name)) || (1) WHERE id > 0",
        "UPDATE person SET a = 'q', b = 'r' WHERE id = 1",
        // An index over the one column finds it.
        "UPDATE person SET a = 'q' WHERE code = 'x'",
        // Rows that refer to one are found in an index, too.
        "DELETE FROM person WHERE id = 1 AND abs(id)",
        "DELETE FROM person NOT INDEXED WHERE code = 'x'",
        "DELETE FROM vault WHERE v = 1",
        "DELETE FROM vault",
        "DELETE FROM person INDEXED BY person_code WHERE code > 'a'",
        "DELETE FROM child",
        "SELECT id FROM states INDEXED BY states_some WHERE state = 'code'",
        "SELECT v FROM folded",
        "DELETE FROM ordered WHERE name = 'a'",
        "UPDATE ordered SET name = concat_ws(' ', name, unhex(hex(name))) WHERE id > 0 AND octet_length(name) IS (1)",
        "INSERT INTO lines SELECT name FROM ordered ORDER BY id",
    ];
    for (sql, grant) in refused {
        with(&|session| assert_eq!(wanted(&run(session, sql).expect_err(sql)), grant, "{sql}"));
    }
    for sql in fine {
        with(&|session| run(session, sql).map(drop).expect(sql));
    }
    with(&|session| {
        let plan = "SELECT id FROM ordered WHERE id > 0";
        run(session, plan).expect(plan);
        // One kind of access that is known to be allowed says nothing of the way.
        let other = "SELECT id FROM ordered INDEXED BY sqlite_autoindex_ordered_1 WHERE id > 0";
        assert_eq!(wanted(&run(session, other).expect_err(other)), "read = [\"ordered(iban)\"]");
    });
}

#[test]
fn a_foreign_key_holds_nobody_up_unasked() {
    let grants = "read = ['customer(id, name)', 'log']\nreference = ['customer(id, name)']\ncreate = ['n', 'm']\n\
                  insert = ['n']\nalter = ['n', 'm']";
    held(Some(grants), |session| {
        for sql in [
            "CREATE TABLE n (a REFERENCES customer(secret))",
            "CREATE TABLE n (a REFERENCES customer(name))",
            "CREATE TABLE n (a, FOREIGN KEY (a) REFERENCES customer(name) ON DELETE SET NULL)",
            "CREATE TABLE n (a REFERENCES log)",
            "CREATE TABLE n (a REFERENCES nowhere)",
            "CREATE TABLE n (a, b AS (a + 1) REFERENCES customer(id))",
        ] {
            let error = run(session, sql).expect_err(sql);
            assert_eq!(error.code, ErrorCode::Denied, "{sql}: {error}");
        }
        run(session, "CREATE TABLE n (a REFERENCES customer(id) ON DELETE SET NULL)").unwrap();
        run(session, "ALTER TABLE n ADD COLUMN b REFERENCES customer").unwrap();
        let error = run(session, "ALTER TABLE n ADD COLUMN c REFERENCES customer(name)").unwrap_err();
        assert_eq!(error.code, ErrorCode::Denied, "{error}");
        // Its own it may make a key of later.
        run(session, "CREATE TABLE m (a REFERENCES m(b), b)").unwrap();
    });
}

#[test]
fn some_things_are_never_granted() {
    let all = "read = ['*']\ninsert = ['*']\nupdate = ['*']\ndelete = ['*']\ncreate = ['*']\nalter = ['*']\ndrop = ['*']\n\
               trigger = ['*']\nview = ['*']\nreference = ['*']\nfunctions = ['now', 'random', 'load_extension']";
    let never = [
        "BEGIN",
        ";COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT x",
        "RELEASE x",
        "ROLLBACK TO x",
        "EXPLAIN COMMIT",
        "EXPLAIN SELECT * FROM log",
        "explain/**/INSERT INTO log VALUES (1)",
        ";EXPLAIN SELECT 1",
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
        "SELECT hex(FTS5_locale('en', ''))",
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
        "CREATE TRIGGER temp.g AFTER INSERT ON main.log BEGIN DELETE FROM audit; END",
        "CREATE TRIGGER IF NOT EXISTS \"TEMP\".g AFTER INSERT ON log BEGIN SELECT 1; END",
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
    for sql in [
        "UPDATE sqlite_schema SET sql = ''",
        "DELETE FROM sqlite_master",
        "INSERT INTO sqlite_schema VALUES (1, 1, 1, 1, 1)",
    ] {
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
        for sql in [
            "SELECT x FROM other.apart",
            "SELECT count(*) FROM apart",
            "INSERT INTO apart VALUES (1)",
            "SELECT x FROM passing",
        ] {
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

/// What was found to be allowed by itself counts on when something is touched that is not remembered.
#[test]
fn a_refused_statement_teaches_nothing_that_lets_another_pass() {
    let grants = "read = ['customer(id, louder)', 'joined', 'account(id, secret)', 'text']\nfunctions = ['random']";
    for (refused, disguised) in [
        ("SELECT louder FROM customer", "SELECT louder, random() FROM customer"),
        ("SELECT louder FROM customer", "SELECT random() FROM customer WHERE louder > 'M'"),
        ("SELECT louder FROM customer", "SELECT louder, (SELECT max(block) FROM text_data) FROM customer"),
        ("SELECT id FROM joined", "SELECT id, random() FROM joined"),
    ] {
        held(Some(grants), |session| {
            for sql in [refused, disguised, refused, disguised] {
                let error = run(session, sql).expect_err(sql);
                assert_eq!(error.code, ErrorCode::Denied, "{sql}: {error}");
            }
        });
    }
}

/// Characters that are blanks, but none to SQLite, are cut off wherever statements are kept prepared.
#[test]
fn blanks_around_a_statement_hide_nothing() {
    const BLANKS: [&str; 9] = [" ", "\n", "\u{b}", "\u{85}", "\u{a0}", "\u{1680}", "\u{2003}", "\u{2028}", "\u{3000}"];
    const STATEMENTS: [&str; 16] = [
        "",
        "-- nothing",
        "INSERT INTO log VALUES (1)",
        "INSERT INTO counted (x) VALUES (1)",
        "SELECT * FROM log",
        "SELECT * FROM log NATURAL JOIN customer",
        "WITH c AS (SELECT 1) SELECT * FROM c",
        "CREATE TABLE acme_a (x)",
        "CREATE TABLE acme_b AS SELECT * FROM customer",
        "CREATE VIEW acme_v AS SELECT 1",
        "DROP TABLE log",
        "ANALYZE",
        "BEGIN",
        "EXPLAIN QUERY PLAN SELECT secret FROM customer",
        "PRAGMA user_version = 7",
        "VACUUM",
    ];
    let ways: [fn(&mut dyn Session, &str) -> Result<(), DbError>; 3] = [
        |session, sql| session.execute(sql, &[]).map(drop),
        |session, sql| session.prepare(sql).and_then(|statement| session.execute_prepared(statement, &[])).map(drop),
        |session, sql| session.open_cursor(sql, &[]).map(drop),
    ];
    let outcome = |way: fn(&mut dyn Session, &str) -> Result<(), DbError>, sql: &str| {
        let grants = "read = ['log']\ninsert = ['counted']\ncreate = ['acme_*']";
        held(Some(grants), |session| way(session, sql).map_err(|error| (error.code, error.message)))
    };
    for way in ways {
        for statement in STATEMENTS {
            let expected = outcome(way, statement);
            for blank in BLANKS {
                for sql in [
                    format!("{blank}{statement}"),
                    format!("{statement}{blank}"),
                    format!("{blank} {statement}{blank}"),
                ] {
                    assert_eq!(outcome(way, &sql), expected, "{sql:?}");
                }
            }
        }
    }
}
