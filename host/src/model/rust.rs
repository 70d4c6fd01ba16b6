//! A migration written in Rust, compiled into the program that runs it.

use crate::db::Transaction;

/// What a Rust migration fails with.
pub type RustError = Box<dyn std::error::Error + Send + Sync>;

/// A migration whose body is Rust code.
pub trait RustMigration: Send + Sync {
    /// Changes the database inside the transaction of its step.
    fn up(&self, tx: &mut Transaction<'_>) -> Result<(), RustError>;

    /// Undoes what `up` did; called only if it [is reversible](Self::is_reversible).
    fn down(&self, tx: &mut Transaction<'_>) -> Result<(), RustError> {
        let _ = tx;
        Err("this migration cannot be reverted".into())
    }

    /// Tells whether `down` undoes it.
    fn is_reversible(&self) -> bool {
        false
    }

    /// Stands for the code in the checksum: change it whenever the code changes its meaning.
    ///
    /// Compiled code has no bytes of its own to compare.
    fn fingerprint(&self) -> &str {
        ""
    }
}
