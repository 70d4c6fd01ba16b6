//! Runs components. The only module that names wasmtime; knows no plan and no history.

mod bindings;
mod convert;
mod engine;
mod error;
mod handles;
mod inspect;
mod limits;
mod plugin;
mod sql_host;
mod state;

pub use engine::{ComponentCache, Engine};
pub use error::{CompileError, PluginError};
pub use inspect::{InspectError, Inspection, inspect};
pub use limits::RunLimits;
pub use plugin::{Call, Output, Plugin};
pub use state::GuestEvents;
