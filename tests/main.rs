//! End-to-end tests: the real program, real files, real components, real processes.

mod cli;
mod flows;
mod harness;
