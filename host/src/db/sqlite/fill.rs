//! Makes rows for a table of a live database, as its schema wants them and the same for the same seed.
//!
//! What a column may hold is partly known (type, NOT NULL, foreign keys, checks on one column) and partly tried: SQLite
//! itself has the last word on every row, and a row that it refuses is made anew.

mod live;
mod values;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use self::live::{Live, Parents};
use self::values::{Chance, Kind};
use crate::db::quote_identifier;
use crate::sql;

/// How often a row is made before it is given up.
const TRIES: u32 = 500;
/// How often a value is made before the row is tried with what there is.
const VALUE_TRIES: u32 = 200;
/// One of so many values is NULL where that is allowed.
const NULLS: u64 = 8;

/// Rows to be added to a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fill {
    /// The table.
    pub table: String,
    /// How many.
    pub rows: u64,
    /// What decides which.
    pub seed: u64,
}

/// Why a table was not filled; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// There is no such table.
    #[error("there is no table {table}{}", guess(nearest.as_deref()))]
    NoTable {
        /// Its name.
        table: String,
        /// A table that is called nearly so.
        nearest: Option<String>,
    },
    /// It is a view or a virtual table.
    #[error("{table} is a {what}, and only tables can be filled")]
    NotATable {
        /// Its name.
        table: String,
        /// `view` or `virtual table`.
        what: &'static str,
    },
    /// A column must refer to a row of a table that has none.
    #[error("table {table} cannot be filled: {columns} must refer to a row of {parent}, which has none")]
    NoParent {
        /// The table.
        table: String,
        /// The columns of the foreign key.
        columns: String,
        /// The table that has no rows.
        parent: String,
    },
    /// The database takes no such rows, or no more of them.
    #[error(
        "table {table} takes {taken} of {wanted} rows; the next one is refused {TRIES} times, the last time with: {reason}"
    )]
    Refused {
        /// The table.
        table: String,
        /// Rows it took; they are not kept.
        taken: u64,
        /// Rows that were wanted.
        wanted: u64,
        /// What the database said.
        reason: String,
    },
    /// The schema cannot be read, or something else is wrong with the database.
    #[error("table {table} cannot be filled")]
    Database {
        /// The table.
        table: String,
        /// What the database said.
        #[source]
        source: rusqlite::Error,
    },
}

fn guess(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; is {nearest} meant?")).unwrap_or_default()
}

/// Adds rows to a table, all of them or none. The same seed adds the same rows to the same database.
///
/// Values follow the declared type, NOT NULL and CHECK; foreign keys refer to rows that are there; what has to be
/// unique is made anew until it is. Generated columns and an `INTEGER PRIMARY KEY` are left to SQLite.
pub fn fill(connection: &Connection, table: &str, rows: u64, seed: u64) -> Result<(), FillError> {
    let failed = |source| FillError::Database { table: table.to_owned(), source };
    let live = Live::read(connection, table)?;
    connection.execute_batch("SAVEPOINT whimbrel_fill").map_err(failed)?;
    let filled = add(connection, &live, rows, seed);
    // A failed RELEASE is a deferred foreign key, and then there is something to undo.
    let filled = filled.and_then(|()| connection.execute_batch("RELEASE whimbrel_fill").map_err(failed));
    if filled.is_err() {
        let undone = connection.execute_batch("ROLLBACK TO whimbrel_fill; RELEASE whimbrel_fill");
        // A trigger may have rolled everything back already; then the savepoint is gone.
        if let Err(error) = undone {
            tracing::warn!("what was filled in is not undone by itself: {error}");
        }
    }
    filled
}

