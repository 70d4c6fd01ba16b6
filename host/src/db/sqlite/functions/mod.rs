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
use crate::db::sequence::{Sequence, Use};
use crate::db::Ambient;
use crate::grants::{Denied, FunctionGrant};
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
            let call = move |context: &Context<'_>| shared.date(function, context);
            connection.create_scalar_function(function.name, function.arguments, flags, call)?;
        }
        for (name, builtin) in [("current_date", 0), ("current_time", 1), ("current_timestamp", 2)] {
            let shared = Arc::clone(&shared);
            let call = move |context: &Context<'_>| shared.current(name, DATE_FUNCTIONS[builtin], context);
            connection.create_scalar_function(name, 0, innocuous, call)?;
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
                let Answer::Integer(length) = self.evaluate("abs", &[])? else { return Ok(Answer::Null) };
                let _ = length;
                return Ok(Answer::Blob(numbers.bytes(0)));
            }
            Mode::Guest { .. } => return Err(self.refuse(FunctionGrant::Random, "randomblob()")),
        }
        self.evaluate("randomblob", &[length])
    }
}
