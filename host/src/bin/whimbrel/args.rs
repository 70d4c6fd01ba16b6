//! What was typed. Means nothing yet: `settings` puts it together with files and the environment.

mod renumber;
mod repair;
mod verify;

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueEnum};
use whimbrel::exec::Throttle;
use whimbrel::history::foreign::Tool;
use whimbrel::model::Version;
use whimbrel::source::Layout;

pub(crate) use renumber::RenumberArgs;
pub(crate) use repair::RepairArgs;
pub(crate) use verify::VerifyArgs;

use crate::settings::{parse_duration, parse_set, parse_timeout};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed or refused
  2    the command line or the settings are wrong
  3    something is pending (status --check)
  4    the outcome is unknown: the connection was lost during a commit
  5    done, but rows that could not be transformed were kept aside
  70   a bug in whimbrel
  124  stopped by --timeout
  130  interrupted by Ctrl-C (143 by SIGTERM)

The database is taken from --database, else DATABASE_URL, else .env, else whimbrel.toml.";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Runs SQL migrations and sandboxed code migrations in one chain.
#[derive(Parser)]
#[command(name = "whimbrel", version, about, after_help = EXIT_CODES, styles = STYLES, max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl Args {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::try_parse()
    }
}

/// What every verb takes.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The database: sqlite:app.db, sqlite:///var/app.db or a path
    #[arg(short = 'D', long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// The folder of the migrations, an archive, or https://…#sha256=…; may be given several times [default: migrations]
    #[arg(short, long, global = true, value_name = "FOLDER")]
    pub(crate) dir: Vec<PathBuf>,
    /// Whose way the folder is laid out: auto, whimbrel, sqlx, refinery, flyway, golang-migrate, goose, dbmate,
    /// diesel, atlas, prisma [default: auto]
    #[arg(long, global = true, value_name = "TOOL")]
    pub(crate) layout: Option<Layout>,
    /// Only this chain of several; can be given more than once [default: all]
    #[arg(long = "chain", global = true, value_name = "NAME")]
    pub(crate) chains: Vec<String>,
    /// The environment of whimbrel.toml, `[env.NAME]`, that is meant [default: WHIMBREL_ENV]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Read this file and not whimbrel.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The value that stands for a name such as ${NAME} in scripts; can be given more than once
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = parse_set)]
    pub(crate) set: Vec<(String, String)>,
    /// Name of the history table [default: _whimbrel_history]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// How long to wait for another process: 500ms, 5s, 2m [default: 60s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) lock_timeout: Option<Duration>,
    /// How long a whole run may take, compiling and waiting included: 90s, 30m [default: no end]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Print one JSON object on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// When to use colours.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Make a folder for migrations, whimbrel.toml and a first migration
    Init(InitArgs),
    /// Make the files of a new migration
    #[command(aliases = ["create", "add", "generate"])]
    New(NewArgs),
    /// Show the state of every migration
    #[command(aliases = ["info", "list"])]
    Status(StatusArgs),
    /// Show what `up` or `down` would do
    Plan(PlanArgs),
    /// Apply what is pending
    #[command(aliases = ["migrate", "run", "apply"])]
    Up(UpArgs),
    /// Revert what is applied, newest first; one migration unless told otherwise
    #[command(aliases = ["revert", "rollback", "undo"])]
    Down(DownArgs),
    /// Revert the last applied migration and apply it again; several with --steps
    Redo(RedoArgs),
    /// Revert everything; asks first, and never in a protected environment
    Reset(ResetArgs),
    /// Declare that the database has everything up to a version; runs nothing
    Baseline(BaselineArgs),
    /// Write a baseline that new databases start from: the schema as it is now
    Squash(SquashArgs),
    /// Check that files and history agree
    Verify(VerifyArgs),
    /// Try pending migrations on copies of the database: does their code do the same twice?
    Test(TestArgs),
    /// Make a component of a core WebAssembly module that a compiler made
    Componentize(ComponentizeArgs),
    /// Show what a component is made of and asks for
    Inspect(InspectArgs),
    /// Try a script in a transaction, and roll back unless told otherwise
    RunScript(RunScriptArgs),
    /// Show the script engines: what they run, version, size, digest
    Engines,
    /// Show what a transform would make of some rows; writes nothing
    Preview(PreviewArgs),
    /// Show the rows that a transform kept aside
    Rejects(RejectsArgs),
    /// Put the history right; shows what it will write, and asks
    Repair(RepairArgs),
    /// Give pending migrations new versions at the end of the chain, after a merge
    Renumber(RenumberArgs),
    /// Show what was applied when
    History,
    /// Take over the history that another tool keeps in the database; its own tables stay as they are
    Adopt(AdoptArgs),
    /// Write whimbrel.lock, in which two branches that both add a migration conflict
    Lock(LockArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

impl Verb {
    /// Returns the verb's own name, whatever alias was typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::New(_) => "new",
            Self::Status(_) => "status",
            Self::Plan(_) => "plan",
            Self::Up(_) => "up",
            Self::Down(_) => "down",
            Self::Redo(_) => "redo",
            Self::Reset(_) => "reset",
            Self::Baseline(_) => "baseline",
            Self::Squash(_) => "squash",
            Self::Verify(_) => "verify",
            Self::Test(_) => "test",
            Self::Componentize(_) => "componentize",
            Self::Inspect(_) => "inspect",
            Self::RunScript(_) => "run-script",
            Self::Engines => "engines",
            Self::Preview(_) => "preview",
            Self::Rejects(_) => "rejects",
            Self::Repair(_) => "repair",
            Self::Renumber(_) => "renumber",
            Self::History => "history",
            Self::Adopt(_) => "adopt",
            Self::Lock(_) => "lock",
            Self::Completions(_) => "completions",
        }
    }
}

