//! What goes wrong in each language, and that the user is told.

use whimbrel::limits::Limit;
use whimbrel::wasm::PluginError;
use whimbrel_component::{WrapError, Wrapping, wrap};
use xtask::polyglot::Language;

use super::super::guests::Stage;
use super::{made, workshop};
use crate::flows::guests::workspace;

/// Builds the guest that fails in its language's own way, runs it, and returns all that the user is told.
fn failure(language: Language) -> Option<String> {
    let folder = workspace().join("tests/guests/polyglot").join(language.folder());
    let guest = made(language, workshop().guest(language, &folder, "panics"))?;
    let stage = Stage::new(&guest, "");
    let told = match stage.fails_as_guest() {
        PluginError::Refused { message, .. } => message,
        PluginError::Trapped { reason, backtrace, .. } => format!("{reason}\n{}", backtrace.join("\n")),
        other => panic!("{language}: {other:?}"),
    };
    Some(format!("{told}\n{}", stage.heard().join("\n")))
}

#[test]
fn a_mistake_tells_its_words_and_where_it_was() {
    // What of a backtrace there is depends on what the toolchain keeps.
    let cases: [(Language, &[&str]); 7] = [
        (Language::C, &["a mistake in C"]),
        (Language::Zig, &["a mistake in Zig"]),
        (Language::Go, &["index out of range [7] with length 0", "main.explode"]),
        (Language::JavaScript, &["TypeError: ", "explode"]),
        (Language::TypeScript, &["TypeError: ", "explode"]),
        (Language::Python, &["IndexError: list index out of range", "in explode", "panics.py"]),
        (Language::AssemblyScript, &["a mistake in AssemblyScript", "panics.ts"]),
    ];
    for (language, words) in cases {
        let Some(told) = failure(language) else { continue };
        for word in words {
            assert!(told.contains(word), "{language}: {word} is not in {told}");
        }
    }
}

/// A core module that exports `up`, whose memory has this many pages at the start.
fn module(pages: u32, imports: &str) -> Vec<u8> {
    let params = "i32 ".repeat(11) + "i64 i64 i32 i32";
    wat::parse_str(format!(
        "(module {imports} (memory (export \"memory\") {pages})
           (func (export \"up\") (param {params}) (result i32) (i32.const 0))
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))"
    ))
    .unwrap()
}

#[test]
fn one_that_exports_only_up_goes_up_and_says_that_it_cannot_go_down() {
    let component = wrap(&module(2, ""), &Wrapping::default()).unwrap();
    let stage = Stage::new(&component, "");
    stage.up().unwrap();
    let error = stage.migrator().down(whimbrel::plan::Until::Steps(1)).unwrap_err();
    let told = format!("{error} {:?}", std::error::Error::source(&error).map(ToString::to_string));
    assert!(told.contains("cannot be reverted"), "{told}");
}

#[test]
fn a_start_up_memory_of_200_mb_meets_the_memory_limit() {
    let component = wrap(&module(3200, ""), &Wrapping::default()).unwrap();
    match Stage::new(&component, "[limits]\nmemory = \"100MiB\"\n").fails_as_guest() {
        PluginError::Limit(reached) => assert_eq!(reached.limit, Limit::Memory),
        other => panic!("{other:?}"),
    }
    Stage::new(&component, "").up().unwrap();
}

#[test]
fn a_core_module_with_wasi_loses_it_and_what_else_it_imports_is_refused() {
    let wasi = "(import \"wasi_snapshot_preview1\" \"clock_time_get\" (func (param i32 i64 i32) (result i32)))
                (import \"wasi_snapshot_preview1\" \"path_open\"
                  (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))";
    let component = wrap(&module(2, wasi), &Wrapping::default()).unwrap();
    let imports = whimbrel::wasm::inspect(&component).unwrap().imports;
    assert!(imports.iter().all(|import| import.starts_with("whimbrel:migration/")), "{imports:?}");
    Stage::new(&component, "").up().unwrap();
    let env = "(import \"env\" \"fetch\" (func (param i32) (result i32)))";
    let error = wrap(&module(2, env), &Wrapping::default()).unwrap_err();
    assert!(error.to_string().contains("env"), "{error}");
}

#[test]
fn what_is_no_migration_is_not_wrapped() {
    assert_eq!(wrap(b"#!/bin/sh", &Wrapping::default()).unwrap_err(), WrapError::NotWasm);
    let cut = &module(2, "")[..40];
    assert!(matches!(wrap(cut, &Wrapping::default()), Err(WrapError::Malformed { .. })));
    let empty = wat::parse_str("(module (func (export \"main\\1b[2J\")))").unwrap();
    let error = wrap(&empty, &Wrapping::default()).unwrap_err();
    assert_eq!(error.to_string(), "the module exports neither up nor apply, but main\\u{1b}[2J");
    let world = Wrapping { world: Some("moon".to_owned()), ..Wrapping::default() };
    assert!(matches!(wrap(&module(2, ""), &world), Err(WrapError::UnknownWorld { .. })));
    let other = wat::parse_str("(module (func (export \"up\")))").unwrap();
    assert!(matches!(wrap(&other, &Wrapping::default()), Err(WrapError::Encode { .. })));
}
