//! Holds the types of a component's exports against the contract's. Runs none of the component's code.

use wasmtime::Engine;
use wasmtime::component::types::{Component, ComponentFunc, ComponentItem};
use wasmtime::component::{ResourceType, Type};

use super::handles::TransactionHandle;
use super::shape::Shape;

/// What `up`, `down` and `verify` take and return.
const CALL: &str = "(own transaction, record {chain: string, version: string, name: string, tenant: option<string>, \
                    dry-run: bool, started-at: u64, seed: u64, params: list<tuple<string, string>>}) \
                    -> result<_, string>";

/// What `apply` takes and returns.
const APPLY: &str = "(record {rows: u32, columns: list<record {kind: u8, tags: list<u8>, words: list<u8>, \
                     heap: list<u8>}>}, record {chain: string, version: string, name: string, \
                     tenant: option<string>, dry-run: bool, started-at: u64, seed: u64, \
                     params: list<tuple<string, string>>}) -> result<record {rows: u32, columns: list<record \
                     {kind: u8, tags: list<u8>, words: list<u8>, heap: list<u8>}>}, record {row: option<u32>, \
                     message: string}>";

/// What `describe` takes and returns.
const DESCRIBE: &str = "() -> list<record {name: string, description: string, parameters: list<record {name: string, \
                        kind: string}>, more: option<string>, returns: string, deterministic: bool, \
                        null-if-any-null: bool}>";

/// What `call` takes and returns.
const CALL_FUNCTION: &str = "(u32, list<variant {null, boolean(bool), integer(s64), real(f64), text(string), \
                             blob(list<u8>)}>) -> result<variant {null, boolean(bool), integer(s64), real(f64), \
                             text(string), blob(list<u8>)}, string>";
/// What `long-answer` takes and returns.
const LONG_ANSWER: &str = "() -> result<variant {null, boolean(bool), integer(s64), real(f64), text(string), \
                           blob(list<u8>)}, string>";
/// What `call-short` hands over by value.
const WORDS: &str = "record {w0: u64, w1: u64, w2: u64, w3: u64, w4: u64, w5: u64, w6: u64, w7: u64}";
const BATCH: &str = "record {rows: u32, columns: list<record {kind: u8, tags: list<u8>, words: list<u8>, \
                     heap: list<u8>}>}";
const SCRIPT: &str = "record {files: list<record {path: string, text: string}>}";
const ENGINE: &str = "record {name: string, version: string, extensions: list<string>, \
                      details: list<tuple<string, string>>}";
const OUTLINE: &str = "record {exports: list<string>, details: list<tuple<string, string>>}";
const FAILURE: &str = "record {code: string, message: string, frames: list<record {function: string, file: string, \
                       line: u32, column: u32}>, row: option<u32>, details: list<tuple<string, string>>}";

/// What `run` and `load` of a script engine take.
fn request() -> String {
    format!(
        "record {{script: {SCRIPT}, export: string, context: record {{chain: string, version: string, name: string, \
         tenant: option<string>, dry-run: bool, started-at: u64, seed: u64, params: list<tuple<string, string>>}}, \
         memory: u64}}"
    )
}

/// Checks that an export is a function with the contract's types; on failure says what it is.
pub(super) fn check(engine: &Engine, component: &Component, export: &str, is_engine: bool) -> Result<(), String> {
    let found = match component.get_export(engine, export).map(|export| export.ty) {
        Some(ComponentItem::ComponentFunc(function)) => function_shape(&function),
        Some(_) => "not a function".to_owned(),
        None => "not there".to_owned(),
    };
    compare(export, &found, is_engine)
}

/// Refuses an export that is something else than the contract's.
pub(super) fn compare(export: &str, found: &str, is_engine: bool) -> Result<(), String> {
    let wanted = match export {
        super::transform::APPLY | super::transform::REVERT => APPLY.to_owned(),
        super::functions::CALL => CALL_FUNCTION.to_owned(),
        super::functions::CALL_SHORT => format!("(u32, {WORDS}) -> {WORDS}"),
        super::functions::LONG_ANSWER => LONG_ANSWER.to_owned(),
        "describe" if is_engine => format!("() -> {ENGINE}"),
        super::functions::DESCRIBE => DESCRIBE.to_owned(),
        "check" => format!("({SCRIPT}) -> result<{OUTLINE}, {FAILURE}>"),
        "run" => format!("(own transaction, {}) -> result<_, {FAILURE}>", request()),
        "load" => format!("({}) -> result<_, {FAILURE}>", request()),
        "transform" => format!("({BATCH}) -> result<{BATCH}, {FAILURE}>"),
        _ => CALL.to_owned(),
    };
    if found == wanted {
        return Ok(());
    }
    Err(format!("the export {export} has other types than the contract's: it is {found}"))
}

fn function_shape(function: &ComponentFunc) -> String {
    let mut shape = Shape::default();
    shape.word(if function.async_() { "async " } else { "" });
    shape.parts("(", function.params(), ") -> ", |shape, (_, ty)| write(shape, &ty));
    for ty in function.results() {
        write(&mut shape, &ty);
    }
    shape.finish()
}

/// Writes a type, as far as the contract's calls use it.
fn write(shape: &mut Shape, ty: &Type) {
    match ty {
        Type::Bool => shape.word("bool"),
        Type::U8 => shape.word("u8"),
        Type::U32 => shape.word("u32"),
        Type::U64 => shape.word("u64"),
        Type::S64 => shape.word("s64"),
        Type::Float64 => shape.word("f64"),
        Type::String => shape.word("string"),
        Type::Own(resource) if *resource == ResourceType::host::<TransactionHandle>() => shape.word("own transaction"),
        Type::Borrow(_) => shape.word("borrow"),
        Type::List(list) => shape.parts("list<", [list.ty()], ">", |shape, ty| write(shape, &ty)),
        Type::Option(option) => shape.parts("option<", [option.ty()], ">", |shape, ty| write(shape, &ty)),
        Type::Result(result) => shape.parts("result<", [result.ok(), result.err()], ">", |shape, ty| match ty {
            Some(ty) => write(shape, &ty),
            None => shape.word("_"),
        }),
        Type::Tuple(tuple) => shape.parts("tuple<", tuple.types(), ">", |shape, ty| write(shape, &ty)),
        Type::Variant(variant) => shape.parts("variant {", variant.cases(), "}", |shape, case| {
            shape.word(case.name);
            if let Some(ty) = case.ty {
                shape.parts("(", [ty], ")", |shape, ty| write(shape, &ty));
            }
        }),
        Type::Record(record) => shape.parts("record {", record.fields(), "}", |shape, field| {
            shape.word(field.name);
            shape.word(": ");
            write(shape, &field.ty);
        }),
        _ => shape.word("something else"),
    }
}