/// Options of `adopt`.
#[derive(clap::Args)]
pub(crate) struct AdoptArgs {
    /// The tool: sqlx, refinery, flyway, golang-migrate, goose, dbmate, diesel, rails, prisma, atlas, sea-orm;
    /// alembic, django, liquibase, tern, sqitch [default: found out]
    #[arg(long, value_name = "TOOL")]
    pub(crate) from: Option<Tool>,
    /// Its table [default: found out by its columns]
    #[arg(long, value_name = "NAME")]
    pub(crate) from_table: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take migrations over although their files are not what the tool applied
    #[arg(long)]
    pub(crate) accept_changed: bool,
    /// Write each later migration into the tool's table too, as the tool would, for a way back: sqlx, refinery, flyway,
    /// golang-migrate, goose, dbmate, diesel, rails
    #[arg(long)]
    pub(crate) keep_writing: bool,
    /// Where the chain begins after alembic, django, liquibase, tern and sqitch: what comes up to this version counts as
    /// applied
    #[arg(long, value_name = "VERSION")]
    pub(crate) baseline: Option<Version>,
}

/// Options of `lock`.
#[derive(clap::Args)]
pub(crate) struct LockArgs {
    /// Write nothing; fail when the file does not describe the folder
    #[arg(long)]
    pub(crate) check: bool,
}

/// Options of `init`.
#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Overwrite files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

