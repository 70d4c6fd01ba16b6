//! `wasi:io`: standard input that has ended, and standard output and error that end up in the log.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, LinkerInstance, Lower, Resource, ResourceType};

use super::{Output, interface};
use crate::wasm::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// Standard input: the only one there is.
pub(super) struct InputStream;
/// Standard output or error, by number.
pub(super) struct OutputStream;
/// Why a stream failed; none ever does, so there is none.
pub(super) struct StreamFailure;

/// The numbers of the two.
pub(super) const STANDARD_OUTPUT: u32 = 1;
pub(super) const STANDARD_ERROR: u32 = 2;

/// Bytes that may be written at once.
const PERMIT: u64 = 64 << 10;

#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[expect(dead_code, reason = "the contract has it, but writing into the log does not fail")]
    LastOperationFailed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

type Input = Resource<InputStream>;
type Out = Resource<OutputStream>;
type Streamed<T> = (Result<T, StreamError>,);

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut error = linker.instance(&interface("io/error"))?;
    error.resource("error", ResourceType::host::<StreamFailure>(), |_, _| Ok(()))?;
    error.func_wrap("[method]error.to-debug-string", |_: Store<'_>, (_,): (Resource<StreamFailure>,)| {
        Ok((String::new(),))
    })?;
    let mut streams = linker.instance(&interface("io/streams"))?;
    streams.resource("input-stream", ResourceType::host::<InputStream>(), |_, _| Ok(()))?;
    streams.resource("output-stream", ResourceType::host::<OutputStream>(), |_, _| Ok(()))?;
    add_input(&mut streams)?;
    add_output(&mut streams)
}

/// Standard input has ended before the first byte.
fn add_input(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    for name in ["read", "blocking-read"] {
        let read = |_: Store<'_>, (_, _): (Input, u64)| -> wasmtime::Result<Streamed<Vec<u8>>> {
            Ok((Err(StreamError::Closed),))
        };
        streams.func_wrap(&format!("[method]input-stream.{name}"), read)?;
    }
    for name in ["skip", "blocking-skip"] {
        let skip =
            |_: Store<'_>, (_, _): (Input, u64)| -> wasmtime::Result<Streamed<u64>> { Ok((Err(StreamError::Closed),)) };
        streams.func_wrap(&format!("[method]input-stream.{name}"), skip)?;
    }
    streams.func_wrap("[method]input-stream.subscribe", |mut store: Store<'_>, (_,): (Input,)| {
        Ok((store.data_mut().wasi.wait_for(0),))
    })
}

fn add_output(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    let method = |name: &str| format!("[method]output-stream.{name}");
    streams.func_wrap(&method("check-write"), |_: Store<'_>, (_,): (Out,)| -> wasmtime::Result<Streamed<u64>> {
        Ok((Ok(PERMIT),))
    })?;
    for name in ["write", "blocking-write-and-flush"] {
        let write = |mut store: Store<'_>, (stream, contents): (Out, Vec<u8>)| -> wasmtime::Result<Streamed<()>> {
            store.data_mut().work_on(contents.len())?;
            store.data_mut().print(output(&stream), &contents);
            Ok((Ok(()),))
        };
        streams.func_wrap(&method(name), write)?;
    }
    for name in ["flush", "blocking-flush"] {
        let flush = |_: Store<'_>, (_,): (Out,)| -> wasmtime::Result<Streamed<()>> { Ok((Ok(()),)) };
        streams.func_wrap(&method(name), flush)?;
    }
    // Zeroes are nothing to read in a log.
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let write = |_: Store<'_>, (_, _): (Out, u64)| -> wasmtime::Result<Streamed<()>> { Ok((Ok(()),)) };
        streams.func_wrap(&method(name), write)?;
    }
    // From standard input, which has ended.
    for name in ["splice", "blocking-splice"] {
        let splice = |_: Store<'_>, (_, _, _): (Out, Input, u64)| -> wasmtime::Result<Streamed<u64>> {
            Ok((Err(StreamError::Closed),))
        };
        streams.func_wrap(&method(name), splice)?;
    }
    streams
        .func_wrap(&method("subscribe"), |mut store: Store<'_>, (_,): (Out,)| Ok((store.data_mut().wasi.wait_for(0),)))
}

fn output(stream: &Out) -> Output {
    if stream.rep() == STANDARD_ERROR { Output::Error } else { Output::Standard }
}
