//! What scripts find: `db`, `ctx` and `log`, made of native functions and of `prelude.js`.

use std::cell::{Cell, RefCell};

use crate::bindings::whimbrel::migration::log::{self, Level};
use crate::bindings::whimbrel::migration::types::Context;
use crate::class;
use crate::failure::{Constructors, Kind, PRELUDE, fail, keep};
use crate::js::{self, Atom, JSValue, Js, Lent, Result, Type};
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

fn execute(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let statement = argument(arguments, 0);
    values::with_parameters(&argument(arguments, 1), |params| sql::execute(&statement, params)).map(count)
}

fn query(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
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
    let text = argument(arguments, 0).with_text(|bytes| String::from_utf8_lossy(bytes).into_owned())?;
    Js::bytes(text.as_bytes())
}

fn decode(_: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let bytes = argument(arguments, 0);
    let text = bytes.with_bytes(|bytes| {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes);
        let exact = matches!(text, std::borrow::Cow::Borrowed(_));
        (text.into_owned(), exact)
    });
    match text {
        Lent::Bytes((_, false)) if argument(arguments, 1).truth() => Err(fail(Kind::Type, "the bytes are no UTF-8")),
        Lent::Bytes((text, _)) => Js::text(&text),
        Lent::Gone => Err(fail(Kind::Type, &format!("what TextDecoder is given {}", values::GONE))),
        Lent::Other => Err(fail(Kind::Type, "TextDecoder takes a Uint8Array or an ArrayBuffer")),
    }
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

fn all(this: JSValue, _: &[JSValue]) -> Result<Js> {
    class::with_cursor(this, sql::Cursor::all)
}

fn first(this: JSValue, _: &[JSValue]) -> Result<Js> {
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
    let parameters = argument(arguments, 0);
    let execute = |statement: &sql::Prepared| values::with_parameters(&parameters, |params| statement.execute(params));
    class::with_statement(this, execute).map(count)
}

fn query_prepared(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let shape = shape().with(&argument(arguments, 1))?;
    let parameters = argument(arguments, 0);
    let query =
        |statement: &sql::Prepared| values::with_parameters(&parameters, |params| statement.query(params, shape));
    class::cursor(class::with_statement(this, query)?)
}
