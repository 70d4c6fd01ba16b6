//! End-to-end tests: the real program, real files, real components, real processes.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod cli;
// Said for clippy, which lets tests unwrap.
#[cfg(test)]
mod flows;
mod harness;
