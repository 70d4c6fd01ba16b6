//! Runs JavaScript migrations: QuickJS behind the world `script-engine`.
//!
//! `js` is all that touches QuickJS's own interface, `prelude.js` the part of the scripts' interface that is
//! JavaScript itself, `modules` finds what scripts import, `values` turns cells into JavaScript values and back, `sql`
//! gives scripts the handle, `many` writes many rows at once, `savepoints` keeps savepoints in order, `transform` maps batches row by row, `columns` whole ones, `splitting` splits
//! texts by expressions, `separator` knows the simplest of these, `failure` explains what was thrown.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, reason = "the exports are generated, and documented in the WIT package")]

#[allow(unreachable_pub, reason = "generated code")]
mod bindings;
mod class;
mod columns;
mod failure;
mod js;
mod machine;
mod many;
mod memory;
mod modules;
mod native;
mod savepoints;
mod separator;
mod splitting;
mod sql;
mod transform;
mod typescript;
mod values;

use bindings::whimbrel::migration::sql::Transaction;
use bindings::whimbrel::migration::types::Batch;
use bindings::{Engine, Outline, Request, Script, ScriptFailure};

/// The functions that the host calls.
const CALLED: [&str; 6] = ["up", "down", VERIFY, "transform", columns::EXPORT, "revert"];
/// The function whose answer counts.
const VERIFY: &str = "verify";

struct QuickJs;

impl bindings::Guest for QuickJs {
    fn describe() -> Engine {
        Engine {
            name: "quickjs".to_owned(),
            version: js::version(),
            extensions: ["js", "mjs", "ts", "mts"].map(str::to_owned).into(),
            details: vec![("language".to_owned(), "JavaScript".to_owned())],
        }
    }

    fn check(script: Script) -> Result<Outline, ScriptFailure> {
        machine::start(None, 0);
        let mut exports = modules::check(script)?;
        if exports.iter().any(|name| name == columns::EXPORT) && !exports.iter().any(|name| name == "transform") {
            exports.push("transform".to_owned());
        }
        Ok(Outline { exports, details: Vec::new() })
    }

    fn run(db: Transaction, request: Request) -> Result<(), ScriptFailure> {
        machine::start(Some(&request.context), request.memory);
        native::install(&request.context).map_err(|thrown| thrown.explain())?;
        sql::lend(db);
        let module = modules::load(request.script)?;
        let answer = machine::call(&module, &request.export)?;
        machine::refuse_unread(&answer, &request.export)?;
        if request.export == VERIFY { machine::judge(&answer, VERIFY) } else { Ok(()) }
    }

    fn load(request: Request) -> Result<(), ScriptFailure> {
        machine::start(Some(&request.context), request.memory);
        native::install(&request.context).map_err(|thrown| thrown.explain())?;
        transform::load(request)
    }

    fn transform(input: Batch) -> Result<Batch, ScriptFailure> {
        transform::apply(input)
    }
}

bindings::export!(QuickJs with_types_in bindings);
