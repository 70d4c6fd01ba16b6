//! SQL functions, which migrations call while they run: `UPDATE customer SET email = normalise_email(email)`.

#[cfg(any(target_family = "wasm", test))]
mod short;
#[cfg(all(not(target_family = "wasm"), feature = "testing"))]
mod testing;

use std::borrow::Cow;

use whimbrel_packed::Cell;

use crate::cell::{FromCell, found};
use crate::error::{Error, Result};

/// One SQL function, as [`export_functions!`](crate::export_functions) makes it of a Rust function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name in SQL.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Names and types of its arguments.
    pub parameters: &'static [(&'static str, &'static str)],
    /// The type of its result.
    pub returns: &'static str,
    /// The same arguments give the same result.
    pub deterministic: bool,
    /// NULL among the arguments makes the result NULL without a call.
    pub null_if_any_null: bool,
    /// Calls it.
    pub call: fn(&[Cell<'_>]) -> Result<Answer>,
}

/// What a function returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// NULL.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A Rust type that can be an argument of an SQL function.
pub trait FunctionParameter<'a>: FromCell<'a> {
    /// The type in SQL.
    const KIND: &'static str;
    /// It can be NULL.
    const NULLABLE: bool = false;
}

macro_rules! parameter {
    ($($rust:ty => $kind:literal;)+) => {$(
        impl<'a> FunctionParameter<'a> for $rust {
            const KIND: &'static str = $kind;
        }
    )+};
}

parameter! {
    bool => "boolean";
    i64 => "integer";
    i32 => "integer";
    i16 => "integer";
    u64 => "integer";
    u32 => "integer";
    u16 => "integer";
    u8 => "integer";
    f64 => "real";
    &'a str => "text";
    String => "text";
    Cow<'a, str> => "text";
    &'a [u8] => "blob";
    Vec<u8> => "blob";
}

impl<'a> FunctionParameter<'a> for Cell<'a> {
    const KIND: &'static str = "any";
    const NULLABLE: bool = true;
}

impl<'a, T: FunctionParameter<'a>> FunctionParameter<'a> for Option<T> {
    const KIND: &'static str = T::KIND;
    const NULLABLE: bool = true;
}

/// A Rust type that an SQL function can return.
pub trait IntoAnswer {
    /// The type in SQL.
    const KIND: &'static str;
    /// Makes an answer of it. An error fails the statement.
    fn into_answer(self) -> Result<Answer>;
}

macro_rules! answer {
    ($($rust:ty => $kind:literal, $value:ident => $answer:expr;)+) => {$(
        impl IntoAnswer for $rust {
            const KIND: &'static str = $kind;

            #[inline]
            fn into_answer(self) -> Result<Answer> {
                let $value = self;
                Ok($answer)
            }
        }
    )+};
}

answer! {
    bool => "boolean", value => Answer::Boolean(value);
    i64 => "integer", value => Answer::Integer(value);
    i32 => "integer", value => Answer::Integer(i64::from(value));
    u32 => "integer", value => Answer::Integer(i64::from(value));
    u8 => "integer", value => Answer::Integer(i64::from(value));
    f64 => "real", value => Answer::Real(value);
    String => "text", value => Answer::Text(value);
    &str => "text", value => Answer::Text(value.to_owned());
    Cow<'_, str> => "text", value => Answer::Text(value.into_owned());
    Vec<u8> => "blob", value => Answer::Blob(value);
    Answer => "any", value => value;
}

impl<T: IntoAnswer> IntoAnswer for Option<T> {
    const KIND: &'static str = T::KIND;

    #[inline]
    fn into_answer(self) -> Result<Answer> {
        self.map_or(Ok(Answer::Null), T::into_answer)
    }
}

impl<T: IntoAnswer, E: Into<Error>> IntoAnswer for std::result::Result<T, E> {
    const KIND: &'static str = T::KIND;

    #[inline]
    fn into_answer(self) -> Result<Answer> {
        self.map_err(Into::into)?.into_answer()
    }
}

/// An argument that was taken out of its cell.
#[doc(hidden)]
pub enum Taken<T> {
    /// It is there.
    Value(T),
    /// It is NULL, which the function does not take.
    Null,
}

