//! How Rust values become cells and cells become Rust values.

use std::borrow::Cow;

use whimbrel_packed::Cell;

/// A Rust value that can be a parameter.
pub trait ToCell {
    /// Shows the value as a cell, without copying texts and blobs.
    fn to_cell(&self) -> Cell<'_>;
}

/// Lists the parameters of a statement, each borrowed.
///
/// ```
/// use whimbrel_guest::{params, Cell};
///
/// let name = String::from("Ada");
/// assert_eq!(params![name, 36, None::<i64>], &[Cell::Text("Ada"), Cell::Integer(36), Cell::Null]);
/// ```
#[macro_export]
macro_rules! params {
    () => {
        &[] as &[$crate::Cell<'_>]
    };
    ($($value:expr),+ $(,)?) => {
        &[$($crate::ToCell::to_cell(&$value)),+] as &[$crate::Cell<'_>]
    };
}

impl<T: ToCell + ?Sized> ToCell for &T {
    #[inline]
    fn to_cell(&self) -> Cell<'_> {
        (**self).to_cell()
    }
}

impl<T: ToCell> ToCell for Option<T> {
    #[inline]
    fn to_cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, ToCell::to_cell)
    }
}

impl<T: ToCell + ToOwned + ?Sized> ToCell for Cow<'_, T> {
    fn to_cell(&self) -> Cell<'_> {
        self.as_ref().to_cell()
    }
}

impl ToCell for Cell<'_> {
    #[inline]
    fn to_cell(&self) -> Cell<'_> {
        *self
    }
}

macro_rules! to_cell {
    ($($rust:ty, $value:ident => $cell:expr;)+) => {$(
        impl ToCell for $rust {
            #[inline]
            fn to_cell(&self) -> Cell<'_> {
                let $value = self;
                $cell
            }
        }
    )+};
}

to_cell! {
    bool, value => Cell::Boolean(*value);
    i8, value => Cell::Integer(i64::from(*value));
    i16, value => Cell::Integer(i64::from(*value));
    i32, value => Cell::Integer(i64::from(*value));
    i64, value => Cell::Integer(*value);
    u8, value => Cell::Integer(i64::from(*value));
    u16, value => Cell::Integer(i64::from(*value));
    u32, value => Cell::Integer(i64::from(*value));
    f32, value => Cell::Real(f64::from(*value));
    f64, value => Cell::Real(*value);
    str, value => Cell::Text(value);
    String, value => Cell::Text(value);
    [u8], value => Cell::Blob(value);
    Vec<u8>, value => Cell::Blob(value);
}

impl<const N: usize> ToCell for [u8; N] {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Blob(self)
    }
}

/// A Rust value that can be read from a cell.
pub trait FromCell<'r>: Sized {
    /// What an error says was expected.
    const EXPECTED: &'static str;

    /// Reads the cell, or gives none when it has another kind or the value does not fit.
    fn from_cell(cell: Cell<'r>) -> Option<Self>;
}

macro_rules! from_cell {
    ($($rust:ty, $expected:literal, $($pattern:pat => $value:expr),+;)+) => {$(
        impl<'r> FromCell<'r> for $rust {
            const EXPECTED: &'static str = $expected;

            #[inline]
            fn from_cell(cell: Cell<'r>) -> Option<Self> {
                match cell {
                    $($pattern => $value,)+
                    _ => None,
                }
            }
        }
    )+};
}

from_cell! {
    i64, "an integer", Cell::Integer(value) => Some(value);
    i32, "an integer of 32 bits", Cell::Integer(value) => value.try_into().ok();
    i16, "an integer of 16 bits", Cell::Integer(value) => value.try_into().ok();
    u64, "an integer of at least 0", Cell::Integer(value) => value.try_into().ok();
    u32, "an integer of 32 bits, at least 0", Cell::Integer(value) => value.try_into().ok();
    u16, "an integer of 16 bits, at least 0", Cell::Integer(value) => value.try_into().ok();
    u8, "an integer from 0 to 255", Cell::Integer(value) => value.try_into().ok();
    bool, "a boolean", Cell::Boolean(value) => Some(value), Cell::Integer(value @ 0..=1) => Some(value == 1);
    f64, "a number", Cell::Real(value) => Some(value), Cell::Integer(value) => Some(value as f64);
    &'r str, "a text", Cell::Text(value) => Some(value);
    String, "a text", Cell::Text(value) => Some(value.to_owned());
    Cow<'r, str>, "a text", Cell::Text(value) => Some(Cow::Borrowed(value));
    &'r [u8], "a blob", Cell::Blob(value) => Some(value);
    Vec<u8>, "a blob", Cell::Blob(value) => Some(value.to_owned());
}

impl<'r> FromCell<'r> for Cell<'r> {
    const EXPECTED: &'static str = "anything";

    #[inline]
    fn from_cell(cell: Cell<'r>) -> Option<Self> {
        Some(cell)
    }
}

impl<'r, T: FromCell<'r>> FromCell<'r> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    #[inline]
    fn from_cell(cell: Cell<'r>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// Names what is in a cell, for errors.
pub(crate) fn found(cell: Cell<'_>) -> &'static str {
    match cell {
        Cell::Null => "NULL",
        Cell::Boolean(_) => "a boolean",
        Cell::Integer(_) => "an integer that does not fit",
        Cell::Real(_) => "a real number",
        Cell::Text(_) => "a text",
        Cell::Blob(_) => "a blob",
    }
}
