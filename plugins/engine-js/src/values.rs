//! Cells as JavaScript values, and JavaScript values as cells.

use std::cell::{OnceCell, RefCell};

use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch};

use crate::bindings::whimbrel::migration::types::{Batch, Column, Value};
use crate::class;
use crate::failure::{Kind, fail};
use crate::js::{Atom, Js, Lent, Result, Text, Type};

/// The largest integer that a number holds exactly.
const SAFE: i64 = (1 << 53) - 1;

/// What is said of a `Uint8Array` or an `ArrayBuffer` without its bytes.
pub(crate) const GONE: &str = "has lost its bytes: the buffer was transferred, or made shorter than what is seen of it";

/// Room for a text that is kept for the next statement's parameters.
const KEPT_BYTES: usize = 1 << 10;

thread_local! {
    /// The parameters of the statement before, whose room is used again.
    static PARAMETERS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// How rows are shown to a script.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    /// As arrays, and not as objects.
    pub(crate) arrays: bool,
    /// Every integer as a BigInt, and not only those beyond 2^53.
    pub(crate) big: bool,
}

impl Shape {
    /// Reads `{ rows: "array", integers: "bigint" }`; what it does not say stays as it is.
    pub(crate) fn with(mut self, options: &Js) -> Result<Self> {
        if options.kind() == Type::Undefined {
            return Ok(self);
        }
        if options.kind() != Type::Object {
            return Err(fail(Kind::Type, "options are an object, such as { rows: \"array\" }"));
        }
        if let Some(other) = options.names()?.into_iter().find(|name| name != "rows" && name != "integers") {
            let message = format!("there is no option {}: there are rows and integers", other.escape_debug());
            return Err(fail(Kind::Type, &message));
        }
        let word = |name| {
            options.get(name).and_then(|value| match value.kind() {
                Type::Undefined => Ok(None),
                _ => value.to_text().map(Some),
            })
        };
        match word(c"rows")?.as_deref() {
            None => {}
            Some("object") => self.arrays = false,
            Some("array") => self.arrays = true,
            Some(_) => return Err(fail(Kind::Type, "the option rows is \"object\" or \"array\"")),
        }
        match word(c"integers")?.as_deref() {
            None => {}
            Some("number") => self.big = false,
            Some("bigint") => self.big = true,
            Some(_) => return Err(fail(Kind::Type, "the option integers is \"number\" or \"bigint\"")),
        }
        Ok(self)
    }
}

/// Makes a JavaScript value of a cell.
pub(crate) fn from_cell(cell: Cell<'_>, big: bool) -> Result<Js> {
    Ok(match cell {
        Cell::Null => Js::null(),
        Cell::Boolean(value) => Js::boolean(value),
        Cell::Integer(value) if big || !(-SAFE..=SAFE).contains(&value) => Js::big(value)?,
        Cell::Integer(value) => match i32::try_from(value) {
            Ok(value) => Js::small(value),
            Err(_) => Js::number(value as f64),
        },
        Cell::Real(value) => Js::number(value),
        Cell::Text(text) => Js::text(text)?,
        Cell::Blob(bytes) => Js::bytes(bytes)?,
    })
}

/// The names of a row's cells.
pub(crate) struct Names {
    names: Vec<Atom>,
    /// What the objects of rows are made like; nothing where two columns have one name.
    model: OnceCell<Option<Js>>,
    /// Room for the cells of a row.
    cells: RefCell<Vec<Js>>,
}

