//! Prepared statements, and writing many rows with them.

use whimbrel_packed::{BatchBuilder, Cell};

use crate::backend;
use crate::error::{Error, Result};
use crate::export;
use crate::row::Rows;

/// A prepared statement.
pub struct Statement {
    raw: backend::Statement,
}

impl Statement {
    pub(crate) fn new(raw: backend::Statement) -> Self {
        Self { raw }
    }

    /// Runs it once and returns the number of rows it changed. For many rows, [`writer`](Self::writer) is faster.
    pub fn execute(&self, params: &[Cell<'_>]) -> Result<u64> {
        Ok(self.raw.execute(params)?)
    }

    /// Runs it as a query.
    pub fn query(&self, params: &[Cell<'_>]) -> Result<Rows> {
        Ok(Rows::new(self.raw.query(params)?))
    }

    /// Runs it once for every row that was built and returns the number of rows changed.
    ///
    /// All rows are kept, or none, and then the error names the row. Afterwards the builder is empty.
    pub fn execute_batch(&self, builder: &mut BatchBuilder) -> Result<u64> {
        if !builder.is_even() {
            return Err(Error::msg("the columns of the batch have different numbers of cells"));
        }
        let batch = builder.finish();
        let changed = self.raw.execute_batch(&batch);
        builder.recycle(batch);
        Ok(changed?)
    }

    /// Collects rows of parameters and sends them about a thousand at a time.
    ///
    /// ```no_run
    /// # use whimbrel_guest::{params, Result, Transaction};
    /// # fn fill(tx: &Transaction) -> Result<()> {
    /// let insert = tx.prepare("INSERT INTO square (side, area) VALUES (?, ?)")?;
    /// let mut writer = insert.writer();
    /// for side in 1..=10_000 {
    ///     writer.row(params![side, side * side])?;
    /// }
    /// writer.finish()?;
    /// # Ok(()) }
    /// ```
    pub fn writer(&self) -> Writer<'_> {
        Writer { statement: self, builder: BatchBuilder::new(0), sent: 0, changed: 0 }
    }
}

/// Collects rows for a prepared statement; made by [`Statement::writer`].
///
/// End it with [`finish`](Self::finish). Rows that were never sent make the migration fail, so none is lost unseen.
#[must_use = "rows are only sent for sure by `finish`"]
pub struct Writer<'s> {
    statement: &'s Statement,
    builder: BatchBuilder,
    sent: u32,
    changed: u64,
}

impl Writer<'_> {
    /// Rows that are sent at once.
    pub const ROWS: usize = 1024;
    /// Bytes after which fewer rows are sent.
    pub const BYTES: usize = 1 << 20;

    /// Adds the parameters of one run.
    #[inline]
    pub fn row(&mut self, params: &[Cell<'_>]) -> Result<()> {
        if self.builder.columns() != params.len() {
            self.start(params.len())?;
        }
        for (column, cell) in params.iter().enumerate() {
            self.builder.push(column, *cell)?;
        }
        if self.builder.rows() >= Self::ROWS || self.builder.bytes() >= Self::BYTES || params.is_empty() {
            self.flush()?;
        }
        Ok(())
    }

    /// Settles the number of columns with the first row.
    #[cold]
    fn start(&mut self, columns: usize) -> Result<()> {
        if self.builder.columns() != 0 {
            let expected = self.builder.columns();
            return Err(Error::msg(format_args!("the first row had {expected} parameters, this one has {columns}")));
        }
        self.builder = BatchBuilder::with_capacity(columns, Self::ROWS);
        Ok(())
    }

    /// Sends what was collected. The row in an error counts from the writer's first row.
    pub fn flush(&mut self) -> Result<()> {
        let rows = self.builder.rows() as u32;
        if rows == 0 {
            return Ok(());
        }
        match self.statement.execute_batch(&mut self.builder) {
            Ok(changed) => {
                self.changed += changed;
                self.sent = self.sent.saturating_add(rows);
                Ok(())
            }
            Err(Error::Sql(mut error)) => {
                error.row = error.row.map(|row| row.saturating_add(self.sent));
                Err(Error::Sql(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Sends the rest and returns the number of rows changed in all.
    pub fn finish(mut self) -> Result<u64> {
        self.flush()?;
        Ok(self.changed)
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let rows = self.builder.rows();
        if rows > 0 {
            export::complain(format!("a writer was dropped with {rows} rows that were never sent: call `finish`"));
        }
    }
}
