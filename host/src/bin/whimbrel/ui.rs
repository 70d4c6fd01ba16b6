//! Writes to the terminal. The only module that prints: stdout is data, stderr is talk.
#![expect(clippy::print_stderr, reason = "this is where the program prints")]

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use whimbrel::LogLevel;

use crate::args::{Args, Color, Globals};
use crate::escape;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{failure, style};

/// Sets what is logged, in the words of tracing's filters.
const LOG_VARIABLE: &str = "WHIMBREL_LOG";

/// How to talk to whoever started the program.
#[derive(Clone)]
pub(crate) struct Ui {
    verb: &'static str,
    json: bool,
    quiet: bool,
    verbose: u8,
    choice: ColorChoice,
    progress: bool,
}

impl Ui {
    /// Finds out what the terminal can do.
    pub(crate) fn new(args: &Args) -> Self {
        let globals = &args.globals;
        Self {
            verb: args.verb.name(),
            json: globals.json,
            quiet: globals.quiet,
            verbose: globals.verbose,
            choice: choice(globals.color),
            progress: !globals.json && !globals.quiet && io::stderr().is_terminal(),
        }
    }

    /// Tells whether the result is to be JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Tells whether a line that changes can be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Returns the least level of a guest's lines that are shown.
    pub(crate) fn log_level(&self) -> LogLevel {
        match self.verbose {
            0 => LogLevel::Info,
            1 => LogLevel::Debug,
            _ => LogLevel::Trace,
        }
    }

    /// Writes a result for people, or its JSON.
    pub(crate) fn result<T: Serialize>(
        &self,
        json: impl FnOnce() -> T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json { Ok(print_json(&json())?) } else { self.data(&text()) }
    }

    /// Writes data to stdout.
    pub(crate) fn data(&self, text: &str) -> anyhow::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.choice);
        Ok(unless_closed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?)
    }

    /// Says a line on stderr, unless nothing is to be said.
    pub(crate) fn talk(&self, line: &str) {
        if !self.quiet && !self.json {
            self.tell(&format!("{line}\n"));
        }
    }

    /// Writes on stderr what somebody types after.
    pub(crate) fn prompt(&self, words: &str) {
        self.tell(words);
    }

    /// Asks on stderr and returns the line that is typed, empty at the end of the input.
    pub(crate) fn ask(&self, question: &str) -> anyhow::Result<String> {
        self.tell(question);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer)
    }

    /// Writes an error to stderr, or its JSON to stdout, and returns how the program ends.
    pub(crate) fn fail(&self, error: &Failure) -> Exit {
        if self.json {
            // Nowhere is left to complain.
            let _ = print_json(&failure::json(Some(self.verb), error));
        } else {
            self.tell(&failure::text(error));
        }
        error.exit
    }

    /// Nobody reads what cannot be written to stderr, so that is no error.
    fn tell(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr().lock(), self.choice);
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

fn choice(color: Color) -> ColorChoice {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

fn print_json<T: Serialize>(value: &T) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    text.push('\n');
    let mut out = io::stdout().lock();
    unless_closed(out.write_all(escape::json(&text).as_bytes()).and_then(|()| out.flush()))
}

/// A reader that has seen enough, such as `head`, is no error.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Tells what is wrong with the command line, or shows the help that was asked for.
pub(crate) fn refuse_arguments(error: &clap::Error) -> Exit {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    };
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && exit == Exit::Usage {
        let text = error.render().to_string();
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let _ = print_json(&failure::json(None, &Failure::new(exit, "usage", message)));
    } else {
        let _ = error.print();
    }
    exit
}

/// Installs a logger if somebody wants one: it costs more than a run with nothing to do.
pub(crate) fn start_tracing(globals: &Globals) {
    let named = std::env::var(LOG_VARIABLE).ok().filter(|value| !value.is_empty());
    // What guests say is shown by `progress`.
    let filter = match (named, globals.verbose) {
        (Some(filter), _) => filter,
        (None, 0) => return,
        (None, 1) => "whimbrel=debug,whimbrel::guest=off".to_owned(),
        (None, _) => "trace,cranelift=info,whimbrel::guest=off".to_owned(),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(io::stderr);
    // Fails only if there is one already, and then that one is used.
    let _ = subscriber.try_init();
}

/// Tells of a panic.
pub(crate) fn bug(panic: &str) {
    let head = style::paint(style::ERROR, "bug");
    let text = format!(
        "{head}: {panic}\nThis is a mistake in whimbrel {}; please report it with what you did.",
        env!("CARGO_PKG_VERSION")
    );
    eprintln!("{}", anstream::adapter::strip_str(&text));
}
