//! Says SQLite's errors in the host's words.

use rusqlite::ffi;

use super::authorizer;
use super::moved;
use super::watch::Watch;
use crate::db::{DbError, ErrorCode};

/// Translates an error; what the authorizer refused and which limit was met are known to the watch only.
pub(super) fn translate(watch: &Watch, error: rusqlite::Error) -> DbError {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            let text = message.unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned());
            failure(watch, code, text, None)
        }
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => {
            failure(watch, error, msg, u32::try_from(offset).ok())
        }
        rusqlite::Error::MultipleStatement => {
            DbError::new(ErrorCode::Syntax, "more than one statement in one call; run them one after the other")
        }
        rusqlite::Error::InvalidQuery | rusqlite::Error::ExecuteReturnedResults => nothing_to_run(),
        // An error of its own since `rusqlite` 0.42, which the older ones have no name for.
        other if other.to_string() == "SQL is empty or comment only" => nothing_to_run(),
        other => DbError::new(ErrorCode::Database, other.to_string()),
    }
}

fn nothing_to_run() -> DbError {
    DbError::new(ErrorCode::Syntax, "there is no statement to run")
}

fn failure(watch: &Watch, error: ffi::Error, message: String, offset: Option<u32>) -> DbError {
    let mut translated = DbError::new(code(error), message);
    translated.native = native(error.extended_code);
    translated.offset = offset;
    // Not every refusal comes back as SQLITE_AUTH: that of a function is a plain error.
    if let Some(denied) = watch.gate().denied.take() {
        let refusal = authorizer::refusal(&denied);
        return DbError { native: translated.native, ..refusal };
    }
    // SQLite passes a function's words on, but not what they mean.
    if let Some(error) = watch.take_function_error() {
        return DbError { native: translated.native, ..error };
    }
    if let Some(message) = in_other_words(error.extended_code) {
        translated.message = message.into();
    }
    match translated.code {
        ErrorCode::Interrupted if watch.deadline_passed() => {
            translated.code = ErrorCode::Limit;
            translated.message = "the time limit was reached inside a statement".into();
        }
        ErrorCode::Busy if watch.must_stop() && !watch.deadline_passed() => {
            translated.code = ErrorCode::Interrupted;
            translated.message = "interrupted while waiting for the lock".into();
        }
        _ => {}
    }
    translated
}

fn code(error: ffi::Error) -> ErrorCode {
    match error.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return ErrorCode::ConstraintUnique;
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return ErrorCode::ConstraintForeignKey,
        ffi::SQLITE_CONSTRAINT_NOTNULL => return ErrorCode::ConstraintNotNull,
        ffi::SQLITE_CONSTRAINT_CHECK => return ErrorCode::ConstraintCheck,
        // Another connection of the program holds it; SQLITE_LOCKED alone is the connection's own doing.
        ffi::SQLITE_LOCKED_SHAREDCACHE => return ErrorCode::Busy,
        _ => {}
    }
    match error.extended_code & 0xff {
        ffi::SQLITE_ERROR => ErrorCode::Syntax,
        ffi::SQLITE_AUTH => ErrorCode::Denied,
        ffi::SQLITE_CONSTRAINT => ErrorCode::Constraint,
        ffi::SQLITE_BUSY => ErrorCode::Busy,
        ffi::SQLITE_INTERRUPT => ErrorCode::Interrupted,
        ffi::SQLITE_FULL => ErrorCode::Full,
        ffi::SQLITE_READONLY => ErrorCode::ReadOnly,
        ffi::SQLITE_NOTADB | ffi::SQLITE_CORRUPT => ErrorCode::NotADatabase,
        ffi::SQLITE_CANTOPEN => ErrorCode::CannotOpen,
        ffi::SQLITE_TOOBIG => ErrorCode::Limit,
        ffi::SQLITE_RANGE | ffi::SQLITE_MISMATCH => ErrorCode::Parameter,
        _ => ErrorCode::Database,
    }
}

