//! A sample that says itself whether it did what it should: asked in its step and later, in every language.

use rusqlite::Connection;
use whimbrel::Error;
use whimbrel::exec::{Asked, StepError};
use whimbrel::wasm::{self, PluginError};
use xtask::polyglot::{Form, Language, Sample};

use super::{Chain, guest, sample};

fn samples() -> impl Iterator<Item = Sample> {
    let all = Language::ALL.into_iter().flat_map(|language| Form::ALL.map(|form| (language, form)));
    all.filter_map(|(language, form)| sample(language, form))
}

fn change(chain: &Chain, sql: &str) {
    Connection::open(chain.folder.path().join("app.db")).unwrap().execute_batch(sql).unwrap();
}

/// Asks the one migration that can be asked, as `verify --deep` does.
fn asked(chain: &Chain, what: &str) -> Result<(), StepError> {
    let answers = chain.migrator().verify_deep().unwrap();
    let [answer] = <[_; 1]>::try_from(answers).unwrap_or_else(|answers| panic!("{what}: {answers:?}"));
    assert_eq!((answer.step.title().as_str(), answer.asked), ("2 mend", Asked::Code), "{what}");
    answer.result
}

/// Expects that its own `verify` said so, in its own words.
fn says(error: &StepError, words: &str, what: &str) {
    match error {
        StepError::Verify { source } => match &**source {
            PluginError::Refused { message, statement: None } => assert_eq!(message, words, "{what}"),
            other => panic!("{what}: {other:?}"),
        },
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn every_language_is_asked_in_its_step_and_whenever_an_operator_wants_to_know() {
    for Sample { language, form, bytes, .. } in samples() {
        let what = format!("{language}, {}", form.name());
        let chain = Chain::new(&bytes, form, "");
        chain.up().unwrap_or_else(|error| panic!("{what}: {error:?}"));
        asked(&chain, &what).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        change(&chain, "UPDATE customer SET first_name = NULL, last_name = NULL WHERE id < 4");
        let rows = chain.rows();
        says(&asked(&chain, &what).expect_err(&what), "3 customers lost their name", &what);
        assert!(chain.rows() == rows, "{what}: asking changed something");
    }
}

#[test]
fn in_every_language_one_that_does_not_hold_takes_the_step_back() {
    // What the migration writes into the first row does not stay there.
    let forgets = "CREATE TRIGGER forgets AFTER UPDATE OF first_name ON customer WHEN new.id = 1 BEGIN
                   UPDATE customer SET first_name = NULL, last_name = NULL WHERE id = 1; END;";
    for Sample { language, form, bytes, .. } in samples() {
        let what = format!("{language}, {}", form.name());
        let chain = Chain::new(&bytes, form, "");
        change(&chain, forgets);
        let before = chain.rows();
        let Err(Error::Run(failed)) = chain.up() else { panic!("{what}: it does not hold") };
        says(&failed.source, "1 customers lost their name", &what);
        assert!(chain.rows() == before, "{what}: something stayed");
        assert_eq!(chain.migrator().history().unwrap().len(), 1, "{what}");
        change(&chain, "DROP TRIGGER forgets");
        chain.up().unwrap_or_else(|error| panic!("{what}: {error:?}"));
    }
}

#[test]
fn none_has_to_verify_itself() {
    for language in Language::ALL.into_iter().filter(|language| *language != Language::Rust) {
        let Some(guest) = guest(language, "behaves") else { continue };
        assert_eq!(wasm::inspect(&guest).unwrap().world(), Some("migration"), "{language}");
        let stage = crate::flows::guests::Stage::new(&guest, "");
        stage.up().unwrap_or_else(|error| panic!("{language}: {error:?}"));
        assert!(stage.migrator().verify_deep().unwrap().is_empty(), "{language}");
    }
}
