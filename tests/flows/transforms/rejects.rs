//! Rows that cannot be transformed or written, kept aside.

use whimbrel::model::Version;

use super::{SPLIT, Stage, chain, counts, people};

fn some_bad() -> String {
    format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id % 100 = 17", people(5000))
}

#[test]
fn leaves_bad_rows_out() {
    for jobs in [1, 2] {
        let stage = Stage::new(&some_bad(), "picky", &format!("{SPLIT}on_error = 'skip'\njobs = {jobs}"));
        assert_eq!(stage.counts(), counts(5000, 4950, 0, 50));
        assert_eq!(stage.lines("SELECT count(*) FROM person WHERE first_name IS NULL AND id % 100 = 17"), ["50"]);
        assert_eq!(stage.lines("SELECT count(*) FROM person WHERE first_name = 'Given' || id"), ["4950"]);
    }
}

#[test]
fn stops_beyond_the_most_rejects() {
    let stage = Stage::new(&some_bad(), "picky", &format!("{SPLIT}on_error = 'skip'\nmax_rejects = 10"));
    let message = stage.fails();
    assert_eq!(
        message,
        "more than 10 rows of person cannot be transformed; the last one, with id 1017: bad 1017 is no name"
    );
}

#[test]
fn a_guest_that_refuses_everything_ends() {
    let stage = Stage::new(&people(3000), "fail-all", &format!("{SPLIT}on_error = 'skip'\nmax_rejects = 5000"));
    assert_eq!(stage.counts(), counts(3000, 0, 0, 3000));
}

#[test]
fn leaves_rows_out_that_break_a_constraint() {
    let schema = format!(
        "{}; CREATE TRIGGER no BEFORE UPDATE ON person WHEN new.id % 1000 = 0 BEGIN SELECT raise(ABORT, 'never'); END;",
        people(3000)
    );
    let stage = Stage::new(&schema, "split", &format!("{SPLIT}on_error = 'skip'"));
    assert_eq!(stage.counts(), counts(3000, 2997, 0, 3));
}

#[test]
fn rows_that_the_database_leaves_as_they_were_are_not_counted_as_written() {
    let ignores = "CREATE TRIGGER no BEFORE UPDATE ON person WHEN new.id % 3 = 0 BEGIN
        UPDATE seen SET n = n + 1; SELECT raise(IGNORE); END; CREATE TABLE seen (n); INSERT INTO seen VALUES (0)";
    let deletes = "CREATE TRIGGER gone BEFORE UPDATE ON person WHEN new.id % 3 = 0 BEGIN
        DELETE FROM person WHERE id = new.id; END";
    for trigger in [ignores, deletes] {
        let stage = Stage::new(&format!("{}; {trigger}", people(30)), "split", SPLIT);
        assert_eq!(stage.counts(), counts(30, 20, 10, 0), "{trigger}");
    }
    // Kept aside, ignored and written, in chunks and at once.
    let same = "UPDATE person SET full_name = 'One Name' WHERE id IN (5, 6, 7)";
    for (on_error, rest) in [("stop", 0), ("skip", 1)] {
        let bad = if rest == 1 { "UPDATE person SET full_name = 'bad 9' WHERE id = 9" } else { "" };
        let schema = people(30).replace("first_name TEXT", "first_name TEXT UNIQUE ON CONFLICT IGNORE");
        let schema = format!("{schema}; {same}; {bad}");
        let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = '{on_error}'\nchunk = 7"));
        assert_eq!(stage.counts(), counts(30, 28 - rest, 2, rest), "{on_error}");
        assert_eq!(stage.lines("SELECT count(first_name) FROM person"), [(28 - rest).to_string()]);
    }
}

#[test]
fn rows_that_another_table_does_not_take_are_not_counted_as_written() {
    let split = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']\n";
    let ignores = "CREATE TABLE word (person, position, word UNIQUE ON CONFLICT IGNORE)";
    let view = "CREATE TABLE kept (word); CREATE VIEW word AS SELECT 1 AS person, 2 AS position, word FROM kept;
        CREATE TRIGGER into_kept INSTEAD OF INSERT ON word BEGIN INSERT INTO kept VALUES (new.word); END";
    for (table, written, unchanged) in [(ignores, 4, 2), (view, 6, 0)] {
        let schema = format!(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT);
             INSERT INTO person (full_name) VALUES ('one two'), ('two three'), ('one four'); {table};"
        );
        for on_error in ["stop", "skip"] {
            let stage = Stage::new(&schema, "words", &format!("{split}on_error = '{on_error}'"));
            assert_eq!(stage.counts(), counts(3, written, unchanged, 0), "{table} {on_error}");
            assert_eq!(stage.lines("SELECT count(*) FROM word"), [written.to_string()]);
        }
    }
}

