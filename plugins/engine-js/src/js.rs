//! QuickJS's own interface, made safe to use. Nothing but this module calls it: `value` has what scripts work with,
//! `object` looks into objects, `function` gives scripts Rust's functions and values, `code` compiles and runs texts,
//! `inside` looks at texts, rows and arrays where they lie.
//!
//! There is one runtime and one context in an instance, and never another: [`start`] makes them, and everything here
//! works on them. They are never freed, since the instance ends with the call.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

mod code;
mod function;
mod inside;
mod object;
mod value;

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

use rquickjs_sys as q;

use crate::memory;

pub(crate) use code::{compile_module, eval, hand_over, module_of, namespace, resolve, run_module, set_loader};
pub(crate) use function::{Native, Next, answer, function, new_class, new_object, next_function, opaque};
pub(crate) use inside::{Characters, Lent, Place, Text};
pub(crate) use rquickjs_sys::JSValue;
pub(crate) use value::{Atom, Js, Promise, Type};

/// How deep scripts may call, in bytes of the stack that the interpreter uses.
const STACK: usize = 512 << 10;
/// Bytes beyond the limit that are there to explain an error.
const ROOM: usize = 1 << 20;

thread_local! {
    static CONTEXT: Cell<*mut q::JSContext> = const { Cell::new(ptr::null_mut()) };
    /// What QuickJS is told when it asks for the time, in microseconds since 1970.
    static CLOCK: Cell<f64> = const { Cell::new(0.0) };
    /// Bytes that scripts may have; 0 is no limit.
    static LIMIT: Cell<usize> = const { Cell::new(0) };
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
        q::JS_SetMemoryLimit(runtime, memory as _);
        q::JS_SetMaxStackSize(runtime, STACK as _);
        CONTEXT.set(q::JS_NewContext(runtime));
    }
    CLOCK.set(now as f64 * 1000.0);
    LIMIT.set(memory);
}

/// Works with memory beyond what scripts have, so that something can be said where they have used up all of it.
pub(crate) fn with_room<T>(work: impl FnOnce() -> T) -> T {
    let limit = LIMIT.get();
    let set = |limit: usize| {
        // SAFETY: the runtime is there.
        unsafe { q::JS_SetMemoryLimit(q::JS_GetRuntime(context()), limit as _) }
    };
    set(if limit > 0 { limit.saturating_add(ROOM) } else { 0 });
    let result = work();
    set(limit);
    result
}

/// Tells QuickJS where the stack begins now: every call from outside may come at another depth.
pub(crate) fn enter() {
    // SAFETY: the context is there after `start`.
    unsafe { q::JS_UpdateStackTop(q::JS_GetRuntime(context())) }
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

/// Sets who hears of promises that were rejected and that nobody has looked at.
pub(crate) fn set_rejection_tracker(tracker: q::JSHostPromiseRejectionTracker) {
    // SAFETY: a function of exactly this type.
    unsafe { q::JS_SetHostPromiseRejectionTracker(q::JS_GetRuntime(context()), tracker, ptr::null_mut()) }
}
