//! Databases of other tools, taken over half way and finished by whimbrel. The tables are those that each tool makes.

mod back;
mod flyway;

use crate::harness::Project;

const FIRST: &str = "CREATE TABLE t (id INTEGER);\n";
const SECOND: &str = "CREATE TABLE u (id INTEGER);\n";

/// The table of a tool, with a row for the first of two migrations.
struct Case {
    tool: &'static str,
    /// The folder of the two migrations.
    files: &'static [(&'static str, &'static str)],
    /// What the tool has left in the database beside the table `t`.
    history: &'static str,
    /// Words for what became of the checksum of the first migration.
    verdict: &'static str,
    /// The version as the tool has it.
    origin: &'static str,
}

const FLYWAY_TABLE: &str = "CREATE TABLE flyway_schema_history (\
    \"installed_rank\" INT NOT NULL PRIMARY KEY, \"version\" VARCHAR(50), \"description\" VARCHAR(200) NOT NULL, \
    \"type\" VARCHAR(20) NOT NULL, \"script\" VARCHAR(1000) NOT NULL, \"checksum\" INT, \"installed_by\" VARCHAR(100) NOT NULL, \
    \"installed_on\" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')), \"execution_time\" INT NOT NULL, \
    \"success\" BOOLEAN NOT NULL);";

