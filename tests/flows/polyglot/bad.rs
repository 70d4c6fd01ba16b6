//! What goes wrong in each language, and that the user is told.

use insta::assert_snapshot;
use whimbrel_component::{WrapError, Wrapping, wrap};
use xtask::polyglot::Language;

use super::super::determinism::wasi;
use super::super::guests::{PEOPLE, Stage};
use super::guest;
use crate::harness::{Outcome, Project};

/// Builds the guest that fails in its language's own way, runs it by the real program, and returns what is then shown.
fn failure(language: Language) -> Option<Outcome> {
    let project = project(&guest(language, "panics")?, "");
    let outcome = project.unchanged(|| project.run(&["up"]));
    assert_eq!(outcome.code, 1, "{language}: {outcome}");
    let told = project.run(&["up", "--json"]).json("error");
    let code = told["code"].as_str().unwrap_or_default();
    assert!(["guest-refused", "guest-trapped"].contains(&code), "{language}: {told}");
    Some(outcome)
}

#[test]
fn a_mistake_tells_its_words_and_where_it_was() {
    // What of a backtrace there is depends on what the toolchain keeps.
    let cases: [(Language, &[&str]); 7] = [
        (Language::C, &["a mistake in C", "wh_panic", "wh_up"]),
        (Language::Zig, &["a mistake in Zig", "host.panicFn"]),
        (Language::Go, &["index out of range [7] with length 0", "main.explode"]),
        (Language::JavaScript, &["TypeError: cannot read property 'more' of undefined", "at explode"]),
        (Language::TypeScript, &["TypeError: cannot read property 'more' of undefined", "at explode"]),
        (Language::Python, &["IndexError: list index out of range", "in explode", "panics.py"]),
        (Language::AssemblyScript, &["a mistake in AssemblyScript", "panics.ts:8:3", "panics/explode"]),
    ];
    for (language, words) in cases {
        let Some(told) = failure(language) else { continue };
        for word in words {
            assert!(told.stderr.contains(word), "{language}: {word} is not in {told}");
        }
    }
}

/// Makes a project whose second migration is this component, with the first one applied.
fn project(component: &[u8], manifest: &str) -> Project {
    let project = Project::with(&[("0001_people.sql", PEOPLE), ("0002_guest.toml", manifest)]);
    project.write("migrations/0002_guest.wasm", component);
    project.ok(&["up", "--steps", "1"]);
    project
}

/// Writes other versions of WASI into the names of what a real component imports; their lengths stay the same.
fn of_another_wasi(component: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    for at in 0..bytes.len() - 5 {
        if &bytes[at..at + 5] == b"@0.2." {
            bytes[at + 3] = b'3';
        }
    }
    bytes
}

#[test]
fn one_compiled_without_stub_wasi_runs_on_the_stand_in_and_is_refused_where_there_is_none() {
    let cases = [
        (wasi::python(), "build it again with `componentize-py … componentize --stub-wasi`"),
        (wasi::javascript(), "build it again with `componentize-qjs --stub-wasi`"),
        (wasi::rust(), "build it again for the target wasm32-unknown-unknown"),
    ];
    for (guest, what_to_do) in cases {
        let Some(guest) = guest else { continue };
        let served = project(guest, "").ok(&["inspect", "migrations/0002_guest.wasm"]);
        assert!(served.stdout.contains("served by a closed stand-in: no files, no network"), "{served}");
        let project = project(&of_another_wasi(guest), "");
        for arguments in [["up"].as_slice(), &["inspect", "migrations/0002_guest.wasm"]] {
            let refused = project.unchanged(|| project.run(arguments));
            assert_eq!(refused.code, 1, "{refused}");
            assert!(refused.stderr.contains("the component imports wasi:"), "{refused}");
            let hint = refused.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
            assert!(hint.starts_with("hint: built with WASI (") && hint.contains("clocks 0.3"), "{refused}");
            assert!(hint.ends_with(what_to_do), "{refused}");
        }
    }
}

#[test]
fn one_that_imports_sockets_is_told_that_there_is_no_network() {
    let Some(guest) = wasi::rust() else { return };
    let asks = project(guest, "[params]\nfail = \"socket\"\n");
    let inspected = asks.ok(&["inspect", "migrations/0002_guest.wasm"]);
    assert!(inspected.stdout.contains("wasi:sockets/tcp@0.2."), "{inspected}");
    let refused = asks.unchanged(|| asks.run(&["up"]));
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("cannot ask the server: Permission denied"), "{refused}");
    assert!(refused.stderr.contains("hint: it was built with WASI, for which a closed stand-in answers"), "{refused}");
    assert!(refused.stderr.contains("there are no files and no network, and nothing can be granted"), "{refused}");

    let newer = project(&of_another_wasi(guest), "");
    let refused = newer.unchanged(|| newer.run(&["up"]));
    assert!(refused.stderr.contains("wasi:sockets/tcp@0.3."), "{refused}");
    assert!(refused.stderr.contains("sockets 0.3), of which this host has only a closed stand-in of 0.2"), "{refused}");
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
    let project = project(&component, "");
    project.ok(&["up"]);
    assert_snapshot!(project.unchanged(|| project.run(&["down"])), @"
    exit 1
    --- stderr
    error: migration 2 guest cannot be reverted: its code exports no down (migrations/0002_guest.wasm)
    hint: export `down` from its code, or stop before it: `whimbrel down --to VERSION`
    ");
}

#[test]
fn a_start_up_memory_of_200_mb_meets_the_memory_limit() {
    let component = wrap(&module(3200, ""), &Wrapping::default()).unwrap();
    let tight = project(&component, "[limits]\nmemory = \"100MiB\"\n");
    assert_snapshot!(tight.unchanged(|| tight.run(&["up"])), @"
    exit 1
    --- stderr
    error: migration 2 guest failed on its way up
      caused by: the guest reached its memory limit of 100 MiB
    note: migration 2 guest was rolled back
    hint: let it do less, or raise `memory` under [limits] in migrations/0002_guest.toml
    ");
    project(&component, "").ok(&["up"]);
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
fn a_write_of_no_bytes_may_point_anywhere() {
    let params = "i32 ".repeat(11) + "i64 i64 i32 i32";
    let module = wat::parse_str(format!(
        "(module
           (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))
           (memory (export \"memory\") 2)
           (func (export \"up\") (param {params}) (result i32)
             (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 32)))
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))"
    ))
    .unwrap();
    Stage::new(&wrap(&module, &Wrapping::default()).unwrap(), "").up().unwrap();
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
