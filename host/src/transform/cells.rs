//! Cells of batches: compared, shown, copied.

use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch, CheckedColumn, Kind, RawCell};

use crate::db::Value;

/// Most characters shown of a value in a message.
const SHOWN: usize = 80;

/// Tells whether two columns have no cell in which they differ, row for row, for `rows` rows from `first` on.
///
/// A boolean equals the integer that the database makes of it.
pub(super) fn same(old: &CheckedColumn, old_row: usize, new: &CheckedColumn, new_row: usize) -> bool {
    match (old.raw(old_row), new.raw(new_row)) {
        (RawCell::Null, RawCell::Null) => true,
        (RawCell::Integer(old), RawCell::Integer(new)) => old == new,
        (RawCell::Integer(old), RawCell::Boolean(new)) => old == i64::from(new),
        (RawCell::Real(old), RawCell::Real(new)) => old.to_bits() == new.to_bits(),
        (RawCell::Text(old), RawCell::Text(new)) | (RawCell::Blob(old), RawCell::Blob(new)) => old == new,
        _ => false,
    }
}

/// Writes the columns of a row as a condition names them: `id 17`, `tenant 3, name 'Ada'`.
pub(super) fn key_text(names: &[(String, usize)], batch: &CheckedBatch, row: usize) -> String {
    let one = |(name, column): &(String, usize)| format!("{name} {}", shown(batch.cell(row, *column)));
    names.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Writes a cell for people; what could disturb a terminal is escaped.
pub(super) fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Boolean(value) => i64::from(value).to_string(),
        Cell::Integer(value) => value.to_string(),
        Cell::Real(value) => format!("{value:?}"),
        Cell::Text(text) => {
            let cut: String = text.chars().take(SHOWN).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            format!("'{}{more}'", cut.escape_debug().to_string().replace("\\'", "'"))
        }
        Cell::Blob(bytes) => {
            let hex: String = bytes.iter().take(SHOWN / 2).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > SHOWN / 2 { "…" } else { "" };
            format!("x'{hex}{more}'")
        }
    }
}

/// Returns the values of a row's columns.
pub(super) fn values(batch: &CheckedBatch, row: usize, columns: impl Iterator<Item = usize>) -> Vec<Value> {
    columns.map(|column| Value::from(batch.cell(row, column))).collect()
}

/// Copies rows into a batch of their own.
pub(super) fn part(batch: &CheckedBatch, rows: std::ops::Range<usize>) -> Option<CheckedBatch> {
    let mut builder = BatchBuilder::new(batch.columns().len());
    for row in rows {
        for column in 0..batch.columns().len() {
            builder.push(column, batch.cell(row, column)).ok()?;
        }
    }
    Some(builder.finish_checked())
}

/// Reads the numbers of the rows that rows come from; says what is wrong with them.
pub(super) fn origins(column: &CheckedColumn, rows: usize, most: usize) -> Result<Vec<u32>, String> {
    let mut origins = Vec::with_capacity(rows);
    let mut last = 0;
    for row in 0..rows {
        if column.kind(row) != Kind::Integer {
            return Err(format!("row {row} of the answer does not say by a number which row it comes from"));
        }
        let RawCell::Integer(origin) = column.raw(row) else { continue };
        let known = u32::try_from(origin).ok().filter(|origin| (*origin as usize) < most);
        let Some(origin) = known else {
            return Err(format!("row {row} of the answer comes from row {origin}, and there are {most}"));
        };
        if origin < last {
            return Err(format!("row {row} of the answer comes from row {origin}, after one from row {last}"));
        }
        last = origin;
        origins.push(origin);
    }
    Ok(origins)
}
