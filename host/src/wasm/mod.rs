//! Runs components. The only module that names wasmtime; knows no plan and no history.

mod bindings;
mod compile;
mod convert;
mod engine;
mod epochs;
mod error;
mod features;
mod fits;
mod functions;
mod handles;
mod inspect;
mod known;
mod limits;
mod made_in;
mod plugin;
mod script;
mod short;
mod sql_host;
mod state;
mod transform;
mod turns;
mod wasi;
mod weight;

pub use crate::limits::RunLimits;
pub use compile::{Compilation, CompileIsolation, CompilerProgram, compile_in_child};
pub use engine::{ComponentCache, Engine};
pub use error::{CompileError, PluginError};
pub use functions::{FunctionsCall, FunctionsInstance};
pub(crate) use inspect::inspect_binary;
pub use inspect::{InspectError, Inspection, inspect};
pub use known::Known;
pub use made_in::MadeIn;
pub use plugin::{Call, Output, Plugin};
pub use script::{EngineAbout, ScriptFailure, ScriptFrame};
pub use transform::{NotApplied, TransformCall, TransformInstance};
