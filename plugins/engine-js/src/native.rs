//! What scripts find: `db`, `ctx` and `log`, made of native functions and of `prelude.js`.

use std::cell::{Cell, RefCell};

use crate::bindings::whimbrel::migration::log::{self, Level};
use crate::bindings::whimbrel::migration::types::Context;
use crate::class;
use crate::failure::{Constructors, Kind, PRELUDE, fail, keep};
use crate::js::{self, Atom, JSValue, Js, Lent, Result, Text, Type};
use crate::many::Rows;
use crate::native;
use crate::savepoints;
use crate::splitting;
use crate::sql;
use crate::values::{self, Shape};

/// The part of the scripts' interface that is JavaScript itself: a function of the native functions.
const TEXT: &str = include_str!("prelude.js");

/// What `up` and `down` are called with.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) db: Js,
    pub(crate) context: Js,
}

thread_local! {
    static ALIVE: RefCell<Option<Js>> = const { RefCell::new(None) };
    static ARGUMENTS: RefCell<Option<Arguments>> = const { RefCell::new(None) };
    static SHAPE: Cell<Shape> = const { Cell::new(Shape { arrays: false, big: false }) };
}

/// Returns what `up` and `down` are called with.
pub(crate) fn arguments() -> Arguments {
    let arguments = ARGUMENTS.with_borrow(Clone::clone);
    arguments.unwrap_or_else(|| Arguments { db: Js::undefined(), context: Js::undefined() })
}

/// Returns how rows are shown unless a query says otherwise.
pub(crate) fn shape() -> Shape {
    SHAPE.get()
}

/// Sets how rows are shown unless a query says otherwise, as the script's `export const options` says.
pub(crate) fn read_options(exports: &Js) -> Result<()> {
    if exports.has_own(&Atom::new("options"))? {
        SHAPE.set(SHAPE.get().with(&exports.get(c"options")?)?);
    }
    Ok(())
}

/// Makes everything that a script finds.
pub(crate) fn install(context: &Context) -> Result<()> {
    let (split, split_text) = splitting::install()?;
    let (cursor, statement, real) = class::install()?;
    let natives = Js::object()?;
    let functions = [
        (c"execute", native!(execute)),
        (c"query", native!(query)),
        (c"prepare", native!(prepare)),
        (c"dialect", native!(dialect)),
        (c"real", native!(new_real)),
        (c"openSavepoint", native!(open_savepoint)),
        (c"endSavepoint", native!(end_savepoint)),
        (c"log", native!(write_log)),
        (c"progress", native!(progress)),
        (c"encode", native!(encode)),
        (c"decode", native!(decode)),
        (c"options", native!(options)),
        (c"collect", native!(collect)),
        (c"push", native!(push)),
        (c"finish", native!(finish)),
        (c"undo", native!(undo)),
        (c"give", native!(give)),
    ];
    for (name, function) in functions {
        natives.set(name, js::function(name, 2, function)?)?;
    }
    let methods = [
        (&cursor, c"all", native!(all)),
        (&cursor, c"first", native!(first)),
        (&cursor, c"columns", native!(columns)),
        (&cursor, c"return", native!(close)),
        (&statement, c"execute", native!(execute_prepared)),
        (&statement, c"query", native!(query_prepared)),
    ];
    for (prototype, name, function) in methods {
        prototype.set(name, js::function(name, 2, function)?)?;
    }
    natives.set(c"split", split)?;
    natives.set(c"splitText", split_text)?;
    natives.set(c"cursor", cursor)?;
    natives.set(c"statement", statement)?;
    natives.set(c"realPrototype", real)?;
    let made = js::eval(PRELUDE, TEXT)?.call(&Js::undefined(), &[natives.raw(), context_object(context)?.raw()])?;
    keep(Constructors {
        plain: made.get(c"Error")?,
        types: made.get(c"TypeError")?,
        range: made.get(c"RangeError")?,
        syntax: made.get(c"SyntaxError")?,
        sql: Some(made.get(c"SqlError")?),
    });
    ALIVE.set(Some(made.get(c"alive")?));
    ARGUMENTS.set(Some(Arguments { db: made.get(c"db")?, context: made.get(c"ctx")? }));
    Ok(())
}

