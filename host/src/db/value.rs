//! One SQL value, in plain data.

use std::borrow::Cow;

use whimbrel_packed::{Cell, RawCell};

use super::{DbError, ErrorCode};

/// What is said of a NaN, after its place.
pub(crate) const NOT_A_NUMBER: &str = "is NaN, which no column holds: write NULL for nothing";

/// One SQL value: a parameter or a cell of a small result.
///
/// ```
/// use whimbrel::db::Value;
///
/// # fn main() -> Result<(), whimbrel::db::DbError> {
/// // Made of what Rust has, and read as that again.
/// let row = [Value::from(7), Value::from("seven"), Value::from(None::<i64>)];
/// let id = i64::try_from(&row[0])?;
/// let name = <&str>::try_from(&row[1])?;
/// let size = Option::<u32>::try_from(&row[2])?;
/// assert_eq!((id, name, size), (7, "seven", None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Truth value; SQLite keeps it as integer 0 or 1.
    Boolean(bool),
    /// 64-bit signed integer.
    Integer(i64),
    /// IEEE 754 double.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Shows it where it lies.
    pub(crate) fn raw(&self) -> RawCell<'_> {
        match self {
            Self::Null => RawCell::Null,
            Self::Boolean(value) => RawCell::Boolean(*value),
            Self::Integer(value) => RawCell::Integer(*value),
            Self::Real(value) => RawCell::Real(*value),
            Self::Text(value) => RawCell::Text(value.as_bytes()),
            Self::Blob(value) => RawCell::Blob(value),
        }
    }

    /// Shows it where it lies, as rows show theirs.
    pub(crate) fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Boolean(value) => Cell::Boolean(*value),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(value) => Cell::Real(*value),
            Self::Text(value) => Cell::Text(value),
            Self::Blob(value) => Cell::Blob(value),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

macro_rules! from_numbers {
    ($($variant:ident: $($number:ty),+;)+) => {$($(
        impl From<$number> for Value {
            fn from(value: $number) -> Self {
                Self::$variant(value.into())
            }
        }
    )+)+};
}

from_numbers! {
    Integer: i8, i16, i32, i64, u8, u16, u32;
    Real: f32, f64;
}

macro_rules! from_large_numbers {
    ($($number:ty),+) => {$(
        /// SQLite has no integers beyond 64 bits with a sign.
        impl TryFrom<$number> for Value {
            type Error = DbError;

            fn try_from(value: $number) -> Result<Self, DbError> {
                let fits = i64::try_from(value).map(Self::Integer);
                fits.map_err(|_| DbError::new(ErrorCode::Value, format!("{value} does not fit an integer of SQLite")))
            }
        }
    )+};
}

from_large_numbers!(u64, usize, isize);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(value: Cow<'_, str>) -> Self {
        Self::Text(value.into_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// Says that it is not what was asked for.
    fn is_not(&self, expected: &str) -> DbError {
        let found = match self {
            Self::Null => "NULL",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) if ["a text", "a blob"].contains(&expected) => "an integer",
            Self::Integer(_) => "an integer that does not fit",
            Self::Real(_) => "a real number",
            Self::Text(_) => "a text",
            Self::Blob(_) => "a blob",
        };
        DbError::new(ErrorCode::Value, format!("the value is {found}, and {expected} was asked for"))
    }
}

/// Each type by itself and in an `Option`, which is `None` for NULL.
macro_rules! read_as {
    ($($rust:ty, $expected:literal, $($pattern:pat => $value:expr),+;)+) => {$(
        impl<'v> TryFrom<&'v Value> for $rust {
            type Error = DbError;

            fn try_from(value: &'v Value) -> Result<Self, DbError> {
                let read = match value {
                    $($pattern => $value,)+
                    _ => None,
                };
                read.ok_or_else(|| value.is_not($expected))
            }
        }

        impl<'v> TryFrom<&'v Value> for Option<$rust> {
            type Error = DbError;

            fn try_from(value: &'v Value) -> Result<Self, DbError> {
                match value {
                    Value::Null => Ok(None),
                    value => <$rust>::try_from(value).map(Some),
                }
            }
        }
    )+};
}