#[test]
fn nothing_stays_of_a_row_that_a_trigger_refuses_halfway() {
    let log =
        "CREATE TABLE log (id); CREATE TRIGGER logs BEFORE UPDATE ON person BEGIN INSERT INTO log VALUES (new.id); END";
    for raise in ["FAIL", "ABORT"] {
        let no = format!(
            "CREATE TRIGGER no AFTER UPDATE ON person WHEN new.id % 10 = 3 BEGIN SELECT raise({raise}, 'not this'); END"
        );
        for chunk in ["'whole'", "7"] {
            let schema = format!("{}; {log}; {no}", people(40));
            let stage = Stage::new(&schema, "split", &format!("{SPLIT}on_error = 'skip'\nchunk = {chunk}"));
            assert_eq!(stage.counts(), counts(40, 36, 0, 4), "{raise} {chunk}");
            let rejects = stage.migrator().rejects(Version::from(2)).unwrap().rows;
            let keys: Vec<&str> = rejects.iter().map(|reject| reject.key.as_str()).collect();
            assert_eq!(keys, ["id 3", "id 13", "id 23", "id 33"]);
            assert!(rejects[0].reason.starts_with("not this"), "{}", rejects[0].reason);
            let left = "SELECT id FROM person WHERE first_name IS NULL ORDER BY id";
            assert_eq!(stage.lines(left), ["3", "13", "23", "33"], "{raise} {chunk}");
            let logged = "SELECT count(*), count(DISTINCT id), sum(id % 10 = 3) FROM log";
            assert_eq!(stage.lines(logged), ["36|36|0"], "{raise} {chunk}");
        }
    }
}

#[test]
fn a_row_that_ends_the_transaction_is_named_with_its_reason() {
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']\n";
    let word = "CREATE TABLE word (person, position, word UNIQUE ON CONFLICT ROLLBACK); INSERT INTO word (word) VALUES ('Given5')";
    let no = "CREATE TRIGGER no BEFORE UPDATE ON person WHEN new.id = 5 BEGIN SELECT raise(ROLLBACK, 'not this'); END";
    let cases = [("split", SPLIT, no, "person: not this"), ("words", words, word, "word: UNIQUE constraint failed")];
    for (behaviour, transform, schema, reason) in cases {
        for rest in ["", "on_error = 'skip'", "on_error = 'skip'\nchunk = 100"] {
            let schema = format!("{}; {schema}", people(30));
            let message = Stage::new(&schema, behaviour, &format!("{transform}{rest}")).fails();
            let expected = format!("what was made of the row of person with id 5 cannot be written to {reason}");
            assert!(message.starts_with(&expected), "{rest}: {message}");
        }
    }
}

#[test]
fn all_rows_made_of_a_row_are_left_out_together() {
    let schema = "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT);
        INSERT INTO person (full_name) VALUES ('one two'), ('three taboo four'), ('five');
        CREATE TABLE word (person, position, word CHECK (word <> 'taboo'));";
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']\non_error = 'skip'";
    let stage = Stage::new(schema, "words", words);
    assert_eq!(stage.counts(), counts(3, 3, 0, 1));
    assert_eq!(stage.lines("SELECT word FROM word"), ["one", "two", "five"]);
}

#[test]
fn lists_what_was_left_out() {
    for chunk in ["'whole'", "400"] {
        let stage = Stage::new(&some_bad(), "picky", &format!("{SPLIT}on_error = 'skip'\nchunk = {chunk}"));
        assert_eq!(stage.counts(), counts(5000, 4950, 0, 50));
        let rejects = stage.migrator().rejects(Version::from(2)).unwrap().rows;
        assert_eq!(rejects.len(), 50);
        assert_eq!((rejects[1].key.as_str(), rejects[1].reason.as_str()), ("id 117", "bad 117 is no name"));
        assert_eq!(rejects[1].values, r#"{"key":{"id":{"integer":"117"}},"read":{"full_name":{"text":"bad 117"}}}"#);
    }
}

#[test]
fn tries_rows_once_more_after_they_were_mended() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id IN (2, 3, 5, 7)", people(10));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'"));
    assert_eq!(stage.counts(), counts(10, 6, 0, 4));
    let before = std::fs::read(stage.database()).unwrap();
    let nothing = stage.migrator().retry_rejects(Version::from(2)).unwrap();
    assert_eq!((nothing.rows, nothing.gone), (counts(4, 0, 0, 4), 0));
    assert_ne!(std::fs::read(stage.database()).unwrap(), before);
    rusqlite::Connection::open(stage.database())
        .unwrap()
        .execute_batch(
            "UPDATE person SET full_name = 'Mended ' || id WHERE id IN (2, 5); DELETE FROM person WHERE id = 7;
             UPDATE person SET full_name = 'Not tried' WHERE id = 1;",
        )
        .unwrap();
    let retried = stage.migrator().retry_rejects(Version::from(2)).unwrap();
    assert_eq!((retried.rows, retried.gone), (counts(3, 2, 0, 1), 1));
    let left = stage.migrator().rejects(Version::from(2)).unwrap().rows;
    assert_eq!(left.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["id 3"]);
    assert_eq!(
        stage.lines("SELECT first_name, last_name FROM person WHERE id IN (1, 2, 3, 5) ORDER BY id"),
        ["Given1|Family1", "Mended|2", "NULL|NULL", "Mended|5"]
    );
}

