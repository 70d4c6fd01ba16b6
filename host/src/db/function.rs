//! An SQL function that somebody else brings: what it is called, what it takes, and how it is called. Only data.

use std::fmt;
use std::sync::Arc;

use whimbrel_packed::Cell;

use super::{DbError, ErrorCode, Value};

/// Most arguments that SQLite hands to a function.
const MOST_ARGUMENTS: usize = 100;
/// Most bytes of a name.
const MOST_BYTES: usize = 60;

/// The type of an argument or a result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ValueType {
    /// Whatever comes.
    Any,
    /// 0 or 1.
    Boolean,
    /// A 64-bit integer.
    Integer,
    /// A number; an integer becomes one.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Blob,
}

impl ValueType {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Any, Self::Boolean, Self::Integer, Self::Real, Self::Text, Self::Blob];

    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Text => "text",
            Self::Blob => "blob",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the cell as one of this type, unless it is of another. NULL is of every type.
    fn admit(self, cell: Cell<'_>) -> Option<Cell<'_>> {
        Some(match (self, cell) {
            (Self::Any, cell) | (_, cell @ Cell::Null) => cell,
            (Self::Boolean, Cell::Integer(number @ 0..=1)) => Cell::Boolean(number == 1),
            (Self::Real, Cell::Integer(number)) => Cell::Real(number as f64),
            (Self::Boolean, cell @ Cell::Boolean(_))
            | (Self::Integer, cell @ Cell::Integer(_))
            | (Self::Real, cell @ Cell::Real(_))
            | (Self::Text, cell @ Cell::Text(_))
            | (Self::Blob, cell @ Cell::Blob(_)) => cell,
            (Self::Boolean | Self::Integer | Self::Real | Self::Text | Self::Blob, _) => return None,
        })
    }

    fn fits(self, result: Cell<'_>) -> bool {
        matches!(
            (self, result),
            (Self::Any, _)
                | (_, Cell::Null)
                | (Self::Boolean, Cell::Boolean(_))
                | (Self::Integer, Cell::Integer(_))
                | (Self::Real, Cell::Real(_))
                | (Self::Text, Cell::Text(_))
                | (Self::Blob, Cell::Blob(_))
        )
    }
}

/// What an argument is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Its name, for people.
    pub name: String,
    /// Its type.
    pub kind: ValueType,
}

/// What becomes of a call with a NULL among its arguments.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Nulls {
    /// The result is NULL, and the function is not called.
    #[default]
    MakeNull,
    /// The function is called with it.
    Call,
}

/// What a function is called, takes and returns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// Its name in SQL: small letters, digits and underscores.
    pub name: String,
    /// What it does, for people; may be empty.
    pub description: String,
    /// Its arguments.
    pub parameters: Vec<Parameter>,
    /// The type of further arguments, if there may be any.
    pub more: Option<ValueType>,
    /// The type of its result, which may always be NULL.
    pub returns: ValueType,
    /// The same arguments give the same result, however often and when.
    pub deterministic: bool,
    /// What becomes of NULL.
    pub nulls: Nulls,
}

impl Signature {
    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let letters = self.name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let begins = self.name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        if !letters || !begins || self.name.len() > MOST_BYTES {
            return Err(format!(
                "\"{}\" cannot be a function's name: it is made of small letters, digits and underscores, at most \
                 {MOST_BYTES}",
                self.name.escape_debug()
            ));
        }
        if self.parameters.len() > MOST_ARGUMENTS {
            return Err(format!("{} takes more than {MOST_ARGUMENTS} arguments", self.name));
        }
        Ok(())
    }

    /// Tells whether two functions would be one to SQLite.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.name == other.name && self.arity() == other.arity()
    }

    /// Counts its arguments as SQLite does: -1 is any number.
    pub(crate) fn arity(&self) -> i32 {
        if self.more.is_some() { -1 } else { i32::try_from(self.parameters.len()).unwrap_or(i32::MAX) }
    }

    /// Holds arguments against the types, in place. Returns false when the result is NULL without a call.
    fn admit(&self, arguments: &mut [Cell<'_>]) -> Result<bool, String> {
        if arguments.len() < self.parameters.len() {
            return Err(format!("it takes {} arguments or more", self.parameters.len()));
        }
        let mut complete = true;
        for (index, argument) in arguments.iter_mut().enumerate() {
            let parameter = self.parameters.get(index);
            let kind = parameter.map(|parameter| parameter.kind).or(self.more).unwrap_or(ValueType::Any);
            *argument = kind.admit(*argument).ok_or_else(|| {
                let name = parameter.map(|parameter| format!(" ({})", parameter.name.escape_debug()));
                let (number, name) = (index + 1, name.unwrap_or_default());
                format!("argument {number}{name} is {}, and {} is wanted", found(*argument), kind.as_str())
            })?;
            complete &= !matches!(argument, Cell::Null);
        }
        Ok(complete || self.nulls == Nulls::Call)
    }
}