const CASES: [Case; 13] = [
    Case {
        tool: "sqlx",
        files: &[("1_initial.sql", FIRST), ("2_more.sql", SECOND)],
        history: "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
            installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
            execution_time BIGINT NOT NULL); \
            INSERT INTO _sqlx_migrations VALUES (1, 'initial', '2026-11-20 14:26:29', TRUE, \
            X'31c9c51c2fbe966702e47926c878cf83e5420e292fcbda37e8dc00658e0475998e904e629319554807ff3fa51b55e60b', 12345);",
        verdict: "matched",
        origin: "1",
    },
    Case {
        tool: "refinery",
        files: &[("V1__initial.sql", FIRST), ("V2__more.sql", SECOND)],
        history: "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name VARCHAR(255), \
            applied_on VARCHAR(255), checksum VARCHAR(255)); \
            INSERT INTO refinery_schema_history VALUES (1, 'initial', '2026-11-20T14:26:29.486817036Z', '12689814457148156565');",
        verdict: "matched",
        origin: "1",
    },
    Case {
        tool: "flyway",
        files: &[("V1__initial.sql", FIRST), ("V1.2__more.sql", SECOND)],
        history: "INSERT INTO flyway_schema_history VALUES \
            (1, '1', 'initial', 'SQL', 'V1__initial.sql', -1953813711, '', '2026-11-20 14:26:29.000', 3, 1);",
        verdict: "matched",
        origin: "1",
    },
    Case {
        tool: "golang-migrate",
        files: &[("1_initial.up.sql", FIRST), ("2_more.up.sql", SECOND)],
        history: "CREATE TABLE schema_migrations (version uint64, dirty bool); \
            CREATE UNIQUE INDEX version_unique ON schema_migrations (version); \
            INSERT INTO schema_migrations VALUES (1, 0);",
        verdict: "unverifiable",
        origin: "1",
    },
    Case {
        tool: "goose",
        files: &[
            ("00001_initial.sql", "-- +goose Up\nCREATE TABLE t (id INTEGER);\n"),
            ("00002_more.sql", "-- +goose Up\nCREATE TABLE u (id INTEGER);\n"),
        ],
        history: "CREATE TABLE schema_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, \
            is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now'))); \
            INSERT INTO schema_migrations (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1), (2, 0);",
        verdict: "unverifiable",
        origin: "1",
    },
    Case {
        tool: "dbmate",
        files: &[
            ("20260101_initial.sql", "-- migrate:up\nCREATE TABLE t (id INTEGER);\n"),
            ("20260102_more.sql", "-- migrate:up\nCREATE TABLE u (id INTEGER);\n"),
        ],
        history: "CREATE TABLE schema_migrations (version varchar(128) primary key); \
            INSERT INTO schema_migrations VALUES ('20260101');",
        verdict: "unverifiable",
        origin: "20260101",
    },
    Case {
        tool: "diesel",
        files: &[("2026-01-01-000000_initial/up.sql", FIRST), ("2026-01-02-000000_more/up.sql", SECOND)],
        history: "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
            run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP); \
            INSERT INTO __diesel_schema_migrations (version) VALUES ('20260101000000');",
        verdict: "unverifiable",
        origin: "20260101000000",
    },
    Case {
        tool: "prisma",
        files: &[("20260101000000_initial/migration.sql", FIRST), ("20260102000000_more/migration.sql", SECOND)],
        history: "CREATE TABLE _prisma_migrations (id TEXT PRIMARY KEY NOT NULL, checksum TEXT NOT NULL, \
            finished_at DATETIME, migration_name TEXT NOT NULL, logs TEXT, rolled_back_at DATETIME, \
            started_at DATETIME NOT NULL DEFAULT current_timestamp, applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0); \
            INSERT INTO _prisma_migrations VALUES ('a', 'cb7bba9473513daa6e6daf9337f9d5822cbc95cac71c944b6bf85958041038e1', \
            1795184789000, '20260101000000_initial', NULL, NULL, 1795184789000, 1), \
            ('b', 'x', NULL, '20260102000000_more', 'failed', 1795184789000, 1795184789000, 0);",
        verdict: "matched",
        origin: "20260101000000_initial",
    },
    Case {
        tool: "atlas",
        files: &[("1.sql", "SELECT 1;\n"), ("2.sql", SECOND), ("atlas.sum", ATLAS_SUM)],
        history: "CREATE TABLE atlas_schema_revisions (version text NOT NULL PRIMARY KEY, description text NOT NULL, \
            type integer NOT NULL DEFAULT 2, applied integer NOT NULL DEFAULT 0, total integer NOT NULL DEFAULT 0, \
            executed_at datetime NOT NULL, execution_time integer NOT NULL, error text NULL, error_stmt text NULL, \
            hash text NOT NULL, partial_hashes json NULL, operator_version text NOT NULL); \
            INSERT INTO atlas_schema_revisions VALUES ('.atlas_cloud_identifier', '', 2, 0, 0, '2026-11-20 14:26:29', 0, '', '', '', 'null', ''), \
            ('1', '', 2, 1, 1, '2026-11-20 14:26:29+00:00', 5, '', '', '/LIYEXNc34X4BgMCjkBOvNY/5Pgu0dgi84pBUYSOYN0=', 'null', 'Atlas CLI');",
        verdict: "matched",
        origin: "1",
    },
    Case {
        tool: "drizzle",
        files: &[("0000_initial.sql", FIRST), ("0001_more.sql", SECOND)],
        history: "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric); \
            INSERT INTO __drizzle_migrations (hash, created_at) VALUES \
            ('cb7bba9473513daa6e6daf9337f9d5822cbc95cac71c944b6bf85958041038e1', 1795184789123);",
        verdict: "matched",
        origin: "1795184789123",
    },
    Case {
        tool: "drizzle",
        files: &[("20261120142629_initial/migration.sql", FIRST), ("20261121142629_more/migration.sql", SECOND)],
        history: "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric, \
            name text, applied_at TEXT); \
            INSERT INTO __drizzle_migrations VALUES (1, 'cb7bba9473513daa6e6daf9337f9d5822cbc95cac71c944b6bf85958041038e1', \
            1795184789000, '20261120142629_initial', '2026-11-20T14:26:30.723Z');",
        verdict: "matched",
        origin: "1795184789000",
    },
    Case {
        tool: "d1",
        files: &[("0001_initial.sql", FIRST), ("0002_more.sql", SECOND)],
        history: "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, \
            applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL); \
            INSERT INTO d1_migrations (name) VALUES ('0001_initial.sql');",
        verdict: "unverifiable",
        origin: "0001_initial.sql",
    },
    Case {
        tool: "sea-orm",
        files: &[("20260102000000_more.sql", SECOND)],
        history: "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL); \
            INSERT INTO seaql_migrations VALUES ('m20260101_000000_initial', 1795184789);",
        verdict: "unverifiable",
        origin: "m20260101_000000_initial",
    },
];

const ATLAS_SUM: &str = "";

fn project(case: &Case) -> Project {
    let files: Vec<(&str, &str)> = case.files.iter().copied().filter(|(name, _)| *name != "atlas.sum").collect();
    let project = Project::with(&files);
    let database = project.database();
    if case.tool == "flyway" {
        database.execute_batch(FLYWAY_TABLE).unwrap();
    }
    database.execute_batch(FIRST).unwrap();
    database.execute_batch(case.history).unwrap();
    if case.tool == "atlas" {
        project.write("whimbrel.toml", "database = \"app.db\"\nlayout = \"atlas\"\n");
    }
    project
}

fn foreign_tables(project: &Project) -> Vec<String> {
    let database = project.database();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%whimbrel%' AND name NOT LIKE 'sqlite_%' \
               AND name NOT IN ('t', 'u') ORDER BY name";
    let names: Vec<String> =
        database.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut rows = Vec::new();
    for name in names {
        let mut statement = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = statement.column_count();
        let found = statement
            .query_map([], |row| {
                let cells = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at).unwrap());
                Ok(format!("{name}: {:?}", cells.collect::<Vec<_>>()))
            })
            .unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

