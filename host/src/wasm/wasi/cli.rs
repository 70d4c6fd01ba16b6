//! `wasi:cli`: an empty environment, no terminal, standard output and error into the log.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};

use super::interface;
use super::io::{InputStream, OutputStream, STANDARD_ERROR, STANDARD_OUTPUT};
use crate::wasm::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// There is no terminal, so there never is one of these.
struct Terminal;

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut environment = linker.instance(&interface("cli/environment"))?;
    environment.func_wrap("get-environment", |_: Store<'_>, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
    environment.func_wrap("get-arguments", |_: Store<'_>, (): ()| Ok((Vec::<String>::new(),)))?;
    environment.func_wrap("initial-cwd", |_: Store<'_>, (): ()| Ok((None::<String>,)))?;

    let mut exit = linker.instance(&interface("cli/exit"))?;
    exit.func_wrap("exit", |_: Store<'_>, (status,): (Result<(), ()>,)| ended(u8::from(status.is_err())))?;
    exit.func_wrap("exit-with-code", |_: Store<'_>, (code,): (u8,)| ended(code))?;

    let mut stdin = linker.instance(&interface("cli/stdin"))?;
    stdin.func_wrap("get-stdin", |_: Store<'_>, (): ()| Ok((Resource::<InputStream>::new_own(0),)))?;
    for (name, stream) in [("stdout", STANDARD_OUTPUT), ("stderr", STANDARD_ERROR)] {
        let mut output = linker.instance(&interface(&format!("cli/{name}")))?;
        let open = move |_: Store<'_>, (): ()| Ok((Resource::<OutputStream>::new_own(stream),));
        output.func_wrap(&format!("get-{name}"), open)?;
    }

    for name in ["terminal-input", "terminal-output"] {
        let mut terminal = linker.instance(&interface(&format!("cli/{name}")))?;
        terminal.resource(name, ResourceType::host::<Terminal>(), |_, _| Ok(()))?;
    }
    for name in ["terminal-stdin", "terminal-stdout", "terminal-stderr"] {
        let mut terminal = linker.instance(&interface(&format!("cli/{name}")))?;
        terminal.func_wrap(&format!("get-{name}"), |_: Store<'_>, (): ()| Ok((None::<Resource<Terminal>>,)))?;
    }
    Ok(())
}

/// A migration that ends itself has not said whether it is done.
fn ended(code: u8) -> wasmtime::Result<()> {
    Err(wasmtime::Error::msg(format!("the guest called exit({code}); a migration ends by returning from up or down")))
}
