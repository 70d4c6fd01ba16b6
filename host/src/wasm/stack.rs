//! Room for scripts: an interpreter calls itself for every call of the script, and reaches its own limit, which is an
//! error of the script and no trap, only where the stack is deep enough.

/// Deepest stack of a component that is no engine; small enough for every thread.
pub(super) const SMALL: usize = 1 << 20;
/// Deepest stack of a script engine.
pub(super) const DEEP: usize = 8 << 20;
/// What an engine has to have, and what the host needs beside it.
const ROOM: usize = DEEP + (4 << 20);

/// Does the work on a stack with room for a script engine, whatever thread this is.
pub fn deep<R>(work: impl FnOnce() -> R) -> R {
    stacker::grow(ROOM, work)
}
