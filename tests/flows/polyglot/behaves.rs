//! What every SDK offers beside rows: savepoints, progress, the log, and errors by what kind of failure they are.

use whimbrel::limits::Limit;
use whimbrel::wasm::PluginError;
use xtask::polyglot::Language;

use super::super::guests::Stage;
use super::guest;

/// Every language but Rust, whose own guest does the same: `tests/flows/guests.rs`.
fn guests() -> impl Iterator<Item = (Language, Vec<u8>)> {
    let others = Language::ALL.into_iter().filter(|language| *language != Language::Rust);
    others.filter_map(|language| Some((language, guest(language, "behaves")?)))
}

#[test]
fn savepoints_progress_and_kinds_of_errors_are_the_same_in_every_language() {
    for (language, guest) in guests() {
        let stage = Stage::new(&guest, "");
        stage.up().unwrap_or_else(|error| panic!("{language}: {error:?} {:#?}", stage.heard()));
        assert_eq!(
            stage.heard(),
            [
                "1 of Some(2)",
                "Info denied denied",
                "Info constraint constraint-not-null",
                "Info database syntax",
                "Info constraint constraint-unique in row 2",
                "2 of None",
            ],
            "{language}"
        );
        for (_, first, last, _) in stage.people() {
            assert_eq!((first.as_deref(), last.as_deref()), (Some("outer"), Some("outer")), "{language}");
        }
    }
}

#[test]
fn a_limit_is_told_apart_and_cannot_be_made_a_success() {
    for (language, guest) in guests() {
        let stage = Stage::new(&guest, "[limits]\nparameters = 2\n[params]\ndo = \"limit\"\n");
        match stage.fails_as_guest() {
            PluginError::Limit(reached) => assert_eq!(reached.limit, Limit::Parameters, "{language}"),
            other => panic!("{language}: {other:?}"),
        }
        assert_eq!(stage.heard(), ["Info limit limit"], "{language}");
    }
}

#[test]
fn rows_that_a_writer_never_sent_fail_the_migration() {
    for (language, guest) in guests() {
        if matches!(language, Language::JavaScript | Language::TypeScript) {
            // A writer is given to a function, and what that has left is sent when it returns.
            continue;
        }
        let stage = Stage::new(&guest, "[params]\ndo = \"leave\"\n");
        match stage.fails_as_guest() {
            PluginError::Refused { message, .. } => {
                let told = "a writer was left with 3 rows that were never sent: call ";
                assert!(message.starts_with(told), "{language}: {message}");
            }
            other => panic!("{language}: {other:?}"),
        }
    }
}

#[test]
fn every_line_that_c_prints_reaches_the_log() {
    let Some(guest) = guest(Language::C, "behaves") else { return };
    let stage = Stage::new(&guest, "[params]\ndo = \"print\"\n");
    stage.up().unwrap();
    assert_eq!(stage.heard(), ["Info line 1", "Info line 2", "Info line 3", "Info and no more"]);
}
