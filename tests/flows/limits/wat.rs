//! Guests written as text, for what no compiler would make.

use whimbrel::wasm::ComponentCache;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::flows::guests::workspace;

/// Makes a component of the world `migration` from a core module's `up`, which returns ok after `body`, and whatever
/// else stands in the module.
pub(super) fn component(body: &str, rest: &str) -> Vec<u8> {
    let module = format!(
        r#"(module
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 4096))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $next)
                (global.set $next
                    (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8))))
            (func (export "up")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
                {body}
                (i32.const 16))
            {rest})"#
    );
    let mut bytes = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(workspace().join("guest-sdk/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("migration")).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().validate(true).encode().unwrap()
}

/// Makes a component that is valid and slow to compile: one function of so many blocks.
pub(in crate::flows) fn slow(blocks: usize) -> Vec<u8> {
    let mut function = String::from("(func $slow (param i64) (result i64) (local i64 i64 i64 i64 i64 i64 i64 i64)\n");
    for block in 0..blocks {
        let (a, b) = (block % 8 + 1, (block / 8 + block) % 8 + 1);
        function.push_str(&format!(
            "(block (br_if 0 (i64.lt_u (local.get {a}) (local.get 0)))
             (local.set {b} (i64.add (i64.mul (local.get {a}) (i64.const {block})) (local.get {b}))))\n"
        ));
    }
    function.push_str("(local.get 1))");
    component("(drop (call $slow (i64.const 1)))", &function)
}

/// A cache folder of this test's own.
pub(super) fn own_cache(folder: &tempfile::TempDir) -> ComponentCache {
    ComponentCache::Folder(folder.path().join("cache"))
}
