//! What is typed to make files.

use std::path::PathBuf;

use clap::ValueEnum;

use super::named::file_to_write;

// Options of `init`.
#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Overwrite files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

// Options of `new`.
#[derive(clap::Args)]
pub(crate) struct NewArgs {
    /// What it does, in a few words: add_email
    pub(crate) name: String,
    /// SQL; a component written in Rust; a script in JavaScript, TypeScript or Python
    #[arg(long, value_name = "KIND", default_value = "sql")]
    pub(crate) kind: NewKind,
    /// A component in this language: a project with its SDK, a unit test, and one command that builds it
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "kind")]
    pub(crate) lang: Option<NewLang>,
    /// Use the time as the version and not the next number
    #[arg(long)]
    pub(crate) timestamp: bool,
    /// Make it one that can be reverted
    #[arg(long)]
    pub(crate) reversible: bool,
}

/// What kind of migration to make.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum NewKind {
    /// SQL.
    Sql,
    /// A component written in Rust.
    Rust,
    /// A script in JavaScript.
    Js,
    /// A script in TypeScript.
    Ts,
    /// A script in Python.
    Py,
}

/// In which language to write a component.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum NewLang {
    /// Rust.
    Rust,
    /// C.
    C,
    /// Go.
    Go,
    /// JavaScript.
    #[value(alias = "javascript")]
    Js,
    /// TypeScript.
    #[value(alias = "typescript")]
    Ts,
    /// Python.
    #[value(alias = "py")]
    Python,
    /// Zig.
    Zig,
    /// AssemblyScript.
    #[value(alias = "as")]
    Assemblyscript,
}

impl NewLang {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] =
        [Self::Rust, Self::C, Self::Go, Self::Js, Self::Ts, Self::Python, Self::Zig, Self::Assemblyscript];

    /// Returns the name of the kind of migration that it makes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Go => "go",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::Python => "python",
            Self::Zig => "zig",
            Self::Assemblyscript => "assemblyscript",
        }
    }
}

// Options of `componentize`.
#[derive(clap::Args)]
pub(crate) struct ComponentizeArgs {
    /// The core module, or a component that only lacks the record of what made it
    pub(crate) file: PathBuf,
    /// Where the component goes
    #[arg(short, long, value_name = "FILE", value_parser = file_to_write)]
    pub(crate) output: PathBuf,
    /// The world of the contract, such as migration, verified-reversible or transform [default: what the exports fit]
    #[arg(long, value_name = "WORLD")]
    pub(crate) world: Option<String>,
    /// The language it is written in, for `inspect` to tell
    #[arg(long, value_name = "NAME")]
    pub(crate) language: Option<String>,
    /// What compiled it, for `inspect` to tell: "zig 0.17.1"
    #[arg(long, value_name = "NAME VERSION")]
    pub(crate) tool: Option<String>,
}

// Options of `squash`.
#[derive(clap::Args)]
pub(crate) struct SquashArgs {
    /// The words after the version
    #[arg(default_value = "squashed")]
    pub(crate) name: String,
    /// Print the script, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
