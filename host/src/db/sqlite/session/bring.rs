//! Functions that a migration brings, on the connection for the time of its step.

use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as SqliteValue, ValueRef};

use super::SqliteSession;
use crate::db::sqlite::catalog;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::watch::Watch;
use crate::db::{Cell, DbError, ErrorCode, Function, Value};

/// Arguments of a call for which no memory is fetched.
const FEW: usize = 4;

impl SqliteSession {
    /// Tells whether a function was brought by the migration that runs.
    pub(super) fn brings(&self, name: &str) -> bool {
        self.brought.iter().any(|(brought, _)| brought == name)
    }

    /// Takes the functions there were away and registers these.
    pub(super) fn replace_functions(&mut self, functions: &[Function]) -> Result<(), DbError> {
        self.watch.take_function_error();
        if self.brought.is_empty() && functions.is_empty() {
            return Ok(());
        }
        self.forget_prepared();
        for (name, arity) in std::mem::take(&mut self.brought) {
            let removed = self.connection().remove_function(name.as_str(), arity);
            removed.map_err(|error| translate(&self.watch, error))?;
        }
        // A covered function of SQLite or of the program could not be uncovered again.
        let known = catalog::functions(self.connection()).map_err(|error| translate(&self.watch, error))?;
        for function in functions {
            let signature = function.signature();
            if known.contains(&signature.name) {
                let message = format!("the connection has a function {} already", signature.name);
                return Err(DbError::new(ErrorCode::Function, message));
            }
            self.bring(function)?;
        }
        Ok(())
    }

    fn bring(&mut self, function: &Function) -> Result<(), DbError> {
        let signature = function.signature();
        let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        flags.set(FunctionFlags::SQLITE_DETERMINISTIC, signature.deterministic);
        let (name, arity) = (signature.name.clone(), signature.arity());
        let (watch, function) = (Arc::clone(&self.watch), function.clone());
        let call = move |context: &Context<'_>| call(&watch, &function, context);
        let registered = self.connection().create_scalar_function(name.as_str(), arity, flags, call);
        registered.map_err(|error| translate(&self.watch, error))?;
        self.brought.push((name, arity));
        Ok(())
    }
}

fn call(watch: &Watch, function: &Function, context: &Context<'_>) -> rusqlite::Result<SqliteValue> {
    let answer = if context.len() <= FEW {
        let mut cells = [Cell::Null; FEW];
        answer(function, context, &mut cells[..context.len()])
    } else {
        answer(function, context, &mut vec![Cell::Null; context.len()])
    };
    answer.map_err(|error| {
        let words = rusqlite::Error::UserFunctionError(error.message.clone().into());
        watch.keep_function_error(error);
        words
    })
}

fn answer<'c>(function: &Function, context: &'c Context<'c>, cells: &mut [Cell<'c>]) -> Result<SqliteValue, DbError> {
    for (index, cell) in cells.iter_mut().enumerate() {
        *cell = match context.get_raw(index) {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(value) => Cell::Integer(value),
            ValueRef::Real(value) => Cell::Real(value),
            ValueRef::Blob(bytes) => Cell::Blob(bytes),
            ValueRef::Text(bytes) => Cell::Text(str::from_utf8(bytes).map_err(|_| {
                let (name, number) = (&function.signature().name, index + 1);
                let message = format!("the function {name}: argument {number} is text that is not UTF-8");
                DbError::new(ErrorCode::Value, message)
            })?),
        };
    }
    Ok(match function.call(cells)? {
        Value::Null => SqliteValue::Null,
        Value::Boolean(value) => SqliteValue::Integer(i64::from(value)),
        Value::Integer(value) => SqliteValue::Integer(value),
        Value::Real(value) => SqliteValue::Real(value),
        Value::Text(value) => SqliteValue::Text(value),
        Value::Blob(value) => SqliteValue::Blob(value),
    })
}
