//! The rows of one `executemany`: many of them are written at once, and all of them or none.

use monty_types::{ExcType, MontyException, ObjectRef};
use whimbrel_packed::BatchBuilder;

use crate::bindings::whimbrel::migration::sql::Statement;
use crate::failure::raise;
use crate::savepoints;
use crate::sql;
use crate::values;

/// Rows and bytes of a batch that is written.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;
/// No database takes more parameters.
const PARAMETERS: usize = 1 << 16;

type Result<T> = std::result::Result<T, MontyException>;

/// Runs a statement for every row of parameters, or for none; returns how many rows all of them have changed.
pub(crate) fn execute(text: &str, rows: ObjectRef<'_>) -> Result<u64> {
    let Some(rows) = values::sequence(rows) else {
        let message = format!("executemany takes a list of rows, and this is {}", values::kind(rows));
        return Err(raise(ExcType::TypeError, message));
    };
    let mut many = Many { statement: sql::prepare(text)?, written: 0, changed: 0, savepoint: None };
    match (many.run(rows), many.savepoint) {
        (Ok(()), Some(savepoint)) => savepoints::end(savepoint, true)?,
        (Err(error), Some(savepoint)) => return savepoints::end(savepoint, false).and(Err(error)),
        (done, None) => done?,
    }
    Ok(many.changed)
}

/// Rows on their way into one statement.
struct Many {
    statement: Statement,
    /// Rows written before.
    written: u64,
    changed: u64,
    /// What a failure is undone to; none where a single batch is written, which is written or not as a whole.
    savepoint: Option<usize>,
}

impl Many {
    fn run(&mut self, rows: Vec<ObjectRef<'_>>) -> Result<()> {
        let mut builder = BatchBuilder::default();
        for (number, row) in rows.into_iter().enumerate() {
            let Some(row) = values::sequence(row) else {
                let message =
                    format!("row {number} of executemany is {}, and no list of parameters", values::kind(row));
                return Err(raise(ExcType::TypeError, message));
            };
            if row.len() >= PARAMETERS {
                let count = row.len();
                let message =
                    format!("row {number} of executemany has {count} parameters, more than any statement takes");
                return Err(raise(ExcType::ValueError, message));
            }
            if builder.columns() == 0 {
                let rows = BATCH_BYTES / (size_of::<u64>() * row.len().max(1));
                builder = BatchBuilder::with_capacity(row.len(), rows.clamp(1, BATCH_ROWS));
            }
            if builder.columns() != row.len() || row.is_empty() {
                let (count, columns) = (row.len(), builder.columns());
                let message =
                    format!("row {number} of executemany has {count} parameters, and the one before has {columns}");
                return Err(raise(ExcType::TypeError, message));
            }
            for (column, value) in row.into_iter().enumerate() {
                let place = || format!("parameter {} of row {number}", column + 1);
                values::push(&mut builder, column, value, &place)?;
            }
            if builder.rows() >= BATCH_ROWS || builder.bytes() >= BATCH_BYTES {
                if self.savepoint.is_none() {
                    self.savepoint = Some(savepoints::open()?);
                }
                self.write(&mut builder)?;
            }
        }
        if builder.is_empty() { Ok(()) } else { self.write(&mut builder) }
    }

    fn write(&mut self, builder: &mut BatchBuilder) -> Result<()> {
        let before = self.written;
        self.written += builder.rows() as u64;
        self.changed += sql::said(self.statement.execute_batch(&values::pack(builder)).map_err(|mut error| {
            if let Some(row) = error.row {
                let row = before + u64::from(row);
                error.row = u32::try_from(row).ok();
                error.message = format!("row {row} of executemany: {}", error.message);
            }
            error
        }))?;
        Ok(())
    }
}
