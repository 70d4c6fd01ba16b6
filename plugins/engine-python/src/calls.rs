//! Answers what a script asks the host for: the functions that `prelude.py` puts into `db` and `log`.

use monty_types::{CallArgs, ExcType, MontyException, MontyObject, MontyUuid, NamedValues, ObjectRef, OsFunctionCall};

use crate::bindings::whimbrel::migration::log::{self, Level};
use crate::bindings::whimbrel::migration::types::{Context, SqlError};
use crate::failure::{last_sql, raise};
use crate::many;
use crate::outline;
use crate::rows::Shape;
use crate::savepoints;
use crate::sql;
use crate::values;

type Result<T> = std::result::Result<T, MontyException>;

/// All functions.
const FUNCTIONS: &[&str] = &[
    "execute",
    "executemany",
    "query",
    "first",
    "cursor",
    "fetch",
    "close",
    "error",
    "open_savepoint",
    "end_savepoint",
];

/// Which object of the host a script calls: there is only the one.
const LOG: MontyUuid = MontyUuid::from_u128(1);
const LOG_CLASS: MontyUuid = MontyUuid::from_u128(2);
const MODULE: MontyUuid = MontyUuid::from_u128(3);

/// Makes what `prelude.py` is given.
pub(crate) fn inputs(context: &Context) -> NamedValues {
    let function = |name: &&str| (MontyObject::string(*name), MontyObject::function(*name, None));
    let native = FUNCTIONS.iter().map(function).chain([(MontyObject::string("log"), log_object())]);
    let text = |text: &str| MontyObject::string(text);
    let optional = |value: Option<String>| value.map_or_else(MontyObject::none, MontyObject::string);
    let integer = |number: u64| MontyObject::int(i64::try_from(number).unwrap_or(i64::MAX));
    let params = context.params.iter().filter(|(name, _)| !name.starts_with("whimbrel."));
    let params = params.map(|(name, value)| (text(name), text(value)));
    let about = [
        ("chain", text(&context.chain)),
        ("version", text(&context.version)),
        ("name", text(&context.name)),
        ("tenant", optional(context.tenant.clone())),
        ("dry_run", MontyObject::bool(context.dry_run)),
        ("started_at", integer(context.started_at)),
        ("seed", integer(context.seed)),
        ("params", MontyObject::dict(params)),
        ("dialect", optional(sql::dialect())),
    ];
    let mut inputs = NamedValues::new();
    inputs.push("_whimbrel_native", MontyObject::dict(native));
    inputs.push("_whimbrel_context", MontyObject::dict(about.map(|(name, value)| (text(name), value))));
    inputs
}

fn log_object() -> MontyObject {
    MontyObject::class_instance(MontyObject::class_type("Log", LOG_CLASS, true, false, []), LOG, [])
}

/// Makes the module `whimbrel`, which is there for editors: they find its names in `whimbrel.pyi`. Annotations are not
/// looked at, so that the classes need not be anything.
fn module() -> MontyObject {
    let classes = ["Context", "Cursor", "Database", "Row", "Savepoint", "SqlError", "Value"];
    let classes = classes.map(|name| (MontyObject::string(name), MontyObject::none()));
    MontyObject::module("whimbrel", MODULE, classes.into_iter().chain([(MontyObject::string("log"), log_object())]))
}

/// Answers a call; `object` is the object whose function it is.
pub(crate) fn answer(object: Option<MontyUuid>, function: &str, args: &CallArgs) -> Result<MontyObject> {
    match object {
        None => answer_function(function, args),
        Some(LOG) => write(function, args),
        Some(_) => Err(raise(ExcType::TypeError, format!("there is nothing to call: {function}"))),
    }
}

fn answer_function(function: &str, args: &CallArgs) -> Result<MontyObject> {
    match function {
        "execute" => {
            let given = Given::read(args, &["sql", "params"])?;
            sql::execute(given.sql()?, &values::parameters(given.get("params"))?).map(count)
        }
        "executemany" => {
            let given = Given::read(args, &["sql", "rows"])?;
            many::execute(given.sql()?, given.need("rows")?).map(count)
        }
        "query" => query(args)?.all(),
        "first" => query(args)?.first(),
        "cursor" => query(args).map(sql::Cursor::open),
        "fetch" => {
            let given = Given::read(args, &["number", "count"])?;
            let most =
                given.get("count").and_then(|count| count.as_int()).and_then(|count| usize::try_from(count).ok());
            let most = most.filter(|most| *most > 0);
            let most = most.ok_or_else(|| raise(ExcType::ValueError, "fetch takes how many rows, 1 or more"))?;
            sql::fetch(given.number()?, most)
        }
        "close" => {
            sql::close(Given::read(args, &["number"])?.number()?);
            Ok(MontyObject::none())
        }
        "error" => Ok(last_sql(|last| last.map_or_else(MontyObject::none, error))),
        "open_savepoint" => savepoints::open().map(|number| MontyObject::int(number as i64)),
        "end_savepoint" => {
            let given = Given::read(args, &["number", "keep"])?;
            savepoints::end(given.number()?, given.need("keep")?.is_truthy()).map(|()| MontyObject::none())
        }
        other => Err(raise(ExcType::NameError, format!("name '{other}' is not defined"))),
    }
}

