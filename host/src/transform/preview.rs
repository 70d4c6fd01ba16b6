//! Shows what a transform would make of some rows. Writes nothing.

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use super::cells;
use super::error::TransformError;
use super::guest::{Apply, Asked, Piece, Stop, map};
use super::layout::Layout;
use super::sample;
use super::statements;
use crate::db::{DbError, ErrorCode, Session, Value};
use crate::log_level::LogLevel;

/// Most rows of a preview.
const MOST: u32 = 10_000;
/// Bytes of rows after which no more are read.
const BYTES: usize = 16 << 20;

/// Which rows to show.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selection {
    /// The first so many, in the order of the key.
    First(u32),
    /// So many, spread evenly over all of them in the order of the key: the same ones every time.
    Sample(u32),
    /// The row with this key: a text for each of its columns.
    Key(Vec<String>),
}

/// What a transform would make of some rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Preview {
    /// Name of the chain of the transform; empty where it is of none.
    pub chain: String,
    /// Where rows come from.
    pub source: String,
    /// The table they go into, or none when they are updated in place.
    pub into: Option<String>,
    /// Names of the columns of the key.
    pub key: Vec<String>,
    /// Names of the columns that are read.
    pub read: Vec<String>,
    /// Names of the columns that are written.
    pub write: Vec<String>,
    /// The rows.
    pub rows: Vec<PreviewRow>,
    /// For each column that is written, an SQL expression that gives the same on these rows, if there is one for each.
    pub expressions: Option<Vec<String>>,
    /// What the component logged.
    pub log: Vec<(LogLevel, String)>,
}

/// One row before and after.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PreviewRow {
    /// The values of its key.
    pub key: Vec<Value>,
    /// The values that are read.
    pub read: Vec<Value>,
    /// The values now in the columns that are written; none when rows go into another table.
    pub before: Vec<Value>,
    /// The rows that come of it: in place one, unless it cannot be transformed.
    pub after: Vec<Vec<Value>>,
    /// Which of the columns written would change; in place only.
    pub changed: Vec<bool>,
    /// Why it cannot be transformed.
    pub rejected: Option<String>,
}

/// Transforms some rows and shows them side by side.
pub fn preview<A: Apply>(
    session: &mut dyn Session,
    layout: &Layout,
    guest: &mut A,
    selection: &Selection,
) -> Result<Preview, TransformError<A::Error>> {
    let rows = read(session, layout, selection).map_err(|source| TransformError::Database {
        doing: "read",
        table: layout.source.clone(),
        source,
    })?;
    let asked =
        Asked { read: layout.read.clone(), write: layout.write_names.clone(), in_place: layout.in_place, skip: true };
    let mapped = map(guest, rows, &asked);
    let key = |row: usize| cells::key_text(&layout.shown, &mapped.rows, row);
    if let Some(stop) = mapped.stop {
        let (table, first) = (layout.source.clone(), key(0));
        let last = key(mapped.rows.rows().saturating_sub(1));
        return Err(match stop {
            Stop::Answer(reason) => TransformError::Answer { table, first, last, reason },
            Stop::Guest(source) => TransformError::Guest { table, first, last, source },
        });
    }
    let mut shown: Vec<PreviewRow> = (0..mapped.rows.rows()).map(|row| before(layout, &mapped.rows, row)).collect();
    for piece in &mapped.pieces {
        after(layout, &mapped.rows, piece, &mut shown);
    }
    for (row, reason) in mapped.rejects {
        shown[row].rejected = Some(reason);
    }
    Ok(Preview {
        chain: String::new(),
        source: layout.source.clone(),
        into: layout.into().map(str::to_owned),
        key: layout.key(),
        read: layout.read_names.clone(),
        write: layout.write_names.clone(),
        rows: shown,
        expressions: None,
        log: mapped.lines,
    })
}

fn read(session: &mut dyn Session, layout: &Layout, selection: &Selection) -> Result<CheckedBatch, DbError> {
    let (sql, mut params, rows) = match selection {
        Selection::Sample(rows) => return sample::read(session, layout, (*rows).min(MOST), BYTES),
        Selection::First(rows) => (statements::scan(layout, false), Vec::new(), (*rows).min(MOST)),
        Selection::Key(key) if key.len() != layout.shown.len() => {
            let message = format!(
                "the key has {} columns ({}), and {} values were given",
                layout.shown.len(),
                layout.key().join(", "),
                key.len()
            );
            return Err(DbError::new(ErrorCode::Parameter, message));
        }
        Selection::Key(key) => (statements::one(layout), key.iter().map(|text| typed(text)).collect(), MOST),
    };
    params.push(Value::Integer(i64::from(rows)));
    let mut builder = BatchBuilder::new(layout.selected.len());
    let cursor = session.open_cursor(&sql, &params)?;
    let fetched = session.fetch(cursor, rows, BYTES, &mut builder);
    session.close_cursor(cursor);
    fetched.map(|_| builder.finish_checked())
}

/// Reads a value as it was typed: a number if it is written as one is.
fn typed(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Integer(number),
        _ => Value::Text(text.to_owned()),
    }
}

fn before(layout: &Layout, rows: &CheckedBatch, row: usize) -> PreviewRow {
    PreviewRow {
        key: cells::values(rows, row, layout.shown.iter().map(|(_, column)| *column)),
        read: cells::values(rows, row, layout.read.iter().copied()),
        before: cells::values(rows, row, layout.current.iter().copied()),
        after: Vec::new(),
        changed: Vec::new(),
        rejected: None,
    }
}

fn after(layout: &Layout, rows: &CheckedBatch, piece: &Piece, shown: &mut [PreviewRow]) {
    let first = usize::from(!layout.in_place);
    for (row, from) in piece.from.iter().enumerate() {
        let Some(target) = shown.get_mut(*from as usize) else { continue };
        target.after.push(cells::values(&piece.out, row, first..piece.out.columns().len()));
        if layout.in_place {
            let pairs = layout.current.iter().zip(piece.out.columns());
            target.changed =
                pairs.map(|(old, new)| !cells::same(&rows.columns()[*old], *from as usize, new, row)).collect();
        }
    }
}
