//! Runs the real program on real files, with nothing of the surroundings reaching it.

mod filter;
mod listen;
pub(crate) mod packed;
mod program;
mod project;
pub(crate) mod server;

pub(crate) use listen::listen;
pub(crate) use program::{cache, path as program};
pub(crate) use project::{Outcome, Project};