#[test]
fn what_must_hold_is_asked_again_when_rows_are_tried_once_more() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad 2' WHERE id = 2", people(4));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'"));
    let must_hold = "SELECT count(*) = 0 FROM person WHERE first_name = 'Never';";
    std::fs::write(stage.folder.path().join("migrations/0002_transform.verify.sql"), must_hold).unwrap();
    assert_eq!(stage.counts(), counts(4, 3, 0, 1));
    let mend = |name: &str| {
        let connection = rusqlite::Connection::open(stage.database()).unwrap();
        connection.execute("UPDATE person SET full_name = ? WHERE id = 2", [name]).unwrap();
    };
    let retry = || stage.migrator().retry_rejects(Version::from(2));
    mend("Never Right");
    let before = std::fs::read(stage.database()).unwrap();
    let error = chain(&retry().unwrap_err());
    assert_eq!(error, "the migration did not do what it should: its first value is 0");
    let told = stage.program(&["rejects", "2", "--retry"]);
    let (code, said) = (told.status.code(), String::from_utf8(told.stderr).unwrap());
    assert!(code == Some(1) && said.contains("0002_transform.verify.sql:1:1"), "{said}");
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    mend("Quite Right");
    assert_eq!(retry().unwrap().rows, counts(1, 1, 0, 0));
}

#[test]
fn rows_that_are_made_for_another_table_are_tried_once_more() {
    let schema = "CREATE TABLE person (a TEXT, b BLOB, full_name TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
        INSERT INTO person VALUES ('x', 1, 'one two'), ('x', x'00ff', 'taboo'), ('y', 2.5, 'taboo three');
        CREATE TABLE word (person, position, word CHECK (word <> 'taboo'));";
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']\non_error = 'skip'";
    let schema = schema.replace("a TEXT, b", "a TEXT, id INTEGER AS (length(b)), b");
    let stage = Stage::new(&schema, "words", words);
    assert_eq!(stage.counts(), counts(3, 2, 0, 2));
    rusqlite::Connection::open(stage.database())
        .unwrap()
        .execute_batch("UPDATE person SET full_name = replace(full_name, 'taboo', 'four')")
        .unwrap();
    let retried = stage.migrator().retry_rejects(Version::from(2)).unwrap();
    assert_eq!((retried.rows, retried.gone), (counts(2, 3, 0, 0), 0));
    assert_eq!(stage.lines("SELECT word FROM word ORDER BY rowid"), ["one", "two", "four", "four", "three"]);
}

#[test]
fn tries_nothing_with_another_component_or_before_it_is_applied() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 2", people(3));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'"));
    let retry = || stage.migrator().retry_rejects(Version::from(2));
    assert!(retry().unwrap_err().to_string().contains("migration 2 transform is not applied"));
    stage.counts();
    stage.manifest("split", &format!("{SPLIT}on_error = 'skip'"));
    assert!(retry().unwrap_err().to_string().contains("was changed after it was applied"));
}

#[test]
fn the_program_ends_in_a_way_of_its_own_and_retries_in_one_command() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id IN (2, 5)", people(6));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'"));
    let tried = stage.program(&["up", "--dry-run"]);
    assert_eq!(tried.status.code(), Some(5));
    let applied = stage.program(&["up"]);
    assert_eq!(applied.status.code(), Some(5));
    let said = String::from_utf8(applied.stdout).unwrap();
    let expected =
        "2 rows were kept aside: `whimbrel rejects 2` shows them, and with --retry transforms them once more.\n";
    assert!(said.ends_with(expected), "{said}");
    rusqlite::Connection::open(stage.database())
        .unwrap()
        .execute_batch("UPDATE person SET full_name = 'Good Name' WHERE id = 2")
        .unwrap();
    let some = stage.program(&["rejects", "2", "--retry"]);
    assert_eq!(some.status.code(), Some(5));
    assert_eq!(
        String::from_utf8(some.stdout).unwrap(),
        "Tried once more: 2 rows, 1 written, 1 rejected.\n\n  Key   Reason\n  id 5  bad 5 is no name\n\n1 row was kept aside.\n"
    );
    rusqlite::Connection::open(stage.database())
        .unwrap()
        .execute_batch("UPDATE person SET full_name = 'Good Name' WHERE id = 5")
        .unwrap();
    let all = stage.program(&["rejects", "2", "--retry", "--json"]);
    assert_eq!(all.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(
        json["retried"],
        serde_json::json!({"tried": 1, "written": 1, "unchanged": 0, "rejected": 0, "gone": 0})
    );
    assert_eq!(json["rows"], serde_json::json!([]));
    let none = stage.program(&["rejects", "2", "--retry"]);
    assert_eq!(String::from_utf8(none.stdout).unwrap(), "No rows were kept aside.\n");
    assert_eq!(stage.program(&["up"]).status.code(), Some(0));
}
