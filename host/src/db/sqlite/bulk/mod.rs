//! Runs a statement for all rows of a batch at once, where that does the same as to run it for each of them.
//!
//! To update a row costs a third less that way, to add one a little less: SQLite begins and ends one statement a batch,
//! and walks through the table instead of looking for each row from its root. Nothing that can be seen from outside may
//! depend on it, but how many operations it takes. So:
//!
//! - Only `INSERT INTO t (…) VALUES (?, …)` and `UPDATE t SET a = ?, … WHERE key = ?` are run so, on tables without
//!   triggers and foreign keys. The one could see the rows of a batch in another order, the others could be broken by
//!   one row and mended by the next.
//! - An update is run so where the keys rise and most rows between the first and the last are among them.
//! - Where an index is written, pages of it are met in any order, and SQLite would keep a copy of each for the whole
//!   batch in case the last row of it fails. That costs more than is gained, so such rows are written one by one.
//! - Where a row cannot be written, the batch is undone, and written row by row to find out which one it is.
//! - The last row is written by the statement itself, so that `changes()` says what it says after single rows.

mod form;
mod rows;
mod source;
#[cfg(test)]
mod tests;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use self::form::{Form, Kind};
pub(super) use self::rows::Source;
pub(super) use self::source::unregister;
use super::raw_statement::RawStatement;
use super::watch::Watch;

/// Fewer rows are not worth it.
const FEW: usize = 16;
/// How many rows of the table there may be for each row of the batch, to walk through them.
const SPARSE: u64 = 2;

/// Whether a statement can be run for many rows at once.
#[derive(Default)]
pub(super) enum Bulk<'connection> {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// It cannot.
    No,
    /// It can, as long as the schema stays as it is.
    Ready(Box<Ready<'connection>>),
}

/// A statement for many rows.
pub(super) struct Ready<'connection> {
    form: Form,
    statement: RawStatement<'connection>,
    /// The versions of the schemas for which it is.
    schema: [i64; 2],
}

/// What became of rows that were to be written at once.
pub(super) enum Attempt<'b> {
    /// Nothing: write them one by one.
    Declined,
    /// So many were written; this last row is still to come.
    Written(u64, Source<'b>),
}

impl<'connection> Bulk<'connection> {
    /// Writes all rows but the last one at once, if that can be done. An error says that nothing more can be written.
    ///
    /// `registered` tells whether the connection has what SQLite calls for that, and is set.
    pub(super) fn attempt<'b>(
        &mut self,
        watch: &Watch,
        connection: &'connection Connection,
        registered: &mut bool,
        sql: &str,
        source: &Source<'b>,
    ) -> rusqlite::Result<Attempt<'b>> {
        // Outside a transaction every row is kept as soon as it is written.
        if source.len() < FEW || matches!(self, Self::No) || connection.is_autocommit() {
            return Ok(Attempt::Declined);
        }
        let Some((rest, last)) = source.split_last() else { return Ok(Attempt::Declined) };
        let restriction = watch.gate().restriction.take();
        let written = self.write(watch, connection, registered, sql, &rest);
        watch.gate().restriction = restriction;
        Ok(written?.map_or(Attempt::Declined, |written| Attempt::Written(written, last)))
    }

    fn write(
        &mut self,
        watch: &Watch,
        connection: &'connection Connection,
        registered: &mut bool,
        sql: &str,
        rows: &Source<'_>,
    ) -> rusqlite::Result<Option<u64>> {
        // Whatever stands against it, such as limits, it can still be tried row by row.
        let Ok(schema) = schema_versions(connection) else { return Ok(None) };
        if !matches!(self, Self::Ready(ready) if ready.schema == schema) {
            *self = prepare(connection, registered, sql, schema).unwrap_or(Self::No);
        }
        let Self::Ready(ready) = self else { return Ok(None) };
        if rows.width() != ready.form.parameters {
            return Ok(None);
        }
        let keys = match ready.form.kind {
            Kind::Insert => None,
            Kind::Update { .. } => match rows.rising_keys() {
                Some((first, last)) if last.abs_diff(first) < SPARSE * rows.len() as u64 => Some((first, last)),
                _ => return Ok(None),
            },
        };
        // An update that is done once more does the same; rows that were added must go first.
        let savepoint = |sql: &str| connection.prepare_cached(sql)?.raw_execute().map(drop);
        if keys.is_none() {
            savepoint("SAVEPOINT whimbrel_bulk")?;
        }
        let counted = watch.counted();
        watch.meter.start();
        let written = source::run(&mut ready.statement, rows, keys);
        watch.meter.charge_counted(ready.statement.take_operations());
        match written {
            Ok(written) => {
                if keys.is_none() {
                    savepoint("RELEASE whimbrel_bulk")?;
                }
                Ok(Some(written))
            }
            Err(error) if may_be_mended(&error) && !connection.is_autocommit() => {
                if keys.is_none() {
                    savepoint("ROLLBACK TO whimbrel_bulk")?;
                    savepoint("RELEASE whimbrel_bulk")?;
                }
                watch.count_again_from(counted);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Tells whether writing row by row will say more, or needs less: what SQLite keeps to undo a statement of many rows
/// goes into a temporary file, for which there may be no room.
fn may_be_mended(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, ConstraintViolation, DiskFull, SystemIoFailure, TooBig, TypeMismatch, Unknown};
    error.sqlite_error_code().is_some_and(|code| match code {
        ConstraintViolation | TooBig | TypeMismatch | DiskFull | SystemIoFailure | CannotOpen => true,
        // SQLite's own for whatever a function says.
        Unknown => true,
        _ => false,
    })
}

fn schema_versions(connection: &Connection) -> rusqlite::Result<[i64; 2]> {
    let version = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
    Ok([version("PRAGMA main.schema_version")?, version("PRAGMA temp.schema_version")?])
}

fn prepare<'c>(
    connection: &'c Connection,
    registered: &mut bool,
    sql: &str,
    schema: [i64; 2],
) -> rusqlite::Result<Bulk<'c>> {
    let Some(form) = Form::of(sql) else { return Ok(Bulk::No) };
    if !is_allowed(connection, &form)? {
        return Ok(Bulk::No);
    }
    if !*registered {
        source::register(connection)?;
        *registered = true;
    }
    let statement = RawStatement::prepare(connection, &form.sql)?;
    Ok(Bulk::Ready(Box::new(Ready { form, statement, schema })))
}

