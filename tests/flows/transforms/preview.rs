//! What a transform would do, shown.

use whimbrel::db::Value;
use whimbrel::transform::Selection;

use super::{PEOPLE, SPLIT, Stage, people};

#[test]
fn shows_rows_before_and_after_and_writes_nothing() {
    let schema = format!(
        "{PEOPLE}; UPDATE person SET last_name = 'Lovelace', full_name = 'bad ' || id WHERE id = 3; UPDATE person SET last_name = 'Lovelace' WHERE id = 1;"
    );
    let stage = Stage::new(&schema, "picky", SPLIT);
    let before = std::fs::read(stage.database()).unwrap();
    let preview = stage.migrator().preview("2".parse().unwrap(), &Selection::First(10)).unwrap();
    assert_eq!((preview.source.as_str(), preview.rows.len()), ("person", 3));
    let row = &preview.rows[0];
    assert_eq!(row.key, [Value::Integer(1)]);
    assert_eq!(row.before, [Value::Null, Value::from("Lovelace")]);
    assert_eq!(row.after, [[Value::from("Ada"), Value::from("Lovelace")]]);
    assert_eq!(row.changed, [true, false]);
    assert_eq!(preview.rows[2].rejected.as_deref(), Some("bad 3 is no name"));
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}

#[test]
fn finds_a_row_by_its_key() {
    let stage = Stage::new(&people(3000), "split", SPLIT);
    let key = |key: &[&str]| Selection::Key(key.iter().map(|part| (*part).to_owned()).collect());
    let preview = stage.migrator().preview("2".parse().unwrap(), &key(&["2017"])).unwrap();
    assert_eq!(preview.rows[0].after, [[Value::from("Given2017"), Value::from("Family2017")]]);
    assert!(stage.migrator().preview("2".parse().unwrap(), &key(&["9999"])).unwrap().rows.is_empty());
    let error = stage.migrator().preview("2".parse().unwrap(), &key(&["1", "2"])).unwrap_err();
    assert!(super::chain(&error).contains("the key has 1 columns (id), and 2 values were given"), "{error}");
}

#[test]
fn refuses_what_cannot_be_shown() {
    let stage = Stage::new(PEOPLE, "split", SPLIT);
    let refused = |version: &str| stage.migrator().preview(version.parse().unwrap(), &Selection::First(1)).unwrap_err();
    assert!(refused("1").to_string().contains("migration 1 schema is no transform"));
    assert!(refused("9").to_string().contains("the chain has no version 9"));
}

#[test]
fn shows_the_rows_that_go_into_another_table() {
    let schema = format!("{PEOPLE}CREATE TABLE word (person, position, word)");
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']";
    let stage = Stage::new(&schema, "words", words);
    let preview = stage.migrator().preview("2".parse().unwrap(), &Selection::First(1)).unwrap();
    assert_eq!(preview.into.as_deref(), Some("word"));
    assert_eq!(preview.rows[0].after.len(), 2);
    assert!(preview.rows[0].before.is_empty());
}

#[test]
fn the_program_shows_previews_rejects_and_progress() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id IN (2, 5)", people(6));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'"));
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(crate::harness::program())
            .args(arguments)
            .args(["--database", "app.db", "--color", "never"])
            .current_dir(stage.database().parent().unwrap())
            .env("WHIMBREL_CACHE", super::workspace().join("target/test-component-cache"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (shown, _) = run(&["preview", "2", "--rows", "2"]);
    let expected = "id 1\n  Column      Before  After\n  first_name  NULL    'Given1'   changed\n  last_name   NULL    'Family1'  changed\n\
        id 2\n  Column     Read\n  full_name  'bad 2'\n  rejected: bad 2 is no name\n\n\
        2 rows of person: 1 changed, 1 rejected. Nothing was written.\n";
    assert_eq!(shown, expected);
    let (json, _) = run(&["preview", "2", "--key", "3", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], "whimbrel/preview/1");
    assert_eq!(json["rows"][0]["after"][0]["last_name"], "Family3");
    assert_eq!(run(&["rejects", "2"]).0, "No rows were kept aside.\n");
    let (_, said) = run(&["up"]);
    assert!(said.contains("6 rows, 4 written, 2 rejected"), "{said}");
    assert_eq!(
        run(&["rejects", "2"]).0,
        "  Key   Reason\n  id 2  bad 2 is no name\n  id 5  bad 5 is no name\n\n2 rows were kept aside.\n"
    );
}
