//! The way back: what is run after a takeover stands in the other tool's table too, as if the tool had run it.

use super::{CASES, Case, foreign_tables, project};
use crate::harness::Project;

/// The tools whose table goes on being written, with what makes the second migration one that can be taken back.
const BACK: [(&str, Option<(&str, &str)>); 8] = [
    ("sqlx", None),
    ("refinery", None),
    ("flyway", Some(("U1.2__more.sql", "DROP TABLE u;\n"))),
    ("golang-migrate", Some(("2_more.down.sql", "DROP TABLE u;\n"))),
    ("goose", Some(("00002_more.sql", "-- +goose Up\nCREATE TABLE u (id INTEGER);\n-- +goose Down\nDROP TABLE u;\n"))),
    (
        "dbmate",
        Some(("20260102_more.sql", "-- migrate:up\nCREATE TABLE u (id INTEGER);\n-- migrate:down\nDROP TABLE u;\n")),
    ),
    ("diesel", Some(("2026-01-02-000000_more/down.sql", "DROP TABLE u;\n"))),
    ("d1", None),
];

fn case(tool: &str) -> &'static Case {
    CASES.iter().find(|case| case.tool == tool).expect("there is one")
}

/// Forgets our history and takes the tool's over again: how many migrations it has, all as the tool would have them.
fn adopted_again(project: &Project, case: &Case) -> usize {
    let database = project.database();
    database.execute_batch("DELETE FROM _whimbrel_history").unwrap();
    let again = project.ok(&["adopt", "--json", "--keep-writing"]).json("adopt");
    assert_eq!(again["keep_writing"], true);
    let rows = again["migrations"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["verdict"] == case.verdict), "{}: {again}", case.tool);
    rows.len()
}

#[test]
fn each_tool_finds_in_its_table_what_was_run_and_reverted_since() {
    for (tool, down) in BACK {
        let case = case(tool);
        let project = project(case);
        if let Some((file, text)) = down {
            project.write(&format!("migrations/{file}"), text);
        }
        project.ok(&["adopt", "--keep-writing"]);
        let before = foreign_tables(&project);
        project.ok(&["up", "--dry-run"]);
        assert_eq!(foreign_tables(&project), before, "{tool}: a dry run");
        project.ok(&["up"]);
        assert_eq!(adopted_again(&project, case), 2, "{tool}: {:?}", foreign_tables(&project));
        if down.is_some() {
            project.ok(&["down"]);
            assert_eq!(adopted_again(&project, case), 1, "{tool}: {:?}", foreign_tables(&project));
            project.ok(&["up", "--single-transaction"]);
            assert_eq!(adopted_again(&project, case), 2, "{tool}: {:?}", foreign_tables(&project));
        }
    }
}

#[test]
fn rows_look_as_the_tool_writes_them() {
    let row = |tool: &str| {
        let project = project(case(tool));
        project.ok(&["adopt", "--keep-writing"]);
        project.ok(&["up"]);
        foreign_tables(&project).pop().expect("a row")
    };
    let digest = "Text(\"2";
    for (tool, parts) in [
        ("sqlx", ["Integer(2), Text(\"more\"), ", digest, "Integer(1), Blob(["].as_slice()),
        ("refinery", &["Integer(2), Text(\"more\"), ", digest, "Z\"), Text(\""]),
        ("flyway", &["Integer(2), Text(\"1.2\"), Text(\"more\"), Text(\"SQL\"), Text(\"V1.2__more.sql\"), Integer("]),
        ("golang-migrate", &["[Integer(2), Integer(0)]"]),
        ("dbmate", &["[Text(\"20260102\")]"]),
        ("diesel", &["[Text(\"20260102000000\"), ", digest]),
        ("goose", &["Integer(2), Integer(1), ", digest]),
        ("d1", &["Integer(2), Text(\"0002_more.sql\"), ", digest]),
    ] {
        let row = row(tool);
        assert!(parts.iter().all(|part| row.contains(part)), "{tool}: {row}");
    }
}

#[test]
fn what_the_tool_has_applied_meanwhile_stops_the_step_and_nothing_is_lost() {
    let project = project(case("sqlx"));
    project.ok(&["adopt", "--keep-writing"]);
    project.database().execute_batch("INSERT INTO _sqlx_migrations VALUES (2, 'more', 'x', 1, x'00', 1)").unwrap();
    let failed = project.unchanged(|| project.run(&["up"]));
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.stderr.contains("cannot write the history of the other tool"), "{failed}");
    assert!(failed.stderr.contains("UNIQUE constraint failed: _sqlx_migrations.version"), "{failed}");
}

#[test]
fn tools_whose_rows_nobody_knows_are_refused_by_name() {
    for tool in ["prisma", "atlas", "drizzle", "sea-orm"] {
        let case = case(tool);
        let project = project(case);
        if tool == "prisma" {
            project.database().execute_batch("DELETE FROM _prisma_migrations WHERE id = 'b'").unwrap();
        }
        let refused = project.unchanged(|| project.run(&["adopt", "--keep-writing"]));
        assert_eq!(refused.code, 1, "{refused}");
        let said =
            format!("error: the history of {tool} cannot be kept up to date: what it would write of a migration");
        assert!(refused.stderr.contains(&said), "{refused}");
        assert!(refused.stderr.contains("hint: take it over without --keep-writing"), "{refused}");
    }
}
