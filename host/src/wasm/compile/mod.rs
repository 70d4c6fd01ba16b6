//! Where components are compiled: in this process, or in one of its own that has limits.

mod child;
mod mapped;
mod parent;
mod seal;
mod store;

use std::ffi::OsString;
use std::path::PathBuf;

pub use child::compile_in_child;
pub(super) use parent::compile;
pub(super) use store::Store;

use super::engine::ComponentCache;
use crate::interrupt::Interrupt;

/// Where components that this host has not compiled before are compiled.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CompileIsolation {
    /// In this process. Nothing bounds the time and memory that takes, so only for components one trusts.
    #[default]
    InProcess,
    /// In a process of its own, with limits on time and memory.
    Child(CompilerProgram),
}

/// A program that compiles components by calling [`compile_in_child`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CompilerProgram {
    /// The program.
    pub program: PathBuf,
    /// What it is called with before the arguments that are meant for [`compile_in_child`].
    pub arguments: Vec<OsString>,
}

/// How components are compiled.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    /// Where compiled components are kept.
    pub cache: ComponentCache,
    /// Where they are compiled.
    pub isolation: CompileIsolation,
    /// Stops a compilation in a process of its own.
    pub interrupt: Interrupt,
}
