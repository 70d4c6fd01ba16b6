//! What goes wrong: thrown by this side, and explained to the host.

use std::cell::OnceCell;
use std::ffi::CStr;

use crate::bindings::ScriptFailure;
use crate::bindings::whimbrel::migration::scripts::Frame;
use crate::bindings::whimbrel::migration::types::SqlError;
use crate::js::{self, Atom, Js, Thrown, Type};

/// What the files of this side are called in stack traces.
pub(crate) const PRELUDE: &CStr = c"whimbrel:prelude";
/// Most frames that are told.
const FRAMES: usize = 30;
/// Most causes that are told: one may be its own.
const CAUSES: usize = 5;
/// Most bytes of a message.
const MESSAGE: usize = 16 << 10;

/// Which error to throw.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Plain,
    Type,
    Range,
    Syntax,
}

/// The constructors of errors, kept so that a script cannot change what is thrown.
pub(crate) struct Constructors {
    pub(crate) plain: Js,
    pub(crate) types: Js,
    pub(crate) range: Js,
    pub(crate) syntax: Js,
    pub(crate) sql: Option<Js>,
}

thread_local! {
    static CONSTRUCTORS: OnceCell<Constructors> = const { OnceCell::new() };
}

/// Keeps the constructors.
pub(crate) fn keep(constructors: Constructors) {
    // Kept once, by the first to come.
    CONSTRUCTORS.with(|cell| drop(cell.set(constructors)));
}

/// Throws an error.
pub(crate) fn fail(kind: Kind, message: &str) -> Thrown {
    CONSTRUCTORS.with(|cell| {
        let Some(constructors) = cell.get() else { return Thrown };
        let constructor = match kind {
            Kind::Plain => &constructors.plain,
            Kind::Type => &constructors.types,
            Kind::Range => &constructors.range,
            Kind::Syntax => &constructors.syntax,
        };
        Js::text(message)
            .and_then(|message| constructor.construct(&[message.raw()]))
            .map_or_else(|thrown| thrown, Js::throw)
    })
}

/// Throws an error that stands in a file, and not where it is thrown.
pub(crate) fn fail_at(kind: Kind, message: &str, path: &str, line: u32, column: u32) -> Thrown {
    let thrown = fail(kind, message);
    let error = Js::exception();
    match Js::text(&format!("    at {path}:{line}:{column}\n")).and_then(|stack| error.set(c"stack", stack)) {
        Ok(()) => error.throw(),
        Err(_) => thrown,
    }
}

/// Throws what the database said.
pub(crate) fn fail_sql(error: &SqlError) -> Thrown {
    let make = || {
        let text = |text: &str| Js::text(text);
        let constructor = CONSTRUCTORS.with(|cell| cell.get().and_then(|all| all.sql.clone()));
        let constructor = constructor.ok_or(Thrown)?;
        let thrown = constructor.construct(&[text(&error.message)?.raw()])?;
        thrown.set(c"code", text(&error.code)?)?;
        thrown.set(c"native", text(&error.native)?)?;
        if let Some(row) = error.row {
            thrown.set(c"row", Js::number(row.into()))?;
        }
        Ok(thrown)
    };
    make().map_or_else(|thrown: Thrown| thrown, Js::throw)
}

impl Thrown {
    /// Explains the exception that is waiting.
    #[expect(clippy::unused_self, reason = "the proof that one is waiting")]
    pub(crate) fn explain(self) -> ScriptFailure {
        explain(&Js::exception())
    }
}

/// Explains something that was thrown. It may be anything, and its properties may throw too.
pub(crate) fn explain(thrown: &Js) -> ScriptFailure {
    js::with_room(|| explained(thrown))
}

fn explained(thrown: &Js) -> ScriptFailure {
    if !thrown.is_error() {
        let shown = shown(thrown);
        return failure("thrown", format!("threw {shown}, which is no Error and knows no place"), Vec::new());
    }
    let property = |name: &CStr| thrown.get(name).ok().and_then(|value| text(&value));
    let name = property(c"name").unwrap_or_else(|| "Error".to_owned());
    let words = property(c"message").unwrap_or_default();
    let frames = property(c"stack").map_or_else(Vec::new, |stack| frames(&stack));
    let code = match name.as_str() {
        "SyntaxError" => "syntax",
        "SqlError" => "sql",
        "InternalError" if words == "out of memory" => "memory",
        _ if words.contains("call stack size exceeded") || words.contains("stack overflow") => "stack",
        _ => "thrown",
    };
    let mut message = if words.is_empty() { name } else { format!("{name}: {words}") };
    message.push_str(&causes(thrown));
    let mut failure = failure(code, message, frames);
    if let Some(hint) = hint(&words) {
        failure.details.push(("hint".to_owned(), hint));
    }
    failure
}

