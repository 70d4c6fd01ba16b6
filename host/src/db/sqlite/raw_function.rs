//! An SQL function that reads its arguments and gives its result where they lie.
//!
//! One of the seven files of the host with unsafe code: `rusqlite` takes results as values that somebody owns, so that
//! each text would be copied twice, and fetched and freed in between.
//!
//! Why it is sound:
//! - SQLite calls [`call`] with a context and as many values as it says, all of which live until it returns. A
//!   [`Context`] is only lent for that time, and what it shows is borrowed no longer.
//! - What the function does is boxed when it is registered. SQLite hands the box to each call, and to [`free`] exactly
//!   once: when the function is removed or replaced, with the connection, or at once when it is not registered. Never
//!   during a call: while a statement runs, functions can be neither removed nor replaced.
//! - It is `Send`, as a connection is, and `Fn`, so that a call within a call does no harm. No panic goes through
//!   SQLite.
//! - SQLite copies results and messages before the call that tells them returns.
#![allow(unsafe_code, reason = "see above")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Error, ffi};
use whimbrel_packed::{Cell, RawCell};

use super::raw_statement::shown;

/// A call: its arguments, and where its result goes.
pub(super) struct Context<'call> {
    context: *mut ffi::sqlite3_context,
    values: &'call [*mut ffi::sqlite3_value],
}

impl<'call> Context<'call> {
    /// Counts the arguments.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Shows an argument, counted from 0. A text may be no UTF-8. Nothing where SQLite had no memory to show it.
    pub(super) fn argument(&self, index: usize) -> Option<RawCell<'call>> {
        // SAFETY: the value lives until the call returns.
        unsafe { shown(self.values[index]) }
    }

    /// Gives the result.
    pub(super) fn give(&self, result: Cell<'_>) {
        let context = self.context;
        // SAFETY: the context lives until the call returns, and SQLite copies what it is told to copy.
        unsafe {
            match result {
                Cell::Null => ffi::sqlite3_result_null(context),
                Cell::Boolean(value) => ffi::sqlite3_result_int64(context, i64::from(value)),
                Cell::Integer(value) => ffi::sqlite3_result_int64(context, value),
                Cell::Real(value) => ffi::sqlite3_result_double(context, value),
                Cell::Text(text) => ffi::sqlite3_result_text64(
                    context,
                    text.as_ptr().cast(),
                    text.len() as _,
                    ffi::SQLITE_TRANSIENT(),
                    ffi::SQLITE_UTF8 as _,
                ),
                Cell::Blob([]) => ffi::sqlite3_result_zeroblob(context, 0),
                Cell::Blob(blob) => {
                    ffi::sqlite3_result_blob64(context, blob.as_ptr().cast(), blob.len() as _, ffi::SQLITE_TRANSIENT());
                }
            }
        }
    }

    fn fail(&self, message: &str) {
        let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
        // SAFETY: the context lives until the call returns, the message is as long as said or longer, and is copied.
        unsafe { ffi::sqlite3_result_error(self.context, message.as_ptr().cast::<c_char>(), length) };
    }
}

/// Registers a function of this many arguments, any number if it is -1. What it returns as an error fails the
/// statement.
pub(super) fn register<F>(
    connection: &Connection,
    name: &str,
    arity: c_int,
    flags: FunctionFlags,
    function: F,
) -> rusqlite::Result<()>
where
    F: Fn(&Context<'_>) -> Result<(), String> + Send + 'static,
{
    let name = CString::new(name)?;
    let function = Box::into_raw(Box::new(function)).cast::<c_void>();
    // SAFETY: the connection is open as long as it is borrowed; the name is read during the call; `call` and `free`
    // take the box for what it is.
    let code = unsafe {
        ffi::sqlite3_create_function_v2(
            connection.handle(),
            name.as_ptr(),
            arity,
            flags.bits(),
            function,
            Some(call::<F>),
            None,
            None,
            Some(free::<F>),
        )
    };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(Error::SqliteFailure(ffi::Error::new(code), None)) }
}

/// # Safety
/// SQLite calls it, for a function that was registered with a box of `F`.
unsafe extern "C" fn call<F>(context: *mut ffi::sqlite3_context, count: c_int, values: *mut *mut ffi::sqlite3_value)
where
    F: Fn(&Context<'_>) -> Result<(), String>,
{
    // SAFETY: SQLite says how many values there are, and hands over the box of this function.
    let (values, function) = unsafe {
        let values = match usize::try_from(count) {
            Ok(count) if count > 0 => slice::from_raw_parts(values.cast_const(), count),
            _ => &[],
        };
        (values, &*ffi::sqlite3_user_data(context).cast::<F>())
    };
    let context = Context { context, values };
    match catch_unwind(AssertUnwindSafe(|| function(&context))) {
        Ok(Ok(())) => {}
        Ok(Err(message)) => context.fail(&message),
        Err(_) => context.fail("the function panicked"),
    }
}

/// # Safety
/// SQLite calls it, once, with a box of `F`.
unsafe extern "C" fn free<F>(function: *mut c_void) {
    // SAFETY: it was a box of `F`, which nobody uses any more. A panic of what it drops is kept from SQLite.
    drop(catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(function.cast::<F>()) }))));
}
