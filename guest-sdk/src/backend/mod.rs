//! The seam to whoever runs the SQL: the host, across the sandbox boundary, or a native SQLite in tests.
//!
//! Both sides have the same types with the same methods.

#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{Cursor, Savepoint, Statement, Transaction, log, progress};

#[cfg(all(not(target_family = "wasm"), feature = "testing"))]
pub(crate) mod native;
#[cfg(all(not(target_family = "wasm"), feature = "testing"))]
pub(crate) use native::{Cursor, Savepoint, Statement, Transaction, log, progress};

#[cfg(all(not(target_family = "wasm"), not(feature = "testing")))]
mod absent;
#[cfg(all(not(target_family = "wasm"), not(feature = "testing")))]
pub(crate) use absent::{Cursor, Savepoint, Statement, Transaction, log, progress};