/// Options of `new`.
#[derive(clap::Args)]
pub(crate) struct NewArgs {
    /// What it does, in a few words: add_email
    pub(crate) name: String,
    /// SQL, a component written in Rust, or a script
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

/// Options of `status`.
#[derive(clap::Args)]
pub(crate) struct StatusArgs {
    /// Exit with 3 when something is pending, with 1 when something is wrong
    #[arg(long)]
    pub(crate) check: bool,
}

/// Options of `plan`.
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
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
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

/// How far.
#[derive(clap::Args)]
pub(crate) struct UntilArgs {
    /// Stop at this version, which is the last one applied
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    pub(crate) to: Option<Version>,
    /// Take this many steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: Option<u32>,
}

/// Options of `up`.
#[derive(clap::Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    /// Do everything in a transaction, show it, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// In a dry run, try this many rows of each transform and estimate how long all take
    #[arg(long, value_name = "ROWS", requires = "dry_run")]
    pub(crate) sample: Option<NonZeroU64>,
    /// Let this many instances of a transform work at once [default: as its manifest says, or one for each core]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Let transforms in chunks do no more than this many rows a second, or pause this long after each chunk: 5000, 50ms
    #[arg(long, value_name = "RATE", value_parser = parse_throttle)]
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

/// Reads how fast a transform may go: rows a second, or a pause.
fn parse_throttle(text: &str) -> Result<Throttle, String> {
    let number = text.trim().trim_end_matches("/s").replace('_', "");
    if let Ok(rows) = number.parse::<NonZeroU64>() {
        return Ok(Throttle::RowsPerSecond(rows));
    }
    parse_duration(text)
        .map(Throttle::Pause)
        .map_err(|_| "write rows a second, such as 5000, or a pause, such as 50ms or 1s".to_owned())
}

/// Options of `redo`.
#[derive(clap::Args)]
pub(crate) struct RedoArgs {
    /// This many migrations
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: u32,
    /// Do everything in a transaction, show it, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run all of it in one transaction: everything stays, or nothing
    #[arg(long)]
    pub(crate) single_transaction: bool,
}

/// Options of `reset`.
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

/// Options of `baseline`.
#[derive(clap::Args)]
pub(crate) struct BaselineArgs {
    /// The newest version that the database has
    pub(crate) version: Version,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask, where asking would be needed
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Options of `squash`.
#[derive(clap::Args)]
pub(crate) struct SquashArgs {
    /// The words after the version
    #[arg(default_value = "squashed")]
    pub(crate) name: String,
    /// Print the script, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Options of `down`.
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

/// What to let pass.
#[derive(clap::Args)]
pub(crate) struct RuleArgs {
    /// Accept pending migrations that are older than the newest applied one
    #[arg(long)]
    pub(crate) allow_out_of_order: bool,
    /// Accept applied migrations whose files are missing
    #[arg(long)]
    pub(crate) ignore_missing: bool,
}

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Run code twice, each time on its own copy, and compare rows, schema, fuel and SQL operations [default]
    #[arg(long)]
    pub(crate) deterministic: bool,
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

/// Options of `componentize`.
#[derive(clap::Args)]
pub(crate) struct ComponentizeArgs {
    /// The core module, or a component that only lacks the record of what made it
    pub(crate) file: PathBuf,
    /// Where the component goes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The world of the contract: migration, reversible or transform [default: what the exports fit]
    #[arg(long, value_name = "WORLD")]
    pub(crate) world: Option<String>,
    /// The language it is written in, for `inspect` to tell
    #[arg(long, value_name = "NAME")]
    pub(crate) language: Option<String>,
    /// What compiled it, for `inspect` to tell: "zig 0.17.1"
    #[arg(long, value_name = "NAME VERSION")]
    pub(crate) tool: Option<String>,
}

/// Options of `inspect`.
#[derive(clap::Args)]
pub(crate) struct InspectArgs {
    /// The component
    pub(crate) file: PathBuf,
}

/// Options of `run-script`.
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
}

/// Options of `preview`.
#[derive(clap::Args)]
pub(crate) struct PreviewArgs {
    /// The migration
    pub(crate) version: Version,
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
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// Options of `rejects`.
#[derive(clap::Args)]
pub(crate) struct RejectsArgs {
    /// The migration
    pub(crate) version: Version,
    /// Transform them once more, after they were mended, and forget those that can be transformed now
    #[arg(long)]
    pub(crate) retry: bool,
}

/// Options of `completions`.
#[derive(clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}
