//! QuickJS's own interface, made safe to use. The only file that calls it.
//!
//! There is one runtime and one context in an instance, and never another: [`start`] makes them, and everything here
//! works on them. They are never freed, since the instance ends with the call.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::ManuallyDrop;
use std::ptr;
use std::slice;

use rquickjs_sys as q;

use crate::memory;

pub(crate) use rquickjs_sys::{JSAtom, JSValue};

/// How deep scripts may call, in bytes of the stack that the interpreter uses.
const STACK: usize = 512 << 10;

thread_local! {
    static CONTEXT: Cell<*mut q::JSContext> = const { Cell::new(ptr::null_mut()) };
    /// What QuickJS is told when it asks for the time, in microseconds since 1970.
    static CLOCK: Cell<f64> = const { Cell::new(0.0) };
}

/// The time that QuickJS asks for.
#[unsafe(no_mangle)]
extern "C" fn __rquickjs_host_now_us() -> f64 {
    CLOCK.get()
}

fn context() -> *mut q::JSContext {
    CONTEXT.get()
}

/// QuickJS's memory, which knows how much each piece has: otherwise the limit would not be held to.
static MEMORY: q::JSMallocFunctions = q::JSMallocFunctions {
    js_calloc: Some(memory::calloc),
    js_malloc: Some(memory::malloc),
    js_free: Some(memory::free),
    js_realloc: Some(memory::realloc),
    js_malloc_usable_size: Some(memory::size),
};

/// Says that an exception is waiting in the context.
#[derive(Debug)]
pub(crate) struct Thrown;

/// What can throw.
pub(crate) type Result<T> = std::result::Result<T, Thrown>;

/// Returns QuickJS's version.
pub(crate) fn version() -> String {
    // SAFETY: a constant text.
    unsafe { CStr::from_ptr(q::JS_GetVersion()) }.to_string_lossy().into_owned()
}

/// Makes the runtime and its context; `seed` is what chance begins with, `now` the time in milliseconds.
pub(crate) fn start(seed: u64, now: u64, memory: usize) {
    // QuickJS seeds its chance from the clock when a context is made.
    CLOCK.set(seed as f64);
    // SAFETY: the context is made from the runtime, and both stay.
    unsafe {
        let runtime = q::JS_NewRuntime2(&MEMORY, ptr::null_mut());
        if memory > 0 {
            q::JS_SetMemoryLimit(runtime, memory as _);
        }
        q::JS_SetMaxStackSize(runtime, STACK as _);
        CONTEXT.set(q::JS_NewContext(runtime));
    }
    CLOCK.set(now as f64 * 1000.0);
}

/// Tells QuickJS where the stack begins now: every call from outside may come at another depth.
pub(crate) fn enter() {
    // SAFETY: the context is there after `start`.
    unsafe { q::JS_UpdateStackTop(q::JS_GetRuntime(context())) }
}

/// A value of the context, freed when dropped.
#[derive(Debug)]
pub(crate) struct Js(JSValue);

impl Drop for Js {
    fn drop(&mut self) {
        // SAFETY: this holds one reference.
        unsafe { q::JS_FreeValue(context(), self.0) }
    }
}

impl Clone for Js {
    fn clone(&self) -> Self {
        Self::borrowed(self.0)
    }
}

/// What kind of value it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Type {
    Undefined,
    Null,
    Boolean,
    Integer,
    Float,
    BigInt,
    Text,
    Symbol,
    Object,
}

impl Js {
    /// Adds a reference.
    pub(crate) fn borrowed(value: JSValue) -> Self {
        // SAFETY: `value` is alive.
        Self(unsafe { q::JS_DupValue(context(), value) })
    }

    /// Takes over what a function of QuickJS returned, which may be an exception.
    fn returned(value: JSValue) -> Result<Self> {
        // SAFETY: looks at the tag only.
        if unsafe { q::JS_IsException(value) } { Err(Thrown) } else { Ok(Self(value)) }
    }

    /// Gives the reference away.
    pub(crate) fn into_raw(self) -> JSValue {
        ManuallyDrop::new(self).0
    }

    /// Returns the value without a reference.
    pub(crate) fn raw(&self) -> JSValue {
        self.0
    }

    pub(crate) fn undefined() -> Self {
        Self(q::JS_UNDEFINED)
    }

    pub(crate) fn null() -> Self {
        Self(q::JS_NULL)
    }

    pub(crate) fn boolean(value: bool) -> Self {
        Self(if value { q::JS_TRUE } else { q::JS_FALSE })
    }

