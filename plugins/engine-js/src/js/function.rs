//! Rust's functions and values, for scripts.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use rquickjs_sys as q;

use super::{JSValue, Js, Result, Thrown, context};

/// A C function of QuickJS's interface.
pub(crate) type Native = unsafe extern "C" fn(*mut q::JSContext, JSValue, c_int, *mut JSValue) -> JSValue;

/// Makes a function of a Rust function; see [`native!`](crate::native).
pub(crate) fn function(name: &CStr, arguments: i32, native: Native) -> Result<Js> {
    let kind = q::JSCFunctionEnum_JS_CFUNC_generic;
    // SAFETY: a function of exactly this type.
    Js::returned(unsafe { q::JS_NewCFunction2(context(), Some(native), name.as_ptr(), arguments, kind, 0) })
}

/// A C function that gives an iterator's next value without an object around it.
pub(crate) type Next =
    unsafe extern "C" fn(*mut q::JSContext, JSValue, c_int, *mut JSValue, *mut c_int, c_int) -> JSValue;

/// Makes an iterator's `next` of a Rust function.
pub(crate) fn next_function(next: Next) -> Result<Js> {
    let kind = q::JSCFunctionEnum_JS_CFUNC_iterator_next;
    let function = q::JSCFunctionType { iterator_next: Some(next) };
    // SAFETY: the kind tells QuickJS which member of the union it is.
    Js::returned(unsafe { q::JS_NewCFunction2(context(), function.generic, c"next".as_ptr(), 0, kind, 0) })
}

/// Makes a class whose objects own a Rust value, freed by `finalizer`.
pub(crate) fn new_class(
    name: &'static CStr,
    finalizer: unsafe extern "C" fn(*mut q::JSRuntime, JSValue),
) -> q::JSClassID {
    let mut id = 0;
    let definition = q::JSClassDef {
        class_name: name.as_ptr(),
        finalizer: Some(finalizer),
        gc_mark: None,
        call: None,
        exotic: ptr::null_mut(),
    };
    // SAFETY: the definition is copied.
    unsafe {
        let runtime = q::JS_GetRuntime(context());
        q::JS_NewClassID(runtime, &mut id);
        q::JS_NewClass(runtime, id, &definition);
    }
    id
}

/// Makes an object of a class that owns the value behind the pointer.
pub(crate) fn new_object(class: q::JSClassID, prototype: &Js, owned: *mut c_void) -> Result<Js> {
    // SAFETY: the object's finalizer is that of the class.
    unsafe {
        let object = Js::returned(q::JS_NewObjectProtoClass(context(), prototype.raw(), class))?;
        q::JS_SetOpaque(object.raw(), owned);
        Ok(object)
    }
}

/// Returns what an object of a class owns; null for any other value.
pub(crate) fn opaque(value: JSValue, class: q::JSClassID) -> *mut c_void {
    // SAFETY: looks only.
    unsafe { q::JS_GetOpaque(value, class) }
}

/// Wraps a Rust function `fn(&Js, &[JSValue]) -> Result<Js>` for QuickJS: `this` and the arguments.
#[macro_export]
macro_rules! native {
    ($function:path) => {{
        unsafe extern "C" fn native(
            _: *mut ::rquickjs_sys::JSContext,
            this: $crate::js::JSValue,
            count: ::std::ffi::c_int,
            arguments: *mut $crate::js::JSValue,
        ) -> $crate::js::JSValue {
            // SAFETY: QuickJS gives `count` values, which live during the call.
            let arguments = match usize::try_from(count) {
                Ok(count) if count > 0 => unsafe { ::std::slice::from_raw_parts(arguments, count) },
                _ => &[],
            };
            $crate::js::answer($function(this, arguments))
        }
        native as $crate::js::Native
    }};
}

/// Gives QuickJS what a native function returns.
pub(crate) fn answer(result: Result<Js>) -> JSValue {
    match result {
        Ok(value) => value.into_raw(),
        Err(Thrown) => q::JS_EXCEPTION,
    }
}
