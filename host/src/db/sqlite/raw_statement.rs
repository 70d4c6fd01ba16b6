//! A prepared statement whose parameters are bound where they lie: texts and blobs without a copy, and what only the
//! host's own functions may see; and whose rows are read where they lie.
//!
//! One of the seven files of the host with unsafe code: `rusqlite` copies whatever it binds, which costs an allocation
//! for each cell and, row for row, a third of what writing it costs; and of each cell that is read it asks SQLite three
//! or four things where two would do, which is a fifth of what reading it costs.
//!
//! Why it is sound:
//! - The statement is made by `sqlite3_prepare_v3` on a connection that is borrowed for as long as the statement lives,
//!   and is finalized exactly once, in `drop`. Nobody else has the pointer.
//! - A connection is used by one thread at a time: it is not `Sync`, and this value is not `Send`.
//! - SQLite keeps pointers to what is bound until the parameter is bound anew, and its registers and cursors keep them
//!   until the statement is reset. Whatever is bound is borrowed for `'cells`, which is no shorter than the call of
//!   [`RawStatement::bound`], and cannot be made shorter, since [`Bound`] is invariant in it. Before that call returns,
//!   by whatever way, [`Bound`] resets the statement and clears the parameters; it is only ever lent, so that nobody
//!   can keep it from doing so. So no pointer outlives what it points to.
//! - SQLite never writes to what was bound with `SQLITE_STATIC`, and copies what it keeps.
//! - Texts were checked to be UTF-8; lengths are told, so no text needs a terminating zero.
#![allow(unsafe_code, reason = "see above")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use rusqlite::{Connection, Error, ffi};
use whimbrel_packed::RawCell;

/// A run for many rows that came to an end at one of them.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) row: u32,
    /// Rows changed before it.
    pub(super) changed: u64,
    pub(super) error: Error,
}

/// A prepared statement.
pub(super) struct RawStatement<'connection> {
    statement: NonNull<ffi::sqlite3_stmt>,
    connection: &'connection Connection,
}

impl<'connection> RawStatement<'connection> {
    /// Prepares the first statement of a text, to be run many times.
    pub(super) fn prepare(connection: &'connection Connection, sql: &str) -> rusqlite::Result<Self> {
        Self::first(connection, sql)?.0.ok_or(Error::InvalidQuery)
    }

    /// Prepares the only statement of a text, to be run many times.
    pub(super) fn prepare_only(connection: &'connection Connection, sql: &str) -> rusqlite::Result<Self> {
        let (statement, rest) = Self::first(connection, sql)?;
        // Behind it there may be comments.
        if !rest.trim().is_empty() && Self::first(connection, rest)?.0.is_some() {
            return Err(Error::MultipleStatement);
        }
        statement.ok_or(Error::InvalidQuery)
    }