/// Takes an argument out of its cell.
#[doc(hidden)]
#[inline]
pub fn take<'a, T: FunctionParameter<'a>>(name: &str, cell: Option<&Cell<'a>>) -> Result<Taken<T>> {
    let cell = *cell.ok_or_else(|| Error::msg(format_args!("{name} is missing")))?;
    if matches!(cell, Cell::Null) && !T::NULLABLE {
        return Ok(Taken::Null);
    }
    match T::from_cell(cell) {
        Some(value) => Ok(Taken::Value(value)),
        None => Err(Error::msg(format_args!("{name}: expected {}, found {}", T::EXPECTED, found(cell)))),
    }
}

/// Makes a library of SQL functions of plain Rust functions: lists each with its arguments and its result, which may be
/// an `Option` and a `Result`.
///
/// ```
/// /// Puts an address into the form in which addresses are compared.
/// pub fn normalise_email(email: &str) -> Result<String, &'static str> {
///     let (name, domain) = email.trim().rsplit_once('@').ok_or("there is no @ in it")?;
///     Ok(format!("{name}@{}", domain.to_lowercase()))
/// }
///
/// fn initials(first: Option<&str>, last: &str) -> String {
///     first.into_iter().chain([last]).filter_map(|word| word.chars().next()).collect()
/// }
///
/// whimbrel_guest::export_functions! {
///     /// Puts an address into the form in which addresses are compared.
///     normalise_email(email: &str) -> Result<String, &'static str>;
///     initials(first: Option<&str>, last: &str) -> String;
/// }
/// # fn main() {
/// assert_eq!(normalise_email("Ada@EXAMPLE.org").unwrap(), "Ada@example.org");
/// # }
/// ```
///
/// An argument that is an `Option` may be NULL; NULL for any other makes the result NULL. A function is taken to be
/// deterministic, unless `, not_deterministic` stands behind its result.
///
/// Beside the exports this makes `functions()`, which tests hand to `testing::Database::functions`.
#[macro_export]
macro_rules! export_functions {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident($($parameter:ident: $kind:ty),* $(,)?) -> $returns:ty $(, $flag:ident)?
    );+ $(;)?) => {
        /// Returns the SQL functions of this library.
        pub fn functions() -> &'static [$crate::Function] {
            const FUNCTIONS: &[$crate::Function] = &[$($crate::Function {
                name: stringify!($name),
                description: concat!($($doc),*),
                parameters: &[$((stringify!($parameter), <$kind as $crate::FunctionParameter<'_>>::KIND)),*],
                returns: <$returns as $crate::IntoAnswer>::KIND,
                deterministic: true $(&& $crate::function_is_deterministic!($flag))?,
                null_if_any_null: true $(&& !<$kind as $crate::FunctionParameter<'_>>::NULLABLE)*,
                call: {
                    #[allow(unused_mut, unused_variables, reason = "a function may take nothing")]
                    fn call(arguments: &[$crate::Cell<'_>]) -> $crate::Result<$crate::Answer> {
                        let mut arguments = arguments.iter();
                        $(
                            let $parameter = match $crate::take::<$kind>(stringify!($parameter), arguments.next())? {
                                $crate::Taken::Value(value) => value,
                                $crate::Taken::Null => return Ok($crate::Answer::Null),
                            };
                        )*
                        $crate::IntoAnswer::into_answer($name($($parameter),*))
                    }
                    call
                },
            }),+];
            FUNCTIONS
        }
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::bindings::functions::Guest for Exported {
                fn describe() -> ::std::vec::Vec<$crate::bindings::functions::Signature> {
                    $crate::describe_functions(functions())
                }
                fn call(
                    function: u32,
                    arguments: ::std::vec::Vec<$crate::bindings::functions::Value>,
                ) -> ::std::result::Result<$crate::bindings::functions::Value, ::std::string::String> {
                    $crate::call_function(functions(), function, &arguments)
                }
            }
            impl $crate::bindings::short_calls::Guest for Exported {
                fn call_short(
                    function: u32,
                    arguments: $crate::bindings::short_calls::Words,
                ) -> $crate::bindings::short_calls::Words {
                    $crate::call_short(functions(), function, arguments)
                }
                fn long_answer()
                -> ::std::result::Result<$crate::bindings::short_calls::LongValue, ::std::string::String> {
                    $crate::long_answer()
                }
            }
            $crate::bindings::functions::export!(Exported with_types_in $crate::bindings::functions);
            $crate::bindings::short_calls::export!(Exported with_types_in $crate::bindings::short_calls);
        };
    };
}

/// Reads what stands behind a function's result.
#[doc(hidden)]
#[macro_export]
macro_rules! function_is_deterministic {
    (not_deterministic) => {
        false
    };
}

#[cfg(target_family = "wasm")]
pub(crate) mod wasm;