    pub(crate) fn number(value: f64) -> Self {
        Self(q::JS_NewFloat64(value))
    }

    pub(crate) fn small(value: i32) -> Self {
        Self(q::JS_MKVAL(q::JS_TAG_INT, value))
    }

    pub(crate) fn big(value: i64) -> Result<Self> {
        // SAFETY: makes a new value.
        Self::returned(unsafe { q::JS_NewBigInt64(context(), value) })
    }

    pub(crate) fn text(text: &str) -> Result<Self> {
        // SAFETY: the bytes are read up to their length.
        Self::returned(unsafe { q::JS_NewStringLen(context(), text.as_ptr().cast(), text.len() as _) })
    }

    pub(crate) fn bytes(bytes: &[u8]) -> Result<Self> {
        // SAFETY: the bytes are copied.
        Self::returned(unsafe { q::JS_NewUint8ArrayCopy(context(), bytes.as_ptr(), bytes.len() as _) })
    }

    pub(crate) fn object() -> Result<Self> {
        // SAFETY: makes a new value.
        Self::returned(unsafe { q::JS_NewObject(context()) })
    }

    pub(crate) fn array() -> Result<Self> {
        // SAFETY: makes a new value.
        Self::returned(unsafe { q::JS_NewArray(context()) })
    }

    pub(crate) fn global() -> Self {
        // SAFETY: adds a reference.
        Self(unsafe { q::JS_GetGlobalObject(context()) })
    }

    /// Takes the exception that is waiting.
    pub(crate) fn exception() -> Self {
        // SAFETY: takes over the reference.
        Self(unsafe { q::JS_GetException(context()) })
    }

    /// Makes this the exception that is waiting.
    pub(crate) fn throw(self) -> Thrown {
        // SAFETY: gives the reference away.
        unsafe { q::JS_Throw(context(), self.into_raw()) };
        Thrown
    }

    pub(crate) fn kind(&self) -> Type {
        // SAFETY: looks at the tag only.
        match unsafe { q::JS_VALUE_GET_NORM_TAG(self.0) } {
            q::JS_TAG_NULL => Type::Null,
            q::JS_TAG_BOOL => Type::Boolean,
            q::JS_TAG_INT => Type::Integer,
            q::JS_TAG_FLOAT64 => Type::Float,
            q::JS_TAG_BIG_INT | q::JS_TAG_SHORT_BIG_INT => Type::BigInt,
            q::JS_TAG_STRING | q::JS_TAG_STRING_ROPE => Type::Text,
            q::JS_TAG_SYMBOL => Type::Symbol,
            q::JS_TAG_OBJECT => Type::Object,
            _ => Type::Undefined,
        }
    }

    pub(crate) fn is_function(&self) -> bool {
        // SAFETY: looks only.
        unsafe { q::JS_IsFunction(context(), self.0) }
    }

    pub(crate) fn is_array(&self) -> bool {
        // SAFETY: looks only.
        unsafe { q::JS_IsArray(self.0) }
    }

    pub(crate) fn is_error(&self) -> bool {
        // SAFETY: looks only.
        unsafe { q::JS_IsError(self.0) }
    }

    /// Reads a boolean; what is none counts as JavaScript has it.
    pub(crate) fn truth(&self) -> bool {
        // SAFETY: converts without running code.
        unsafe { q::JS_ToBool(context(), self.0) == 1 }
    }

    /// Reads a value of the type [`Type::Integer`].
    pub(crate) fn integer(&self) -> i32 {
        // SAFETY: the bits of the tag's payload.
        unsafe { q::JS_VALUE_GET_INT(self.0) }
    }

    /// Reads a value of the type [`Type::Float`].
    pub(crate) fn float(&self) -> f64 {
        // SAFETY: the bits of a float.
        unsafe { q::JS_VALUE_GET_FLOAT64(self.0) }
    }

    /// Reads a BigInt; beyond 64 bits it wraps around.
    pub(crate) fn wrapped_i64(&self) -> Result<i64> {
        let mut value = 0;
        // SAFETY: writes one number.
        match unsafe { q::JS_ToBigInt64(context(), &mut value, self.0) } {
            0 => Ok(value),
            _ => Err(Thrown),
        }
    }

