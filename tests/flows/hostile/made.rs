//! Components too large or too broken to be written down.

use std::fmt::Write;

use super::component;

/// Begins every component.
const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
const UP: &str = "(component $c) (export \"up\" (component $c))";

fn text(body: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {body} {UP})")).unwrap()
}

/// Components inside components, so many levels deep.
pub(super) fn nested() -> Vec<u8> {
    // By hand: a parser of text would recurse.
    let mut inner = HEADER.to_vec();
    for _ in 0..3_000 {
        let mut outer = HEADER.to_vec();
        outer.push(4);
        outer.extend(leb(inner.len()));
        outer.extend(inner);
        inner = outer;
    }
    inner
}

fn leb(number: usize) -> Vec<u8> {
    let mut rest = number;
    let mut bytes = Vec::new();
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A million types.
pub(super) fn types() -> Vec<u8> {
    let mut types = String::from("(core module ");
    for index in 0..1_100_000 {
        types.push_str(["(type (func (param i32)))", "(type (func))"][index % 2]);
    }
    text(&(types + ")"))
}

/// A type that doubles forty times.
pub(super) fn type_bomb() -> Vec<u8> {
    let mut types = String::from("(type $t0 (tuple u64 u64))");
    for level in 1..=40 {
        write!(types, "(type $t{level} (tuple $t{0} $t{0}))", level - 1).unwrap();
    }
    text(&types)
}

/// A type of one megabyte that is gigabytes where each of its parts is written out.
pub(super) fn long_type() -> Vec<u8> {
    let name = "a".repeat(90_000);
    let fields: String = ('a'..='l').map(|last| format!("(field \"{name}{last}\" u8)")).collect();
    let mut types = format!("(type $t0 (record {fields})) (export $e0 \"x0\" (type $t0))");
    for level in 1..=4 {
        let parts = format!(" $e{}", level - 1).repeat(12);
        write!(types, "(type $t{level} (tuple{parts})) (export $e{level} \"x{level}\" (type $t{level}))").unwrap();
    }
    let module = "(core module $m (memory (export \"memory\") 1) (func (export \"up\") (param i32))
                      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) unreachable))
                  (core instance $i (instantiate $m))
                  (func (export \"up\") (param \"x\" $e4)
                      (canon lift (core func $i \"up\") (memory (core memory $i \"memory\"))
                          (realloc (core func $i \"realloc\"))))";
    wat::parse_str(format!("(component {types} {module})")).unwrap()
}

/// A module that is instantiated four hundred times.
pub(super) fn instances() -> Vec<u8> {
    let mut guest = component::read("(func $attack (param i32))");
    // Nobody uses them, but they are made when the component is.
    let mut more = String::from("(component (core module $m) ");
    for _ in 0..400 {
        more.push_str("(core instance (instantiate $m))");
    }
    let more = wat::parse_str(more + ")").unwrap();
    // Section 4 is a component, section 5 makes one instance of it. The one behind the guest's own has the next number.
    let components = components_of(&guest);
    guest.push(4);
    guest.extend(leb(more.len()));
    guest.extend(more);
    let instance = [vec![1, 0], leb(components), vec![0]].concat();
    guest.push(5);
    guest.extend(leb(instance.len()));
    guest.extend(instance);
    guest
}

/// Counts the components that a component is made of.
fn components_of(bytes: &[u8]) -> usize {
    let mut at = HEADER.len();
    let mut found = 0;
    while at < bytes.len() {
        found += usize::from(bytes[at] == 4);
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            at += 1;
            length |= usize::from(bytes[at] & 0x7f) << shift;
            shift += 7;
            if bytes[at] & 0x80 == 0 {
                break;
            }
        }
        at += 1 + length;
    }
    found
}

/// One function with fifty thousand locals, another whose branch table has sixty thousand ways.
pub(super) fn wide() -> Vec<u8> {
    let ways = " 0".repeat(60_000);
    let locals = " i64".repeat(49_000);
    component::read(&format!(
        "(func $attack (param i32) (local{locals}) (block (br_table{ways} (local.get 0))) (unreachable))"
    ))
}

/// The first half of a good component.
pub(super) fn cut_off() -> Vec<u8> {
    let whole = component::read("(func $attack (param i32))");
    whole[..whole.len() / 2].to_vec()
}

/// A good component whose code section has one byte more.
pub(super) fn damaged() -> Vec<u8> {
    let mut bytes = component::read("(func $attack (param $db i32) (drop (i32.const 123456789)))");
    let at = bytes.windows(5).position(|window| window == [0x41, 0x95, 0x9a, 0xef, 0x3a]).expect("the constant");
    bytes[at] = 0x27;
    bytes
}

/// A section that says it has four gigabytes.
pub(super) fn long_section() -> Vec<u8> {
    [HEADER, &[1, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat()
}

/// A core module.
pub(super) fn core_module() -> Vec<u8> {
    wat::parse_str("(module (func (export \"up\")))").unwrap()
}

/// Something else altogether.
pub(super) fn no_wasm() -> Vec<u8> {
    b"#!/bin/sh\nrm -rf /\n".to_vec()
}

/// Nothing.
pub(super) fn empty() -> Vec<u8> {
    Vec::new()
}

/// Valid, and slow to compile: one function of very many blocks.
pub(super) fn slow() -> Vec<u8> {
    crate::flows::limits::wat::slow(150_000)
}

fn up(body: &str) -> String {
    format!("def up(db):\n    db.execute('UPDATE customer SET age = 1')\n{body}\n    raise ValueError('it was read')\n")
}

/// `1 + 1 + 1 + …`
pub(super) fn long_sum() -> String {
    up(&format!("    a = 1{}", " + 1".repeat(200_000)))
}

/// `not not not …`
pub(super) fn long_denial() -> String {
    up(&format!("    a = {}1", "not ".repeat(200_000)))
}

/// `a.b().b().b()…`
pub(super) fn long_chain() -> String {
    up(&format!("    a = db{}", ".error()".repeat(100_000)))
}

/// `if … elif … elif …`
pub(super) fn many_branches() -> String {
    up(&format!("    if db:\n        pass\n{}", "    elif db:\n        pass\n".repeat(50_000)))
}

/// One block in another.
pub(super) fn nested_blocks() -> String {
    let block = |depth: usize| format!("{}while db:\n", " ".repeat(4 + depth));
    up(&format!("{}{}pass\n", (0..2_000).map(block).collect::<String>(), " ".repeat(2_004)))
}

/// `[[[[…]]]]`
pub(super) fn nested_brackets() -> String {
    up(&format!("    a = {}{}", "[".repeat(200_000), "]".repeat(200_000)))
}

/// `f"{f"{f"…"}"}"`
pub(super) fn nested_texts() -> String {
    up(&format!("    a = {}1{}", "f\"{".repeat(50_000), "}\"".repeat(50_000)))
}

/// `lambda: lambda: lambda: …`
pub(super) fn nested_lambdas() -> String {
    up(&format!("    a = {}1", "lambda: ".repeat(100_000)))
}

/// A number of ten million digits.
pub(super) fn giant_literal() -> String {
    up(&format!("    a = {}", "9".repeat(10_000_000)))
}

/// More bytes than a component may have.
pub(super) fn large() -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    bytes.resize(3 << 20, 0);
    bytes
}
