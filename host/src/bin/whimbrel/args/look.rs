//! What is typed to look at things.

use std::path::PathBuf;

use clap::ValueEnum;

use super::named::{Named, file_to_write};
use super::{RuleArgs, UntilArgs};

// Options of `status`.
#[derive(clap::Args)]
pub(crate) struct StatusArgs {
    /// Exit with 3 when something is pending that `up` would not skip, with 1 when something is wrong
    #[arg(long)]
    pub(crate) check: bool,
}

// Options of `plan`.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    /// Which way
    #[arg(default_value = "up")]
    pub(crate) direction: DirectionArg,
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    /// Revert everything (with `down`)
    #[arg(long, conflicts_with_all = ["to", "steps"])]
    pub(crate) all: bool,
    /// Draw what depends on what, and what would be done, and not the plan
    #[arg(long, value_name = "FORMAT")]
    pub(crate) graph: Option<GraphArg>,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

/// Which way.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum DirectionArg {
    /// Apply.
    Up,
    /// Revert.
    Down,
}

/// How a graph is written.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum GraphArg {
    /// Mermaid, which many pages draw by themselves.
    Mermaid,
    /// DOT, for Graphviz.
    Dot,
}

// Options of `history`.
#[derive(clap::Args)]
pub(crate) struct HistoryArgs {
    /// Show what was applied as this version (`billing:7` with several chains), or as the repeatable migration of this name
    /// (`keep_bodies = true`)
    #[arg(long, value_name = "VERSION")]
    pub(crate) body: Option<Named>,
    /// Which part of it
    #[arg(long, requires = "body", default_value = "body")]
    pub(crate) part: PartArg,
    /// Write its exact bytes into this file, which must not be there
    #[arg(short, long, requires = "body", value_name = "FILE", value_parser = file_to_write)]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

/// A part of a migration.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum PartArg {
    /// The script or the component.
    Body,
    /// The script that reverts it.
    Down,
    /// The manifest.
    Manifest,
}

// Options of `inspect`.
#[derive(clap::Args)]
pub(crate) struct InspectArgs {
    /// The component, script or SQL
    pub(crate) file: PathBuf,
}

// Options of `preview`.
#[derive(clap::Args)]
pub(crate) struct PreviewArgs {
    /// The version of the migration (`billing:7` with several chains), or the name of a repeatable one
    #[arg(value_name = "VERSION")]
    pub(crate) target: Named,
    /// Show this many rows, the first ones in the order of the key
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rows: u32,
    /// Show the row with this key; once for each of its columns
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["rows", "sample"], allow_hyphen_values = true)]
    pub(crate) key: Vec<String>,
    /// Take the rows from all over the table, spread evenly, and not the first ones
    #[arg(long)]
    pub(crate) sample: bool,
    /// Write one page that shows them into this file
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    pub(crate) html: Option<PathBuf>,
}

// Options of `rejects`.
#[derive(clap::Args)]
pub(crate) struct RejectsArgs {
    /// The version of the migration (`billing:7` with several chains), or the name of a repeatable one
    #[arg(value_name = "VERSION")]
    pub(crate) target: Named,
    /// Transform them once more, after they were mended, and forget those that can be transformed now
    #[arg(long)]
    pub(crate) retry: bool,
}
