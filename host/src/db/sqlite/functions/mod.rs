//! Stands in for SQLite's functions that look at the clock, the time zone or chance, so that guests see none of them.
//!
//! A covered built-in function cannot be uncovered: removing the cover leaves no function at all
//! (`sqlite3FindFunction` looks for built-in ones only where no other was ever registered). So the covers are put on
//! a connection when the first guest comes, and stay for as long as it is open. While no guest runs they pass on to the
//! built-in functions of a second, empty connection, with the one time of each statement that SQLite promises.

mod date;
mod refusal;
#[cfg(test)]
mod tests;

use std::ffi::c_int;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, ffi};

use super::watch::Watch;
use crate::db::{Ambient, Sequence, Use};
use crate::grants::FunctionGrant;
use date::{DATE_FUNCTIONS, DateFunction};
pub(super) use refusal::explain;

/// Where a statement keeps its one current time among SQLite's auxiliary data: negative numbers belong to the statement
/// and not to an argument. Where SQLite should stop to keep it, each call takes its own time.
const TIME_OF_STATEMENT: c_int = -0x5748_494d;
/// Most bytes of one `randomblob`.
const MOST_BYTES: i64 = 64 << 20;

/// The covers on one connection.
pub(super) struct Functions(Arc<Shared>);

struct Shared {
    watch: Arc<Watch>,
    mode: Mutex<Mode>,
    /// An empty database whose functions are the built-in ones.
    builtin: Mutex<Connection>,
}

/// Who is running statements.
enum Mode {
    /// The host, or the program that lent the connection.
    Host,
    /// A guest.
    Guest { now: String, granted: Vec<FunctionGrant>, numbers: Sequence },
}

impl Functions {
    /// Covers the functions of a connection on which no statement is active.
    pub(super) fn cover(connection: &Connection, watch: &Arc<Watch>) -> rusqlite::Result<Self> {
        let builtin = Connection::open_in_memory()?;
        builtin.set_prepared_statement_cache_capacity(64);
        let shared =
            Arc::new(Shared { watch: Arc::clone(watch), mode: Mutex::new(Mode::Host), builtin: Mutex::new(builtin) });
        let innocuous = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        for function in DATE_FUNCTIONS {
            let shared = Arc::clone(&shared);
            // Like the built-in ones they may stand in CHECK constraints, generated columns and indexes.
            let flags = innocuous | FunctionFlags::SQLITE_DETERMINISTIC;
            connection.create_scalar_function(function.name, function.arguments, flags, move |context| {
                shared.date(function, context)
            })?;
        }
        for (name, builtin) in [("current_date", 0), ("current_time", 1), ("current_timestamp", 2)] {
            let shared = Arc::clone(&shared);
            connection.create_scalar_function(name, 0, innocuous, move |context| {
                shared.current(name, DATE_FUNCTIONS[builtin], context)
            })?;
        }
        let numbers = Arc::clone(&shared);
        connection.create_scalar_function("random", 0, innocuous, move |_| numbers.random())?;
        let bytes = Arc::clone(&shared);
        connection.create_scalar_function("randomblob", 1, innocuous, move |context| bytes.random_blob(context))?;
        Ok(Self(shared))
    }

    /// Sets what a guest gets; `None` when none runs.
    pub(super) fn set(&self, ambient: Option<Ambient>) {
        *self.0.mode() = match ambient {
            None => Mode::Host,
            Some(ambient) => Mode::Guest {
                now: time_value(i64::try_from(ambient.started_at).unwrap_or(i64::MAX)),
                granted: ambient.granted,
                numbers: Sequence::new(ambient.seed, Use::Sql),
            },
        };
    }
}

impl Shared {
    fn mode(&self) -> MutexGuard<'_, Mode> {
        self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn date(&self, function: DateFunction, context: &Context<'_>) -> rusqlite::Result<Answer> {
        let arguments: Vec<ValueRef<'_>> = (0..context.len()).map(|index| context.get_raw(index)).collect();
        let needs_now = function.needs_now(&arguments);
        let now = match &*self.mode() {
            Mode::Host if needs_now => time_of_statement(context)?,
            Mode::Host => String::new(),
            Mode::Guest { now, granted, .. } => {
                if needs_now && !granted.contains(&FunctionGrant::Now) {
                    return Err(self.refuse(FunctionGrant::Now, &format!("{}('now')", function.name)));
                }
                if let Some(zone) = function.needs_zone(&arguments)
                    && !granted.contains(&FunctionGrant::LocalTime)
                {
                    return Err(self.refuse(FunctionGrant::LocalTime, &format!("{}(…, '{zone}')", function.name)));
                }
                if needs_now { now.clone() } else { String::new() }
            }
        };
        if needs_now {
            self.evaluate(function.name, &function.fix(&arguments, &now))
        } else {
            self.evaluate(function.name, &arguments)
        }
    }

