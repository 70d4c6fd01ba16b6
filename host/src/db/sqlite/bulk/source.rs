//! What SQLite calls to get at the rows of a batch: a table that holds them, and functions that return their cells. And
//! how a statement that uses them is run.
//!
//! One of the seven files of the host with unsafe code: `rusqlite` has virtual tables, but they copy each text, and its
//! functions do too.
//!
//! Why it is sound:
//! - The only way from SQL to a batch is a pointer that [`run`] binds under the name [`POINTER`], which stands nowhere
//!   else and for nothing but a [`Source`]. SQLite gives such a pointer to nobody who does not know the name, and SQL
//!   can neither make one nor keep it.
//! - `run` borrows the source until it returns, and [`RawStatement::bound`] sees to it that before that the statement
//!   is reset, which closes the cursors of the table, and its parameters are cleared. So no pointer outlives what it
//!   points to.
//! - Texts and blobs are handed over as `SQLITE_STATIC`: they lie in columns that the source borrows, nobody changes
//!   them meanwhile, and SQLite copies what it keeps beyond the statement. They were checked to be UTF-8.
//! - The source is used by one thread at a time, as the connection is, and through shared references only.
//! - A table and a cursor are each made by one `Box::into_raw` and freed by one `Box::from_raw`, which SQLite calls
//!   once. Both begin with the part that SQLite knows (`repr(C)`).
//! - Nothing that SQLite calls here panics: places and columns are checked, and whoever makes a source names rows that
//!   its columns have. Should one be wrong, slices are looked up with their bounds checked, and the process ends.
#![allow(unsafe_code, reason = "see above")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use rusqlite::{Connection, Error, ffi};
use whimbrel_packed::RawCell;

use super::rows::Source;
use crate::db::sqlite::raw_statement::RawStatement;

/// Most columns of the table.
pub(super) const COLUMNS: usize = 64;
/// The table that holds the rows of a batch: `_whimbrel_rows(?)`, with columns `c0`, `c1` and so on.
pub(super) const ROWS: &str = "_whimbrel_rows";
/// Returns the cell of a column in the row with a key: `_whimbrel_cell(?, 0, id)`.
pub(super) const CELL: &str = "_whimbrel_cell";
/// Tells whether a row has this key: `_whimbrel_row(?, id)`.
pub(super) const ROW: &str = "_whimbrel_row";

const POINTER: &CStr = c"whimbrel:batch";

/// Puts the table and the functions on a connection.
pub(in crate::db::sqlite) fn register(connection: &Connection) -> rusqlite::Result<()> {
    set(connection, &raw const MODULE, Some(cell_of), Some(has_row))
}

/// Takes them away again; no statement that uses them may be open.
pub(in crate::db::sqlite) fn unregister(connection: &Connection) -> rusqlite::Result<()> {
    set(connection, ptr::null(), None, None)
}

type Function = unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value);

fn set(
    connection: &Connection,
    module: *const ffi::sqlite3_module,
    cell: Option<Function>,
    row: Option<Function>,
) -> rusqlite::Result<()> {
    let flags = ffi::SQLITE_UTF8 | ffi::SQLITE_DIRECTONLY;
    // SAFETY: the connection is open; the names are C strings, the module and the functions are there for ever.
    let codes = unsafe {
        let db = connection.handle();
        let function = |name: &CStr, arguments, call| {
            ffi::sqlite3_create_function_v2(
                db,
                name.as_ptr(),
                arguments,
                flags,
                ptr::null_mut(),
                call,
                None,
                None,
                None,
            )
        };
        [
            ffi::sqlite3_create_module_v2(db, c"_whimbrel_rows".as_ptr(), module, ptr::null_mut(), None),
            function(c"_whimbrel_cell", 3, cell),
            function(c"_whimbrel_row", 2, row),
        ]
    };
    match codes.into_iter().find(|code| *code != ffi::SQLITE_OK) {
        None => Ok(()),
        Some(code) => Err(failure(code, connection)),
    }
}

/// Runs a statement once for all rows: its parameters are a batch and, where it has keys, the first and the last one,
/// and whether there are all keys between them, so that no row need be asked for its own. Tells how many rows it
/// changed itself.
pub(super) fn run(
    statement: &mut RawStatement<'_>,
    source: &Source<'_>,
    keys: Option<(i64, i64)>,
) -> rusqlite::Result<u64> {
    statement.bound(|bound| {
        bound.bind_pointer(0, source, POINTER)?;
        if let Some((first, last)) = keys {
            bound.bind(1, RawCell::Integer(first))?;
            bound.bind(2, RawCell::Integer(last))?;
            bound.bind(3, RawCell::Boolean(last.abs_diff(first) < source.len() as u64))?;
        }
        bound.run()
    })
}

