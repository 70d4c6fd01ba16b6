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

/// One direction of a migration.
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

/// Runs one direction of a migration.
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
