//! What can go wrong in a migration. Its text is what the operator reads.

use std::fmt;

use whimbrel_packed::{HeapFull, MalformedBatch};

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a migration stops.
///
/// `?` turns strings and the usual parse errors into it; [`Error::msg`] turns anything that can be displayed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The database or the host refused a statement.
    Sql(Box<SqlError>),
    /// A cell is not what the code asked for.
    Column(Box<ColumnError>),
    /// What the migration itself has to say.
    Message(Box<str>),
}

impl Error {
    /// Makes an error from anything that can be displayed.
    ///
    /// ```
    /// use whimbrel_guest::Error;
    ///
    /// let number = "x1".parse::<i64>().map_err(Error::msg);
    /// assert_eq!(number.unwrap_err().to_string(), "invalid digit found in string");
    /// ```
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::Message(message.to_string().into())
    }

    /// Puts words in front of the text.
    ///
    /// ```
    /// use whimbrel_guest::Error;
    ///
    /// let error = Error::msg("no digits").context("customer 17");
    /// assert_eq!(error.to_string(), "customer 17: no digits");
    /// ```
    #[must_use]
    pub fn context(self, words: impl fmt::Display) -> Self {
        match self {
            Self::Sql(mut error) => {
                error.message = format!("{words}: {}", error.message);
                Self::Sql(error)
            }
            Self::Column(error) => Self::msg(format_args!("{words}: {error}")),
            Self::Message(error) => Self::msg(format_args!("{words}: {error}")),
        }
    }

    /// Returns the SQL error, if it is one.
    pub fn sql(&self) -> Option<&SqlError> {
        match self {
            Self::Sql(error) => Some(error),
            Self::Column(_) | Self::Message(_) => None,
        }
    }

    /// Tells whether the statement asked for something that was not granted.
    pub fn is_denied(&self) -> bool {
        self.sql().is_some_and(SqlError::is_denied)
    }

    /// Tells whether a constraint of the database failed.
    pub fn is_constraint(&self) -> bool {
        self.sql().is_some_and(SqlError::is_constraint)
    }

    /// Tells whether a limit of the host was reached.
    pub fn is_limit(&self) -> bool {
        self.sql().is_some_and(SqlError::is_limit)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(f),
            Self::Column(error) => error.fmt(f),
            Self::Message(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for Error {}

/// Why a statement failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqlError {
    /// What kind of failure: `denied`, `limit`, `constraint-unique`, `busy`, … The set is open.
    pub code: String,
    /// The database's own code, such as `SQLITE_CONSTRAINT_UNIQUE`; empty when the host itself refused.
    pub native: String,
    /// One sentence for a person.
    pub message: String,
    /// The row of the batch that failed, counted from 0.
    pub row: Option<u32>,
    /// The byte in the statement where the error is.
    pub offset: Option<u32>,
    /// More, by name.
    pub details: Vec<(String, String)>,
}

impl SqlError {
    /// Tells whether something was asked for that was not granted.
    pub fn is_denied(&self) -> bool {
        self.code == "denied"
    }

    /// Tells whether a constraint of the database failed.
    pub fn is_constraint(&self) -> bool {
        self.code.starts_with("constraint")
    }

    /// Tells whether a limit of the host was reached.
    pub fn is_limit(&self) -> bool {
        self.code == "limit"
    }

    /// Returns one of the details: `object` of what was denied, `value` of a limit, …
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.native.is_empty() {
            write!(f, " ({})", self.native)?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row} of the batch")?;
        }
        Ok(())
    }
}

impl std::error::Error for SqlError {}

/// A cell is not what the code asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnError {
    /// The query has no such column.
    Unknown {
        /// The name or number that was asked for.
        column: String,
        /// What the query has.
        columns: Vec<String>,
    },
    /// The cell has another kind, or its value does not fit.
    Mismatch {
        /// Name of the column.
        column: String,
        /// Which row of the query, counted from 1; none in a transform, where the host names the row by its key.
        row: Option<u64>,
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { column, columns } => {
                write!(f, "the query has no column {column}, only {}", columns.join(", "))
            }
            Self::Mismatch { column, row, expected, found } => {
                write!(f, "column {column}: expected {expected}, found {found}")?;
                row.map_or(Ok(()), |row| write!(f, ", in row {row} of the query"))
            }
        }
    }
}

impl std::error::Error for ColumnError {}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        Self::Sql(Box::new(error))
    }
}

impl From<ColumnError> for Error {
    fn from(error: ColumnError) -> Self {
        Self::Column(Box::new(error))
    }
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::Message(message.into())
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::Message(message.into())
    }
}

macro_rules! from_display {
    ($($error:ty),+) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::msg(error)
            }
        }
    )+};
}

from_display!(
    HeapFull,
    MalformedBatch,
    fmt::Error,
    std::num::ParseIntError,
    std::num::ParseFloatError,
    std::num::TryFromIntError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    Box<dyn std::error::Error>,
    Box<dyn std::error::Error + Send + Sync>
);
