//! Makes components of guests that are written as text.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::flows::guests::workspace;

const REALLOC: &str = r#"
(global $free (mut i32) (i32.const 131072))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536)))))))
    (local.get $at))"#;
const UP: &str = r#"
(func (export "up") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    (call $touch (local.get 0))
    (call $attack (local.get 0))
    (i32.const 16))"#;

/// Reads a guest: a whole component, or what stands behind the prelude in a module of the world `migration`.
pub(super) fn read(text: &str) -> Vec<u8> {
    if text.trim_start_matches(|c: char| c.is_whitespace()).starts_with("(component") {
        return wat::parse_str(text).unwrap();
    }
    let part = |exported: &str, part| if text.contains(&format!("(export \"{exported}\")")) { "" } else { part };
    let prelude = std::fs::read_to_string(folder().join("prelude.wat")).unwrap();
    let rest = [prelude.as_str(), part("cabi_realloc", REALLOC), part("up", UP), text].join("\n");
    encode(&wat::parse_str(format!("(module {rest})")).unwrap())
}

/// Wraps a core module.
fn encode(module: &[u8]) -> Vec<u8> {
    let mut module = module.to_vec();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(workspace().join("guest-sdk/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("migration")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    // What is invalid is to be found by the host.
    ComponentEncoder::default().module(&module).unwrap().validate(false).encode().unwrap()
}

/// The folder of the suite.
pub(super) fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/flows/hostile"))
}
