//! Runs Python migrations: Monty, an interpreter of a subset of Python, behind the world `script-engine`.
//!
//! `prelude.py` is the part of the scripts' interface that is Python itself, `outline` reads a script without running
//! it, `session` runs it, `calls` answers what it asks the host for, `sql` gives it the handle, `many`
//! writes many rows at once, `savepoints` keeps savepoints in order, `values` turns cells into
//! Python values and back, `transform` maps batches, `verify` judges what `verify` answers, `failure` explains what was
//! raised.
#![allow(missing_docs, unreachable_pub, reason = "the exports are generated, and documented in the WIT package")]

mod bindings;
mod calls;
mod chance;
mod failure;
mod many;
mod memory;
mod outline;
mod printer;
mod rows;
mod savepoints;
mod session;
mod sql;
mod transform;
mod values;
mod verify;

use bindings::whimbrel::migration::sql::Transaction;
use bindings::whimbrel::migration::types::Batch;
use bindings::{Engine, Outline, Request, Script, ScriptFailure};
use outline::Source;
use session::Session;

/// The function whose answer counts.
const VERIFY: &str = "verify";

struct Monty;

impl bindings::Guest for Monty {
    fn describe() -> Engine {
        Engine {
            name: "monty".to_owned(),
            version: monty_types::MONTY_VERSION.to_owned(),
            extensions: vec!["py".to_owned()],
            details: vec![("language".to_owned(), "Python".to_owned())],
        }
    }

    fn check(script: Script) -> Result<Outline, ScriptFailure> {
        failure::install_hook();
        let source = Source::read(script)?;
        source.check_functions()?;
        Ok(Outline { exports: source.exports(), details: Vec::new() })
    }

    fn run(db: Transaction, request: Request) -> Result<(), ScriptFailure> {
        failure::install_hook();
        let source = Source::read(request.script)?;
        let function = source.function(&request.export)?;
        sql::lend(db);
        let mut session = Session::start(&source, &request.context, request.memory)?;
        let call = format!("{}({})", function.name, function.arguments("_whimbrel[0]"));
        if function.name == VERIFY {
            return verify::judge(&mut session, &call, function);
        }
        session.feed(&call, Vec::new()).map_err(|failure| function.place(failure))?;
        Ok(())
    }

    fn load(request: Request) -> Result<(), ScriptFailure> {
        failure::install_hook();
        transform::load(request)
    }

    fn transform(input: Batch) -> Result<Batch, ScriptFailure> {
        transform::apply(input)
    }
}

bindings::export!(Monty with_types_in bindings);