    /// Prepares the first statement of a text, if there is one, and returns what stands behind it.
    fn first<'s>(connection: &'connection Connection, sql: &'s str) -> rusqlite::Result<(Option<Self>, &'s str)> {
        let length = c_int::try_from(sql.len()).map_err(|_| failure(ffi::SQLITE_TOOBIG, None))?;
        let (mut statement, mut rest) = (ptr::null_mut(), ptr::null());
        let start = sql.as_ptr().cast::<c_char>();
        // SAFETY: the connection is open as long as it is borrowed; pointer and length are those of `sql`, which SQLite
        // reads during the call only.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                connection.handle(),
                start,
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as _,
                &raw mut statement,
                &raw mut rest,
            )
        };
        if code != ffi::SQLITE_OK {
            // What is wrong, `rusqlite` can say better.
            return Err(connection.prepare(sql).err().unwrap_or_else(|| failure(code, None)));
        }
        let rest = sql.get((rest as usize).wrapping_sub(start as usize)..).unwrap_or_default();
        Ok((NonNull::new(statement).map(|statement| Self { statement, connection }), rest))
    }

    /// Counts the parameters.
    pub(super) fn parameters(&self) -> usize {
        // SAFETY: the statement lives until `drop`.
        let count = unsafe { ffi::sqlite3_bind_parameter_count(self.statement.as_ptr()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// Runs it for each of `rows`, with `cell` telling the parameters, counted from 0. Tells how many rows it changed
    /// itself; on failure, at which of them.
    pub(super) fn each<'cells>(
        &mut self,
        rows: impl Iterator<Item = u32>,
        cell: impl Fn(u32, usize) -> RawCell<'cells>,
    ) -> Result<u64, Stopped> {
        let (parameters, mut changed) = (self.parameters(), 0);
        self.bound(|bound| {
            for row in rows {
                let done = (0..parameters)
                    .try_for_each(|parameter| bound.bind(parameter, cell(row, parameter)))
                    .and_then(|()| bound.run());
                changed += done.map_err(|error| Stopped { row, changed, error })?;
            }
            Ok(changed)
        })
    }

    /// Binds a copy of a value to a parameter, counted from 0. It stays bound until [`Self::let_go`].
    pub(super) fn bind_copy(&mut self, parameter: usize, cell: RawCell<'_>) -> rusqlite::Result<()> {
        // SAFETY: SQLite copies what it is told to copy during the call.
        let code = unsafe { bind(self.statement.as_ptr(), index(parameter)?, cell, ffi::SQLITE_TRANSIENT()) };
        self.done(code)
    }

    /// Goes on to the next row; `false` at the end, after which it would begin anew.
    pub(super) fn step(&mut self) -> rusqlite::Result<bool> {
        // SAFETY: the statement lives, and what is bound outlives the call.
        let code = unsafe { ffi::sqlite3_step(self.statement.as_ptr()) };
        if code == ffi::SQLITE_ROW {
            return Ok(true);
        }
        let ended = if code == ffi::SQLITE_DONE { Ok(false) } else { Err(self.error(code)) };
        // SAFETY: the statement lives. What it returns tells again how the run ended.
        unsafe { ffi::sqlite3_reset(self.statement.as_ptr()) };
        ended
    }

    /// Ends what it was doing and forgets what was bound.
    pub(super) fn let_go(&mut self) {
        let statement = self.statement.as_ptr();
        // SAFETY: the statement lives. Afterwards neither its registers nor its cursors nor its parameters point to
        // anything that was bound.
        unsafe {
            ffi::sqlite3_reset(statement);
            ffi::sqlite3_clear_bindings(statement);
        }
    }

    /// Counts the columns of its rows.
    pub(super) fn columns(&self) -> usize {
        // SAFETY: the statement lives until `drop`.
        let count = unsafe { ffi::sqlite3_column_count(self.statement.as_ptr()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// Returns the name of a column, counted from 0.
    pub(super) fn name(&self, column: usize) -> String {
        self.told(column, ffi::sqlite3_column_name).unwrap_or_default()
    }

    /// Returns the name of the table that a column comes from, if it comes from one.
    pub(super) fn table(&self, column: usize) -> Option<String> {
        self.told(column, ffi::sqlite3_column_table_name)
    }

    fn told(
        &self,
        column: usize,
        tell: unsafe extern "C" fn(*mut ffi::sqlite3_stmt, c_int) -> *const c_char,
    ) -> Option<String> {
        let column = c_int::try_from(column).ok()?;
        // SAFETY: the statement lives; SQLite returns nothing or a C string, which is copied at once.
        unsafe {
            let text = tell(self.statement.as_ptr(), column);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    }

    /// Returns a cell of the row at which it stands, counted from 0; null where there is none. Nobody has looked
    /// whether the bytes of a text are UTF-8.
    #[inline(always)]
    pub(super) fn cell(&self, column: usize) -> rusqlite::Result<RawCell<'_>> {
        let column = c_int::try_from(column).unwrap_or(-1);
        // SAFETY: the statement lives, and nothing but this thread uses its values, which stay until the statement goes
        // on, for which it must not be borrowed any more.
        let shown = unsafe { shown(ffi::sqlite3_column_value(self.statement.as_ptr(), column)) };
        shown.ok_or_else(|| failure(ffi::SQLITE_NOMEM, None))
    }

    /// Lends the statement to be bound and run. What is bound outlives this call, and is let go of when it returns.
    pub(super) fn bound<'cells, R>(&mut self, work: impl FnOnce(&Bound<'_, 'connection, 'cells>) -> R) -> R {
        let bound = Bound { statement: self, cells: PhantomData };
        work(&bound)
    }

    /// Returns the operations counted since the last time.
    pub(super) fn take_operations(&mut self) -> u32 {
        // SAFETY: the statement lives until `drop`.
        let steps = unsafe { ffi::sqlite3_stmt_status(self.statement.as_ptr(), ffi::SQLITE_STMTSTATUS_VM_STEP, 1) };
        steps.cast_unsigned()
    }

    fn total_changes(&self) -> i64 {
        // SAFETY: the connection is open as long as it is borrowed.
        unsafe { ffi::sqlite3_total_changes64(self.connection.handle()) }
    }

    fn done(&self, code: c_int) -> rusqlite::Result<()> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.error(code)) }
    }

    /// Says why a call failed.
    #[cold]
    fn error(&self, code: c_int) -> Error {
        // SAFETY: SQLite's message is a C string that is valid until the next call on the connection.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.connection.handle())) };
        failure(code, Some(message.to_string_lossy().into_owned()))
    }
}