#[cold]
fn failure(code: c_int, connection: &Connection) -> Error {
    // SAFETY: SQLite's message is a C string that is valid until the next call on the connection.
    let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(connection.handle())) };
    Error::SqliteFailure(ffi::Error::new(code), Some(message.to_string_lossy().into_owned()))
}

/// The table. It has no state of its own.
static MODULE: ffi::sqlite3_module = ffi::sqlite3_module {
    iVersion: 0,
    // Only the table itself, and none that is made of it.
    xCreate: None,
    xConnect: Some(connect),
    xBestIndex: Some(choose),
    xDisconnect: Some(disconnect),
    xDestroy: None,
    xOpen: Some(open),
    xClose: Some(close),
    xFilter: Some(begin),
    xNext: Some(next),
    xEof: Some(is_over),
    xColumn: Some(column),
    xRowid: Some(number),
    xUpdate: None,
    xBegin: None,
    xSync: None,
    xCommit: None,
    xRollback: None,
    xFindFunction: None,
    xRename: None,
    xSavepoint: None,
    xRelease: None,
    xRollbackTo: None,
    xShadowName: None,
    xIntegrity: None,
};

/// A walk over the rows.
#[repr(C)]
struct Cursor {
    base: ffi::sqlite3_vtab_cursor,
    /// Null where no batch was given.
    source: *const Source<'static>,
    place: usize,
}

