//! `wasi:filesystem` and `wasi:sockets`: what C libraries link in whatever a program does.
//!
//! No folder is open, so no file can be named; no socket can be made, so none can be used. The functions on files and
//! sockets are there because a component that imports their interface imports some of them, and cannot be reached.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType, Val};

use super::interface;
use crate::wasm::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// A file, a folder being read, a socket, a list of addresses: there never is one.
struct Nothing;
/// "The" network, through which nothing can be reached.
struct Network;

/// Resources of which there never is one, by interface, with their methods.
const UNREACHABLE: [(&str, &str, &[&str]); 7] = [
    (
        "filesystem/types",
        "descriptor",
        &[
            "read-via-stream",
            "write-via-stream",
            "append-via-stream",
            "advise",
            "sync-data",
            "get-flags",
            "get-type",
            "set-size",
            "set-times",
            "read",
            "write",
            "read-directory",
            "sync",
            "create-directory-at",
            "stat",
            "stat-at",
            "set-times-at",
            "link-at",
            "open-at",
            "readlink-at",
            "remove-directory-at",
            "rename-at",
            "symlink-at",
            "unlink-file-at",
            "is-same-object",
            "metadata-hash",
            "metadata-hash-at",
        ],
    ),
    ("filesystem/types", "directory-entry-stream", &["read-directory-entry"]),
    (
        "sockets/tcp",
        "tcp-socket",
        &[
            "start-bind",
            "finish-bind",
            "start-connect",
            "finish-connect",
            "start-listen",
            "finish-listen",
            "accept",
            "local-address",
            "remote-address",
            "is-listening",
            "address-family",
            "set-listen-backlog-size",
            "keep-alive-enabled",
            "set-keep-alive-enabled",
            "keep-alive-idle-time",
            "set-keep-alive-idle-time",
            "keep-alive-interval",
            "set-keep-alive-interval",
            "keep-alive-count",
            "set-keep-alive-count",
            "hop-limit",
            "set-hop-limit",
            "receive-buffer-size",
            "set-receive-buffer-size",
            "send-buffer-size",
            "set-send-buffer-size",
            "subscribe",
            "shutdown",
        ],
    ),
    (
        "sockets/udp",
        "udp-socket",
        &[
            "start-bind",
            "finish-bind",
            "stream",
            "local-address",
            "remote-address",
            "address-family",
            "unicast-hop-limit",
            "set-unicast-hop-limit",
            "receive-buffer-size",
            "set-receive-buffer-size",
            "send-buffer-size",
            "set-send-buffer-size",
            "subscribe",
        ],
    ),
    ("sockets/udp", "incoming-datagram-stream", &["receive", "subscribe"]),
    ("sockets/udp", "outgoing-datagram-stream", &["check-send", "send", "subscribe"]),
    ("sockets/ip-name-lookup", "resolve-address-stream", &["resolve-next-address", "subscribe"]),
];

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for (owner, resource, methods) in UNREACHABLE {
        let mut instance = linker.instance(&interface(owner))?;
        instance.resource(resource, ResourceType::host::<Nothing>(), |_, _| Ok(()))?;
        for method in methods {
            let name = format!("[method]{resource}.{method}");
            let what = format!("the guest called {name} of wasi:{owner}, which has nothing to work on");
            instance.func_new(&name, move |_, _, _, _| Err(wasmtime::Error::msg(what.clone())))?;
        }
    }
    let mut types = linker.instance(&interface("filesystem/types"))?;
    no_code(&mut types, "filesystem-error-code")?;
    let mut preopens = linker.instance(&interface("filesystem/preopens"))?;
    preopens.func_wrap("get-directories", |_: Store<'_>, (): ()| Ok((Vec::<(Resource<Nothing>, String)>::new(),)))?;

    let mut network = linker.instance(&interface("sockets/network"))?;
    network.resource("network", ResourceType::host::<Network>(), |_, _| Ok(()))?;
    no_code(&mut network, "network-error-code")?;
    let mut instance_network = linker.instance(&interface("sockets/instance-network"))?;
    instance_network.func_wrap("instance-network", |_: Store<'_>, (): ()| Ok((Resource::<Network>::new_own(0),)))?;
    denied(linker, "sockets/tcp-create-socket", "create-tcp-socket")?;
    denied(linker, "sockets/udp-create-socket", "create-udp-socket")?;
    denied(linker, "sockets/ip-name-lookup", "resolve-addresses")
}

/// No stream ever failed, so there is no code of its failure.
fn no_code(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    instance.func_new(name, |_, _, _, results| {
        results[0] = Val::Option(None);
        Ok(())
    })
}

/// The language's own error for what is not allowed, which a program can handle.
fn denied(linker: &mut Linker<State>, owner: &str, name: &str) -> wasmtime::Result<()> {
    linker.instance(&interface(owner))?.func_new(name, |_, _, _, results| {
        results[0] = Val::Result(Err(Some(Box::new(Val::Enum("access-denied".to_owned())))));
        Ok(())
    })
}
