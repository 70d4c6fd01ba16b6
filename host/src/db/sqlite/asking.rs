//! Has SQLite ask before a statement does something, and before it gives up waiting for a lock; and asks it what `rusqlite`
//! does not.
//!
//! One of the seven files of the host with unsafe code. `rusqlite` can have SQLite ask, too, but looks at every name
//! whether it is UTF-8 and sorts out what is asked before anybody wants to know: ten times for each statement of a script,
//! nearly always for an access that was asked for by the statement before. And not all of its versions that the host can be
//! built with let who is asked about a lock know whom it is about, or tell that a file has moved.
//!
//! Why it is sound:
//! - What SQLite hands to [`answer`] and to [`go_on`] is the pointer of a [`Watch`] that [`begin`] and [`begin_waiting`] have
//!   made of an `Arc` each. The connection owns that count of it as its client data: SQLite gives it back by [`let_go`] once,
//!   when other client data of this name comes or the connection is closed. Before the former the function is taken off,
//!   after the latter nobody can ask.
//! - A watch is only looked at through a shared reference, and is `Sync`.
//! - What it hands to [`tell`] is the pointer of the same watch. The session that owns the connection has that function taken off
//!   before the watch goes, also before the connection is closed, which may roll back once more.
//! - Names are C strings, or null; SQLite lends them for the call, and none is kept.
//! - A panic does not go through SQLite: it is a refusal.
#![allow(unsafe_code, reason = "see above")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use rusqlite::hooks::Authorization;
use rusqlite::{Connection, Error, ffi};

use super::authorizer;
use super::question::Question;
use super::watch::Watch;

const NAME: &CStr = c"whimbrel_watch";
const WAITING: &CStr = c"whimbrel_waiting";

/// Has SQLite ask a watch about every access of every statement, and nobody else.
pub(super) fn begin(connection: &Connection, watch: &Arc<Watch>) -> rusqlite::Result<()> {
    end(connection)?;
    let watch = Arc::into_raw(Arc::clone(watch)).cast_mut().cast::<c_void>();
    // SAFETY: the connection is open, the name is there for ever, and the count goes with the pointer, also when it
    // cannot be taken: then SQLite gives it back at once.
    unsafe {
        done(ffi::sqlite3_set_clientdata(connection.handle(), NAME.as_ptr(), watch, Some(let_go)))?;
        done(ffi::sqlite3_set_authorizer(connection.handle(), Some(answer), watch))
    }
}

/// Has SQLite ask nobody.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<()> {
    // SAFETY: the connection is open. The function is taken off before what it is handed goes.
    unsafe {
        done(ffi::sqlite3_set_authorizer(connection.handle(), None, ptr::null_mut()))?;
        done(ffi::sqlite3_set_clientdata(connection.handle(), NAME.as_ptr(), ptr::null_mut(), None))
    }
}

/// Has SQLite ask a watch how long to wait for others' locks.
pub(super) fn begin_waiting(connection: &Connection, watch: &Arc<Watch>) -> rusqlite::Result<()> {
    end_waiting(connection)?;
    let watch = Arc::into_raw(Arc::clone(watch)).cast_mut().cast::<c_void>();
    // SAFETY: as in `begin`.
    unsafe {
        done(ffi::sqlite3_set_clientdata(connection.handle(), WAITING.as_ptr(), watch, Some(let_go)))?;
        done(ffi::sqlite3_busy_handler(connection.handle(), Some(go_on), watch))
    }
}

/// Has SQLite wait for nobody.
pub(super) fn end_waiting(connection: &Connection) -> rusqlite::Result<()> {
    // SAFETY: as in `end`.
    unsafe {
        done(ffi::sqlite3_busy_handler(connection.handle(), None, ptr::null_mut()))?;
        done(ffi::sqlite3_set_clientdata(connection.handle(), WAITING.as_ptr(), ptr::null_mut(), None))
    }
}

/// Asks whether the file of the database is not at its path any more; where that cannot be told, it is.
#[cfg(unix)]
pub(super) fn has_moved(connection: &Connection) -> bool {
    let mut moved: c_int = 0;
    let place = (&raw mut moved).cast::<c_void>();
    // SAFETY: the connection is open, and SQLite writes one number at the place, during the call only.
    let code =
        unsafe { ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_HAS_MOVED, place) };
    code == ffi::SQLITE_OK && moved != 0
}

/// Has SQLite roll back whatever it is about to commit and tell the watch of whatever it has rolled back; with no watch, not
/// any more. In place of other such hooks. The watch must be there until this is ended.
pub(super) fn keep_transaction(connection: &Connection, watch: Option<&Arc<Watch>>) {
    let told = watch.map_or(ptr::null_mut(), |watch| Arc::as_ptr(watch).cast_mut().cast::<c_void>());
    let hooks = watch.map(|_| (refuse as unsafe extern "C" fn(_) -> _, tell as unsafe extern "C" fn(_)));
    // SAFETY: the connection is open. The first function needs nothing that it could be handed; the second is handed a watch
    // that is there as long as it, see above.
    unsafe {
        ffi::sqlite3_commit_hook(connection.handle(), hooks.map(|hooks| hooks.0), ptr::null_mut());
        ffi::sqlite3_rollback_hook(connection.handle(), hooks.map(|hooks| hooks.1), told);
    }
}

unsafe extern "C" fn refuse(_: *mut c_void) -> c_int {
    1
}

unsafe extern "C" fn tell(watch: *mut c_void) {
    // SAFETY: a watch that outlives this function's place on the connection.
    unsafe { &*watch.cast_const().cast::<Watch>() }.lose_transaction();
}

fn done(code: c_int) -> rusqlite::Result<()> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(Error::SqliteFailure(ffi::Error::new(code), None)) }
}

unsafe extern "C" fn let_go(watch: *mut c_void) {
    // SAFETY: the count that `begin` has handed over.
    drop(unsafe { Arc::from_raw(watch.cast_const().cast::<Watch>()) });
}

unsafe extern "C" fn answer(
    watch: *mut c_void,
    code: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    accessor: *const c_char,
) -> c_int {
    // SAFETY: names of SQLite's, or null; the connection holds a count of the watch, see above.
    let (names, watch) = unsafe {
        let names = [name_at(first), name_at(second), name_at(database), name_at(accessor)];
        (names, &*watch.cast_const().cast::<Watch>())
    };
    let question = Question { code, names };
    match catch_unwind(AssertUnwindSafe(|| authorizer::authorize(&mut watch.gate(), &question))) {
        Ok(Authorization::Allow) => ffi::SQLITE_OK,
        Ok(Authorization::Ignore) => ffi::SQLITE_IGNORE,
        _ => ffi::SQLITE_DENY,
    }
}

unsafe extern "C" fn go_on(watch: *mut c_void, times: c_int) -> c_int {
    // SAFETY: the connection holds a count of the watch, see above.
    let watch = unsafe { &*watch.cast_const().cast::<Watch>() };
    c_int::from(catch_unwind(AssertUnwindSafe(|| watch.goes_on_waiting(times))).unwrap_or(false))
}

/// Returns the bytes of a name, where there is one.
#[inline(always)]
unsafe fn name_at<'a>(name: *const c_char) -> Option<&'a [u8]> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller hands over a C string that outlives what is done with its bytes.
    Some(unsafe { CStr::from_ptr(name) }.to_bytes())
}
