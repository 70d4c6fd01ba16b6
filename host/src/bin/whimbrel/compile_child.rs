//! This program as the process of its own in which a component is compiled.

use std::io;
use std::process::ExitCode;

use whimbrel::wasm::{CompileIsolation, CompilerProgram, compile_in_child};

/// What it is called with then. No verb: nothing of what a verb needs is set up, nor would its limits allow it.
const ARGUMENT: &str = "__compile";

/// Says that components are compiled by this program in a process of its own.
pub(crate) fn isolation() -> CompileIsolation {
    match std::env::current_exe() {
        Ok(program) => CompileIsolation::Child(CompilerProgram { program, arguments: vec![ARGUMENT.into()] }),
        Err(error) => {
            tracing::warn!("components are compiled without limits: this program does not know its own path: {error}");
            CompileIsolation::InProcess
        }
    }
}

/// Compiles a component if this process was started to do that.
pub(crate) fn run() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let done = compile_in_child(arguments, &mut io::stdin().lock(), &mut io::stdout().lock());
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
