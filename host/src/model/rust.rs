//! A migration written in Rust, compiled into the program that runs it.

use super::Version;
use crate::db::Transaction;

/// What a Rust migration fails with.
pub type RustError = Box<dyn std::error::Error + Send + Sync>;

/// What a Rust migration is told of the run that it is part of, as a component is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RustContext<'a> {
    /// Name of the chain.
    pub chain: &'a str,
    /// Version of the migration.
    pub version: Version,
    /// Name of the migration.
    pub name: &'a str,
    /// Nothing of it will stay: everything will be rolled back, or it is done on a copy of the database, as for a round trip.
    /// Leave alone what is outside the database.
    pub dry_run: bool,
    /// Recorded start of the run, in milliseconds since 1970.
    pub started_at: u64,
    /// What may stand for chance: it depends on the migration alone.
    pub seed: u64,
}

/// A migration whose body is Rust code.
pub trait RustMigration: Send + Sync {
    /// Changes the database inside the transaction of its step.
    fn up(&self, tx: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError>;

    /// Undoes what `up` did; called only if it [is reversible](Self::is_reversible).
    fn down(&self, tx: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError> {
        let _ = (tx, context);
        Err("this migration cannot be reverted".into())
    }

    /// Tells whether `down` undoes it.
    fn is_reversible(&self) -> bool {
        false
    }

    /// Tells whether it rebuilds tables, as `-- whimbrel: rebuild` says of a script: foreign keys are off while it runs, so that
    /// dropping a table leaves alone the rows that refer to it, and what it has broken is refused at its end. Inside the
    /// transaction `PRAGMA foreign_keys = OFF` would do nothing, and is refused.
    ///
    /// `Code::rebuild` says it in the place of this.
    fn is_rebuild(&self) -> bool {
        false
    }

    /// Stands for the code in the checksum: change it whenever the code changes its meaning.
    ///
    /// Compiled code has no bytes of its own to compare, so that a change nobody tells of here is noticed by nobody.
    /// `Code::fingerprint` says it in the place of this.
    fn fingerprint(&self) -> &str {
        ""
    }
}
