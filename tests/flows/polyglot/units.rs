//! The unit tests of the SDKs, the packed vectors among them, and of the samples: each in its language's own runner.

use xtask::polyglot::Language;

use super::super::guests::Stage;
use super::{guest, made, workshop};

macro_rules! runs {
    ($($name:ident: $language:ident;)+) => {$(
        #[test]
        fn $name() {
            if let Some(said) = made(Language::$language, workshop().unit_tests(Language::$language)) {
                assert!(!said.is_empty(), "the runner said nothing");
            }
        }
    )+};
}

runs! {
    c_passes_its_own_tests: C;
    go_passes_its_own_tests: Go;
    javascript_passes_its_own_tests: JavaScript;
    typescript_passes_its_own_tests: TypeScript;
    python_passes_its_own_tests: Python;
    zig_passes_its_own_tests: Zig;
    assemblyscript_passes_its_own_tests: AssemblyScript;
}

#[test]
fn javascript_holds_to_the_vectors_in_the_engine_of_a_component() {
    // Node.js has other functions for text than that engine.
    let Some(guest) = guest(Language::JavaScript, "vectors") else { return };
    let stage = Stage::new(&guest, "");
    stage.up().unwrap_or_else(|error| panic!("{error:?}"));
    let heard = stage.heard();
    assert!(heard.iter().any(|line| line.ends_with(" malformed") && !line.contains(" 0 ")), "{heard:?}");
}
