//! The rows of one `executeMany`: many of them are written at once, and all of them or none.

use std::rc::Rc;

use whimbrel_packed::BatchBuilder;

use crate::bindings::whimbrel::migration::sql::Statement;
use crate::failure::{Kind, fail, fail_sql};
use crate::js::{Js, Result};
use crate::savepoints;
use crate::values;

/// Rows and bytes of a batch that is written.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;
/// No database takes more parameters. A row may say that it has any number: an array's length is only a property.
const PARAMETERS: usize = 1 << 16;

/// Rows on their way into one statement.
pub(crate) struct Rows {
    statement: Rc<Statement>,
    /// Those that wait.
    builder: BatchBuilder,
    /// Rows written before.
    written: u64,
    changed: u64,
    /// What a failure is undone to; none as long as nothing was written.
    savepoint: Option<u32>,
}

impl Rows {
    /// Begins with no rows.
    pub(crate) fn new(statement: Rc<Statement>) -> Self {
        Self { statement, builder: BatchBuilder::default(), written: 0, changed: 0, savepoint: None }
    }

    /// Opens the savepoint before anything is written: where the rows come from a script's own code, what that does on
    /// the way is undone with them.
    pub(crate) fn begin(&mut self) -> Result<()> {
        if self.savepoint.is_none() {
            self.savepoint = Some(savepoints::open()?);
        }
        Ok(())
    }

    /// Adds a row of parameters.
    pub(crate) fn push(&mut self, row: &Js) -> Result<()> {
        let number = self.written + self.builder.rows() as u64;
        let count = match row.count() {
            Some(count) => count as usize,
            None if row.is_array() => row.length()? as usize,
            None => return Err(fail(Kind::Type, &format!("row {number} of executeMany is no array of parameters"))),
        };
        if count >= PARAMETERS {
            let message = format!("row {number} of executeMany has {count} parameters, more than any statement takes");
            return Err(fail(Kind::Range, &message));
        }
        if self.builder.columns() == 0 {
            let rows = BATCH_BYTES / (size_of::<u64>() * count.max(1));
            self.builder = BatchBuilder::with_capacity(count, rows.clamp(1, BATCH_ROWS));
        }
        if self.builder.columns() != count || count == 0 {
            let columns = self.builder.columns();
            let message =
                format!("row {number} of executeMany has {count} parameters, and the one before has {columns}");
            return Err(fail(Kind::Type, &message));
        }
        for column in 0..count {
            let place = || format!("parameter {} of row {number}", column + 1);
            values::push(&mut self.builder, column, &row.at(column as u32)?, &place)?;
        }
        if self.builder.rows() >= BATCH_ROWS || self.builder.bytes() >= BATCH_BYTES {
            self.begin()?;
            self.write()?;
        }
        Ok(())
    }

    /// Writes the rows that wait, and returns how many rows all of them have changed.
    pub(crate) fn finish(&mut self) -> Result<u64> {
        if !self.builder.is_empty() {
            self.write()?;
        }
        if let Some(savepoint) = self.savepoint {
            savepoints::end(savepoint, true)?;
        }
        Ok(self.changed)
    }

    /// Undoes what was written.
    pub(crate) fn undo(&mut self) -> Result<()> {
        self.savepoint.map_or(Ok(()), |savepoint| savepoints::end(savepoint, false))
    }

    fn write(&mut self) -> Result<()> {
        let before = self.written;
        self.written += self.builder.rows() as u64;
        let batch = values::pack(&mut self.builder);
        match self.statement.execute_batch(&batch) {
            Ok(changed) => {
                self.changed += changed;
                Ok(())
            }
            Err(mut error) => {
                if let Some(row) = error.row {
                    let row = before + u64::from(row);
                    error.row = u32::try_from(row).ok();
                    error.message = format!("row {row} of executeMany: {}", error.message);
                }
                Err(fail_sql(&error))
            }
        }
    }
}