/// Answers what asks a system, of which a migration sees nothing.
pub(crate) fn system(call: &OsFunctionCall) -> Result<MontyObject> {
    match call {
        OsFunctionCall::Import(name) if name == "whimbrel" => Ok(module()),
        OsFunctionCall::Import(name) => Err(raise(ExcType::ModuleNotFoundError, outline::absent(name))),
        call => {
            let name: &'static str = call.into();
            let message = format!("{name}: a migration sees no files, no environment and no other clock");
            Err(raise(ExcType::PermissionError, message))
        }
    }
}

fn query(args: &CallArgs) -> Result<sql::Cursor> {
    let given = Given::read(args, &["sql", "params", "rows"])?;
    sql::query(given.sql()?, &values::parameters(given.get("params"))?, Shape::read(given.get("rows"))?)
}

fn count(count: u64) -> MontyObject {
    MontyObject::int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn error(error: &SqlError) -> MontyObject {
    let row = error.row.map_or_else(MontyObject::none, |row| MontyObject::int(row.into()));
    let pairs = [
        ("code", MontyObject::string(error.code.clone())),
        ("native", MontyObject::string(error.native.clone())),
        ("message", MontyObject::string(error.message.clone())),
        ("row", row),
    ];
    MontyObject::dict(pairs.map(|(name, value)| (MontyObject::string(name), value)))
}

/// Writes into the host's log.
fn write(function: &str, args: &CallArgs) -> Result<MontyObject> {
    let level = match function {
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" | "warning" => Level::Warn,
        "error" => Level::Error,
        "progress" => {
            let given = Given::read(args, &["done", "total"])?;
            let number = |name| given.get(name).and_then(|value| value.as_int()).and_then(|n| u64::try_from(n).ok());
            let done =
                number("done").ok_or_else(|| raise(ExcType::TypeError, "progress takes numbers: done, total"))?;
            log::progress(done, number("total"));
            return Ok(MontyObject::none());
        }
        other => {
            let message = format!("log has debug, info, warn, error and progress, and no {other}");
            return Err(raise(ExcType::AttributeError, message));
        }
    };
    let words: Vec<String> = args.args().map(values::shown).collect();
    log::write(level, &words.join(" "));
    Ok(MontyObject::none())
}

/// What a function was given, by position or by name.
struct Given<'a> {
    names: &'static [&'static str],
    args: &'a CallArgs,
}

impl<'a> Given<'a> {
    fn read(args: &'a CallArgs, names: &'static [&'static str]) -> Result<Self> {
        if args.args().len() > names.len() {
            let message = format!("takes {}: {}", names.len(), names.join(", "));
            return Err(raise(ExcType::TypeError, message));
        }
        for (name, _) in args.kwargs() {
            let name = name.as_str().unwrap_or_default();
            let place = names.iter().position(|known| *known == name);
            if place.is_none_or(|place| place < args.args().len()) {
                let message = format!("takes {}, and `{name}` is none of them or there twice", names.join(", "));
                return Err(raise(ExcType::TypeError, message));
            }
        }
        Ok(Self { names, args })
    }

    fn get(&self, name: &str) -> Option<ObjectRef<'a>> {
        let place = self.names.iter().position(|known| *known == name)?;
        self.args.arg(place).or_else(|| self.args.kwarg(name))
    }

    fn need(&self, name: &str) -> Result<ObjectRef<'a>> {
        self.get(name).ok_or_else(|| raise(ExcType::TypeError, format!("takes {}", self.names.join(", "))))
    }

    fn sql(&self) -> Result<&'a str> {
        let text = self.get("sql").and_then(|value| value.as_str());
        text.ok_or_else(|| raise(ExcType::TypeError, "the statement is a str: db.execute(\"UPDATE …\", [a, b])"))
    }

    fn number(&self) -> Result<usize> {
        let number = self.need("number")?.as_int().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| raise(ExcType::TypeError, "there is no such cursor or savepoint"))
    }
}