/// Names what caused an error, and what caused that.
fn causes(thrown: &Js) -> String {
    let own = |error: &Js| {
        let cause = error.get(c"cause").ok().filter(|cause| cause.kind() != Type::Undefined);
        cause.filter(|_| error.has_own(&Atom::new("cause")).unwrap_or(false))
    };
    let mut said = String::new();
    let mut at = own(thrown);
    for _ in 0..CAUSES {
        let Some(cause) = at else { break };
        said.push_str(&format!(" (cause: {})", shown(&cause)));
        at = if cause.is_error() { own(&cause) } else { None };
    }
    said
}

/// Makes a failure.
pub(crate) fn failure(code: &str, mut message: String, frames: Vec<Frame>) -> ScriptFailure {
    message.truncate(message.floor_char_boundary(MESSAGE));
    ScriptFailure { code: code.to_owned(), message, frames, row: None, details: Vec::new() }
}

/// Shows something that was thrown; of an object that has no words of its own, what is in it.
fn shown(value: &Js) -> String {
    let words = text(value);
    let inside = || match value.to_json() {
        Ok(json) if json.kind() == Type::Text => text(&json),
        Ok(_) => None,
        Err(Thrown) => {
            drop(Js::exception());
            None
        }
    };
    match words {
        Some(words) if words.starts_with("[object ") => inside().unwrap_or(words),
        Some(words) => words,
        None => inside().unwrap_or_else(|| "something that has no text".to_owned()),
    }
}

fn text(value: &Js) -> Option<String> {
    match value.to_text() {
        Ok(text) => Some(text),
        Err(Thrown) => {
            drop(Js::exception());
            None
        }
    }
}

/// Reads the lines of a stack trace: `    at name (file:line:column)`.
fn frames(stack: &str) -> Vec<Frame> {
    stack.lines().filter_map(frame).take(FRAMES).collect()
}

fn frame(line: &str) -> Option<Frame> {
    let line = line.trim_start().strip_prefix("at ")?;
    let (function, place) = match line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")) {
        Some((function, place)) => (function, place),
        None => ("", line),
    };
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    // What is in angle brackets is the text that an `eval` or the like was given.
    if file == PRELUDE.to_str().unwrap_or_default() || file.starts_with("whimbrel:") || file.starts_with('<') {
        return None;
    }
    let function = if function == "<anonymous>" { "" } else { function };
    Some(Frame {
        function: function.to_owned(),
        file: file.to_owned(),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}

/// What scripts of other programs have and migrations do not, and what to do without it.
const ABSENT: &[(&str, &str)] = &[
    ("fetch", "a migration has no network: what it needs has to be in the database, or in a file it imports"),
    ("XMLHttpRequest", "a migration has no network: what it needs has to be in the database, or in a file it imports"),
    ("WebSocket", "a migration has no network: what it needs has to be in the database, or in a file it imports"),
    ("setTimeout", "a migration has no timers: there is nothing to wait for"),
    ("setInterval", "a migration has no timers: there is nothing to wait for"),
    ("setImmediate", "a migration has no timers: there is nothing to wait for"),
    ("require", "write `import { name } from \"./file.js\"`: files of the migrations folder, and no packages"),
    ("module", "write `export function up(db)`: a script is an ES module"),
    ("exports", "write `export function up(db)`: a script is an ES module"),
    ("process", "a migration sees no environment: values come from `[params]` as ctx.params"),
    ("Deno", "a migration sees no environment: values come from `[params]` as ctx.params"),
    ("Buffer", "blobs are Uint8Array; TextEncoder and TextDecoder turn text into bytes and back"),
    ("window", "a migration runs in no browser"),
    ("document", "a migration runs in no browser"),
    ("crypto", "a migration has no secrets and no true chance: Math.random() gives the same in every run"),
    ("Intl", "there is no Intl in the engine: write the rule out, or use toLowerCase, normalize and the like"),
    ("db", "take it as the first parameter: export function up(db) { … }"),
    ("ctx", "take it as the second parameter: export function up(db, ctx) { … }"),
];

fn hint(message: &str) -> Option<String> {
    let name = message.strip_suffix(" is not defined")?.trim_matches('\'');
    ABSENT.iter().find(|(absent, _)| *absent == name).map(|(_, hint)| (*hint).to_owned())
}