fn context_object(context: &Context) -> Result<Js> {
    let object = Js::object()?;
    object.set(c"chain", Js::text(&context.chain)?)?;
    object.set(c"version", Js::text(&context.version)?)?;
    object.set(c"name", Js::text(&context.name)?)?;
    object.set(c"tenant", context.tenant.as_deref().map_or_else(|| Ok(Js::null()), Js::text)?)?;
    object.set(c"dryRun", Js::boolean(context.dry_run))?;
    object.set(c"startedAt", Js::number(context.started_at as f64))?;
    object.set(c"seed", Js::number(context.seed as f64))?;
    let params = Js::object()?;
    for (name, value) in &context.params {
        if !name.starts_with("whimbrel.") {
            params.define(&Atom::new(name), Js::text(value)?)?;
        }
    }
    object.set(c"params", params)?;
    Ok(object)
}

fn argument(arguments: &[JSValue], index: usize) -> Js {
    arguments.get(index).map_or_else(Js::undefined, |value| Js::borrowed(*value))
}

fn count(count: u64) -> Js {
    Js::number(count as f64)
}

/// Refuses arguments that would be passed over.
fn no_more(arguments: &[JSValue], most: usize, usage: &str) -> Result<()> {
    let is_given = |value: &JSValue| Js::borrowed(*value).kind() != Type::Undefined;
    if arguments.iter().skip(most).any(is_given) {
        return Err(fail(Kind::Type, &format!("too much is given: {usage}")));
    }
    Ok(())
}

const ALL: &str = "all(), for the query has its parameters and options: db.query(sql, params, options).all()";
const FIRST: &str = "first(), for the query has its parameters and options: db.query(sql, params, options).first()";

fn execute(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    no_more(arguments, 2, "db.execute(sql, [a, b])")?;
    let statement = argument(arguments, 0);
    values::with_parameters(&argument(arguments, 1), |params| sql::execute(&statement, params)).map(count)
}

fn query(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    no_more(arguments, 3, "db.query(sql, [a, b], options)")?;
    let shape = shape().with(&argument(arguments, 2))?;
    let statement = argument(arguments, 0);
    let cursor = values::with_parameters(&argument(arguments, 1), |params| sql::query(&statement, params, shape))?;
    class::cursor(cursor)
}

fn prepare(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    class::statement(sql::prepare(&argument(arguments, 0))?)
}

fn dialect(_: JSValue, _: &[JSValue]) -> Result<Js> {
    Js::text(&sql::dialect()?)
}

fn new_real(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let value = argument(arguments, 0);
    let number = match value.kind() {
        Type::Integer => f64::from(value.integer()),
        Type::Float => value.float(),
        _ => return Err(fail(Kind::Type, "real takes a number")),
    };
    if number.is_nan() {
        return Err(fail(Kind::Range, "real takes a number, and NaN is none that a column holds"));
    }
    class::new_real(number)
}

fn open_savepoint(_: JSValue, _: &[JSValue]) -> Result<Js> {
    savepoints::open().map(|number| Js::small(number.cast_signed()))
}

fn end_savepoint(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let number = argument(arguments, 0).integer().cast_unsigned();
    savepoints::end(number, argument(arguments, 1).truth()).map(|()| Js::undefined())
}

fn write_log(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let level = match argument(arguments, 0).integer() {
        0 => Level::Trace,
        1 => Level::Debug,
        3 => Level::Warn,
        4 => Level::Error,
        _ => Level::Info,
    };
    log::write(level, &argument(arguments, 1).to_text()?);
    Ok(Js::undefined())
}

fn progress(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let number = |value: &Js| match value.kind() {
        Type::Integer => u64::try_from(value.integer()).ok(),
        Type::Float => Some(value.float() as u64),
        _ => None,
    };
    let done = number(&argument(arguments, 0));
    let done = done.ok_or_else(|| fail(Kind::Type, "log.progress takes numbers: done, total"))?;
    log::progress(done, number(&argument(arguments, 1)));
    Ok(Js::undefined())
}

fn encode(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let text = Text::of(&argument(arguments, 0))?.map_or_else(String::new, |text| text.to_lossy());
    Js::bytes(text.as_bytes())
}

