//! What was typed. Means nothing yet: `settings` puts it together with files and the environment.

mod look;
mod make;
mod named;
mod renumber;
mod repair;
mod run;
mod verify;

use std::borrow::Cow;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use whimbrel::history::foreign::Tool;
use whimbrel::model::Version;
use whimbrel::source::Layout;

pub(crate) use look::{
    DirectionArg, GraphArg, HistoryArgs, InspectArgs, PartArg, PlanArgs, PreviewArgs, RejectsArgs, StatusArgs,
};
pub(crate) use make::{ComponentizeArgs, InitArgs, NewArgs, NewKind, NewLang, SquashArgs};
pub(crate) use named::Named;
pub(crate) use renumber::RenumberArgs;
pub(crate) use repair::RepairArgs;
pub(crate) use run::{
    BaselineArgs, DownArgs, RedoArgs, ResetArgs, RuleArgs, RunScriptArgs, TestArgs, UntilArgs, UpArgs,
};
pub(crate) use verify::VerifyArgs;

use crate::settings::{parse_duration, parse_set, parse_timeout};
use named::Layouts;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed or refused
  2    the command line or the settings are wrong
  3    something is pending (status --check)
  4    the outcome is unknown: the connection was lost during a commit
  5    done, but rows that could not be transformed were kept aside, or would be (--dry-run)
  6    done, but the result could not be written to standard output
  70   a bug in whimbrel
  124  stopped by --timeout
  130  interrupted by Ctrl-C (143 by SIGTERM, 129 by a closed terminal)

The database is taken from --database, else the environment that --env or WHIMBREL_ENV names,
else DATABASE_URL, else .env, else whimbrel.toml.";

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
    pub(crate) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        // Taking what describes all commands apart again takes a third of what making it did.
        let mut described = ManuallyDrop::new(Self::command());
        let mut given = match Self::of_one_verb(&described, words) {
            Some(given) => given,
            None => described.try_get_matches_from_mut(words).map_err(|error| help(&mut described, words, error))?,
        };
        let read = Self::from_arg_matches_mut(&mut given).map_err(|error| error.format(&mut described))?;
        read.with_chain_of_migration().map_err(|message| described.error(ErrorKind::ArgumentConflict, message))
    }

    /// Reads the command line as if the program had only the verb that is meant; `None` if that one alone does not do.
    ///
    /// What every verb takes is copied into each that is described, which would be most of reading the command line.
    fn of_one_verb(described: &Command, words: &[OsString]) -> Option<ArgMatches> {
        // It may be the value of an option: then the verb is not the first free word of the line, and is refused.
        let verb = words.iter().find_map(|word| described.find_subcommand(word))?;
        let alone = Globals::augment_args(Command::new("whimbrel")).subcommand(verb.clone()).subcommand_required(true);
        ManuallyDrop::new(alone).try_get_matches_from_mut(words).ok()
    }
}

/// Finds the help that was asked for with a verb's options behind it, such as `help up --json`; else the error stands.
fn help(described: &mut Command, words: &[OsString], error: clap::Error) -> clap::Error {
    let Some(verb) = words.iter().position(|word| word == "help") else { return error };
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    let (before, after) = words.split_at(verb);
    let asked = before.iter().chain(after.iter().filter(|word| !is_option(word)));
    match described.try_get_matches_from_mut(asked) {
        Err(help) if help.kind() == ErrorKind::DisplayHelp => help,
        Ok(_) | Err(_) => error,
    }
}

// What every verb takes.
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
    #[arg(long, global = true, value_name = "TOOL", value_parser = Layouts, hide_possible_values = true)]
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

impl Color {
    /// Finds out what was typed in a command line that cannot be read, or asks for help.
    pub(crate) fn typed(words: &[OsString]) -> Self {
        let mut words = words.iter().skip(1).map(|word| word.to_string_lossy()).take_while(|word| word != "--");
        let mut typed = Self::Auto;
        while let Some(word) = words.next() {
            let value = match word.strip_prefix("--color") {
                Some("") => words.next().map(Cow::into_owned),
                Some(rest) => rest.strip_prefix('=').map(str::to_owned),
                None => None,
            };
            typed = value.and_then(|value| Self::from_str(&value, false).ok()).unwrap_or(typed);
        }
        typed
    }
}

