//! Guests whose answers cannot be used, and guests that stop.

use super::{PEOPLE, SPLIT, Stage, people};

const NUMBER: &str = "[transform]\ntable = 'person'\nread = ['full_name']\nwrite = ['n']\n";
const INTO: &str = "[transform]\ntable = 'person'\nread = ['full_name']\nwrite = ['x']\ninto = 'other'\n";

#[test]
fn refuses_answers_that_are_not_what_was_asked_for() {
    let cases = [
        ("too-few", NUMBER, "3 rows went in, and 2 came out"),
        ("too-many", NUMBER, "3 rows went in, and 4 came out"),
        ("no-columns", NUMBER, "it has 0 columns, and there should be 1"),
        ("two-columns", NUMBER, "it has 2 columns, and there should be 1"),
        ("lying", NUMBER, "malformed batch"),
        ("huge", NUMBER, "malformed batch"),
        ("utf8", NUMBER, "malformed batch"),
        ("fail-batch", NUMBER, "no reason"),
        ("fail-far", NUMBER, "it blames row 3, and there are 3"),
        ("origin-far", INTO, "row 0 of the answer comes from row 9999, and there are 3"),
        ("origin-back", INTO, "row 1 of the answer comes from row 0, after one from row 1"),
        ("origin-text", INTO, "row 0 of the answer does not say by a number which row it comes from"),
    ];
    let schema = format!("{PEOPLE}CREATE TABLE other (x);");
    for (behaviour, transform, expected) in cases {
        for jobs in [1, 2] {
            let message = Stage::new(&schema, behaviour, &format!("{transform}jobs = {jobs}")).fails();
            assert!(message.contains(expected), "{behaviour}: {message}");
            assert!(message.contains("the rows of person from id 1 to id 3"), "{behaviour}: {message}");
        }
    }
}

#[test]
fn names_table_and_key_of_a_row_that_fails() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 3017", people(5000));
    let message = Stage::new(&schema, "picky", SPLIT).fails();
    assert_eq!(message, "the row of person with id 3017 cannot be transformed: bad 3017 is no name");
}

#[test]
fn shows_the_words_of_a_trap_and_the_rows_around_it() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 3017", people(5000));
    let message = Stage::new(&schema, "panic", SPLIT).fails();
    assert!(message.contains("stopped at the rows of person from id 2049 to id 3072"), "{message}");
    assert!(message.contains("the parser met bad 3017"), "{message}");
}

#[test]
fn names_the_row_that_cannot_be_written() {
    let strict = "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT, n INTEGER) STRICT;
                  INSERT INTO person (full_name) VALUES ('a'), ('b');";
    let message = Stage::new(strict, "wrong-type", NUMBER).fails();
    assert!(
        message.starts_with("what was made of the row of person with id 1 cannot be written to person"),
        "{message}"
    );
    assert!(message.contains("cannot store TEXT value in INTEGER column"), "{message}");
    let unique = format!("{PEOPLE}; CREATE UNIQUE INDEX one ON person (first_name)");
    let same = "[transform]\ntable = 'person'\nread = ['full_name']\nwrite = ['first_name']";
    let message = Stage::new(&unique, "wrong-type", same).fails();
    assert!(message.contains("with id 2 cannot be written") && message.contains("UNIQUE"), "{message}");
}

#[test]
fn limits_stop_the_guest() {
    for jobs in [1, 2] {
        for (behaviour, limits, expected) in [
            ("loop", "fuel = 1_000_000", "fuel limit of 1000000"),
            ("loop", "time = '200ms'", "time limit of 200ms"),
            ("memory", "memory = '16MiB'", "memory limit of 16 MiB"),
        ] {
            let message = Stage::new(PEOPLE, behaviour, &format!("[limits]\n{limits}\n{SPLIT}jobs = {jobs}")).fails();
            assert!(message.contains(expected), "{behaviour}: {message}");
        }
    }
}

#[test]
fn rows_that_its_own_writes_add_are_not_met() {
    for jobs in [1, 2] {
        let trigger = "CREATE TRIGGER more AFTER UPDATE ON person WHEN new.id <= 3000 BEGIN
            INSERT INTO person (full_name) VALUES ('x y'); END;";
        let schema = format!("{}; {trigger}", people(3000));
        let stage = Stage::new(&schema, "split", &format!("{SPLIT}jobs = {jobs}"));
        assert_eq!(stage.counts(), super::counts(3000, 3000, 0, 0));
        assert_eq!(stage.lines("SELECT count(*), count(first_name) FROM person"), ["6000|3000"]);
    }
    let between = "CREATE TRIGGER more AFTER UPDATE ON person WHEN new.id % 2 = 0 BEGIN
        INSERT OR IGNORE INTO person (id, full_name) VALUES (new.id + 4001, 'x y'); END;";
    let schema = format!("{}; UPDATE person SET id = -id; UPDATE person SET id = id * -2; {between}", people(5000));
    let message = Stage::new(&schema, "split", &format!("{SPLIT}jobs = 1")).fails();
    assert!(message.contains("person ends with another row than before"), "{message}");
}
