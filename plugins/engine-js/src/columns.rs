//! Maps whole batches with a script's `transformColumns`: a column is an array with a cell for each row.

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use crate::bindings::ScriptFailure;
use crate::failure::{Kind, explain, fail};
use crate::js::{self, Atom, Js, Result, Type};
use crate::machine;
use crate::transform::Loaded;
use crate::values;

/// The function that takes columns.
pub(crate) const EXPORT: &str = "transformColumns";

/// Tells whether a loaded script exports it.
pub(crate) fn is_exported(module: &Js) -> bool {
    js::namespace(module).and_then(|exports| exports.has_own(&Atom::new(EXPORT))).unwrap_or(false)
}

/// Maps a batch.
pub(crate) fn map(
    loaded: &Loaded,
    batch: &CheckedBatch,
    out: &mut BatchBuilder,
) -> std::result::Result<(), ScriptFailure> {
    let columns = columns(loaded, batch).map_err(|thrown| thrown.explain())?;
    let called = loaded.function.call(&Js::undefined(), &[columns.raw(), loaded.context.raw()]);
    let result = machine::settle_explained(called, EXPORT, of_a_row)?;
    let mut at = None;
    write(loaded, &result, batch.rows(), out, &mut at).map_err(|thrown| {
        let row = at.and_then(|row| u32::try_from(row).ok());
        ScriptFailure { row, ..thrown.explain() }
    })
}

/// Makes the argument: the columns by their names.
fn columns(loaded: &Loaded, batch: &CheckedBatch) -> Result<Js> {
    let columns = Js::object()?;
    for (index, name) in loaded.read.iter().enumerate() {
        let cells = (0..batch.rows()).map(|row| values::from_cell(batch.cell(row, index), loaded.shape.big));
        columns.define(name, Js::array_of(cells.collect::<Result<_>>()?)?)?;
    }
    Ok(columns)
}

/// Explains what was thrown: its property `row` tells which row is at fault.
fn of_a_row(thrown: &Js) -> ScriptFailure {
    let row = match thrown.kind() {
        Type::Object => thrown.get(c"row").ok().and_then(|row| number(&row)),
        _ => None,
    };
    ScriptFailure { row, ..explain(thrown) }
}

/// Reads the number of a row; it may be a float without a fraction, as computed numbers are.
fn number(value: &Js) -> Option<u32> {
    match value.kind() {
        Type::Integer => u32::try_from(value.integer()).ok(),
        Type::Float => {
            let float = value.float();
            let whole = float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float);
            whole.then_some(float as u32)
        }
        _ => None,
    }
}

/// Appends what came out. `at` is the row that is at fault when a cell is refused.
fn write(loaded: &Loaded, result: &Js, rows: usize, out: &mut BatchBuilder, at: &mut Option<usize>) -> Result<()> {
    let refuse = |what: &str| {
        Err(fail(Kind::Type, &format!("{EXPORT} returned {what}: return {{ {} }}, each an array", loaded.names())))
    };
    if result.kind() != Type::Object {
        return refuse(if result.kind() == Type::Undefined { "nothing" } else { "no object" });
    }
    let (columns, origins) = if result.is_array() {
        if !loaded.into {
            return refuse("an array");
        }
        (result.at(0)?, origins(&result.at(1)?, rows)?)
    } else {
        (result.clone(), (0..rows).collect())
    };
    if columns.kind() != Type::Object {
        return refuse("an array that does not begin with an object");
    }
    if loaded.into {
        origins.iter().for_each(|row| out.push_integer(0, *row as i64));
    }
    for (index, (name, atom)) in loaded.write.iter().enumerate() {
        let column = if columns.has_own(atom)? { columns.get_atom(atom)? } else { Js::undefined() };
        if !column.is_list() {
            return refuse(&format!("no array {name}"));
        }
        if column.length()? as usize != origins.len() {
            let (found, expected) = (column.length()?, origins.len());
            return refuse(&format!("{found} cells in {name}, and there are {expected} rows"));
        }
        for (cell, row) in origins.iter().enumerate() {
            *at = Some(*row);
            let place = || format!("{name}[{cell}] of what {EXPORT} returned");
            values::push(out, index + usize::from(loaded.into), &column.at(cell as u32)?, &place)?;
        }
        *at = None;
    }
    Ok(())
}

/// Reads the row in that each row out comes from.
fn origins(list: &Js, rows: usize) -> Result<Vec<usize>> {
    let refuse = || {
        let message = format!(
            "{EXPORT} returned an array whose second part is no array of row numbers, from 0 to {} and never descending: \
             return [columns, rows]",
            rows.saturating_sub(1)
        );
        Err(fail(Kind::Type, &message))
    };
    if !list.is_list() {
        return refuse();
    }
    // No room is made in advance: the length may be a lie.
    let mut origins = Vec::new();
    for index in 0..list.length()? {
        match number(&list.at(index)?).map(|row| row as usize) {
            Some(row) if row < rows && origins.last().is_none_or(|last| *last <= row) => origins.push(row),
            _ => return refuse(),
        }
    }
    Ok(origins)
}