#[test]
fn takes_over_half_a_history_of_each_tool_and_finishes_it() {
    for case in &CASES {
        let project = project(case);
        let before = foreign_tables(&project);

        let planned = project.unchanged(|| project.ok(&["adopt", "--dry-run", "--json"])).json("adopt");
        assert_eq!((planned["tool"].as_str(), planned["dry_run"].as_bool()), (Some(case.tool), Some(true)));

        let done = project.ok(&["adopt", "--json"]).json("adopt");
        assert_eq!(done["migrations"].as_array().map(Vec::len), Some(1), "{}: {done}", case.tool);
        assert_eq!(done["migrations"][0]["verdict"], case.verdict, "{}: {done}", case.tool);
        assert_eq!(done["migrations"][0]["origin_version"], case.origin, "{}", case.tool);
        assert_eq!(done["migrations"], planned["migrations"].clone(), "{}", case.tool);
        assert_eq!(done["pending"].as_array().map(Vec::len), Some(1), "{}", case.tool);
        assert_eq!(foreign_tables(&project), before, "{}: its table stays as it is", case.tool);

        let up = project.ok(&["up", "--json"]).json("up");
        assert_eq!(up["steps"].as_array().map(Vec::len), Some(1), "{}: {up}", case.tool);
        assert_eq!(project.number("SELECT count(*) FROM u"), 0);
        project.ok(&["verify"]);
        let history = project.ok(&["history", "--json"]).json("history");
        assert_eq!(history["rows"][0]["origin"]["tool"], case.tool);
        assert_eq!(foreign_tables(&project), before, "{}", case.tool);
    }
}

#[test]
fn takes_over_what_cannot_be_taken_apart_as_a_baseline() {
    let cases = [
        (
            "alembic",
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)); \
            INSERT INTO alembic_version VALUES ('ae1027a6acf'), ('27c6a30d7c24');",
            "27c6a30d7c24, ae1027a6acf",
        ),
        (
            "django",
            "CREATE TABLE django_migrations (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, app varchar(255) NOT NULL, \
            name varchar(255) NOT NULL, applied datetime NOT NULL); \
            INSERT INTO django_migrations (app, name, applied) VALUES ('auth', '0001_initial', '2026-11-20 14:26:29'), \
            ('auth', '0002_more', '2026-11-20 14:26:29');",
            "auth.0002_more",
        ),
        (
            "liquibase",
            "CREATE TABLE DATABASECHANGELOG (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL, \
            DATEEXECUTED datetime NOT NULL, ORDEREXECUTED INT NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), \
            COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10)); \
            INSERT INTO DATABASECHANGELOG (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, EXECTYPE, MD5SUM) VALUES \
            ('1', 'ann', 'x.sql', '2026-11-20 14:26:29', 1, 'EXECUTED', '9:997b54546e83b82fff9b50b1a89da17b');",
            "1::ann",
        ),
        (
            "tern",
            "CREATE TABLE schema_version (version int4 NOT NULL PRIMARY KEY); INSERT INTO schema_version VALUES (0);",
            "0",
        ),
        (
            "sqitch",
            "CREATE TABLE changes (change_id TEXT PRIMARY KEY, script_hash TEXT, change TEXT NOT NULL, project TEXT NOT NULL, \
            note TEXT NOT NULL, committed_at DATETIME NOT NULL, committer_name TEXT, committer_email TEXT, planned_at DATETIME, \
            planner_name TEXT, planner_email TEXT); \
            INSERT INTO changes (change_id, change, project, note, committed_at) VALUES ('x', 'users', 'app', '', '2026-11-20 14:26:29');",
            "users",
        ),
        (
            "knex",
            "CREATE TABLE knex_migrations (id integer not null primary key autoincrement, name varchar(255), batch integer, \
            migration_time datetime); \
            CREATE TABLE knex_migrations_lock (\"index\" integer not null primary key autoincrement, is_locked integer); \
            INSERT INTO knex_migrations VALUES (1, '20260101_users.js', 1, 1795184789000), (2, '20260102_more.js', 1, 1795184789000);",
            "20260102_more.js",
        ),
        (
            "kysely",
            "CREATE TABLE kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null); \
            INSERT INTO kysely_migration VALUES ('2026-01-01_users', '2026-11-20T14:26:29.000Z');",
            "2026-01-01_users",
        ),
        (
            "typeorm",
            "CREATE TABLE migrations (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, timestamp bigint NOT NULL, name varchar NOT NULL); \
            INSERT INTO migrations (timestamp, name) VALUES (1795184789000, 'Users1795184789000'), (1795184790000, 'More1795184790000');",
            "More1795184790000",
        ),
        (
            "sequelize",
            "CREATE TABLE SequelizeMeta (name VARCHAR(255) NOT NULL UNIQUE PRIMARY KEY); \
            INSERT INTO SequelizeMeta VALUES ('20260101-users.js');",
            "20260101-users.js",
        ),
        (
            "laravel",
            "CREATE TABLE migrations (id integer not null primary key autoincrement, migration varchar not null, batch integer not null); \
            INSERT INTO migrations (migration, batch) VALUES ('2026_01_01_000000_users', 1);",
            "2026_01_01_000000_users",
        ),
        (
            "ef-core",
            "CREATE TABLE __EFMigrationsHistory (MigrationId TEXT NOT NULL CONSTRAINT PK___EFMigrationsHistory PRIMARY KEY, \
            ProductVersion TEXT NOT NULL); \
            INSERT INTO __EFMigrationsHistory VALUES ('20260101000000_Users', '9.0.0');",
            "20260101000000_Users",
        ),
    ];
    for (tool, history, origin) in cases {
        let project = Project::with(&[("1_more.sql", SECOND)]);
        project.database().execute_batch(history).unwrap();
        let done = project.ok(&["adopt", "--json"]).json("adopt");
        assert_eq!(done["tool"], tool);
        assert_eq!(done["migrations"][0]["state"], "baseline", "{tool}");
        assert_eq!(done["migrations"][0]["origin_version"], origin, "{tool}");
        let up = project.ok(&["up", "--json"]).json("up");
        assert_eq!(up["steps"].as_array().map(Vec::len), Some(1), "{tool}");
        project.ok(&["verify"]);
    }
}

