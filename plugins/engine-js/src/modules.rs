//! Finds what scripts import: files of the migrations folder, and nothing else.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use rquickjs_sys::{JSContext, JSModuleDef};

use crate::CALLED;
use crate::bindings::whimbrel::migration::scripts::SourceFile;
use crate::bindings::{Script, ScriptFailure};
use crate::failure::{Kind, fail, fail_at, failure};
use crate::js::{self, Atom, Js, Place, Result, Thrown};
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
    let exports = js::namespace(&module).map_err(|thrown| thrown.explain())?;
    let names = exports.names().map_err(|thrown| thrown.explain())?;
    for name in names.iter().filter(|name| CALLED.contains(&name.as_str())) {
        if let Some(place) = generator(&module, &exports, name) {
            return Err(machine::generator(name, place));
        }
    }
    Ok(names)
}

/// Returns where a generator stands that a linked module exports. Functions are there already, constants are not.
fn generator(module: &Js, exports: &Js, name: &str) -> Option<Place> {
    let name = Atom::new(name);
    match exports.get_atom(&name) {
        Ok(value) => value.generator(),
        Err(Thrown) => {
            drop(Js::exception());
            module.later_generator(&name)
        }
    }
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
    let (base, name) = (base.to_string_lossy(), name.to_string_lossy());
    match resolve(&base, &name) {
        Ok(path) => js::hand_over(&path),
        Err(why) => {
            let message = format!("cannot import \"{}\"{why}", name.escape_debug());
            let place = FILES.with_borrow(|files| {
                let file = files.iter().find(|file| file.path == base)?;
                named_at(&file.text, &name)
            });
            let _waiting = match place {
                Some((line, column)) => fail_at(Kind::Plain, &message, &base, line, column),
                None => fail(Kind::Plain, &format!("{message} ({base})")),
            };
            ptr::null_mut()
        }
    }
}

/// Returns line and column, from 1, where a text imports something by this name. QuickJS does not keep them.
fn named_at(text: &str, name: &str) -> Option<(u32, u32)> {
    let start = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let quotes = text.match_indices(name).filter(|(at, _)| {
        let (before, after) = (&text[..*at], &text[at + name.len()..]);
        ['"', '\'', '`'].iter().any(|quote| before.ends_with(*quote) && after.starts_with(*quote))
    });
    let quotes: Vec<usize> = quotes.map(|(at, _)| at - 1).collect();
    let imports = |at: &&usize| {
        let is_comment = ["//", "*"].iter().any(|sign| text[start(**at)..].trim_start().starts_with(sign));
        let before = text[..**at].trim_end();
        !is_comment && ["from", "import", "import("].iter().any(|word| before.ends_with(word))
    };
    let at = *quotes.iter().find(imports).or(quotes.first())?;
    let line = text[..at].matches('\n').count() + 1;
    Some((u32::try_from(line).ok()?, u32::try_from(text[start(at)..at].chars().count() + 1).ok()?))
}

/// Returns the path of what is imported, or why there is none.
fn resolve(base: &str, name: &str) -> std::result::Result<String, String> {
    if base == "whimbrel:check" {
        return Ok(name.to_owned());
    }
    if !name.starts_with("./") && !name.starts_with("../") {
        let what = if name.starts_with('/') || name.contains(':') {
            "lies outside the migrations folder"
        } else {
            "is a package"
        };
        return Err(format!(", which {what}: a script imports files of the migrations folder, such as \"./names.js\""));
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(": it leads out of the migrations folder".to_owned());
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
    if path.ends_with(".json") {
        let stem = name.trim_end_matches(".json");
        return Err(format!(": no JSON is read; write it into \"{stem}.js\", after `export default`"));
    }
    Err(": there is no such file in the migrations folder".to_owned())
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
