//! What marks the contract's handles; a handle's number is the session's own.

#![allow(unreachable_pub, reason = "the generated bindings re-export these")]

/// Marks handles on the open transaction; the number says nothing.
pub struct TransactionHandle;
/// Marks handles on cursors; the number is the session's.
pub struct CursorHandle;
/// Marks handles on prepared statements; the number is the session's.
pub struct StatementHandle;
/// Marks handles on savepoints; the number is the session's.
pub struct SavepointHandle;
