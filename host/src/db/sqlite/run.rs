//! Runs one statement: binds, steps, drains, counts.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};
use whimbrel_packed::{BatchBuilder, Cell, RawCell};

use super::meter::Meter;
use super::raw_statement::RawStatement;
use crate::db::{DbError, ErrorCode, Row, Value};
use crate::limits::LimitReached;

/// What one execution did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    /// Rows the statement itself changed.
    pub(super) changed: u64,
}

/// Why one execution failed.
pub(super) enum RunError {
    Sqlite(rusqlite::Error),
    Db(DbError),
    /// One of the host's own limits.
    Limit(LimitReached),
    /// In a batch, with the row, and how many rows were changed before it.
    Row {
        row: u32,
        changed: u64,
        error: rusqlite::Error,
    },
}

impl From<DbError> for RunError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<rusqlite::Error> for RunError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Runs a statement whose parameters are bound to its end, throwing away rows it returns.
pub(super) fn to_end(connection: &Connection, statement: &mut Statement<'_>, meter: &Meter) -> rusqlite::Result<Done> {
    meter.start();
    let done = once(connection, statement);
    meter.charge(statement);
    done
}

fn once(connection: &Connection, statement: &mut Statement<'_>) -> rusqlite::Result<Done> {
    let before = connection.total_changes();
    if statement.column_count() == 0 {
        statement.raw_execute()?;
    } else {
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
    }
    // `changes()` keeps the count of an earlier statement when this one changes nothing, as DDL does.
    let changed = if connection.total_changes() == before { 0 } else { connection.changes() };
    Ok(Done { changed })
}

/// Binds a list of values, one for each parameter.
pub(super) fn bind(statement: &mut Statement<'_>, params: &[Value]) -> Result<(), RunError> {
    expect(statement.parameter_count(), params.len())?;
    for (index, value) in params.iter().enumerate() {
        let value = match value {
            Value::Null => ValueRef::Null,
            Value::Boolean(value) => ValueRef::Integer(i64::from(*value)),
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
        };
        statement.raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(value))?;
    }
    Ok(())
}

/// Binds a list of values, one for each parameter, to a statement that goes on after this call.
pub(super) fn bind_copies(statement: &mut RawStatement<'_>, params: &[Value]) -> Result<(), RunError> {
    expect(statement.parameters(), params.len())?;
    for (index, value) in params.iter().enumerate() {
        statement.bind_copy(index, value.raw())?;
    }
    Ok(())
}

/// Appends the rows of a started query until the bounds are met; `false` when it has ended.
///
/// `max_bytes` is met before the next row; `most_bytes` refuses what a single row must not go beyond. The statement
/// stays between two rows, so that a later call goes on where this one stopped.
pub(super) fn fetch(
    statement: &mut RawStatement<'_>,
    max_rows: usize,
    max_bytes: usize,
    most_bytes: &dyn Fn(usize) -> Result<(), LimitReached>,
    meter: &Meter,
    out: &mut BatchBuilder,
) -> Result<bool, RunError> {
    meter.start();
    let more = next_rows(statement, max_rows, max_bytes, most_bytes, out);
    meter.charge_counted(statement.take_operations());
    more
}

fn next_rows(
    statement: &mut RawStatement<'_>,
    max_rows: usize,
    max_bytes: usize,
    most_bytes: &dyn Fn(usize) -> Result<(), LimitReached>,
    out: &mut BatchBuilder,
) -> Result<bool, RunError> {
    let columns = out.columns();
    loop {
        if out.rows() >= max_rows || out.bytes() >= max_bytes {
            return Ok(true);
        }
        if !statement.step()? {
            return Ok(false);
        }
        if statement.columns() != columns {
            // SQLite has prepared it anew.
            let message = "the columns of the query have changed since it was opened; open it again";
            return Err(RunError::Db(DbError::new(ErrorCode::Database, message)));
        }
        for column in 0..columns {
            let pushed = match statement.cell(column)? {
                RawCell::Null => {
                    out.push_null(column);
                    Ok(())
                }
                RawCell::Boolean(value) => {
                    out.push_boolean(column, value);
                    Ok(())
                }
                RawCell::Integer(value) => {
                    out.push_integer(column, value);
                    Ok(())
                }
                RawCell::Real(value) => {
                    out.push_real(column, value);
                    Ok(())
                }
                RawCell::Text(bytes) => match str::from_utf8(large(out, bytes, most_bytes)?) {
                    Ok(text) => out.push_text(column, text),
                    Err(_) => return Err(RunError::Db(not_utf8(statement, column))),
                },
                RawCell::Blob(bytes) => out.push_blob(column, large(out, bytes, most_bytes)?),
            };
            if let Err(full) = pushed {
                return Err(RunError::Db(DbError::new(ErrorCode::Limit, full.to_string())));
            }
        }
    }
}

