//! Triggers and foreign keys that would bring rows in front of a transform in chunks once more, and schemas that change
//! between two chunks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use whimbrel::exec::{Event, Observer};
use whimbrel::plan::{State, Until};

use super::{SPLIT, Stage, chain, counts, people};

const COUNT: &str = "[transform]\ntable = 'person'\nread = ['n']\nwrite = ['n']\nchunk = 10\n";

/// Changes the schema by another connection after the first chunk.
struct AfterTheFirst {
    database: std::path::PathBuf,
    sql: &'static str,
    done: AtomicBool,
}

impl Observer for AfterTheFirst {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::ChunkCommitted { .. }) && !self.done.swap(true, Ordering::Relaxed) {
            Connection::open(&self.database).unwrap().execute_batch(self.sql).unwrap();
        }
    }
}

/// Runs, and changes the schema after the first chunk.
fn up_changing(stage: &Stage, sql: &'static str) -> Result<whimbrel::exec::Report, whimbrel::Error> {
    let observer = AfterTheFirst { database: stage.database(), sql, done: AtomicBool::new(false) };
    stage.builder().observer(Arc::new(observer)).build().unwrap().up(Until::End)
}

#[test]
fn what_would_move_rows_is_refused_before_anything_has_changed() {
    let in_place = [
        ("CREATE TRIGGER m AFTER UPDATE ON person WHEN new.id < 100 BEGIN
              UPDATE person SET id = id + 1000 WHERE id = new.id; END", "the trigger m writes id of person"),
        ("CREATE TRIGGER m AFTER UPDATE ON person BEGIN UPDATE person SET rowid = rowid + 1000 WHERE id = new.id; END",
            "the trigger m writes rowid of person"),
        ("CREATE TRIGGER m AFTER UPDATE ON person BEGIN INSERT INTO person (full_name) VALUES ('x y'); END",
            "the trigger m adds rows to person"),
        ("CREATE TRIGGER m AFTER UPDATE ON person BEGIN DELETE FROM person WHERE id = new.id;
              INSERT INTO person (id, n) VALUES (new.id + 1000, 1); END", "the trigger m adds rows to person"),
        // By way of another table.
        ("CREATE TABLE log (id); CREATE TRIGGER logs AFTER UPDATE OF n ON person BEGIN INSERT INTO log VALUES (new.id); END;
          CREATE TRIGGER back AFTER INSERT ON log BEGIN UPDATE person SET id = -id WHERE id = new.id; END",
            "the trigger back writes id of person"),
    ];
    for (trigger, expected) in in_place {
        let stage = Stage::new(&format!("{}; {trigger}", people(30)), "count", COUNT);
        let before = std::fs::read(stage.database()).unwrap();
        let message = chain(&stage.up().unwrap_err());
        let whole = format!("{expected}, whose rows are read by id: in chunks, a row could be transformed twice");
        assert!(message.contains(&whole), "{message}");
        assert_eq!(std::fs::read(stage.database()).unwrap(), before);
        assert!(stage.migrator().dry_run(&whimbrel::plan::Goal::LATEST).is_err());
        // In one transaction it is found out whether it does.
        stage.manifest("count", &COUNT.replace("chunk = 10\n", ""));
        if expected.contains("rowid") {
            assert_eq!(stage.counts(), counts(30, 30, 0, 0));
            assert_eq!(stage.lines("SELECT min(n), max(n), min(id) FROM person"), ["1|1|1001"]);
        }
    }
}

#[test]
fn a_foreign_key_or_a_computed_key_that_would_move_rows_is_refused() {
    // A key that follows what is written, by a foreign key of the table itself.
    let schema =
        "CREATE TABLE person (id INTEGER PRIMARY KEY, n UNIQUE, boss UNIQUE REFERENCES person (n) ON UPDATE CASCADE);
        INSERT INTO person VALUES (1, 10, 10), (2, 20, 20);";
    let by_boss = "[transform]\ntable = 'person'\nkey = ['boss']\nread = ['n']\nwrite = ['n']\nchunk = 1\n";
    let message = chain(&Stage::new(schema, "count", by_boss).up().unwrap_err());
    assert!(message.contains("a foreign key writes boss of person, whose rows are read by boss"), "{message}");
    // A key that is computed from what a trigger writes.
    let schema = "CREATE TABLE person (a INTEGER NOT NULL, n INTEGER, k INTEGER AS (a * 2) STORED);
        CREATE UNIQUE INDEX by_k ON person (k); INSERT INTO person (a) VALUES (1), (2);
        CREATE TRIGGER m AFTER UPDATE OF n ON person BEGIN UPDATE person SET a = a + 10 WHERE a = new.a; END";
    let by_k = "[transform]\ntable = 'person'\nkey = ['k']\nread = ['n']\nwrite = ['n']\nchunk = 1\n";
    let message = chain(&Stage::new(schema, "count", by_k).up().unwrap_err());
    assert!(message.contains("the trigger m writes a of person, whose rows are read by k"), "{message}");
}

#[test]
fn rows_that_go_elsewhere_must_not_come_back_to_what_is_read() {
    let word = "CREATE TABLE word (person, position, word)";
    let into =
        "key = ['id']\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']\nchunk = 10\n";
    let back = "CREATE TRIGGER back AFTER INSERT ON word BEGIN UPDATE person SET n = coalesce(n, 0) + 1 WHERE id = new.person; END";
    let schema = format!("{}; {word}; {back}", people(30));
    let of_table = format!("[transform]\ntable = 'person'\n{into}");
    assert_eq!(Stage::new(&schema, "words", &of_table).counts(), counts(30, 60, 0, 0));
    let of_query = |query: &str| format!("[transform]\nquery = '{query}'\n{into}");
    let without = of_query("SELECT id, full_name FROM person");
    assert_eq!(Stage::new(&schema, "words", &without).counts(), counts(30, 60, 0, 0));
    let with = of_query("SELECT id, full_name FROM person WHERE n IS NULL OR n < 3");
    let message = chain(&Stage::new(&schema, "words", &with).up().unwrap_err());
    assert!(message.contains("the trigger back writes n of person, which the query reads"), "{message}");
    // Through a view, the query reads what the transform writes.
    let schema = format!(
        "{}; {word}; CREATE VIEW all_of AS SELECT id, full_name FROM person
        UNION ALL SELECT rowid + 1000, word FROM word",
        people(30)
    );
    let message = chain(&Stage::new(&schema, "words", &of_query("SELECT * FROM all_of")).up().unwrap_err());
    assert!(message.contains("the transform adds rows to word, which the query reads"), "{message}");
}

#[test]
fn triggers_that_move_nothing_are_let_pass() {
    let schema = format!("{}; CREATE TABLE log (id);
        CREATE TRIGGER logs AFTER UPDATE ON person BEGIN INSERT INTO log VALUES (new.id); END;
        CREATE TRIGGER names AFTER UPDATE OF n ON person BEGIN UPDATE person SET first_name = 'x' WHERE id = new.id; END;
        CREATE TRIGGER adds AFTER DELETE ON person BEGIN INSERT INTO person (id) VALUES (old.id + 1000); END", people(30));
    let stage = Stage::new(&schema, "count", COUNT);
    assert_eq!(stage.counts(), counts(30, 30, 0, 0));
    assert_eq!(stage.lines("SELECT count(*), max(n), count(first_name) FROM person"), ["30|1|30"]);
}

#[test]
fn a_trigger_that_comes_between_two_chunks_is_held_against_the_transform() {
    let moves = "CREATE TRIGGER m AFTER UPDATE OF n ON person BEGIN
        UPDATE person SET id = id + 1000 WHERE id = new.id AND id < 1000; END";
    let stage = Stage::new(&people(30), "count", COUNT);
    let message = chain(&up_changing(&stage, moves).unwrap_err());
    assert!(message.contains("the trigger m writes id of person"), "{message}");
    assert_eq!(stage.lines("SELECT count(n), max(n), max(id) FROM person"), ["10|1|30"]);
    assert_eq!(stage.migrator().status().unwrap().entries[1].state, State::InProgress);
    Connection::open(stage.database()).unwrap().execute_batch("DROP TRIGGER m").unwrap();
    assert_eq!(stage.counts(), counts(30, 30, 0, 0));
    assert_eq!(stage.lines("SELECT count(n), max(n), max(id) FROM person"), ["30|1|30"]);
}

#[test]
fn a_trigger_that_comes_between_two_chunks_leaves_no_half_rows() {
    let refuses =
        "CREATE TABLE log (id); CREATE TRIGGER logs BEFORE UPDATE ON person BEGIN INSERT INTO log VALUES (new.id); END;
        CREATE TRIGGER no AFTER UPDATE ON person WHEN new.id % 10 = 3 BEGIN SELECT raise(FAIL, 'not this'); END";
    let stage = Stage::new(&people(30), "split", &format!("{SPLIT}chunk = 10\non_error = 'skip'\n"));
    let report = up_changing(&stage, refuses).unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(30, 28, 0, 2)));
    // Instances of before and after the change have burnt it.
    assert_eq!(report.steps[0].fuel, stage.migrator().history().unwrap()[1].record().fuel);
    assert_eq!(stage.lines("SELECT id FROM person WHERE first_name IS NULL"), ["13", "23"]);
    assert_eq!(stage.lines("SELECT count(*), sum(id % 10 = 3) FROM log"), ["18|0"]);
}

#[test]
fn another_key_between_two_chunks_is_nowhere_to_go_on() {
    let rebuilt = "CREATE TABLE other (id INTEGER, full_name TEXT PRIMARY KEY, first_name, last_name, n);
        INSERT INTO other SELECT * FROM person; DROP TABLE person; ALTER TABLE other RENAME TO person";
    let stage = Stage::new(&people(30), "count", COUNT);
    let message = chain(&up_changing(&stage, rebuilt).unwrap_err());
    assert!(
        message.contains("person has another key than it had, full_name, so where to go on is not known"),
        "{message}"
    );
    // What has nothing to do with it changes nothing.
    let stage = Stage::new(&people(30), "count", COUNT);
    let report = up_changing(&stage, "CREATE TABLE other (x); ALTER TABLE person ADD COLUMN y").unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(30, 30, 0, 0)));
}