#[test]
fn a_lock_that_a_tool_holds_in_a_table_stops_it() {
    let cases = [
        (
            "CREATE TABLE knex_migrations (id integer primary key, name varchar(255), batch integer, migration_time datetime); \
             CREATE TABLE knex_migrations_lock (\"index\" integer primary key, is_locked integer);",
            "knex_migrations_lock SET is_locked",
        ),
        (
            "CREATE TABLE kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null); \
             CREATE TABLE kysely_migration_lock (id varchar(255) primary key, is_locked integer not null);",
            "kysely_migration_lock SET is_locked",
        ),
    ];
    for (tables, lock) in cases {
        let project = Project::with(&[("1_more.sql", SECOND)]);
        let database = project.database();
        database.execute_batch(tables).unwrap();
        let table = lock.split(' ').next().unwrap();
        database.execute_batch(&format!("INSERT INTO {table} VALUES (1, 1)")).unwrap();
        let refused = project.unchanged(|| project.run(&["adopt"]));
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stderr.contains("wait until it has ended"), "{refused}");
        database.execute_batch(&format!("UPDATE {lock} = 0")).unwrap();
        project.ok(&["adopt", "--dry-run"]);
    }
}

#[test]
fn takes_rails_over_with_every_row() {
    let project = Project::with(&[("20260103000000_more.sql", SECOND)]);
    project
        .database()
        .execute_batch(
            "CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY); \
             CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL); \
             INSERT INTO schema_migrations VALUES ('20260101000000'), ('20260102000000');",
        )
        .unwrap();
    let done = project.ok(&["adopt", "--json"]).json("adopt");
    assert_eq!((done["tool"].as_str(), done["migrations"].as_array().map(Vec::len)), (Some("rails"), Some(2)));
    let up = project.ok(&["up", "--json"]).json("up");
    assert_eq!(up["steps"].as_array().map(Vec::len), Some(1));
    project.ok(&["verify"]);
}

#[test]
fn knows_a_file_again_whatever_its_line_ends_and_its_byte_order_mark() {
    let sqlx = &CASES[0];
    for (text, verdict) in [
        (FIRST.to_owned(), "matched"),
        (FIRST.replace('\n', "\r\n"), "normalised"),
        (format!("\u{feff}{FIRST}"), "normalised"),
        (format!("\u{feff}{}", FIRST.replace('\n', "\r\n")), "normalised"),
    ] {
        let project = project(sqlx);
        project.write("migrations/1_initial.sql", &text);
        let done = project.ok(&["adopt", "--json"]).json("adopt");
        assert_eq!(done["migrations"][0]["verdict"], verdict, "{text:?}");
        project.ok(&["up"]);
        project.ok(&["verify"]);
    }
    let refinery = project(&CASES[1]);
    refinery.database().execute_batch("UPDATE refinery_schema_history SET checksum = '8569846062620922952'").unwrap();
    let done = refinery.ok(&["adopt", "--json"]).json("adopt");
    assert_eq!(done["migrations"][0]["verdict"], "matched");
}

