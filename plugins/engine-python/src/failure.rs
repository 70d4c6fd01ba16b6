//! What goes wrong: raised by this side, and explained to the host.

use std::cell::RefCell;
use std::panic;

use monty_types::{ExcType, MontyException};

use crate::bindings::ScriptFailure;
use crate::bindings::whimbrel::migration::log::{self, Level};
use crate::bindings::whimbrel::migration::scripts::Frame;
use crate::bindings::whimbrel::migration::types::SqlError;
use crate::outline::MODULES;

/// Most frames that are told.
const FRAMES: usize = 30;
/// Most bytes of a message.
const MESSAGE: usize = 16 << 10;
/// How the interpreter begins its sentence about what it does not know.
const UNKNOWN: &str = "The monty syntax parser does not yet support ";
/// How it ends the one about a call of the host's functions where it cannot stop and wait for the answer.
const WAITING: &str = " cannot suspend in this synchronous context";
/// What it says of an exception that is made with anything else, whatever the exception is; no script can catch it.
const ARGUMENTS: &str = "Internal error in monty: exceptions can only be called with zero or one string argument";

thread_local! {
    /// The statement that failed last, and what was raised for it.
    static LAST: RefCell<Option<(SqlError, ExcType)>> = const { RefCell::new(None) };
}

/// Has what the interpreter breaks at written into the host's log: all that is left of it is a trap.
pub(crate) fn install_hook() {
    panic::set_hook(Box::new(|about| log::write(Level::Error, &format!("the Python interpreter broke: {about}"))));
}

/// Makes what is raised for something that this side refuses.
pub(crate) fn raise(kind: ExcType, message: impl Into<String>) -> MontyException {
    MontyException::new(kind, Some(message.into()))
}

/// Makes what is raised for a statement that failed. Python's own exceptions are all there are: none can be derived.
pub(crate) fn raise_sql(error: SqlError) -> MontyException {
    let kind = match error.code.as_str() {
        "denied" => ExcType::PermissionError,
        "busy" => ExcType::TimeoutError,
        code if code.starts_with("constraint") => ExcType::ValueError,
        _ => ExcType::RuntimeError,
    };
    let raised = raise(kind, error.message.clone());
    LAST.set(Some((error, kind)));
    raised
}

/// Lends the statement that failed last.
pub(crate) fn last_sql<T>(look: impl FnOnce(Option<&SqlError>) -> T) -> T {
    LAST.with_borrow(|last| look(last.as_ref().map(|(error, _)| error)))
}

/// Makes a failure.
pub(crate) fn failure(code: &str, mut message: String, frames: Vec<Frame>) -> ScriptFailure {
    message.truncate(message.floor_char_boundary(MESSAGE));
    ScriptFailure { code: code.to_owned(), message, frames, row: None, details: Vec::new() }
}

/// Adds what to do about it.
pub(crate) fn hinted(mut failure: ScriptFailure, hint: impl Into<String>) -> ScriptFailure {
    failure.details.push(("hint".to_owned(), hint.into()));
    failure
}

/// Explains what was raised. Frames of the script are those of files called `name`; its path is `path`.
pub(crate) fn explain(error: &MontyException, name: &str, path: &str) -> ScriptFailure {
    let frames = error.traceback().iter().rev().filter(|frame| frame.filename == name);
    let frames = frames.take(FRAMES).map(|frame| Frame {
        function: frame.frame_name.clone().unwrap_or_default(),
        file: path.to_owned(),
        line: frame.start.line,
        column: frame.start.column,
    });
    let frames = frames.collect();
    let words = error.message().unwrap_or_default();
    if let Some(what) = words.strip_prefix(UNKNOWN) {
        let message = format!("{what}: not in the subset of Python that the engine runs");
        return hinted(failure("unsupported", message, frames), instead(what));
    }
    if words == ARGUMENTS {
        let message = "an exception was raised with something else than one str, which the engine does not know: raise \
                       ValueError(f\"…\")";
        return hinted(failure("thrown", message.to_owned(), frames), format!("write str(x) for x; {END}"));
    }
    if let Some(call) = words.strip_suffix(WAITING).filter(|_| error.exc_type() == ExcType::NotImplementedError) {
        let name = call.split('\'').nth(1).unwrap_or(call);
        let message = format!(
            "NotImplementedError: {name} cannot be called in a function that the interpreter itself calls, such as a key of \
             sorted, a function for map, or __eq__"
        );
        let hint = "call it before, in a loop or a comprehension, and work with what it has returned";
        return hinted(failure("unsupported", message, frames), hint);
    }
    let kind: &'static str = error.exc_type().into();
    let message = if words.is_empty() { kind.to_owned() } else { format!("{kind}: {words}") };
    let failure = failure(code(error), message, frames);
    match hint(error.exc_type(), words) {
        Some(hint) => hinted(failure, hint),
        None => failure,
    }
}

fn code(error: &MontyException) -> &'static str {
    let sql = LAST.with_borrow(|last| {
        last.as_ref().is_some_and(|(sql, kind)| *kind == error.exc_type() && Some(&*sql.message) == error.message())
    });
    match error.exc_type() {
        _ if sql => "sql",
        ExcType::SyntaxError => "syntax",
        ExcType::MemoryError => "memory",
        ExcType::RecursionError => "stack",
        ExcType::ImportError | ExcType::ModuleNotFoundError => "import",
        _ => "thrown",
    }
}

/// Says what to write instead of what the interpreter does not know.
fn instead(what: &str) -> String {
    let ways = [
        ("yield", "build a list, and return it"),
        ("inherit", "write functions, or classes without a base"),
        ("decorators", "write a function beside the class"),
        ("'del'", "assign None; a dict has pop, a list has pop and slices"),
        ("async", "write `def`: a migration has nothing to wait for"),
    ];
    let way = ways.iter().find(|(word, _)| what.contains(word)).map(|(_, way)| format!("{way}; "));
    format!("{}the documentation of scripts lists what is there", way.unwrap_or_default())
}

/// What scripts of other programs have and migrations do not, and what to do without it.
const ABSENT: &[(&str, &str)] = &[
    ("db", "take it as the first parameter: def up(db): …"),
    ("ctx", "take it as the second parameter: def up(db, ctx): …"),
    ("input", "a migration has nobody to ask: values come from `[params]` as ctx.params"),
    ("conn", "a migration has one connection: def up(db): …"),
    ("cursor", "db.cursor(sql) makes one"),
    ("exit", END),
    ("quit", END),
];

/// What to do instead of ending the program.
const END: &str = "a migration ends when its function returns: return early, or raise an error to have it rolled back";

fn hint(kind: ExcType, words: &str) -> Option<String> {
    match kind {
        ExcType::NameError => {
            let name = words.split('\'').nth(1)?;
            ABSENT.iter().find(|(absent, _)| *absent == name).map(|(_, hint)| (*hint).to_owned())
        }
        ExcType::AttributeError if words == "module 'sys' has no attribute 'exit'" => Some(END.to_owned()),
        ExcType::SystemExit | ExcType::KeyboardInterrupt => Some(END.to_owned()),
        ExcType::ModuleNotFoundError | ExcType::ImportError => Some(modules()),
        ExcType::RecursionError => {
            Some("a function calls itself too often: use a loop, or a list as a stack".to_owned())
        }
        _ => None,
    }
}

/// Says what can be imported.
pub(crate) fn modules() -> String {
    format!("there are {}; other files cannot be imported", MODULES.join(", "))
}