    /// Lends the text of a value, as JavaScript converts it, in bytes: a surrogate without its half is no UTF-8.
    pub(crate) fn with_text<T>(&self, work: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let mut length = 0;
        // SAFETY: what comes back is `length` bytes until it is freed.
        unsafe {
            let text = q::JS_ToCStringLen2(context(), &mut length, self.0, false);
            if text.is_null() {
                return Err(Thrown);
            }
            let result = work(slice::from_raw_parts(text.cast(), length as usize));
            q::JS_FreeCString(context(), text);
            Ok(result)
        }
    }

    /// Returns the text of a value; what is no UTF-8 is replaced.
    pub(crate) fn to_text(&self) -> Result<String> {
        self.with_text(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Lends the bytes of a `Uint8Array`, another view of bytes, or an `ArrayBuffer`; `None` for anything else.
    pub(crate) fn with_bytes<T>(&self, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let mut size = 0;
        // SAFETY: what comes back is `size` bytes as long as nothing runs, and `work` does not run JavaScript.
        unsafe {
            let kind = q::JS_GetTypedArrayType(self.0);
            let data = if kind == q::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8 as c_int {
                q::JS_GetUint8Array(context(), &mut size, self.0)
            } else if q::JS_IsArrayBuffer(self.0) {
                q::JS_GetArrayBuffer(context(), &mut size, self.0)
            } else {
                return None;
            };
            if data.is_null() {
                // An empty or detached buffer.
                drop(Js::exception());
                return Some(work(&[]));
            }
            Some(work(slice::from_raw_parts(data, size as usize)))
        }
    }

    pub(crate) fn get(&self, name: &CStr) -> Result<Js> {
        // SAFETY: may run a getter.
        Self::returned(unsafe { q::JS_GetPropertyStr(context(), self.0, name.as_ptr()) })
    }

    pub(crate) fn get_atom(&self, name: &Atom) -> Result<Js> {
        // SAFETY: may run a getter.
        Self::returned(unsafe { q::JS_GetProperty(context(), self.0, name.0) })
    }

    /// Tells whether the object itself has a property, not what it inherits from.
    pub(crate) fn has_own(&self, name: &Atom) -> Result<bool> {
        // SAFETY: asks without a descriptor to fill.
        match unsafe { q::JS_GetOwnProperty(context(), ptr::null_mut(), self.0, name.0) } {
            0 => Ok(false),
            1.. => Ok(true),
            _ => Err(Thrown),
        }
    }

    pub(crate) fn at(&self, index: u32) -> Result<Js> {
        // SAFETY: may run a getter.
        Self::returned(unsafe { q::JS_GetPropertyUint32(context(), self.0, index) })
    }

    pub(crate) fn length(&self) -> Result<u32> {
        let mut length = 0;
        // SAFETY: writes one number.
        match unsafe { q::JS_GetLength(context(), self.0, &mut length) } {
            0 => Ok(u32::try_from(length).unwrap_or(u32::MAX)),
            _ => Err(Thrown),
        }
    }

    /// Gives an object a property of its own, whatever it is called.
    pub(crate) fn define(&self, name: &Atom, value: Js) -> Result<()> {
        let flags = q::JS_PROP_C_W_E as c_int;
        // SAFETY: gives the reference away.
        match unsafe { q::JS_DefinePropertyValue(context(), self.0, name.0, value.into_raw(), flags) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }

    pub(crate) fn set(&self, name: &CStr, value: Js) -> Result<()> {
        let flags = q::JS_PROP_C_W_E as c_int;
        // SAFETY: gives the reference away.
        match unsafe { q::JS_DefinePropertyValueStr(context(), self.0, name.as_ptr(), value.into_raw(), flags) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }

    pub(crate) fn put(&self, index: u32, value: Js) -> Result<()> {
        let flags = q::JS_PROP_C_W_E as c_int;
        // SAFETY: gives the reference away.
        match unsafe { q::JS_DefinePropertyValueUint32(context(), self.0, index, value.into_raw(), flags) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }

    /// Calls a function.
    pub(crate) fn call(&self, this: &Js, arguments: &[JSValue]) -> Result<Js> {
        let (count, values) = (arguments.len() as c_int, arguments.as_ptr().cast_mut());
        // SAFETY: the arguments are alive and are not written to.
        Self::returned(unsafe { q::JS_Call(context(), self.0, this.0, count, values) })
    }

    /// Calls a constructor.
    pub(crate) fn construct(&self, arguments: &[JSValue]) -> Result<Js> {
        let (count, values) = (arguments.len() as c_int, arguments.as_ptr().cast_mut());
        // SAFETY: the arguments are alive and are not written to.
        Self::returned(unsafe { q::JS_CallConstructor(context(), self.0, count, values) })
    }

    /// Returns the names of an object's own properties.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let (mut table, mut count) = (ptr::null_mut(), 0);
        let flags = q::JS_GPN_STRING_MASK as c_int;
        // SAFETY: the table has `count` entries until it is freed.
        unsafe {
            if q::JS_GetOwnPropertyNames(context(), &mut table, &mut count, self.0, flags) < 0 {
                return Err(Thrown);
            }
            let entries = slice::from_raw_parts(table, if table.is_null() { 0 } else { count as usize });
            let names = entries.iter().map(|entry| Js(q::JS_AtomToString(context(), entry.atom)).to_text()).collect();
            q::JS_FreePropertyEnum(context(), table, count);
            names
        }
    }

    /// Tells how a promise stands; `None` for what is no promise.
    pub(crate) fn promise(&self) -> Option<Promise> {
        // SAFETY: looks only.
        unsafe {
            match q::JS_PromiseState(context(), self.0) {
                q::JSPromiseStateEnum_JS_PROMISE_PENDING => Some(Promise::Pending),
                q::JSPromiseStateEnum_JS_PROMISE_FULFILLED => {
                    Some(Promise::Fulfilled(Js(q::JS_PromiseResult(context(), self.0))))
                }
                q::JSPromiseStateEnum_JS_PROMISE_REJECTED => {
                    Some(Promise::Rejected(Js(q::JS_PromiseResult(context(), self.0))))
                }
                _ => None,
            }
        }
    }
}

/// How a promise stands.
pub(crate) enum Promise {
    Pending,
    Fulfilled(Js),
    Rejected(Js),
}

/// Runs what waits to be run after a promise has settled; on failure an exception is waiting.
pub(crate) fn run_jobs() -> Result<()> {
    loop {
        let mut at = ptr::null_mut();
        // SAFETY: the runtime is there.
        match unsafe { q::JS_ExecutePendingJob(q::JS_GetRuntime(context()), &mut at) } {
            0 => return Ok(()),
            1.. => {}
            _ => return Err(Thrown),
        }
    }
}

/// The name of a property.
#[derive(Debug)]
pub(crate) struct Atom(JSAtom);

impl Atom {
    pub(crate) fn new(name: &str) -> Self {
        // SAFETY: the bytes are read up to their length.
        Self(unsafe { q::JS_NewAtomLen(context(), name.as_ptr().cast(), name.len() as _) })
    }
}

impl Drop for Atom {
    fn drop(&mut self) {
        // SAFETY: this holds one reference.
        unsafe { q::JS_FreeAtom(context(), self.0) }
    }
}

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
pub(crate) fn new_object(class: q::JSClassID, prototype: &Js, owned: *mut std::ffi::c_void) -> Result<Js> {
    // SAFETY: the object's finalizer is that of the class.
    unsafe {
        let object = Js::returned(q::JS_NewObjectProtoClass(context(), prototype.0, class))?;
        q::JS_SetOpaque(object.0, owned);
        Ok(object)
    }
}

/// Returns what an object of a class owns; null for any other value.
pub(crate) fn opaque(value: JSValue, class: q::JSClassID) -> *mut std::ffi::c_void {
    // SAFETY: looks only.
    unsafe { q::JS_GetOpaque(value, class) }
}

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
    if unsafe { q::JS_ResolveModule(context(), module.0) } < 0 { Err(Thrown) } else { Ok(()) }
}

/// Links and runs a compiled module and what it imports; returns a promise.
pub(crate) fn run_module(module: &Js) -> Result<Js> {
    // SAFETY: the call takes over a reference, which is added.
    Js::returned(unsafe { q::JS_EvalFunction(context(), q::JS_DupValue(context(), module.0)) })
}

/// Returns what a linked module exports.
pub(crate) fn namespace(module: &Js) -> Result<Js> {
    // SAFETY: a value made by `compile_module` points to its module.
    Js::returned(unsafe { q::JS_GetModuleNamespace(context(), q::JS_VALUE_GET_PTR(module.0).cast()) })
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

/// Sets who hears of promises that were rejected and that nobody has looked at.
pub(crate) fn set_rejection_tracker(tracker: q::JSHostPromiseRejectionTracker) {
    // SAFETY: a function of exactly this type.
    unsafe { q::JS_SetHostPromiseRejectionTracker(q::JS_GetRuntime(context()), tracker, ptr::null_mut()) }
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