#[test]
fn a_beginning_above_all_that_there_is_is_refused() {
    let project = Project::with(&[("0001_a.sql", "SELECT 1;"), ("0002_b.sql", "SELECT 1;")]);
    let sql = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); \
               INSERT INTO alembic_version VALUES ('ae1027a6acf');";
    project.database().execute_batch(sql).unwrap();
    for arguments in [&["adopt", "--baseline", "99"][..], &["adopt", "--baseline", "3", "--dry-run"]] {
        let refused = project.unchanged(|| project.run(arguments));
        assert!(refused.code == 1 && refused.stderr.contains("the chain has no version"), "{refused}");
    }
    project.ok(&["adopt", "--baseline", "2"]);
}

/// wrangler knows files by their names and runs one that it has no row of, whatever its number.
#[test]
fn a_name_that_the_tool_of_names_has_not_applied_is_not_taken_for_applied() {
    let table = "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, \
         applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL); INSERT INTO d1_migrations (name) VALUES ";
    let project = Project::with(&[("0001_a.sql", FIRST), ("0002_c.sql", SECOND)]);
    project.database().execute_batch(&format!("{table} ('0001_a.sql'), ('0002_b.sql')")).unwrap();
    let refused = project.unchanged(|| project.run(&["adopt"]));
    let expected = "0002_b.sql is applied, and in its place there is a file of another name: migrations/0002_c.sql";
    assert!(refused.code == 1 && refused.stderr.contains(expected), "{refused}");
    project.ok(&["adopt", "--dry-run", "--accept-changed"]);
    // It is another one with a number of its own, and the one that was applied is gone.
    project.remove("migrations/0002_c.sql");
    project.write("migrations/0003_c.sql", SECOND);
    let adopted = project.ok(&["adopt", "--json"]).json("adopt");
    assert_eq!((&adopted["migrations"][1]["name"], &adopted["pending"][0]), (&"b".into(), &"3 c".into()), "{adopted}");

    // Two files of one number, of which one was given another since.
    let project = Project::with(&[("0001_a.sql", FIRST), ("0002_c.sql", SECOND)]);
    project.database().execute_batch(&format!("{table} ('0001_a.sql'), ('0001_c.sql')")).unwrap();
    let adopted = project.ok(&["adopt", "--json"]).json("adopt");
    assert_eq!(
        (&adopted["migrations"][1]["version"], &adopted["pending"]),
        (&"2".into(), &serde_json::json!([])),
        "{adopted}"
    );
    let project = Project::with(&[("0001_a.sql", FIRST)]);
    project.database().execute_batch(&format!("{table} ('0001_a.sql'), ('0001_c.sql')")).unwrap();
    let refused = project.unchanged(|| project.run(&["adopt", "--dry-run"]));
    assert!(
        refused.code == 1 && refused.stderr.contains("0001_c.sql is applied, and there is no such file"),
        "{refused}"
    );
}

#[test]
fn a_version_that_the_tool_has_twice_stops_it() {
    let project = Project::with(&[("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n")]);
    let table = "CREATE TABLE schema_migrations (version varchar(128) primary key); INSERT INTO schema_migrations VALUES ('1'), ('01');";
    project.database().execute_batch(table).unwrap();
    let refused = project.unchanged(|| project.run(&["adopt", "--dry-run"]));
    assert!(refused.code == 1 && refused.stderr.contains("another one of the same version"), "{refused}");
}

#[test]
fn no_migration_of_version_0_counts_as_applied_by_way_of_a_baseline_nobody_named() {
    let project = Project::with(&[("0000_first.sql", FIRST), ("0001_second.sql", SECOND)]);
    let table = "CREATE TABLE knex_migrations (id integer primary key, name varchar(255), batch integer, migration_time datetime); \
         INSERT INTO knex_migrations VALUES (1, '2023_x.js', 1, 1700000000000);";
    project.database().execute_batch(table).unwrap();
    let refused = project.unchanged(|| project.run(&["adopt"]));
    let expected = "0 first would count as applied, since the chain begins at 0: migrations/0000_first.sql";
    assert!(refused.code == 1 && refused.stderr.contains(expected), "{refused}");
    let adopted = project.ok(&["adopt", "--baseline", "0", "--json"]).json("adopt");
    assert_eq!(adopted["pending"], serde_json::json!(["1 second"]), "{adopted}");
}