// What to do.
#[derive(Subcommand)]
#[command(defer = true)]
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
    /// Try pending migrations on copies of the database: up, down, up, and code twice
    Test(TestArgs),
    /// Make a component of a core WebAssembly module that a compiler made
    Componentize(ComponentizeArgs),
    /// Show what a component is made of, or a script says, and what it asks for
    Inspect(InspectArgs),
    /// Try a script in a transaction, and roll back unless told otherwise
    RunScript(RunScriptArgs),
    /// Ask the database in SQL or JavaScript, a line each; changes nothing
    Repl,
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
    /// Show what was applied when; or, where the history keeps it, what it was
    History(HistoryArgs),
    /// Take over the history that another tool keeps in the database; its own tables stay as they are
    Adopt(AdoptArgs),
    /// Write whimbrel.lock, in which two branches that both add a migration conflict; `lock status` shows who is at work
    /// on the database
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
            Self::Repl => "repl",
            Self::Engines => "engines",
            Self::Preview(_) => "preview",
            Self::Rejects(_) => "rejects",
            Self::Repair(_) => "repair",
            Self::Renumber(_) => "renumber",
            Self::History(_) => "history",
            Self::Adopt(_) => "adopt",
            Self::Lock(_) => "lock",
            Self::Completions(_) => "completions",
        }
    }
}

// Options of `adopt`.
#[derive(clap::Args)]
pub(crate) struct AdoptArgs {
    /// The tool: sqlx, refinery, flyway, golang-migrate, goose, dbmate, diesel, rails, prisma, atlas, drizzle, d1, sea-orm;
    /// alembic, django, liquibase, tern, sqitch, knex, kysely, typeorm, sequelize, laravel, ef-core [default: found out]
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
    /// golang-migrate, goose, dbmate, diesel, rails, d1
    #[arg(long)]
    pub(crate) keep_writing: bool,
    /// Where the chain begins after alembic, django, liquibase, tern, sqitch, knex, kysely, typeorm, sequelize, laravel or
    /// ef-core: what comes up to this version counts as applied. Of the other tools every row is taken over by itself
    #[arg(long, value_name = "VERSION")]
    pub(crate) baseline: Option<Version>,
}

// Options of `lock`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LockArgs {
    /// Write nothing; fail when the file does not describe the folder
    #[arg(long)]
    pub(crate) check: bool,
    #[command(subcommand)]
    pub(crate) verb: Option<LockVerb>,
}

// What to do with locks.
#[derive(Subcommand)]
pub(crate) enum LockVerb {
    /// Show who is at work on the database, and who makes others wait
    Status,
}

// Options of `completions`.
#[derive(clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    /// What a verb was told, and whether one verb alone was enough to read it.
    fn read(line: &str) -> (Option<(String, ArgMatches)>, bool) {
        let mut described = Args::command();
        let alone = Args::of_one_verb(&described, &words(line));
        let whole = described.try_get_matches_from_mut(words(line)).ok();
        let verb = |given: ArgMatches| given.subcommand().map(|(verb, told)| (verb.to_owned(), told.clone()));
        let (alone, whole) = (alone.map(verb), whole.map(verb));
        if let Some(alone) = &alone {
            assert_eq!(Some(alone), whole.as_ref(), "{line}");
        }
        (whole.flatten(), alone.is_some())
    }

    #[test]
    fn help_of_a_verb_begins_with_what_it_does() {
        for verb in Args::command().get_subcommands() {
            // What is written at the options would stand in its place.
            assert!(verb.get_about().is_some() && verb.get_long_about().is_none(), "{}", verb.get_name());
        }
    }

    #[test]
    fn reads_a_line_by_its_verb_alone_as_by_all() {
        let lines = [
            ("whimbrel up", "up"),
            ("whimbrel migrate --to 3", "up"),
            ("whimbrel --dir m -D a.db status --check --json", "status"),
            ("whimbrel -vv up --dir status", "up"),
            ("whimbrel lock status", "lock"),
            ("status status", "status"),
        ];
        for (line, verb) in lines {
            let (told, alone) = read(line);
            assert_eq!((told.map(|(verb, _)| verb).as_deref(), alone), (Some(verb), true), "{line}");
        }
    }

    #[test]
    fn reads_a_line_by_all_verbs_where_one_does_not_do() {
        for (line, verb) in [
            ("whimbrel --dir status up", Some("up")),
            ("whimbrel --dir up", None),
            ("whimbrel", None),
            ("whimbrel help up", None),
            ("whimbrel up --help", None),
            ("whimbrel --version", None),
            ("whimbrel upp", None),
            ("whimbrel up --nonsense", None),
            ("whimbrel -q -v up", None),
        ] {
            let (told, alone) = read(line);
            assert_eq!((told.map(|(verb, _)| verb).as_deref(), alone), (verb, false), "{line}");
        }
    }

    #[test]
    fn describes_every_verb_soundly() {
        Args::command().debug_assert();
    }
}