fn found(cell: Cell<'_>) -> &'static str {
    match cell {
        Cell::Null => "NULL",
        Cell::Boolean(_) => "boolean",
        Cell::Integer(_) => "integer",
        Cell::Real(_) => "real",
        Cell::Text(_) => "text",
        Cell::Blob(_) => "blob",
    }
}

impl fmt::Display for Signature {
    /// Writes `normalise_email(email text) text`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}(", self.name.escape_debug())?;
        let mut separator = "";
        for parameter in &self.parameters {
            write!(formatter, "{separator}{} {}", parameter.name.escape_debug(), parameter.kind.as_str())?;
            separator = ", ";
        }
        if let Some(more) = self.more {
            write!(formatter, "{separator}{}…", more.as_str())?;
        }
        write!(formatter, ") {}", self.returns.as_str())
    }
}

/// What a function does: the arguments fit its signature. An error's code and message reach whoever ran the statement.
pub type Apply = dyn Fn(&[Cell<'_>]) -> Result<Value, DbError> + Send + Sync;

/// Takes what a function returns, where it lies.
pub(crate) type Give<'g> = &'g mut dyn FnMut(Cell<'_>);
/// What a function does that gives its result where it lies: once, unless it fails.
type Giving = dyn Fn(&[Cell<'_>], Give<'_>) -> Result<(), DbError> + Send + Sync;

/// A function that a session can register for a time.
///
/// ```
/// use whimbrel::db::{Cell, Function, Value, ValueType};
///
/// let shout = Function::new("shout", |arguments| match arguments {
///     [Cell::Text(text)] => Ok(Value::from(text.to_uppercase())),
///     _ => Err("there is nothing to shout".to_owned()),
/// });
/// let shout = shout.takes("text", ValueType::Text).returns(ValueType::Text);
/// assert_eq!(shout.signature().to_string(), "shout(text text) text");
/// ```
#[derive(Clone)]
pub struct Function {
    signature: Signature,
    apply: Arc<Giving>,
}

impl Function {
    /// Makes a function that takes nothing, returns anything, is deterministic, and is not called with NULL.
    pub fn new(
        name: impl Into<String>,
        apply: impl Fn(&[Cell<'_>]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        let signature = Signature {
            name: name.into(),
            description: String::new(),
            parameters: Vec::new(),
            more: None,
            returns: ValueType::Any,
            deterministic: true,
            nulls: Nulls::MakeNull,
        };
        let apply = move |arguments: &[Cell<'_>]| {
            apply(arguments).map_err(|message| DbError::new(ErrorCode::Function, message))
        };
        Self::with_signature(signature, Arc::new(apply))
    }

    /// Makes a function of what is known of it already.
    pub fn with_signature(signature: Signature, apply: Arc<Apply>) -> Self {
        Self::giving(
            signature,
            Arc::new(move |arguments, give| {
                give(apply(arguments)?.cell());
                Ok(())
            }),
        )
    }

    /// Makes a function that gives its result where it lies.
    pub(crate) fn giving(signature: Signature, apply: Arc<Giving>) -> Self {
        Self { signature, apply }
    }

    /// Adds an argument.
    #[must_use]
    pub fn takes(mut self, name: impl Into<String>, kind: ValueType) -> Self {
        self.signature.parameters.push(Parameter { name: name.into(), kind });
        self
    }

    /// Lets further arguments follow.
    #[must_use]
    pub fn takes_more(mut self, kind: ValueType) -> Self {
        self.signature.more = Some(kind);
        self
    }

    /// Says what it returns.
    #[must_use]
    pub fn returns(mut self, kind: ValueType) -> Self {
        self.signature.returns = kind;
        self
    }

    /// Has it called with NULL too.
    #[must_use]
    pub fn called_with_null(mut self) -> Self {
        self.signature.nulls = Nulls::Call;
        self
    }

    /// Says that the same arguments do not always give the same result.
    #[must_use]
    pub fn not_deterministic(mut self) -> Self {
        self.signature.deterministic = false;
        self
    }

    /// Says what it does.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.signature.description = description.into();
        self
    }

    /// Returns what it is called, takes and returns.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Calls it, and holds arguments and result against its signature. Errors name it.
    pub fn call(&self, arguments: &mut [Cell<'_>]) -> Result<Value, DbError> {
        let mut value = Value::Null;
        self.call_giving(arguments, &mut |result| value = Value::from(result))?;
        Ok(value)
    }

    /// As [`call`](Self::call), with the result where it lies.
    pub(crate) fn call_giving(&self, arguments: &mut [Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
        let returns = self.signature.returns;
        let mut misfit = None;
        let mut give_fitting = |result: Cell<'_>| {
            if returns.fits(result) { give(result) } else { misfit = Some(found(result)) }
        };
        let wrong = |message: String| DbError::new(ErrorCode::Function, message);
        let called = self.signature.admit(arguments).map_err(wrong).and_then(|is_called| {
            if is_called {
                return (self.apply)(arguments, &mut give_fitting);
            }
            give_fitting(Cell::Null);
            Ok(())
        });
        called
            .and_then(|()| match misfit {
                None => Ok(()),
                Some(found) => {
                    Err(wrong(format!("it returned {found}, and says that it returns {}", returns.as_str())))
                }
            })
            .map_err(|error| self.named(error))
    }

    #[cold]
    fn named(&self, error: DbError) -> DbError {
        // What stops the run has words of its own.
        let message = match error.code {
            ErrorCode::Interrupted => error.message,
            _ => format!("the function {}: {}", self.signature.name, error.message),
        };
        DbError { message, ..error }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Function({})", self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(nulls: Nulls) -> Function {
        let shown = Function::new("shown", |arguments| Ok(Value::from(format!("{arguments:?}"))));
        let shown = shown.takes("a", ValueType::Real).takes("b", ValueType::Boolean).takes_more(ValueType::Text);
        let shown = shown.returns(ValueType::Text);
        if nulls == Nulls::Call { shown.called_with_null() } else { shown }
    }

    #[test]
    fn holds_arguments_and_results_against_the_types() {
        let call = |nulls, arguments: &[Cell<'_>]| {
            function(nulls).call(&mut arguments.to_vec()).map_err(|error| (error.code, error.message))
        };
        let wrong = |message: &str| Err((ErrorCode::Function, format!("the function shown: {message}")));
        let cases = [
            (Nulls::MakeNull, vec![Cell::Integer(2), Cell::Integer(1)], Ok("[Real(2.0), Boolean(true)]".into())),
            (Nulls::MakeNull, vec![Cell::Null, Cell::Integer(1)], Ok(Value::Null)),
            (Nulls::Call, vec![Cell::Null, Cell::Integer(1)], Ok("[Null, Boolean(true)]".into())),
            (Nulls::Call, vec![Cell::Real(1.0)], wrong("it takes 2 arguments or more")),
            (
                Nulls::Call,
                vec![Cell::Real(1.0), Cell::Integer(2)],
                wrong("argument 2 (b) is integer, and boolean is wanted"),
            ),
            (
                Nulls::MakeNull,
                vec![Cell::Null, Cell::Null, Cell::Blob(b"x")],
                wrong("argument 3 is blob, and text is wanted"),
            ),
        ];
        for (nulls, arguments, expected) in cases {
            assert_eq!(call(nulls, &arguments), expected, "{arguments:?}");
        }
        let liar = Function::new("liar", |_| Ok(Value::Integer(1))).returns(ValueType::Text);
        let error = liar.call(&mut []).unwrap_err();
        assert_eq!(error.message, "the function liar: it returned integer, and says that it returns text");
    }

    #[test]
    fn refuses_names_that_no_function_should_have() {
        for name in ["", "1a", "Upper", "a b", "a\"", "ä", &"x".repeat(61)] {
            assert!(Function::new(name, |_| Ok(Value::Null)).signature().check().is_err(), "{name}");
        }
        assert_eq!(function(Nulls::Call).signature().check(), Ok(()));
        assert_eq!(function(Nulls::Call).signature().to_string(), "shown(a real, b boolean, text…) text");
    }

    #[test]
    fn knows_each_type_by_its_word() {
        for kind in ValueType::ALL {
            assert_eq!(ValueType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ValueType::parse("varchar"), None);
    }
}
