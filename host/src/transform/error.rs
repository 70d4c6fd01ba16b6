//! Why a transform cannot run, or stopped.

use crate::db::DbError;

/// One thing in a `[transform]` that the database does not fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LayoutProblem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why a transform stopped. What it did in the open transaction is to be undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError<E: std::error::Error + 'static> {
    /// The database does not have what the `[transform]` names.
    #[error("the transform does not fit the database: {}", list(problems))]
    Layout {
        /// Everything found.
        problems: Vec<LayoutProblem>,
    },
    /// A row cannot be transformed.
    #[error("the row of {table} with {key} cannot be transformed: {reason}")]
    Rejected {
        /// Where it comes from.
        table: String,
        /// Its key, such as `id 17`.
        key: String,
        /// The guest's words.
        reason: String,
    },
    /// What was made of a row cannot be written.
    #[error("what was made of the row of {table} with {key} cannot be written to {into}")]
    Write {
        /// Where it comes from.
        table: String,
        /// Its key.
        key: String,
        /// Where it goes.
        into: String,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// A row holds what cannot be read, such as text that is not UTF-8.
    #[error("the row of {table} with {key} cannot be read")]
    Unreadable {
        /// Where it is.
        table: String,
        /// Its key.
        key: String,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// More rows were kept aside than allowed.
    #[error("more than {most} rows of {table} cannot be transformed; the last one, with {key}: {reason}")]
    TooManyRejects {
        /// Where they come from.
        table: String,
        /// Most rows that may be.
        most: u64,
        /// Key of the row beyond.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The guest's answer is not what was asked for.
    #[error("the transform's answer for the rows of {table} from {first} to {last} cannot be used: {reason}")]
    Answer {
        /// Where the rows come from.
        table: String,
        /// Key of the first row of the batch.
        first: String,
        /// Key of the last one.
        last: String,
        /// What is wrong.
        reason: String,
    },
    /// The guest stopped.
    #[error("the transform stopped at the rows of {table} from {first} to {last}")]
    Guest {
        /// Where the rows come from.
        table: String,
        /// Key of the first row of the batch.
        first: String,
        /// Key of the last one.
        last: String,
        /// Why.
        #[source]
        source: E,
    },
    /// The guest did not start.
    #[error("the transform does not start")]
    Start {
        /// Why.
        #[source]
        source: E,
    },
    /// A row has no key.
    #[error("a row of {table} has NULL in its key {key}, so it cannot be found again")]
    NullKey {
        /// Where it is.
        table: String,
        /// Names of the columns.
        key: String,
    },
    /// Several rows have one key.
    #[error("rows of {table} have the same {key}, so they cannot be told apart")]
    SameKey {
        /// Where they are.
        table: String,
        /// Names of the columns.
        key: String,
    },
    /// What it writes changes which rows there are to read, through a trigger.
    #[error("{table} ends with another row than before: what the transform writes changes which rows it reads")]
    Moved {
        /// Where rows come from.
        table: String,
    },
    /// Between two chunks the key has become another one.
    #[error("{table} has another key than it had, {key}, so where to go on is not known")]
    OtherKey {
        /// Where rows come from.
        table: String,
        /// Names of its columns now.
        key: String,
    },
    /// The database refused.
    #[error("cannot {doing} {table}")]
    Database {
        /// What was to be done.
        doing: &'static str,
        /// On which table.
        table: String,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// Stopped from outside.
    #[error("interrupted")]
    Interrupted,
}

fn list(problems: &[LayoutProblem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}
