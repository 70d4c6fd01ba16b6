//! Rows that cannot be transformed or written, kept aside.

use super::{SPLIT, Stage, counts, people};

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
        let rejects = stage.migrator().rejects("2".parse().unwrap()).unwrap();
        assert_eq!(rejects.len(), 50);
        assert_eq!((rejects[1].key.as_str(), rejects[1].reason.as_str()), ("id 117", "bad 117 is no name"));
        assert_eq!(rejects[1].values, r#"{"key":{"id":{"integer":"117"}},"read":{"full_name":{"text":"bad 117"}}}"#);
    }
}