impl Drop for RawStatement<'_> {
    fn drop(&mut self) {
        // SAFETY: finalized here and nowhere else. What it returns tells again how the last run ended.
        unsafe { ffi::sqlite3_finalize(self.statement.as_ptr()) };
    }
}

/// A statement that may hold pointers to what is borrowed for `'cells`; dropped before that can go.
pub(super) struct Bound<'s, 'connection, 'cells> {
    statement: &'s mut RawStatement<'connection>,
    /// Invariant: with a shorter borrow than was asked for, something could be bound that goes too soon.
    cells: PhantomData<fn(&'cells ()) -> &'cells ()>,
}

impl<'cells> Bound<'_, '_, 'cells> {
    /// Binds one parameter, counted from 0.
    #[inline(always)]
    pub(super) fn bind(&self, parameter: usize, cell: RawCell<'cells>) -> rusqlite::Result<()> {
        // SAFETY: what is bound outlives `self`.
        let code = unsafe { bind(self.statement.statement.as_ptr(), index(parameter)?, cell, ffi::SQLITE_STATIC()) };
        self.statement.done(code)
    }

    /// Binds something as a pointer, which only who knows this name gets from SQLite, and SQL cannot look at.
    pub(super) fn bind_pointer<T>(&self, parameter: usize, to: &'cells T, name: &'static CStr) -> rusqlite::Result<()> {
        let (statement, index) = (self.statement.statement.as_ptr(), index(parameter)?);
        let to = ptr::from_ref(to).cast_mut().cast::<c_void>();
        // SAFETY: the statement lives; SQLite itself never follows the pointer, and the name is there for ever.
        let code = unsafe { ffi::sqlite3_bind_pointer(statement, index, to, name.as_ptr(), None) };
        self.statement.done(code)
    }

