//! Transforms that can be reverted, and those that cannot.

use whimbrel::Error;
use whimbrel::exec::PrepareError;
use whimbrel::plan::{PlanProblem, Until};

use super::{PEOPLE, SPLIT, Stage, chain, people};

const DOWN: &str = "[transform.down]\n";

#[test]
fn the_inverse_makes_of_rows_what_they_were() {
    for chunk in ["'whole'", "1000"] {
        let stage = Stage::new(&people(3000), "split", &format!("{SPLIT}chunk = {chunk}\n{DOWN}"));
        stage.up().unwrap();
        let connection = rusqlite::Connection::open(stage.database()).unwrap();
        connection.execute_batch("UPDATE person SET full_name = NULL").unwrap();
        drop(connection);
        let report = stage.migrator().down(Until::Steps(1)).unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!(report.steps[0].rows.unwrap().written, 3000);
        assert_eq!(
            stage.lines("SELECT count(*) FROM person WHERE full_name = 'Given' || id || ' Family' || id"),
            ["3000"]
        );
        assert_eq!(stage.migrator().applied().unwrap().len(), 1);
        stage.up().unwrap();
    }
}

#[test]
fn the_inverse_may_say_which_rows_and_columns() {
    let down = format!("{SPLIT}{DOWN}where = 'id <> 2'\nread = ['first_name', 'last_name']\nwrite = ['full_name']");
    let stage = Stage::new(PEOPLE, "split", &down);
    stage.up().unwrap();
    let connection = rusqlite::Connection::open(stage.database()).unwrap();
    connection.execute_batch("UPDATE person SET full_name = 'changed'").unwrap();
    drop(connection);
    stage.migrator().down(Until::Steps(1)).unwrap();
    assert_eq!(stage.lines("SELECT full_name FROM person ORDER BY id"), ["Ada Lovelace", "changed", "Plato "]);
}

#[test]
fn a_row_that_cannot_be_reverted_leaves_everything_as_it_is() {
    let stage = Stage::new(PEOPLE, "split", &format!("{SPLIT}on_error = 'skip'\n{DOWN}"));
    stage.up().unwrap();
    let connection = rusqlite::Connection::open(stage.database()).unwrap();
    connection.execute_batch("UPDATE person SET first_name = 'Forgotten' WHERE id = 2").unwrap();
    drop(connection);
    let before = std::fs::read(stage.database()).unwrap();
    let Err(Error::Run(error)) = stage.migrator().down(Until::Steps(1)) else { panic!("it was reverted") };
    assert_eq!(chain(&error.source), "the row of person with id 2 cannot be transformed: nobody knows any more");
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}

#[test]
fn what_cannot_be_reverted_is_said_before_anything_runs() {
    let stage = Stage::new(PEOPLE, "split", SPLIT);
    let plan = String::from_utf8(stage.program(&["plan"]).stdout).unwrap();
    assert!(plan.contains("up 2 transform  transform, irreversible  migrations/0002_transform.wasm"), "{plan}");
    stage.up().unwrap();
    let Err(Error::Plan(error)) = stage.migrator().down(Until::Steps(1)) else { panic!("there is a plan") };
    assert!(matches!(error.problems[0], PlanProblem::Irreversible { .. }), "{error}");
    let reversible = Stage::new(PEOPLE, "split", &format!("{SPLIT}{DOWN}"));
    let plan = String::from_utf8(reversible.program(&["plan"]).stdout).unwrap();
    assert!(plan.contains("up 2 transform  transform  migrations/0002_transform.wasm"), "{plan}");
    let json: serde_json::Value = serde_json::from_slice(&reversible.program(&["plan", "--json"]).stdout).unwrap();
    assert_eq!(json["steps"][0]["reversible"], true);
}

#[test]
fn the_inverse_is_held_against_the_database_too() {
    let stage = Stage::new(PEOPLE, "split", &format!("{SPLIT}{DOWN}write = ['fullname']"));
    let Err(Error::Prepare(PrepareError::Transform { problems, .. })) = stage.up() else { panic!("it fits") };
    assert_eq!(problems[0].message, "down: person has no column fullname");
}

#[test]
fn what_is_in_progress_is_finished_before_it_is_reverted() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 2500", people(3000));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}chunk = 1000\n{DOWN}"));
    stage.up().unwrap_err();
    let Err(Error::Plan(error)) = stage.migrator().down(Until::Steps(1)) else { panic!("there is a plan") };
    assert!(matches!(error.problems[0], PlanProblem::RevertInProgress { .. }), "{error}");
}
