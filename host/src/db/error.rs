//! Why a database operation failed, in the words a guest and an operator both get.

use std::fmt;

use crate::limits::{Limit, LimitReached, SetBy};

/// What kind of failure, to branch on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Not granted to this migration.
    Denied,
    /// A limit of the migration or of the database was met.
    Limit,
    /// A constraint, not told apart further.
    Constraint,
    /// UNIQUE or PRIMARY KEY.
    ConstraintUnique,
    /// FOREIGN KEY.
    ConstraintForeignKey,
    /// NOT NULL.
    ConstraintNotNull,
    /// CHECK.
    ConstraintCheck,
    /// The statement cannot be parsed or names what does not exist.
    Syntax,
    /// Wrong number or kind of parameters.
    Parameter,
    /// A stored value cannot be delivered, such as text that is not UTF-8.
    Value,
    /// A function that a migration brings said no, trapped, or got or gave a value of another type.
    Function,
    /// Another connection holds the lock.
    Busy,
    /// Stopped from outside.
    Interrupted,
    /// The disk or the file's page limit is full.
    Full,
    /// The database cannot be written.
    ReadOnly,
    /// A statement, cursor or savepoint that has ended.
    Handle,
    /// The file is not a database, or is damaged.
    NotADatabase,
    /// The file cannot be opened.
    CannotOpen,
    /// The connection was lost during COMMIT: whether the work is stored is not known.
    OutcomeUnknown,
    /// Anything else.
    Database,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 20] = [
        Self::Denied,
        Self::Limit,
        Self::Constraint,
        Self::ConstraintUnique,
        Self::ConstraintForeignKey,
        Self::ConstraintNotNull,
        Self::ConstraintCheck,
        Self::Syntax,
        Self::Parameter,
        Self::Value,
        Self::Function,
        Self::Busy,
        Self::Interrupted,
        Self::Full,
        Self::ReadOnly,
        Self::Handle,
        Self::NotADatabase,
        Self::CannotOpen,
        Self::OutcomeUnknown,
        Self::Database,
    ];

    /// Returns the code's name in the guest contract (`sql-error.code`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::Constraint => "constraint",
            Self::ConstraintUnique => "constraint-unique",
            Self::ConstraintForeignKey => "constraint-foreign-key",
            Self::ConstraintNotNull => "constraint-not-null",
            Self::ConstraintCheck => "constraint-check",
            Self::Syntax => "syntax",
            Self::Parameter => "parameter",
            Self::Value => "value",
            Self::Function => "function",
            Self::Busy => "busy",
            Self::Interrupted => "interrupted",
            Self::Full => "full",
            Self::ReadOnly => "read-only",
            Self::Handle => "handle",
            Self::NotADatabase => "not-a-database",
            Self::CannotOpen => "cannot-open",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Database => "database",
        }
    }
}

/// Why a database operation failed.
#[derive(Clone, Debug, PartialEq)]
pub struct DbError {
    /// What kind of failure.
    pub code: ErrorCode,
    /// The database's own code, such as `SQLITE_CONSTRAINT_UNIQUE`; empty when the host refused.
    pub native: String,
    /// One clause for a person.
    pub message: String,
    /// Row of the batch that failed, counted from 0.
    pub row: Option<u32>,
    /// Byte in the statement where the error is.
    pub offset: Option<u32>,
    /// More by name: `action`, `object` and, if there is one, `grant` for denied; `name`, `value` and `raise` for limit.
    pub details: Vec<(String, String)>,
}

impl DbError {
    /// Makes an error the host itself raises.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, native: String::new(), message: message.into(), row: None, offset: None, details: Vec::new() }
    }
}

impl DbError {
    /// Tells of what was interrupted whether somebody else's lock was in its way then.
    pub(crate) fn is_wait(&self) -> bool {
        self.native.starts_with("SQLITE_BUSY") || self.native == "SQLITE_LOCKED_SHAREDCACHE"
    }

    /// Tells whether a foreign key refers to columns that are no key. SQLite has no code for it.
    pub(crate) fn is_mismatch(&self) -> bool {
        self.message.contains("foreign key mismatch")
    }
}

impl From<LimitReached> for DbError {
    fn from(reached: LimitReached) -> Self {
        let details = vec![
            ("name".to_owned(), reached.limit.key().to_owned()),
            ("value".to_owned(), reached.value.to_string()),
            ("raise".to_owned(), reached.how_to_raise()),
        ];
        Self { details, ..Self::new(ErrorCode::Limit, reached.to_string()) }
    }
}

impl DbError {
    /// Returns the limit that ended what failed; `None` when it was something else, or a limit of the database's own.
    pub fn limit_reached(&self) -> Option<LimitReached> {
        let detail = |name: &str| self.details.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if self.code != ErrorCode::Limit {
            return None;
        }
        let name = detail("name")?;
        let limit = Limit::ALL.iter().copied().find(|limit| limit.key() == name)?;
        let value = detail("value")?.parse().ok()?;
        let by = |set_by| LimitReached { limit, value, set_by };
        let raise = detail("raise")?;
        [SetBy::Manifest, SetBy::Policy].map(by).into_iter().find(|reached| reached.how_to_raise() == raise)
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if let Some(row) = self.row {
            write!(formatter, " (row {row} of the batch)")?;
        }
        if !self.native.is_empty() {
            write!(formatter, " ({})", self.native)?;
        }
        Ok(())
    }
}

impl std::error::Error for DbError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_found_again() {
        for set_by in [SetBy::Manifest, SetBy::Policy] {
            let reached = LimitReached { limit: Limit::Fuel, value: 7, set_by };
            assert_eq!(DbError::from(reached).limit_reached(), Some(reached));
        }
        assert_eq!(DbError::new(ErrorCode::Limit, "SQLite's own").limit_reached(), None);
    }

    #[test]
    fn the_contract_names_every_code() {
        // None is missing in the list: they stand in it in their order, with the last one at its end.
        assert!(ErrorCode::ALL.iter().enumerate().all(|(place, code)| *code as usize == place));
        assert_eq!(ErrorCode::ALL.len(), ErrorCode::Database as usize + 1);
        let contract = include_str!("../../../guest-sdk/wit/whimbrel.wit");
        let (_, record) = contract.split_once("record sql-error {").expect("the record");
        let (comment, _) = record.split_once("code: string").expect("the field");
        for code in ErrorCode::ALL {
            assert!(comment.contains(&format!("`{}`", code.as_str())), "{code:?}");
        }
    }
}
