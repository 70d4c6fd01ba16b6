//! Writes to the terminal. The only module that prints: stdout is data, stderr is talk.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use whimbrel::LogLevel;

use crate::args::{Args, Color, Globals};
use crate::escape;
use crate::exit::Exit;
use crate::failure::{Failure, explain};
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
    ) -> Result<(), Unwritten> {
        if self.json { print_json(&json()) } else { self.data(&text()) }
    }

    /// Writes a result for people, or its JSON. If that cannot be written and something was done, the error says what, by
    /// the first line of the text.
    pub(crate) fn report<T: Serialize>(
        &self,
        done: bool,
        json: impl FnOnce() -> T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Unwritten> {
        let what = |text: &str| text.lines().next().filter(|_| done).map(|line| strip_str(line).to_string());
        if self.json {
            return print_json(&json()).map_err(|unwritten| Unwritten { done: what(&text()), ..unwritten });
        }
        let text = text();
        self.data(&text).map_err(|unwritten| Unwritten { done: what(&text), ..unwritten })
    }

    /// Writes data to stdout.
    pub(crate) fn data(&self, text: &str) -> Result<(), Unwritten> {
        print(text, self.choice)
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
        // Where the one cannot be written, the other may be.
        if !self.json || print_json(&failure::json(Some(self.verb), error)).is_err() {
            self.tell(&failure::text(error));
        }
        error.exit
    }

    fn tell(&self, text: &str) {
        tell(text, self.choice);
    }
}

/// Standard output does not take what is written.
#[derive(Debug, thiserror::Error)]
#[error("the result cannot be written to standard output")]
pub(crate) struct Unwritten {
    /// Why.
    #[source]
    pub(crate) source: io::Error,
    /// What was done all the same.
    pub(crate) done: Option<String>,
}

fn choice(color: Color) -> ColorChoice {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

fn print_json<T: Serialize>(value: &T) -> Result<(), Unwritten> {
    let mut text = serde_json::to_string_pretty(value).expect("keys are texts, and nothing of it fails to be written");
    text.push('\n');
    print(&escape::json(&text), ColorChoice::Never)
}

/// Writes to stdout. A reader that has seen enough, such as `head`, is no error.
fn print(text: &str, choice: ColorChoice) -> Result<(), Unwritten> {
    let mut out = AutoStream::new(io::stdout().lock(), choice);
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Unwritten { source, done: None }),
        _ => Ok(()),
    }
}

/// Writes to stderr. Nobody reads what cannot be written there, so that is no error.
fn tell(text: &str, choice: ColorChoice) {
    let mut err = AutoStream::new(io::stderr().lock(), choice);
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Tells what is wrong with the command line, or shows the help that was asked for.
pub(crate) fn refuse_arguments(error: &clap::Error, words: &[OsString]) -> Exit {
    let choice = choice(Color::typed(words));
    let text = error.render();
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        return match print(&text.ansi().to_string(), choice) {
            Ok(()) => Exit::Done,
            Err(unwritten) => {
                tell(&failure::text(&explain(unwritten.into())), choice);
                Exit::Failed
            }
        };
    }
    if words.iter().any(|word| word == "--json") {
        let text = text.to_string();
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let _ = print_json(&failure::json(None, &Failure::new(Exit::Usage, "usage", message)));
    } else {
        tell(&text.ansi().to_string(), choice);
    }
    Exit::Usage
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
    let ansi = match choice(globals.color) {
        ColorChoice::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
        choice => choice != ColorChoice::Never,
    };
    // What it cannot write it would complain of on stderr, and panic where that is closed.
    let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(io::stderr);
    let subscriber = subscriber.with_ansi(ansi).log_internal_errors(false);
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
    tell(&format!("{text}\n"), ColorChoice::Never);
}