impl Names {
    pub(crate) fn new<'n>(names: impl Iterator<Item = &'n String>) -> Self {
        let names = names.map(|name| Atom::new(name)).collect();
        Self { names, model: OnceCell::new(), cells: RefCell::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Atom> {
        self.names.iter()
    }

    fn model(&self) -> Result<Option<&Js>> {
        if let Some(model) = self.model.get() {
            return Ok(model.as_ref());
        }
        let model = Js::object()?;
        for name in &self.names {
            model.define(name, Js::null())?;
        }
        let is_exact = model.own_count()? as usize == self.len();
        Ok(self.model.get_or_init(|| is_exact.then_some(model)).as_ref())
    }
}

/// Makes an object or an array of a row.
pub(crate) fn from_row(names: &Names, batch: &CheckedBatch, row: usize, shape: Shape) -> Result<Js> {
    let mut cells = names.cells.borrow_mut();
    cells.clear();
    for column in 0..names.len() {
        cells.push(from_cell(batch.cell(row, column), shape.big)?);
    }
    if shape.arrays {
        return Js::array_from(&mut cells);
    }
    if let Some(model) = names.model()? {
        return Js::like(model, &mut cells);
    }
    let object = Js::object()?;
    for (name, cell) in names.iter().zip(cells.drain(..)) {
        object.define(name, cell)?;
    }
    Ok(object)
}

/// Lends a JavaScript value as a cell; `place` names it in a message.
pub(crate) fn with_cell<T>(value: &Js, place: &dyn Fn() -> String, work: impl FnOnce(Cell<'_>) -> T) -> Result<T> {
    let refuse = |what: &str| Err(fail(Kind::Type, &format!("{} {what}", place())));
    match value.kind() {
        Type::Null => Ok(work(Cell::Null)),
        Type::Boolean => Ok(work(Cell::Boolean(value.truth()))),
        Type::Integer => Ok(work(Cell::Integer(value.integer().into()))),
        Type::Float => match value.float() {
            number if number.is_nan() => refuse("is NaN, which no column holds"),
            number if number.fract() != 0.0 || number.is_infinite() => Ok(work(Cell::Real(number))),
            number if number.abs() > SAFE as f64 => Err(fail(
                Kind::Range,
                &format!(
                    "{} is {number:e}, an integer beyond 2^53 - 1 that a number does not hold exactly: use a BigInt, or \
                     real(x) for a real",
                    place()
                ),
            )),
            number => Ok(work(Cell::Integer(number as i64))),
        },
        Type::BigInt => {
            let wrapped = value.wrapped_i64()?;
            let exact = Js::big(wrapped)?.to_text()? == value.to_text()?;
            if !exact {
                let message = format!("{} is {}n, which is beyond 64 bits", place(), value.to_text()?);
                return Err(fail(Kind::Range, &message));
            }
            Ok(work(Cell::Integer(wrapped)))
        }
        Type::Text => Text::of(value)?
            .and_then(|text| text.with_str(|text| text.map(|text| work(Cell::Text(text)))))
            .map_or_else(|| refuse("has half of a surrogate pair, which is no text"), Ok),
        Type::Undefined => refuse("is undefined: write null for NULL"),
        Type::Symbol => refuse("is a symbol, which no column holds"),
        Type::Object => object(value, place, work),
    }
}

fn object<T>(value: &Js, place: &dyn Fn() -> String, work: impl FnOnce(Cell<'_>) -> T) -> Result<T> {
    if let Some(real) = class::real(value) {
        return Ok(work(Cell::Real(real)));
    }
    let hint = match value.with_bytes(|bytes| work(Cell::Blob(bytes))) {
        Lent::Bytes(result) => return Ok(result),
        Lent::Gone => GONE,
        Lent::Other => no_cell(value)?,
    };
    Err(fail(Kind::Type, &format!("{} {hint}", place())))
}

/// Says why no column holds an object, and what to write instead.
fn no_cell(value: &Js) -> Result<&'static str> {
    Ok(if value.is_array() {
        "is an array: JSON.stringify makes a text of it, Uint8Array.from a blob"
    } else if value.is_function() {
        "is a function, which no column holds"
    } else if value.get(c"toISOString")?.is_function() {
        "is a Date: say whether you mean date.toISOString() or date.getTime()"
    } else if value.promise().is_some() {
        "is a promise: await it first"
    } else if value.is_list() {
        "is no Uint8Array: new Uint8Array(x.buffer, x.byteOffset, x.byteLength) makes a blob of it"
    } else {
        "is an object: JSON.stringify makes a text of it"
    })
}

/// Lends the parameters of a statement, an array or nothing.
pub(crate) fn with_parameters<T>(list: &Js, work: impl FnOnce(&[Value]) -> Result<T>) -> Result<T> {
    let mut values = PARAMETERS.take();
    let result = read_parameters(list, &mut values).and_then(|()| work(&values));
    values.retain(|value| !matches!(value, Value::Text(text) if text.capacity() > KEPT_BYTES));
    PARAMETERS.set(values);
    result
}

fn read_parameters(list: &Js, values: &mut Vec<Value>) -> Result<()> {
    if list.kind() == Type::Undefined {
        values.clear();
        return Ok(());
    }
    let count = match list.count() {
        Some(count) => count,
        None if list.is_array() => list.length()?,
        None => return Err(fail(Kind::Type, "parameters are an array: db.execute(sql, [a, b])")),
    };
    values.truncate(count as usize);
    for index in 0..count {
        let place = || format!("parameter {}", index + 1);
        with_cell(&list.at(index)?, &place, |cell| match (values.get_mut(index as usize), cell) {
            (Some(Value::Text(before)), Cell::Text(text)) => {
                before.clear();
                before.push_str(text);
            }
            (Some(before), cell) => *before = to_value(cell),
            (None, cell) => values.push(to_value(cell)),
        })?;
    }
    Ok(())
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
pub(crate) fn push(builder: &mut BatchBuilder, column: usize, value: &Js, place: &dyn Fn() -> String) -> Result<()> {
    match with_cell(value, place, |cell| builder.push(column, cell))? {
        Ok(()) => Ok(()),
        Err(full) => Err(fail(Kind::Range, &full.to_string())),
    }
}

/// Checks a batch that came in.
#[expect(unsafe_code, reason = "texts are not looked at twice")]
pub(crate) fn check(batch: Batch) -> Result<CheckedBatch> {
    let columns = batch.columns.into_iter().map(|column| whimbrel_packed::Column {
        kind: column.kind,
        tags: column.tags,
        words: column.words,
        heap: column.heap,
    });
    let batch = whimbrel_packed::Batch { rows: batch.rows, columns: columns.collect() };
    // SAFETY: the host writes texts in UTF-8 only, as it does for a `string` of the contract, whose bytes the generated
    // bindings do not look at either.
    let checked = batch.check_with(|bytes| Ok(unsafe { String::from_utf8_unchecked(bytes) }));
    checked.map_err(|error| fail(Kind::Plain, &error.to_string()))
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