    /// Runs the statement to its end and makes it ready for the next row. Rows that it returns are thrown away. Tells
    /// how many rows it changed itself.
    #[inline(always)]
    pub(super) fn run(&self) -> rusqlite::Result<u64> {
        let statement = self.statement.statement.as_ptr();
        let before = self.statement.total_changes();
        // SAFETY: the statement lives, and what is bound outlives `self`.
        let (stepped, reset) = unsafe {
            let mut stepped = ffi::sqlite3_step(statement);
            while stepped == ffi::SQLITE_ROW {
                stepped = ffi::sqlite3_step(statement);
            }
            (stepped, ffi::sqlite3_reset(statement))
        };
        if stepped != ffi::SQLITE_DONE || reset != ffi::SQLITE_OK {
            return Err(self.statement.error(if stepped == ffi::SQLITE_DONE { reset } else { stepped }));
        }
        if self.statement.total_changes() == before {
            // `changes` keeps the count of an earlier statement when this one changes nothing.
            return Ok(0);
        }
        // SAFETY: the connection is open as long as it is borrowed.
        let changes = unsafe { ffi::sqlite3_changes64(self.statement.connection.handle()) };
        Ok(changes.cast_unsigned())
    }
}

impl Drop for Bound<'_, '_, '_> {
    fn drop(&mut self) {
        self.statement.let_go();
    }
}

/// Binds a cell.
///
/// # Safety
/// The statement lives. Unless SQLite is told to copy it, what the cell points to stays as long as it is bound.
#[inline(always)]
unsafe fn bind(
    statement: *mut ffi::sqlite3_stmt,
    index: c_int,
    cell: RawCell<'_>,
    destructor: ffi::sqlite3_destructor_type,
) -> c_int {
    // SAFETY: pointers and lengths are those of slices. Empty ones are bound as something that is there for ever, since
    // a slice without bytes may point to nowhere.
    unsafe {
        match cell {
            RawCell::Null => ffi::sqlite3_bind_null(statement, index),
            RawCell::Boolean(value) => ffi::sqlite3_bind_int64(statement, index, i64::from(value)),
            RawCell::Integer(value) => ffi::sqlite3_bind_int64(statement, index, value),
            RawCell::Real(value) => ffi::sqlite3_bind_double(statement, index, value),
            RawCell::Text(bytes) => {
                let start = if bytes.is_empty() { c"".as_ptr() } else { bytes.as_ptr().cast::<c_char>() };
                let (length, encoding) = (bytes.len() as u64, ffi::SQLITE_UTF8 as _);
                ffi::sqlite3_bind_text64(statement, index, start, length, destructor, encoding)
            }
            RawCell::Blob([]) => ffi::sqlite3_bind_zeroblob(statement, index, 0),
            RawCell::Blob(bytes) => {
                let (start, length) = (bytes.as_ptr().cast::<c_void>(), bytes.len() as u64);
                ffi::sqlite3_bind_blob64(statement, index, start, length, destructor)
            }
        }
    }
}

