//! What is special about Flyway: rows that take others back, and scripts that repeat.

use super::{FIRST, FLYWAY_TABLE, SECOND};
use crate::harness::Project;

/// Flyway's rows undo, delete and repeat each other.
#[test]
fn plays_the_rows_of_flyway_in_order() {
    let project = Project::with(&[
        ("V1__initial.sql", FIRST),
        ("V2__more.sql", SECOND),
        ("V3__undone.sql", "SELECT 1;"),
        ("R__views.sql", "SELECT 'new';"),
    ]);
    project.database().execute_batch(FLYWAY_TABLE).unwrap();
    project
        .database()
        .execute_batch(
            "INSERT INTO flyway_schema_history VALUES \
             (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"main\"', NULL, '', '2026-11-20 14:26:29.000', 0, 1), \
             (1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, '', '2026-11-20 14:26:29.000', 0, 1), \
             (2, '2', 'more', 'SQL', 'V2__more.sql', 1, '', '2026-11-20 14:26:29.000', 0, 1), \
             (3, '2', 'more', 'DELETE', 'V2__more.sql', 1, '', '2026-11-20 14:26:29.000', 0, 1), \
             (4, '3', 'undone', 'SQL', 'V3__undone.sql', 1, '', '2026-11-20 14:26:29.000', 0, 1), \
             (5, '3', 'undone', 'UNDO_SQL', 'U3__undone.sql', 1, '', '2026-11-20 14:26:29.000', 0, 1), \
             (6, NULL, 'views', 'SQL', 'R__views.sql', 1, '', '2026-11-20 14:26:29.000', 0, 1), \
             (7, NULL, 'views', 'SQL', 'R__views.sql', 2, '', '2026-11-20 14:26:29.000', 0, 1);",
        )
        .unwrap();
    let done = project.ok(&["adopt", "--json"]).json("adopt");
    let rows: Vec<String> = done["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {} {}", row["version"], row["name"], row["state"], row["verdict"]).replace('"', ""))
        .collect();
    assert_eq!(rows, ["1 initial baseline unverifiable", "null views outdated differs"]);
    assert_eq!(done["pending"], serde_json::json!(["2 more", "3 undone", "views"]));
}

/// Flyway has the CRC-32 of the lines of a repeatable script without their ends, as of others, but with its values put in.
#[test]
fn takes_over_what_repeats_with_flyway_by_its_checksum() {
    let view = |name: &str, x: u8| format!("DROP VIEW IF EXISTS {name};\r\nCREATE VIEW {name} AS SELECT {x} AS x;\n");
    let (same, filled, other) = (view("v", 1), view("${name}", 1), view("v", 2));
    let files = [("R__a_same.sql", &same), ("R__b_filled.sql", &filled), ("R__c_other.sql", &other)];
    let project = Project::with(&[("V1__initial.sql", FIRST)]);
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\nlayout = \"flyway\"\n[placeholders]\nname = \"w\"\n");
    project.database().execute_batch(FLYWAY_TABLE).unwrap();
    for (rank, (file, text)) in files.into_iter().enumerate() {
        project.write(&format!("migrations/{file}"), text);
        let (description, _) = file.trim_start_matches("R__").split_once('.').unwrap();
        let checksum = ["1281688395", "-1384836128", "1281688395"][rank];
        let row = format!(
            "INSERT INTO flyway_schema_history VALUES ({}, NULL, '{}', 'SQL', '{file}', {checksum}, '', '2026-11-20 14:26:29.000', 0, 1)",
            rank + 2,
            description.replace('_', " "),
        );
        project.database().execute_batch(&row).unwrap();
    }
    let first = "INSERT INTO flyway_schema_history VALUES (1, '1', 'initial', 'SQL', 'V1__initial.sql', -1953813711, '', '2026-11-20 14:26:29.000', 3, 1)";
    project.database().execute_batch(first).unwrap();
    let done = project.ok(&["adopt", "--json"]).json("adopt");
    let rows = done["migrations"].as_array().unwrap().iter();
    let rows: Vec<String> =
        rows.map(|row| format!("{} {} {}", row["name"], row["state"], row["verdict"]).replace('"', "")).collect();
    let expected =
        ["initial applied matched", "a_same applied matched", "b_filled applied matched", "c_other outdated differs"];
    assert_eq!(rows, expected);
    let up = project.ok(&["up", "--json"]).json("up");
    assert_eq!(up["steps"].as_array().map(Vec::len), Some(1), "{up}");
    assert_eq!(project.number("SELECT x FROM v"), 2);
}
