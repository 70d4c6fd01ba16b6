//! Cells as Python values, and Python values as cells.

use monty_types::unstable::{self, MontyNode};
use monty_types::{ExcType, MontyException, ObjectRef};
use num_traits::ToPrimitive;
use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch};

use crate::bindings::whimbrel::migration::types::{Batch, Column, Value};
use crate::failure::raise;

/// Makes a Python value of a cell.
pub(crate) fn from_cell(cell: Cell<'_>) -> MontyNode {
    match cell {
        Cell::Null => MontyNode::None,
        Cell::Boolean(value) => MontyNode::Bool(value),
        Cell::Integer(value) => MontyNode::Int(value),
        Cell::Real(value) => MontyNode::Float(value),
        Cell::Text(text) => MontyNode::String(text.to_owned()),
        Cell::Blob(bytes) => MontyNode::Bytes(bytes.to_owned()),
    }
}

/// Lends a Python value as a cell; `place` names it in a message.
pub(crate) fn to_cell<'v>(value: ObjectRef<'v>, place: &dyn Fn() -> String) -> Result<Cell<'v>, MontyException> {
    Ok(match unstable::node(value) {
        MontyNode::None => Cell::Null,
        MontyNode::Bool(value) => Cell::Boolean(*value),
        MontyNode::Int(value) => Cell::Integer(*value),
        MontyNode::BigInt(value) => match value.to_i64() {
            Some(value) => Cell::Integer(value),
            None => {
                let message = format!("{} is an int beyond 64 bits: str(x) makes a text of it", place());
                return Err(raise(ExcType::OverflowError, message));
            }
        },
        MontyNode::Float(value) if value.is_nan() => {
            return Err(raise(ExcType::ValueError, format!("{} is nan, which no column holds", place())));
        }
        MontyNode::Float(value) => Cell::Real(*value),
        MontyNode::String(text) => Cell::Text(text),
        MontyNode::Bytes(bytes) => Cell::Blob(bytes),
        node => return Err(raise(ExcType::TypeError, format!("{} {}", place(), refusal(node, value)))),
    })
}

/// Names the type of a value, as a sentence does.
pub(crate) fn kind(value: ObjectRef<'_>) -> String {
    if let MontyNode::Repr(_) = unstable::node(value) {
        return "a function or the like".to_owned();
    }
    let name = value.type_name();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Says why no column holds a value, and what to write instead.
fn refusal(node: &MontyNode, value: ObjectRef<'_>) -> String {
    match node {
        MontyNode::Decimal(_) => "is a Decimal: say str(x), float(x), or int(x * 100)".to_owned(),
        MontyNode::DateTime(_) => "is a datetime: say x.isoformat(), or int(x.timestamp())".to_owned(),
        MontyNode::Date(_) | MontyNode::Time(_) => format!("is {}: say x.isoformat()", kind(value)),
        MontyNode::TimeDelta(_) => "is a timedelta: say x.total_seconds()".to_owned(),
        MontyNode::List(_) | MontyNode::Tuple(_) => {
            format!("is {}: json.dumps(x) makes a text of it, bytes(x) a blob", kind(value))
        }
        MontyNode::Dict(_) => "is a dict: json.dumps(x) makes a text of it".to_owned(),
        _ => format!("is {}, which no column holds", kind(value)),
    }
}

/// Writes a value as `str` does.
pub(crate) fn shown(value: ObjectRef<'_>) -> String {
    match unstable::node(value) {
        MontyNode::Exception { arg, .. } => arg.clone().unwrap_or_default(),
        MontyNode::Decimal(text) => text.clone(),
        MontyNode::Date(date) => format!("{:04}-{:02}-{:02}", date.year, date.month, date.day),
        MontyNode::DateTime(at) if at.offset_seconds.is_none() && at.microsecond == 0 => {
            format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second)
        }
        MontyNode::Tuple(items) if items.len() == 1 => format!("({},)", unstable::child(value, items[0]).py_repr()),
        _ => value.to_string(),
    }
}

/// Returns the values of a list or a tuple.
pub(crate) fn sequence<'v>(value: ObjectRef<'v>) -> Option<Vec<ObjectRef<'v>>> {
    match unstable::node(value) {
        MontyNode::List(_) | MontyNode::Tuple(_) | MontyNode::NamedTuple { .. } => value.items(),
        _ => None,
    }
}

/// Reads the parameters of a statement.
pub(crate) fn parameters(list: Option<ObjectRef<'_>>) -> Result<Vec<Value>, MontyException> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let Some(items) = sequence(list) else {
        let message = format!("parameters are a list or a tuple, and this is {}: db.execute(sql, [a, b])", kind(list));
        return Err(raise(ExcType::TypeError, message));
    };
    let values = items.into_iter().enumerate();
    values.map(|(index, value)| to_cell(value, &|| format!("parameter {}", index + 1)).map(to_value)).collect()
}

fn to_value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => Value::Boolean(value),
        Cell::Integer(value) => Value::Integer(value),
        Cell::Real(value) => Value::Real(value),
        Cell::Text(text) => Value::Text(text.to_owned()),
        Cell::Blob(bytes) => Value::Blob(bytes.to_owned()),
    }
}

/// Appends a value to a column.
pub(crate) fn push(
    builder: &mut BatchBuilder,
    column: usize,
    value: ObjectRef<'_>,
    place: &dyn Fn() -> String,
) -> Result<(), MontyException> {
    builder.push(column, to_cell(value, place)?).map_err(|full| raise(ExcType::OverflowError, full.to_string()))
}

/// Checks a batch that came in.
pub(crate) fn check(batch: Batch) -> Result<CheckedBatch, MontyException> {
    let columns = batch.columns.into_iter().map(|column| whimbrel_packed::Column {
        kind: column.kind,
        tags: column.tags,
        words: column.words,
        heap: column.heap,
    });
    let batch = whimbrel_packed::Batch { rows: batch.rows, columns: columns.collect() };
    batch.check().map_err(|error| raise(ExcType::RuntimeError, error.to_string()))
}

/// Ends a batch that goes out.
pub(crate) fn pack(builder: &mut BatchBuilder) -> Batch {
    let batch = builder.finish();
    let column = |column: whimbrel_packed::Column| Column {
        kind: column.kind,
        tags: column.tags,
        words: column.words,
        heap: column.heap,
    };
    Batch { rows: batch.rows, columns: batch.columns.into_iter().map(column).collect() }
}
