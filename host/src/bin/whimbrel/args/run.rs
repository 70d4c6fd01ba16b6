//! What is typed to apply, revert and try migrations.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use whimbrel::exec::Throttle;
use whimbrel::model::Dependency;

use super::named::{file_to_write, version};
use crate::settings::parse_duration;

// How far.
#[derive(clap::Args)]
pub(crate) struct UntilArgs {
    /// Stop at this version, which is the last one applied; `billing:7` with several chains
    #[arg(long, value_name = "VERSION", conflicts_with = "steps", allow_negative_numbers = true, value_parser = version)]
    pub(crate) to: Option<Dependency>,
    /// Take this many steps
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: Option<u32>,
}

// What to let pass.
#[derive(clap::Args)]
pub(crate) struct RuleArgs {
    /// Accept pending migrations that are older than the newest applied one
    #[arg(long)]
    pub(crate) allow_out_of_order: bool,
    /// Accept applied migrations whose files are missing
    #[arg(long)]
    pub(crate) ignore_missing: bool,
}

// Options of `up`.
#[derive(clap::Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    /// Do everything in a transaction, show it, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// In a dry run, try this many rows of each transform and estimate how long all take
    #[arg(long, value_name = "ROWS", requires = "dry_run", allow_negative_numbers = true)]
    pub(crate) sample: Option<NonZeroU64>,
    /// Let this many instances of a transform work at once [default: as its manifest says, or one for each core]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Let transforms in chunks do no more than this many rows a second, or pause this long after each chunk: 5000, 50ms
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, value_parser = parse_throttle)]
    pub(crate) throttle: Option<Throttle>,
    /// Run all of it in one transaction: everything stays, or nothing
    #[arg(long)]
    pub(crate) single_transaction: bool,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

/// Most instances of a transform at once.
const MOST_JOBS: usize = 256;

/// Reads how many instances of a transform work at once.
fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    let within = text.parse::<NonZeroUsize>().ok().filter(|jobs| jobs.get() <= MOST_JOBS);
    within.ok_or_else(|| format!("write a number from 1 to {MOST_JOBS}"))
}

/// Reads which table is to be filled with how many rows.
fn parse_fill(text: &str) -> Result<(String, u64), String> {
    let parts = text.rsplit_once('=').filter(|(table, _)| !table.is_empty());
    let (table, rows) = parts.ok_or("write a table and a number of rows, such as customer=1000")?;
    let rows = rows
        .replace('_', "")
        .parse()
        .map_err(|_| format!("{rows} is no number of rows; write such as {table}=1000"))?;
    Ok((table.to_owned(), rows))
}

/// Reads how fast a transform may go: rows a second, or a pause.
fn parse_throttle(text: &str) -> Result<Throttle, String> {
    let number = text.trim().trim_end_matches("/s").replace('_', "");
    if let Ok(rows) = number.parse::<NonZeroU64>() {
        return Ok(Throttle::RowsPerSecond(rows));
    }
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err("0 is no rate and no pause: leave it out to go as fast as possible".to_owned()),
        Ok(pause) => Ok(Throttle::Pause(pause)),
        Err(_) => Err("write rows a second, such as 5000, or a pause, such as 50ms or 1s".to_owned()),
    }
}

// Options of `down`.
#[derive(clap::Args)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    /// Revert everything
    #[arg(long, conflicts_with_all = ["to", "steps"])]
    pub(crate) all: bool,
    /// Do everything in a transaction, show it, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run all of it in one transaction: everything stays, or nothing
    #[arg(long)]
    pub(crate) single_transaction: bool,
    /// Do not ask, where asking would be needed
    #[arg(short, long)]
    pub(crate) yes: bool,
}

// Options of `redo`.
#[derive(clap::Args)]
pub(crate) struct RedoArgs {
    /// This many migrations
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: u32,
    /// Do everything in a transaction, show it, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run all of it in one transaction: everything stays, or nothing
    #[arg(long)]
    pub(crate) single_transaction: bool,
}

// Options of `reset`.
#[derive(clap::Args)]
pub(crate) struct ResetArgs {
    /// Do everything in a transaction, show it, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run all of it in one transaction: everything stays, or nothing
    #[arg(long)]
    pub(crate) single_transaction: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

// Options of `baseline`.
#[derive(clap::Args)]
pub(crate) struct BaselineArgs {
    /// The newest version that the database has; `billing:7` with several chains
    #[arg(value_parser = version)]
    pub(crate) version: Dependency,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask, where asking would be needed
    #[arg(short, long)]
    pub(crate) yes: bool,
}

// Options of `run-script`.
#[derive(clap::Args)]
pub(crate) struct RunScriptArgs {
    /// The script
    pub(crate) file: PathBuf,
    /// Call its function `down` and not `up`
    #[arg(long)]
    pub(crate) down: bool,
    /// Keep what it does; it leaves no row in the history
    #[arg(long)]
    pub(crate) commit: bool,
    /// Do not ask, where asking would be needed
    #[arg(short, long, requires = "commit")]
    pub(crate) yes: bool,
}

// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Run each migration up, down and up again, and compare schema and rows [default: every check]
    #[arg(long)]
    pub(crate) round_trip: bool,
    /// Run code twice, each time on its own copy, and compare rows, schema, fuel and SQL operations
    #[arg(long)]
    pub(crate) deterministic: bool,
    /// Add rows to a table of the copies first, or as soon as a migration makes it; can be given more than once
    #[arg(long, value_name = "TABLE=ROWS", value_parser = parse_fill)]
    pub(crate) fill: Vec<(String, u64)>,
    /// Add other rows than with another seed
    #[arg(long, value_name = "N", default_value_t = 1, requires = "fill")]
    pub(crate) seed: u64,
    /// Let pass that this version (`billing:7` where there are several chains) does not bring everything back; can be
    /// given more than once
    #[arg(long, value_name = "VERSION")]
    pub(crate) accept: Vec<Dependency>,
    /// Write a report in the XML of JUnit, too, for CI
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}
