//! A migration host: SQL migrations and sandboxed WebAssembly migrations in one versioned chain.
#![forbid(unsafe_code)]

pub mod db;
mod error;
pub mod exec;
pub mod grants;
pub mod history;
mod interrupt;
mod migrator;
pub mod model;
pub mod plan;
pub mod source;
pub mod sql;
#[cfg(feature = "wasm")]
pub mod wasm;

pub use error::Error;
pub use interrupt::Interrupt;
pub use migrator::{Migrator, MigratorBuilder, Status};
pub use whimbrel_macros::embed;