/// Decodes bytes after those that are left over from before: `decode(left, bytes, fatal, skipsMark, goesOn)` returns the text
/// and what is left over.
fn decode(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let lent = |index| argument(arguments, index).with_bytes(|bytes: &[u8]| bytes.to_vec());
    let mut bytes = match lent(0) {
        Lent::Bytes(left) => left,
        Lent::Gone | Lent::Other => Vec::new(),
    };
    match lent(1) {
        Lent::Bytes(more) => bytes.extend(more),
        Lent::Gone => return Err(fail(Kind::Type, &format!("what TextDecoder is given {}", values::GONE))),
        Lent::Other => return Err(fail(Kind::Type, "TextDecoder takes a Uint8Array or an ArrayBuffer")),
    }
    let [fatal, skips_mark, goes_on] = [2, 3, 4].map(|index| argument(arguments, index).truth());
    let left = bytes.split_off(bytes.len() - if goes_on { begun(&bytes) } else { 0 });
    let text = if skips_mark { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes) } else { &bytes };
    if fatal && std::str::from_utf8(text).is_err() {
        return Err(fail(Kind::Type, "the bytes are no UTF-8"));
    }
    Js::array_of(vec![Js::text(&String::from_utf8_lossy(text))?, Js::bytes(&left)?])
}

/// Returns how many bytes at the end begin a character that is not whole.
fn begun(bytes: &[u8]) -> usize {
    let is_begun = |count: &usize| {
        let end = bytes.len().checked_sub(*count).map(|start| std::str::from_utf8(&bytes[start..]));
        matches!(end, Some(Err(error)) if error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=3).find(is_begun).unwrap_or(0)
}

fn options(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    SHAPE.set(SHAPE.get().with(&argument(arguments, 0))?);
    Ok(Js::undefined())
}

/// Begins an `executeMany`: its rows are its own, whatever else runs the same statement meanwhile.
fn collect(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let mut rows = class::with_statement(argument(arguments, 0).raw(), |statement| Ok(statement.many()))?;
    if !argument(arguments, 1).is_array() {
        rows.begin()?;
    }
    class::rows(rows)
}

fn push(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let row = argument(arguments, 1);
    class::with_rows(argument(arguments, 0).raw(), |rows| rows.push(&row))?;
    Ok(Js::undefined())
}

fn finish(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    class::with_rows(argument(arguments, 0).raw(), Rows::finish).map(count)
}

fn undo(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    class::with_rows(argument(arguments, 0).raw(), Rows::undo).map(|()| Js::undefined())
}

/// Notes that a cursor's rows are to be read through what a method returns.
fn give(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let method = argument(arguments, 1).to_text()?;
    class::with_cursor(argument(arguments, 0).raw(), |cursor| {
        cursor.give(&method);
        Ok(Js::undefined())
    })
}

fn all(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    no_more(arguments, 0, ALL)?;
    class::with_cursor(this, sql::Cursor::all)
}

fn first(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    no_more(arguments, 0, FIRST)?;
    class::with_cursor(this, sql::Cursor::first)
}

fn columns(this: JSValue, _: &[JSValue]) -> Result<Js> {
    class::with_cursor(this, |cursor| cursor.columns())
}

/// What a loop calls that is left before its end.
fn close(this: JSValue, _: &[JSValue]) -> Result<Js> {
    class::with_cursor(this, |cursor| {
        cursor.close();
        Ok(())
    })?;
    let result = Js::object()?;
    result.set(c"value", Js::undefined())?;
    result.set(c"done", Js::boolean(true))?;
    Ok(result)
}

fn execute_prepared(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    no_more(arguments, 1, "execute([a, b])")?;
    let parameters = argument(arguments, 0);
    let execute = |statement: &sql::Prepared| values::with_parameters(&parameters, |params| statement.execute(params));
    class::with_statement(this, execute).map(count)
}

fn query_prepared(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    no_more(arguments, 2, "query([a, b], options)")?;
    let shape = shape().with(&argument(arguments, 1))?;
    let parameters = argument(arguments, 0);
    let query =
        |statement: &sql::Prepared| values::with_parameters(&parameters, |params| statement.query(params, shape));
    class::cursor(class::with_statement(this, query)?)
}
