//! The exports' side of the sandbox boundary.

use std::cell::RefCell;
use std::panic;

use whimbrel_packed::Cell;

use super::short;
use super::{Answer, Function};
use crate::backend;
use crate::bindings::functions as raw;
use crate::bindings::functions::whimbrel::migration::signatures::Parameter;
use crate::bindings::short_calls::Words;
use crate::error::{Error, Result};
use crate::log::Level;

/// Arguments for which no memory is fetched.
const FEW: usize = 4;

thread_local! {
    /// What was too long for the words of the last call, until the host asks for it.
    static LONG: RefCell<Option<Result<Answer>>> = const { RefCell::new(None) };
}

/// Lists the functions. It is called first, so it prepares for panics.
#[doc(hidden)]
pub fn describe_functions(functions: &[Function]) -> Vec<raw::Signature> {
    // A trap has no message of its own, so the panic's goes ahead through the log.
    panic::set_hook(Box::new(|panic| backend::log(Level::Error, &panic.to_string())));
    let parameter = |(name, kind): &(&str, &str)| Parameter { name: (*name).into(), kind: (*kind).into() };
    let signature = |function: &Function| raw::Signature {
        name: function.name.to_owned(),
        description: function.description.trim().to_owned(),
        parameters: function.parameters.iter().map(parameter).collect(),
        more: None,
        returns: function.returns.to_owned(),
        deterministic: function.deterministic,
        null_if_any_null: function.null_if_any_null,
    };
    functions.iter().map(signature).collect()
}

/// Calls one of the functions.
#[doc(hidden)]
pub fn call_function(functions: &[Function], number: u32, arguments: &[raw::Value]) -> Result<raw::Value, String> {
    value(call(functions, number, arguments.len(), arguments.iter().map(cell)))
}

/// Calls one of the functions with arguments that are handed over by value.
#[doc(hidden)]
#[inline(always)]
pub fn call_short(functions: &[Function], number: u32, arguments: Words) -> Words {
    let Words { w0, w1, w2, w3, w4, w5, w6, w7 } = arguments;
    let bytes = [w0, w1, w2, w3, w4, w5, w6, w7].map(u64::to_le_bytes);
    let arguments = short::arguments(bytes.as_flattened());
    let answer = call(functions, number, arguments.len(), arguments);
    let words = short::answer(&answer);
    if short::is_long(&words) {
        LONG.set(Some(answer));
    }
    let [w0, w1, w2, w3, w4, w5, w6, w7] = words;
    Words { w0, w1, w2, w3, w4, w5, w6, w7 }
}

/// Gives what the last call has left.
#[doc(hidden)]
pub fn long_answer() -> Result<raw::Value, String> {
    value(LONG.take().unwrap_or_else(|| Err(Error::msg("there is no answer left"))))
}

#[inline(always)]
fn call<'a>(
    functions: &[Function],
    number: u32,
    count: usize,
    arguments: impl Iterator<Item = Cell<'a>>,
) -> Result<Answer> {
    let function = functions.get(number as usize);
    let function = function.ok_or_else(|| Error::msg(format_args!("there is no function {number}")))?;
    if count > FEW {
        return (function.call)(&arguments.collect::<Vec<_>>());
    }
    let mut cells = [Cell::Null; FEW];
    cells.iter_mut().zip(arguments).for_each(|(cell, argument)| *cell = argument);
    (function.call)(&cells[..count])
}

fn cell(value: &raw::Value) -> Cell<'_> {
    match value {
        raw::Value::Null => Cell::Null,
        raw::Value::Boolean(value) => Cell::Boolean(*value),
        raw::Value::Integer(value) => Cell::Integer(*value),
        raw::Value::Real(value) => Cell::Real(*value),
        raw::Value::Text(value) => Cell::Text(value),
        raw::Value::Blob(value) => Cell::Blob(value),
    }
}

fn value(answer: Result<Answer>) -> Result<raw::Value, String> {
    match answer {
        Ok(Answer::Null) => Ok(raw::Value::Null),
        Ok(Answer::Boolean(value)) => Ok(raw::Value::Boolean(value)),
        Ok(Answer::Integer(value)) => Ok(raw::Value::Integer(value)),
        Ok(Answer::Real(value)) => Ok(raw::Value::Real(value)),
        Ok(Answer::Text(value)) => Ok(raw::Value::Text(value)),
        Ok(Answer::Blob(value)) => Ok(raw::Value::Blob(value)),
        Err(error) => Err(error.to_string()),
    }
}
