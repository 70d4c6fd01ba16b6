//! JavaScript objects that own Rust values: cursors, prepared statements, rows on their way, reals.
#![expect(unsafe_code, reason = "QuickJS keeps a pointer to what an object owns")]

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};

use rquickjs_sys as q;

use crate::failure::{Kind, fail};
use crate::js::{self, JSValue, Js, Next, Result};
use crate::many::Rows;
use crate::sql::{Cursor, Prepared};

/// A number that is to be stored as a real.
struct Real(f64);

/// The class of one kind of object.
struct Class {
    id: q::JSClassID,
    prototype: Js,
}

thread_local! {
    static CURSOR: RefCell<Option<Class>> = const { RefCell::new(None) };
    static STATEMENT: RefCell<Option<Class>> = const { RefCell::new(None) };
    static ROWS: RefCell<Option<Class>> = const { RefCell::new(None) };
    static REAL: RefCell<Option<Class>> = const { RefCell::new(None) };
    /// The id alone, to be looked at for every value.
    static REAL_ID: Cell<q::JSClassID> = const { Cell::new(0) };
    static CURSOR_ID: Cell<q::JSClassID> = const { Cell::new(0) };
    static STATEMENT_ID: Cell<q::JSClassID> = const { Cell::new(0) };
    static ROWS_ID: Cell<q::JSClassID> = const { Cell::new(0) };
}

/// Frees what an object owns.
macro_rules! finalizer {
    ($type:ty, $id:ident) => {{
        unsafe extern "C" fn finalize(_: *mut q::JSRuntime, value: JSValue) {
            let owned = js::opaque(value, $id.get()).cast::<$type>();
            if !owned.is_null() {
                // SAFETY: made by `Box::into_raw`, and an object is finalized once.
                drop(unsafe { Box::from_raw(owned) });
            }
        }
        finalize
    }};
}

/// Makes the classes; the prototypes of those that scripts get are given by name: cursor, statement, real.
pub(crate) fn install() -> Result<(Js, Js, Js)> {
    let make = |name, finalizer| -> Result<Class> {
        Ok(Class { id: js::new_class(name, finalizer), prototype: Js::object()? })
    };
    let cursor = make(c"Cursor", finalizer!(RefCell<Cursor>, CURSOR_ID))?;
    let statement = make(c"Statement", finalizer!(Prepared, STATEMENT_ID))?;
    let rows = make(c"Rows", finalizer!(RefCell<Rows>, ROWS_ID))?;
    let real = make(c"Real", finalizer!(Real, REAL_ID))?;
    CURSOR_ID.set(cursor.id);
    STATEMENT_ID.set(statement.id);
    ROWS_ID.set(rows.id);
    REAL_ID.set(real.id);
    cursor.prototype.set(c"next", js::next_function(next as Next)?)?;
    let prototypes = (cursor.prototype.clone(), statement.prototype.clone(), real.prototype.clone());
    CURSOR.set(Some(cursor));
    STATEMENT.set(Some(statement));
    ROWS.set(Some(rows));
    REAL.set(Some(real));
    Ok(prototypes)
}

fn object<T>(class: &RefCell<Option<Class>>, owned: T) -> Result<Js> {
    let class = class.borrow();
    let class = class.as_ref().ok_or(js::Thrown)?;
    let owned = Box::into_raw(Box::new(owned));
    js::new_object(class.id, &class.prototype, owned.cast::<c_void>()).inspect_err(|_| {
        // SAFETY: nobody has taken it over.
        drop(unsafe { Box::from_raw(owned) });
    })
}

/// Makes an object of a cursor.
pub(crate) fn cursor(cursor: Cursor) -> Result<Js> {
    CURSOR.with(|class| object(class, RefCell::new(cursor)))
}

/// Makes an object of a prepared statement.
pub(crate) fn statement(statement: Prepared) -> Result<Js> {
    STATEMENT.with(|class| object(class, statement))
}

/// Makes an object of rows on their way.
pub(crate) fn rows(rows: Rows) -> Result<Js> {
    ROWS.with(|class| object(class, RefCell::new(rows)))
}

/// Makes an object of a number that is to be stored as a real.
pub(crate) fn new_real(value: f64) -> Result<Js> {
    REAL.with(|class| object(class, Real(value)))
}

/// Returns the number, if it is one that is to be stored as a real.
pub(crate) fn real(value: &Js) -> Option<f64> {
    let owned = js::opaque(value.raw(), REAL_ID.get()).cast::<Real>();
    // SAFETY: of this class, so it owns such a value, and it is alive.
    unsafe { owned.as_ref() }.map(|real| real.0)
}

/// Lends a cursor.
pub(crate) fn with_cursor<T>(this: JSValue, work: impl FnOnce(&mut Cursor) -> Result<T>) -> Result<T> {
    let owned = js::opaque(this, CURSOR_ID.get()).cast::<RefCell<Cursor>>();
    // SAFETY: of this class, so it owns such a value; `this` is alive during the call.
    match unsafe { owned.as_ref() }.map(RefCell::try_borrow_mut) {
        Some(Ok(mut cursor)) => work(&mut cursor),
        _ => Err(fail(Kind::Type, "this is not the cursor of a query")),
    }
}

/// Tells whether a value is a cursor whose statement has run.
pub(crate) fn is_run(value: &Js) -> bool {
    let owned = js::opaque(value.raw(), CURSOR_ID.get()).cast::<RefCell<Cursor>>();
    // SAFETY: of this class, so it owns such a value, and it is alive.
    unsafe { owned.as_ref() }.is_some_and(|cursor| cursor.try_borrow().is_ok_and(|cursor| cursor.has_begun()))
}

/// Lends rows on their way. No script ever gets them.
pub(crate) fn with_rows<T>(this: JSValue, work: impl FnOnce(&mut Rows) -> Result<T>) -> Result<T> {
    let owned = js::opaque(this, ROWS_ID.get()).cast::<RefCell<Rows>>();
    // SAFETY: of this class, so it owns such a value; `this` is alive during the call.
    match unsafe { owned.as_ref() }.map(RefCell::try_borrow_mut) {
        Some(Ok(mut rows)) => work(&mut rows),
        _ => Err(fail(Kind::Type, "these are not the rows of executeMany")),
    }
}

/// Lends a prepared statement.
pub(crate) fn with_statement<T>(this: JSValue, work: impl FnOnce(&Prepared) -> Result<T>) -> Result<T> {
    let owned = js::opaque(this, STATEMENT_ID.get()).cast::<Prepared>();
    // SAFETY: of this class, so it owns such a value; `this` is alive during the call.
    match unsafe { owned.as_ref() } {
        Some(statement) => work(statement),
        None => Err(fail(Kind::Type, "this is not a prepared statement")),
    }
}

/// Gives the next row; at the end `done` is set.
unsafe extern "C" fn next(
    _: *mut q::JSContext,
    this: JSValue,
    _: c_int,
    _: *mut JSValue,
    done: *mut c_int,
    _: c_int,
) -> JSValue {
    let row = with_cursor(this, Cursor::next);
    // SAFETY: QuickJS gives a place for one number.
    unsafe { *done = c_int::from(matches!(row, Ok(None))) };
    js::answer(row.map(|row| row.unwrap_or_else(Js::undefined)))
}
