//! The child's side: puts limits on its own process, compiles one component into the cache, and says how it went.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;

use super::Store;
use crate::model::Checksum;
use crate::wasm::engine::{self, ComponentCache, Purpose};
use crate::wasm::features;

/// What a child that did its work says, before the reason if there is one.
pub(super) const COMPILED: &str = "compiled";
pub(super) const INVALID: &str = "invalid: ";
pub(super) const NO_MEMORY: &str = "out of memory: ";
pub(super) const BROKEN: &str = "broken: ";

/// The word for an engine of functions, which compiles in its own way; all others have none.
pub(super) const FUNCTIONS: &str = "functions";

/// What a child is told: the folder of the cache, what is to run the component, seconds of processor time, bytes of
/// memory.
struct Order {
    cache: ComponentCache,
    purpose: Purpose,
    #[cfg_attr(not(unix), expect(dead_code, reason = "no limits can be put on the process"))]
    seconds: u64,
    #[cfg_attr(not(unix), expect(dead_code, reason = "no limits can be put on the process"))]
    memory: u64,
}

impl Order {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let folder = PathBuf::from(arguments.next()?);
        let purpose = if arguments.next()? == FUNCTIONS { Purpose::Functions } else { Purpose::Steps };
        let mut number = || arguments.next()?.to_str()?.parse().ok();
        let (seconds, memory) = (number()?, number()?);
        let cache = if folder.as_os_str().is_empty() { ComponentCache::Off } else { ComponentCache::Folder(folder) };
        Some(Self { cache, purpose, seconds, memory })
    }
}

/// Does the work of a [`CompilerProgram`](super::CompilerProgram): takes the component from `input`, answers on
/// `output`. Call it first thing in a process that does nothing else: it puts limits on the whole process.
pub fn compile_in_child(
    arguments: impl IntoIterator<Item = OsString>,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> std::io::Result<()> {
    let answer = match Order::parse(arguments) {
        None => format!("{BROKEN}it is called by whimbrel only, to compile a component"),
        Some(order) => match limit(&order) {
            Err(error) => format!("{BROKEN}limits cannot be put on it: {error}"),
            Ok(()) => compile(&order, input),
        },
    };
    output.write_all(answer.as_bytes())?;
    output.flush()
}

fn compile(order: &Order, input: &mut dyn Read) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = input.read_to_end(&mut bytes) {
        return format!("{BROKEN}it cannot read the component: {error}");
    }
    if let Err(error) = features::validate(&bytes) {
        return format!("{INVALID}{error}");
    }
    let compiled = engine::start(order.purpose)
        .and_then(|engine| Ok((Store::open(&order.cache, &engine), engine.precompile_component(&bytes)?)));
    match compiled {
        Ok((store, code)) => {
            if let Some(store) = store {
                store.keep(&Checksum::of(&bytes), true, &code);
            }
            COMPILED.to_owned()
        }
        Err(error) if is_memory(&error) => format!("{NO_MEMORY}{error:#}"),
        Err(error) => format!("{INVALID}{error:#}"),
    }
}

fn is_memory(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::OutOfMemory)
    })
}

/// Limits this process. Its second more of processor time is what is left between the signal that can be told from
/// others and the one that cannot be ignored.
#[cfg(unix)]
fn limit(order: &Order) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    // Linux counts in RLIMIT_DATA what a process can really write to, and not what an allocator merely reserves.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const MEMORY: Resource = Resource::Data;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const MEMORY: Resource = Resource::As;

    let set = |resource, current, maximum| {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) }).map_err(std::io::Error::from)
    };
    set(Resource::Core, 0, 0)?;
    set(Resource::Cpu, order.seconds, order.seconds.saturating_add(1))?;
    match set(MEMORY, order.memory, order.memory) {
        // There the parent's watch over the time is what is left.
        Err(_) if cfg!(target_vendor = "apple") => Ok(()),
        result => result,
    }
}

#[cfg(not(unix))]
fn limit(_: &Order) -> std::io::Result<()> {
    Ok(())
}
