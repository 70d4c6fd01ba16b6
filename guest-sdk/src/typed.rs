//! Rows as Rust structs: what is read and what is written, by the names of the columns.

use crate::cell::FromCell;
use crate::error::Result;
use crate::row::Row;
use crate::transform::{RowIn, RowOut};

/// A struct that is read from a row; made by [`row_in!`](crate::row_in).
pub trait FromRow<'r>: Sized {
    /// Reads every field from the column of its name.
    fn from_row(cells: &impl Cells<'r>) -> Result<Self>;
}

/// A struct that becomes a row; made by [`row_out!`](crate::row_out).
pub trait ToRow {
    /// Sets the column of every field.
    fn to_row(&self, out: &mut RowOut<'_>) -> Result<()>;
}

/// Whatever has cells with names.
pub trait Cells<'r> {
    /// Reads the cell of a column.
    fn named<T: FromCell<'r>>(&self, column: &str) -> Result<T>;
}

/// Returns the name of the column that a field stands for: `r#type` is `type`.
#[doc(hidden)]
#[inline(always)]
pub fn column(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

impl<'r> Cells<'r> for RowIn<'r> {
    #[inline(always)]
    fn named<T: FromCell<'r>>(&self, column: &str) -> Result<T> {
        self.get(column)
    }
}

impl<'r> Cells<'r> for &'r Row {
    #[inline(always)]
    fn named<T: FromCell<'r>>(&self, column: &str) -> Result<T> {
        self.get(column)
    }
}

impl Row {
    /// Reads the whole row as a struct that [`row_in!`](crate::row_in) describes.
    #[inline]
    pub fn read<'r, T: FromRow<'r>>(&'r self) -> Result<T> {
        T::from_row(&self)
    }
}

impl<'r> RowIn<'r> {
    /// Reads the whole row as a struct that [`row_in!`](crate::row_in) describes.
    #[inline]
    pub fn read<T: FromRow<'r>>(&self) -> Result<T> {
        T::from_row(self)
    }
}

impl RowOut<'_> {
    /// Sets the columns of a struct that [`row_out!`](crate::row_out) describes. Others are as if they had not been set.
    #[inline]
    pub fn write(&mut self, row: &impl ToRow) -> Result<()> {
        row.to_row(self)
    }
}

/// Describes rows that are read, as structs. A field has the name of its column and a type that
/// [`Row::get`](crate::Row::get) could return; what is borrowed from the row has the lifetime of the struct.
///
/// ```
/// use whimbrel_guest::{Result, RowIn, RowOut, Transform, row_in, row_out};
///
/// row_in! {
///     struct Person<'r> {
///         full_name: &'r str,
///         email: Option<String>,
///     }
/// }
///
/// row_out! {
///     struct Contact<'r> {
///         last_name: &'r str,
///         email: Option<String>,
///     }
/// }
///
/// struct Contacts;
///
/// impl Transform for Contacts {
///     fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
///         let Person { full_name, email } = row.read()?;
///         let last_name = full_name.rsplit(' ').next().unwrap_or(full_name);
///         out.write(&Contact { last_name, email: email.map(|email| email.to_lowercase()) })
///     }
/// }
/// ```
#[macro_export]
macro_rules! row_in {
    ($($(#[$meta:meta])* $visible:vis struct $name:ident $(<$life:lifetime>)? {
        $($(#[$field_meta:meta])* $field_visible:vis $field:ident: $kind:ty),* $(,)?
    })+) => {$(
        $(#[$meta])*
        $visible struct $name $(<$life>)? {
            $($(#[$field_meta])* $field_visible $field: $kind),*
        }
        $crate::row_in!(@read $name $($life)? { $($field)* });
    )+};
    (@read $name:ident { $($field:ident)* }) => {
        impl<'row> $crate::FromRow<'row> for $name {
            #[inline(always)]
            fn from_row(cells: &impl $crate::Cells<'row>) -> $crate::Result<Self> {
                Ok(Self { $($field: cells.named($crate::column(stringify!($field)))?),* })
            }
        }
    };
    (@read $name:ident $life:lifetime { $($field:ident)* }) => {
        impl<$life> $crate::FromRow<$life> for $name<$life> {
            #[inline(always)]
            fn from_row(cells: &impl $crate::Cells<$life>) -> $crate::Result<Self> {
                Ok(Self { $($field: cells.named($crate::column(stringify!($field)))?),* })
            }
        }
    };
}

/// Describes rows that are written, as structs. A field has the name of its column and a type that can be a parameter of
/// a statement. See [`row_in!`](crate::row_in).
#[macro_export]
macro_rules! row_out {
    ($($(#[$meta:meta])* $visible:vis struct $name:ident $(<$life:lifetime>)? {
        $($(#[$field_meta:meta])* $field_visible:vis $field:ident: $kind:ty),* $(,)?
    })+) => {$(
        $(#[$meta])*
        $visible struct $name $(<$life>)? {
            $($(#[$field_meta])* $field_visible $field: $kind),*
        }
        impl $(<$life>)? $crate::ToRow for $name $(<$life>)? {
            #[inline(always)]
            fn to_row(&self, out: &mut $crate::RowOut<'_>) -> $crate::Result<()> {
                $(out.set($crate::column(stringify!($field)), &self.$field)?;)*
                Ok(())
            }
        }
    )+};
}
