//! Runs a transform natively: on rows, or on a table of a test's database.

use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch};

use super::{Apply, BatchTransform, Columns, Failure, Transform, row_by_row};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::params;
use crate::testing::{Database, Value};
use crate::transaction::Transaction;

/// Rows that go through one call, as in the host.
const BATCH_ROWS: usize = 1024;

/// What the manifest's `[transform]` says, for tests.
///
/// ```
/// use whimbrel_guest::testing::Transforming;
/// use whimbrel_guest::{Result, RowIn, RowOut, Transform, params};
///
/// struct Shout;
///
/// impl Transform for Shout {
///     fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
///         out.set("loud", row.get::<&str>("text")?.to_uppercase())
///     }
/// }
///
/// let shout = Transforming::read(&["text"]).write(&["loud"]);
/// assert_eq!(shout.rows::<Shout>(&[params!["hello"]])?, [["HELLO"]]);
/// # Ok::<(), whimbrel_guest::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Transforming {
    columns: Columns,
    context: Context,
}

impl Transforming {
    /// Names the columns that are read.
    pub fn read(columns: &[&str]) -> Self {
        let mut context = Context { name: "test".into(), version: "1".into(), seed: 1, ..Context::default() };
        context.params = columns.iter().map(|name| ("whimbrel.read".to_owned(), (*name).to_owned())).collect();
        Self { columns: Columns::default(), context }.settled()
    }

    /// Names the columns that are written.
    #[must_use]
    pub fn write(mut self, columns: &[&str]) -> Self {
        self.columns.write = columns.iter().map(|name| (*name).to_owned()).collect();
        self.settled()
    }

    /// Names the table rows go into; without it they are updated in place.
    #[must_use]
    pub fn into_table(mut self, table: &str) -> Self {
        self.columns.into = Some(table.to_owned());
        self.settled()
    }

    /// Gives what the manifest would give under `[params]`.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.context.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Brings the columns into the one form in which a component gets them.
    fn settled(mut self) -> Self {
        let named = |name: &str, values: &[String]| -> Vec<(String, String)> {
            values.iter().map(|value| (name.to_owned(), value.clone())).collect()
        };
        let mut params = named("whimbrel.read", &self.columns.read);
        params.append(&mut named("whimbrel.write", &self.columns.write));
        params.append(&mut named("whimbrel.into", self.columns.into.as_slice()));
        params.append(&mut self.context.params);
        self.context.params = params;
        self.columns = Columns::of(&mut self.context);
        self
    }

    /// Runs a transform on rows and returns the rows that come out. An error begins with the row's number.
    pub fn rows<T: Transform>(&self, rows: &[&[Cell<'_>]]) -> Result<Vec<Vec<Value>>> {
        self.run_rows(row_by_row::<T>, rows)
    }

    /// Runs a transform of columns on rows.
    pub fn rows_of_batch<T: BatchTransform>(&self, rows: &[&[Cell<'_>]]) -> Result<Vec<Vec<Value>>> {
        self.run_rows(T::transform, rows)
    }

    /// Runs a transform on all rows of a table with the key `key`, and writes what comes out.
    pub fn table<T: Transform>(&self, database: &mut Database, table: &str, key: &str) -> Result<()> {
        self.run_table(row_by_row::<T>, database, table, key)
    }

    /// Runs a transform of columns on all rows of a table, and writes what comes out.
    pub fn table_by_batch<T: BatchTransform>(&self, database: &mut Database, table: &str, key: &str) -> Result<()> {
        self.run_table(T::transform, database, table, key)
    }

    fn run_rows(&self, apply: Apply, rows: &[&[Cell<'_>]]) -> Result<Vec<Vec<Value>>> {
        let mut builder = BatchBuilder::new(self.columns.read.len());
        for row in rows {
            for (column, cell) in row.iter().enumerate() {
                builder.push(column, *cell)?;
            }
        }
        let (out, _) = self.apply(apply, &builder.finish().check()?)?;
        let shift = usize::from(self.columns.into.is_some());
        let row = |row: usize| out.columns()[shift..].iter().map(|column| Value::from(column.cell(row))).collect();
        Ok((0..out.rows()).map(row).collect())
    }

    /// Returns what comes out, and the number of the row that each row comes from.
    fn apply(&self, apply: Apply, batch: &CheckedBatch) -> Result<(CheckedBatch, Vec<usize>)> {
        let mut out = BatchBuilder::new(self.columns.width());
        apply(batch, &self.columns, &self.context, &mut out).map_err(|Failure { row, error }| match row {
            Some(row) => error.context(format_args!("row {row}")),
            None => error,
        })?;
        if !out.is_even() {
            return Err(Error::msg("the columns that came out have different numbers of cells"));
        }
        let out = out.finish().check()?;
        if self.columns.into.is_none() {
            if out.rows() != batch.rows() {
                return Err(Error::msg(format_args!("{} rows went in and {} came out", batch.rows(), out.rows())));
            }
            return Ok((out, (0..batch.rows()).collect()));
        }
        let mut from = Vec::with_capacity(out.rows());
        for row in 0..out.rows() {
            match out.cell(row, 0) {
                Cell::Integer(number) if (0..batch.rows() as i64).contains(&number) => from.push(number as usize),
                other => return Err(Error::msg(format_args!("row {row} comes from {other:?}, which is no row"))),
            }
        }
        if !from.is_sorted() {
            return Err(Error::msg("the rows that came out are not in the order of those they come from"));
        }
        Ok((out, from))
    }

    fn run_table(&self, apply: Apply, database: &mut Database, table: &str, key: &str) -> Result<()> {
        database.run_with(|tx, _| self.write_table(tx, apply, table, key))
    }

    fn write_table(&self, tx: &Transaction, apply: Apply, table: &str, key: &str) -> Result<()> {
        let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let read: Vec<String> = self.columns.read.iter().map(|name| quote(name)).collect();
        let write: Vec<String> = self.columns.write.iter().map(|name| quote(name)).collect();
        let places = vec!["?"; write.len()].join(", ");
        let sql = match &self.columns.into {
            None => {
                format!("UPDATE {} SET ({}) = ({places}) WHERE {} = ?", quote(table), write.join(", "), quote(key))
            }
            Some(into) => format!("INSERT INTO {} ({}) VALUES ({places})", quote(into), write.join(", ")),
        };
        let shift = usize::from(self.columns.into.is_some());
        let select = format!("SELECT {}, {} FROM {} ORDER BY 1", quote(key), read.join(", "), quote(table));
        let rows: Vec<crate::Row> = tx.query(&select, params![])?.into_iter().collect::<Result<_>>()?;
        let statement = tx.prepare(&sql)?;
        let mut writer = statement.writer();
        for rows in rows.chunks(BATCH_ROWS) {
            let mut builder = BatchBuilder::new(self.columns.read.len());
            for row in rows {
                for (column, cell) in row.cells().skip(1).enumerate() {
                    builder.push(column, cell)?;
                }
            }
            let (out, from) = self.apply(apply, &builder.finish().check()?)?;
            for (row, from) in from.into_iter().enumerate() {
                let mut cells: Vec<Cell<'_>> = out.columns()[shift..].iter().map(|column| column.cell(row)).collect();
                if shift == 0 {
                    cells.extend(rows[from].cells().next());
                }
                writer.row(&cells)?;
            }
        }
        writer.finish().map(drop)
    }
}
