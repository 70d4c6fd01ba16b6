//! Texts of scripts: compiled, linked and run.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use rquickjs_sys as q;

use super::{Js, Result, Thrown, context};

/// Runs a text as a plain script in strict mode.
pub(crate) fn eval(file: &CStr, text: &str) -> Result<Js> {
    evaluate(file, text, q::JS_EVAL_TYPE_GLOBAL | q::JS_EVAL_FLAG_STRICT)
}

/// Compiles a text as a module, without running it.
pub(crate) fn compile_module(file: &CStr, text: &str) -> Result<Js> {
    evaluate(file, text, q::JS_EVAL_TYPE_MODULE | q::JS_EVAL_FLAG_COMPILE_ONLY)
}

fn evaluate(file: &CStr, text: &str, flags: u32) -> Result<Js> {
    // The parser wants a zero after the text, and none inside it ends it.
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    let length = text.len() as _;
    // SAFETY: zero-terminated, read up to the length.
    Js::returned(unsafe { q::JS_Eval(context(), bytes.as_ptr().cast(), length, file.as_ptr(), flags as c_int) })
}

/// Finds the modules that a compiled one imports.
pub(crate) fn resolve(module: &Js) -> Result<()> {
    // SAFETY: asks the loader.
    if unsafe { q::JS_ResolveModule(context(), module.raw()) } < 0 { Err(Thrown) } else { Ok(()) }
}

/// Links and runs a compiled module and what it imports; returns a promise.
pub(crate) fn run_module(module: &Js) -> Result<Js> {
    // SAFETY: the call takes over a reference, which is added.
    Js::returned(unsafe { q::JS_EvalFunction(context(), q::JS_DupValue(context(), module.raw())) })
}

/// Returns what a linked module exports.
pub(crate) fn namespace(module: &Js) -> Result<Js> {
    // SAFETY: a value made by `compile_module` points to its module.
    Js::returned(unsafe { q::JS_GetModuleNamespace(context(), q::JS_VALUE_GET_PTR(module.raw()).cast()) })
}

/// Sets who finds modules. `find` returns the name of what is meant, `read` its text.
pub(crate) fn set_loader(find: q::JSModuleNormalizeFunc, read: q::JSModuleLoaderFunc) {
    // SAFETY: functions of exactly these types.
    unsafe { q::JS_SetModuleLoaderFunc(q::JS_GetRuntime(context()), find, read, ptr::null_mut()) }
}

/// Copies a text into memory that QuickJS frees; null, with an exception waiting, when there is none left.
pub(crate) fn hand_over(text: &str) -> *mut c_char {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: zero-terminated.
    unsafe { q::js_strdup(context(), text.as_ptr()) }
}

/// Returns the module of a compiled value, and keeps it alive in the context.
pub(crate) fn module_of(module: Js) -> *mut q::JSModuleDef {
    // SAFETY: a value made by `compile_module`; the context holds its modules.
    unsafe { q::JS_VALUE_GET_PTR(module.raw()).cast() }
}