unsafe extern "C" fn connect(
    db: *mut ffi::sqlite3,
    _: *mut c_void,
    _: c_int,
    _: *const *const c_char,
    table: *mut *mut ffi::sqlite3_vtab,
    _: *mut *mut c_char,
) -> c_int {
    let columns: Vec<String> = (0..COLUMNS).map(|column| format!("c{column}")).collect();
    let declared = format!("CREATE TABLE rows ({}, source HIDDEN)\0", columns.join(", "));
    // SAFETY: SQLite's own connection; the text ends with a zero; `table` is where SQLite wants the table.
    unsafe {
        let code = ffi::sqlite3_declare_vtab(db, declared.as_ptr().cast::<c_char>());
        if code != ffi::SQLITE_OK {
            return code;
        }
        ffi::sqlite3_vtab_config(db, ffi::SQLITE_VTAB_DIRECTONLY);
        let made = ffi::sqlite3_vtab { pModule: ptr::null(), nRef: 0, zErrMsg: ptr::null_mut() };
        *table = Box::into_raw(Box::new(made));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn disconnect(table: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: made by `connect`; SQLite does not use it any more.
    drop(unsafe { Box::from_raw(table) });
    ffi::SQLITE_OK
}

/// Takes the batch as the only constraint.
unsafe extern "C" fn choose(_: *mut ffi::sqlite3_vtab, info: *mut ffi::sqlite3_index_info) -> c_int {
    // SAFETY: SQLite lends `info` for the call; both lists have `nConstraint` entries.
    unsafe {
        let info = &mut *info;
        for index in 0..usize::try_from(info.nConstraint).unwrap_or(0) {
            let constraint = &*info.aConstraint.add(index);
            let is_source = usize::try_from(constraint.iColumn) == Ok(COLUMNS);
            if !is_source || c_int::from(constraint.op) != ffi::SQLITE_INDEX_CONSTRAINT_EQ {
                continue;
            }
            if constraint.usable == 0 {
                return ffi::SQLITE_CONSTRAINT;
            }
            let usage = &mut *info.aConstraintUsage.add(index);
            usage.argvIndex = 1;
            usage.omit = 1;
            info.estimatedCost = 1.0;
            break;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn open(_: *mut ffi::sqlite3_vtab, cursor: *mut *mut ffi::sqlite3_vtab_cursor) -> c_int {
    let made =
        Cursor { base: ffi::sqlite3_vtab_cursor { pVtab: ptr::null_mut() }, source: ptr::null(), place: usize::MAX };
    // SAFETY: `cursor` is where SQLite wants the cursor.
    unsafe { *cursor = Box::into_raw(Box::new(made)).cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(cursor: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: made by `open`; SQLite does not use it any more.
    drop(unsafe { Box::from_raw(cursor.cast::<Cursor>()) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn begin(
    cursor: *mut ffi::sqlite3_vtab_cursor,
    _: c_int,
    _: *const c_char,
    arguments: c_int,
    values: *mut *mut ffi::sqlite3_value,
) -> c_int {
    // SAFETY: a cursor of ours; there are as many values as `arguments` says.
    unsafe {
        let cursor = &mut *cursor.cast::<Cursor>();
        cursor.source = if arguments == 1 { source_of(*values) } else { ptr::null() };
        cursor.place = 0;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn next(cursor: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: a cursor of ours.
    unsafe { (*cursor.cast::<Cursor>()).place += 1 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn is_over(cursor: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: a cursor of ours, whose source lives as long as the statement runs.
    unsafe {
        let cursor = &*cursor.cast::<Cursor>();
        c_int::from(cursor.source.as_ref().is_none_or(|source| cursor.place >= source.len()))
    }
}

unsafe extern "C" fn column(
    cursor: *mut ffi::sqlite3_vtab_cursor,
    context: *mut ffi::sqlite3_context,
    column: c_int,
) -> c_int {
    // SAFETY: a cursor of ours, whose source lives as long as the statement runs.
    unsafe {
        let cursor = &*cursor.cast::<Cursor>();
        let cell =
            usize::try_from(column).ok().and_then(|column| cursor.source.as_ref()?.at_place(cursor.place, column));
        answer(context, cell.unwrap_or(RawCell::Null));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn number(cursor: *mut ffi::sqlite3_vtab_cursor, rowid: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: a cursor of ours; `rowid` is where SQLite wants the number.
    unsafe { *rowid = i64::try_from((*cursor.cast::<Cursor>()).place).unwrap_or(i64::MAX) };
    ffi::SQLITE_OK
}

/// `_whimbrel_row(batch, key)`
unsafe extern "C" fn has_row(context: *mut ffi::sqlite3_context, _: c_int, arguments: *mut *mut ffi::sqlite3_value) {
    // SAFETY: SQLite hands over two arguments.
    unsafe {
        let Some(source) = source_of(*arguments).as_ref() else { return refuse(context) };
        let key = *arguments.add(1);
        let found =
            ffi::sqlite3_value_type(key) == ffi::SQLITE_INTEGER && source.find(ffi::sqlite3_value_int64(key)).is_some();
        ffi::sqlite3_result_int(context, c_int::from(found));
    }
}

/// `_whimbrel_cell(batch, column, key)`
unsafe extern "C" fn cell_of(context: *mut ffi::sqlite3_context, _: c_int, arguments: *mut *mut ffi::sqlite3_value) {
    // SAFETY: SQLite hands over three arguments.
    unsafe {
        let Some(source) = source_of(*arguments).as_ref() else { return refuse(context) };
        let column = usize::try_from(ffi::sqlite3_value_int64(*arguments.add(1)));
        let place = source.find(ffi::sqlite3_value_int64(*arguments.add(2)));
        match column.ok().zip(place).and_then(|(column, place)| source.at_place(place, column)) {
            Some(cell) => answer(context, cell),
            None => refuse(context),
        }
    }
}

/// Returns the batch that a value points to, or null.
#[inline(always)]
unsafe fn source_of(value: *mut ffi::sqlite3_value) -> *const Source<'static> {
    // SAFETY: the caller hands over a value of SQLite.
    unsafe { ffi::sqlite3_value_pointer(value, POINTER.as_ptr()).cast_const().cast() }
}

#[cold]
unsafe fn refuse(context: *mut ffi::sqlite3_context) {
    let message = c"this function is the host's own";
    // SAFETY: the context is SQLite's, which copies the message.
    unsafe { ffi::sqlite3_result_error(context, message.as_ptr(), -1) };
}

/// Hands a cell over where it lies.
#[inline(always)]
unsafe fn answer(context: *mut ffi::sqlite3_context, cell: RawCell<'_>) {
    // SAFETY: the context is SQLite's; pointers and lengths are those of slices that live as long as the statement
    // runs. Empty ones are handed over as something that is there for ever, since a slice without bytes may point to
    // nowhere.
    unsafe {
        match cell {
            RawCell::Null => ffi::sqlite3_result_null(context),
            RawCell::Boolean(value) => ffi::sqlite3_result_int64(context, i64::from(value)),
            RawCell::Integer(value) => ffi::sqlite3_result_int64(context, value),
            RawCell::Real(value) => ffi::sqlite3_result_double(context, value),
            RawCell::Text(bytes) => {
                let start = if bytes.is_empty() { c"".as_ptr() } else { bytes.as_ptr().cast::<c_char>() };
                let (length, encoding) = (bytes.len() as u64, ffi::SQLITE_UTF8 as _);
                ffi::sqlite3_result_text64(context, start, length, ffi::SQLITE_STATIC(), encoding);
            }
            RawCell::Blob([]) => ffi::sqlite3_result_zeroblob(context, 0),
            RawCell::Blob(bytes) => {
                let (start, length) = (bytes.as_ptr().cast::<c_void>(), bytes.len() as u64);
                ffi::sqlite3_result_blob64(context, start, length, ffi::SQLITE_STATIC());
            }
        }
    }
}
