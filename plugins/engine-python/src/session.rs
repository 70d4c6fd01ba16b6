//! Runs a script: starts the interpreter, feeds it, and answers what it asks for on the way.

use monty::{MontyRepl, ReplProgress};
use monty_types::{
    CompileOptions, DateTimeSource, ExcType, ExtFunctionResult, MontyException, MontyObject, NameLookupResult,
    NamedValues, OsPolicy, PrintWriter, RandomSeed, RandomStart, ResourceLimits, ResourceTracker, SleepMode,
};

use crate::bindings::ScriptFailure;
use crate::bindings::whimbrel::migration::types::Context;
use crate::calls;
use crate::failure::{explain, raise};
use crate::memory;
use crate::outline::Source;
use crate::printer::Printer;

/// The part of the scripts' interface that is Python itself.
const PRELUDE: &str = include_str!("prelude.py");
/// What the interpreter calls the second text that it is fed: the script, after the prelude.
const SCRIPT: &str = "<python-input-1>";

/// A script that was run to the end of its top.
pub(crate) struct Session {
    /// None only while it runs.
    repl: Option<MontyRepl>,
    path: String,
    printer: Printer,
}

impl Session {
    /// Starts the interpreter and runs the statements at the top of a script.
    pub(crate) fn start(source: &Source, context: &Context, memory: u64) -> Result<Self, ScriptFailure> {
        let mut limits = ResourceLimits::default().max_suspensions(usize::MAX);
        limits.max_memory = memory::limit(memory);
        let started = context.started_at;
        let policy = OsPolicy {
            datetime: DateTimeSource::Fixed {
                unix_seconds: i64::try_from(started / 1000).unwrap_or(0),
                microsecond: (started % 1000) as u32 * 1000,
            },
            sleep: SleepMode::Zero,
            random_start: RandomStart::Seed(RandomSeed::Int(context.seed.into())),
            ..OsPolicy::default()
        };
        let repl = MontyRepl::new(&source.path, ResourceTracker::new(limits), CompileOptions::default());
        let mut session =
            Self { repl: Some(repl.with_os_policy(policy)), path: source.path.clone(), printer: Printer::default() };
        session.feed(PRELUDE, calls::inputs(context))?;
        session.feed(&source.text, Vec::new())?;
        Ok(session)
    }

    /// Runs a text, and returns the value of the expression that it ends with.
    pub(crate) fn feed(&mut self, text: &str, inputs: impl Into<NamedValues>) -> Result<MontyObject, ScriptFailure> {
        let fed = self.drive(text, inputs.into());
        self.printer.flush();
        fed.map_err(|error| explain(&error, SCRIPT, &self.path))
    }

    fn drive(&mut self, text: &str, inputs: NamedValues) -> Result<MontyObject, MontyException> {
        let Some(repl) = self.repl.take() else { return Err(raise(ExcType::RuntimeError, "the script has ended")) };
        let printer = &mut self.printer;
        let mut progress = repl.feed_start(text, inputs, PrintWriter::Callback(printer));
        loop {
            progress = match progress {
                Ok(ReplProgress::Complete { repl, value }) => {
                    self.repl = Some(repl);
                    return Ok(value);
                }
                Ok(ReplProgress::FunctionCall(call)) => {
                    let answer = calls::answer(call.object_id, &call.function_name, &call.args);
                    call.resume(result(answer), PrintWriter::Callback(printer))
                }
                Ok(ReplProgress::OsCall(call)) => {
                    let answer = calls::system(&call.function_call);
                    call.resume(result(answer), PrintWriter::Callback(printer))
                }
                Ok(ReplProgress::NameLookup(lookup)) => {
                    lookup.resume(NameLookupResult::Undefined, PrintWriter::Callback(printer))
                }
                Ok(ReplProgress::ResolveFutures(futures)) => {
                    self.repl = Some(futures.into_repl());
                    return Err(raise(
                        ExcType::RuntimeError,
                        "awaits what never comes: a migration has nothing to wait for",
                    ));
                }
                Err(failed) => {
                    self.repl = Some(failed.repl);
                    return Err(failed.error);
                }
            };
        }
    }
}

fn result(answer: Result<MontyObject, MontyException>) -> ExtFunctionResult {
    answer.map_or_else(ExtFunctionResult::Error, ExtFunctionResult::Return)
}