/// Shows a value of SQLite's where it lies; nothing where SQLite has no memory to show it. Nobody has looked whether
/// the bytes of a text are UTF-8.
///
/// # Safety
/// The value is there, and stays as it is as long as what is shown is borrowed. To ask for it again, as what it is,
/// moves nothing.
#[inline(always)]
pub(super) unsafe fn shown<'v>(value: *mut ffi::sqlite3_value) -> Option<RawCell<'v>> {
    // SAFETY: the value is asked for its type first, and then for what it is, a text before its length: at most its
    // encoding is changed by that, once.
    unsafe {
        Some(match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => RawCell::Integer(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => RawCell::Real(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => {
                let start = NonNull::new(ffi::sqlite3_value_text(value).cast_mut())?;
                RawCell::Text(slice(start, ffi::sqlite3_value_bytes(value)))
            }
            ffi::SQLITE_BLOB => {
                // Of a blob without bytes there is no start.
                let start = NonNull::new(ffi::sqlite3_value_blob(value).cast_mut().cast());
                RawCell::Blob(start.map_or(&[], |start| slice(start, ffi::sqlite3_value_bytes(value))))
            }
            _ => RawCell::Null,
        })
    }
}

/// Returns bytes of SQLite's.
///
/// # Safety
/// There are so many, and they stay as long as they are borrowed.
#[inline(always)]
unsafe fn slice<'b>(start: NonNull<u8>, length: c_int) -> &'b [u8] {
    // SAFETY: the caller knows.
    unsafe { std::slice::from_raw_parts(start.as_ptr(), usize::try_from(length).unwrap_or(0)) }
}

/// Returns SQLite's number of a parameter that is counted from 0.
#[inline(always)]
fn index(parameter: usize) -> rusqlite::Result<c_int> {
    c_int::try_from(parameter + 1).map_err(|_| failure(ffi::SQLITE_RANGE, None))
}

fn failure(code: c_int, message: Option<String>) -> Error {
    Error::SqliteFailure(ffi::Error::new(code), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(statement: &RawStatement<'_>) -> String {
        // SAFETY: the statement lives; what SQLite returns is a C string that is freed here, once.
        unsafe {
            let text = ffi::sqlite3_expanded_sql(statement.statement.as_ptr());
            let copied = CStr::from_ptr(text).to_string_lossy().into_owned();
            ffi::sqlite3_free(text.cast::<c_void>());
            copied
        }
    }

    #[test]
    fn writes_every_kind_whatever_the_encoding() {
        for encoding in ["UTF-8", "UTF-16le"] {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(&format!("PRAGMA encoding = '{encoding}'; CREATE TABLE t (a, b)")).unwrap();
            let long = "ß".repeat(5_000);
            let cells = [
                [RawCell::Null, RawCell::Boolean(true)],
                [RawCell::Integer(i64::MIN), RawCell::Real(0.5)],
                [RawCell::Text(b""), RawCell::Blob(b"")],
                [RawCell::Text(long.as_bytes()), RawCell::Blob(&[0, 255])],
            ];
            let mut insert = RawStatement::prepare(&connection, "INSERT INTO t VALUES (?, ?)").unwrap();
            let written = insert.each(0..4, |row, column| cells[row as usize][column]).map_err(|stopped| stopped.error);
            assert_eq!(written.unwrap(), 4);
            let sql = "SELECT group_concat(typeof(a) || length(a) || typeof(b) || b, ' ') FROM (SELECT * FROM t \
                       WHERE a IS NOT NULL AND typeof(b) <> 'blob')";
            let numbers: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(numbers, "integer20real0.5");
            let texts: (String, Vec<u8>, String, Vec<u8>) = connection
                .query_row("SELECT x.a, x.b, y.a, y.b FROM t x, t y WHERE x.rowid = 3 AND y.rowid = 4", [], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .unwrap();
            assert_eq!(texts, (String::new(), Vec::new(), long, vec![0, 255]));
        }
    }

    #[test]
    fn lets_go_of_what_was_bound_also_when_a_row_fails() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a TEXT UNIQUE)").unwrap();
        let mut insert = RawStatement::prepare(&connection, "INSERT INTO t VALUES (?)").unwrap();
        let texts = [String::from("one"), String::from("two"), String::from("one")];
        let failed = insert.each(0..3, |row, _| RawCell::Text(texts[row as usize].as_bytes())).unwrap_err();
        assert_eq!(
            (failed.row, failed.changed, failed.error.sqlite_error_code()),
            (2, 2, Some(rusqlite::ErrorCode::ConstraintViolation))
        );
        drop(texts);
        assert_eq!(expanded(&insert), "INSERT INTO t VALUES (NULL)");
        assert_eq!(insert.each(0..1, |_, _| RawCell::Text(b"three")).unwrap(), 1);
        assert_eq!(expanded(&insert), "INSERT INTO t VALUES (NULL)");
    }

    #[test]
    fn throws_returned_rows_away_and_says_what_is_wrong() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        let mut insert = RawStatement::prepare(&connection, "INSERT INTO t VALUES (?) RETURNING a").unwrap();
        assert_eq!(insert.each(0..2, |row, _| RawCell::Integer(row.into())).unwrap(), 2);
        let error = RawStatement::prepare(&connection, "INSERT INTO nowhere VALUES (?)").map(drop).unwrap_err();
        assert!(error.to_string().contains("no such table: nowhere"), "{error}");
    }
}
