//! Functions that a migration brings, on the connection for the time of its step.

use std::sync::Arc;

use rusqlite::functions::FunctionFlags;
use whimbrel_packed::RawCell;

use super::SqliteSession;
use crate::db::sqlite::callers::{self, Caller};
use crate::db::sqlite::catalog;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::raw_function::{self, Context};
use crate::db::sqlite::watch::Watch;
use crate::db::{Cell, DbError, ErrorCode, Function, NOT_A_NUMBER};

/// Arguments of a call for which no memory is fetched.
const FEW: usize = 4;

/// Functions that are registered for the time of a step.
#[derive(Default)]
pub(super) struct Brought {
    /// Their names and numbers of arguments.
    functions: Vec<(String, i32)>,
    /// What calls functions of these names and was there before.
    callers: Vec<Caller>,
}

impl SqliteSession {
    /// Tells whether a function was brought by the migration that runs.
    pub(super) fn brings(&self, name: &str) -> bool {
        self.brought.functions.iter().any(|(brought, _)| brought == name)
    }

    /// Takes the functions there were away and registers these. What was defined meanwhile and calls one of the former
    /// is an error: it would fail from now on.
    pub(super) fn replace_functions(&mut self, functions: &[Function]) -> Result<(), DbError> {
        self.watch.take_function_error();
        if self.brought.functions.is_empty() && functions.is_empty() {
            return Ok(());
        }
        self.forget_prepared();
        let brought = std::mem::take(&mut self.brought);
        let names: Vec<String> = brought.functions.iter().map(|(name, _)| name.clone()).collect();
        for (name, arity) in brought.functions {
            let removed = self.connection().remove_function(name.as_str(), arity);
            removed.map_err(|error| translate(&self.watch, error))?;
        }
        let left = if names.is_empty() { Vec::new() } else { self.callers(&names)? };
        if let Some(left) = left.iter().find(|caller| !brought.callers.contains(caller)) {
            let message = format!("{left}, which is there only while the migration runs");
            return Err(DbError::new(ErrorCode::Function, message));
        }
        // A covered function of SQLite or of the program could not be uncovered again.
        let known = catalog::functions(self.connection()).map_err(|error| translate(&self.watch, error))?;
        // SQLite tells what may not be called from a definition only if it was there when the definition was read.
        let names: Vec<String> =
            functions.iter().map(|function| function.signature().name.to_ascii_lowercase()).collect();
        let called = callers::in_tables(self.connection(), &names).map_err(|error| translate(&self.watch, error))?;
        if let Some((table, function)) = called {
            let table = table.escape_debug();
            let message =
                format!("the definition of {table} calls {function}, for which no function of a migration may answer");
            return Err(DbError::new(ErrorCode::Function, message));
        }
        for function in functions {
            let signature = function.signature();
            if known.contains(&signature.name) {
                let message = format!("the connection has a function {} already", signature.name);
                return Err(DbError::new(ErrorCode::Function, message));
            }
            self.bring(function)?;
        }
        let names: Vec<String> = self.brought.functions.iter().map(|(name, _)| name.clone()).collect();
        self.brought.callers = if names.is_empty() { Vec::new() } else { self.callers(&names)? };
        Ok(())
    }

    fn callers(&self, functions: &[String]) -> Result<Vec<Caller>, DbError> {
        let names: Vec<String> = functions.iter().map(|name| name.to_ascii_lowercase()).collect();
        callers::find(self.connection(), &names).map_err(|error| translate(&self.watch, error))
    }

    fn bring(&mut self, function: &Function) -> Result<(), DbError> {
        let signature = function.signature();
        let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        flags.set(FunctionFlags::SQLITE_DETERMINISTIC, signature.deterministic);
        let (name, arity) = (signature.name.clone(), signature.arity());
        let (watch, function) = (Arc::clone(&self.watch), function.clone());
        let call = move |context: &Context<'_>| call(&watch, &function, context);
        let registered = raw_function::register(self.connection(), &name, arity, flags, call);
        registered.map_err(|error| translate(&self.watch, error))?;
        self.brought.functions.push((name, arity));
        Ok(())
    }
}

fn call(watch: &Watch, function: &Function, context: &Context<'_>) -> Result<(), String> {
    let called = if context.len() <= FEW {
        let mut cells = [Cell::Null; FEW];
        call_with(function, context, &mut cells[..context.len()])
    } else {
        call_with(function, context, &mut vec![Cell::Null; context.len()])
    };
    called.map_err(|error| {
        let words = error.message.clone();
        watch.keep_function_error(error);
        words
    })
}

fn call_with<'c>(function: &Function, context: &Context<'c>, cells: &mut [Cell<'c>]) -> Result<(), DbError> {
    for (index, cell) in cells.iter_mut().enumerate() {
        let argument = context.argument(index).ok_or_else(|| DbError::new(ErrorCode::Database, "out of memory"))?;
        *cell = match argument {
            RawCell::Null => Cell::Null,
            RawCell::Boolean(value) => Cell::Boolean(value),
            RawCell::Integer(value) => Cell::Integer(value),
            RawCell::Real(value) => Cell::Real(value),
            RawCell::Blob(bytes) => Cell::Blob(bytes),
            RawCell::Text(bytes) => Cell::Text(str::from_utf8(bytes).map_err(|_| {
                let (name, number) = (&function.signature().name, index + 1);
                let message = format!("the function {name}: argument {number} is text that is not UTF-8");
                DbError::new(ErrorCode::Value, message)
            })?),
        };
    }
    let mut is_number = true;
    function.call_giving(cells, &mut |result| match result {
        Cell::Real(value) if value.is_nan() => is_number = false,
        result => context.give(result),
    })?;
    match is_number {
        true => Ok(()),
        false => {
            let message = format!("the answer of the function {} {NOT_A_NUMBER}", function.signature().name);
            Err(DbError::new(ErrorCode::Value, message))
        }
    }
}
