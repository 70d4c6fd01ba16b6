//! Measures whimbrel against native code and its peers, and prints a table of ratios.
//!
//! Every number is the median of runs that take turns (A B C A B C …), so that whatever else the machine does hits all
//! of them alike. What is compared runs as a process of its own; its CPU time and its peak memory are what the system
//! counted for it. The first turn warms the caches up and does not count.

mod chain;
mod component;
mod course;
mod engine;
mod fresh;
mod functions;
mod languages;
mod measure;
mod names;
mod native;
mod no_op;
mod node;
mod programs;
mod python;
mod report;
mod rows;
mod safety;
mod script_transforms;
mod scripts;
mod sizes;
mod tool;
mod transforms;
mod workshop;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};

use programs::Programs;
use report::Report;
use workshop::Workshop;

#[derive(Parser)]
#[command(name = "whimbrel-bench", about = "Measures whimbrel against native code and its peers")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    worker: Option<Worker>,
}

#[derive(Args)]
struct Options {
    /// Measure these only
    #[arg(long, value_delimiter = ',', value_name = "a,b,c,d,e,f,g,h,i,l")]
    only: Vec<Part>,
    /// Turns that count [default: 11, with --quick 3]
    #[arg(long)]
    runs: Option<usize>,
    /// Rows that are split in d to g [default: 1000000, with --quick 100000]
    #[arg(long)]
    rows: Option<u32>,
    /// Migrations of a and b [default: 1000, with --quick 200]
    #[arg(long)]
    migrations: Option<u32>,
    /// Less of everything
    #[arg(long)]
    quick: bool,
    /// Print JSON and not a table
    #[arg(long)]
    json: bool,
    /// Look here for the peers (sqlx, refinery, diesel, dbmate) before looking in PATH
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// Measure this program and not the one of this repository
    #[arg(long, value_name = "FILE")]
    whimbrel: Option<PathBuf>,
    /// Put databases here; it should be on a real disk [default: the target folder]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Nothing to do
    A,
    /// Everything to do
    B,
    /// One component
    C,
    /// Many rows
    D,
    /// What safety costs
    E,
    /// Transforms
    F,
    /// Functions in one statement
    G,
    /// Scripts, with a fifth of the rows where they have a handle
    H,
    /// Folders of many files
    I,
    /// Languages, with a tenth of the rows
    L,
}

/// What runs in a process of its own to be measured.
#[derive(Subcommand)]
enum Worker {
    /// Does natively what a component does
    #[command(hide = true)]
    Native { work: native::Work, database: PathBuf },
    /// Runs the statements of a chain without any history
    #[command(hide = true)]
    Bare { folder: PathBuf, database: PathBuf },
    /// Runs the chain in this folder on a connection with `synchronous = NORMAL`
    #[command(hide = true)]
    Library { database: PathBuf, cache: PathBuf },
    /// Takes the time that the parts of a component's start take inside one process
    #[command(hide = true)]
    Engine { component: PathBuf, cache: PathBuf, database: PathBuf },
    /// Does work with all safety or without any
    #[command(hide = true)]
    Safety { work: safety::Work, guards: safety::Guards, database: PathBuf },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.worker {
        Some(Worker::Native { work, database }) => native::run(work, &database)?,
        Some(Worker::Bare { folder, database }) => native::run_chain(&folder, &database)?,
        Some(Worker::Library { database, cache }) => engine::run_chain(&database, &cache)?,
        Some(Worker::Engine { component, cache, database }) => engine::run(&component, &cache, &database)?,
        Some(Worker::Safety { work, guards, database }) => safety::run(work, guards, &database)?,
        None => bench(&arguments.options)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn bench(options: &Options) -> Result<()> {
    let runs = options.runs.unwrap_or(if options.quick { 3 } else { 11 });
    let rows = options.rows.unwrap_or(if options.quick { 100_000 } else { 1_000_000 });
    let migrations = options.migrations.unwrap_or(if options.quick { 200 } else { 1_000 });
    let wanted = |part| options.only.is_empty() || options.only.contains(&part);

    let workshop = Workshop::new(options.work.as_deref())?;
    let programs = Programs::gather(options.whimbrel.as_deref(), options.peers.as_deref())?;
    let mut report = Report::new(runs);
    if wanted(Part::A) {
        report.add(no_op::measure(&workshop, &programs, migrations, runs).context("a, nothing to do")?);
    }
    if wanted(Part::B) {
        report.add(fresh::measure(&workshop, &programs, migrations, runs).context("b, everything to do")?);
    }
    if wanted(Part::C) {
        report.extend(component::measure(&workshop, &programs, runs).context("c, one component")?);
    }
    if wanted(Part::D) {
        report.extend(rows::measure(&workshop, &programs, rows, runs).context("d, many rows")?);
    }
    if wanted(Part::E) {
        report.extend(safety::measure(&workshop, &programs, rows, runs).context("e, what safety costs")?);
    }
    if wanted(Part::F) {
        report.extend(transforms::measure(&workshop, &programs, rows, runs).context("f, transforms")?);
    }
    if wanted(Part::G) {
        report.extend(functions::measure(&workshop, &programs, rows, runs).context("g, functions")?);
    }
    if wanted(Part::H) {
        report.extend(scripts::measure(&workshop, &programs, rows / 5, runs).context("h, scripts")?);
        let transforms = script_transforms::measure(&workshop, &programs, rows, runs);
        report.add(transforms.context("h, transforms that are scripts")?);
    }
    if wanted(Part::I) {
        report.extend(sizes::measure(&workshop, &programs, runs).context("i, folders of many files")?);
    }
    if wanted(Part::L) {
        report.extend(languages::measure(&workshop, &programs, rows / 10, runs).context("l, languages")?);
    }
    report.print(options.json)
}
