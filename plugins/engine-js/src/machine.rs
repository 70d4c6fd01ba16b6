//! Starts the interpreter and calls what a script exports.

use std::cell::{OnceCell, RefCell};

use crate::bindings::ScriptFailure;
use crate::bindings::whimbrel::migration::scripts::Frame;
use crate::bindings::whimbrel::migration::types::Context;
use crate::failure::{Constructors, explain, failure, keep};
use crate::js::{self, Atom, JSValue, Js, Place, Promise, Result, Thrown, Type};
use crate::{VERIFY, class, native, sql};

/// Bytes of an instance's memory that scripts do not get: the interpreter's own, and what is on its way to the host.
const RESERVED: u64 = 16 << 20;

thread_local! {
    /// Promises that were rejected and that nobody has looked at, with what they were rejected with.
    /// The promises are held: another that came to lie in the place of one that is gone would be taken for it.
    static REJECTED: RefCell<Vec<(Js, Js)>> = const { RefCell::new(Vec::new()) };
    /// The name of the method that makes something a thing to await, which is looked for in every answer.
    static THEN: OnceCell<Atom> = const { OnceCell::new() };
}

/// Returns how much of an instance's memory scripts get; pieces of it are lost between others. 0 is no limit.
fn limit(memory: u64) -> usize {
    let limit = memory.saturating_sub(RESERVED + memory / 8);
    usize::try_from(if memory > 0 { limit.max(1 << 20) } else { 0 }).unwrap_or(usize::MAX)
}

/// Starts the interpreter. `memory` is what the whole instance may have; 0 when that is not known.
pub(crate) fn start(context: Option<&Context>, memory: u64) {
    let (seed, now) = context.map_or((1, 0), |context| (context.seed, context.started_at));
    js::start(seed, now, limit(memory));
    js::set_rejection_tracker(Some(rejected));
    let global = Js::global();
    let constructor = |name| global.get(name).unwrap_or_else(|_| Js::undefined());
    if context.is_none() {
        keep(Constructors {
            plain: constructor(c"Error"),
            types: constructor(c"TypeError"),
            range: constructor(c"RangeError"),
            syntax: constructor(c"SyntaxError"),
            sql: None,
        });
    }
}

unsafe extern "C" fn rejected(
    _: *mut rquickjs_sys::JSContext,
    promise: JSValue,
    reason: JSValue,
    handled: bool,
    _: *mut std::ffi::c_void,
) {
    REJECTED.with_borrow_mut(|rejected| {
        if handled {
            rejected.retain(|(other, _)| other.raw() != promise);
        } else {
            rejected.push((Js::borrowed(promise), Js::borrowed(reason)));
        }
    });
}

/// Calls a function that a loaded script exports, with the handle and the context; returns what it answered.
pub(crate) fn call(module: &Js, export: &str) -> std::result::Result<Js, ScriptFailure> {
    let function = exported(module, export)?;
    let arguments = native::arguments();
    let called = function.call(&Js::undefined(), &[arguments.db.raw(), arguments.context.raw()]);
    settle(called, export)
}

/// Makes a failure of an answer that JavaScript takes for false; no answer is one, since `first()` gives none for no row.
pub(crate) fn judge(answer: &Js, export: &str) -> std::result::Result<(), ScriptFailure> {
    if answer.truth() {
        return Ok(());
    }
    let shown = match answer.kind() {
        Type::Undefined => "nothing".to_owned(),
        Type::Text => "an empty text".to_owned(),
        _ => answer.to_text().unwrap_or_default(),
    };
    Err(failure("unverified", format!("{export} returned {shown}"), Vec::new()))
}

/// Finds a function that a script exports.
pub(crate) fn exported(module: &Js, export: &str) -> std::result::Result<Js, ScriptFailure> {
    let exports = js::namespace(module).map_err(|thrown| thrown.explain())?;
    let name = js::Atom::new(export);
    let function = exports.get_atom(&name).map_err(|thrown| thrown.explain())?;
    if let Some(place) = function.generator() {
        return Err(generator(export, place));
    }
    if function.is_function() {
        return Ok(function);
    }
    let is = if exports.has_own(&name).unwrap_or(false) { "is no function" } else { "is not there" };
    let message = format!("the export {export} {is}: write `export function {export}(…) {{ … }}`");
    Err(failure("missing-export", message, Vec::new()))
}

/// Refuses a generator where a function is called.
pub(crate) fn generator(export: &str, place: Place) -> ScriptFailure {
    let message = format!(
        "the export {export} is a generator, and a call runs nothing of one: write `export function {export}(…)` without the \
         star, and give a generator that it uses another name"
    );
    let frame = Frame { function: export.to_owned(), file: place.file, line: place.line, column: place.column };
    failure("unsupported", message, vec![frame])
}

/// Refuses what was left unread: an iterator as an answer, and what was made of the rows of a query. What they would do once
/// they are read, nobody has done.
pub(crate) fn refuse_unread(answer: &Js, export: &str) -> std::result::Result<(), ScriptFailure> {
    if let Some(error) = sql::unread() {
        return Err(explain(&error));
    }
    let is_run = export != VERIFY && class::is_run(answer);
    let next = if answer.is_object() && !is_run {
        answer.get(c"next").map_err(|thrown| thrown.explain())?
    } else {
        Js::undefined()
    };
    if !next.is_function() {
        return Ok(());
    }
    let message = format!(
        "{export} returned an iterator, which nobody reads, so that nothing of it was done: read it with `for (… of …)`, \
         `.forEach(…)`, `.toArray()` or the like"
    );
    Err(failure("unsupported", message, Vec::new()))
}

/// Waits until what was called has settled, and everything that it set off.
pub(crate) fn settle(called: Result<Js>, what: &str) -> std::result::Result<Js, ScriptFailure> {
    settle_explained(called, what, explain)
}

/// As [`settle`]; `explain` explains what was thrown, or what a promise was rejected with.
pub(crate) fn settle_explained(
    called: Result<Js>,
    what: &str,
    explain: fn(&Js) -> ScriptFailure,
) -> std::result::Result<Js, ScriptFailure> {
    let called = called.and_then(awaited).map_err(|Thrown| explain(&Js::exception()));
    // Also when the call has failed: the next one is not to be blamed for what this one has left.
    let jobs = js::run_jobs().map_err(|thrown| thrown.explain());
    let left = REJECTED.take();
    let value = called?;
    jobs?;
    let value = match value.promise() {
        None => value,
        Some(Promise::Fulfilled(value)) => value,
        Some(Promise::Rejected(reason)) => return Err(rejection(explain(&reason))),
        Some(Promise::Pending) => {
            let message =
                format!("the promise that {what} returned never settles: nothing is left that could resolve it");
            return Err(failure("unsettled", message, Vec::new()));
        }
    };
    match left.into_iter().next() {
        Some((_, reason)) => Err(rejection(explain(&reason))),
        None => Ok(value),
    }
}

/// Makes a promise of what can be awaited and is none.
fn awaited(value: Js) -> Result<Js> {
    if !value.is_object() || value.promise().is_some() {
        return Ok(value);
    }
    THEN.with(|name| {
        let then = name.get_or_init(|| Atom::new("then"));
        let is_awaited = value.may_have(then) && value.get_atom(then)?.is_function();
        if is_awaited { value.resolved() } else { Ok(value) }
    })
}

fn rejection(explained: ScriptFailure) -> ScriptFailure {
    if explained.code == "thrown" { ScriptFailure { code: "rejected".to_owned(), ..explained } } else { explained }
}
