//! Functions on the database of a test, without any Wasm.

use std::sync::Arc;

use whimbrel::db::{Cell, DbError, ErrorCode, Function as HostFunction, Nulls, Parameter, Signature, Value, ValueType};

use super::{Answer, Function};
use crate::error::{Error, Result, SqlError};
use crate::testing::Database;

impl Database {
    /// Registers the functions of a library, as the host does while a migration runs that names it.
    ///
    /// ```
    /// use whimbrel_guest::testing::Database;
    ///
    /// mod text_tools {
    ///     fn shout(text: &str) -> String {
    ///         text.to_uppercase()
    ///     }
    ///     whimbrel_guest::export_functions!(shout(text: &str) -> String);
    /// }
    ///
    /// let mut db = Database::new();
    /// db.functions(text_tools::functions())?;
    /// assert_eq!(db.lines("SELECT shout('ahoy'), shout(NULL)")?, ["AHOY|NULL"]);
    /// # Ok::<(), whimbrel_guest::Error>(())
    /// ```
    pub fn functions(&mut self, functions: &[Function]) -> Result<()> {
        let functions: Vec<HostFunction> = functions.iter().map(of_host).collect::<Result<_>>()?;
        self.set_functions(&functions).map_err(|error| SqlError::from(error).into())
    }
}

fn of_host(function: &Function) -> Result<HostFunction> {
    let kind = |word: &str| ValueType::parse(word).ok_or_else(|| Error::msg(format_args!("there is no type {word}")));
    let parameter =
        |(name, word): &(&str, &str)| Ok::<_, Error>(Parameter { name: (*name).to_owned(), kind: kind(word)? });
    let signature = Signature {
        name: function.name.to_owned(),
        description: function.description.trim().to_owned(),
        parameters: function.parameters.iter().map(parameter).collect::<Result<_>>()?,
        more: None,
        returns: kind(function.returns)?,
        deterministic: function.deterministic,
        nulls: if function.null_if_any_null { Nulls::MakeNull } else { Nulls::Call },
    };
    signature.check().map_err(Error::from)?;
    let call = function.call;
    let apply = move |arguments: &[Cell<'_>]| match call(arguments) {
        Ok(Answer::Null) => Ok(Value::Null),
        Ok(Answer::Boolean(value)) => Ok(Value::Boolean(value)),
        Ok(Answer::Integer(value)) => Ok(Value::Integer(value)),
        Ok(Answer::Real(value)) => Ok(Value::Real(value)),
        Ok(Answer::Text(value)) => Ok(Value::Text(value)),
        Ok(Answer::Blob(value)) => Ok(Value::Blob(value)),
        Err(error) => Err(DbError::new(ErrorCode::Function, error.to_string())),
    };
    Ok(HostFunction::with_signature(signature, Arc::new(apply)))
}
