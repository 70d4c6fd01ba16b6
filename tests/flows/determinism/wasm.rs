//! What of WebAssembly is refused because its results are not the same everywhere.

use whimbrel::wasm::{CompileError, ComponentCache, Engine, InspectError};

fn refused(inside: &str) -> String {
    let text = format!("(component {inside} (core module $up) (export \"up\" (core module $up)))");
    let bytes = wat::parse_str(&text).expect("a component");
    match Engine::new(&ComponentCache::Off).unwrap().compile(&bytes) {
        Err(CompileError::Invalid { reason }) => reason,
        Err(other) => panic!("{inside}: {other:?}"),
        Ok(_) => panic!("{inside}: compiled"),
    }
}

#[test]
fn threads_relaxed_simd_and_large_memories_are_refused() {
    let cases = [
        ("(core module (memory 1 1 shared))", "threads"),
        ("(core module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", "threads"),
        (
            "(core module (func (param v128 v128 v128) (result v128)
               (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))",
            "relaxed SIMD",
        ),
        ("(core module (memory i64 1))", "memory64"),
        ("(core module (type (struct (field i32))))", "gc"),
    ];
    for (inside, word) in cases {
        let reason = refused(inside).to_lowercase();
        assert!(reason.contains(&word.to_lowercase()), "{inside}: {reason}");
    }
}

#[test]
fn wasi_beyond_the_stand_in_is_refused_by_name() {
    let cases = [
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:clocks/wall-clock@0.3.0",
        "wasi:threads/threads@0.2.0",
    ];
    for import in cases {
        let text =
            format!("(component (import \"{import}\" (instance)) (core module $m) (export \"up\" (core module $m)))");
        let bytes = wat::parse_str(&text).expect("a component");
        match Engine::new(&ComponentCache::Off).unwrap().compile(&bytes) {
            Err(CompileError::Inspect(InspectError::UnknownImports { imports, .. })) => assert_eq!(imports, [import]),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("compiled"),
        }
    }
}
