//! How a migration becomes the export of a component.

use std::cell::RefCell;

use crate::context::Context;
use crate::error::Result;
use crate::transaction::Transaction;

/// A code migration.
pub trait Migration {
    /// Does the work. An error undoes the step and stops the run; its text is shown to the operator.
    fn up(tx: &Transaction, ctx: &Context) -> Result<()>;
}

/// A code migration that can be reverted.
pub trait Reversible: Migration {
    /// Undoes the work.
    fn down(tx: &Transaction, ctx: &Context) -> Result<()>;
}

/// A migration, or a transform, that says itself whether it did what it should.
///
/// The host asks after `up`, or after the last row of a transform, inside the transaction of the step, and again when an
/// operator runs `whimbrel verify --deep`. An error undoes the step.
///
/// ```
/// use whimbrel_guest::{Context, Migration, Result, Transaction, Verified, ensure, params};
///
/// struct SplitNames;
///
/// impl Migration for SplitNames {
///     fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
///         // …
/// #       tx.execute("UPDATE customer SET first_name = full_name", params![]).map(drop)
///     }
/// }
///
/// impl Verified for SplitNames {
///     fn verify(tx: &Transaction, _ctx: &Context) -> Result<()> {
///         let left: i64 = tx.query_value("SELECT count(*) FROM customer WHERE first_name IS NULL", params![])?;
///         ensure!(left == 0, "{left} customers have no first name");
///         Ok(())
///     }
/// }
///
/// whimbrel_guest::export!(SplitNames);
/// whimbrel_guest::export_verify!(SplitNames);
/// # fn main() {}
/// ```
///
/// With the feature `testing`, `Database::verify` calls it in a test.
pub trait Verified {
    /// Looks whether the work is as it should be. The transaction only reads here: what would change anything is denied.
    fn verify(tx: &Transaction, ctx: &Context) -> Result<()>;
}

/// One direction of a migration, or its check.
#[cfg(target_family = "wasm")]
pub(crate) type Work = fn(&Transaction, &Context) -> Result<()>;

thread_local! {
    /// What went wrong where no result could be returned.
    static COMPLAINT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes the running call fail although it returns `Ok`.
pub(crate) fn complain(message: String) {
    COMPLAINT.with_borrow_mut(|complaint| {
        complaint.get_or_insert(message);
    });
}

/// Runs one direction of a migration, or its check.
#[cfg(any(target_family = "wasm", feature = "testing"))]
pub(crate) fn run(
    work: impl FnOnce(&Transaction, &Context) -> Result<()>,
    tx: &Transaction,
    ctx: &Context,
) -> Result<()> {
    use crate::error::Error;

    COMPLAINT.take();
    work(tx, ctx)?;
    match COMPLAINT.take() {
        None => Ok(()),
        Some(complaint) => Err(Error::from(complaint)),
    }
}

/// Makes a component of a [`Migration`]: the one line of registration.
///
/// A component holds one migration. For one that can be reverted use [`export_reversible!`](crate::export_reversible).
#[macro_export]
macro_rules! export {
    ($migration:ident) => {
        const _: () = {
            const fn is_migration<T: $crate::Migration>() {}
            is_migration::<$migration>();
        };
        #[cfg(target_family = "wasm")]
        $crate::bindings::migration::export!($migration with_types_in $crate::bindings::migration);
    };
}

/// Makes a component of a [`Reversible`] migration: the one line of registration.
#[macro_export]
macro_rules! export_reversible {
    ($migration:ident) => {
        const _: () = {
            const fn is_reversible<T: $crate::Reversible>() {}
            is_reversible::<$migration>();
        };
        #[cfg(target_family = "wasm")]
        $crate::bindings::reversible::export!($migration with_types_in $crate::bindings::reversible);
    };
}

/// Adds `verify` to the component of a migration or a transform that is [`Verified`]: a line beside
/// [`export!`](crate::export), [`export_reversible!`](crate::export_reversible) or
/// [`export_transform!`](crate::export_transform).
#[macro_export]
macro_rules! export_verify {
    ($migration:ident) => {
        const _: () = {
            const fn is_verified<T: $crate::Verified>() {}
            is_verified::<$migration>();
        };
        #[cfg(target_family = "wasm")]
        $crate::bindings::verified::export!($migration with_types_in $crate::bindings::verified);
    };
}

/// Returns an error with these words unless a condition holds.
///
/// ```
/// # use whimbrel_guest::{Result, ensure};
/// fn check(left: i64) -> Result<()> {
///     ensure!(left == 0, "{left} customers have no name");
///     Ok(())
/// }
/// assert_eq!(check(3).unwrap_err().to_string(), "3 customers have no name");
/// # check(0).unwrap();
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Error::msg(::std::format!($($words)+)));
        }
    };
}
