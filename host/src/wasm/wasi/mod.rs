//! The closed stand-in for WASI 0.2, for languages whose runtime insists on it: no environment, no arguments, no files,
//! no network, a clock that stands at the run's recorded start, and chance that the component's digest fixes.
//!
//! Written by hand on the linker and not taken from a WASI implementation with everything switched off: every function
//! a guest can reach is in this folder, and none of them names a file, a socket, a clock or the environment of this
//! machine.

mod cli;
mod clocks;
mod io;
mod lines;
mod powerless;
mod random;

use std::collections::VecDeque;

use wasmtime::component::Linker;

use super::state::State;
use crate::db::{Sequence, Use};
pub(super) use lines::{Lines, Output};

/// The version whose functions are here; the linker takes every 0.2 for it.
const VERSION: &str = "0.2.0";
const MINOR: (u64, u64) = (0, 2);

/// Lines of standard error that are kept for the operator, and bytes of each.
const COMPLAINTS: usize = 3;
const COMPLAINT_BYTES: usize = 500;

/// What the stand-in serves, without `wasi:`.
const INTERFACES: [&str; 27] = [
    "cli/environment",
    "cli/exit",
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "filesystem/preopens",
    "filesystem/types",
    "io/error",
    "io/poll",
    "io/streams",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
    "sockets/instance-network",
    "sockets/ip-name-lookup",
    "sockets/network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
];

/// What the stand-in knows during one call.
pub(super) struct Wasi {
    /// Milliseconds since 1970: where the clock on the wall stands.
    started_at: u64,
    /// Nanoseconds that waiting and looking at the clock have taken so far.
    elapsed: u64,
    numbers: Sequence,
    waits: clocks::Waits,
    pub(super) lines: Lines,
    /// The last lines on standard error, where a runtime tells why it gives up.
    complaints: VecDeque<String>,
}

impl Wasi {
    pub(super) fn new(started_at: u64, seed: u64) -> Self {
        Self {
            started_at,
            elapsed: 0,
            numbers: Sequence::new(seed, Use::Language),
            waits: clocks::Waits::default(),
            lines: Lines::default(),
            complaints: VecDeque::new(),
        }
    }

    /// Keeps a line of standard error for the operator, in case the guest ends over it.
    pub(super) fn complained(&mut self, line: &str) {
        let says_something = !line.trim().is_empty() && !line.starts_with("note: ");
        if says_something {
            self.complaints.push_back(line[..line.floor_char_boundary(COMPLAINT_BYTES)].to_owned());
        }
        if self.complaints.len() > COMPLAINTS {
            self.complaints.pop_front();
        }
    }

    /// Returns what the guest last said on standard error.
    pub(super) fn take_complaints(&mut self) -> Option<String> {
        let lines = Vec::from(std::mem::take(&mut self.complaints));
        (!lines.is_empty()).then(|| lines.join("; "))
    }
}

/// Tells whether the stand-in serves an import.
pub(super) fn serves(import: &str) -> bool {
    let Some((interface, version)) = import.strip_prefix("wasi:").and_then(|path| path.split_once('@')) else {
        return false;
    };
    // What comes before a release is a contract of its own.
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let minor = (numbers.next(), numbers.next(), numbers.next());
    let matches = minor.0 == Some(Ok(MINOR.0)) && minor.1 == Some(Ok(MINOR.1)) && matches!(minor.2, Some(Ok(_)));
    matches && numbers.next().is_none() && INTERFACES.contains(&interface)
}

/// Puts the stand-in on a linker.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    io::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    cli::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    powerless::add_to_linker(linker)
}

/// Names an interface of the stand-in as the linker wants it.
fn interface(name: &str) -> String {
    format!("wasi:{name}@{VERSION}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_every_release_of_0_2_and_nothing_else() {
        let cases = [
            ("wasi:cli/environment@0.2.0", true),
            ("wasi:sockets/udp-create-socket@0.2.12", true),
            ("wasi:clocks/wall-clock@0.2.99", true),
            ("wasi:clocks/wall-clock@0.2.0-rc-2023-11-10", false),
            ("wasi:clocks/wall-clock@0.2", false),
            ("wasi:clocks/wall-clock@0.3.0", false),
            ("wasi:clocks/wall-clock", false),
            ("wasi:clocks/timezone@0.2.0", false),
            ("wasi:http/outgoing-handler@0.2.0", false),
            ("wasi:keyvalue/store@0.2.0", false),
            ("cli/environment@0.2.0", false),
        ];
        for (import, served) in cases {
            assert_eq!(serves(import), served, "{import}");
        }
    }
}
