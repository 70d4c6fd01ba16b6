//! Finds what scripts import: files of the migrations folder, and nothing else.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use rquickjs_sys::{JSContext, JSModuleDef};

use crate::bindings::whimbrel::migration::scripts::SourceFile;
use crate::bindings::{Script, ScriptFailure};
use crate::failure::{Kind, fail, failure};
use crate::js::{self, Js, Result};
use crate::machine;
use crate::typescript;

/// A module that is never there to be imported by scripts; see [`check`].
const STOP: &str = "whimbrel:stop";

thread_local! {
    static FILES: RefCell<Vec<SourceFile>> = const { RefCell::new(Vec::new()) };
}

/// Loads a script and runs the statements at its top.
pub(crate) fn load(script: Script) -> std::result::Result<Js, ScriptFailure> {
    let main = keep(script)?;
    let module = compile(&main).map_err(|thrown| thrown.explain())?;
    machine::settle(js::run_module(&module), "the module")?;
    Ok(module)
}

/// Reads a script and what it imports, and returns the names of what it exports. Runs none of it: the script is linked
/// as the second import of a module whose first one throws.
pub(crate) fn check(script: Script) -> std::result::Result<Vec<String>, ScriptFailure> {
    let main = keep(script)?;
    let module = compile(&main).map_err(|thrown| thrown.explain())?;
    js::resolve(&module).map_err(|thrown| thrown.explain())?;
    let text = format!("import \"{STOP}\"; import * as script from {};", quoted(&main.path));
    let around = js::compile_module(c"whimbrel:check", &text).map_err(|thrown| thrown.explain())?;
    js::resolve(&around).map_err(|thrown| thrown.explain())?;
    match js::run_module(&around) {
        Ok(_) => {}
        // The script does not fit what it imports.
        Err(thrown) => return Err(thrown.explain()),
    }
    let exports = js::namespace(&module).and_then(|exports| exports.names()).map_err(|thrown| thrown.explain())?;
    Ok(exports)
}

fn keep(script: Script) -> std::result::Result<SourceFile, ScriptFailure> {
    js::set_loader(Some(find), Some(read));
    FILES.set(script.files);
    FILES
        .with_borrow(|files| files.first().cloned())
        .ok_or_else(|| failure("import", "there is no script".to_owned(), Vec::new()))
}

fn compile(file: &SourceFile) -> Result<Js> {
    let name = CString::new(file.path.as_str()).unwrap_or_default();
    if typescript::is_typescript(&file.path) {
        return js::compile_module(&name, &typescript::strip(&file.path, &file.text)?);
    }
    js::compile_module(&name, &file.text)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Finds the path of what is imported.
unsafe extern "C" fn find(_: *mut JSContext, base: *const c_char, name: *const c_char, _: *mut c_void) -> *mut c_char {
    // SAFETY: QuickJS gives two texts that end in a zero.
    let (base, name) = unsafe { (CStr::from_ptr(base), CStr::from_ptr(name)) };
    match resolve(&base.to_string_lossy(), &name.to_string_lossy()) {
        Ok(path) => js::hand_over(&path),
        Err(_) => ptr::null_mut(),
    }
}

fn resolve(base: &str, name: &str) -> Result<String> {
    if base == "whimbrel:check" {
        return Ok(name.to_owned());
    }
    let shown = name.escape_debug();
    if !name.starts_with("./") && !name.starts_with("../") {
        let what = if name.starts_with('/') || name.contains(':') {
            "lies outside the migrations folder"
        } else {
            "is a package"
        };
        let message = format!(
            "cannot import \"{shown}\", which {what}: a script imports files of the migrations folder, such as \"./names.js\""
        );
        return Err(fail(Kind::Plain, &message));
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(fail(
                        Kind::Plain,
                        &format!("cannot import \"{shown}\": it leads out of the migrations folder"),
                    ));
                }
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let there = |path: &str| FILES.with_borrow(|files| files.iter().any(|file| file.path == path));
    // TypeScript's own ways to name another file.
    let others = [format!("{path}.ts"), format!("{path}.js"), path.replace(".js", ".ts"), path.replace(".mjs", ".mts")];
    if let Some(found) = std::iter::once(&path).chain(&others).find(|path| there(path)) {
        return Ok(found.clone());
    }
    Err(fail(Kind::Plain, &format!("cannot import \"{shown}\": there is no such file in the migrations folder")))
}

/// Compiles a module that is imported.
unsafe extern "C" fn read(_: *mut JSContext, name: *const c_char, _: *mut c_void) -> *mut JSModuleDef {
    // SAFETY: QuickJS gives a text that ends in a zero.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    if name == STOP {
        return js::compile_module(c"whimbrel:stop", "throw 0;").map_or(ptr::null_mut(), js::module_of);
    }
    let file = FILES.with_borrow(|files| files.iter().find(|file| file.path == name).cloned());
    let compiled = match file {
        Some(file) => compile(&file),
        None => Err(fail(Kind::Plain, &format!("there is no {name}"))),
    };
    compiled.map_or(ptr::null_mut(), js::module_of)
}