/// Says what SQLite's words of an error, which are of its kind, do not say.
fn in_other_words(extended: i32) -> Option<&'static str> {
    let words = match extended {
        ffi::SQLITE_READONLY_DBMOVED => moved::MESSAGE,
        ffi::SQLITE_READONLY_ROLLBACK => {
            "a transaction was left in the middle of it, and to roll that back the database must be written"
        }
        ffi::SQLITE_READONLY_RECOVERY | ffi::SQLITE_READONLY_CANTINIT => {
            "its write-ahead log cannot be read without writing beside it"
        }
        ffi::SQLITE_IOERR_GETTEMPPATH => "there is no folder for SQLite's temporary files",
        ffi::SQLITE_IOERR_LOCK | ffi::SQLITE_IOERR_RDLOCK | ffi::SQLITE_IOERR_UNLOCK => "its file cannot be locked",
        ffi::SQLITE_IOERR_SHMOPEN
        | ffi::SQLITE_IOERR_SHMSIZE
        | ffi::SQLITE_IOERR_SHMMAP
        | ffi::SQLITE_IOERR_SHMLOCK => "the memory that a write-ahead log is shared by cannot be had",
        _ => return None,
    };
    Some(words)
}

/// Names a result code as <https://sqlite.org/rescode.html> does.
fn native(extended: i32) -> String {
    let known = match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_READONLY_DBMOVED => moved::NATIVE,
        ffi::SQLITE_LOCKED_SHAREDCACHE => "SQLITE_LOCKED_SHAREDCACHE",
        ffi::SQLITE_IOERR_READ => "SQLITE_IOERR_READ",
        ffi::SQLITE_IOERR_WRITE => "SQLITE_IOERR_WRITE",
        ffi::SQLITE_IOERR_FSYNC => "SQLITE_IOERR_FSYNC",
        ffi::SQLITE_READONLY_ROLLBACK => "SQLITE_READONLY_ROLLBACK",
        ffi::SQLITE_READONLY_RECOVERY => "SQLITE_READONLY_RECOVERY",
        ffi::SQLITE_READONLY_CANTINIT => "SQLITE_READONLY_CANTINIT",
        ffi::SQLITE_IOERR_GETTEMPPATH => "SQLITE_IOERR_GETTEMPPATH",
        ffi::SQLITE_IOERR_LOCK => "SQLITE_IOERR_LOCK",
        ffi::SQLITE_IOERR_RDLOCK => "SQLITE_IOERR_RDLOCK",
        ffi::SQLITE_IOERR_UNLOCK => "SQLITE_IOERR_UNLOCK",
        ffi::SQLITE_IOERR_SHMOPEN => "SQLITE_IOERR_SHMOPEN",
        ffi::SQLITE_IOERR_SHMSIZE => "SQLITE_IOERR_SHMSIZE",
        ffi::SQLITE_IOERR_SHMMAP => "SQLITE_IOERR_SHMMAP",
        ffi::SQLITE_IOERR_SHMLOCK => "SQLITE_IOERR_SHMLOCK",
        _ => match extended & 0xff {
            ffi::SQLITE_ERROR => "SQLITE_ERROR",
            ffi::SQLITE_AUTH => "SQLITE_AUTH",
            ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
            ffi::SQLITE_BUSY => "SQLITE_BUSY",
            ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
            ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
            ffi::SQLITE_FULL => "SQLITE_FULL",
            ffi::SQLITE_READONLY => "SQLITE_READONLY",
            ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
            ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
            ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
            ffi::SQLITE_IOERR => "SQLITE_IOERR",
            ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
            ffi::SQLITE_RANGE => "SQLITE_RANGE",
            ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
            ffi::SQLITE_NOMEM => "SQLITE_NOMEM",
            ffi::SQLITE_MISUSE => "SQLITE_MISUSE",
            _ => return format!("SQLite result code {extended}"),
        },
    };
    known.to_owned()
}
