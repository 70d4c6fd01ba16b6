//! What the author is told, by the language of the component, when it stops without a word or cannot be loaded. The
//! components here are small ones that say they were written in it.

use std::fmt::Write;

use insta::assert_snapshot;
use whimbrel_component::{Wrapping, wrap};

use super::super::guests::PEOPLE;
use crate::harness::{Outcome, Project};

/// All that the host knows something about, and one that it does not know.
const LANGUAGES: [&str; 9] =
    ["AssemblyScript", "C", "Go", "JavaScript", "Pascal", "Python", "Rust", "TypeScript", "Zig"];

/// Makes a component that says it was written in a language: what `up` does, and what its allocator does first.
fn component(language: &str, up: &str, allocator: &str, more: &str) -> Vec<u8> {
    let params = "i32 ".repeat(11) + "i64 i64 i32 i32";
    let module = wat::parse_str(format!(
        "(module {more} (memory (export \"memory\") 2)
           (func (export \"up\") (param {params}) (result i32) {up})
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {allocator} (i32.const 65536)))"
    ))
    .expect("the module is right");
    let wrapping = Wrapping { language: Some(language.to_owned()), ..Wrapping::default() };
    wrap(&module, &wrapping).expect("the module becomes a component")
}

/// Runs a component, which fails and changes nothing.
fn failure(component: &[u8]) -> Outcome {
    let project = Project::with(&[("0001_people.sql", PEOPLE), ("0002_guest.toml", "")]);
    project.write("migrations/0002_guest.wasm", component);
    project.ok(&["up", "--steps", "1"]);
    let outcome = project.unchanged(|| project.run(&["up"]));
    assert_eq!(outcome.code, 1, "{outcome}");
    outcome
}

fn hint(outcome: &Outcome) -> &str {
    outcome.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or("(none)")
}

#[test]
fn a_trap_without_a_word_says_what_ends_so_in_the_language() {
    let mut told = String::new();
    for language in LANGUAGES {
        let outcome = failure(&component(language, "unreachable", "", ""));
        assert!(outcome.stderr.contains("unreachable"), "{language}: {outcome}");
        writeln!(told, "{language}: {}", hint(&outcome)).expect("a text");
    }
    assert_snapshot!(told);
}

#[test]
fn one_that_wants_a_newer_wasi_is_told_how_the_language_does_without() {
    let mut told = String::new();
    for language in LANGUAGES {
        let component = wat::parse_str(format!(
            "(component
               (import \"wasi:clocks/monotonic-clock@0.3.0\" (instance (export \"now\" (func (result u64)))))
               (@producers (language \"{language}\" \"\")))"
        ))
        .expect("the component is right");
        let project = Project::with(&[]);
        project.write("guest.wasm", &component);
        let outcome = project.run(&["inspect", "guest.wasm"]);
        assert_eq!(outcome.code, 1, "{language}: {outcome}");
        writeln!(told, "{language}: {}", hint(&outcome)).expect("a text");
    }
    assert_snapshot!(told);
}

#[test]
fn go_behind_the_usual_adapter_is_told_of_the_other_one() {
    // A collection of garbage inside the allocator asks the adapter for the time, and so leaves the component.
    let progress = "(import \"whimbrel:migration/log@0.1.0\" \"progress\" (func $progress (param i64 i32 i64)))";
    let collects = "(call $progress (i64.const 1) (i32.const 0) (i64.const 0))";
    let outcome = failure(&component("Go", "(i32.const 0)", collects, progress));
    assert!(outcome.stderr.contains("cannot leave component instance"), "{outcome}");
    assert_eq!(
        hint(&outcome),
        "the usual adapter for WASI cannot be used for Go: give what `go build` made (GOOS=wasip1, -buildmode=c-shared) to \
         `whimbrel componentize`"
    );
    let zig = failure(&component("Zig", "(i32.const 0)", collects, progress));
    assert!(!zig.stderr.contains("adapter"), "{zig}");
}

#[test]
fn words_that_sound_like_wasi_give_no_hint_of_it_without_wasi() {
    let words = "Permission denied";
    let data =
        format!("(data (i32.const 1024) \"\\01\\00\\00\\00\\10\\04\\00\\00\\11\\00\\00\\00\\00\\00\\00\\00{words}\")");
    assert_eq!(words.len(), 0x11);
    let outcome = failure(&component("C", "(i32.const 1024)", "", &data));
    assert!(outcome.stderr.contains(words) && !outcome.stderr.contains("WASI"), "{outcome}");
}