fn add(connection: &Connection, live: &Live, rows: u64, seed: u64) -> Result<(), FillError> {
    let failed = |source| FillError::Database { table: live.name.clone(), source };
    let mut parents = live.parents(connection).map_err(failed)?;
    let names: Vec<String> = live.columns.iter().map(|column| quote_identifier(&column.name)).collect();
    let sql = match names.as_slice() {
        [] => format!("INSERT OR ABORT INTO main.{} DEFAULT VALUES", quote_identifier(&live.name)),
        names => {
            let (table, places) = (quote_identifier(&live.name), vec!["?"; names.len()].join(", "));
            format!("INSERT OR ABORT INTO main.{table} ({}) VALUES ({places})", names.join(", "))
        }
    };
    let mut insert = connection.prepare(&sql).map_err(failed)?;
    let mut checks = live.checks(connection);
    let mut chance = Chance::new(seed);
    for taken in 0..rows {
        let mut tries = 0;
        loop {
            let row = make(live, &parents, &mut checks, &mut chance)?;
            let refusal = match insert.execute(params_from_iter(&row)) {
                Ok(0) => None,
                Ok(_) => break,
                Err(error) => Some(error),
            };
            tries += 1;
            let Some(error) = refusal else {
                if tries == TRIES {
                    let (table, reason) = (live.name.clone(), "a trigger leaves the rows out".to_owned());
                    return Err(FillError::Refused { table, taken, wanted: rows, reason });
                }
                continue;
            };
            if connection.is_autocommit() {
                // A trigger has rolled everything back, the savepoint too.
                return Err(failed(error));
            }
            let is_refusal = matches!(&error, rusqlite::Error::SqliteFailure(failure, _)
                if failure.code == rusqlite::ErrorCode::ConstraintViolation
                || failure.code == rusqlite::ErrorCode::TypeMismatch);
            if !is_refusal {
                return Err(failed(error));
            }
            if tries == TRIES {
                let (table, reason) = (live.name.clone(), error.to_string());
                return Err(FillError::Refused { table, taken, wanted: rows, reason });
            }
        }
        live.add_own(connection, &mut parents).map_err(failed)?;
    }
    Ok(())
}

type Checks<'c> = Vec<Vec<rusqlite::Statement<'c>>>;

/// Makes the values of one row.
fn make(
    live: &Live,
    parents: &[Parents],
    checks: &mut Checks<'_>,
    chance: &mut Chance,
) -> Result<Vec<Value>, FillError> {
    let mut row: Vec<Option<Value>> = vec![None; live.columns.len()];
    for parents in parents {
        let may_be_null = parents.columns.iter().any(|column| live.columns[*column].is_nullable());
        let chosen = match parents.rows.len() as u64 {
            0 if may_be_null => None,
            0 => {
                let columns: Vec<&str> =
                    parents.columns.iter().map(|column| live.columns[*column].name.as_str()).collect();
                let (columns, parent) = (columns.join(", "), parents.table.clone());
                return Err(FillError::NoParent { table: live.name.clone(), columns, parent });
            }
            _ if may_be_null && chance.below(NULLS) == 0 => None,
            count => Some(&parents.rows[usize::try_from(chance.below(count)).unwrap_or(0)]),
        };
        for (index, column) in parents.columns.iter().enumerate() {
            match chosen {
                // A column of two foreign keys keeps what the first one chose; SQLite says whether it fits both.
                Some(values) if row[*column].is_none() => row[*column] = Some(values[index].clone()),
                None if live.columns[*column].is_nullable() => row[*column] = Some(Value::Null),
                Some(_) | None => {}
            }
        }
    }
    let values = live.columns.iter().zip(checks).zip(row).map(|((column, checks), chosen)| {
        chosen.unwrap_or_else(|| {
            if column.is_nullable() && chance.below(NULLS) == 0 {
                return Value::Null;
            }
            let mut value = column.make(chance);
            for _ in 0..VALUE_TRIES {
                if checks.iter_mut().all(|check| holds(check, &value)) {
                    break;
                }
                value = column.make(chance);
            }
            value
        })
    });
    Ok(values.collect())
}

/// Tells whether a check on one column takes a value; what cannot be asked is left to the insert.
fn holds(check: &mut rusqlite::Statement<'_>, value: &Value) -> bool {
    // NULL is no violation.
    check.query_row([value], |row| row.get::<_, Option<f64>>(0)).ok().is_none_or(|answer| answer != Some(0.0))
}

/// Returns the table that is called nearly so.
fn nearest(table: &str, tables: &[String]) -> Option<String> {
    sql::nearest(table, tables.iter().map(String::as_str)).map(str::to_owned)
}

impl live::Column {
    fn make(&self, chance: &mut Chance) -> Value {
        if !self.words.is_empty() && chance.below(2) == 0 {
            let word = usize::try_from(chance.below(self.words.len() as u64)).unwrap_or(0);
            return self.words[word].clone();
        }
        values::make(self.kind, self.longest, &self.lengths, chance)
    }
}

#[cfg(test)]
mod tests;
