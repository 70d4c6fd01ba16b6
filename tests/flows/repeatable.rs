//! Repeatable migrations that are code: components and scripts that run again whenever they have changed.

use super::guests::behaviours;
use crate::harness::Project;

const NOTE: &str = "CREATE TABLE note (text TEXT);\n";

/// Writes the manifest of a component that adds a note.
fn manifest(text: &str) -> String {
    format!("repeat = \"on-change\"\n[params]\ndo = \"sql\"\nsql = '''\nINSERT INTO note VALUES ('{text}')'''\n")
}

/// The same component as far as anybody can see, with other bytes: it has one more custom section.
fn with_section(component: &[u8]) -> Vec<u8> {
    [component, &[0, 5, 4], b"more"].concat()
}

/// What `status` says of the migration that has no version.
fn state(project: &Project) -> (String, String) {
    let status = project.ok(&["status", "--json"]).json("status");
    let rows = status["migrations"].as_array().unwrap();
    let row = rows.iter().find(|row| row["role"] == "repeatable").unwrap_or_else(|| panic!("{status}"));
    (row["kind"].as_str().unwrap().to_owned(), row["state"].as_str().unwrap().to_owned())
}

fn notes(project: &Project) -> Vec<String> {
    let database = project.database();
    let mut statement = database.prepare("SELECT text FROM note ORDER BY rowid").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Rows of the history that are in force and that are not, of what has no version.
fn recorded(project: &Project) -> (usize, usize) {
    let history = project.ok(&["history", "--json"]).json("history");
    let rows: Vec<_> = history["rows"].as_array().unwrap_or_else(|| panic!("{history}")).clone();
    let of: Vec<_> = rows.iter().filter(|row| row["version"].is_null()).collect();
    let now = of.iter().filter(|row| row["ended_at"].is_null()).count();
    (now, of.len() - now)
}

#[test]
fn a_component_runs_after_the_versioned_ones_and_again_when_its_bytes_change() {
    let project = Project::with(&[("0005_note.sql", NOTE), ("0001_tell.toml", &manifest("told"))]);
    project.write("migrations/0001_tell.wasm", behaviours());
    project.ok(&["up"]);
    assert_eq!(state(&project), ("component".to_owned(), "applied".to_owned()));
    project.ok(&["up"]);
    assert_eq!(notes(&project), ["told"]);

    project.write("migrations/0001_tell.wasm", with_section(behaviours()));
    assert_eq!(state(&project).1, "outdated");
    project.ok(&["up"]);
    assert_eq!((notes(&project).len(), state(&project).1.as_str()), (2, "applied"));
    assert_eq!(recorded(&project), (1, 1));
    project.ok(&["verify"]);
}

#[test]
fn a_component_runs_again_when_its_manifest_changes() {
    let project = Project::with(&[("0005_note.sql", NOTE), ("0001_tell.toml", &manifest("first"))]);
    project.write("migrations/0001_tell.wasm", behaviours());
    project.ok(&["up"]);
    project.write("migrations/0001_tell.toml", manifest("second"));
    assert_eq!(state(&project).1, "outdated");
    project.ok(&["up"]);
    assert_eq!(notes(&project), ["first", "second"]);
    assert_eq!(recorded(&project), (1, 1));
}

#[test]
fn a_script_runs_again_when_it_or_what_it_imports_changes() {
    let script = "// whimbrel: repeat = \"on-change\"\nimport { text } from \"./lib/words.js\";\n\
                  export function up(db) {\n  db.execute(\"INSERT INTO note VALUES (?)\", [text]);\n}\n";
    let words = |text: &str| format!("export const text = \"{text}\";\n");
    let project = Project::with(&[("0005_note.sql", NOTE), ("0001_tell.js", script)]);
    project.write("migrations/lib/words.js", words("first"));
    project.ok(&["up"]);
    assert_eq!(state(&project), ("script".to_owned(), "applied".to_owned()));
    project.ok(&["up"]);
    assert_eq!(notes(&project), ["first"]);

    project.write("migrations/lib/words.js", words("second"));
    assert_eq!(state(&project).1, "outdated");
    project.ok(&["up"]);
    project.write("migrations/0001_tell.js", script.replace("[text]", "[text + \"!\"]"));
    project.ok(&["up"]);
    assert_eq!(notes(&project), ["first", "second", "second!"]);
    assert_eq!(recorded(&project), (1, 2));
}

/// Git gives files other ends of lines on another system.
#[test]
fn what_ends_the_lines_of_manifests_and_scripts_does_not_count() {
    let told = "repeat = \"on-change\"\n[params]\ndo = \"sql\"\nsql = '''\nINSERT INTO note VALUES ('a');\nINSERT INTO note VALUES ('b')'''\n";
    let script = "// Tells.\n// whimbrel: repeat = \"on-change\"\n\
                  export function up(db) {\n  db.execute(\"INSERT INTO note VALUES ('script')\");\n}\n";
    let project = Project::with(&[("0005_note.sql", NOTE), ("0001_tell.toml", told), ("0002_script.js", script)]);
    project.write("migrations/0001_tell.wasm", behaviours());
    project.ok(&["up"]);
    project.ok(&["lock"]);
    for ends in ["\r\n", "\n"] {
        project.write("migrations/0001_tell.toml", told.replace('\n', ends));
        project.write("migrations/0002_script.js", script.replace('\n', ends));
        assert_eq!(state(&project).1, "applied", "{ends:?}");
        let up = project.ok(&["up", "--json"]).json("up");
        assert_eq!(up["steps"], serde_json::json!([]), "{ends:?}");
        project.ok(&["lock", "--check"]);
    }
    assert_eq!(notes(&project), ["a", "b", "script"]);
}

#[test]
fn one_that_fails_stays_outdated_and_leaves_what_was() {
    let project = Project::with(&[("0005_note.sql", NOTE), ("0001_tell.toml", &manifest("first"))]);
    project.write("migrations/0001_tell.wasm", behaviours());
    project.ok(&["up"]);
    project.write("migrations/0001_tell.toml", manifest("second'), ('third'), (nowhere"));
    assert_eq!(project.run(&["up"]).code, 1);
    assert_eq!((notes(&project), state(&project).1.as_str()), (vec!["first".to_owned()], "outdated"));
    assert_eq!(recorded(&project), (1, 0));
}
