//! Takes the types out of TypeScript, with sucrase. Lines stay where they are.

use std::cell::RefCell;
use std::ffi::CStr;

use crate::failure::{Kind, fail, fail_at};
use crate::js::{self, Js, Result};

/// sucrase as one script whose value is a function from text to text; empty in a build without it.
const SUCRASE: &str = include_str!(concat!(env!("OUT_DIR"), "/sucrase.js"));
const FILE: &CStr = c"whimbrel:sucrase";

thread_local! {
    static STRIP: RefCell<Option<Js>> = const { RefCell::new(None) };
}

/// Tells by its name whether a file is TypeScript.
pub(crate) fn is_typescript(path: &str) -> bool {
    path.ends_with(".ts") || path.ends_with(".mts")
}

/// Takes the types out.
pub(crate) fn strip(path: &str, text: &str) -> Result<String> {
    if SUCRASE.is_empty() {
        return Err(fail(Kind::Plain, "this build of the engine has no TypeScript"));
    }
    let kept = STRIP.with_borrow(Clone::clone);
    let strip = match kept {
        Some(strip) => strip,
        None => {
            let strip = js::eval(FILE, SUCRASE)?;
            STRIP.set(Some(strip.clone()));
            strip
        }
    };
    let stripped = strip.call(&Js::undefined(), &[Js::text(text)?.raw()])?;
    if stripped.is_array() {
        // What is wrong, the line and the column.
        let number = |index| {
            let number = stripped.at(index)?;
            Ok(if number.kind() == js::Type::Integer { number.integer().max(0).cast_unsigned() } else { 0 })
        };
        let message = stripped.at(0)?.to_text()?;
        return Err(fail_at(Kind::Syntax, &message, path, number(1)?, number(2)?));
    }
    stripped.to_text()
}