/// Shows the rows of a started query, until one is refused for the reason that is returned inside.
pub(super) fn see(
    statement: &mut RawStatement<'_>,
    meter: &Meter,
    see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
) -> Result<Result<(), DbError>, RunError> {
    meter.start();
    let seen = see_rows(statement, see);
    meter.charge_counted(statement.take_operations());
    seen
}

fn see_rows(
    statement: &mut RawStatement<'_>,
    see: &mut dyn FnMut(&dyn Row) -> Result<(), DbError>,
) -> Result<Result<(), DbError>, RunError> {
    while statement.step()? {
        if let Err(refused) = see(&Current { statement, columns: statement.columns() }) {
            return Ok(Err(refused));
        }
    }
    Ok(Ok(()))
}

/// The row at which a query stands.
struct Current<'r, 's> {
    statement: &'r RawStatement<'s>,
    columns: usize,
}

impl Row for Current<'_, '_> {
    fn columns(&self) -> usize {
        self.columns
    }

    fn cell(&self, column: usize) -> Result<Cell<'_>, DbError> {
        let failed = |error: rusqlite::Error| DbError::new(ErrorCode::Database, error.to_string());
        if column >= self.columns {
            return Err(failed(rusqlite::Error::InvalidColumnIndex(column)));
        }
        Ok(match self.statement.cell(column).map_err(failed)? {
            RawCell::Null => Cell::Null,
            RawCell::Boolean(value) => Cell::Boolean(value),
            RawCell::Integer(value) => Cell::Integer(value),
            RawCell::Real(value) => Cell::Real(value),
            RawCell::Text(bytes) => Cell::Text(str::from_utf8(bytes).map_err(|_| not_utf8(self.statement, column))?),
            RawCell::Blob(bytes) => Cell::Blob(bytes),
        })
    }
}

/// Refuses a cell for which there is no room.
pub(super) fn room_for(
    out: &BatchBuilder,
    cell: Cell<'_>,
    most_bytes: &dyn Fn(usize) -> Result<(), LimitReached>,
) -> Result<(), RunError> {
    match cell {
        Cell::Text(text) => large(out, text.as_bytes(), most_bytes).map(drop),
        Cell::Blob(bytes) => large(out, bytes, most_bytes).map(drop),
        Cell::Null | Cell::Boolean(_) | Cell::Integer(_) | Cell::Real(_) => Ok(()),
    }
}

/// Refuses bytes for which there is no room.
fn large<'b>(
    out: &BatchBuilder,
    bytes: &'b [u8],
    most_bytes: &dyn Fn(usize) -> Result<(), LimitReached>,
) -> Result<&'b [u8], RunError> {
    // Small ones are bounded by the rows there may be.
    if bytes.len() > 4096 {
        most_bytes(out.bytes().saturating_add(bytes.len())).map_err(RunError::Limit)?;
    }
    Ok(bytes)
}

fn not_utf8(statement: &RawStatement<'_>, column: usize) -> DbError {
    let (name, table) = (statement.name(column), statement.table(column));
    let of = table.map(|table| format!(" of table {table}")).unwrap_or_default();
    DbError::new(
        ErrorCode::Value,
        format!("column {name}{of} holds text that is not valid UTF-8; read it as CAST({name} AS BLOB)"),
    )
}

/// Makes sure that there is a value for each parameter.
pub(super) fn expect(wanted: usize, given: usize) -> Result<(), RunError> {
    if wanted == given {
        return Ok(());
    }
    Err(RunError::Db(DbError::new(
        ErrorCode::Parameter,
        format!("the statement has {wanted} parameters, but {given} values were given"),
    )))
}