    fn current(&self, name: &str, builtin: DateFunction, context: &Context<'_>) -> rusqlite::Result<Answer> {
        let now = match &*self.mode() {
            Mode::Host => time_of_statement(context)?,
            Mode::Guest { now, granted, .. } if granted.contains(&FunctionGrant::Now) => now.clone(),
            Mode::Guest { .. } => return Err(self.refuse(FunctionGrant::Now, &name.to_ascii_uppercase())),
        };
        self.evaluate(builtin.name, &[ValueRef::Text(now.as_bytes())])
    }

    fn random(&self) -> rusqlite::Result<Answer> {
        match &mut *self.mode() {
            Mode::Host => {}
            Mode::Guest { granted, numbers, .. } if granted.contains(&FunctionGrant::Random) => {
                // Never the smallest integer, so that abs() does not overflow, as with the built-in one.
                let number = numbers.next_u64().cast_signed();
                return Ok(Answer::Integer(if number < 0 { -(number & i64::MAX) } else { number }));
            }
            Mode::Guest { .. } => return Err(self.refuse(FunctionGrant::Random, "random()")),
        }
        self.evaluate("random", &[])
    }

    fn random_blob(&self, context: &Context<'_>) -> rusqlite::Result<Answer> {
        let length = context.get_raw(0);
        match &mut *self.mode() {
            Mode::Host => {}
            Mode::Guest { granted, numbers, .. } if granted.contains(&FunctionGrant::Random) => {
                let length = match self.select("SELECT CAST(?1 AS INTEGER)", &[length])? {
                    Answer::Integer(length) if length > MOST_BYTES => return Err(too_big()),
                    Answer::Integer(length) => usize::try_from(length).unwrap_or(0).max(1),
                    _ => 1,
                };
                return Ok(Answer::Blob(numbers.bytes(length)));
            }
            Mode::Guest { .. } => return Err(self.refuse(FunctionGrant::Random, "randomblob()")),
        }
        self.evaluate("randomblob", &[length])
    }

    /// Calls the built-in function.
    fn evaluate(&self, function: &str, arguments: &[ValueRef<'_>]) -> rusqlite::Result<Answer> {
        let places = vec!["?"; arguments.len()].join(",");
        self.select(&format!("SELECT {function}({places})"), arguments)
    }

    fn select(&self, sql: &str, arguments: &[ValueRef<'_>]) -> rusqlite::Result<Answer> {
        let builtin = self.builtin.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = builtin.prepare_cached(sql)?;
        for (index, value) in arguments.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(*value))?;
        }
        let mut rows = statement.raw_query();
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Answer::from(row.get_ref(0)?))
    }

    /// Leaves the refusal where the session looks for the reason of a failed statement.
    fn refuse(&self, grant: FunctionGrant, call: &str) -> rusqlite::Error {
        let denied = refusal::denied(grant, call);
        let error = rusqlite::Error::UserFunctionError(denied.reason.clone().into());
        self.watch.gate().denied.get_or_insert(denied);
        error
    }
}

/// SQLite's own words, because a message of ours would hide the code.
fn too_big() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None)
}

/// Returns the time value of the statement that runs, which is the same from its first call to its end.
fn time_of_statement(context: &Context<'_>) -> rusqlite::Result<String> {
    if let Some(time) = context.get_aux::<String>(TIME_OF_STATEMENT)? {
        return Ok(time.as_ref().clone());
    }
    let time = time_value(Timestamp::now().as_millisecond());
    Ok(context.set_aux(TIME_OF_STATEMENT, time)?.as_ref().clone())
}

/// Writes a time as a time value of SQLite, to the millisecond, as exact as 'now' itself.
fn time_value(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

/// What a function returns: any value, text that is not UTF-8 included.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl From<ValueRef<'_>> for Answer {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(value) => Self::Text(value.to_vec()),
            ValueRef::Blob(value) => Self::Blob(value.to_vec()),
        }
    }
}

impl ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}
