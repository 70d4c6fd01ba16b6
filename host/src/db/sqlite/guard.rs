//! Holds each statement of a guest against the rules: before it is prepared, after, and before it runs again.

use std::sync::Arc;

use rusqlite::Connection;

use super::authorizer::{self, Ticket};
use super::run::RunError;
use super::watch::Watch;
use super::{catalog, walks};
use crate::db::{DbError, ErrorCode};

/// Looks at the text of a statement that is about to be prepared or run; tells whether it needs no further look.
pub(super) fn before(watch: &Watch, connection: &Connection, sql: &str) -> Result<bool, RunError> {
    // The slice's own way to look for a byte is the fastest.
    if sql.as_bytes().contains(&0) {
        // SQLite would end there and never look at the rest.
        let at = sql.find('\0').unwrap_or_default();
        let mut error = DbError::new(ErrorCode::Syntax, "a statement may not hold a NUL character");
        error.offset = u32::try_from(at).ok();
        return Err(error.into());
    }
    let mut gate = watch.gate();
    gate.open();
    if gate.restriction.is_none() {
        return Ok(true);
    }
    if !gate.is_asked {
        return Err(DbError::new(ErrorCode::Database, "the database cannot be held to the rules").into());
    }
    if gate.schema.is_none() {
        drop(gate);
        know_schema(watch, connection)?;
        gate = watch.gate();
    }
    Ok(gate.begin(sql).map_err(|denied| authorizer::refusal(&denied))?)
}

/// Prepares a statement within the memory that is meant for that, unless it was prepared before.
pub(super) fn bounded<T>(watch: &Watch, sql: &str, is_known: bool, prepare: impl FnOnce() -> T) -> T {
    let bound = watch.preparing(sql, is_known);
    let prepared = prepare();
    drop(bound);
    prepared
}

/// Decides on the statement just prepared as a whole.
pub(super) fn after(watch: &Watch, connection: &Connection, sql: &str) -> Result<(), RunError> {
    if watch.gate().wants_orders() {
        let restriction = watch.gate().restriction.take();
        let walked = bounded(watch, sql, false, || walks::of(connection, sql));
        let mut gate = watch.gate();
        gate.restriction = restriction;
        gate.settle_orders(&walked?).map_err(|denied| authorizer::refusal(&denied))?;
    }
    Ok(watch.gate().settle(sql).map_err(|denied| authorizer::refusal(&denied))?)
}

/// Makes sure that a statement that was prepared earlier is still allowed, since the schema may have changed.
pub(super) fn again(watch: &Watch, connection: &Connection, sql: &str) -> Result<(), RunError> {
    if before(watch, connection, sql)? {
        return Ok(());
    }
    drop(bounded(watch, sql, false, || connection.prepare(sql))?);
    after(watch, connection, sql)
}

/// As [`again`]; a ticket spares the look at the text as long as nothing has changed.
pub(super) fn with_ticket(
    watch: &Watch,
    connection: &Connection,
    sql: &str,
    ticket: &mut Option<Ticket>,
) -> Result<(), RunError> {
    if ticket.as_ref().is_some_and(|ticket| watch.gate().admit(ticket)) {
        return Ok(());
    }
    again(watch, connection, sql)?;
    *ticket = watch.gate().ticket();
    Ok(())
}

/// Reads the schema if it is not known.
pub(super) fn know_schema(watch: &Watch, connection: &Connection) -> Result<(), RunError> {
    if watch.gate().schema.is_some() {
        return Ok(());
    }
    let restriction = watch.gate().restriction.take();
    let functions = watch.gate().foreign_functions.clone();
    let schema = catalog::read(connection, &functions);
    let mut gate = watch.gate();
    gate.restriction = restriction;
    gate.schema = Some(Arc::new(schema?));
    Ok(())
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