/// Whether its key is the table itself, and not an index beside it, of an ordinary table, which the temporary database does not hide, in which no row ends the transaction by ON CONFLICT
/// ROLLBACK, and whose definition asks neither for chance nor for how many rows were changed before.
const ORDINARY: &str = "
    SELECT EXISTS (SELECT 1 FROM pragma_index_list(o.name, 'main') AS list WHERE list.origin = 'pk'
            AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema AS i WHERE i.type = 'index' AND i.name = list.name))
        FROM main.sqlite_schema AS o WHERE o.type = 'table' AND o.rootpage > 0 AND o.name = ?1 COLLATE NOCASE
        AND NOT EXISTS (SELECT 1 FROM temp.sqlite_schema AS t
            WHERE t.name = ?1 COLLATE NOCASE OR t.tbl_name = ?1 COLLATE NOCASE)
        AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema AS m
            WHERE m.type = 'table' AND m.name = ?1 COLLATE NOCASE
                AND (m.sql LIKE '%ROLLBACK%' OR m.sql LIKE '%changes%' OR m.sql LIKE '%random%'))";
/// Triggers of a table.
const TRIGGERS: &str = "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE";
/// Foreign keys of a table.
const FOREIGN_KEYS: &str = "SELECT 1 FROM pragma_foreign_key_list(?1, 'main')";
/// Foreign keys to a table.
const REFERENCES: &str = "
    SELECT 1 FROM main.sqlite_schema AS child, pragma_foreign_key_list(child.name, 'main') AS reference
    WHERE child.type = 'table' AND child.sql LIKE '%REFERENCES%' AND reference.\"table\" = ?1 COLLATE NOCASE";
/// The columns of a table's primary key.
const KEY: &str = "SELECT name, type FROM pragma_table_info(?1, 'main') WHERE pk > 0";
/// Indexes of a table.
const INDEXES: &str = "SELECT 1 FROM pragma_index_list(?1, 'main')";
/// Indexes of a table that a column is in, or might be: on expressions, or on some rows only.
const INDEXED: &str = "
    SELECT 1 FROM pragma_index_list(?1, 'main') AS list, pragma_index_xinfo(list.name, 'main') AS part
    WHERE list.partial OR part.cid = -2 OR part.name = ?2 COLLATE NOCASE";
/// An index of a table that stands for its primary key: then that is no other name for the rowid.
const KEY_INDEX: &str = "SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'";
/// Generated columns of a table, which change with others.
const GENERATED: &str = "SELECT 1 FROM pragma_table_xinfo(?1, 'main') WHERE hidden IN (2, 3)";
/// Whether a table has a column.
const COLUMN: &str = "SELECT 1 FROM pragma_table_xinfo(?1, 'main') WHERE name = ?2 COLLATE NOCASE";

/// Tells whether it is all the same to the table.
fn is_allowed(connection: &Connection, form: &Form) -> rusqlite::Result<bool> {
    let table = form.table.as_str();
    let finds = |sql: &str| connection.prepare(sql)?.exists([table]);
    let without_rowid: Option<bool> = connection.query_row(ORDINARY, [table], |row| row.get(0)).optional()?;
    let Some(without_rowid) = without_rowid else { return Ok(false) };
    if finds(TRIGGERS)? || finds(FOREIGN_KEYS)? {
        return Ok(false);
    }
    let Kind::Update { key, written } = &form.kind else { return Ok(!without_rowid && !finds(INDEXES)?) };
    if without_rowid || finds(REFERENCES)? || finds(KEY_INDEX)? || finds(GENERATED)? && finds(INDEXES)? {
        return Ok(false);
    }
    let mut indexed = connection.prepare(INDEXED)?;
    for column in written {
        if indexed.exists([table, column.as_str()])? {
            return Ok(false);
        }
    }
    let keys: Vec<(String, String)> = connection
        .prepare(KEY)?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let own = match keys.as_slice() {
        [(name, kind)] if kind.eq_ignore_ascii_case("INTEGER") => Some(name.as_str()),
        _ => None,
    };
    let is_rowid = ["rowid", "oid", "_rowid_"].iter().any(|name| key.eq_ignore_ascii_case(name))
        && !connection.prepare(COLUMN)?.exists([table, key.as_str()])?;
    let moves = |column: &String| {
        [own.unwrap_or("rowid"), "rowid", "oid", "_rowid_"].iter().any(|name| column.eq_ignore_ascii_case(name))
    };
    let by_own = own.is_some_and(|own| own.eq_ignore_ascii_case(key));
    Ok((by_own || is_rowid) && !written.iter().any(moves))
}
