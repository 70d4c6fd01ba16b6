//! Builds components from Rust crates, the same bytes on every machine with the same compiler.

pub mod component;
pub mod engines;
pub mod plugins;
pub mod polyglot;
pub mod sample;
pub mod tests;
pub mod toolchain;

pub use component::component;