read_as! {
    i64, "an integer", Value::Integer(value) => Some(*value);
    i32, "an integer of 32 bits", Value::Integer(value) => (*value).try_into().ok();
    u32, "an integer of 32 bits, at least 0", Value::Integer(value) => (*value).try_into().ok();
    u64, "an integer of at least 0", Value::Integer(value) => (*value).try_into().ok();
    usize, "an integer of at least 0", Value::Integer(value) => (*value).try_into().ok();
    f64, "a number", Value::Real(value) => Some(*value), Value::Integer(value) => exact(*value);
    bool, "0 or 1", Value::Boolean(value) => Some(*value), Value::Integer(0) => Some(false), Value::Integer(1) => Some(true);
    &'v str, "a text", Value::Text(value) => Some(value.as_str());
    String, "a text", Value::Text(value) => Some(value.clone());
    &'v [u8], "a blob", Value::Blob(value) => Some(value.as_slice());
    Vec<u8>, "a blob", Value::Blob(value) => Some(value.clone());
}

/// SQLite keeps a real number as an integer where nothing tells it otherwise.
fn exact(value: i64) -> Option<f64> {
    let real = value as f64;
    (real as i128 == i128::from(value)).then_some(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_of_what_rust_has() {
        let made: [(Value, Value); 12] = [
            (7_u8.into(), Value::Integer(7)),
            ((-7_i16).into(), Value::Integer(-7)),
            (u32::MAX.into(), Value::Integer(4_294_967_295)),
            (0.5_f32.into(), Value::Real(0.5)),
            (true.into(), Value::Boolean(true)),
            ("a".into(), Value::Text("a".to_owned())),
            ((&"a".to_owned()).into(), Value::Text("a".to_owned())),
            (Cow::Borrowed("a").into(), Value::Text("a".to_owned())),
            ((&[0_u8, 1][..]).into(), Value::Blob(vec![0, 1])),
            (None::<&str>.into(), Value::Null),
            (Some(3_i64).into(), Value::Integer(3)),
            (7_usize.try_into().expect("fits"), Value::Integer(7)),
        ];
        for (made, expected) in made {
            assert_eq!(made, expected);
        }
        let error = Value::try_from(u64::MAX).expect_err("too large");
        assert_eq!(error.to_string(), "18446744073709551615 does not fit an integer of SQLite");
    }

    #[test]
    fn is_read_as_what_it_is() {
        let (integer, text) = (Value::Integer(3_000_000_000), Value::from("a"));
        assert_eq!(i64::try_from(&integer), Ok(3_000_000_000));
        assert_eq!(u32::try_from(&integer), Ok(3_000_000_000));
        assert_eq!(f64::try_from(&integer), Ok(3e9));
        assert_eq!(<&str>::try_from(&text), Ok("a"));
        assert_eq!(Option::<String>::try_from(&text), Ok(Some("a".to_owned())));
        assert_eq!(Option::<i64>::try_from(&Value::Null), Ok(None));
        assert_eq!(bool::try_from(&Value::Integer(1)), Ok(true));
        assert_eq!(<&[u8]>::try_from(&Value::Blob(vec![1])), Ok(&[1_u8][..]));
        let refused = [
            i32::try_from(&integer).map(drop),
            i64::try_from(&text).map(drop),
            f64::try_from(&Value::Integer(i64::MAX)).map(drop),
            bool::try_from(&Value::Integer(2)).map(drop),
            String::try_from(&Value::Null).map(drop),
            <&str>::try_from(&Value::Integer(7)).map(drop),
        ];
        let told: Vec<String> = refused.into_iter().map(|one| one.expect_err("refused").to_string()).collect();
        assert_eq!(told[0], "the value is an integer that does not fit, and an integer of 32 bits was asked for");
        assert_eq!(told[1], "the value is a text, and an integer was asked for");
        assert_eq!(told[4], "the value is NULL, and a text was asked for");
        assert_eq!(told[5], "the value is an integer, and a text was asked for");
    }
}
